package api

import (
	"context"
	"errors"
	"strconv"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/fleet"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

func isNotFound(err error) bool { return errors.Is(err, db.ErrNotFound) }

func itoa(i int) string { return strconv.Itoa(i) }

// gateways turns gateways into what is shown of them.
func (h *Handlers) gateways(ctx context.Context, o *store.Org, list []store.Gateway) ([]Gateway, error) {
	all, err := o.GroupsOf(ctx)
	if err != nil {
		return nil, err
	}
	envs, err := o.AllEnvironments(ctx)
	if err != nil {
		return nil, err
	}
	groups, names := map[string]store.Group{}, map[string]string{}
	for _, g := range all {
		groups[g.ID] = g
	}
	for _, e := range envs {
		names[e.ID] = e.Name
	}
	out, now := make([]Gateway, len(list)), h.Now()
	for i := range list {
		gw, g := &list[i], groups[list[i].GroupID]
		out[i] = Gateway{
			Id: gw.ID, Name: gw.Name, Group: g.ID, GroupName: g.Name, Environment: g.EnvironmentID, EnvironmentName: names[g.EnvironmentID],
			State: GatewayState(gw.State(now)), AppliedVersion: gw.AppliedVersion, DesiredVersion: g.ManifestVersion, Build: gw.Build,
			Listeners: &gw.Listeners.V, CreatedAt: gw.CreatedAt, StartedAt: gw.StartedAt, LastSeenAt: gw.LastSeenAt, ClockSkewMs: gw.ClockSkewMS,
			Issues: make([]GatewayIssue, len(gw.Issues.V)), InFlight: gw.InFlight, Requests: gw.Requests, Memory: gw.Memory, Apis: gw.APIs,
		}
		if gw.Epoch != g.Epoch {
			out[i].AppliedVersion = 0 // of another history
		}
		for j, e := range gw.Issues.V {
			serving := None
			if e.Serving == string(Previous) {
				serving = Previous
			}
			out[i].Issues[j] = GatewayIssue{Kind: e.Kind, Name: e.Name, Pointer: some(e.Pointer), Detail: e.Detail, Serving: serving}
		}
	}
	return out, nil
}

// ListGateways lists the gateways.
func (h *Handlers) ListGateways(ctx context.Context, r ListGatewaysRequestObject) (ListGatewaysResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	limited, err := environments(ctx, c.Org, "gateway:read")
	if err != nil {
		return nil, err
	}
	var groups []string
	if limited != nil {
		groups = []string{}
		if len(limited) > 0 {
			list, err := c.GroupsOf(ctx, limited...)
			if err != nil {
				return nil, err
			}
			for _, g := range list {
				groups = append(groups, g.ID)
			}
		}
	}
	if only := get(r.Params.Group); only != "" {
		g, err := c.Group(ctx, only)
		if err == nil {
			err = inEnvironment(ctx, c.Org, "gateway:read", g.EnvironmentID)
		}
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		groups = []string{only}
		if err != nil {
			groups = []string{}
		}
	}
	page, err := c.Gateways(ctx, groups, string(get(r.Params.State)), get(r.Params.Q), httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	if err != nil {
		return nil, err
	}
	items, err := h.gateways(ctx, c.Org, page.Items)
	if err != nil {
		return nil, err
	}
	return ListGateways200JSONResponse{Items: items, Next: next(page.Next)}, nil
}

// GetGateway reads a gateway.
func (h *Handlers) GetGateway(ctx context.Context, r GetGatewayRequestObject) (GetGatewayResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	gw, err := c.Gateway(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	out, err := h.gateways(ctx, c.Org, []store.Gateway{gw})
	if err != nil {
		return nil, err
	}
	if err := inEnvironment(ctx, c.Org, "gateway:read", out[0].Environment); err != nil {
		return nil, err
	}
	return GetGateway200JSONResponse(out[0]), nil
}

// DeleteGateway forgets a gateway that is lost or offline.
func (h *Handlers) DeleteGateway(ctx context.Context, r DeleteGatewayRequestObject) (DeleteGatewayResponseObject, error) {
	c, err := h.caller(ctx)
	if err != nil {
		return nil, err
	}
	gw, err := c.Gateway(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	g, err := c.Group(ctx, gw.GroupID)
	if err != nil {
		return nil, err
	}
	if err := requireIn(ctx, c.Org, "gateway:delete", authn.Scope{Environment: g.EnvironmentID}); err != nil {
		return nil, err
	}
	if s := gw.State(h.Now()); s == store.Healthy || s == store.Stale {
		return nil, problem.New(problem.CodeConflict, "the gateway %q is online: stop it first", gw.Name)
	}
	err = h.change(ctx, func(_ *db.Tx, o *store.Org) (service.Entry, error) {
		return service.Entry{Action: "gateway.deleted", Target: target("gateway", gw.ID, gw.Name, ""), Before: fleet.Described(gw)}, o.RemoveGateway(ctx, gw.ID)
	}, h.fleetChanged(c.Organization, g.ID))
	if err != nil {
		return nil, err
	}
	return DeleteGateway204Response{}, nil
}
