package api

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

func isDuplicate(err error) bool { return errors.Is(err, db.ErrDuplicate) }

// plan shows a plan.
func (h *Handlers) plan(p plan.Plan) PlanResponseJSONResponse {
	return PlanResponseJSONResponse{
		Body: Plan{
			Id: p.ID, Version: int(p.Version), CreatedAt: p.CreatedAt, CreatedBy: p.CreatedBy, UpdatedAt: p.UpdatedAt,
			Api: p.API, Project: p.Project, Slug: p.Slug, Name: p.Name, Description: set(p.Description),
			Security: h.security(p), Approval: PlanApproval(p.Approval), Limits: limitsOf(p.Limits),
			Policies: h.output(p.Policies), When: set(p.When), Status: PlanStatus(p.Status), Position: int(p.Position),
			LimitTexts: p.Limits.Sentences(), KeyHeader: set(p.KeyHeader()), PublishedAt: p.PublishedAt, ClosedAt: p.ClosedAt,
		},
		Headers: PlanResponseResponseHeaders{ETag: db.ETag(p.Version)},
	}
}

// security shows a plan's security, with secrets masked.
func (h *Handlers) security(p plan.Plan) PlanSecurity {
	config := p.SecurityConfig
	if t, ok := h.Types.Get(plan.SecurityPolicy(p.Security)); ok {
		config = t.Hide(config)
	}
	return PlanSecurity{Type: SecurityType(p.Security), Config: raw(config)}
}

func limitsOf(l plan.Limits) PlanLimits {
	var out PlanLimits
	if r := l.RateLimit; r != nil {
		out.RateLimit = &RateLimit{Limit: r.Limit, Window: r.Window, Mode: set(LimitMode(r.Mode))}
	}
	if q := l.Quota; q != nil {
		out.Quota = &Quota{Limit: q.Limit, Window: q.Window, Mode: set(LimitMode(q.Mode))}
	}
	return out
}

func readLimits(in *PlanLimits) plan.Limits {
	var out plan.Limits
	if in == nil {
		return out
	}
	if r := in.RateLimit; r != nil {
		out.RateLimit = &plan.Limit{Limit: r.Limit, Window: r.Window, Mode: string(value(r.Mode))}
	}
	if q := in.Quota; q != nil {
		out.Quota = &plan.Limit{Limit: q.Limit, Window: q.Window, Mode: string(value(q.Mode))}
	}
	return out
}

func planTarget(p plan.Plan) audit.Target {
	return audit.Target{Kind: "plan", ID: p.ID, Name: p.Name, Project: p.Project}
}

// planFields are what a client may say of a plan, but for its slug.
type planFields struct {
	Name        string        `json:"name"`
	Description *string       `json:"description,omitempty"`
	Security    PlanSecurity  `json:"security"`
	Approval    *PlanApproval `json:"approval,omitempty"`
	Limits      *PlanLimits   `json:"limits,omitempty"`
	Policies    []PolicyInput `json:"policies"`
	When        *string       `json:"when,omitempty"`
}

// fill puts fields into a plan, and says what is wrong with them. API is the
// plan's.
func (h *Handlers) fill(ctx context.Context, p *plan.Plan, f planFields, api gateway.API) error {
	before := *p
	list, mistakes := policies.Take(input(f.Policies), before.Policies, h.Types, "/policies", plan.Made...)
	if len(mistakes) > 0 {
		return refuse("the policies", mistakes)
	}
	p.Name, p.Description, p.When = plain(f.Name), plain(value(f.Description)), plain(value(f.When))
	p.Security, p.SecurityConfig = string(f.Security.Type), rawOf(f.Security.Config)
	if t, ok := h.Types.Get(plan.SecurityPolicy(p.Security)); ok && before.Security == p.Security {
		p.SecurityConfig = t.Restore(p.SecurityConfig, before.SecurityConfig)
	}
	p.Approval = plan.Automatic
	if f.Approval != nil {
		p.Approval = string(*f.Approval)
	}
	p.Limits, p.Policies = readLimits(f.Limits), list
	sets, err := h.sets(ctx, policies.Sets(list))
	if err != nil {
		return err
	}
	draft, err := h.APIs.Draft(ctx, caller(ctx).OrganizationSlug, api)
	if err != nil {
		return err
	}
	if mistakes := h.Check.Plan(draft, *p, sets); len(mistakes) > 0 {
		return refuse("the plan", mistakes)
	}
	return nil
}

