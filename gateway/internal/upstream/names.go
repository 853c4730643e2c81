package upstream

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

// resolveTime bounds one resolution. A request waits for it no longer than it
// would for a connection.
const resolveTime = 5 * time.Second

// name is a host name of targets and the last good answer for it.
type name struct {
	host  string
	addrs []netip.Addr
	// From soft on the name is resolved again while requests use the old answer;
	// from hard on they wait. Busy upstreams thus never wait, and quiet ones never
	// use an address that is out of date.
	soft, hard instant
	done       chan struct{} // while resolving
	err        error         // of the last resolution
	at         time.Time     // of the last resolution
}

// newNames returns the names of the targets, with the answers that old had.
func newNames(s *settings, old []*name) []*name {
	var names []*name
	for _, t := range s.targets {
		if t.addr.IsValid() || slices.ContainsFunc(names, func(n *name) bool { return n.host == t.host }) {
			continue
		}
		n := &name{host: t.host}
		for _, o := range old {
			if o.host == t.host {
				n.addrs, n.soft, n.hard, n.err, n.at = o.addrs, o.soft, o.hard, o.err, o.at
			}
		}
		names = append(names, n)
	}
	return names
}

// refresh resolves the names that are due. It waits for those that requests must
// not go on without, until wait is over or ctx ends.
func (u *Upstream) refresh(ctx context.Context, now instant, wait time.Duration) *view {
	u.mu.Lock()
	var must []*name
	var done []chan struct{}
	for _, n := range u.names {
		if u.closed {
			break
		}
		if n.done == nil && now >= min(n.soft, n.hard) {
			n.done = make(chan struct{})
			u.work.Go(func() { u.resolve(n) })
		}
		if n.done != nil && now >= n.hard {
			must, done = append(must, n), append(done, n.done)
		}
	}
	v := u.renew(now)
	u.mu.Unlock()
	if len(must) == 0 {
		return v
	}
	over, stop := u.env.Clock.After(wait)
	defer stop()
	for _, d := range done {
		select {
		case <-d:
			continue
		case <-ctx.Done():
		case <-over:
			u.giveUp(must)
		}
		break
	}
	return u.current(u.at(u.env.Clock.Now()))
}

// giveUp makes further requests use what is known, where anything is, instead of
// waiting as long as this one did.
func (u *Upstream) giveUp(names []*name) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.layout.all) == 0 {
		return
	}
	for _, n := range names {
		if n.done != nil {
			n.hard = never
		}
	}
	u.renew(u.at(u.env.Clock.Now()))
}

// resolve asks for the addresses of n once.
func (u *Upstream) resolve(n *name) {
	ctx, cancel := context.WithTimeout(u.ctx, resolveTime)
	defer cancel()
	a, err := u.env.Resolver.Resolve(ctx, n.host)
	at := u.env.Clock.Now()
	now := u.at(at)

	u.mu.Lock()
	defer u.mu.Unlock()
	defer close(n.done) // who waits finds the new view
	n.done = nil
	if u.closed {
		return
	}
	u.env.Metrics.Resolved(u.s.name, n.host, err)
	if err != nil || len(a.Addrs) == 0 {
		if n.err == nil {
			u.env.Log.Warn("name of a target does not resolve; keeping its last addresses",
				"host", n.host, "addresses", len(n.addrs), "err", err)
		}
		if err == nil {
			err = errNoName
		}
		n.err, n.at = err, at
		n.soft, n.hard = now+instant(u.s.minTTL), never
		if len(u.layout.all) == 0 {
			n.hard = n.soft
		}
		u.renew(now)
		return
	}
	if n.err != nil {
		u.env.Log.Info("name of a target resolves again", "host", n.host)
	}
	ttl := u.s.maxTTL
	if a.TTL >= 0 {
		ttl = min(max(a.TTL, u.s.minTTL), u.s.maxTTL)
	}
	n.err, n.at = nil, at
	n.soft, n.hard = now+instant(ttl-ttl/5), now+instant(ttl)
	addrs := slices.Clone(a.Addrs)
	slices.SortFunc(addrs, netip.Addr.Compare)
	if !slices.Equal(addrs, n.addrs) {
		u.env.Log.Info("addresses of a target changed", "host", n.host, "from", n.addrs, "to", addrs)
		n.addrs = addrs
		old := u.layout.all
		u.arrange(old)
		defer func() { // requests that begin now use the new view
			for _, m := range old {
				m.link.release()
			}
		}()
	}
	u.renew(now)
}

// keepResolved resolves names in time where probes, not only requests, need
// addresses.
func (u *Upstream) keepResolved() {
	for {
		now := u.at(u.env.Clock.Now())
		v := u.refresh(u.ctx, now, resolveTime)
		due := min(v.soft, v.hard)
		wait := min(max(time.Duration(due-u.at(u.env.Clock.Now())), u.s.minTTL/2), u.s.maxTTL)
		c, stop := u.env.Clock.After(wait)
		select {
		case <-u.ctx.Done():
			stop()
			return
		case <-c:
		}
	}
}
