package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func (b *Bus) signal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
}

// changes returns a channel that is closed when the connection next comes or
// goes.
func (b *Bus) changes() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// connected waits for NATS.
func (b *Bus) connected(ctx context.Context) error {
	for {
		changed := b.changes()
		if b.nc.IsConnected() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.kill.Done():
			return ErrClosed
		}
	}
}

// errLost says that the connection went while an answer was due, which will not
// come any more.
var errLost = errors.New("the connection to NATS was lost")

// lost ends the waiting for answers that were under way, and all streams, of
// which parts may be lost.
func (b *Bus) lost() {
	b.mu.Lock()
	for w := range b.watches {
		w.cancel(errLost)
	}
	b.mu.Unlock()
	b.dropStreams(errLost)
}

// watch waits for the news that a subject may not be used, which NATS gives
// apart from the call that it concerns, and for the loss of the connection.
type watch struct {
	match  func(subject string) bool
	cancel context.CancelCauseFunc
}

// guard returns a context that ends with a [PermissionError] when NATS refuses
// a subject that match accepts, and with errLost when the connection goes.
func (b *Bus) guard(ctx context.Context, match func(subject string) bool) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{match, cancel}
	b.mu.Lock()
	b.watches[w] = struct{}{}
	b.mu.Unlock()
	return ctx, func() {
		b.mu.Lock()
		delete(b.watches, w)
		b.mu.Unlock()
		cancel(nil)
	}
}

var refused = regexp.MustCompile(`(?i)(publish|subscription) to "([^"]+)"`)

// refusal returns the permission error in an error of NATS, or nil.
func (b *Bus) refusal(err error) *PermissionError {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return nil
	}
	m := refused.FindStringSubmatch(err.Error())
	if m == nil {
		return nil
	}
	return &PermissionError{Service: b.opt.Service, Subject: m[2], Subscribe: m[1][0]|0x20 == 's'}
}

// failed takes the errors that NATS reports apart from any call.
func (b *Bus) failed(s *nats.Subscription, err error) {
	p := b.refusal(err)
	if p == nil {
		subject := ""
		if s != nil {
			subject = s.Subject
		}
		b.log.Warn("NATS reported an error", "err", err, "subject", subject)
		return
	}
	b.log.Error("NATS refused a subject", "err", p)
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.watches {
		if w.match(p.Subject) {
			w.cancel(p)
		}
	}
}

// persist tries until it succeeds, waiting while NATS is away. It gives up when
// ctx ends, when the bus is closed, and on errors that stay.
func (b *Bus) persist(ctx context.Context, what string, denied func(subject string) bool, try func(context.Context) error) error {
	for n := 1; ; n++ {
		if err := b.connected(ctx); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		gctx, done := b.guard(ctx, denied)
		tctx, cancel := context.WithTimeout(gctx, 5*time.Second)
		err := try(tctx)
		var p *PermissionError
		refusedNow := errors.As(context.Cause(gctx), &p)
		cancel()
		done()
		switch {
		case err == nil:
			return nil
		case refusedNow:
			return fmt.Errorf("%s: %w", what, p)
		case lasting(err), ctx.Err() != nil:
			return fmt.Errorf("%s: %w", what, err)
		}
		level := slog.LevelDebug
		if n%10 == 5 { // not a passing thing
			level = slog.LevelWarn
		}
		b.log.Log(ctx, level, "trying again", "what", what, "attempt", n, "err", err)
		select {
		case <-time.After(backoff(n, 20*time.Millisecond, 2*time.Second)):
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(context.Cause(ctx), err))
		case <-b.kill.Done():
			return fmt.Errorf("%s: %w", what, ErrClosed)
		}
	}
}

// lasting reports whether an error will be the same next time.
func lasting(err error) bool {
	for _, e := range []error{ErrClosed, nats.ErrConnectionClosed, nats.ErrMaxPayload, nats.ErrBadSubject, jetstream.ErrInvalidOption, jetstream.ErrInvalidConsumerName} {
		if errors.Is(err, e) {
			return true
		}
	}
	var api *jetstream.APIError // 400 is ours; 404, 408 and 5xx come and go
	return errors.As(err, &api) && api.Code == 400 && api.ErrorCode != jetstream.JSErrCodeStreamNameInUse
}

// backoff returns how long to wait before the n-th attempt after the first,
// doubled each time, with a third of it at random so that replicas part.
func backoff(n int, least, most time.Duration) time.Duration {
	d := most
	if n = max(n, 1) - 1; n < 20 && least<<n < most {
		d = least << n
	}
	return d - rand.N(d/3+1)
}
