// Package concurrencylimit is the policy concurrency-limit: so many requests of
// a caller at the same time. It does not know how counting is done.
package concurrencylimit

import (
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/limit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a concurrency limit. It counts on each
// gateway by itself.
type Config struct {
	// Limit is how many requests may be under way at the same time, from their
	// start to the last byte of the answer.
	Limit int64 `json:"limit" schema:"required,min=1,max=1000000"`
	// MaxDelay is how long a request waits for another to end. 0 = it is refused
	// at once.
	MaxDelay schema.Duration `json:"maxDelay,omitempty" schema:"min=0,max=1m"`
	// MaxWaiting is how many requests may wait at the same time.
	MaxWaiting int `json:"maxWaiting" schema:"min=1,max=100000"`
	// Key says whose requests are counted together: credential, application,
	// subscription, ip, api (all callers together), "header:NAME" or
	// "expression:CEL". A request without one is counted by client address.
	Key string `json:"key"`
	// RetryAfter is what refused clients are told to wait.
	RetryAfter schema.Duration `json:"retryAfter" schema:"min=1s,max=1h"`
	// Headers says whether responses carry RateLimit-Policy and RateLimit.
	Headers bool `json:"headers"`
	// Name is what the header fields call the limit.
	Name string `json:"name" schema:"pattern=^[A-Za-z0-9_.-]{1,64}$"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("concurrency-limit", "Concurrency limit", Config{
		MaxWaiting: 100, Key: "api", RetryAfter: schema.Duration(time.Second), Headers: true, Name: "concurrency-limit",
	}, compile, schemaDoc)
	d.Doc = "Allows so many requests at the same time, on each gateway, and answers 429 to the rest or lets them wait " +
		"for a while. Protects upstreams that get slow under load."
	d.Example = "{limit: 50, maxDelay: 200ms}"
	return d
}

// concurrency is one configured policy.
type concurrency struct {
	c        Config
	id       string
	slot     policy.Slot
	counter  *limit.Counter
	fields   *limit.Fields
	sentence string
	queue    queue
	state    sync.Pool
}

// held is what Done gives back.
type held struct {
	limiter policy.Limiter // nil = nothing was taken
	key     string
	d       policy.Decision
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &concurrency{c: c, id: env.ID, slot: env.Slot()}
	p.state.New = func() any { return new(held) }
	p.queue.bound = c.MaxWaiting
	key, err := limit.NewKey(c.Key, "/key", env)
	if err != nil {
		return policy.Hooks{}, err
	}
	here := limit.DefaultSharing()
	rules := []policy.Rule{{Algorithm: policy.Concurrent, Limit: c.Limit}}
	if p.counter, err = here.Open(env, env.ID, key, rules); err != nil {
		return policy.Hooks{}, err
	}
	p.fields = limit.NewFields(c.Name, rules, limit.Concurrent)
	p.sentence = limit.Sentence(rules, "", key, here.Words())
	h := policy.Hooks{Inbound: p.inbound, Done: p.done, Close: p.counter.Close}
	if c.Headers {
		h.Final = p.final
	}
	return h, nil
}

func (p *concurrency) inbound(ex *policy.Exchange) error {
	lim, key, err := p.counter.For(ex)
	if err != nil {
		return err
	}
	d, err := lim.Take(key, 1)
	if err == nil && !d.Allowed && p.c.MaxDelay > 0 {
		d, err = p.wait(ex, lim, key, d)
	}
	if err != nil {
		return err
	}
	h := p.state.Get().(*held) //nolint:forcetypeassert // the pool has only these
	h.d = d
	if d.Allowed {
		h.limiter, h.key = lim, key
	}
	ex.Put(p.slot, h)
	if ex.Noting() {
		ex.Note(p.id, "limit", p.sentence)
		p.counter.Note(ex, p.id, lim, d)
	}
	if !d.Allowed {
		return problem.New(problem.CodeConcurrencyLimited, "the limit is %s", p.sentence).
			WithRetryAfter(time.Duration(p.c.RetryAfter))
	}
	return nil
}

// wait tries again whenever a request of the key has ended, in the order in
// which requests came, until the delay is over.
func (p *concurrency) wait(
	ex *policy.Exchange, lim policy.Limiter, key string, d policy.Decision,
) (policy.Decision, error) {
	w := p.queue.join(place{lim, key})
	if w == nil {
		return d, nil
	}
	defer p.queue.leave(w)
	timer := time.NewTimer(time.Duration(p.c.MaxDelay))
	defer timer.Stop()
	begin := time.Now()
	for {
		// Before the first sleep too: one may have ended before w had joined.
		d, err := lim.Take(key, 1)
		if err != nil || d.Allowed {
			if ex.Noting() {
				ex.Note(p.id, "waited", time.Since(begin).Round(time.Millisecond).String())
			}
			return d, err
		}
		select {
		case <-w.turn:
		case <-timer.C:
			return d, nil
		case <-ex.Context().Done():
			return d, problem.New(problem.CodeClientClosed, "the client left while the request waited").
				Because(ex.Context().Err())
		}
	}
}

func (p *concurrency) final(ex *policy.Exchange) {
	if h, ok := ex.Get(p.slot).(*held); ok {
		p.fields.Set(&ex.Response.Header, h.d)
	}
}

// done gives back what was taken. The slot is emptied first, so that it is
// given back once only.
func (p *concurrency) done(ex *policy.Exchange) {
	h, ok := ex.Get(p.slot).(*held)
	if !ok {
		return
	}
	ex.Put(p.slot, nil)
	if h.limiter != nil {
		h.limiter.Give(h.key, 1)
		p.queue.next(place{h.limiter, h.key})
	}
	*h = held{}
	p.state.Put(h)
}
