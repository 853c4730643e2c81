// Package ratelimit is the policy rate-limit: so many requests in a window of
// time, for each caller. It does not know how counting is done.
package ratelimit

import (
	"strconv"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/limit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a rate limit: either limit and window, or
// rules.
type Config struct {
	// Limit is how many requests (or units of cost) are allowed in a window.
	Limit int64 `json:"limit,omitempty" schema:"min=1,max=9007199254740992"`
	// LimitExpression is a CEL expression whose value is the limit of the
	// request, instead of limit. It should depend on who calls, such as on an
	// attribute of the application, and not on what a caller may choose: each
	// value has counts of its own, and there can be 100 different ones.
	LimitExpression string `json:"limitExpression,omitempty"`
	// Window is the length of the window.
	Window schema.Duration `json:"window,omitempty" schema:"min=1ms,max=8784h"`
	// Algorithm says how is counted. "fixed-window" counts in windows aligned to
	// the clock: cheapest and easiest to follow; twice the limit may pass around
	// the turn of a window. "sliding-window" weighs the window before by how
	// much of it still counts. "token-bucket" refills evenly and allows bursts.
	Algorithm string `json:"algorithm" schema:"enum=fixed-window|sliding-window|token-bucket"`
	// Burst is how many requests may come at once with token-bucket. 0 = as many
	// as the limit.
	Burst int64 `json:"burst,omitempty" schema:"min=0,max=9007199254740992"`
	// Rules are several limits that hold all at once, instead of limit and
	// window. A request that one of them refuses takes from none.
	Rules []Rule `json:"rules,omitempty" schema:"maxItems=8"`
	// Key says whose requests are counted together: credential, application,
	// subscription, ip, api (all callers together), "header:NAME" or
	// "expression:CEL". A request without one, because nobody is authenticated or
	// the header is absent, is counted by client address, apart from the others.
	// IPv6 addresses are counted by /64.
	Key string `json:"key"`
	// Cost is a CEL expression whose value, a whole number from 0, is what a
	// request takes from the limit. Default 1.
	Cost string `json:"cost,omitempty"`
	limit.Sharing
	// Headers says whether responses carry RateLimit-Policy and RateLimit.
	Headers bool `json:"headers"`
	// Name is what the header fields call the limit.
	Name string `json:"name" schema:"pattern=^[A-Za-z0-9_.-]{1,64}$"`
}

// Rule is one of several limits.
type Rule struct {
	// Limit is how many requests (or units of cost) are allowed in a window.
	Limit int64 `json:"limit" schema:"required,min=1,max=9007199254740992"`
	// Window is the length of the window.
	Window schema.Duration `json:"window" schema:"required,min=1ms,max=8784h"`
	// Algorithm says how is counted; empty = as the policy's.
	Algorithm string `json:"algorithm,omitempty" schema:"enum=fixed-window|sliding-window|token-bucket"`
	// Burst is how many requests may come at once with token-bucket. 0 = as many
	// as the limit.
	Burst int64 `json:"burst,omitempty" schema:"min=0,max=9007199254740992"`
}

// maxLimits bounds the different values of a limit expression.
const maxLimits = 100

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("rate-limit", "Rate limit", Config{
		Algorithm: string(policy.FixedWindow), Key: "credential", Sharing: limit.DefaultSharing(),
		Headers: true, Name: "rate-limit",
	}, compile, schemaDoc, limit.Docs)
	d.Doc = "Allows each caller so many requests in a window of time, and answers 429 to the rest. " +
		"Counts on each gateway, or over all of them through Redis."
	d.Example = "{limit: 100, window: 1s, key: application}"
	return d
}

func (c *Config) rules() ([]policy.Rule, error) {
	invalid := func(pointer, detail string) error {
		return problem.Invalid("the rate limit is invalid", problem.Field{Pointer: pointer, Code: "invalid", Detail: detail})
	}
	list := c.Rules
	switch {
	case len(list) > 0 && (c.Limit != 0 || c.Window != 0 || c.LimitExpression != "" || c.Burst != 0):
		return nil, invalid("/rules", "give either rules, or limit and window")
	case len(list) == 0 && (c.Limit == 0) == (c.LimitExpression == ""):
		return nil, invalid("/limit", "give limit, limitExpression or rules")
	case len(list) == 0 && c.Window == 0:
		return nil, invalid("/window", "give the window that the limit is for, such as 1m")
	case len(list) == 0:
		list = []Rule{{Limit: max(1, c.Limit), Window: c.Window, Burst: c.Burst}}
	}
	rules := make([]policy.Rule, len(list))
	for i, r := range list {
		a := policy.Algorithm(r.Algorithm)
		if a == "" {
			a = policy.Algorithm(c.Algorithm)
		}
		if r.Burst != 0 && a != policy.TokenBucket {
			return nil, invalid("/burst", "only the algorithm token-bucket has a burst")
		}
		rules[i] = policy.Rule{Algorithm: a, Limit: r.Limit, Window: time.Duration(r.Window), Burst: r.Burst}
	}
	return rules, nil
}