// ListPlans implements the operation.
func (h *Handlers) ListPlans(ctx context.Context, r ListPlansRequestObject) (ListPlansResponseObject, error) {
	a, err := h.api(ctx, r.Api, "plan:read")
	if err != nil {
		return nil, err
	}
	all, err := h.mine(ctx).Plans(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	return ListPlans200JSONResponse(h.planList(all, string(value(r.Params.Status)))), nil
}

func (h *Handlers) planList(all []plan.Plan, status string) PlanList {
	out := PlanList{Items: []Plan{}}
	for _, p := range all {
		if status == "" || p.Status == status {
			out.Items = append(out.Items, h.plan(p).Body)
		}
	}
	return out
}

// CreatePlan implements the operation.
func (h *Handlers) CreatePlan(ctx context.Context, r CreatePlanRequestObject) (CreatePlanResponseObject, error) {
	a, err := h.api(ctx, r.Api, "plan:create")
	if err != nil {
		return nil, err
	}
	who := caller(ctx)
	p := plan.Plan{API: a.ID, Project: a.Project, Slug: r.Body.Slug, Status: plan.Draft, CreatedBy: who.Actor()}
	f := planFields{
		Name: r.Body.Name, Description: r.Body.Description, Security: r.Body.Security, Approval: r.Body.Approval,
		Limits: r.Body.Limits, Policies: value(r.Body.Policies), When: r.Body.When,
	}
	if err := h.fill(ctx, &p, f, a); err != nil {
		return nil, err
	}
	made, err := httpx.Once(ctx, h.Store.DB(), func(tx *db.Tx) (Plan, error) {
		o := h.Store.In(tx, who.Organization)
		p := p
		if err := hold(ctx, o, policies.Sets(p.Policies)); err != nil {
			return Plan{}, err
		}
		if err := o.CreatePlan(ctx, &p); err != nil {
			return Plan{}, duplicate(err, "a plan of this API with the slug "+p.Slug)
		}
		out := h.plan(p).Body
		return out, h.audit(ctx, o, "plan.created", planTarget(p), nil, out)
	})
	if err != nil {
		return nil, err
	}
	return CreatePlan201JSONResponse{PlanResponseJSONResponse{Body: made, Headers: PlanResponseResponseHeaders{ETag: db.ETag(int64(made.Version))}}}, nil
}

// found returns a plan on which the caller has a permission.
func (h *Handlers) found(ctx context.Context, o *store.Organization, id, permission string) (plan.Plan, error) {
	p, err := o.Plan(ctx, id)
	if err != nil {
		return p, err
	}
	return p, authn.Require(ctx, permission, authn.Scope{Project: p.Project, API: p.API})
}

// GetPlan implements the operation.
func (h *Handlers) GetPlan(ctx context.Context, r GetPlanRequestObject) (GetPlanResponseObject, error) {
	p, err := h.found(ctx, h.mine(ctx), r.Plan, "plan:read")
	if err != nil {
		return nil, err
	}
	return GetPlan200JSONResponse{h.plan(p)}, nil
}

// UpdatePlan implements the operation.
func (h *Handlers) UpdatePlan(ctx context.Context, r UpdatePlanRequestObject) (UpdatePlanResponseObject, error) {
	v, err := version(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	p, err := h.found(ctx, h.mine(ctx), r.Plan, "plan:update")
	if err != nil {
		return nil, err
	}
	if err := db.Expect(p.Version, v); err != nil {
		return nil, err
	}
	a, err := h.APIs.API(ctx, caller(ctx).Organization, p.API)
	if err != nil {
		return nil, err
	}
	before := p
	if p.Status == plan.Closed {
		return nil, problem.New(problem.CodeConflict, "the plan is closed and cannot be changed any more")
	}
	f, err := mergePlan(ctx, p, r)
	if err != nil {
		return nil, err
	}
	if p.PublishedAt != nil && string(f.Security.Type) != p.Security {
		return nil, refuse("the plan", []problem.Field{{Pointer: "/security/type", Code: "immutable", Detail: "the plan was published with " + p.Security + ", which its subscribers use; make another plan, and deprecate this one"}})
	}
	if err := h.fill(ctx, &p, f, a); err != nil {
		return nil, err
	}
	p, err = h.savePlan(ctx, p, before, "plan.updated")
	if err != nil {
		return nil, err
	}
	return UpdatePlan200JSONResponse{h.plan(p)}, nil
}

// mergePlan returns a plan's fields as a patch changes them. A patch to another
// kind of security does not inherit the configuration of the one before.
func mergePlan(ctx context.Context, p plan.Plan, r UpdatePlanRequestObject) (planFields, error) {
	approval, limits := PlanApproval(p.Approval), limitsOf(p.Limits)
	f := planFields{
		Name: p.Name, Description: set(p.Description), Approval: &approval, Limits: &limits,
		Security: PlanSecurity{Type: SecurityType(p.Security), Config: raw(p.SecurityConfig)}, Policies: kept(p.Policies), When: set(p.When),
	}
	body := rawOf(r.JSONBody)
	if body == nil {
		body = rawOf(r.ApplicationMergePatchPlusJSONBody)
	}
	var patch struct {
		Security *struct {
			Type string `json:"type"`
		} `json:"security"`
	}
	if json.Unmarshal(body, &patch) == nil && patch.Security != nil && patch.Security.Type != "" && patch.Security.Type != p.Security {
		f.Security.Config = nil
	}
	return httpx.Merge(ctx, f)
}

// savePlan stores a plan that has the version it was read with.
func (h *Handlers) savePlan(ctx context.Context, p, before plan.Plan, action string) (plan.Plan, error) {
	err := h.change(ctx, func(o *store.Organization) error {
		now := p
		if err := hold(ctx, o, policies.Sets(now.Policies)); err != nil {
			return err
		}
		if err := o.SavePlan(ctx, &now); err != nil {
			return err
		}
		if err := h.audit(ctx, o, action, planTarget(now), h.plan(before).Body, h.plan(now).Body); err != nil {
			return err
		}
		p = now
		return nil
	})
	return p, err
}

// subscribed returns how many subscriptions a plan has. A plan that never was
// published has none.
func (h *Handlers) subscribed(ctx context.Context, p plan.Plan) (int64, error) {
	if p.PublishedAt == nil {
		return 0, nil
	}
	return h.Subscriptions(ctx, caller(ctx).Organization, p.ID)
}

// DeletePlan implements the operation.
func (h *Handlers) DeletePlan(ctx context.Context, r DeletePlanRequestObject) (DeletePlanResponseObject, error) {
	v, err := version(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	p, err := h.found(ctx, h.mine(ctx), r.Plan, "plan:delete")
	if err != nil {
		return nil, err
	}
	n, err := h.subscribed(ctx, p)
	if err != nil {
		return nil, err
	}
	if err := p.Delete(n); err != nil {
		return nil, err
	}
	err = h.change(ctx, func(o *store.Organization) error {
		if err := o.DeletePlan(ctx, &p, v); err != nil {
			return err
		}
		return h.audit(ctx, o, "plan.deleted", planTarget(p), h.plan(p).Body, nil)
	})
	if err != nil {
		return nil, err
	}
	return DeletePlan204Response{}, nil
}

// move takes a plan from one status to another.
func (h *Handlers) move(ctx context.Context, id string, header *IfMatchOptionalParam, action string, step func(p *plan.Plan) (bool, error)) (PlanResponseJSONResponse, error) {
	v, err := httpx.IfMatchOptional(value(header))
	if err != nil {
		return PlanResponseJSONResponse{}, err
	}
	p, err := h.found(ctx, h.mine(ctx), id, "plan:update")
	if err != nil {
		return PlanResponseJSONResponse{}, err
	}
	if err := db.Expect(p.Version, v); err != nil {
		return PlanResponseJSONResponse{}, err
	}
	before := p
	changed, err := step(&p)
	if err != nil {
		return PlanResponseJSONResponse{}, err
	}
	if changed {
		if p, err = h.savePlan(ctx, p, before, action); err != nil {
			return PlanResponseJSONResponse{}, err
		}
	}
	return h.plan(p), nil
}

// PublishPlan implements the operation.
func (h *Handlers) PublishPlan(ctx context.Context, r PublishPlanRequestObject) (PublishPlanResponseObject, error) {
	out, err := h.move(ctx, r.Plan, r.Params.IfMatch, "plan.published", func(p *plan.Plan) (bool, error) { return p.Publish(h.Store.DB().Now()) })
	if err != nil {
		return nil, err
	}
	return PublishPlan200JSONResponse{out}, nil
}

// DeprecatePlan implements the operation.
func (h *Handlers) DeprecatePlan(ctx context.Context, r DeprecatePlanRequestObject) (DeprecatePlanResponseObject, error) {
	out, err := h.move(ctx, r.Plan, r.Params.IfMatch, "plan.deprecated", func(p *plan.Plan) (bool, error) { return p.Deprecate() })
	if err != nil {
		return nil, err
	}
	return DeprecatePlan200JSONResponse{out}, nil
}

// ClosePlan implements the operation.
func (h *Handlers) ClosePlan(ctx context.Context, r ClosePlanRequestObject) (ClosePlanResponseObject, error) {
	out, err := h.move(ctx, r.Plan, r.Params.IfMatch, "plan.closed", func(p *plan.Plan) (bool, error) {
		n, err := h.subscribed(ctx, *p)
		if err != nil {
			return false, err
		}
		return p.Close(h.Store.DB().Now(), n)
	})
	if err != nil {
		return nil, err
	}
	return ClosePlan200JSONResponse{out}, nil
}

// OrderPlans implements the operation.
func (h *Handlers) OrderPlans(ctx context.Context, r OrderPlansRequestObject) (OrderPlansResponseObject, error) {
	a, err := h.api(ctx, r.Api, "plan:update")
	if err != nil {
		return nil, err
	}
	var out PlanList
	err = h.change(ctx, func(o *store.Organization) error {
		all, err := o.Plans(ctx, a.ID)
		if err != nil {
			return err
		}
		before := ids(all)
		ordered, err := plan.Order(all, r.Body.Plans)
		if err != nil {
			return err
		}
		if err := o.OrderPlans(ctx, ordered); err != nil {
			return err
		}
		out = h.planList(ordered, "")
		return h.audit(ctx, o, "plan.ordered", audit.Target{Kind: "api", ID: a.ID, Name: a.Name, Project: a.Project}, PlanOrder{Plans: before}, PlanOrder{Plans: ids(ordered)})
	})
	if err != nil {
		return nil, err
	}
	return OrderPlans200JSONResponse(out), nil
}

func ids(plans []plan.Plan) []string {
	out := make([]string, len(plans))
	for i := range plans {
		out[i] = plans[i].ID
	}
	return out
}
