package http1

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// The phases of a connection. Only an idle one may be closed by Shutdown.
const (
	phaseNew int32 = iota // before its first request
	phaseIdle
	phaseActive
	phaseClosed
)

const (
	drainBytes  = 64 << 10 // of an unread request body, to save the connection
	lingerBytes = 256 << 10
	lingerTime  = 500 * time.Millisecond
	lateTime    = time.Second // for the request of a connection handed over while draining
)

var errMisdirected = &malformed{
	code: problem.CodeMisdirected, detail: "this connection was not opened for the host of the request; open another",
}

// conn is one client connection. One goroutine works on it.
type conn struct {
	srv    *Server
	base   context.Context //nolint:containedctx // the listener's, for the exchanges
	nc     net.Conn
	sock   syscall.RawConn // for asking whether the client is there
	peer   netip.AddrPort
	tls    *tls.ConnectionState
	lim    transport.Limits
	in     reader
	wr     writer
	rd, wd deadline
	first  time.Time // when the first byte of the request was read
	now    time.Time // a recent time
	served int
	late   bool        // handed over while the server drains
	drains func() bool // whether the listener is about to close; nil = never
	facts  facts
	body   requestBody
	out    output
	phase  atomic.Int32
	within within

	// What the watcher sees.
	since   atomic.Int64 // start of the exchange under way, Unix nanoseconds; 0 = none
	writing atomic.Bool  // the response has begun
	endless atomic.Bool  // the exchange is not bounded in time
	tunnel  atomic.Pointer[io.Closer]
	watched watched

	mu      sync.Mutex
	ex      *policy.Exchange
	ctx     *exchangeContext
	gone    bool // the client has left
	expired bool // the total time is over
}

func newConn(ctx context.Context, s *Server, nc net.Conn) *conn {
	c := &conn{srv: s, base: ctx, nc: nc, sock: socketOf(nc), peer: peerOf(nc), lim: s.limits(), now: time.Now()}
	if t, ok := nc.(interface{ ConnectionState() tls.ConnectionState }); ok {
		st := t.ConnectionState()
		c.tls = &st
	}
	if d, ok := nc.(interface{ Draining() bool }); ok {
		c.drains = d.Draining
	}
	c.in.from(nc)
	c.in.woke = c.woke
	if c.in.raw != nil {
		c.in.serve = c.serveWithin
	}
	c.wr.to(nc)
	c.rd.set, c.wd.set = nc.SetReadDeadline, nc.SetWriteDeadline
	c.ctx = &exchangeContext{parent: ctx}
	c.body.c = c
	c.body.body.ready = c.body.ready
	return c
}

// woke is called when bytes have come.
func (c *conn) woke() {
	if c.first.IsZero() {
		c.first = time.Now()
		if !c.phase.CompareAndSwap(phaseIdle, phaseActive) {
			c.phase.CompareAndSwap(phaseNew, phaseActive)
		}
	}
}

func (c *conn) serve() {
	for {
		c.first = time.Time{}
		if c.in.buffered() > 0 { // pipelined
			c.first = c.now
			c.phase.Store(phaseActive)
		} else if c.served > 0 {
			if c.phase.Store(phaseIdle); c.srv.draining.Load() {
				return
			}
		}
		n, m, err := c.awaitHead()
		switch {
		case c.within.stopped():
			if !c.goOn() {
				return
			}
			continue
		case err != nil || c.phase.Load() == phaseClosed:
			return
		case m == nil && c.served == 0 && c.srv.H2C != nil && c.tls == nil &&
			string(c.in.bytes()[:n]) == preface[:18]:
			c.handOver()
			return
		}
		c.served++
		if !c.exchange(n, m) {
			return
		}
	}
}

// awaitHead waits until a whole head is buffered and returns its length. An
// error means that there is nobody to answer.
func (c *conn) awaitHead() (int, *malformed, error) {
	skipped := false
	for {
		buf := c.in.bytes()
		// One empty line before a request is forgiven (RFC 9112 section 2.2).
		if !skipped && len(buf) > 1 && buf[0] == '\r' && buf[1] == '\n' {
			c.in.skip(2)
			skipped = true
			continue
		}
		if len(buf) == 0 {
			c.boundIdle()
			if c.served == 0 && !c.late && c.srv.draining.Load() { // it began just now
				c.rd.exact(time.Now().Add(lateTime))
			}
		} else {
			n, m := c.findHead(buf, skipped)
			if n > 0 || m != nil {
				return n, m, nil
			}
			c.rd.exact(c.first.Add(c.lim.HeaderTime))
		}
		c.within.idle = len(buf) == 0 && c.served > 0 // the first may be another protocol
		err := c.in.fill(c.lim.HeaderBytes + pageSize)
		c.within.idle = false
		if c.within.stopped() {
			return 0, nil, nil
		}
		if err == nil {
			continue
		}
		if c.in.buffered() > 0 && errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, &malformed{
				code:   problem.CodeRequestTimeout,
				detail: "the header did not arrive within " + c.lim.HeaderTime.String(),
			}, nil
		}
		return 0, nil, err
	}
}

// boundIdle bounds the wait for the next request.
func (c *conn) boundIdle() {
	wait := c.lim.KeepAlive
	if c.late {
		wait = min(wait, lateTime)
	}
	c.rd.after(c.now, wait)
}

// findHead looks for the end of the head, and for reasons not to wait for it.
func (c *conn) findHead(buf []byte, skipped bool) (int, *malformed) {
	if !tokens[buf[0]] && (skipped || buf[0] != '\r' || len(buf) > 1) {
		return 0, errRequestLine
	}
	n := bytes.Index(buf, headEnd) + len(headEnd)
	if n < len(headEnd) {
		n = 0
	}
	switch {
	case n > 0 && n <= c.lim.HeaderBytes:
		return n, nil
	case len(buf) > c.lim.URIBytes+64 && bytes.IndexByte(buf[:c.lim.URIBytes+64], '\r') < 0:
		return 0, errURI
	case n > 0 || len(buf) > c.lim.HeaderBytes:
		return 0, errHeadTooBig
	case bareLF(buf):
		return 0, errLineEnd
	}
	return 0, nil
}

