// Package engine serves requests: it makes one canonical request of what a
// transport read, finds the route, runs the policies, calls the upstream, and
// answers. It is the only place where these meet; it knows neither HTTP/1 nor
// HTTP/2, nor where configurations come from.
package engine

import (
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/internal/router"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/gateway/internal/traffic"
	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Options are what an engine is made of.
type Options struct {
	Live *table.Live
	Log  *slog.Logger
	// TrustedProxies are the peers whose X-Forwarded-* and X-Request-Id are
	// believed.
	TrustedProxies []netip.Prefix
	// IdentityHeaders are further header fields that clients cannot send.
	IdentityHeaders []string
	// Observer is told of every exchange; nil = nobody.
	Observer Observer
	// NewID makes the id of a request that began at that time.
	NewID func(began time.Time) string
	// Name is the gateway's own, in Via.
	Name string
}

// Observer writes down what happened.
type Observer interface {
	// Begin is called when the route is known, or found not to be there, with
	// what its requests are counted with. It may ask for notes.
	Begin(ex *policy.Exchange, m any)
	// End is called when the exchange is over.
	End(ex *policy.Exchange, o Observation)
}

// Observation is what the engine knows of an exchange besides the exchange
// itself.
type Observation struct {
	Verdicts []chain.Verdict
	Plan     *chain.Plan
	// By is the policy that refused or answered.
	By *chain.Step
	// Match is how the route was found.
	Match *router.Match
	// Metrics is what the route's requests are counted with, nil for none.
	Metrics any
	// Tap has the bodies that are to be recorded.
	Tap *traffic.Tap
}

// Engine is a [transport.Handler].
type Engine struct {
	o       Options
	managed *managed
	proxies proxies
	via     string
	pool    sync.Pool
	hint    atomic.Uint32
	forward chain.Forward
}

var _ transport.Handler = (*Engine)(nil)

// call is an exchange with all that the engine needs for it, in one piece of
// pooled memory.
type call struct {
	policy.Exchange
	state   chain.State
	match   router.Match
	request router.Request
	table   *table.Table
	op      *table.Operation
	tap     traffic.Tap
	hint    int
	begun   bool

	peer     netip.Addr // of peerText
	peerText string
}

// New returns an engine.
func New(o Options) *Engine {
	e := &Engine{o: o, managed: newManaged(o.IdentityHeaders), proxies: o.TrustedProxies, via: "1.1 " + o.Name}
	e.forward = e.callUpstream
	e.pool.New = func() any {
		c := &call{hint: int(e.hint.Add(1))}
		c.SetEngine(c)
		return c
	}
	return e
}

// Acquire returns an empty exchange.
func (e *Engine) Acquire() *policy.Exchange {
	c, _ := e.pool.Get().(*call)
	return &c.Exchange
}

// Serve works on a request until there is a response.
func (e *Engine) Serve(ex *policy.Exchange) {
	c, _ := ex.Engine().(*call)
	if err := e.prepare(c); err != nil {
		e.refuse(c, err)
		return
	}
	if c.table = e.o.Live.Enter(c.hint); c.table == nil {
		e.refuse(c, problem.New(problem.CodeNotReady, "the gateway has no configuration yet").WithRetryAfter(time.Second))
		return
	}
	c.op = c.table.Match(&c.request, &c.match)
	ch, forward := e.route(c)
	e.begin(c)
	c.state.Run(ex, ch, forward)
	e.finish(c)
}

// Refuse answers a request that a transport could not accept.
func (e *Engine) Refuse(ex *policy.Exchange, p *problem.Problem) {
	c, _ := ex.Engine().(*call)
	if ex.ID == "" {
		ex.ID = e.o.NewID(ex.Start)
	}
	e.refuse(c, p)
}

func (e *Engine) refuse(c *call, err error) {
	c.state.Reset()
	e.begin(c)
	chain.Answer(&c.Exchange, err)
	e.finish(c)
}

func (e *Engine) begin(c *call) {
	c.begun = true
	if e.o.Observer == nil {
		return
	}
	var m any
	if c.op != nil {
		m = c.op.Counters()
	}
	e.o.Observer.Begin(&c.Exchange, m)
}

// finish gives the answer what every answer has.
func (e *Engine) finish(c *call) {
	c.Response.Header.Set(HeaderRequestID, c.ID)
	if c.Log.ResponseBody > 0 {
		c.tap.Response(&c.Exchange)
	}
}

// prepare makes the one canonical request of what was received.
func (e *Engine) prepare(c *call) error {
	r := &c.Request
	c.state.Reset()
	peer := r.Peer.Addr().Unmap()
	trusted := len(e.proxies) > 0 && e.proxies.trusts(peer)
	if via := r.Header.Get("Via"); via != "" && e.loops(&r.Header) {
		c.ID = e.o.NewID(c.Start)
		return problem.New(problem.CodeLoopDetected, "the request has passed this gateway %d times", maxLoops)
	}
	f := e.managed.cleanRequest(&r.Header, trusted)
	e.identify(c, f)
	r.Client = peer
	if trusted {
		r.Client = e.proxies.client(peer, f.chain)
		if f.proto == "http" || f.proto == "https" {
			r.Scheme = f.proto
		}
	}
	authority := r.Authority
	if f.host != "" {
		authority = f.host
	}
	if authority != "" { // HTTP/1.0 may have none
		host, err := canon.Host(authority)
		if err != nil {
			return problem.New(problem.CodeBadRequest, "%w", err)
		}
		r.Host = host
	}
	path, flags, err := canon.Path(r.RawPath)
	if err != nil {
		return problem.New(problem.CodeBadPath, "%w", err)
	}
	if err := canon.Query(r.Query); err != nil {
		return problem.New(problem.CodeBadRequest, "%w", err)
	}
	r.Path = path
	c.request = router.Request{Host: r.Host, Path: path, Flags: flags, Method: r.Method, RawQuery: r.Query, Header: &r.Header}
	c.SetParams(&c.match)
	e.address(c, f, trusted)
	return nil
}

// maxLoops is how often a request may pass the same gateway: an API may call
// another one through it.
const maxLoops = 8

func (e *Engine) loops(h *policy.Header) bool {
	n := 0
	for v := range h.Values("Via") {
		n += strings.Count(v, e.via)
	}
	return n >= maxLoops
}

// identify gives the request its id: a trusted proxy's, else a new one.
func (e *Engine) identify(c *call, f forwarding) {
	if f.requestID != "" && len(f.requestID) <= 128 && policy.ValidName(f.requestID) {
		c.ID = f.requestID
		return
	}
	c.ID = e.o.NewID(c.Start)
}

// address writes the forwarding fields that upstreams see.
func (e *Engine) address(c *call, f forwarding, trusted bool) {
	r := &c.Request
	peer := r.Peer.Addr().Unmap()
	if c.peer != peer || c.peerText == "" {
		c.peer, c.peerText = peer, peer.String()
	}
	chain := c.peerText
	if trusted && f.chain != "" {
		chain = f.chain + ", " + chain
	}
	r.Header.Add("X-Forwarded-For", chain)
	r.Header.Add("X-Forwarded-Proto", r.Scheme)
	if host := r.Authority; host != "" {
		if f.host != "" {
			host = f.host
		}
		r.Header.Add("X-Forwarded-Host", host)
	}
	r.Header.Add(HeaderRequestID, c.ID) // the client's was removed
	if via := r.Header.Joined("Via"); via != "" {
		r.Header.Set("Via", via+", "+e.via)
	} else {
		r.Header.Add("Via", e.via)
	}
}
