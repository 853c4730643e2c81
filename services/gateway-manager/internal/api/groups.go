package api

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/fleet"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

// groups turns groups into what is shown of them, with the names of environments
// and the counts of gateways and APIs.
func (h *Handlers) groups(ctx context.Context, o *store.Org, list []store.Group) ([]GatewayGroup, error) {
	ids, places := make([]string, len(list)), make([]string, len(list))
	for i, g := range list {
		ids[i], places[i] = g.ID, g.EnvironmentID
	}
	envs, err := o.EnvironmentsByID(ctx, places)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, e := range envs {
		names[e.ID] = e.Name
	}
	gateways, err := o.GatewayCounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	deployed, err := o.DeployedCounts(ctx, places)
	if err != nil {
		return nil, err
	}
	out := make([]GatewayGroup, len(list))
	for i := range list {
		g := &list[i]
		out[i] = GatewayGroup{
			Id: g.ID, Version: g.Version, CreatedAt: g.CreatedAt, CreatedBy: g.CreatedBy, UpdatedAt: g.UpdatedAt,
			Slug: g.Slug, Name: g.Name, Environment: g.EnvironmentID, EnvironmentName: names[g.EnvironmentID],
			Visibility: Visibility(g.Visibility), Projects: append([]string{}, g.Projects.V...), PublicUrl: g.PublicURL,
			Manifest: ManifestState{
				Epoch: g.Epoch, Version: g.ManifestVersion, PublishedAt: g.PublishedAt, Pending: ptr(g.Wanted > g.Done), Problem: some(g.Problem),
			},
			Gateways: GatewayCounts{
				Healthy: int(gateways[store.Healthy][g.ID]), Stale: int(gateways[store.Stale][g.ID]),
				Lost: int(gateways[store.Lost][g.ID]), Offline: int(gateways[store.Offline][g.ID]),
			},
		}
		for project, n := range deployed[g.EnvironmentID] {
			if g.Serves(project) {
				out[i].ApiCount += n
			}
		}
	}
	return out, nil
}

// settings are what of a group is recorded in the audit trail.
type groupSettings struct {
	Name       string   `json:"name"`
	Visibility string   `json:"visibility"`
	Projects   []string `json:"projects"`
	PublicURL  string   `json:"publicUrl"`
}

func settingsOf(g *store.Group) groupSettings {
	return groupSettings{g.Name, g.Visibility, g.Projects.V, g.PublicURL}
}

// ListGatewayGroups lists the gateway groups.
func (h *Handlers) ListGatewayGroups(ctx context.Context, r ListGatewayGroupsRequestObject) (ListGatewayGroupsResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	limited, err := environments(ctx, c.Org, "gateway-group:read")
	if err != nil {
		return nil, err
	}
	page, err := c.Groups(ctx, limited, get(r.Params.Environment), get(r.Params.Q), httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	items, err := h.groups(ctx, c.Org, page.Items)
	if err != nil {
		return nil, err
	}
	return ListGatewayGroups200JSONResponse{Items: items, Next: next(page.Next)}, nil
}

// checkGroup brings a group into its form and returns what is wrong with it.
func checkGroup(ctx context.Context, o *store.Org, g *store.Group) error {
	var fields []problem.Field
	g.PublicURL = strings.TrimSuffix(strings.TrimSpace(g.PublicURL), "/")
	if u, err := url.Parse(g.PublicURL); g.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		fields = append(fields, problem.Field{Pointer: "/publicUrl", Code: "format", Detail: "want http:// or https:// with a host, such as https://api.example.com"})
	}
	if len(g.Projects.V) > 0 {
		all, err := o.AllProjects(ctx)
		if err != nil {
			return err
		}
		known := map[string]bool{}
		for _, p := range all {
			known[p.ID] = true
		}
		for i, id := range g.Projects.V {
			if !known[id] {
				fields = append(fields, problem.Field{Pointer: "/projects/" + itoa(i), Code: "reference", Detail: "there is no project with this id"})
			}
		}
	}
	if len(fields) > 0 {
		return problem.Invalid("the gateway group is not right", fields...)
	}
	return nil
}

