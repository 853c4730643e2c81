package nethttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// The reasons for which the context of a call is cancelled.
var (
	errConnectTime = errors.New("no connection in time")
	errHeaderTime  = errors.New("no response header in time")
	errDeadline    = errors.New("the time for the whole exchange is over")
	errStreamIdle  = errors.New("silence within the response body")
	errLeft        = errors.New("the client left")
)

type callKey struct{}

// call is one attempt under way.
type call struct {
	client *client
	ex     *policy.Exchange
	tc     *transport.Call
	parent context.Context //nolint:containedctx // that of the exchange
	ctx    context.Context //nolint:containedctx // a call is a request's context
	cancel context.CancelCauseFunc
	stop   context.CancelFunc // of the deadline
	body   *upBody            // nil where nothing streams

	reused, wrote, dialed atomic.Bool

	mu            sync.Mutex // guards what follows
	connect, head *time.Timer
	headerTime    time.Duration
	done          bool // the response header is there, or the call has failed

	once sync.Once
}

func newCall(c *client, ex *policy.Exchange, tc *transport.Call) *call {
	c.inFlight.Add(1)
	k := &call{client: c, ex: ex, tc: tc, headerTime: tc.HeaderTimeout, stop: func() {}}
	k.parent = ex.Context()
	ctx, cancel := context.WithCancelCause(context.WithValue(k.parent, callKey{}, k))
	k.ctx, k.cancel = ctx, cancel
	if !tc.Deadline.IsZero() {
		k.ctx, k.stop = context.WithDeadlineCause(ctx, tc.Deadline, errDeadline)
	}
	if tc.ConnectTimeout > 0 {
		k.connect = time.AfterFunc(tc.ConnectTimeout, func() { cancel(errConnectTime) })
	}
	ex.OnCancel(k)
	return k
}

// Cancel ends the call because the client left, or because the time of the
// exchange is over.
func (k *call) Cancel() {
	if cause := context.Cause(k.parent); cause != nil {
		k.cancel(cause)
		return
	}
	k.cancel(errLeft)
}

// connected stops the clock of getting a connection.
func (k *call) connected() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.connect != nil {
		k.connect.Stop()
	}
}

// requestDone starts the clock of the response header.
func (k *call) requestDone() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.headerTime > 0 && !k.done && k.head == nil {
		k.head = time.AfterFunc(k.headerTime, func() { k.cancel(errHeaderTime) })
	}
}

// headerDone stops the clocks that run up to the response header.
func (k *call) headerDone() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done = true
	for _, t := range [...]*time.Timer{k.connect, k.head} {
		if t != nil {
			t.Stop()
		}
	}
}

// finish ends the call. Nothing of it touches the exchange afterwards.
func (k *call) finish() {
	k.once.Do(func() {
		k.ex.OnCancel(nil)
		k.cancel(nil)
		k.stop()
		if k.body != nil {
			k.body.detach()
		}
		left := k.client.inFlight.Add(-1)
		switch {
		case k.client.pool != nil:
			k.client.pool.changed()
		case left == 0 && k.client.closed.Load():
			k.client.CloseIdle()
		}
	})
}

// upBody is the streamed body of a request on its way up. The library reads it
// on a goroutine of its own, and may do so after the response has ended.
type upBody struct {
	src  io.Reader
	req  *http.Request
	n    atomic.Int64
	err  atomic.Pointer[error] // of reading from the client
	over atomic.Bool
	busy sync.Mutex // held while reading

	mu sync.Mutex // guards ex
	ex *policy.Exchange
}

// Read reads from the client.
func (b *upBody) Read(p []byte) (int, error) {
	b.busy.Lock()
	defer b.busy.Unlock()
	if b.over.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.src.Read(p)
	b.n.Add(int64(n))
	switch {
	case err == nil:
	case err == io.EOF:
		b.mu.Lock()
		if b.ex != nil {
			for name := range b.req.Trailer {
				for v := range b.ex.Request.Trailer.Values(name) {
					b.req.Trailer[name] = append(b.req.Trailer[name], v)
				}
			}
		}
		b.mu.Unlock()
	case !b.over.Load():
		b.err.Store(&err)
	}
	return n, err
}

// Close does nothing: the body belongs to the server's transport.
func (b *upBody) Close() error { return nil }

// consumed reports whether bytes were read.
func (b *upBody) consumed() bool { return b != nil && b.n.Load() > 0 }

// failed returns the error of reading from the client, or nil.
func (b *upBody) failed() error {
	if b == nil {
		return nil
	}
	if err := b.err.Load(); err != nil {
		return *err
	}
	return nil
}

// detach sees to it that no read is under way and that none follows: the
// server's transport is about to use its connection, and the exchange, for
// something else. A read under way is interrupted.
func (b *upBody) detach() {
	b.over.Store(true)
	if !b.busy.TryLock() {
		if i, ok := b.src.(interface{ Interrupt() }); ok {
			i.Interrupt()
		} else if c, ok := b.src.(io.Closer); ok {
			_ = c.Close()
		}
		b.busy.Lock()
	}
	b.busy.Unlock()
	b.mu.Lock()
	b.ex = nil
	b.mu.Unlock()
}
