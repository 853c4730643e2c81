package bus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Headers of messages. The message id has the name by which JetStream knows it.
const (
	headerID         = "Nats-Msg-Id"
	headerTime       = "Gatehouse-Time"
	headerActor      = "Gatehouse-Actor"
	headerTimeout    = "Gatehouse-Timeout"
	headerProblem    = "Gatehouse-Problem"
	headerError      = "Gatehouse-Error"
	headerSubject    = "Gatehouse-Subject"
	headerDeliveries = "Gatehouse-Deliveries"
	headerParent     = "traceparent"
	headerState      = "tracestate"
)

// Event is what has happened: a plain struct of a contract package that says
// its subject by [contract.Event]. The subject of its zero value is that of the
// event for all tenants.
type Event interface{ Subject() string }

// Metadata is what travels with a message, beside its body.
type Metadata struct {
	// ID is the id of an event, the same however often it is delivered.
	ID string
	// Time is when the event happened, in UTC.
	Time time.Time
	// Actor is who caused it, as the services write it in audit trails.
	Actor string
	// TraceParent and TraceState are the trace that it belongs to (W3C Trace
	// Context).
	TraceParent, TraceState string
	// Delivery counts the deliveries of an event to one durable, from 1.
	Delivery int
}

type metadataKey struct{}

// WithMetadata returns a context whose actor and trace go with what is
// published, asked and forwarded under it.
func WithMetadata(ctx context.Context, m Metadata) context.Context {
	return context.WithValue(ctx, metadataKey{}, m)
}

// MetadataOf returns what came with the event or request being handled, or what
// was set by [WithMetadata].
func MetadataOf(ctx context.Context) Metadata {
	m, _ := ctx.Value(metadataKey{}).(Metadata)
	return m
}

// Message is an encoded event, as an outbox keeps it until it is sent.
type Message struct {
	// Subject is where it goes.
	Subject string
	// Metadata goes into its header. ID and Time are set.
	Metadata Metadata
	// Body is the event as JSON.
	Body []byte
}

// Encode returns an event as a message. Its actor and trace are those of ctx;
// its id and time are new. It fails for an event without a tenant.
func Encode(ctx context.Context, event Event) (Message, error) {
	m := Message{Subject: event.Subject(), Metadata: MetadataOf(ctx)}
	if err := m.check(); err != nil {
		return Message{}, err
	}
	body, err := json.Marshal(event)
	if err != nil {
		return Message{}, fmt.Errorf("encoding event %s: %w", m.Subject, err)
	}
	m.Body, m.Metadata.ID, m.Metadata.Time, m.Metadata.Delivery = body, rand.Text(), time.Now().UTC(), 0
	return m, nil
}

func (m Metadata) header() nats.Header {
	h := nats.Header{}
	for _, f := range [...]struct{ k, v string }{
		{headerID, m.ID}, {headerActor, m.Actor}, {headerParent, m.TraceParent}, {headerState, m.TraceState},
	} {
		if f.v != "" {
			h[f.k] = []string{f.v}
		}
	}
	if !m.Time.IsZero() {
		h[headerTime] = []string{m.Time.UTC().Format(time.RFC3339Nano)}
	}
	return h
}

func metadataFrom(h nats.Header) Metadata {
	t, _ := time.Parse(time.RFC3339Nano, h.Get(headerTime)) // zero where it was not sent
	return Metadata{ID: h.Get(headerID), Time: t, Actor: h.Get(headerActor), TraceParent: h.Get(headerParent), TraceState: h.Get(headerState)}
}
