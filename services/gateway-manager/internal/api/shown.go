package api

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// show turns APIs into what is shown of them.
func (h *Handlers) show(ctx context.Context, o *store.Org, list ...store.API) ([]Api, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	where, err := h.deployed(ctx, o, list)
	if err != nil {
		return nil, err
	}
	out := make([]Api, len(list))
	for i := range list {
		a := &list[i]
		upstreams, err := a.UpstreamList()
		if err != nil {
			return nil, err
		}
		out[i] = Api{
			Id: a.ID, Version: a.Version, CreatedAt: a.CreatedAt, CreatedBy: a.CreatedBy, UpdatedAt: a.UpdatedAt,
			Project: a.ProjectID, Slug: a.Slug, Name: a.Name, ApiVersion: a.APIVersion, Description: a.Description,
			BasePath: a.BasePath, Hosts: append([]string{}, a.Hosts.V...), StripPath: a.StripPath, Upstreams: revision.MaskKeys(upstreams),
			Published: a.Published, Deprecated: a.Deprecated, OperationCount: a.OperationCount, LatestRevision: a.LatestRevision,
			Draft: DraftState{Changed: a.Changed(), Since: some(a.LatestRevision)}, Deployments: append([]ApiDeployment{}, where[a.ID]...),
		}
		if out[i].Upstreams == nil {
			out[i].Upstreams = []unit.Upstream{}
		}
		if a.Paths.V != (unit.Paths{}) {
			out[i].Paths = &a.Paths.V
		}
		if a.DocumentHash != "" {
			out[i].Document = &DocumentInfo{Format: a.DocumentFormat, Title: a.DocumentTitle, Size: int(a.DocumentSize), Hash: a.DocumentHash}
		}
	}
	return out, nil
}

// deployed returns where which revision of APIs is deployed.
func (h *Handlers) deployed(ctx context.Context, o *store.Org, list []store.API) (map[string][]ApiDeployment, error) {
	var ids []string
	hosts := map[string]*store.API{}
	for i := range list {
		if list[i].DeployedCount > 0 {
			ids = append(ids, list[i].ID)
			hosts[list[i].ID] = &list[i]
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := o.DeployedAPIs(ctx, ids...)
	if err != nil {
		return nil, err
	}
	deployments, places := make([]string, len(rows)), make([]string, len(rows))
	for i := range rows {
		deployments[i], places[i] = rows[i].DeploymentID, rows[i].EnvironmentID
	}
	states, err := o.DeploymentsByID(ctx, deployments)
	if err != nil {
		return nil, err
	}
	byID := map[string]*store.Deployment{}
	for i := range states {
		byID[states[i].ID] = &states[i]
	}
	routes, err := o.RoutesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	envs, err := o.EnvironmentsByID(ctx, places)
	if err != nil || len(envs) == 0 {
		return nil, err
	}
	for i := range envs {
		places[i] = envs[i].ID
	}
	groups, err := o.GroupsOf(ctx, places[:len(envs)]...)
	if err != nil {
		return nil, err
	}
	out := map[string][]ApiDeployment{}
	for _, e := range envs {
		for i := range rows {
			r := &rows[i]
			if r.EnvironmentID != e.ID {
				continue
			}
			d := ApiDeployment{
				Environment: e.ID, EnvironmentName: e.Name, Deployment: r.DeploymentID, Revision: r.Revision, CreatedAt: r.UpdatedAt,
				Urls: urls(groups, e.ID, r.ProjectID, routes[e.ID+" "+r.APIID]),
			}
			if s := byID[r.DeploymentID]; s != nil {
				d.State, d.CreatedAt, d.CreatedBy = DeploymentState(s.State), s.CreatedAt, s.CreatedBy
			}
			out[r.APIID] = append(out[r.APIID], d)
		}
	}
	return out, nil
}

// urls are where routes are called through the groups of an environment.
func urls(groups []store.Group, environment, project string, routes []revision.Route) []string {
	out := []string{}
	for i := range groups {
		g := &groups[i]
		if g.EnvironmentID != environment || !g.Serves(project) || g.PublicURL == "" {
			continue
		}
		for _, u := range revision.URLs(g.PublicURL, draftOf(routes)) {
			if !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out
}

// draftOf is a draft with the routes alone.
func draftOf(routes []revision.Route) *revision.Draft {
	d := &revision.Draft{}
	for _, r := range routes {
		d.BasePath = r.BasePath
		if r.Host != "" {
			d.Hosts = append(d.Hosts, r.Host)
		}
	}
	slices.Sort(d.Hosts)
	return d
}
