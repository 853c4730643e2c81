package events

import (
	"context"
	"fmt"
	"slices"

	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// apis answers what other services check APIs against. The draft of each is put
// into the bucket as a unit without policies, for trying policies on it.
func (e *Events) apis(ctx context.Context, r gateway.APIs) (gateway.APIList, error) {
	o := e.Store.For(r.Organization)
	list, err := o.APIsByID(ctx, r.IDs)
	if err != nil {
		return gateway.APIList{}, err
	}
	org, err := e.Store.Organization(ctx, r.Organization)
	if err != nil {
		return gateway.APIList{}, fmt.Errorf("reading the organization: %w", err)
	}
	out := gateway.APIList{APIs: make([]gateway.API, 0, len(list))}
	for i := range list {
		a := &list[i]
		d, err := o.Draft(ctx, a)
		if err != nil {
			return gateway.APIList{}, err
		}
		doc, err := o.Document(ctx, d.Document)
		if err != nil {
			return gateway.APIList{}, err
		}
		b, err := revision.Build(&revision.Content{Draft: d}, doc, revision.Place{API: a.ID, Organization: r.Organization, Project: a.ProjectID})
		if err != nil {
			return gateway.APIList{}, fmt.Errorf("building API %s: %w", a.ID, err)
		}
		if _, err := e.Units.Put(ctx, org.Slug, map[unit.Hash][]byte{b.Hash: b.Document}); err != nil {
			return gateway.APIList{}, fmt.Errorf("sending the draft of API %s: %w", a.ID, err)
		}
		api := gateway.API{ID: a.ID, Name: a.Name, Project: a.ProjectID, Unit: b.Hash, Operations: make([]gateway.Operation, len(d.Operations))}
		for j, op := range d.Operations {
			api.Operations[j] = gateway.Operation{ID: op.ID, Method: op.Method, Path: op.Path}
		}
		out.APIs = append(out.APIs, api)
	}
	return out, nil
}

// published answers what consumers may know of APIs.
func (e *Events) published(ctx context.Context, r gateway.Published) (gateway.PublishedList, error) {
	o := e.Store.For(r.Organization)
	var list []store.API
	var err error
	if len(r.APIs) > 0 {
		list, err = o.APIsByID(ctx, r.APIs)
	} else {
		list, err = o.PublishedAPIs(ctx)
	}
	if err != nil {
		return gateway.PublishedList{}, err
	}
	envs, err := o.AllEnvironments(ctx)
	if err != nil {
		return gateway.PublishedList{}, err
	}
	groups, err := o.GroupsOf(ctx)
	if err != nil {
		return gateway.PublishedList{}, err
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	out := gateway.PublishedList{APIs: make([]gateway.PublishedAPI, 0, len(list))}
	if len(ids) == 0 {
		return out, nil
	}
	deployed, err := o.DeployedAPIs(ctx, ids...)
	if err != nil {
		return gateway.PublishedList{}, err
	}
	routes, err := o.RoutesOf(ctx, ids)
	if err != nil {
		return gateway.PublishedList{}, err
	}
	slices.SortStableFunc(list, func(a, b store.API) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	for i := range list {
		a, err := one(ctx, o, &list[i], envs, groups, deployed, routes)
		if err != nil {
			return gateway.PublishedList{}, err
		}
		out.APIs = append(out.APIs, a)
	}
	return out, nil
}

// one is one API as its consumers see it: by the revision that is deployed to the
// last environment that has one.
func one(ctx context.Context, o *store.Org, a *store.API, envs []store.Environment, groups []store.Group, deployed []store.Deployed, routes map[string][]revision.Route) (gateway.PublishedAPI, error) {
	out := gateway.PublishedAPI{
		ID: a.ID, Slug: a.Slug, Name: a.Name, Version: a.APIVersion, Title: a.DocumentTitle, Description: a.Description, Project: a.ProjectID,
		Published: a.Published, Deprecated: a.Deprecated,
	}
	for _, env := range envs {
		for j := range deployed {
			d := &deployed[j]
			if d.APIID != a.ID || d.EnvironmentID != env.ID {
				continue
			}
			out.Revision = uint64(max(d.Revision, 0))
			for _, u := range endpoints(groups, d, routes[env.ID+" "+a.ID]) {
				out.Endpoints = append(out.Endpoints, gateway.Endpoint{Environment: env.ID, EnvironmentName: env.Name, URL: u, Revision: uint64(max(d.Revision, 0))})
			}
		}
	}
	if out.Revision == 0 {
		return out, nil
	}
	r, err := o.Revision(ctx, a.ID, int64(out.Revision))
	if err != nil {
		return out, fmt.Errorf("reading revision %d of API %s: %w", out.Revision, a.ID, err)
	}
	out.Document, out.Version = unit.Hash(r.DocumentHash), r.APIVersion
	for _, p := range r.Plans.V {
		out.Plans = append(out.Plans, p.ID)
	}
	return out, nil
}

func endpoints(groups []store.Group, d *store.Deployed, routes []revision.Route) []string {
	draft := &revision.Draft{}
	for _, r := range routes {
		draft.BasePath = r.BasePath
		if r.Host != "" {
			draft.Hosts = append(draft.Hosts, r.Host)
		}
	}
	var out []string
	for i := range groups {
		g := &groups[i]
		if g.EnvironmentID != d.EnvironmentID || !g.Serves(d.ProjectID) || g.Visibility != "public" || g.PublicURL == "" {
			continue
		}
		for _, u := range revision.URLs(g.PublicURL, draft) {
			if !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	return out
}
