package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/explain"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
)

const (
	longestUsage = 400 * 24 * time.Hour
	mostSteps    = 2000
)

// steps are the lengths of steps that people can read, from which one is taken
// that makes about 60 of them.
var steps = []time.Duration{
	time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// span reads the time that usage is asked for.
func span(p GetApplicationUsageParams, now time.Time) (from, to time.Time, step time.Duration, err error) {
	to = now.UTC()
	if p.To != nil {
		to = p.To.UTC()
	}
	from = to.Add(-24 * time.Hour)
	if p.From != nil {
		from = p.From.UTC()
	}
	switch {
	case !from.Before(to):
		return from, to, 0, problem.Invalid("the time is not right", problem.Field{Pointer: "/from", Code: "maximum", Detail: "begin before the end"})
	case to.Sub(from) > longestUsage:
		return from, to, 0, problem.Invalid("the time is not right", problem.Field{Pointer: "/from", Code: "minimum", Detail: "begin at most 400 days before the end"})
	}
	if p.Interval != nil {
		step = time.Duration(*p.Interval) * time.Second
		if to.Sub(from)/step > mostSteps {
			return from, to, 0, problem.Invalid("the time is not right", problem.Field{Pointer: "/interval", Code: "minimum", Detail: fmt.Sprintf("make the steps longer: there would be more than %d", mostSteps)})
		}
		return from, to, step, nil
	}
	for _, step = range steps {
		if to.Sub(from)/step <= 72 {
			break
		}
	}
	return from, to, step, nil
}

// GetApplicationUsage sums up what an application called.
func (h *Handlers) GetApplicationUsage(ctx context.Context, r GetApplicationUsageRequestObject) (GetApplicationUsageResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.application(ctx, h.kit.DB.For(p.Organization), r.Application, "application:read", false)
	if err != nil {
		return nil, err
	}
	from, to, step, err := span(r.Params, h.kit.Now())
	if err != nil {
		return nil, err
	}
	q := analysis.Usage{
		Filter:   analysis.Filter{Organization: p.Organization, From: from, To: to, Applications: []string{a.ID}},
		Interval: step, Top: []string{"api", "operation", "status", "errorCode"},
	}
	if api := deref(r.Params.Api); api != "" {
		q.Filter.APIs = []string{api}
	}
	rep, err := bus.Ask(ctx, h.kit.Bus, q)
	if err != nil {
		return nil, err
	}
	out := Usage{
		From: from, To: to, Interval: int64(step / time.Second), Total: sumsOf(rep.Total), Series: []UsagePoint{},
		Top: UsageTops{Apis: topsOf(rep.Top["api"]), Operations: topsOf(rep.Top["operation"]), Statuses: topsOf(rep.Top["status"]), ErrorCodes: topsOf(rep.Top["errorCode"])},
	}
	if !rep.Newest.IsZero() {
		out.Newest = &rep.Newest
	}
	for _, pt := range rep.Series {
		out.Series = append(out.Series, UsagePoint{Time: pt.Time, Sums: sumsOf(pt.Sums)})
	}
	return GetApplicationUsage200JSONResponse(out), nil
}

func sumsOf(s analysis.Sums) UsageSums {
	return UsageSums{
		Requests: s.Requests, Status2xx: s.Status2xx, Status3xx: s.Status3xx, Status4xx: s.Status4xx, Status5xx: s.Status5xx, Refused: s.Refused,
		RequestBytes: s.RequestBytes, ResponseBytes: s.ResponseBytes, P50Us: s.P50, P95Us: s.P95, P99Us: s.P99,
	}
}

func topsOf(list []analysis.Top) []UsageTop {
	out := []UsageTop{}
	for _, t := range list {
		name := t.Name
		if name == "" {
			name = t.Key
		}
		out = append(out, UsageTop{Key: t.Key, Name: name, Sums: sumsOf(t.Sums)})
	}
	return out
}

// ExplainApplicationRequest explains a request of an application.
func (h *Handlers) ExplainApplicationRequest(ctx context.Context, r ExplainApplicationRequestRequestObject) (ExplainApplicationRequestResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	s := h.kit.DB.For(p.Organization)
	a, err := h.application(ctx, s, r.Application, "application:read", false)
	if err != nil {
		return nil, err
	}
	rep, err := bus.Ask(ctx, h.kit.Bus, analysis.Explain{Organization: p.Organization, RequestID: r.RequestId, Applications: []string{a.ID}})
	if err != nil {
		return nil, err
	}
	var rec traffic.Record
	if len(rep.Record) > 0 {
		if err := json.Unmarshal(rep.Record, &rec); err != nil {
			return nil, fmt.Errorf("reading a traffic record: %w", err)
		}
	}
	if rec.Application != a.ID { // whatever was answered: nothing of others is shown
		return nil, problem.New(problem.CodeNotFound, "no request of this application has that id: it may take a few seconds to arrive, and a request whose credential was not accepted belongs to no application")
	}
	out, err := h.explained(ctx, s, rec)
	if err != nil {
		return nil, err
	}
	return ExplainApplicationRequest200JSONResponse(out), nil
}

func (h *Handlers) explained(ctx context.Context, s *db.Scope, rec traffic.Record) (Explanation, error) {
	var names explain.Names
	api, err := store.FindAPI(ctx, s, rec.API)
	if err == nil {
		for _, p := range api.Plans.V {
			if p.ID == rec.Plan {
				names.Plan, names.KeyHeader = p.Name, keyHeader(p)
			}
		}
	}
	e := explain.Of(&rec, names)
	out := Explanation{
		RequestId: rec.ID, Time: rec.Time.UTC(), Method: rec.Method, Path: rec.Path, Query: text(rec.Query), Status: rec.Status, Code: text(rec.ErrorCode),
		Sentence: e.Sentence, Advice: e.Advice, Operation: text(rec.Operation), Environment: text(rec.Environment), DurationUs: rec.Duration,
		RequestBytes: &rec.RequestBytes, ResponseBytes: &rec.ResponseBytes, Steps: []ExplanationStep{},
	}
	if rec.API != "" {
		out.Api = &Named{Id: rec.API, Name: rec.APIName, Slug: text(api.Slug)}
	}
	if rec.Plan != "" && names.Plan != "" {
		out.Plan = &Named{Id: rec.Plan, Name: names.Plan}
	}
	for _, st := range e.Steps {
		out.Steps = append(out.Steps, ExplanationStep{Title: st.Title, Outcome: ExplanationStepOutcome(st.Outcome), Detail: text(st.Detail)})
	}
	return out, nil
}
