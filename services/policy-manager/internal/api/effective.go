package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

// GetEffectivePolicies implements the operation.
func (h *Handlers) GetEffectivePolicies(ctx context.Context, r GetEffectivePoliciesRequestObject) (GetEffectivePoliciesResponseObject, error) {
	a, err := h.api(ctx, r.Api, "policy:read")
	if err != nil {
		return nil, err
	}
	e := effective{h: h, ctx: ctx, items: []EffectivePolicy{}}
	var own store.List
	for _, at := range []store.Place{
		{Level: store.Platform}, {Level: store.Project, Project: a.Project}, {Level: store.API, Project: a.Project, API: a.ID},
	} {
		if own, err = h.mine(ctx).List(ctx, at); err != nil {
			return nil, err
		}
		source := map[string]string{store.Platform: "the platform", store.Project: "the project", store.API: "the API"}[at.Level]
		e.list(own.Of.API, EffectivePolicy{Level: EffectivePolicyLevel(at.Level), Source: source})
	}
	if id := value(r.Params.Plan); id != "" {
		p, err := h.mine(ctx).Plan(ctx, id)
		if err == nil && p.API != a.ID {
			err = problem.New(problem.CodeNotFound, "the API has no plan %s", id)
		}
		if err != nil {
			return nil, err
		}
		e.plan(p)
	}
	if id := value(r.Params.Operation); id != "" {
		e.list(own.Of.Operations[id], EffectivePolicy{Level: EffectivePolicyLevelOperation, Operation: &id, Source: "the operation " + id})
	}
	if e.err != nil {
		return nil, e.err
	}
	return GetEffectivePolicies200JSONResponse{Items: e.items}, nil
}

// effective collects what a request goes through.
type effective struct {
	h     *Handlers
	ctx   context.Context //nolint:containedctx // of one call
	items []EffectivePolicy
	err   error
}

// list adds a list of policies, with sets put in their places. like says where
// they come from.
func (e *effective) list(list []policies.Policy, like EffectivePolicy) {
	found, err := e.h.mine(e.ctx).SetsBySlug(e.ctx, policies.Sets(list))
	if err != nil {
		e.err = err
		return
	}
	for _, p := range list {
		if p.Set == "" {
			e.add(p, like)
			continue
		}
		for _, s := range found {
			if s.Slug != p.Set {
				continue
			}
			for _, q := range s.Policies {
				x := like
				n := int(s.SetVersion)
				x.Set, x.SetVersion = &s.Slug, &n
				x.Source = fmt.Sprintf("policy set %s version %d, at %s", s.Slug, n, like.Source)
				q.Disabled = q.Disabled || p.Disabled
				e.add(q, x)
			}
		}
	}
}

func (e *effective) add(p policies.Policy, like EffectivePolicy) {
	like.Type, like.Name, like.When, like.Enabled = p.Type, set(p.Name), set(p.When), !p.Disabled
	if like.Role == nil {
		like.Role = set(EffectivePolicyRolePolicy)
	}
	config := p.Config
	if t, ok := e.h.Types.Get(p.Type); ok {
		config = t.Hide(config)
	}
	like.Config = raw(config)
	e.items = append(e.items, like)
}

// plan adds a plan's security, limits and policies.
func (e *effective) plan(p plan.Plan) {
	like := EffectivePolicy{Level: EffectivePolicyLevelPlan, Plan: &p.ID, Source: "the plan " + p.Name}
	made := p
	made.Policies = nil
	u := made.Unit(e.h.LimitMode, true)
	if u.Security != nil {
		x := like
		x.Role = set(EffectivePolicyRoleSecurity)
		e.add(fromUnit(*u.Security), x)
	}
	for _, q := range u.Policies {
		x := like
		x.Role = set(EffectivePolicyRoleLimit)
		e.add(fromUnit(q), x)
	}
	e.list(p.Policies, like)
}

func fromUnit(p unit.Policy) policies.Policy {
	return policies.Policy{Type: p.Type, Name: p.Name, When: p.When, Config: p.Config}
}

// ValidateUnit implements the operation.
func (h *Handlers) ValidateUnit(ctx context.Context, r ValidateUnitRequestObject) (ValidateUnitResponseObject, error) {
	var refers struct {
		Policies   []unit.Policy                      `json:"policies"`
		Operations []struct{ Policies []unit.Policy } `json:"operations"`
		Plans      []struct{ Policies []unit.Policy } `json:"plans"`
	}
	_ = json.Unmarshal(r.Body.Unit, &refers) // what is wrong with it is found below
	lists := [][]unit.Policy{refers.Policies}
	for _, o := range refers.Operations {
		lists = append(lists, o.Policies)
	}
	for _, p := range refers.Plans {
		lists = append(lists, p.Policies)
	}
	var slugs []string
	for _, list := range lists {
		for _, p := range list {
			if p.Set != "" {
				slugs = append(slugs, p.Set)
			}
		}
	}
	sets, err := h.sets(ctx, slugs)
	if err != nil {
		return nil, err
	}
	return ValidateUnit200JSONResponse{Mistakes: fields(h.Check.Unit(r.Body.Unit, sets), "/unit")}, nil
}
