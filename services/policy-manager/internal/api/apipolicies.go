package api

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

// ofAPI shows the policies of an API.
func (h *Handlers) ofAPI(l store.List, a gateway.API) ApiPoliciesResponseJSONResponse {
	out := ApiPolicies{Api: h.output(l.Of.API), Operations: map[string][]Policy{}, Version: int(l.Version), UpdatedAt: set(l.UpdatedAt)}
	var orphans []string
	for id, list := range l.Of.Operations {
		out.Operations[id] = h.output(list)
		if !slices.ContainsFunc(a.Operations, func(o gateway.Operation) bool { return o.ID == id }) {
			orphans = append(orphans, id)
		}
	}
	if len(orphans) > 0 {
		slices.Sort(orphans)
		out.Orphans = &orphans
	}
	return ApiPoliciesResponseJSONResponse{Body: out, Headers: ApiPoliciesResponseResponseHeaders{ETag: db.ETag(l.Version)}}
}

// GetApiPolicies implements the operation.
func (h *Handlers) GetApiPolicies(ctx context.Context, r GetApiPoliciesRequestObject) (GetApiPoliciesResponseObject, error) { //nolint:revive // the generated name
	a, err := h.api(ctx, r.Api, "policy:read")
	if err != nil {
		return nil, err
	}
	l, err := h.mine(ctx).List(ctx, store.Place{Level: store.API, Project: a.Project, API: a.ID})
	return GetApiPolicies200JSONResponse{h.ofAPI(l, a)}, err
}

// PutApiPolicies implements the operation.
func (h *Handlers) PutApiPolicies(ctx context.Context, r PutApiPoliciesRequestObject) (PutApiPoliciesResponseObject, error) { //nolint:revive // the generated name
	a, err := h.api(ctx, r.Api, "policy:update")
	if err != nil {
		return nil, err
	}
	l, before, err := h.begin(ctx, store.Place{Level: store.API, Project: a.Project, API: a.ID}, r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var mistakes []problem.Field
	if l.Of, mistakes = h.take(r.Body, before.Of); len(mistakes) > 0 {
		return nil, refuse("the policies", mistakes)
	}
	var lists [][]policies.Policy
	for _, p := range l.Of.Lists() {
		lists = append(lists, p.List)
	}
	slugs := policies.Sets(lists...)
	sets, err := h.sets(ctx, slugs)
	if err != nil {
		return nil, err
	}
	draft, err := h.APIs.Draft(ctx, caller(ctx).OrganizationSlug, a)
	if err != nil {
		return nil, err
	}
	if mistakes := h.Check.API(draft, l.Of, sets); len(mistakes) > 0 {
		return nil, refuse("the policies", mistakes)
	}
	err = h.keep(ctx, &l, slugs, before, func(l store.List) any { return h.ofAPI(l, a).Body })
	if err != nil {
		return nil, err
	}
	return PutApiPolicies200JSONResponse{h.ofAPI(l, a)}, nil
}

// take reads what was handed in for an API. Operations without policies are left
// out.
func (h *Handlers) take(in *ApiPoliciesInput, before policies.OfAPI) (policies.OfAPI, []problem.Field) {
	var out policies.OfAPI
	var mistakes []problem.Field
	out.API, mistakes = policies.Take(input(in.Api), before.API, h.Types, "/api")
	for id, list := range value(in.Operations) {
		if len(list) == 0 {
			continue
		}
		taken, wrong := policies.Take(input(list), before.Operations[id], h.Types, "/operations/"+schema.Escape(id))
		mistakes = append(mistakes, wrong...)
		if out.Operations == nil {
			out.Operations = map[string][]policies.Policy{}
		}
		out.Operations[id] = taken
	}
	return out, mistakes
}
