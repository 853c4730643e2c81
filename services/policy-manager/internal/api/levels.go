package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

// level shows the policies of the platform or of a project.
func (h *Handlers) level(l store.List) LevelPoliciesResponseJSONResponse {
	return LevelPoliciesResponseJSONResponse{
		Body:    LevelPolicies{Policies: h.output(l.Of.API), Version: int(l.Version), UpdatedAt: set(l.UpdatedAt)},
		Headers: LevelPoliciesResponseResponseHeaders{ETag: db.ETag(l.Version)},
	}
}

// putLevel replaces the policies of the platform or of a project.
func (h *Handlers) putLevel(ctx context.Context, at store.Place, header *IfMatchParam, in []PolicyInput) (LevelPoliciesResponseJSONResponse, error) {
	l, before, err := h.begin(ctx, at, header)
	if err != nil {
		return LevelPoliciesResponseJSONResponse{}, err
	}
	list, mistakes := policies.Take(input(in), before.Of.API, h.Types, "/policies")
	if len(mistakes) > 0 {
		return LevelPoliciesResponseJSONResponse{}, refuse("the policies", mistakes)
	}
	slugs := policies.Sets(list)
	sets, err := h.sets(ctx, slugs)
	if err != nil {
		return LevelPoliciesResponseJSONResponse{}, err
	}
	if at.Level == store.Project {
		mistakes = h.Check.Project(at.Project, list, sets)
	} else {
		mistakes = h.Check.Platform(list, sets)
	}
	if len(mistakes) > 0 {
		return LevelPoliciesResponseJSONResponse{}, refuse("the policies", mistakes)
	}
	l.Of.API = list
	err = h.keep(ctx, &l, slugs, before, func(l store.List) any { return h.level(l).Body })
	return h.level(l), err
}

// begin reads what there is at a place, and the version that is to be replaced.
func (h *Handlers) begin(ctx context.Context, at store.Place, header *IfMatchParam) (l, before store.List, err error) {
	v, err := version(header)
	if err != nil {
		return l, before, err
	}
	if before, err = h.mine(ctx).List(ctx, at); err != nil {
		return l, before, err
	}
	if v != db.AnyVersion && v != before.Version {
		return l, before, problem.New(problem.CodePreconditionFailed,
			"they have the version %s now, and not %s: read them again, and repeat the change", db.ETag(before.Version), db.ETag(v))
	}
	// What was handed in was compared with these: they must not have changed.
	return store.List{At: at, Version: before.Version}, before, nil
}

// keep stores a list with its audit entry.
func (h *Handlers) keep(ctx context.Context, l *store.List, slugs []string, before store.List, show func(store.List) any) error {
	target := audit.Target{Kind: "policies", ID: l.At.Level, Name: "policies of the platform", Project: l.At.Project}
	switch l.At.Level {
	case store.Project:
		target.ID, target.Name = l.At.Project, "policies of a project"
	case store.API:
		target.ID, target.Name = l.At.API, "policies of an API"
	}
	return h.change(ctx, func(o *store.Organization) error {
		changed := *l // the transaction may be run again
		if err := hold(ctx, o, slugs); err != nil {
			return err
		}
		if err := o.SetList(ctx, &changed, caller(ctx).Actor()); err != nil {
			return err
		}
		if err := h.audit(ctx, o, "policy.updated", target, show(before), show(changed)); err != nil {
			return err
		}
		*l = changed
		return nil
	})
}

// GetPlatformPolicies implements the operation.
func (h *Handlers) GetPlatformPolicies(ctx context.Context, _ GetPlatformPoliciesRequestObject) (GetPlatformPoliciesResponseObject, error) {
	if err := authn.RequireAnywhere(ctx, "policy:read"); err != nil { // they apply to every API
		return nil, err
	}
	l, err := h.mine(ctx).List(ctx, store.Place{Level: store.Platform})
	return GetPlatformPolicies200JSONResponse{h.level(l)}, err
}

// PutPlatformPolicies implements the operation.
func (h *Handlers) PutPlatformPolicies(ctx context.Context, r PutPlatformPoliciesRequestObject) (PutPlatformPoliciesResponseObject, error) {
	if err := authn.Require(ctx, "policy:update", authn.Scope{}); err != nil {
		return nil, err
	}
	out, err := h.putLevel(ctx, store.Place{Level: store.Platform}, r.Params.IfMatch, r.Body.Policies)
	if err != nil {
		return nil, err
	}
	return PutPlatformPolicies200JSONResponse{out}, nil
}

// GetProjectPolicies implements the operation.
func (h *Handlers) GetProjectPolicies(ctx context.Context, r GetProjectPoliciesRequestObject) (GetProjectPoliciesResponseObject, error) {
	if err := h.project(ctx, r.Project, "policy:read"); err != nil {
		return nil, err
	}
	l, err := h.mine(ctx).List(ctx, store.Place{Level: store.Project, Project: r.Project})
	return GetProjectPolicies200JSONResponse{h.level(l)}, err
}

// PutProjectPolicies implements the operation.
func (h *Handlers) PutProjectPolicies(ctx context.Context, r PutProjectPoliciesRequestObject) (PutProjectPoliciesResponseObject, error) {
	if err := h.project(ctx, r.Project, "policy:update"); err != nil {
		return nil, err
	}
	out, err := h.putLevel(ctx, store.Place{Level: store.Project, Project: r.Project}, r.Params.IfMatch, r.Body.Policies)
	if err != nil {
		return nil, err
	}
	return PutProjectPolicies200JSONResponse{out}, nil
}

// project returns nil where there is the project and the caller has the
// permission in it.
func (h *Handlers) project(ctx context.Context, id, permission string) error {
	if err := h.APIs.Project(ctx, caller(ctx).Organization, id); err != nil {
		return err
	}
	return authn.Require(ctx, permission, authn.Scope{Project: id})
}
