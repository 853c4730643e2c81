package http1

import (
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// attempt is one call under way, from the request to the last byte of the
// response, whose body it is. It belongs to its exchange and is used for all
// calls of that, one after the other; so closing a body twice harms nobody.
type attempt struct {
	client    *Client
	ex        *policy.Exchange
	call      *transport.Call
	facts     facts
	body      body
	keep      bool // the upstream keeps the connection
	whole     bool // all of the request was in memory, and could be sent again
	heard     bool // bytes of a response have come
	announced bool // the request has a Trailer field
	sender    *sender
	out       output
	err       error // how reading the body failed

	deadline time.Time
	idle     time.Time // since when the connection is, if nothing is waited for any more
	canceled atomic.Bool

	mu     sync.Mutex // guards conn against Cancel and finishTunnel
	conn   *upstream
	active bool
}

var (
	_ policy.Canceler = (*attempt)(nil)
	_ io.ReadCloser   = (*attempt)(nil)
)

func (a *attempt) begin(c *Client, ex *policy.Exchange, call *transport.Call) {
	a.client, a.ex, a.call = c, ex, call
	a.keep, a.sender, a.err = false, nil, nil
	a.deadline, a.idle = call.Deadline, time.Time{}
	lower(&a.canceled)
	if a.body.ready == nil {
		a.body.ready = a.ready
	}
	a.active = true // nobody else looks at it while there is no connection
}

// attach makes u the connection of the call, unless it was cancelled.
func (a *attempt) attach(u *upstream) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.conn = u
	return !a.canceled.Load()
}

// detach gives the connection back, or closes it.
func (a *attempt) detach(keep bool) {
	a.mu.Lock()
	u := a.conn
	a.conn = nil
	a.mu.Unlock()
	if u != nil {
		a.client.pool.put(u, keep && !a.canceled.Load(), a.idle)
	}
}

// Cancel ends the call from another goroutine: the client has left.
func (a *attempt) Cancel() {
	a.canceled.Store(true)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != nil {
		_ = a.conn.nc.Close()
	}
}

// finish ends the call. Whole says that the response was read to its end.
func (a *attempt) finish(whole bool) {
	if !a.active {
		return
	}
	if s := a.sender; s != nil {
		s.stop()
		a.keep = a.keep && s.err == nil
		a.sender = nil
	}
	a.mu.Lock()
	u, ended := a.conn, a.active
	a.conn, a.active = nil, false
	a.mu.Unlock()
	if u != nil {
		a.client.pool.put(u, whole && a.keep && !a.canceled.Load(), a.idle)
	}
	if ended {
		a.client.inFlight.Add(-1)
	}
}

// finishTunnel ends the call whose connection became a tunnel.
func (a *attempt) finishTunnel(u *upstream) {
	a.mu.Lock()
	mine := a.conn == u && a.active
	if mine {
		a.active, a.conn = false, nil
	}
	a.mu.Unlock()
	if mine {
		a.client.inFlight.Add(-1)
		a.client.pool.put(u, false, time.Time{})
	}
}

// Read reads the response body. The connection is given back with its last
// byte.
func (a *attempt) Read(p []byte) (int, error) {
	switch {
	case a.err != nil:
		return 0, a.err
	case a.body.done:
		return 0, io.EOF
	case a.conn == nil:
		return 0, os.ErrClosed
	}
	n, err := a.body.read(p)
	if err == nil {
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		a.finish(true)
		return n, io.EOF
	}
	a.err = a.explain(err)
	a.finish(false)
	return n, a.err
}

// explain makes a problem of what went wrong within a response body.
func (a *attempt) explain(err error) error {
	var m *malformed
	switch {
	case a.canceled.Load():
		return problem.New(problem.CodeClientClosed, "").Because(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem.New(problem.CodeUpstreamTimeout, "the upstream stopped sending").Because(err)
	case errors.As(err, &m):
		return problem.New(problem.CodeUpstreamInvalid, "the upstream's content is malformed").Because(err)
	}
	return problem.New(problem.CodeUpstreamInvalid, "the upstream's content ended early").Because(err)
}

// ready prepares for waiting for the upstream's content.
func (a *attempt) ready() error {
	a.idle = time.Time{}
	if a.deadline.IsZero() && a.client.opt.StreamIdle <= 0 {
		a.conn.rd.exact(time.Time{})
		return nil
	}
	now := time.Now()
	if d := a.client.opt.StreamIdle; a.deadline.IsZero() || d > 0 && a.deadline.Sub(now) > d {
		a.conn.rd.after(now, d)
	} else {
		a.conn.rd.exact(a.deadline)
	}
	return nil
}

// Buffered returns how many bytes can be read without waiting, more or less.
func (a *attempt) Buffered() int {
	if a.body.done || a.conn == nil {
		return 0
	}
	return a.conn.in.buffered()
}

// Close ends the call. A body that was not read to its end takes its connection
// with it.
func (a *attempt) Close() error {
	if a.body.done {
		a.finish(true)
	} else {
		a.finish(false)
	}
	return nil
}

// whySilent explains why no response came.
func (a *attempt) whySilent(err error) error {
	if s := a.sender; s != nil {
		s.stop()
		a.sender = nil
		if s.bodyErr != nil {
			return &transport.CallError{Failure: transport.FailedBody, Err: s.bodyErr}
		}
	}
	return err
}

func formatLength(n int64) string { return strconv.FormatInt(n, 10) }
