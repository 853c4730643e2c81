package http1

import (
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// within is the state of serving requests from within the wait for them, which
// is how nearly all are served: whole heads without content, one after the other
// on a kept connection. The wait then goes on as if nothing had happened. Against
// leaving it for each request that spares one read that finds nothing, and taking
// and giving back the socket's locks three times, which had 2 % of the samples
// of a managed request.
type within struct {
	idle   bool    // what is waited for is a request, and not more of one
	active bool    // serving
	fd     uintptr // while active
	// What has ended the wait: a request that needs to read more than its head,
	// or the connection's end.
	ex   *policy.Exchange
	m    *malformed
	over bool
}

// stopped reports whether the wait was ended on purpose.
func (w *within) stopped() bool { return w.ex != nil || w.over }

// serveWithin serves what is buffered and reports whether the next request is to
// be waited for. Where it is false and within has not been stopped, nothing was
// done.
func (c *conn) serveWithin(fd uintptr) bool {
	buf := c.in.bytes()
	if !c.within.idle || !tokens[buf[0]] || c.phase.Load() == phaseClosed {
		return false
	}
	if n, m := c.findHead(buf, true); m != nil || n < len(buf) {
		return false
	}
	c.served++
	ex, m := c.open(len(buf), nil)
	if m != nil || !c.body.body.done || ex.Request.Upgrade != "" {
		c.within.ex, c.within.m = ex, m
		return false
	}
	ex.SetRecent(ex.Start) // the head has come at once
	c.within.active, c.within.fd = true, fd
	keep := c.work(ex, nil)
	c.within.active = false
	c.first = time.Time{}
	if keep {
		c.phase.Store(phaseIdle)
	}
	if !keep || c.srv.draining.Load() {
		c.within.over = true
		return false
	}
	c.boundIdle()
	return true
}

// goOn goes on where the wait was stopped, and reports whether the connection
// can be used further.
func (c *conn) goOn() bool {
	ex, m := c.within.ex, c.within.m
	c.within.ex, c.within.m = nil, nil
	if ex != nil {
		return c.settle(c.work(ex, m), m)
	}
	return c.settle(false, nil)
}
