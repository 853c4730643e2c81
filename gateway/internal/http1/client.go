package http1

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

const (
	defaultHeaderBytes = 64 << 10
	defaultIdleTime    = 60 * time.Second
	responseFields     = 1000
	interimAnswers     = 8
	// staleAfter is how long a connection may have been idle before it is looked
	// at, whether the upstream has closed it or sent what nobody asked for.
	staleAfter = 250 * time.Millisecond
)

// Client calls one target over connections that it keeps. It implements
// [transport.Client].
type Client struct {
	opt      transport.ClientOptions
	inFlight atomic.Int64
	pool     pool
}

var _ transport.Client = (*Client)(nil)

// NewClient returns a client. Zero options mean: no bound on connections, as
// many kept as were open, kept for a minute, 64 kB of response header.
func NewClient(opt transport.ClientOptions) *Client {
	or(&opt.MaxHeaderBytes, defaultHeaderBytes)
	or(&opt.IdleTimeout, defaultIdleTime)
	if opt.Dial == nil {
		opt.Dial = new(net.Dialer).DialContext
	}
	c := &Client{opt: opt}
	c.pool.opt = &c.opt
	return c
}

// InFlight returns the number of requests under way: until the last byte of the
// response was read.
func (c *Client) InFlight() int { return int(c.inFlight.Load()) }

// CloseIdle closes the connections that are not in use.
func (c *Client) CloseIdle() { c.pool.closeIdle(false) }

// Close is CloseIdle, and connections in use end after their exchange.
func (c *Client) Close() { c.pool.closeIdle(true) }

// RoundTrip sends ex.Request as call says and fills ex.Response up to its body,
// which streams. A request that a kept connection did not take, because the
// upstream had closed it, is sent once more over a new one where it is
// idempotent and all of it is still in memory.
func (c *Client) RoundTrip(ex *policy.Exchange, call *transport.Call) error {
	a, ok := ex.Transport().(*attempt)
	if !ok {
		a = &attempt{}
		ex.SetTransport(a)
	}
	a.finish(false) // an answer of an earlier attempt that nobody wanted
	a.begin(c, ex, call)
	ex.OnCancel(a)
	c.inFlight.Add(1)
	err := a.run()
	if err != nil {
		a.finish(false)
		resp := &ex.Response
		resp.Status = 0
		resp.Header.Reset()
		resp.Trailer.Reset()
		return err
	}
	return nil
}

func (a *attempt) run() error {
	call := a.call
	call.Reused, call.Wrote, call.BodyRead, call.Answered = false, false, false, time.Time{}
	a.whole = false
	defer a.out.release()
	for again := false; ; again = true {
		start := call.Start
		if again || start.IsZero() {
			start = time.Now()
		}
		u, err := a.client.pool.get(a.ex, start, a.until(start, call.ConnectTimeout), again, &a.canceled)
		if err != nil {
			return a.failure(err, transport.FailedConnect)
		}
		call.Reused = u.uses > 0
		if !a.attach(u) {
			return a.failure(net.ErrClosed, transport.FailedCanceled)
		}
		a.heard = false
		err = a.send(start)
		if len(u.in.ask) == 0 && (!call.Reused || !a.whole) {
			a.out.release() // it will not be sent again
		}
		if err == nil {
			err = a.receive()
		}
		if err == nil {
			return nil
		}
		if !call.Reused || again || a.heard || !a.whole || !idempotent(a.ex.Request.Method) || a.canceled.Load() || !broken(err) {
			return a.failure(err, transport.FailedReset)
		}
		a.detach(false)
	}
}

// until returns when something that may take d from now must have ended.
func (a *attempt) until(now time.Time, d time.Duration) time.Time {
	t := a.call.Deadline
	if d > 0 {
		if u := now.Add(d); t.IsZero() || u.Before(t) {
			t = u
		}
	}
	return t
}

// bound sets a deadline that d and the call's own allow.
func (a *attempt) bound(l *deadline, now time.Time, d time.Duration) {
	if t := a.call.Deadline; !t.IsZero() {
		left := t.Sub(now)
		if d <= 0 || left < d {
			l.exact(t)
			return
		}
	}
	l.after(now, d)
}

func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE":
		return true
	}
	return false
}