// CreateGatewayGroup makes a gateway group.
func (h *Handlers) CreateGatewayGroup(ctx context.Context, r CreateGatewayGroupRequestObject) (CreateGatewayGroupResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	env, err := c.Environment(ctx, r.Body.Environment)
	if err != nil {
		return nil, missing(err, "/environment", "there is no such environment")
	}
	if err := authn.Require(ctx, "gateway-group:create", authn.Scope{Environment: env.ID, EnvironmentSlug: env.Slug}); err != nil {
		return nil, err
	}
	g := store.Group{
		Slug: r.Body.Slug, Name: r.Body.Name, EnvironmentID: env.ID, Visibility: string(or(r.Body.Visibility, Public)), PublicURL: get(r.Body.PublicUrl),
	}
	g.Projects.V = get(r.Body.Projects)
	if err := checkGroup(ctx, c.Org, &g); err != nil {
		return nil, err
	}
	made, err := httpx.Once(ctx, h.Store.DB(), func(tx *db.Tx) (GatewayGroup, error) {
		var out []GatewayGroup
		err := h.within(ctx, tx, c.Organization, func(tx *db.Tx, o *store.Org) (service.Entry, error) {
			if err := o.Room(ctx, tx, tenant.ResourceGatewayGroups); err != nil {
				return service.Entry{}, err
			}
			made, err := o.CreateGroup(ctx, g, c.Subject)
			if err != nil {
				return service.Entry{}, taken(err, "slug", g.Slug)
			}
			if err := overlap(ctx, o, &made); err != nil {
				return service.Entry{}, err
			}
			if out, err = h.groups(ctx, o, []store.Group{made}); err != nil {
				return service.Entry{}, err
			}
			key, e := h.fleetChanged(c.Organization, made.ID)()
			return service.Entry{Action: "gateway-group.created", Target: target("gateway-group", made.ID, made.Name, ""), After: settingsOf(&made)}, service.Emit(tx, key, e)
		})
		if err != nil {
			return GatewayGroup{}, err
		}
		return out[0], nil
	})
	if err != nil {
		return nil, err
	}
	h.Wake()
	return CreateGatewayGroup201JSONResponse{Body: made, Headers: CreateGatewayGroup201ResponseHeaders{ETag: etag(made.Version)}}, nil
}

func overlap(ctx context.Context, o *store.Org, g *store.Group) error {
	route, err := o.Overlap(ctx, g)
	if err != nil || route == "" {
		return err
	}
	return problem.New(problem.CodeConflict, "two APIs of these projects are deployed at %s: a group cannot serve both; choose other projects, or give one of the APIs another base path or host", route)
}

// missing says that a field of the request names what is not there.
func missing(err error, pointer, detail string) error {
	if !isNotFound(err) {
		return err
	}
	return problem.Invalid(detail, problem.Field{Pointer: pointer, Code: "reference", Detail: detail})
}

// group returns a group that the caller may see.
func (h *Handlers) group(ctx context.Context, c caller, id string) (store.Group, error) {
	g, err := c.Group(ctx, id)
	if err != nil {
		return g, err
	}
	return g, inEnvironment(ctx, c.Org, "gateway-group:read", g.EnvironmentID)
}

// GetGatewayGroup reads a gateway group.
func (h *Handlers) GetGatewayGroup(ctx context.Context, r GetGatewayGroupRequestObject) (GetGatewayGroupResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	g, err := h.group(ctx, c, r.Id)
	if err != nil {
		return nil, err
	}
	out, err := h.groups(ctx, c.Org, []store.Group{g})
	if err != nil {
		return nil, err
	}
	return GetGatewayGroup200JSONResponse{Body: out[0], Headers: GetGatewayGroup200ResponseHeaders{ETag: etag(g.Version)}}, nil
}

// UpdateGatewayGroup changes a gateway group.
func (h *Handlers) UpdateGatewayGroup(ctx context.Context, r UpdateGatewayGroupRequestObject) (UpdateGatewayGroupResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	g, err := c.Group(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := requireIn(ctx, c.Org, "gateway-group:update", authn.Scope{Environment: g.EnvironmentID}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	visibility := Visibility(g.Visibility)
	patch, err := httpx.Merge(ctx, GatewayGroupPatch{Name: &g.Name, Visibility: &visibility, Projects: &g.Projects.V, PublicUrl: &g.PublicURL})
	if err != nil {
		return nil, err
	}
	before := settingsOf(&g)
	g.Version, g.Name, g.Visibility, g.PublicURL = version, or(patch.Name, g.Name), string(or(patch.Visibility, Public)), get(patch.PublicUrl)
	g.Projects.V = get(patch.Projects)
	if err := checkGroup(ctx, c.Org, &g); err != nil {
		return nil, err
	}
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		if err := o.LockEnvironment(ctx, g.EnvironmentID); err != nil {
			return service.Entry{}, err
		}
		if err := overlap(ctx, o, &g); err != nil {
			return service.Entry{}, err
		}
		if err := o.SaveGroup(ctx, &g); err != nil {
			return service.Entry{}, err
		}
		return service.Entry{Action: "gateway-group.updated", Target: target("gateway-group", g.ID, g.Name, ""), Before: before, After: settingsOf(&g)}, o.Want(ctx, g.ID)
	}, h.fleetChanged(c.Organization, g.ID))
	if err != nil {
		return nil, err
	}
	h.Wake()
	out, err := h.groups(ctx, c.Org, []store.Group{g})
	if err != nil {
		return nil, err
	}
	return UpdateGatewayGroup200JSONResponse{Body: out[0], Headers: UpdateGatewayGroup200ResponseHeaders{ETag: etag(g.Version)}}, nil
}