// exchange serves one request whose head is the first n bytes buffered, or
// refuses it, and reports whether the connection can be used further.
func (c *conn) exchange(n int, m *malformed) bool {
	ex, m := c.open(n, m)
	return c.settle(c.work(ex, m), m)
}

// open makes an exchange of the head.
func (c *conn) open(n int, m *malformed) (*policy.Exchange, *malformed) {
	ex := c.srv.Handler.Acquire()
	ex.Start = c.first
	req := &ex.Request
	req.Peer, req.TLS, req.Scheme = c.peer, c.tls, "http"
	if c.tls != nil {
		req.Scheme = "https"
	}
	c.facts = facts{length: -1, close: true}
	if m == nil {
		head := c.in.bytes()[:n]
		m = parseRequest(head, string(head), req, &c.facts, &c.lim)
		c.in.skip(n)
	}
	c.body.reset()
	if m == nil {
		m = c.body.start(req)
	}
	return ex, m
}

// work answers, or refuses for the reason given, and reports whether the
// connection may be used further.
func (c *conn) work(ex *policy.Exchange, m *malformed) bool {
	h, req := c.srv.Handler, &ex.Request
	c.begin(ex)
	if m == nil && c.tls != nil && c.srv.Misdirected != nil && c.srv.Misdirected(c.tls, req.Authority) {
		m = errMisdirected
	}
	if m != nil {
		c.facts.close = true
		h.Refuse(ex, m.problem())
	} else {
		h.Serve(ex)
	}
	keep := c.respond(ex)
	// An answer that a policy has replaced was not read by anybody.
	if call, ok := ex.Transport().(io.Closer); ok {
		_ = call.Close()
	}
	ex.Outcome.RequestBytes = c.body.n
	c.now = ex.Tick()
	ex.Outcome.End = c.now
	c.end(ex)
	h.Release(ex)
	if c.body.interrupted.Load() {
		c.rd.forget()
	}
	return keep
}

// settle deals with what is left of a request, and reports whether the
// connection can be used further.
func (c *conn) settle(keep bool, m *malformed) bool {
	if keep && c.body.drain() {
		return true
	}
	if m != nil || !c.body.body.done || c.in.buffered() > 0 {
		c.linger()
	}
	return false
}

// begin lets the watcher see the exchange.
func (c *conn) begin(ex *policy.Exchange) {
	lower(&c.writing)
	lower(&c.endless)
	c.mu.Lock()
	c.ex, c.gone, c.expired = ex, false, false
	c.watched = watched{}
	if c.lim.Total > 0 {
		c.ctx.deadline = c.first.Add(c.lim.Total)
	}
	c.mu.Unlock()
	ex.SetContext(c.ctx)
	c.since.Store(c.first.UnixNano())
}

// lower makes a flag false. Looking first is cheaper than an atomic write, which
// waits for all writes before it, and most flags were never raised.
func lower(flag *atomic.Bool) {
	if flag.Load() {
		flag.Store(false)
	}
}

// end takes the exchange away from the watcher. It is safe to call twice.
func (c *conn) end(ex *policy.Exchange) {
	c.since.Store(0)
	c.mu.Lock()
	c.ex = nil
	if ex != nil && c.gone {
		ex.Outcome.ClientGone = true
	}
	c.ctx = c.ctx.end()
	c.mu.Unlock()
}

// abort ends the connection from outside.
func (c *conn) abort() {
	c.phase.Store(phaseClosed)
	c.mu.Lock()
	c.ctx.cancel(context.Canceled)
	if c.ex != nil {
		c.ex.Cancel()
	}
	c.mu.Unlock()
	_ = c.nc.Close()
	if t := c.tunnel.Load(); t != nil {
		_ = (*t).Close()
	}
}

// handOver gives the connection, with what was read of it, to the HTTP/2 server.
func (c *conn) handOver() {
	_ = c.nc.SetDeadline(time.Time{})
	read := bytes.Clone(c.in.bytes())
	c.in.release()
	c.srv.remove(c)
	c.srv.H2C(c.base, &replayConn{Conn: c.nc, read: read, peer: c.peer})
}

// linger waits a little for the client to take the answer before the connection
// is closed: closing with unread bytes would destroy it (RFC 9112 section 9.6).
func (c *conn) linger() {
	t, ok := c.nc.(interface{ CloseWrite() error })
	if !ok || t.CloseWrite() != nil {
		return
	}
	_ = c.nc.SetReadDeadline(time.Now().Add(lingerTime))
	c.in.release()
	b := blocks.Get().(*block) //nolint:forcetypeassert // the pool holds nothing else
	defer blocks.Put(b)
	for n := 0; n < lingerBytes; {
		k, err := c.nc.Read(b[:])
		if err != nil {
			return
		}
		n += k
	}
}

// replayConn is a connection of which some bytes were read.
type replayConn struct {
	net.Conn
	read []byte
	peer netip.AddrPort
}

var _ transport.Conn = (*replayConn)(nil)

// Peer returns the client's address.
func (c *replayConn) Peer() netip.AddrPort { return c.peer }

// NetConn returns the connection below.
func (c *replayConn) NetConn() net.Conn { return c.Conn }

// Read reads what was read before, then the connection.
func (c *replayConn) Read(p []byte) (int, error) {
	if len(c.read) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.read)
	c.read = c.read[n:]
	return n, nil
}
