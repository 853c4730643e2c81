// Package tracing carries the W3C trace context through the gateway and exports
// spans of sampled requests by OTLP. It makes spans when a request is over, from
// what the exchange says; a request that is not sampled costs the parsing of one
// header and a random number. It knows neither the transports nor the policies.
//
// Baggage needs nothing of it: it is passed on as any other header field.
package tracing

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var SchemaDoc

// Config is the trace section of the gateway's file. With the zero value no span
// is made, and the context of clients is passed on.
type Config struct {
	// Endpoint takes OTLP over HTTP, such as http://collector:4318/v1/traces.
	Endpoint string `json:"endpoint,omitempty" schema:"format=uri"`
	// Headers are sent with each export, such as Authorization, best as env:NAME or
	// file:PATH.
	Headers map[string]schema.Secret `json:"headers,omitempty"`
	// Sample is the share of new traces that are recorded.
	Sample float64 `json:"sample,omitempty" schema:"min=0,max=1"`
	// IgnoreParent makes Sample decide for traces that clients began too, for
	// gateways whose clients are not trusted to choose.
	IgnoreParent bool `json:"ignoreParent,omitempty"`
	// Service is the service.name of the spans; the default is gatehouse-gateway.
	Service string `json:"service,omitempty"`
	// Flush is how long a span may wait; the default is 2s.
	Flush unit.Duration `json:"flush,omitempty"`
	// Timeout bounds one export; the default is 10s.
	Timeout unit.Duration `json:"timeout,omitempty"`
}

// Validate returns every field at fault. Pointers are relative to the section.
func (c Config) Validate() []problem.Field {
	var fields []problem.Field
	if c.Endpoint != "" {
		if u, err := url.Parse(c.Endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			fields = append(fields, problem.Field{Pointer: "/endpoint", Code: "format", Detail: "must be an http or https address, such as http://collector:4318/v1/traces"})
		}
	} else if c.Sample > 0 {
		fields = append(fields, problem.Field{Pointer: "/endpoint", Code: "required", Detail: "name the address that takes the spans, or remove sample"})
	}
	if !(c.Sample >= 0 && c.Sample <= 1) {
		fields = append(fields, problem.Field{Pointer: "/sample", Code: "range", Detail: "must be between 0 and 1"})
	}
	for name, v := range c.Headers {
		if !policy.ValidName(name) || !policy.ValidValue(v.Reveal()) {
			fields = append(fields, problem.Field{Pointer: "/headers", Code: "format", Detail: fmt.Sprintf("%q is no valid header field", name)})
		}
	}
	return fields
}

const (
	maxQueue = 8192 // spans that wait; more are dropped and counted
	maxBatch = 512
)

// Tracer decides what is sampled and exports spans. All methods may be called at
// the same time.
type Tracer struct {
	c        Config
	client   *exporter // nil = no export
	resource *resourcepb.Resource
	log      *slog.Logger

	mu    sync.Mutex
	queue []*tracepb.Span
	wake  chan struct{}
	full  chan struct{}

	exported, dropped, failed atomic.Int64
}

// New returns a tracer. Spans leave it while [Tracer.Run] runs.
func New(c Config, gateway, version string, log *slog.Logger) (*Tracer, error) {
	if fields := c.Validate(); len(fields) > 0 {
		return nil, problem.Invalid("the trace configuration is invalid", fields...)
	}
	if c.Service == "" {
		c.Service = "gatehouse-gateway"
	}
	if c.Flush == 0 {
		c.Flush = unit.Duration(2 * time.Second)
	}
	if c.Timeout == 0 {
		c.Timeout = unit.Duration(10 * time.Second)
	}
	t := &Tracer{c: c, log: log, wake: make(chan struct{}, 1), full: make(chan struct{}, 1), resource: &resourcepb.Resource{
		Attributes: []*commonpb.KeyValue{text("service.name", c.Service), text("service.instance.id", gateway), text("service.version", version)},
	}}
	if c.Endpoint != "" {
		t.client = newExporter(c)
	}
	return t, nil
}

