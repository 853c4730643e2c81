package events

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/report"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// Answer answers other services, which have checked what their callers may see.
func Answer(b *bus.Bus, s store.Store, minutes time.Duration, now func() time.Time) error {
	return errors.Join(
		bus.Answer(b, func(ctx context.Context, e analysis.Export) (tenant.Exported, error) {
			return export(ctx, s, e.Portion)
		}),
		bus.Answer(b, func(ctx context.Context, u analysis.Usage) (analysis.UsageReport, error) {
			u, err := report.Prepare(u, report.Limits{Now: now(), Minutes: minutes})
			if err != nil {
				return analysis.UsageReport{}, err
			}
			r, err := s.Usage(ctx, store.Usage{Usage: u})
			return r, asProblem(err)
		}),
		bus.Answer(b, func(ctx context.Context, e analysis.Explain) (analysis.Explained, error) {
			if e.Organization == "" || e.RequestID == "" {
				return analysis.Explained{}, problem.Invalid("say which request is meant", problem.Field{Pointer: "/requestId", Code: "required", Detail: "give the organization and the request id"})
			}
			r, err := s.Record(ctx, store.Where{Organization: e.Organization, ID: e.RequestID, Applications: e.Applications})
			if errors.Is(err, store.ErrNotFound) {
				return analysis.Explained{}, nil
			}
			return analysis.Explained{Record: r}, asProblem(err)
		}),
	)
}

func asProblem(err error) error {
	if errors.Is(err, store.ErrTooWide) {
		return problem.New(problem.CodeInvalidInput, "there is too much to look through: ask for a shorter time or with more filters").Because(err)
	}
	return err
}
