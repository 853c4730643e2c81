package api

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

// policySet shows a policy set.
func (h *Handlers) policySet(s store.Set) PolicySetResponseJSONResponse {
	return PolicySetResponseJSONResponse{
		Body: PolicySet{
			Id: s.ID, Version: int(s.Version), CreatedAt: s.CreatedAt, CreatedBy: s.CreatedBy, UpdatedAt: s.UpdatedAt,
			Slug: s.Slug, Name: s.Name, Description: set(s.Description), SetVersion: int(s.SetVersion), Policies: h.output(s.Policies),
		},
		Headers: PolicySetResponseResponseHeaders{ETag: db.ETag(s.Version)},
	}
}

// ListPolicySets implements the operation.
func (h *Handlers) ListPolicySets(ctx context.Context, r ListPolicySetsRequestObject) (ListPolicySetsResponseObject, error) {
	found, err := h.mine(ctx).Sets(ctx, value(r.Params.Q), page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	out := PolicySetList{Items: make([]PolicySet, len(found.Items)), Next: set(found.Next)}
	for i, s := range found.Items {
		out.Items[i] = h.policySet(s).Body
	}
	return ListPolicySets200JSONResponse(out), nil
}

// CreatePolicySet implements the operation.
func (h *Handlers) CreatePolicySet(ctx context.Context, r CreatePolicySetRequestObject) (CreatePolicySetResponseObject, error) {
	if err := authn.Require(ctx, "policy:create", authn.Scope{}); err != nil {
		return nil, err
	}
	list, mistakes := policies.Take(input(r.Body.Policies), nil, h.Types, "/policies")
	if len(mistakes) == 0 {
		mistakes = h.Check.Set(list)
	}
	if len(mistakes) > 0 {
		return nil, refuse("the policies", mistakes)
	}
	who := caller(ctx)
	made, err := httpx.Once(ctx, h.Store.DB(), func(tx *db.Tx) (PolicySet, error) {
		o := h.Store.In(tx, who.Organization)
		if err := o.Room(ctx); err != nil {
			return PolicySet{}, err
		}
		s := store.Set{Slug: r.Body.Slug, Name: plain(r.Body.Name), Description: plain(value(r.Body.Description)), Policies: list, CreatedBy: who.Actor()}
		if err := o.CreateSet(ctx, &s); err != nil {
			return PolicySet{}, duplicate(err, "a policy set with the slug "+r.Body.Slug)
		}
		out := h.policySet(s).Body
		return out, h.audit(ctx, o, "policy-set.created", setTarget(s), nil, out)
	})
	if err != nil {
		return nil, err
	}
	return CreatePolicySet201JSONResponse{PolicySetResponseJSONResponse{Body: made, Headers: PolicySetResponseResponseHeaders{ETag: db.ETag(int64(made.Version))}}}, nil
}

func setTarget(s store.Set) audit.Target {
	return audit.Target{Kind: "policy-set", ID: s.ID, Name: s.Name}
}

// GetPolicySet implements the operation.
func (h *Handlers) GetPolicySet(ctx context.Context, r GetPolicySetRequestObject) (GetPolicySetResponseObject, error) {
	s, err := h.mine(ctx).Set(ctx, r.PolicySet)
	if err != nil {
		return nil, err
	}
	return GetPolicySet200JSONResponse{h.policySet(s)}, nil
}

// setFields are what a patch may change.
type setFields struct {
	Name        string        `json:"name"`
	Description *string       `json:"description,omitempty"`
	Policies    []PolicyInput `json:"policies"`
}

// UpdatePolicySet implements the operation.
func (h *Handlers) UpdatePolicySet(ctx context.Context, r UpdatePolicySetRequestObject) (UpdatePolicySetResponseObject, error) {
	if err := authn.Require(ctx, "policy:update", authn.Scope{}); err != nil {
		return nil, err
	}
	v, err := version(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	s, err := h.mine(ctx).Set(ctx, r.PolicySet)
	if err != nil {
		return nil, err
	}
	if err := db.Expect(s.Version, v); err != nil {
		return nil, err
	}
	before := s
	f, err := httpx.Merge(ctx, setFields{Name: s.Name, Description: set(s.Description), Policies: kept(s.Policies)})
	if err != nil {
		return nil, err
	}
	list, mistakes := policies.Take(input(f.Policies), s.Policies, h.Types, "/policies")
	if len(mistakes) == 0 {
		mistakes = h.Check.Set(list)
	}
	if len(mistakes) > 0 {
		return nil, refuse("the policies", mistakes)
	}
	changed := !same(s.Policies, list)
	s.Name, s.Description, s.Policies = plain(f.Name), plain(value(f.Description)), list
	if changed {
		if err := h.fitsWhereUsed(ctx, s); err != nil {
			return nil, err
		}
	}
	err = h.change(ctx, func(o *store.Organization) error {
		now := s
		if err := o.SaveSet(ctx, &now, changed, caller(ctx).Actor()); err != nil {
			return err
		}
		if err := h.audit(ctx, o, "policy-set.updated", setTarget(now), h.policySet(before).Body, h.policySet(now).Body); err != nil {
			return err
		}
		s = now
		return nil
	})
	if err != nil {
		return nil, err
	}
	return UpdatePolicySet200JSONResponse{h.policySet(s)}, nil
}

// fitsWhereUsed says whether gateways would take the set where it acts at once:
// at the platform and in projects.
func (h *Handlers) fitsWhereUsed(ctx context.Context, changed store.Set) error {
	o := h.mine(ctx)
	uses, err := o.Uses(ctx, changed.Slug)
	if err != nil {
		return err
	}
	for _, u := range uses {
		if u.Level != store.Platform && u.Level != store.Project {
			continue
		}
		l, err := o.List(ctx, store.Place{Level: u.Level, Project: u.Project})
		if err != nil {
			return err
		}
		sets, err := h.sets(ctx, policies.Sets(l.Of.API))
		if err != nil {
			return err
		}
		for i := range sets {
			if sets[i].Name == changed.Slug {
				sets[i] = changed.Unit()
			}
		}
		where, mistakes := "the platform", []problem.Field(nil)
		if u.Level == store.Project {
			where, mistakes = "the project "+u.Project, h.Check.Project(u.Project, l.Of.API, sets)
		} else {
			mistakes = h.Check.Platform(l.Of.API, sets)
		}
		if len(mistakes) > 0 {
			for i := range mistakes {
				mistakes[i].Pointer, mistakes[i].Detail = "/policies", "at "+where+", which uses the set: "+mistakes[i].Detail
			}
			return refuse("the policies", mistakes)
		}
	}
	return nil
}

// kept shows policies as they would be handed in, secrets and all, for what is
// merged with them.
func kept(list []policies.Policy) []PolicyInput {
	out := make([]PolicyInput, len(list))
	for i, p := range list {
		enabled := !p.Disabled
		out[i] = PolicyInput{Id: &p.ID, Type: set(p.Type), Name: set(p.Name), When: set(p.When), Set: set(p.Set), Config: raw(p.Config), Enabled: &enabled}
	}
	return out
}

// same reports whether two lists say the same, however they are written.
func same(a, b []policies.Policy) bool {
	x, err1 := unit.Canonical(a)
	y, err2 := unit.Canonical(b)
	return err1 == nil && err2 == nil && reflect.DeepEqual(x, y)
}

// DeletePolicySet implements the operation.
func (h *Handlers) DeletePolicySet(ctx context.Context, r DeletePolicySetRequestObject) (DeletePolicySetResponseObject, error) {
	if err := authn.Require(ctx, "policy:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	v, err := version(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(o *store.Organization) error {
		s, err := o.Set(ctx, r.PolicySet)
		if err != nil {
			return err
		}
		if _, err := o.LockSets(ctx, []string{s.Slug}); err != nil {
			return err
		}
		uses, err := o.Uses(ctx, s.Slug)
		if err != nil {
			return err
		}
		if len(uses) > 0 {
			return problem.New(problem.CodeConflict, "the policy set is used in %s; take it out there first", places(len(uses)))
		}
		if err := o.DeleteSet(ctx, s.ID, v); err != nil {
			return err
		}
		return h.audit(ctx, o, "policy-set.deleted", setTarget(s), h.policySet(s).Body, nil)
	})
	if err != nil {
		return nil, err
	}
	return DeletePolicySet204Response{}, nil
}

func places(n int) string {
	if n == 1 {
		return "one place"
	}
	return fmt.Sprintf("%d places", n)
}

// ListPolicySetVersions implements the operation.
func (h *Handlers) ListPolicySetVersions(ctx context.Context, r ListPolicySetVersionsRequestObject) (ListPolicySetVersionsResponseObject, error) {
	s, err := h.mine(ctx).Set(ctx, r.PolicySet)
	if err != nil {
		return nil, err
	}
	found, err := h.mine(ctx).SetVersions(ctx, s.ID, page(r.Params.Cursor, r.Params.Limit, nil))
	if err != nil {
		return nil, err
	}
	out := PolicySetVersionList{Items: make([]PolicySetVersion, len(found.Items)), Next: set(found.Next)}
	for i, v := range found.Items {
		out.Items[i] = PolicySetVersion{SetVersion: int(v.SetVersion), CreatedAt: v.CreatedAt, CreatedBy: v.CreatedBy, Policies: h.output(v.Policies)}
	}
	return ListPolicySetVersions200JSONResponse(out), nil
}

// ListPolicySetUses implements the operation.
func (h *Handlers) ListPolicySetUses(ctx context.Context, r ListPolicySetUsesRequestObject) (ListPolicySetUsesResponseObject, error) {
	s, err := h.mine(ctx).Set(ctx, r.PolicySet)
	if err != nil {
		return nil, err
	}
	uses, err := h.mine(ctx).Uses(ctx, s.Slug)
	if err != nil {
		return nil, err
	}
	out := PolicySetUses{Items: []PolicySetUse{}}
	for _, u := range uses {
		d, err := authn.Allow(ctx, "policy:read", authn.Scope{Project: u.Project, API: u.API})
		if err != nil {
			return nil, err
		}
		if !d.Allowed {
			out.Hidden++
			continue
		}
		out.Items = append(out.Items, PolicySetUse{Level: PolicySetUseLevel(u.Level), Project: set(u.Project), Api: set(u.API), Operation: set(u.Operation), Plan: set(u.Plan)})
	}
	return ListPolicySetUses200JSONResponse(out), nil
}

// duplicate names what there is already.
func duplicate(err error, what string) error {
	if isDuplicate(err) {
		return problem.New(problem.CodeConflict, "there is %s already: choose another", what)
	}
	return err
}

// rawOf returns a value as JSON.
func rawOf(p *json.RawMessage) json.RawMessage {
	if p == nil || string(*p) == "null" {
		return nil
	}
	return *p
}