// Start gives an exchange its place in a trace: that of the client where its
// context is valid, else a new one. It is called once the request header is
// there.
func (t *Tracer) Start(ex *policy.Exchange) {
	h, tr := &ex.Request.Header, &ex.Trace
	binary.BigEndian.PutUint64(tr.SpanID[:], rand.Uint64()|1)
	value, parents, state := "", 0, false
	for _, f := range h.Fields() { // one pass for both
		switch len(f.Name) {
		case len("traceparent"):
			if policy.EqualName(f.Name, "traceparent") {
				value, parents = f.Value, parents+1
			}
		case len("tracestate"):
			state = state || policy.EqualName(f.Name, "tracestate")
		}
	}
	if parents == 1 {
		var sampled, ok bool
		if tr.TraceID, tr.Parent, sampled, ok = Parse(value); ok {
			tr.State = ""
			if state {
				tr.State = State(h)
			}
			tr.Sampled = sampled
			if t.c.IgnoreParent {
				tr.Sampled = t.sample(tr.TraceID)
			}
			return
		}
	}
	binary.BigEndian.PutUint64(tr.TraceID[:8], rand.Uint64())
	binary.BigEndian.PutUint64(tr.TraceID[8:], rand.Uint64()|1)
	tr.Parent, tr.State, tr.Sampled = [8]byte{}, "", t.sample(tr.TraceID)
}

// sample decides by the trace id, so that all gateways decide alike.
func (t *Tracer) sample(id [16]byte) bool {
	switch {
	case t.client == nil || t.c.Sample <= 0:
		return false
	case t.c.Sample >= 1:
		return true
	}
	return float64(binary.BigEndian.Uint64(id[8:])>>11)/(1<<53) < t.c.Sample
}

// Inject sets the header fields by which an upstream continues the trace. Attempt
// counts from 0; each has a span of its own where the trace is sampled.
func (t *Tracer) Inject(ex *policy.Exchange, attempt int) {
	span := ex.Trace.SpanID
	if ex.Trace.Sampled && t.client != nil {
		span = AttemptSpan(&ex.Trace, attempt)
	}
	var b [55]byte
	ex.Request.Header.Set("traceparent", string(AppendParent(b[:0], &ex.Trace, span)))
	if ex.Trace.State != "" {
		ex.Request.Header.Set("tracestate", ex.Trace.State)
	} else {
		ex.Request.Header.Del("tracestate")
	}
}

// AttemptSpan returns the id of the span of an attempt, counted from 0. It is
// made from that of the gateway, so that it need not be kept.
func AttemptSpan(tr *policy.Trace, attempt int) (id [8]byte) {
	return derive(tr, uint64(attempt)+1)
}

// derive mixes a number into the gateway's span id (splitmix64, Steele et al.,
// "Fast splittable pseudorandom number generators", 2014).
func derive(tr *policy.Trace, n uint64) (id [8]byte) {
	z := binary.BigEndian.Uint64(tr.SpanID[:]) + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	if z ^= z >> 31; z == 0 {
		z = n
	}
	binary.BigEndian.PutUint64(id[:], z)
	return id
}

// Stats returns how many spans were exported, and how many were lost because too
// many were waiting or the collector did not take them.
func (t *Tracer) Stats() (exported, dropped int64) {
	return t.exported.Load(), t.dropped.Load() + t.failed.Load()
}

func (t *Tracer) add(spans ...*tracepb.Span) {
	t.mu.Lock()
	n := len(t.queue)
	if n+len(spans) > maxQueue {
		t.mu.Unlock()
		t.dropped.Add(int64(len(spans)))
		return
	}
	t.queue = append(t.queue, spans...)
	t.mu.Unlock()
	if n == 0 {
		signal(t.wake)
	}
	if n < maxBatch && n+len(spans) >= maxBatch {
		signal(t.full)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run exports spans until ctx ends, and then what is left, for at most the
// timeout of one export.
func (t *Tracer) Run(ctx context.Context) error {
	if t.client == nil {
		<-ctx.Done()
		return nil
	}
	timer := time.NewTimer(time.Duration(t.c.Flush))
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.wake:
			timer.Reset(time.Duration(t.c.Flush))
			select {
			case <-ctx.Done():
			case <-timer.C:
			case <-t.full:
			}
			if ctx.Err() == nil {
				t.export(ctx)
			}
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(t.c.Timeout))
	defer cancel()
	t.export(last)
	return nil
}

func (t *Tracer) export(ctx context.Context) {
	t.mu.Lock()
	spans := t.queue
	t.queue = nil
	t.mu.Unlock()
	for len(spans) > 0 {
		n := min(len(spans), maxBatch)
		err := t.client.upload(ctx, &tracepb.ResourceSpans{
			Resource:   t.resource,
			ScopeSpans: []*tracepb.ScopeSpans{{Scope: &commonpb.InstrumentationScope{Name: "gatehouse/gateway"}, Spans: spans[:n]}},
		})
		if err != nil {
			t.failed.Add(int64(n))
			t.log.Warn("exporting spans", "spans", n, "err", err)
		} else {
			t.exported.Add(int64(n))
		}
		spans = spans[n:]
	}
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: value}}}
}
