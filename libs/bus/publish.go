package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse/gatehouse/libs/contract"
)

// The names of what NATS stores for us.
const (
	streamEvents = "EVENTS"
	streamDead   = "DEAD"
	bucketLeases = "LEASES"
)

// Publish sends an event and returns when NATS has stored it. While NATS is
// away it waits and tries again until ctx ends; however often it was sent,
// consumers see it once, unless its sender tries for longer than five minutes.
//
// A service that changes its database uses the outbox of libs/db instead, so
// that change and event are one.
func Publish[E Event](ctx context.Context, b *Bus, event E) error {
	m, err := Encode(ctx, event)
	if err != nil {
		return err
	}
	return b.Send(ctx, m)
}

// Send publishes a message that was encoded before. Sending it twice is
// harmless.
func (b *Bus) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.Metadata.ID == "" {
		return fmt.Errorf("publishing %s: the message has no id", m.Subject)
	}
	err := b.store(ctx, streamEvents, &nats.Msg{Subject: m.Subject, Header: m.Metadata.header(), Data: m.Body})
	if errors.Is(err, nats.ErrMaxPayload) {
		err = fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	b.metrics.events.WithLabelValues(outcome(err, "published", "unpublished")).Inc()
	return err
}

func (m Message) check() error {
	if _, err := tokens(m.Subject, contract.Events, 3, false); err != nil {
		return fmt.Errorf("publishing an event: %w", err)
	}
	return nil
}

// store publishes into a stream, which it makes where it is missing.
func (b *Bus) store(ctx context.Context, stream string, m *nats.Msg) error {
	same := func(s string) bool { return s == m.Subject }
	return b.persist(ctx, "publishing "+m.Subject, same, func(ctx context.Context) error {
		// Looked at once: where somebody listens to the subject, NATS does not say
		// that there is no stream, and the receipt is waited for in vain.
		if !b.thereIs(stream) {
			var p *PermissionError // who may not look may still publish
			if err := b.ensureStream(ctx, stream); err != nil && !errors.As(err, &p) {
				return err
			}
		}
		_, err := b.js.PublishMsg(ctx, m, jetstream.WithExpectStream(stream), jetstream.WithRetryAttempts(0))
		b.setThere(stream, err == nil)
		return err
	})
}

func (b *Bus) thereIs(stream string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.there[stream]
}

func (b *Bus) setThere(stream string, there bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.there[stream] = there
}

// ensureStream makes a stream where it is missing. One that is there is left as
// it is: the operator may have given it more replicas or other limits.
func (b *Bus) ensureStream(ctx context.Context, name string) error {
	return b.ensureStreamAs(ctx, b.streamConfig(name))
}

func (b *Bus) ensureStreamAs(ctx context.Context, config jetstream.StreamConfig) error {
	name := config.Name
	ctx, done := b.guard(ctx, func(s string) bool { return strings.HasPrefix(s, "$JS.API.STREAM.") && strings.HasSuffix(s, "."+name) })
	defer done()
	_, err := b.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err = b.js.CreateStream(ctx, config); errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			err = nil // another service was faster
		}
	}
	var p *PermissionError
	if err != nil && errors.As(context.Cause(ctx), &p) {
		return p
	}
	return err
}

func (b *Bus) streamConfig(name string) jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name:       name,
		Subjects:   []string{contract.Events + "*.*.*"},
		Storage:    jetstream.FileStorage,
		Replicas:   max(b.opt.Replicas, 1),
		MaxAge:     7 * 24 * time.Hour,
		MaxBytes:   1 << 30,
		Duplicates: 5 * time.Minute,
		Discard:    jetstream.DiscardOld,
	}
	switch name {
	case streamTraffic:
		// What was collected goes; what was not is kept until there is no room, and
		// then nothing more is taken, so that no record is lost unseen.
		c.Subjects, c.MaxAge, c.MaxBytes = []string{trafficPrefix + "*.*.*"}, 0, trafficBytes
		c.Retention, c.Discard, c.Duplicates = jetstream.WorkQueuePolicy, jetstream.DiscardNew, trafficWindow
	case streamDead:
		c.Subjects, c.MaxAge, c.MaxBytes = []string{deadPrefix + "*.*"}, 30*24*time.Hour, 256<<20
	}
	return c
}

func outcome(err error, good, bad string) string {
	if err == nil {
		return good
	}
	return bad
}
