package tracing_test

import (
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/gatehouse/gatehouse/gateway/internal/tracing"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestParse(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		parent: true,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00":      true,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff":      true,
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      true,
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what": true,
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what": false,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what": false,
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      false,
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01":      false,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01":      false,
		"00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      false,
		"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01":      false,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0":       false,
		"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      false,
		" 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":     false,
		"": false,
	} {
		_, _, _, ok := tracing.Parse(value)
		require.Equal(t, want, ok, value)
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(10, func() { _, _, _, _ = tracing.Parse(parent) }))
}

func TestState(t *testing.T) {
	t.Parallel()
	long := "a=" + strings.Repeat("x", 200)
	for in, want := range map[string]string{
		"": "", "a=1": "a=1", "a=1,b@c=2": "a=1,b@c=2", "a=1, ,b=2": "a=1, ,b=2", "0a@sys=1": "0a@sys=1",
		"A=1": "", "a": "", "a=1,a=2": "", "a=": "", "a=1=2": "", "a=\x01": "", "a@1=2": "",
		strings.Repeat("k=1,", 33): "",
		long + ",b=" + strings.Repeat("y", 100) + ",c=" + strings.Repeat("z", 100) + ",d=" + strings.Repeat("w", 120): "b=" + strings.Repeat("y", 100) + ",c=" + strings.Repeat("z", 100) + ",d=" + strings.Repeat("w", 120),
	} {
		var h policy.Header
		if in != "" {
			h.Add("tracestate", in)
		}
		require.Equal(t, want, tracing.State(&h), in)
	}
	var h policy.Header
	h.Add("tracestate", "a=1")
	h.Add("Tracestate", "b=2")
	require.Equal(t, "a=1, b=2", tracing.State(&h))
}

func FuzzParse(f *testing.F) {
	f.Add(parent)
	f.Add("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x")
	f.Fuzz(func(t *testing.T, s string) {
		trace, span, sampled, ok := tracing.Parse(s)
		var h policy.Header
		h.Add("tracestate", s)
		require.LessOrEqual(t, len(tracing.State(&h)), 512)
		if !ok {
			return
		}
		again := string(tracing.AppendParent(nil, &policy.Trace{TraceID: trace, Sampled: sampled}, span))
		require.Equal(t, s[3:52], again[3:52])
		_, _, sampled2, ok := tracing.Parse(again)
		require.True(t, ok)
		require.Equal(t, sampled, sampled2)
	})
}

