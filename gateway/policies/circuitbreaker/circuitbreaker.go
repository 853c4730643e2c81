// Package circuitbreaker is the policy circuit-breaker: it gives an upstream
// that fails a rest, and answers in its place meanwhile. It judges by what the
// upstream did, never by what clients did.
package circuitbreaker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of a circuit breaker. It is closed while all is
// well, opens when one of failureRate, slowRate and consecutiveFailures is
// reached, and after a while lets a few probes through, which decide whether it
// closes or stays open for longer.
type Config struct {
	// Per says what is judged together: all requests of this policy, or those to
	// each upstream of the API apart. A traffic-split must come before the breaker
	// for its upstreams to be told apart.
	Per string `json:"per" schema:"enum=policy|upstream"`
	// Window is the time over which rates are taken.
	Window schema.Duration `json:"window" schema:"min=1s,max=1h"`
	// WindowCalls, when set, takes rates over that many of the latest calls instead
	// of over a time.
	WindowCalls int `json:"windowCalls,omitempty" schema:"min=1,max=100000"`
	// MinimumCalls is how many calls a window must have for its rates to count.
	MinimumCalls int `json:"minimumCalls" schema:"min=1,max=1000000"`
	// FailureRate is the share of failed calls, in percent, that opens the
	// breaker; 0 = never.
	FailureRate float64 `json:"failureRate" schema:"min=0,max=100"`
	// SlowCall is how long the upstream may take to begin its response before the
	// call counts as slow; 0 = none is slow.
	SlowCall schema.Duration `json:"slowCall,omitempty" schema:"min=0,max=10m"`
	// SlowRate is the share of slow calls, in percent, that opens the breaker.
	SlowRate float64 `json:"slowRate" schema:"min=0,max=100"`
	// ConsecutiveFailures is how many failures in a row open the breaker, however
	// few calls there were; 0 = any number.
	ConsecutiveFailures int `json:"consecutiveFailures,omitempty" schema:"min=0,max=1000000"`
	// Statuses are the statuses of the upstream that count as failures, besides
	// timeouts and failures of transport, which always do. What clients do wrong
	// never does.
	Statuses []int `json:"statuses" schema:"min=500,max=599,unique,maxItems=64"`
	// Open is how long the breaker stays open.
	Open schema.Duration `json:"open" schema:"min=10ms,max=1h"`
	// Growth is by what the open time is multiplied each time that probes fail.
	Growth float64 `json:"growth" schema:"min=1,max=10"`
	// MaxOpen is the longest open time.
	MaxOpen schema.Duration `json:"maxOpen" schema:"min=10ms,max=24h"`
	// Probes is how many requests are let through to see whether the upstream has
	// recovered. If all of them succeed the breaker closes; one that fails opens
	// it again.
	Probes int `json:"probes" schema:"min=1,max=1000"`
	// FallbackUpstream is the name of the upstream that serves while the breaker is
	// open; empty = none does.
	FallbackUpstream string `json:"fallbackUpstream,omitempty"`
	// Fallback is the response while the breaker is open, instead of a problem
	// document of status 503.
	Fallback *Response `json:"fallback,omitempty"`
}

// Response is a fixed response.
type Response struct {
	// Status is the status.
	Status int `json:"status" schema:"min=200,max=599"`
	// ContentType is the media type of the body.
	ContentType string `json:"contentType" schema:"maxLength=256"`
	// Body is the content.
	Body string `json:"body,omitempty" schema:"maxLength=1048576"`
}

// SetDefaults answers 503 with JSON.
func (r *Response) SetDefaults() { *r = Response{Status: 503, ContentType: "application/json"} }

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("circuit-breaker", "Circuit breaker", Config{
		Per: "upstream", Window: schema.Duration(10 * time.Second), MinimumCalls: 20, FailureRate: 50, SlowRate: 100,
		Statuses: []int{500, 502, 503, 504}, Open: schema.Duration(10 * time.Second), Growth: 2,
		MaxOpen: schema.Duration(2 * time.Minute), Probes: 3,
	}, compile, schemaDoc)
	d.Doc = "Gives an upstream that fails or is slow a rest: while the breaker is open, requests are answered 503 at once " +
		"with Retry-After, by a fixed response, or by another upstream. A few probes find out when it has recovered."
	d.Example = "{failureRate: 50, minimumCalls: 20, window: 10s, slowCall: 2s, slowRate: 80, open: 10s, probes: 3}"
	return d
}

// guard is one configured policy.
type guard struct {
	c        Config
	env      policy.Env
	breakers []*breaker
	byName   map[string]*breaker // nil = one for all
	slot     policy.Slot
	state    sync.Pool
}

// call is a call whose outcome is awaited.
type call struct {
	phase *phase // nil once it is known
	of    *breaker
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	if err := check(&c, env.Upstreams); err != nil {
		return policy.Hooks{}, err
	}
	g := &guard{c: c, env: env, slot: env.Slot()}
	g.state.New = func() any { return new(call) }
	names := []string{""}
	if c.Per == "upstream" && len(env.Upstreams) > 1 {
		names = env.Upstreams
		g.byName = make(map[string]*breaker, len(names)+1)
	}
	for i, name := range names {
		b := newBreaker(rulesOf(&c), rand.Float64)
		b.changed = func(to state, why string) {
			env.Log.Warn("circuit breaker changed", "upstream", name, "state", to.String(), "reason", why)
		}
		g.breakers = append(g.breakers, b)
		if g.byName != nil {
			g.byName[name] = b
			if i == 0 {
				g.byName[""] = b // the default
			}
		}
	}
	return policy.Hooks{Inbound: g.inbound, Outbound: g.outbound, OnError: g.onError, Done: g.done}, nil
}

