// Package quota is the policy quota: so many calls or bytes in a calendar
// period or a rolling one, for each caller. It does not know how counting is
// done.
package quota

import (
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/limit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a quota: calls or bytes, in a period or a
// window.
type Config struct {
	// Calls is how many requests (or units of cost) are allowed.
	Calls int64 `json:"calls,omitempty" schema:"min=1,max=9007199254740992"`
	// Bytes is how many bytes of bodies are allowed, instead of calls, such as
	// 10GiB. They are counted when an exchange has ended, and requests are
	// refused once the quota is reached: the last one may exceed it.
	Bytes schema.Bytes `json:"bytes,omitempty" schema:"min=1,max=9007199254740992"`
	// Direction says which bytes count: those of requests, of responses, or both.
	Direction string `json:"direction" schema:"enum=request|response|both"`
	// Period is the calendar period after which the quota is renewed. Weeks begin
	// on Monday.
	Period string `json:"period,omitempty" schema:"enum=hour|day|week|month|year"`
	// Timezone is whose calendar it is, such as Europe/Berlin.
	Timezone string `json:"timezone"`
	// Window is the length of a rolling period, instead of a calendar period: it
	// begins with the first request of each caller.
	Window schema.Duration `json:"window,omitempty" schema:"min=1s,max=8784h"`
	// Key says whose requests are counted together: credential, application,
	// subscription, ip, api (all callers together), "header:NAME" or
	// "expression:CEL". A request without one is counted by client address.
	Key string `json:"key"`
	// Cost is a CEL expression whose value, a whole number from 0, is what a
	// request takes from a quota of calls. Default 1.
	Cost string `json:"cost,omitempty"`
	// Counter is the name of a count that several quotas of a project share.
	// They must have the same size and period. Empty = a count of its own.
	Counter string `json:"counter,omitempty" schema:"pattern=^[a-z0-9-]{1,64}$"`
	limit.Sharing
	// Headers says whether responses carry RateLimit-Policy and RateLimit.
	Headers bool `json:"headers"`
	// Name is what the header fields call the quota.
	Name string `json:"name" schema:"pattern=^[A-Za-z0-9_.-]{1,64}$"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("quota", "Quota", Config{
		Direction: "both", Timezone: "UTC", Key: "application", Sharing: limit.DefaultSharing(),
		Headers: true, Name: "quota",
	}, compile, schemaDoc, limit.Docs)
	d.Doc = "Allows each caller so many calls or bytes in a calendar period or a rolling one, and answers 429 " +
		"once they are used up. Counts outlive a restart of the gateway."
	d.Example = "{calls: 10000, period: month, timezone: Europe/Berlin, key: subscription}"
	return d
}

func (c *Config) rule() (policy.Rule, error) {
	invalid := func(pointer, detail string) (policy.Rule, error) {
		return policy.Rule{}, problem.Invalid("the quota is invalid",
			problem.Field{Pointer: pointer, Code: "invalid", Detail: detail})
	}
	r := policy.Rule{Algorithm: policy.Calendar, Limit: c.Calls + int64(c.Bytes), Period: c.Period}
	switch {
	case (c.Calls == 0) == (c.Bytes == 0):
		return invalid("/calls", "give either calls or bytes")
	case (c.Period == "") == (c.Window == 0):
		return invalid("/period", "give either a period, such as month, or a window, such as 30d")
	case c.Cost != "" && c.Bytes != 0:
		return invalid("/cost", "a quota of bytes has no cost")
	case c.Window != 0:
		r.Algorithm, r.Window = policy.Rolling, time.Duration(c.Window)
	}
	loc, err := time.LoadLocation(c.Timezone)
	if err != nil || c.Timezone == "" || c.Timezone == "Local" {
		return invalid("/timezone", "give the name of a time zone, such as UTC or Europe/Berlin")
	}
	r.Location = loc
	return r, nil
}

// quota is one configured policy.
type quota struct {
	c        Config
	id       string
	slot     policy.Slot
	cost     policy.Expression // nil = 1
	counter  *limit.Counter
	fields   *limit.Fields
	sentence string
	state    sync.Pool
}

// taken is what Final says and Done counts.
type taken struct {
	limiter policy.Limiter
	key     string
	d       policy.Decision
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	q := &quota{c: c, id: env.ID, slot: env.Slot()}
	q.state.New = func() any { return new(taken) }
	rule, err := c.rule()
	if err != nil {
		return policy.Hooks{}, err
	}
	key, err := limit.NewKey(c.Key, "/key", env)
	if err != nil {
		return policy.Hooks{}, err
	}
	if c.Cost != "" {
		if q.cost, err = env.Expression(c.Cost); err != nil {
			return policy.Hooks{}, problem.Invalid("the quota is invalid",
				problem.Field{Pointer: "/cost", Code: "expression", Detail: err.Error()})
		}
	}
	name := env.ID
	if c.Counter != "" {
		name = "counter/" + env.Scope.Organization + "/" + env.Scope.Project + "/" + c.Counter
	}
	rules := []policy.Rule{rule}
	if q.counter, err = c.Open(env, name, key, rules); err != nil {
		return policy.Hooks{}, err
	}
	unit, what := limit.Requests, ""
	if c.Bytes != 0 {
		unit, what = limit.Bytes, map[string]string{
			"request": "bytes of requests", "response": "bytes of responses", "both": "bytes",
		}[c.Direction]
	}
	q.fields = limit.NewFields(c.Name, rules, unit)
	q.sentence = limit.Sentence(rules, what, key, c.Words())
	h := policy.Hooks{Inbound: q.inbound, Done: q.done, Close: q.counter.Close}
	if c.Headers {
		h.Final = q.final
	}
	return h, nil
}

func (q *quota) inbound(ex *policy.Exchange) error {
	lim, key, err := q.counter.For(ex)
	if err != nil {
		return err
	}
	d, err := q.take(ex, lim, key)
	if err != nil {
		return err
	}
	if ex.Noting() {
		ex.Note(q.id, "limit", q.sentence)
		q.counter.Note(ex, q.id, lim, d)
	}
	t := q.state.Get().(*taken) //nolint:forcetypeassert // the pool has only these
	t.limiter, t.key, t.d = lim, key, d
	if !d.Allowed {
		t.limiter = nil // what is refused is not counted
	}
	ex.Put(q.slot, t)
	if !d.Allowed {
		return limit.Refused(problem.CodeQuotaExceeded, q.sentence, d)
	}
	return nil
}

func (q *quota) take(ex *policy.Exchange, lim policy.Limiter, key string) (policy.Decision, error) {
	if q.c.Bytes != 0 {
		d, err := lim.Peek(key)
		if err == nil && d.Remaining <= 0 && !(d.Estimated && q.c.OnStoreFailure == "allow") {
			d.Allowed, d.RetryAfter = false, d.Reset
		}
		return d, err
	}
	cost := int64(1)
	if q.cost != nil {
		var err error
		if cost, err = limit.Positive(q.cost, ex, "cost", 0); err != nil {
			return policy.Decision{}, err
		}
	}
	return lim.Take(key, cost)
}

func (q *quota) final(ex *policy.Exchange) {
	if t, ok := ex.Get(q.slot).(*taken); ok {
		q.fields.Set(&ex.Response.Header, t.d)
	}
}

func (q *quota) done(ex *policy.Exchange) {
	t, ok := ex.Get(q.slot).(*taken)
	if !ok {
		return
	}
	ex.Put(q.slot, nil)
	if q.c.Bytes != 0 && t.limiter != nil {
		n := int64(0)
		if q.c.Direction != "response" {
			n += ex.Outcome.RequestBytes
		}
		if q.c.Direction != "request" {
			n += ex.Outcome.ResponseBytes
		}
		if n > 0 {
			t.limiter.Add(t.key, n)
		}
	}
	*t = taken{}
	q.state.Put(t)
}