// collector is an OTLP receiver.
type collector struct {
	mu    sync.Mutex
	spans []*tracepb.Span
	names []string
	auth  string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b, _ := io.ReadAll(z)
	var req collectorpb.ExportTraceServiceRequest
	if r.URL.Path != "/v1/traces" || proto.Unmarshal(b, &req) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.auth = r.Header.Get("Authorization")
	for _, rs := range req.GetResourceSpans() {
		for _, a := range rs.GetResource().GetAttributes() {
			c.names = append(c.names, a.GetKey()+"="+a.GetValue().GetStringValue())
		}
		for _, ss := range rs.GetScopeSpans() {
			c.spans = append(c.spans, ss.GetSpans()...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func exchange() *policy.Exchange {
	start := time.Unix(1_700_000_000, 0)
	ex := &policy.Exchange{ID: "req-1", Start: start}
	ex.Request = policy.Request{Proto: "HTTP/2.0", Method: "GET", Scheme: "https", Host: "api.localhost", Path: "/orders/1", Query: "token=CANARY", Client: netip.MustParseAddr("203.0.113.7")}
	ex.Request.Header.Add("Traceparent", parent)
	ex.Request.Header.Add("Tracestate", "a=1")
	ex.Request.Header.Add("Authorization", "Bearer CANARY")
	ex.Route = &policy.Route{API: "orders", Template: "/orders/{id}", Revision: 3}
	ex.Outcome.End = start.Add(3 * time.Millisecond)
	ex.Outcome.Attempts = []policy.Attempt{
		{Target: "10.0.0.1:9000", Error: "connect: refused CANARY", Start: time.Millisecond, Duration: time.Millisecond},
		{Target: "10.0.0.2:9000", Status: 200, Start: 2 * time.Millisecond, Duration: time.Millisecond},
	}
	return ex
}

func attributes(s *tracepb.Span) map[string]any {
	m := map[string]any{}
	for _, a := range s.GetAttributes() {
		if v := a.GetValue().GetStringValue(); v != "" {
			m[a.GetKey()] = v
		} else {
			m[a.GetKey()] = a.GetValue().GetIntValue()
		}
	}
	return m
}

func TestSpansReachACollector(t *testing.T) {
	t.Parallel() // R9.6
	c := &collector{}
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	tr, err := tracing.New(tracing.Config{
		Endpoint: srv.URL + "/v1/traces", Headers: map[string]schema.Secret{"Authorization": schema.NewSecret("Bearer x")}, Flush: unit.Duration(time.Millisecond),
	}, "gw-1", "1.0", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- tr.Run(ctx) }()

	ex := exchange()
	tr.Start(ex)
	require.True(t, ex.Trace.Sampled, "the client's decision is followed")
	tr.Inject(ex, 1)
	sent := ex.Request.Header.Get("traceparent")
	require.Equal(t, "a=1", ex.Request.Header.Get("tracestate"))
	require.Equal(t, 1, ex.Request.Header.Count("traceparent"))
	tr.Done(ex, tracing.Facts{Status: 200, Policies: true, Verdicts: []traffic.Verdict{{Policy: "p", Type: "api-key", Outcome: traffic.Pass, Start: 1000, Duration: 500}}})
	require.Eventually(t, func() bool { n, _ := tr.Stats(); return n == 4 }, 30*time.Second, time.Millisecond)

	late := exchange()
	tr.Start(late)
	late.Outcome.Attempts = nil
	tr.Done(late, tracing.Facts{Status: 502, ErrorCode: "upstream-unavailable"})
	cancel()
	require.NoError(t, <-done)
	srv.CloseClientConnections()

	c.mu.Lock()
	defer c.mu.Unlock()
	require.Len(t, c.spans, 5, "what was left is exported at the end")
	require.Equal(t, "Bearer x", c.auth)
	require.Contains(t, c.names, "service.name=gatehouse-gateway")
	server, one, two, pol, failed := c.spans[0], c.spans[1], c.spans[2], c.spans[3], c.spans[4]
	require.Equal(t, "GET /orders/{id}", server.GetName())
	require.Equal(t, tracepb.Span_SPAN_KIND_SERVER, server.GetKind())
	require.Equal(t, "a=1", server.GetTraceState())
	require.Equal(t, uint64(3*time.Millisecond), server.GetEndTimeUnixNano()-server.GetStartTimeUnixNano())
	a := attributes(server)
	require.Equal(t, "/orders/{id}", a["http.route"])
	require.Equal(t, "2", a["network.protocol.version"])
	require.EqualValues(t, 200, a["http.response.status_code"])
	require.Equal(t, "203.0.113.7", a["client.address"])
	for _, s := range []*tracepb.Span{one, two, pol} {
		require.Equal(t, server.GetSpanId(), s.GetParentSpanId())
		require.Equal(t, server.GetTraceId(), s.GetTraceId())
	}
	require.Equal(t, tracepb.Status_STATUS_CODE_ERROR, one.GetStatus().GetCode())
	require.Equal(t, "connect", attributes(one)["error.type"])
	require.EqualValues(t, 1, attributes(two)["http.request.resend_count"])
	_, span, _, ok := tracing.Parse(sent)
	require.True(t, ok)
	require.Equal(t, two.GetSpanId(), span[:], "the upstream's parent is the span of its attempt")
	require.Equal(t, "policy api-key", pol.GetName())
	require.Equal(t, "upstream-unavailable", attributes(failed)["error.type"])
	for _, s := range c.spans {
		require.NotContains(t, s.String(), "CANARY")
	}
}

func TestSampling(t *testing.T) {
	t.Parallel()
	tr, err := tracing.New(tracing.Config{Endpoint: "http://127.0.0.1:1/v1/traces", Sample: 0.25, IgnoreParent: true}, "g", "1", slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	n := 0
	for range 10_000 {
		var ex policy.Exchange
		tr.Start(&ex)
		require.NotZero(t, ex.Trace.TraceID)
		require.NotZero(t, ex.Trace.SpanID)
		if ex.Trace.Sampled {
			n++
		}
	}
	require.InDelta(t, 2500, n, 300)
	ex := exchange()
	tr.Start(ex)
	require.False(t, ex.Trace.Sampled, "by the trace id, not by the client")

	two := exchange()
	two.Request.Header.Add("traceparent", parent)
	tr.Start(two)
	require.Zero(t, two.Trace.Parent, "two contexts are none")
	require.Empty(t, two.Trace.State)
	tr.Inject(two, 0)
	require.Equal(t, 1, two.Request.Header.Count("traceparent"))
	require.False(t, two.Request.Header.Has("tracestate"))
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	require.Empty(t, tracing.Config{}.Validate())
	require.Len(t, tracing.Config{Endpoint: "collector:4318", Sample: 2, Headers: map[string]schema.Secret{"a b": {}}}.Validate(), 3)
	require.Len(t, tracing.Config{Sample: 0.5}.Validate(), 1)
}

func BenchmarkUnsampled(b *testing.B) {
	tr, err := tracing.New(tracing.Config{}, "g", "1", slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	for name, header := range map[string]string{"new": "", "continued": parent[:53] + "00"} {
		b.Run(name, func(b *testing.B) {
			var ex policy.Exchange
			for _, h := range []string{"Host", "User-Agent", "Accept", "X-API-Key"} {
				ex.Request.Header.Add(h, "x")
			}
			if header != "" {
				ex.Request.Header.Add("traceparent", header)
			}
			b.ReportAllocs()
			for b.Loop() {
				tr.Start(&ex)
				tr.Done(&ex, tracing.Facts{Status: 200})
			}
		})
	}
}