func check(c *Config, upstreams []string) error {
	switch {
	case c.FailureRate == 0 && c.ConsecutiveFailures == 0 && (c.SlowCall == 0 || c.SlowRate == 0):
		return policy.Invalid("/failureRate", "nothing would ever open the breaker; set failureRate, consecutiveFailures, or slowCall and slowRate")
	case c.WindowCalls > 0 && c.MinimumCalls > c.WindowCalls:
		return policy.Invalid("/minimumCalls", "%d calls are never reached in a window of %d; make it at most that", c.MinimumCalls, c.WindowCalls)
	case c.MaxOpen < c.Open:
		return policy.Invalid("/maxOpen", "%s is less than open, %s; make it at least as long", time.Duration(c.MaxOpen), time.Duration(c.Open))
	case c.FallbackUpstream != "" && c.Fallback != nil:
		return policy.Invalid("/fallback", "either another upstream or a response stands in; leave one of them out")
	case c.FallbackUpstream != "" && !slices.Contains(upstreams, c.FallbackUpstream):
		return policy.Invalid("/fallbackUpstream", "the API has no upstream %q; add it to the API's upstreams or use one of: %s",
			c.FallbackUpstream, strings.Join(upstreams, ", "))
	case c.Fallback != nil && !policy.ValidValue(c.Fallback.ContentType):
		return policy.Invalid("/fallback/contentType", "it must be one line of printable text, such as application/json")
	}
	return nil
}

func rulesOf(c *Config) rules {
	return rules{
		window: time.Duration(c.Window), windowCalls: c.WindowCalls, minimum: c.MinimumCalls,
		failureRate: c.FailureRate / 100, slowRate: c.SlowRate / 100, slowCall: time.Duration(c.SlowCall),
		consecutive: int64(c.ConsecutiveFailures), open: time.Duration(c.Open), maxOpen: time.Duration(c.MaxOpen),
		growth: c.Growth, probes: int64(c.Probes),
	}
}

func (g *guard) inbound(ex *policy.Exchange) error {
	b := g.breakers[0]
	if g.byName != nil {
		if named, ok := g.byName[ex.Forward.Upstream]; ok {
			b = named
		}
	}
	p, wait := b.enter(g.env.Now())
	if p == nil {
		return g.refuse(ex, wait)
	}
	if ex.Noting() {
		ex.Note(g.env.ID, "state", p.state.String())
	}
	c := g.state.Get().(*call) //nolint:forcetypeassert // the pool has only these
	c.phase, c.of = p, b
	ex.Put(g.slot, c)
	return nil
}

// refuse stands in for the upstream while the breaker is open.
func (g *guard) refuse(ex *policy.Exchange, wait time.Duration) error {
	if ex.Noting() {
		ex.Note(g.env.ID, "state", "open for another "+wait.Round(time.Millisecond).String())
	}
	switch {
	case g.c.FallbackUpstream != "" && ex.Forward.Upstream != g.c.FallbackUpstream:
		ex.Forward.Upstream = g.c.FallbackUpstream
		ex.Note(g.env.ID, "fallback", g.c.FallbackUpstream)
		return nil
	case g.c.Fallback != nil:
		f := g.c.Fallback
		ex.Respond(f.Status, f.ContentType, []byte(f.Body))
		if f.Status == 503 {
			ex.Response.Header.Set("Retry-After", problem.New(problem.CodeCircuitOpen, "").WithRetryAfter(wait).RetryAfterSeconds())
		}
		ex.Response.Header.Set("Cache-Control", "no-store")
		return nil
	}
	return problem.New(problem.CodeCircuitOpen, "the upstream has failed too often and is given a rest").
		WithRetryAfter(wait)
}

// outbound learns from a response.
func (g *guard) outbound(ex *policy.Exchange) error {
	c, ok := ex.Get(g.slot).(*call)
	if !ok || c.phase == nil {
		return nil
	}
	if ex.Response.Source != policy.SourceUpstream {
		g.settle(c, neutral) // a policy answered
		return nil
	}
	r := success
	if slices.Contains(g.c.Statuses, ex.Response.Status) {
		r = failure
	}
	if slow := c.of.rules.slowCall; slow > 0 && ex.Outcome.UpstreamTime >= slow {
		r |= slowCall
	}
	g.settle(c, r)
	return nil
}

// onError learns from an error and leaves it as it is.
func (g *guard) onError(ex *policy.Exchange, err error) error {
	if c, ok := ex.Get(g.slot).(*call); ok && c.phase != nil {
		r := neutral
		if upstreamFault(err) {
			r = failure
			if slow := c.of.rules.slowCall; slow > 0 && ex.Outcome.UpstreamTime >= slow {
				r |= slowCall
			}
		}
		g.settle(c, r)
	}
	return err
}

// upstreamFault reports whether the upstream is to blame: not the client, not
// another policy, and not the gateway.
func upstreamFault(err error) bool {
	return problem.Is(err, problem.CodeUpstreamUnavailable) || problem.Is(err, problem.CodeUpstreamInvalid) ||
		problem.Is(err, problem.CodeUpstreamTimeout)
}

func (g *guard) settle(c *call, r result) {
	c.of.leave(c.phase, r, g.env.Now())
	c.phase = nil
}

func (g *guard) done(ex *policy.Exchange) {
	c, ok := ex.Get(g.slot).(*call)
	if !ok {
		return
	}
	if c.phase != nil { // neither a response nor an error of the upstream's
		g.settle(c, neutral)
	}
	ex.Put(g.slot, nil)
	c.of = nil
	g.state.Put(c)
}
