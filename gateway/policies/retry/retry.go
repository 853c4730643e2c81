// Package retry is the policy retry: it says which failed requests are sent
// again, and keeps bodies so that they can be. The upstream's client does the
// sending, within the upstream's retry budget.
package retry

import (
	"errors"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of retries.
type Config struct {
	// Attempts is how often a request is sent again at most; 0 = never. A request
	// is never sent again once a byte of the response was passed on.
	Attempts int `json:"attempts" schema:"min=0,max=10"`
	// On lists the failures of transport that are tried again. Connect: no
	// connection could be opened. Reset: the connection broke before the
	// response. Timeout: the response header did not come in time.
	On []string `json:"on" schema:"enum=connect|reset|timeout,unique"`
	// Statuses are the response statuses that are tried again.
	Statuses []int `json:"statuses" schema:"min=400,max=599,unique,maxItems=64"`
	// NonIdempotent allows methods such as POST to be sent again after a reset, a
	// timeout or a status, although the upstream may have acted on the first
	// attempt. Failures to connect are tried again for every method anyway.
	NonIdempotent bool `json:"nonIdempotent,omitempty"`
	// PerTry bounds the time until the response header of one attempt; 0 = the
	// upstream's own timeouts.
	PerTry schema.Duration `json:"perTry,omitempty" schema:"min=0,max=1h"`
	// Backoff is the pause before the first further attempt. It doubles each time
	// and is drawn at random between zero and that.
	Backoff schema.Duration `json:"backoff" schema:"min=0,max=1m"`
	// MaxBackoff is the longest pause.
	MaxBackoff schema.Duration `json:"maxBackoff" schema:"min=0,max=5m"`
	// BufferRequest is the largest request body kept in memory so that it can be
	// sent again; 0 = bodies stream and requests with one are not sent again,
	// unless they are in memory already. A larger body streams.
	BufferRequest schema.Bytes `json:"bufferRequest,omitempty" schema:"min=0,max=64MiB"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("retry", "Retry", Config{
		Attempts: 2, On: []string{"connect", "reset"}, Statuses: []int{502, 503, 504},
		Backoff: schema.Duration(25 * time.Millisecond), MaxBackoff: schema.Duration(time.Second),
	}, compile, schemaDoc)
	d.Doc = "Sends requests that failed again, instead of what the upstream's configuration says: only where that is safe, " +
		"within the upstream's retry budget, and never once a byte of the response was passed on."
	d.Example = "{attempts: 2, on: [connect, reset, timeout], statuses: [502, 503], perTry: 2s, bufferRequest: 64KiB}"
	return d
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	if c.MaxBackoff < c.Backoff {
		return policy.Hooks{}, policy.Invalid("/maxBackoff", "%s is less than the backoff of %s; make it at least as long",
			time.Duration(c.MaxBackoff), time.Duration(c.Backoff))
	}
	if c.Attempts > 0 && len(c.On) == 0 && len(c.Statuses) == 0 {
		return policy.Hooks{}, policy.Invalid("/on", "nothing would be tried again; name a failure here or in statuses, or set attempts to 0")
	}
	// The upstream's client only reads it, so one value serves all requests.
	rule := &policy.Retry{
		Attempts: c.Attempts, Statuses: c.Statuses,
		ConnectErrors: slices.Contains(c.On, "connect"),
		ResetErrors:   slices.Contains(c.On, "reset"),
		Timeouts:      slices.Contains(c.On, "timeout"),
		NonIdempotent: c.NonIdempotent,
		PerTry:        time.Duration(c.PerTry),
		Backoff:       time.Duration(c.Backoff), MaxBackoff: time.Duration(c.MaxBackoff),
	}
	limit := int64(c.BufferRequest)
	return policy.Hooks{Inbound: func(ex *policy.Exchange) error {
		ex.Forward.Retry = rule
		if limit == 0 || rule.Attempts == 0 || ex.Request.Body.Buffered() || ex.Request.Upgrade != "" || ex.Request.GRPC {
			return nil
		}
		return keep(ex, env.ID, limit)
	}}, nil
}

// keep reads the body into memory. One that is too large goes on as a stream:
// then the request is sent once.
func keep(ex *policy.Exchange, id string, limit int64) error {
	_, err := ex.Request.Body.Buffer(limit)
	var p *problem.Problem
	switch {
	case err == nil:
		return nil
	case errors.Is(err, policy.ErrBodyTooLarge):
		ex.Note(id, "body", "larger than bufferRequest: it streams and will not be sent again")
		return nil
	case errors.As(err, &p):
		return p
	}
	return problem.New(problem.CodeBadRequest, "the request body could not be read").Because(err)
}
