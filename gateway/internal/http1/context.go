package http1

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// exchangeContext is the context of exchanges of one connection. Its Done
// channel is made when somebody asks for it, which few do; a context whose
// channel was made is not used for another exchange.
type exchangeContext struct {
	parent   context.Context //nolint:containedctx // this is a context
	deadline time.Time

	used atomic.Bool // there is a channel or an error
	mu   sync.Mutex
	done chan struct{}
	err  error
}

var _ context.Context = (*exchangeContext)(nil)

// Deadline returns the end of the exchange's total time, if it is bounded.
func (c *exchangeContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Done returns a channel that is closed when the client leaves, the total time
// is over, or the exchange ends.
func (c *exchangeContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.used.Store(true)
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err returns why the context is done, or nil.
func (c *exchangeContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Value asks the listener's context.
func (c *exchangeContext) Value(key any) any { return c.parent.Value(key) }

func (c *exchangeContext) cancel(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.used.Store(true)
	c.err = err
	if c.done != nil {
		close(c.done)
	}
}

// end ends the exchange and returns the context for the next one.
func (c *exchangeContext) end() *exchangeContext {
	if !c.used.Load() {
		return c
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = context.Canceled
		close(c.done)
	}
	return &exchangeContext{parent: c.parent}
}
