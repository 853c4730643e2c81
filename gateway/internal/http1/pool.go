package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// upstream is one connection to the target.
type upstream struct {
	nc     net.Conn
	sock   syscall.RawConn
	in     reader
	rd, wd deadline
	uses   int // exchanges it has served
	since  time.Time
}

// pool keeps connections to one target. The one used last is used first, so
// that those not needed grow old.
type pool struct {
	opt *transport.ClientOptions

	mu      sync.Mutex
	idle    []*upstream
	open    int
	closed  bool
	waiting []chan *upstream // nil is sent for: there is room to dial
	janitor *time.Timer
}

var errNoConn = errors.New("all connections are in use")

// get returns a connection: a kept one unless fresh, or a new one.
func (p *pool) get(ex *policy.Exchange, now, until time.Time, fresh bool, canceled *atomic.Bool) (*upstream, error) {
	p.mu.Lock()
	for !fresh && len(p.idle) > 0 {
		n := len(p.idle) - 1
		u := p.idle[n]
		p.idle[n] = nil
		p.idle = p.idle[:n]
		p.mu.Unlock()
		if !u.stale(now, p.opt.IdleTimeout) {
			return u, nil
		}
		p.drop(u)
		p.mu.Lock()
	}
	if p.opt.MaxConns > 0 && p.open >= p.opt.MaxConns {
		if fresh && len(p.idle) > 0 { // make room
			u := p.idle[0]
			p.idle = append(p.idle[:0], p.idle[1:]...)
			p.mu.Unlock()
			_ = u.nc.Close()
			return p.dial(ex, until)
		}
		turn := make(chan *upstream, 1)
		p.waiting = append(p.waiting, turn)
		p.mu.Unlock()
		return p.wait(ex, until, turn)
	}
	p.open++
	p.mu.Unlock()
	if canceled.Load() {
		p.leave()
		return nil, context.Canceled
	}
	return p.dial(ex, until)
}

// stale reports whether a kept connection must not be used: it is too old, the
// upstream has closed it, or has sent something that would be taken for an
// answer.
func (u *upstream) stale(now time.Time, limit time.Duration) bool {
	age := now.Sub(u.since)
	return age > limit || age > staleAfter && u.sock != nil && readable(u.sock)
}

// wait waits for a connection, or for room to make one.
func (p *pool) wait(ex *policy.Exchange, until time.Time, turn chan *upstream) (*upstream, error) {
	var over <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		over = t.C
	}
	var err error
	select {
	case u := <-turn:
		if u != nil {
			return u, nil
		}
		return p.dial(ex, until)
	case <-over:
		err = &transport.CallError{Failure: transport.FailedExhausted, Err: errNoConn}
	case <-ex.Context().Done():
		err = ex.Context().Err()
	}
	p.mu.Lock()
	for i, w := range p.waiting {
		if w == turn {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			p.mu.Unlock()
			return nil, err
		}
	}
	p.mu.Unlock()
	if u := <-turn; u != nil { // it came all the same
		p.put(u, true, time.Time{})
	} else {
		p.leave()
	}
	return nil, err
}

// dial makes a connection, for which there is room already.
func (p *pool) dial(ex *policy.Exchange, until time.Time) (*upstream, error) {
	ctx := ex.Context()
	if !until.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	t := &p.opt.Target
	nc, err := p.opt.Dial(ctx, t.Network, t.Address)
	if err != nil {
		p.leave()
		return nil, err
	}
	sock := nc
	if t.TLS != nil {
		cfg := t.TLS
		if cfg.ServerName == "" {
			cfg = cfg.Clone()
			cfg.ServerName = hostOf(t.Authority)
		}
		tc := tls.Client(nc, cfg)
		if err := tc.HandshakeContext(ctx); err != nil {
			_ = nc.Close()
			p.leave()
			return nil, err
		}
		nc = tc
	}
	u := &upstream{nc: nc, sock: socketOf(sock)}
	u.in.from(nc)
	u.rd.set, u.wd.set = nc.SetReadDeadline, nc.SetWriteDeadline
	return u, nil
}

func hostOf(authority string) string {
	if h, _, err := net.SplitHostPort(authority); err == nil {
		return h
	}
	if n := len(authority); n > 2 && authority[0] == '[' && authority[n-1] == ']' {
		return authority[1 : n-1]
	}
	return authority
}

// put takes a connection back, or closes it. Since is when its last answer was
// whole; zero = now.
func (p *pool) put(u *upstream, keep bool, since time.Time) {
	if !keep || u.in.buffered() > 0 {
		p.drop(u)
		return
	}
	u.uses++
	if since.IsZero() {
		since = time.Now()
	}
	u.since = since
	p.mu.Lock()
	if len(p.waiting) > 0 && !p.closed {
		p.next() <- u
		p.mu.Unlock()
		return
	}
	if p.closed || p.opt.MaxIdle > 0 && len(p.idle) >= p.opt.MaxIdle {
		p.mu.Unlock()
		p.drop(u)
		return
	}
	p.idle = append(p.idle, u)
	if p.janitor == nil {
		p.janitor = time.AfterFunc(p.opt.IdleTimeout/2+time.Millisecond, p.clean)
	}
	p.mu.Unlock()
}

// next takes the waiter whose turn it is.
func (p *pool) next() chan *upstream {
	w := p.waiting[0]
	n := copy(p.waiting, p.waiting[1:])
	p.waiting[n] = nil
	p.waiting = p.waiting[:n]
	return w
}

func (p *pool) drop(u *upstream) {
	_ = u.nc.Close()
	u.in.release()
	p.leave()
}

// leave makes room for another connection.
func (p *pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) > 0 {
		p.next() <- nil // the room goes to whoever waits
		return
	}
	p.open--
}

// clean closes connections that have been idle for too long or that the
// upstream has closed.
func (p *pool) clean() {
	p.mu.Lock()
	var old []*upstream
	now := time.Now()
	kept := p.idle[:0]
	for _, u := range p.idle {
		if u.stale(now, p.opt.IdleTimeout) {
			old = append(old, u)
		} else {
			kept = append(kept, u)
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	p.janitor = nil
	if len(kept) > 0 && !p.closed {
		p.janitor = time.AfterFunc(p.opt.IdleTimeout/2+time.Millisecond, p.clean)
	}
	p.mu.Unlock()
	for _, u := range old {
		p.drop(u)
	}
}

func (p *pool) closeIdle(forGood bool) {
	p.mu.Lock()
	p.closed = p.closed || forGood
	idle := p.idle
	p.idle = nil
	if p.janitor != nil {
		p.janitor.Stop()
		p.janitor = nil
	}
	p.mu.Unlock()
	for _, u := range idle {
		p.drop(u)
	}
}
