package http1

import (
	"context"
	"time"
)

const (
	watchEvery = 100 * time.Millisecond
	// An exchange is looked at when it has lasted so long, and then at growing
	// intervals up to the longest.
	watchAfter   = 200 * time.Millisecond
	watchLongest = 2 * time.Second
)

// watched is what the watcher remembers of an exchange.
type watched struct {
	next  time.Time
	pause time.Duration
}

// watch looks for clients that have left and for exchanges whose total time is
// over. One goroutine does so for all connections, since nearly all exchanges
// end before they are worth a look. It ends when there is no connection.
func (s *Server) watch() {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	var due []*conn
	for {
		var now time.Time
		select {
		case now = <-t.C:
		case <-s.quit:
			now = <-t.C // exchanges under way are still watched
		}
		due = due[:0]
		before := now.Add(-watchAfter).UnixNano()
		s.mu.Lock()
		if len(s.conns) == 0 {
			s.watching = false
			s.mu.Unlock()
			return
		}
		for c := range s.conns {
			if since := c.since.Load(); since != 0 && since <= before {
				due = append(due, c)
			}
		}
		s.mu.Unlock()
		for i, c := range due {
			c.check(now)
			due[i] = nil
		}
	}
}

// check looks after the exchange under way, if there still is one.
func (c *conn) check(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := c.since.Load()
	if c.ex == nil || since == 0 || c.gone || now.UnixNano()-since < int64(watchAfter) {
		return
	}
	if c.lim.Total > 0 && !c.expired && !c.endless.Load() && now.UnixNano()-since > int64(c.lim.Total) {
		c.expired = true
		c.ctx.cancel(context.DeadlineExceeded)
		c.ex.Cancel()
		c.body.Interrupt()
		if c.writing.Load() {
			_ = c.nc.SetWriteDeadline(time.Unix(1, 0))
		}
	}
	if now.Before(c.watched.next) {
		return
	}
	c.watched.pause = min(c.watched.pause+c.watched.pause/2+watchAfter, watchLongest)
	c.watched.next = now.Add(c.watched.pause)
	// A client that has more to send may end its side early; the body's reader
	// will see that.
	if c.sock != nil && hasLeft(c.sock, c.body.left.Load() == 0) {
		c.gone = true
		c.ctx.cancel(context.Canceled)
		c.ex.Cancel()
	}
}
