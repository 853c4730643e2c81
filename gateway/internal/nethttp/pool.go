package nethttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
)

var errPoolClosed = errors.New("the client of this target is closed")

// connPool keeps the HTTP/2 connections to one target. It opens another only
// when all that are open have as many streams as the target allows, one at a
// time, and up to MaxConns.
type connPool struct {
	o         transport.ClientOptions
	tls       *tls.Config
	transport *http2.Transport

	mu     sync.Mutex
	conns  []*http2.ClientConn
	dial   *dialing      // under way, or nil
	change chan struct{} // closed when a stream or a connection may be free
	waits  int           // how many wait for that
	closed bool
}

type dialing struct {
	done chan struct{}
	err  error
}

func newConnPool(o transport.ClientOptions, t *tls.Config) *connPool {
	return &connPool{o: o, tls: t, change: make(chan struct{})}
}

// GetClientConn returns a connection with a stream reserved on it.
func (p *connPool) GetClientConn(req *http.Request, _ string) (*http2.ClientConn, error) {
	ctx := req.Context()
	k, _ := ctx.Value(callKey{}).(*call)
	for {
		p.mu.Lock()
		for _, cc := range p.conns {
			if cc.ReserveNewRequest() {
				p.mu.Unlock()
				return cc, nil
			}
		}
		if p.closed {
			p.mu.Unlock()
			return nil, errPoolClosed
		}
		if p.dial == nil && (p.o.MaxConns == 0 || p.live() < p.o.MaxConns) {
			p.dial = &dialing{done: make(chan struct{})}
			go p.open(context.WithoutCancel(ctx), p.dial, k)
		}
		d, change := p.dial, p.change
		p.waits++
		p.mu.Unlock()

		var dialed <-chan struct{}
		if d != nil {
			dialed = d.done
		}
		if k != nil {
			k.dialed.Store(d != nil)
		}
		select {
		case <-dialed:
			if d.err != nil {
				return nil, d.err
			}
		case <-change:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// live returns how many connections count against MaxConns; the closed ones are
// forgotten.
func (p *connPool) live() int {
	p.conns = slices.DeleteFunc(p.conns, func(cc *http2.ClientConn) bool { return cc.State().Closed })
	return len(p.conns)
}

func (p *connPool) open(ctx context.Context, d *dialing, k *call) {
	limit := defaultConnect
	if k != nil && k.tc.ConnectTimeout > 0 {
		limit = k.tc.ConnectTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cc, err := p.connect(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dial = nil
	if err == nil {
		p.conns = append(p.conns, cc)
		if p.closed {
			cc.SetDoNotReuse()
			_ = cc.Close()
		}
	}
	d.err = err
	close(d.done)
}

func (p *connPool) connect(ctx context.Context) (*http2.ClientConn, error) {
	c, err := p.o.Dial(ctx, p.o.Target.Network, p.o.Target.Address)
	if err != nil {
		return nil, err
	}
	if p.tls != nil {
		t := tls.Client(c, p.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = c.Close()
			return nil, fmt.Errorf("TLS with %s: %w", p.o.Target.Address, err)
		}
		if got := t.ConnectionState().NegotiatedProtocol; got != http2.NextProtoTLS {
			_ = t.Close()
			return nil, fmt.Errorf("TLS with %s: it does not speak HTTP/2 (ALPN %q)", p.o.Target.Address, got) //nolint:err113 // a text for the log
		}
		c = t
	}
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline) // for the preface
	cc, err := p.transport.NewClientConn(c)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	_ = c.SetDeadline(time.Time{})
	return cc, nil
}

// MarkDead forgets a connection that is closed.
func (p *connPool) MarkDead(cc *http2.ClientConn) {
	p.mu.Lock()
	p.conns = slices.DeleteFunc(p.conns, func(o *http2.ClientConn) bool { return o == cc })
	p.mu.Unlock()
	p.changed()
}

// changed wakes those who wait for a stream.
func (p *connPool) changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waits > 0 {
		close(p.change)
		p.change, p.waits = make(chan struct{}), 0
	}
}

func (p *connPool) closeIdle() {
	p.mu.Lock()
	conns := slices.Clone(p.conns)
	p.mu.Unlock()
	for _, cc := range conns {
		if s := cc.State(); s.StreamsActive+s.StreamsReserved+s.StreamsPending == 0 {
			_ = cc.Close()
		}
	}
}

// close refuses new requests; a connection ends with its last stream.
func (p *connPool) close() {
	p.mu.Lock()
	p.closed = true
	for _, cc := range p.conns {
		cc.SetDoNotReuse()
	}
	p.mu.Unlock()
	p.closeIdle()
}
