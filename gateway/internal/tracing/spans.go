package tracing

import (
	"net"
	"strconv"
	"strings"
	"time"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// Facts are what the record says of an exchange that is over.
type Facts struct {
	// Status is the status as it is recorded.
	Status int
	// ErrorCode is the code of the problem that was answered, or "".
	ErrorCode string
	// Verdicts get a span each where Policies is set.
	Verdicts []traffic.Verdict
	Policies bool
}

// Done exports the spans of an exchange that is over: one for the request, one
// for each attempt to reach the upstream, and one for each policy where asked
// for. It does nothing where the trace is not sampled. Queries and headers are
// left out, since they may hold secrets.
func (t *Tracer) Done(ex *policy.Exchange, f Facts) {
	if !ex.Trace.Sampled || t.client == nil {
		return
	}
	spans := make([]*tracepb.Span, 0, 1+len(ex.Outcome.Attempts)+len(f.Verdicts))
	spans = append(spans, server(ex, f))
	for i := range ex.Outcome.Attempts {
		spans = append(spans, attempt(ex, i))
	}
	if f.Policies {
		for i := range f.Verdicts {
			spans = append(spans, verdict(ex, i, &f.Verdicts[i]))
		}
	}
	t.add(spans...)
}

// server follows the OpenTelemetry semantic conventions for HTTP servers.
func server(ex *policy.Exchange, f Facts) *tracepb.Span {
	req := &ex.Request
	method := methodName(req.Method)
	a := []*commonpb.KeyValue{
		text("http.request.method", method), text("url.scheme", req.Scheme), text("url.path", req.Path),
		text("server.address", req.Host), number("http.response.status_code", int64(f.Status)),
		text("network.protocol.version", protocol(req.Proto)), text("gatehouse.request.id", ex.ID),
		number("http.request.body.size", ex.Outcome.RequestBytes), number("http.response.body.size", ex.Outcome.ResponseBytes),
	}
	if method == "_OTHER" {
		a = append(a, text("http.request.method_original", req.Method))
	}
	if req.Client.IsValid() {
		a = append(a, text("client.address", req.Client.String()))
	}
	if agent, ok := req.Header.Lookup("User-Agent"); ok {
		a = append(a, text("user_agent.original", agent))
	}
	name := method
	if method == "_OTHER" {
		name = "HTTP"
	}
	if r := ex.Route; r != nil {
		a = append(a, text("gatehouse.api", r.API), number("gatehouse.revision", int64(r.Revision)))
		if r.Template != "" {
			a = append(a, text("http.route", r.Template))
			name += " " + r.Template
		}
	}
	if id := ex.Caller.ApplicationID(); id != "" {
		a = append(a, text("gatehouse.application", id))
	}
	if ex.Outcome.Policy != "" {
		a = append(a, text("gatehouse.policy", ex.Outcome.Policy))
	}
	s := span(ex, ex.Trace.SpanID, ex.Trace.Parent, name, tracepb.Span_SPAN_KIND_SERVER, 0, ex.Outcome.End.Sub(ex.Start), a)
	s.TraceState = ex.Trace.State
	if f.Status >= 500 || f.Status == 0 {
		fail(s, first(f.ErrorCode, strconv.Itoa(f.Status)))
	} else if f.ErrorCode != "" {
		s.Attributes = append(s.Attributes, text("gatehouse.error.code", f.ErrorCode))
	}
	return s
}

// attempt follows those for HTTP clients.
func attempt(ex *policy.Exchange, i int) *tracepb.Span {
	at := &ex.Outcome.Attempts[i]
	method := methodName(ex.Request.Method)
	a := []*commonpb.KeyValue{text("http.request.method", method)}
	if host, port, err := net.SplitHostPort(at.Target); err == nil {
		a = append(a, text("server.address", host))
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			a = append(a, number("server.port", int64(n)))
		}
	} else {
		a = append(a, text("server.address", at.Target))
	}
	if at.Status != 0 {
		a = append(a, number("http.response.status_code", int64(at.Status)))
	}
	if i > 0 {
		a = append(a, number("http.request.resend_count", int64(i)))
	}
	s := span(ex, AttemptSpan(&ex.Trace, i), ex.Trace.SpanID, method, tracepb.Span_SPAN_KIND_CLIENT, at.Start, at.Duration, a)
	switch {
	case at.Error != "":
		kind, _, _ := strings.Cut(at.Error, ":") // what follows may quote anything
		fail(s, kind)
	case at.Status >= 400:
		fail(s, strconv.Itoa(at.Status))
	}
	return s
}

func verdict(ex *policy.Exchange, i int, v *traffic.Verdict) *tracepb.Span {
	s := span(ex, derive(&ex.Trace, 1<<32+uint64(i)), ex.Trace.SpanID, "policy "+v.Type, tracepb.Span_SPAN_KIND_INTERNAL, v.Start, v.Duration,
		[]*commonpb.KeyValue{
			text("gatehouse.policy", v.Policy), text("gatehouse.policy.type", v.Type), text("gatehouse.policy.level", v.Level),
			text("gatehouse.policy.phase", v.Phase), text("gatehouse.policy.outcome", string(v.Outcome)),
		})
	if v.Outcome == traffic.Error {
		fail(s, "policy-failed")
	}
	return s
}

func span(ex *policy.Exchange, id, parent [8]byte, name string, kind tracepb.Span_SpanKind, start, took time.Duration, a []*commonpb.KeyValue) *tracepb.Span {
	begin := uint64(ex.Start.Add(start).UnixNano())
	trace := ex.Trace.TraceID
	s := &tracepb.Span{
		TraceId: trace[:], SpanId: id[:], Name: name, Kind: kind, Attributes: a,
		StartTimeUnixNano: begin, EndTimeUnixNano: begin + uint64(max(0, took)),
	}
	if parent != [8]byte{} {
		s.ParentSpanId = parent[:]
	}
	return s
}

func fail(s *tracepb.Span, kind string) {
	s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
	s.Attributes = append(s.Attributes, text("error.type", kind))
}

func methodName(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		return m
	}
	return "_OTHER"
}

func protocol(p string) string {
	switch v := strings.TrimPrefix(p, "HTTP/"); v {
	case "2.0":
		return "2"
	default:
		return v
	}
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
