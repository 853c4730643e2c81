package limit

import (
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Sharing is the part of a configuration that says where counts are kept.
type Sharing struct {
	// Mode says where is counted. "local" counts on each gateway by itself.
	// "exact" counts over all gateways and asks Redis once for each request.
	// "fast" counts over all gateways, decides here, and syncs with Redis in the
	// background: it costs no time, and may exceed the limit a little.
	Mode string `json:"mode" schema:"enum=local|exact|fast"`
	// SyncEvery is how often mode fast syncs. The limit may be exceeded by what
	// the gateways admit in twice that time.
	SyncEvery schema.Duration `json:"syncEvery" schema:"min=20ms,max=1m,when=mode:fast"`
	// OnStoreFailure says what happens while Redis cannot be reached. "local"
	// goes on counting here, each gateway for its share of what was left.
	// "allow" lets requests pass. "deny" answers 503.
	OnStoreFailure string `json:"onStoreFailure" schema:"enum=local|allow|deny"`
}

// DefaultSharing counts on each gateway.
func DefaultSharing() Sharing {
	return Sharing{Mode: "local", SyncEvery: schema.Duration(100 * time.Millisecond), OnStoreFailure: "local"}
}

// Words says where is counted.
func (s Sharing) Words() string {
	if s.Mode == "local" {
		return "on each gateway"
	}
	return "over all gateways"
}

// Counter is a limiter that knows whose count a request is.
type Counter struct {
	key  *Key
	main policy.Limiter
	// address counts the requests that have no key.
	address policy.Limiter
}

// Open makes the limiters of a policy. The name is what counts are kept under:
// the policy's instance id, where it shares none.
func (s Sharing) Open(env policy.Env, name string, key *Key, rules []policy.Rule) (*Counter, error) {
	spec := policy.LimiterSpec{
		Name: name, Rules: rules, Shared: s.Mode != "local", Fast: s.Mode == "fast",
		SyncEvery: time.Duration(s.SyncEvery), OnStoreFailure: policy.StoreFailure(s.OnStoreFailure),
	}
	if env.Counters == nil {
		return nil, errors.New("this gateway counts nothing")
	}
	c := &Counter{key: key}
	var err error
	if c.main, err = env.Counters.Limiter(spec); err != nil {
		return nil, err
	}
	spec.Name += "/address"
	if c.address, err = env.Counters.Limiter(spec); err != nil {
		c.main.Close()
		return nil, err
	}
	return c, nil
}

// For returns the limiter and the key that a request is to be counted by.
func (c *Counter) For(ex *policy.Exchange) (policy.Limiter, string, error) {
	key, byAddress, err := c.key.Of(ex)
	switch {
	case err != nil:
		return nil, "", err
	case byAddress:
		return c.address, key, nil
	default:
		return c.main, key, nil
	}
}

// ByAddress reports whether the limiter counts for want of a key.
func (c *Counter) ByAddress(l policy.Limiter) bool { return l == c.address && !c.key.byAddress }

// Close closes the limiters.
func (c *Counter) Close() {
	c.main.Close()
	c.address.Close()
}

// Positive returns the value of an expression that must be a number from low
// to 2^53. Any other value and any error is a refusal with 500.
func Positive(e policy.Expression, ex *policy.Exchange, what string, low int64) (int64, error) {
	n, err := e.Int(ex)
	if err != nil || n < low || n > 1<<53 {
		return 0, problem.New(problem.CodePolicyFailed, "the %s of this request cannot be told", what).Because(err)
	}
	return n, nil
}

// Note writes down whose count it is and how it stands.
func (c *Counter) Note(ex *policy.Exchange, id string, l policy.Limiter, d policy.Decision) {
	if !ex.Noting() {
		return
	}
	if c.ByAddress(l) {
		ex.Note(id, "key", "the request has no "+c.key.words+" to count by: counted by client address")
	}
	if d.Estimated {
		ex.Note(id, "store", "redis cannot be reached: counted on this gateway")
	}
	ex.Note(id, "remaining", Count(d.Remaining)+" of "+Count(d.Limit))
}
