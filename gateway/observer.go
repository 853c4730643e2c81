package gateway

import (
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/internal/engine"
	"github.com/gatehouse/gatehouse/gateway/internal/listen"
	"github.com/gatehouse/gatehouse/gateway/internal/metrics"
	"github.com/gatehouse/gatehouse/gateway/internal/tracing"
	internaltraffic "github.com/gatehouse/gatehouse/gateway/internal/traffic"
	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/internal/upstream"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// observer writes down what the engine tells: metrics, records, decisions.
type observer struct {
	recorder  *internaltraffic.Recorder
	unmatched *metrics.Route
	tracer    *tracing.Tracer // nil = no spans
	verdicts  sync.Pool
}

func newObserver(r *internaltraffic.Recorder, m *metrics.Metrics, t *tracing.Tracer) *observer {
	o := &observer{recorder: r, unmatched: m.Route(nil), tracer: t}
	o.verdicts.New = func() any { return new([]traffic.Verdict) }
	return o
}

func (o *observer) route(m any) *metrics.Route {
	if r, ok := m.(*metrics.Route); ok {
		return r
	}
	return o.unmatched
}

// Begin counts a request as under way.
func (o *observer) Begin(ex *policy.Exchange, m any) {
	o.route(m).Begin()
	if o.tracer != nil {
		o.tracer.Start(ex)
	}
	ex.SetDetailed(o.recorder.Begin(ex))
}

// End counts a request that is over and records it.
func (o *observer) End(ex *policy.Exchange, ob engine.Observation) {
	status := internaltraffic.StatusOf(ex)
	from, code := internaltraffic.ErrorOf(ex, status)
	total := ex.Outcome.End.Sub(ex.Start)
	o.route(ob.Metrics).Done(status, string(from), total, ex.Outcome.UpstreamTime)
	if o.tracer == nil && !o.recorder.Explains(ex) {
		o.recorder.Done(ex, nil, ob.Tap)
		return
	}
	vs, _ := o.verdicts.Get().(*[]traffic.Verdict)
	*vs = appendVerdicts((*vs)[:0], ob.Verdicts)
	o.recorder.Done(ex, *vs, ob.Tap)
	if o.tracer != nil {
		o.tracer.Done(ex, tracing.Facts{Status: status, ErrorCode: string(code), Verdicts: *vs, Policies: ex.Detailed()})
	}
	clear(*vs)
	o.verdicts.Put(vs)
}

// appendVerdicts puts verdicts into the form of records. Notes are added by the
// recorder.
func appendVerdicts(out []traffic.Verdict, in []chain.Verdict) []traffic.Verdict {
	for i := range in {
		v := &in[i]
		out = append(out, traffic.Verdict{
			Policy: v.Step.ID, Type: v.Step.Type, Level: string(v.Step.Level),
			Outcome: outcomeOf(v), Duration: v.Duration,
		})
		t := &out[len(out)-1]
		switch {
		case v.Outcome == chain.Ignored:
			t.Reason = traffic.ReasonNoCredential
		case v.Err != nil:
			t.Reason = reasonOf(v.Err)
		}
	}
	return out
}

func outcomeOf(v *chain.Verdict) traffic.Outcome {
	switch v.Outcome {
	case chain.Answered:
		return traffic.Answer
	case chain.Skipped, chain.Ignored:
		return traffic.Skip
	case chain.Refused:
		if p := problem.From(v.Err); p.Code == problem.CodePolicyFailed || p.Code == problem.CodeInternal {
			return traffic.Error
		}
		return traffic.Refuse
	case chain.Passed:
	}
	return traffic.Pass
}

func reasonOf(err error) string {
	p := problem.From(err)
	if p.Detail == "" {
		return string(p.Code)
	}
	return string(p.Code) + ": " + p.Detail
}

// upstreamMetrics tells the metrics of targets.
type upstreamMetrics struct {
	m   *metrics.Metrics
	api string
}

func (upstreamMetrics) Attempted(string, string, int, transport.Failure, time.Duration) {}
func (upstreamMetrics) Retried(string, bool)                                            {}
func (upstreamMetrics) Resolved(string, string, error)                                  {}

func (u upstreamMetrics) Changed(name, target string, c upstream.Condition) {
	u.m.TargetUp(u.api+"/"+name, target, c == upstream.Healthy)
}

// listenerMetrics counts the connections of a listener.
type listenerMetrics struct{ *metrics.Listener }

// Refused counts a connection that ended before a request.
func (l listenerMetrics) Refused(err error) {
	if listen.IsProxy(err) {
		l.Listener.Refused(metrics.RefusedProxy)
		return
	}
	l.Listener.Refused(metrics.RefusedHandshake)
}