// DeleteGatewayGroup deletes a gateway group without gateways that are online.
func (h *Handlers) DeleteGatewayGroup(ctx context.Context, r DeleteGatewayGroupRequestObject) (DeleteGatewayGroupResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	g, err := c.Group(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := requireIn(ctx, c.Org, "gateway-group:delete", authn.Scope{Environment: g.EnvironmentID}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(get(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		list, err := o.GatewaysOf(ctx, g.ID)
		if err != nil {
			return service.Entry{}, err
		}
		for i := range list {
			if s := list[i].State(h.Now()); s == store.Healthy || s == store.Stale {
				return service.Entry{}, problem.New(problem.CodeConflict, "the gateway %q of the group is online: stop it first", list[i].Name)
			}
		}
		return service.Entry{Action: "gateway-group.deleted", Target: target("gateway-group", g.ID, g.Name, ""), Before: settingsOf(&g)}, o.RemoveGroup(ctx, g.ID, version)
	}, h.fleetChanged(c.Organization, g.ID))
	if err != nil {
		return nil, err
	}
	return DeleteGatewayGroup204Response{}, nil
}

func joinToken(t *store.JoinToken) JoinToken {
	return JoinToken{Id: t.ID, Name: t.Name, CreatedAt: t.CreatedAt, CreatedBy: t.CreatedBy, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt, Last4: t.Last4}
}

// ListJoinTokens lists a group's join tokens, without the tokens themselves.
func (h *Handlers) ListJoinTokens(ctx context.Context, r ListJoinTokensRequestObject) (ListJoinTokensResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	g, err := h.group(ctx, c, r.Id)
	if err != nil {
		return nil, err
	}
	list, err := c.JoinTokens(ctx, g.ID)
	if err != nil {
		return nil, err
	}
	out := ListJoinTokens200JSONResponse{Items: make([]JoinToken, len(list))}
	for i := range list {
		out.Items[i] = joinToken(&list[i])
	}
	return out, nil
}

// CreateJoinToken makes a join token, which is shown once.
func (h *Handlers) CreateJoinToken(ctx context.Context, r CreateJoinTokenRequestObject) (CreateJoinTokenResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	g, err := c.Group(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := requireIn(ctx, c.Org, "gateway-group:update", authn.Scope{Environment: g.EnvironmentID}); err != nil {
		return nil, err
	}
	if at := r.Body.ExpiresAt; at != nil && !at.After(h.Now()) {
		return nil, problem.Invalid("the token would have expired already", problem.Field{Pointer: "/expiresAt", Code: "minimum", Detail: "choose a time to come"})
	}
	token := fleet.NewToken()
	row := store.JoinToken{GroupID: g.ID, Name: r.Body.Name, Hash: fleet.HashToken(token), Last4: token[len(token)-4:], CreatedBy: c.Subject}
	if at := r.Body.ExpiresAt; at != nil {
		row.ExpiresAt = ptr(at.UTC().Truncate(time.Microsecond))
	}
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		row, err = o.CreateJoinToken(ctx, row)
		return service.Entry{Action: "join-token.created", Target: target("join-token", row.ID, row.Name, ""), After: joinToken(&row)}, err
	})
	if err != nil {
		return nil, err
	}
	t := joinToken(&row)
	return CreateJoinToken201JSONResponse{
		Id: t.Id, Name: t.Name, CreatedAt: t.CreatedAt, CreatedBy: t.CreatedBy, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt, Last4: t.Last4, Token: token,
	}, nil
}

// DeleteJoinToken revokes a join token.
func (h *Handlers) DeleteJoinToken(ctx context.Context, r DeleteJoinTokenRequestObject) (DeleteJoinTokenResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	g, err := c.Group(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := requireIn(ctx, c.Org, "gateway-group:update", authn.Scope{Environment: g.EnvironmentID}); err != nil {
		return nil, err
	}
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		t, err := o.RemoveJoinToken(ctx, g.ID, r.Token)
		return service.Entry{Action: "join-token.deleted", Target: target("join-token", t.ID, t.Name, ""), Before: joinToken(&t)}, err
	})
	if err != nil {
		return nil, err
	}
	return DeleteJoinToken204Response{}, nil
}
