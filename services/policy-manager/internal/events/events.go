// Package events is what policy-manager tells other services, and what it hears
// of them, over the bus.
package events

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	contract "github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/unitstore"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/apis"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/catalogue"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/check"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/effective"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

// Answers answers other services.
type Answers struct {
	Store     *store.Store
	Check     *check.Checker
	APIs      *apis.Known
	LimitMode string
	// Types are the policy types there are.
	Types *catalogue.Catalogue
}

// Register answers from now on, until the bus is closed.
func (a *Answers) Register(b *bus.Bus) error {
	exporter := a.Store.Exporter(
		func(list []policies.Policy) []policies.Policy { return policies.Hide(list, a.Types) },
		func(kind string, config json.RawMessage) json.RawMessage {
			if t, ok := a.Types.Get(plan.SecurityPolicy(kind)); ok {
				return t.Hide(config)
			}
			return nil // nobody knows what in it is secret
		},
	)
	return errors.Join(
		bus.Answer(b, func(ctx context.Context, q contract.Holdings) (tenant.Counts, error) {
			return a.Store.For(q.Organization).Holdings(ctx)
		}),
		bus.Answer(b, func(ctx context.Context, q contract.Export) (tenant.Exported, error) {
			return exporter.Portion(ctx, q.Portion)
		}),
		bus.Answer(b, a.effective),
		bus.Answer(b, a.shared),
		bus.Answer(b, a.plans),
		bus.Answer(b, a.validate),
	)
}

func (a *Answers) effective(ctx context.Context, q contract.Effective) (contract.EffectiveSet, error) {
	o := a.Store.For(q.Organization)
	l, err := o.List(ctx, store.Place{Level: store.API, Project: q.Project, API: q.API})
	if err != nil {
		return contract.EffectiveSet{}, err
	}
	plans, err := o.Plans(ctx, q.API)
	if err != nil {
		return contract.EffectiveSet{}, err
	}
	sets, err := o.SetsBySlug(ctx, effective.Slugs(l.Of, plan.ForGateways(plans)))
	if err != nil {
		return contract.EffectiveSet{}, err
	}
	return effective.API(l.Of, plans, sets, a.LimitMode)
}

func (a *Answers) shared(ctx context.Context, q contract.Shared) (contract.SharedSet, error) {
	o := a.Store.For(q.Organization)
	lists, err := o.Wide(ctx)
	if err != nil {
		return contract.SharedSet{}, err
	}
	all := make([][]policies.Policy, len(lists))
	for i := range lists {
		all[i] = lists[i].Of.API
	}
	sets, err := o.SetsBySlug(ctx, policies.Sets(all...))
	if err != nil {
		return contract.SharedSet{}, err
	}
	return effective.Shared(lists, sets), nil
}

func (a *Answers) plans(ctx context.Context, q contract.Plans) (contract.PlanList, error) {
	o := a.Store.For(q.Organization)
	out := contract.PlanList{Plans: []contract.Plan{}}
	var found []plan.Plan
	var err error
	if q.API != "" {
		found, err = o.Plans(ctx, q.API)
	} else {
		found, err = o.PlansByID(ctx, q.IDs)
	}
	if err != nil {
		return out, err
	}
	for i := range found {
		if q.API == "" || len(q.IDs) == 0 || contains(q.IDs, found[i].ID) {
			out.Plans = append(out.Plans, found[i].Contract(a.LimitMode))
		}
	}
	return out, nil
}

func contains(ids []string, id string) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}

func (a *Answers) validate(ctx context.Context, q contract.Validate) (contract.Validated, error) {
	document, err := a.APIs.Unit(ctx, q.Organization, q.Unit)
	if errors.Is(err, unitstore.ErrMissing) {
		return contract.Validated{}, problem.New(problem.CodeNotFound, "there is no unit %s in the bucket of units", q.Unit).Because(err)
	}
	if err != nil {
		return contract.Validated{}, err
	}
	var out contract.Validated
	for _, f := range a.Check.Unit(document, q.Sets) {
		out.Mistakes = append(out.Mistakes, contract.Mistake{Pointer: f.Pointer, Code: f.Code, Detail: f.Detail})
	}
	return out, nil
}

// Durable is the name under which deleted APIs are followed.
const Durable = "policy-manager-apis"

// Follow forgets the policies and plans of APIs that are deleted, until ctx ends.
func Follow(ctx context.Context, b *bus.Bus, s *store.Store) error {
	return bus.Consume(ctx, b, Durable, func(ctx context.Context, e gateway.APIChanged) error {
		if !e.Deleted {
			return nil
		}
		return s.Change(ctx, e.Organization, func(o *store.Organization) error {
			_, err := o.ForgetAPI(ctx, e.API)
			return err
		})
	})
}
