package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/gatehouse/gatehouse/libs/contract"
)

// Listen hands every new event of one kind to handle, in this replica and in
// every other one that listens, until ctx ends or the bus is closed; then it
// returns nil. It is for what a replica keeps in memory. Nothing is stored and
// nothing is tried again: what is published while the connection is away is
// missed, and an event may come twice.
//
// So missed is called each time that events may have passed by: once the
// subscription stands, whenever the connection is back, and when this replica
// was too slow. It is where everything kept is thrown away or asked for again.
// handle and missed are never called at the same time, and must return quickly.
//
// It returns an error only where it could never work, such as a
// [PermissionError].
func Listen[E Event](ctx context.Context, b *Bus, handle func(context.Context, E), missed func()) error {
	var zero E
	subject := zero.Subject()
	if _, err := tokens(subject, contract.Events, 3, true); err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	l := &listener{b: b, subject: subject, missed: missed, handle: func(ctx context.Context, m *nats.Msg) error {
		var e E
		if err := json.Unmarshal(m.Data, &e); err != nil {
			return fmt.Errorf("decoding: %w", err)
		}
		handle(ctx, e)
		return nil
	}}
	if !b.begin() {
		return fmt.Errorf("listening to %s: %w", subject, ErrClosed)
	}
	defer b.working.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.stop, cancel)()
	if err := l.run(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("listening to %s: %w", subject, err)
	}
	return nil
}

// listener is one running Listen.
type listener struct {
	b       *Bus
	subject string
	handle  func(context.Context, *nats.Msg) error
	missed  func()
	sub     *nats.Subscription

	mu      sync.Mutex // one call at a time
	dropped int
}

func (l *listener) run(ctx context.Context) error {
	gctx, done := l.b.guard(ctx, func(s string) bool { return s == l.subject })
	defer func() { done() }()
	var err error
	if l.sub, err = l.b.nc.Subscribe(l.subject, func(m *nats.Msg) { l.one(ctx, m) }); err != nil {
		return err
	}
	defer func() {
		_ = l.sub.Unsubscribe() // fails where the connection is closed
		l.mu.Lock()             // nothing is called any more after Listen has returned
		defer l.mu.Unlock()
		l.missed = func() {}
	}()
	for {
		changed := l.b.changes()
		if l.b.nc.IsConnected() && l.b.nc.FlushTimeout(2*time.Second) == nil {
			l.mu.Lock()
			l.missed()
			l.mu.Unlock()
		}
		select {
		case <-changed:
		case <-gctx.Done():
			if ctx.Err() != nil {
				return nil
			}
			cause := context.Cause(gctx)
			if cause != errLost { //nolint:errorlint // a sentinel of this package
				return cause
			}
			done()
			gctx, done = l.b.guard(ctx, func(s string) bool { return s == l.subject })
		}
	}
}

func (l *listener) one(ctx context.Context, m *nats.Msg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			l.b.log.Error("listening to an event failed", "subject", m.Subject, "err", fmt.Errorf("panic: %v\n%s", r, debug.Stack()))
		}
	}()
	if n, err := l.sub.Dropped(); err == nil && n != l.dropped {
		l.dropped = n
		l.missed()
	}
	if err := l.handle(WithMetadata(ctx, metadataFrom(m.Header)), m); err != nil {
		l.b.log.Warn("listened to an event that cannot be read", "subject", m.Subject, "err", err)
	}
}