// broken reports whether err means that the connection was closed, rather than
// that time is over or the answer is wrong.
func broken(err error) bool {
	var ce *transport.CallError
	if errors.As(err, &ce) {
		return false
	}
	var m *malformed
	return !errors.As(err, &m) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// failure makes a call error of err.
func (a *attempt) failure(err error, f transport.Failure) error {
	var ce *transport.CallError
	var m *malformed
	switch {
	case a.canceled.Load():
		f = transport.FailedCanceled
		if errors.Is(a.ex.Context().Err(), context.DeadlineExceeded) {
			f = transport.FailedTimeout
		}
	case errors.As(err, &ce):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		if f != transport.FailedConnect {
			f = transport.FailedTimeout
		}
	case errors.As(err, &m):
		f = transport.FailedInvalid
		if m == errHeadTooBig || m == errTooMany {
			f = transport.FailedTooLarge
		}
	case errors.Is(err, errStatusLine), errors.Is(err, errNoContent), errors.Is(err, errSwitched), errors.Is(err, errTooManyInter):
		f = transport.FailedInvalid
	}
	return &transport.CallError{Failure: f, Err: err}
}

// receive reads the response head, and interim ones before it.
func (a *attempt) receive() error {
	u, ex := a.conn, a.ex
	for interim := 0; ; interim++ {
		if interim > interimAnswers {
			return errTooManyInter
		}
		n, err := a.awaitHead()
		if err != nil {
			return a.whySilent(err)
		}
		b := u.in.bytes()[:n]
		ex.Response.Header.Reset()
		status, old, err := parseResponse(b, string(b), &ex.Response.Header, responseFields, &a.facts)
		u.in.skip(n)
		if err != nil {
			return err
		}
		if status == 101 {
			return a.switched()
		}
		if status < 200 {
			if a.facts.chunked || a.facts.length > 0 {
				return errNoContent
			}
			continue
		}
		return a.answered(status, old)
	}
}

// awaitHead waits for a whole response head and returns its length.
func (a *attempt) awaitHead() (int, error) {
	u := a.conn
	limit := a.client.opt.MaxHeaderBytes
	for {
		if b := u.in.bytes(); len(b) > 0 {
			a.heard = true
			n := bytes.Index(b, headEnd)
			switch {
			case n >= 0 && n+4 <= limit:
				return n + 4, nil
			case n >= 0 || len(b) > limit:
				return 0, errHeadTooBig
			case b[0] != 'H' || bareLF(b):
				return 0, errStatusLine
			}
		}
		if err := u.in.fill(limit + pageSize); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
}

// answered takes in the head of a final response.
func (a *attempt) answered(status int, old bool) error {
	ex, f := a.ex, &a.facts
	resp := &ex.Response
	a.call.Answered = ex.Tick()
	a.idle = a.call.Answered
	none := ex.Request.Method == "HEAD" || bodiless(status)
	if status == 204 && (f.chunked || f.length > 0) {
		return errNoContent
	}
	a.keep = !f.close && (!old || f.keepAlive)
	length := f.length
	if none {
		f.chunked, f.length = false, 0
	}
	if f.hosts > 0 || f.expect || f.otherwise {
		f.hosts = 0 // request fields: not passed on, and nothing depends on them
	}
	if f.stripLater {
		dropConnectionFields(&resp.Header, f.named)
	}
	if none && length >= 0 && status != 204 {
		resp.Header.Add("Content-Length", formatLength(length))
	}
	a.body.start(&a.conn.in, f, true, &resp.Trailer)
	if a.body.framing == framedClose {
		a.keep = false
	}
	resp.Status, resp.Source = status, policy.SourceUpstream
	if a.sender != nil {
		a.sender.heard()
	}
	if a.sender != nil && (status >= 300 || !a.keep) {
		a.sender.stop()
		a.keep = a.keep && a.sender.err == nil
		a.sender = nil
	}
	if a.body.done {
		a.finish(true)
		return nil
	}
	resp.Body.SetStream(a, a.body.length())
	return nil
}

// switched takes in a 101.
func (a *attempt) switched() error {
	if a.ex.Request.Upgrade == "" || !a.facts.upgrading || !policy.EqualName(a.facts.upgrade, a.ex.Request.Upgrade) {
		return errSwitched
	}
	resp := &a.ex.Response
	dropConnectionFields(&resp.Header, a.facts.named)
	resp.Status, resp.Source = 101, policy.SourceUpstream
	u := a.conn
	_ = u.nc.SetDeadline(time.Time{})
	resp.Tunnel = &upstreamSide{Conn: u.nc, a: a, u: u}
	return nil
}

// upstreamSide is the upstream's end of a tunnel.
type upstreamSide struct {
	net.Conn
	a *attempt
	u *upstream
}

// Read reads what was read ahead, then the connection.
func (s *upstreamSide) Read(p []byte) (int, error) { return s.u.in.read(p) }

// CloseWrite ends the direction to the upstream.
func (s *upstreamSide) CloseWrite() error { return closeWrite(s.Conn) }

// Close closes the connection and ends the call.
func (s *upstreamSide) Close() error {
	err := s.Conn.Close()
	s.a.finishTunnel(s.u)
	return err
}
