package upstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// Upstream sends requests to a set of targets. All methods may be called at the
// same time.
type Upstream struct {
	env     Env
	system  bool // the clock is the system's
	s       *settings
	family  *family
	balance balancer
	dial    dialer
	view    atomic.Pointer[view]
	runs    sync.Pool

	ctx    context.Context //nolint:containedctx // ends the goroutines on Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex // guards what follows; views are made under it
	layout *layout
	names  []*name
	probes map[string]context.CancelFunc // by endpoint
	closed bool
}

// family is what the successive configurations of one upstream share.
type family struct {
	base   time.Time
	epoch  atomic.Uint64 // rises when an endpoint's condition changes
	budget budget
	mu     sync.Mutex // held while deciding about an ejection
}

// Option changes how an upstream is made.
type Option func(*making)

type making struct{ previous *Upstream }

// WithPrevious makes the new upstream take over from old what is the same:
// addresses, their connections, health, latencies and the retry budget. Both may
// be used until one of them is closed, which leaves the other as it is: close
// old once the new one is in place, or the new one where it is not wanted after
// all. A nil old is none.
func WithPrevious(old *Upstream) Option { return func(m *making) { m.previous = old } }

// New makes an upstream. All of the configuration is checked and compiled here;
// the error is an invalid-input problem that lists each field at fault, with
// pointers within cfg. Names are not resolved until the first request, so that
// starting does not wait for DNS.
func New(cfg unit.Upstream, env Env, options ...Option) (*Upstream, error) {
	env = env.filled()
	s, err := compile(cfg, env.Allow)
	if err != nil {
		return nil, err
	}
	s.options.MaxHeaderBytes = env.MaxHeaderBytes
	var mk making
	for _, o := range options {
		o(&mk)
	}
	u := &Upstream{
		env: env, s: s, balance: newBalancer(s, env.Random), dial: guarded(env.Allow),
		probes: map[string]context.CancelFunc{},
	}
	_, u.system = env.Clock.(systemClock)
	u.env.Log = env.Log.With("upstream", s.name)
	u.runs.New = func() any { return new(run) }
	u.ctx, u.cancel = context.WithCancel(context.Background())
	if cfg.TLS != nil && cfg.TLS.InsecureSkipVerify {
		u.env.Log.Warn("certificates of the upstream are not verified")
	}
	var members []*member
	if old := mk.previous; old != nil {
		u.family = old.family
		old.mu.Lock()
		defer old.mu.Unlock()
		members = old.layout.all
		u.names = newNames(s, old.names)
	} else {
		u.family = &family{base: env.Clock.Now()}
		u.names = newNames(s, nil)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.arrange(members)
	for _, m := range u.layout.all {
		m.health.forget(s.active != nil, s.passive != nil)
	}
	u.family.epoch.Add(1)
	u.renew(u.at(env.Clock.Now()))
	if s.active != nil && len(u.names) > 0 {
		u.work.Go(u.keepResolved)
	}
	return u, nil
}

// Name returns the configured name.
func (u *Upstream) Name() string { return u.s.name }

// Close ends probes and resolution and waits for them; connections end as their
// exchanges do. Requests after Close are answered 503. It may be called again.
func (u *Upstream) Close() {
	u.mu.Lock()
	if u.closed {
		u.mu.Unlock()
		return
	}
	u.closed = true
	members := u.layout.all
	u.layout = newLayout(nil, false)
	u.renew(u.at(u.env.Clock.Now()))
	u.mu.Unlock()
	u.cancel()
	for _, m := range members {
		m.link.release()
	}
	u.work.Wait()
}

func (u *Upstream) at(t time.Time) instant { return instant(t.Sub(u.family.base)) }

// arrange makes the layout of the targets and the addresses known now, keeping
// what old has of the same. The caller holds mu; releasing what is left is its
// business.
func (u *Upstream) arrange(old []*member) {
	known := make(map[string]*member, len(old))
	for _, m := range old {
		known[m.key] = m
	}
	counts := make([]int, len(u.s.targets))
	for i := range u.s.targets {
		counts[i] = len(u.addresses(&u.s.targets[i]))
	}
	var members []*member
	for i := range u.s.targets {
		t := &u.s.targets[i]
		for _, a := range u.addresses(t) {
			members = append(members, u.member(t, a, share(t.weight, i, counts), known))
		}
	}
	u.layout = newLayout(members, u.s.algorithm == "hash")
	u.watch()
}

func (u *Upstream) addresses(t *target) []netip.Addr {
	if t.addr.IsValid() {
		return []netip.Addr{t.addr}
	}
	for _, n := range u.names {
		if n.host == t.host {
			return n.addrs
		}
	}
	return nil
}

// share returns the weight of one address of target i, so that all addresses of
// a target together have its weight.
func share(weight, i int, counts []int) int {
	if weight == 0 {
		return 0
	}
	scale := 1
	for _, n := range counts {
		if n > 0 {
			scale = scale / gcd(scale, n) * n
		}
		if scale > 5040 { // rounding is fine beyond
			scale = 5040
			break
		}
	}
	return max(1, weight*scale/counts[i])
}

// member returns the member for an address of t.
func (u *Upstream) member(t *target, a netip.Addr, weight int, known map[string]*member) *member {
	m := &member{
		target: t, address: netip.AddrPortFrom(a, t.port).String(),
		weight: weight, priority: t.priority, authority: orDefault(u.s.authority, t.authority),
	}
	key := t.url + " " + m.address
	options := u.s.options
	options.Target = transport.Target{Network: "tcp", Address: m.address, Authority: t.authority, BasePath: t.basePath}
	text := fmt.Sprintf("%s %+v", u.s.protocol, options)
	if t.tls != nil {
		text += fmt.Sprintf(" %+v", t.tls.text)
	}
	sum := sha256.Sum256([]byte(text)) // the text may hold a private key
	settings := hex.EncodeToString(sum[:])
	if k := known[key]; k != nil {
		m.endpoint = k.endpoint
		if k.link.settings == settings && k.link.acquire() {
			m.link = k.link
			return m
		}
	} else {
		m.endpoint = &endpoint{key: key, target: t.url, label: t.authority, hash: xxhash.Sum64String(key)}
		if !t.addr.IsValid() {
			m.label += " (" + m.address + ")"
		}
	}
	if t.tls != nil {
		options.Target.TLS = t.tls.of(t.host)
	}
	options.Dial = u.dial
	m.link = &link{settings: settings, client: u.env.NewClient(u.s.protocol, options)}
	m.link.refs.Store(1)
	return m
}

// renew makes the view that requests use. The caller holds mu.
func (u *Upstream) renew(now instant) *view {
	epoch := u.family.epoch.Load()
	v := newView(u.layout, u.s.panicShare, now)
	v.epoch = epoch
	if !u.closed {
		for _, n := range u.names {
			if n.done == nil {
				v.soft = min(v.soft, n.soft)
			}
			v.hard = min(v.hard, n.hard)
		}
	}
	u.view.Store(v)
	return v
}

// current returns a view that holds at now.
func (u *Upstream) current(now instant) *view {
	v := u.view.Load()
	if v.epoch == u.family.epoch.Load() && now < v.wake {
		return v
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.renew(now)
}