// limiter is one configured policy.
type limiter struct {
	c     Config
	env   policy.Env
	key   *limit.Key
	rules []policy.Rule
	slot  policy.Slot
	limit policy.Expression // nil = fixed
	cost  policy.Expression // nil = 1
	fixed *counted
	state sync.Pool

	mu      sync.RWMutex
	byLimit map[int64]*counted
}

// counted is what there is of each limit.
type counted struct {
	*limit.Counter
	fields   *limit.Fields
	sentence string
}

// taken is what Final says.
type taken struct {
	by *counted
	d  policy.Decision
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	l := &limiter{c: c, env: env, slot: env.Slot(), byLimit: map[int64]*counted{}}
	l.state.New = func() any { return new(taken) }
	var err error
	if l.rules, err = c.rules(); err != nil {
		return policy.Hooks{}, err
	}
	if l.key, err = limit.NewKey(c.Key, "/key", env); err != nil {
		return policy.Hooks{}, err
	}
	for _, e := range []struct {
		text, pointer string
		into          *policy.Expression
	}{{c.Cost, "/cost", &l.cost}, {c.LimitExpression, "/limitExpression", &l.limit}} {
		if e.text == "" {
			continue
		}
		if *e.into, err = env.Expression(e.text); err != nil {
			return policy.Hooks{}, problem.Invalid("the rate limit is invalid",
				problem.Field{Pointer: e.pointer, Code: "expression", Detail: err.Error()})
		}
	}
	// Also with a limit by expression, so that what cannot be served is known now.
	if l.fixed, err = l.open(l.rules, ""); err != nil {
		return policy.Hooks{}, err
	}
	h := policy.Hooks{Inbound: l.inbound, Done: l.done, Close: l.close}
	if c.Headers {
		h.Final = l.final
	}
	return h, nil
}

func (l *limiter) open(rules []policy.Rule, name string) (*counted, error) {
	n, err := l.c.Open(l.env, l.env.ID+name, l.key, rules)
	if err != nil {
		return nil, err
	}
	return &counted{
		Counter: n, fields: limit.NewFields(l.c.Name, rules, limit.Requests),
		sentence: limit.Sentence(rules, "", l.key, l.c.Words()),
	}, nil
}

// by returns what counts a request.
func (l *limiter) by(ex *policy.Exchange) (*counted, error) {
	if l.limit == nil {
		return l.fixed, nil
	}
	n, err := limit.Positive(l.limit, ex, "rate limit", 1)
	if err != nil {
		return nil, err
	}
	l.mu.RLock()
	c := l.byLimit[n]
	l.mu.RUnlock()
	if c != nil {
		return c, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c = l.byLimit[n]; c != nil {
		return c, nil
	}
	if len(l.byLimit) >= maxLimits {
		return nil, problem.New(problem.CodePolicyFailed, "the rate limit has too many different values")
	}
	r := l.rules[0]
	r.Limit = n
	if c, err = l.open([]policy.Rule{r}, "/limit/"+strconv.FormatInt(n, 10)); err == nil {
		l.byLimit[n] = c
	}
	return c, err
}

func (l *limiter) inbound(ex *policy.Exchange) error {
	by, err := l.by(ex)
	if err != nil {
		return err
	}
	cost := int64(1)
	if l.cost != nil {
		if cost, err = limit.Positive(l.cost, ex, "cost", 0); err != nil {
			return err
		}
	}
	lim, key, err := by.For(ex)
	if err != nil {
		return err
	}
	d, err := lim.Take(key, cost)
	if err != nil {
		return err
	}
	if ex.Noting() {
		ex.Note(l.env.ID, "limit", by.sentence)
		by.Note(ex, l.env.ID, lim, d)
	}
	if l.c.Headers {
		t := l.state.Get().(*taken) //nolint:forcetypeassert // the pool has only these
		t.by, t.d = by, d
		ex.Put(l.slot, t)
	}
	if !d.Allowed {
		return limit.Refused(problem.CodeRateLimited, by.sentence, d)
	}
	return nil
}

func (l *limiter) final(ex *policy.Exchange) {
	if t, ok := ex.Get(l.slot).(*taken); ok {
		t.by.fields.Set(&ex.Response.Header, t.d)
	}
}

func (l *limiter) done(ex *policy.Exchange) {
	if t, ok := ex.Get(l.slot).(*taken); ok {
		ex.Put(l.slot, nil)
		l.state.Put(t)
	}
}

func (l *limiter) close() {
	l.fixed.Close()
	for _, c := range l.byLimit {
		c.Close()
	}
}
