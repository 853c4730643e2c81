// Package spikearrest is the policy spike-arrest: it lets requests pass at an
// even pace. It does not know how counting is done.
package spikearrest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/limit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a spike arrest.
type Config struct {
	// Limit is how many requests may pass in a window, spread evenly: 600 in 1m
	// is one each 100 ms.
	Limit int64 `json:"limit" schema:"required,min=1,max=9007199254740992"`
	// Window is the time that the limit is for.
	Window schema.Duration `json:"window" schema:"required,min=1ms,max=24h"`
	// Burst is how many requests may come at the same moment.
	Burst int64 `json:"burst" schema:"min=1,max=9007199254740992"`
	// MaxDelay is how long a request that comes too early is held back. 0 = it is
	// refused at once.
	MaxDelay schema.Duration `json:"maxDelay,omitempty" schema:"min=0,max=1m"`
	// MaxWaiting is how many requests may be held back at the same time.
	MaxWaiting int64 `json:"maxWaiting" schema:"min=1,max=100000"`
	// Key says whose requests are counted together: credential, application,
	// subscription, ip, api (all callers together), "header:NAME" or
	// "expression:CEL". A request without one is counted by client address.
	Key string `json:"key"`
	limit.Sharing
	// Headers says whether responses carry RateLimit-Policy and RateLimit.
	Headers bool `json:"headers"`
	// Name is what the header fields call the limit.
	Name string `json:"name" schema:"pattern=^[A-Za-z0-9_.-]{1,64}$"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("spike-arrest", "Spike arrest", Config{
		Burst: 1, MaxWaiting: 100, Key: "api", Sharing: limit.DefaultSharing(), Headers: true, Name: "spike-arrest",
	}, compile, schemaDoc, limit.Docs)
	d.Doc = "Lets requests pass at an even pace, so that an upstream sees no peaks. Requests that come too early " +
		"are refused with 429, or held back for a while."
	d.Example = "{limit: 600, window: 1m, burst: 5, maxDelay: 500ms}"
	return d
}

// arrest is one configured policy.
type arrest struct {
	c        Config
	id       string
	slot     policy.Slot
	counter  *limit.Counter
	fields   *limit.Fields
	sentence string
	waiting  atomic.Int64
	state    sync.Pool
}

// taken is what Final says.
type taken struct{ d policy.Decision }

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	a := &arrest{c: c, id: env.ID, slot: env.Slot()}
	a.state.New = func() any { return new(taken) }
	key, err := limit.NewKey(c.Key, "/key", env)
	if err != nil {
		return policy.Hooks{}, err
	}
	rules := []policy.Rule{{
		Algorithm: policy.TokenBucket, Limit: c.Limit, Window: time.Duration(c.Window), Burst: c.Burst,
	}}
	if a.counter, err = c.Open(env, env.ID, key, rules); err != nil {
		return policy.Hooks{}, err
	}
	a.fields = limit.NewFields(c.Name, rules, limit.Requests)
	a.sentence = limit.Sentence(rules, "", key, c.Words())
	h := policy.Hooks{Inbound: a.inbound, Done: a.done, Close: a.counter.Close}
	if c.Headers {
		h.Final = a.final
	}
	return h, nil
}

func (a *arrest) inbound(ex *policy.Exchange) error {
	lim, key, err := a.counter.For(ex)
	if err != nil {
		return err
	}
	d, err := lim.Take(key, 1)
	if err != nil {
		return err
	}
	if !d.Allowed && a.c.MaxDelay > 0 {
		if d, err = a.hold(ex, lim, key, d); err != nil {
			return err
		}
	}
	if ex.Noting() {
		ex.Note(a.id, "limit", a.sentence)
		a.counter.Note(ex, a.id, lim, d)
	}
	if a.c.Headers {
		t := a.state.Get().(*taken) //nolint:forcetypeassert // the pool has only these
		t.d = d
		ex.Put(a.slot, t)
	}
	if !d.Allowed {
		return limit.Refused(problem.CodeSpikeArrested, a.sentence, d)
	}
	return nil
}

// hold waits until the request may pass. Counted here, it books its place, so
// that requests pass in the order in which they came; counted over all
// gateways, it tries again when it may.
func (a *arrest) hold(ex *policy.Exchange, lim policy.Limiter, key string, d policy.Decision) (policy.Decision, error) {
	left := time.Duration(a.c.MaxDelay)
	if d.RetryAfter <= 0 || d.RetryAfter > left {
		return d, nil
	}
	if a.waiting.Add(1) > a.c.MaxWaiting {
		a.waiting.Add(-1)
		return d, nil
	}
	defer a.waiting.Add(-1)
	begin := time.Now()
	if a.c.Mode == "local" {
		lim.Add(key, 1)
		if err := pause(ex, d.RetryAfter); err != nil {
			return d, err
		}
		d.Allowed, d.RetryAfter = true, 0
	}
	for !d.Allowed && d.RetryAfter <= left {
		err := pause(ex, d.RetryAfter)
		if err != nil {
			return d, err
		}
		if d, err = lim.Take(key, 1); err != nil {
			return d, err
		}
		left = time.Duration(a.c.MaxDelay) - time.Since(begin)
	}
	if ex.Noting() {
		ex.Note(a.id, "held", time.Since(begin).Round(time.Millisecond).String())
	}
	return d, nil
}

// pause waits, unless the client leaves.
func pause(ex *policy.Exchange, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ex.Context().Done():
		return problem.New(problem.CodeClientClosed, "the client left while the request was held back").
			Because(ex.Context().Err())
	}
}

func (a *arrest) final(ex *policy.Exchange) {
	if t, ok := ex.Get(a.slot).(*taken); ok {
		a.fields.Set(&ex.Response.Header, t.d)
	}
}

func (a *arrest) done(ex *policy.Exchange) {
	if t, ok := ex.Get(a.slot).(*taken); ok {
		ex.Put(a.slot, nil)
		a.state.Put(t)
	}
}
