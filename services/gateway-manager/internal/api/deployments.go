package api

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/fleet"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/publish"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

func shownDeployment(d *store.Deployment) Deployment {
	return Deployment{
		Id: d.ID, Api: d.APIID, ApiName: d.APIName, Project: d.ProjectID, Environment: d.EnvironmentID, EnvironmentName: d.EnvironmentName,
		Action: DeploymentAction(d.Action), Revision: d.Revision, PreviousRevision: ptr(d.PreviousRevision), State: DeploymentState(d.State),
		Message: d.Message, Problem: some(d.Problem), CreatedAt: d.CreatedAt, CreatedBy: d.CreatedBy, LiveAt: d.LiveAt,
		Groups: []DeploymentGroup{}, Gateways: []DeploymentGateway{},
	}
}

// followed shows a deployment with what each gateway has made of it.
func (h *Handlers) followed(ctx context.Context, o *store.Org, d *store.Deployment) (Deployment, error) {
	went, err := o.DeploymentGroups(ctx, d.ID)
	if err != nil {
		return Deployment{}, err
	}
	groups, gateways, err := fleet.Members(ctx, o, d.EnvironmentID)
	if err != nil {
		return Deployment{}, err
	}
	out := shownDeployment(d)
	for _, w := range went {
		g, ok := groups[w.GroupID]
		if !ok {
			continue
		}
		out.Groups = append(out.Groups, DeploymentGroup{Group: g.ID, Name: g.Name, ManifestVersion: w.ManifestVersion})
	}
	slices.SortFunc(out.Groups, func(a, b DeploymentGroup) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	j := fleet.Judge(d, went, groups, gateways, h.Now())
	for _, v := range j.Gateways {
		out.Gateways = append(out.Gateways, DeploymentGateway{
			Gateway: v.Gateway.ID, Name: v.Gateway.Name, Group: v.Gateway.GroupID, State: DeploymentGatewayState(v.State), Detail: some(v.Detail),
		})
	}
	if d.State == store.Superseded || d.Action == store.ActionUndeploy {
		return out, nil
	}
	out.Problem = some(or(some(d.Problem), j.Problem))
	routes, err := o.RoutesOf(ctx, []string{d.APIID})
	if err != nil {
		return out, err
	}
	list := make([]store.Group, 0, len(groups))
	for _, g := range out.Groups {
		list = append(list, groups[g.Group])
	}
	if u := urls(list, d.EnvironmentID, d.ProjectID, routes[d.EnvironmentID+" "+d.APIID]); len(u) > 0 {
		out.Urls = &u
	}
	return out, nil
}

// DeployApi deploys a revision to an environment.
func (h *Handlers) DeployApi(ctx context.Context, r DeployApiRequestObject) (DeployApiResponseObject, error) { //nolint:revive // the generator spells it so
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:read")
	if err != nil {
		return nil, err
	}
	env, err := h.environment(ctx, c, r.Body.Environment)
	if err != nil {
		return nil, missing(err, "/environment", "there is no such environment")
	}
	if err := authn.Require(ctx, "deployment:deploy", authn.Scope{Project: a.ProjectID, API: a.ID, Environment: env.ID, EnvironmentSlug: env.Slug}); err != nil {
		return nil, err
	}
	var p *prepared
	if r.Body.Revision == nil {
		if err := authn.Require(ctx, "api:update", authn.Scope{Project: a.ProjectID, API: a.ID}); err != nil {
			return nil, err
		}
		if p, err = h.prepare(ctx, c, &a); err != nil {
			return nil, err
		}
	}
	out, err := httpx.Once(ctx, h.Store.DB(), func(tx *db.Tx) (Deployment, error) {
		o := h.Store.In(tx, c.Organization)
		var rev store.Revision
		var err error
		if p != nil {
			a, rev, _, err = h.latest(ctx, tx, c, a.ID, p, get(r.Body.Message))
		} else {
			rev, err = o.Revision(ctx, a.ID, *r.Body.Revision)
			err = missing(err, "/revision", "the API has no such revision")
		}
		if err != nil {
			return Deployment{}, err
		}
		return h.deploy(ctx, tx, c, &a, &rev, p, env, get(r.Body.Message))
	})
	if err != nil {
		return nil, err
	}
	h.Wake()
	return DeployApi202JSONResponse(out), nil
}

// deploy puts a revision into an environment, in a transaction.
func (h *Handlers) deploy(ctx context.Context, tx *db.Tx, c caller, a *store.API, rev *store.Revision, p *prepared, env store.Environment, message string) (Deployment, error) {
	o := h.Store.In(tx, c.Organization)
	if p == nil {
		s, err := o.State(ctx, rev)
		if err != nil {
			return Deployment{}, err
		}
		p = &prepared{content: &s.Content, openapi: s.OpenAPI}
	}
	b, err := revision.Build(p.content, p.openapi, publish.Place(c.Organization, &store.Deployed{
		APIID: a.ID, ProjectID: a.ProjectID, EnvironmentName: env.Name, Revision: rev.Number,
	}))
	if err != nil {
		return Deployment{}, err
	}
	h.Units.Keep(b)
	return h.put(ctx, tx, c, store.Deploy{
		API: a, Environment: env.ID, Revision: rev.Number, Routes: p.content.Routes(), Hash: b.Hash, Message: message, By: c.Subject,
	})
}

// put notes a deployment and tells of it.
func (h *Handlers) put(ctx context.Context, tx *db.Tx, c caller, in store.Deploy) (Deployment, error) {
	o := h.Store.In(tx, c.Organization)
	d, groups, err := o.Deploy(ctx, in)
	if err != nil {
		return Deployment{}, err
	}
	for i := range groups {
		if err := fleet.Tell(tx, gateway.FleetChanged{Organization: c.Organization, Group: groups[i].ID, Time: h.Now().UTC()}); err != nil {
			return Deployment{}, err
		}
	}
	if err := fleet.Tell(tx, gateway.APIChanged{Organization: c.Organization, API: d.APIID}); err != nil {
		return Deployment{}, err
	}
	action := "deployment.created"
	if d.Action == store.ActionUndeploy {
		action = "deployment.removed"
	}
	type placed struct {
		API, Environment string
		Revision         int64
	}
	err = h.Audit(ctx, tx, service.Entry{
		Action: action, Target: target("deployment", d.ID, d.APIName+" on "+d.EnvironmentName, d.ProjectID),
		Before: placed{d.APIID, d.EnvironmentID, d.PreviousRevision}, After: placed{d.APIID, d.EnvironmentID, in.Revision},
	})
	if err != nil {
		return Deployment{}, err
	}
	return h.followed(ctx, o, &d)
}

// UndeployApi takes an API out of an environment.
func (h *Handlers) UndeployApi(ctx context.Context, r UndeployApiRequestObject) (UndeployApiResponseObject, error) { //nolint:revive // the generator spells it so
	was, err := httpx.IfMatchOptional(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.api(ctx, c, r.Id, "api:read")
	if err != nil {
		return nil, err
	}
	env, err := h.environment(ctx, c, r.Environment)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "deployment:deploy", authn.Scope{Project: a.ProjectID, API: a.ID, Environment: env.ID, EnvironmentSlug: env.Slug}); err != nil {
		return nil, err
	}
	var out Deployment
	err = h.Store.Tx(ctx, func(tx *db.Tx) (err error) {
		out, err = h.put(ctx, tx, c, store.Deploy{API: &a, Environment: env.ID, Was: was, Hash: unit.Hash(""), By: c.Subject})
		return err
	})
	if err != nil {
		return nil, err
	}
	h.Wake()
	return UndeployApi202JSONResponse(out), nil
}

// ListDeployments lists deployments, newest first.
func (h *Handlers) ListDeployments(ctx context.Context, r ListDeploymentsRequestObject) (ListDeploymentsResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	scopes, err := see(ctx, "deployment:read")
	if err != nil {
		return nil, err
	}
	page, err := c.Deployments(ctx, store.DeploymentFilter{See: scopes, API: get(r.Params.Api), Environment: get(r.Params.Environment), State: string(get(r.Params.State))},
		httpx.Page[string, string](r.Params.Cursor, r.Params.Limit, nil))
	if err != nil {
		return nil, err
	}
	out := ListDeployments200JSONResponse{Items: make([]Deployment, len(page.Items)), Next: next(page.Next)}
	for i := range page.Items {
		out.Items[i] = shownDeployment(&page.Items[i])
	}
	return out, nil
}

// GetDeployment reads a deployment with what each gateway has made of it.
func (h *Handlers) GetDeployment(ctx context.Context, r GetDeploymentRequestObject) (GetDeploymentResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	d, err := c.Deployment(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := requireIn(ctx, c.Org, "deployment:read", authn.Scope{Project: d.ProjectID, API: d.APIID, Environment: d.EnvironmentID}); err != nil {
		if problem.Is(err, problem.CodeAccessDenied) {
			err = hidden(err)
		}
		return nil, err
	}
	out, err := h.followed(ctx, c.Org, &d)
	if err != nil {
		return nil, err
	}
	return GetDeployment200JSONResponse(out), nil
}
