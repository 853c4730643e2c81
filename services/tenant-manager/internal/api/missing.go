package api

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	// mostGivers is how many are named who can give something.
	mostGivers = 5
	// asGivers is how many holders of a role are looked at for it.
	asGivers = 20
)

// GetMissingAccess says to whoever lacks a permission which roles have it, and who can
// give them. Built-in roles are the same in every organization; custom ones it tells
// only to who may read roles. People are told by their names alone.
func (h *Handlers) GetMissingAccess(ctx context.Context, r GetMissingAccessRequestObject) (GetMissingAccessResponseObject, error) {
	org, now, permission := h.mine(ctx), h.store.Now(), r.Params.Permission
	if len(access.Expand([]string{permission})) == 0 {
		return nil, invalid("/permission", "reference", "there is no permission %s: see GET /permissions", permission)
	}
	scope := access.Scope{Project: deref(r.Params.Project)}
	held, err := h.held(ctx, org)
	if err != nil {
		return nil, err
	}
	out := MissingAccess{Permission: permission, Held: access.Missing(held, []string{permission}, scope, noEnd, now) == "", Roles: []MissingRole{}, Givers: []string{}}
	roles, err := h.rolesWith(ctx, org, permission, scope)
	if err != nil {
		return nil, err
	}
	for _, role := range roles {
		out.Roles = append(out.Roles, MissingRole{Id: role.ID, Title: role.Title, Description: ptr(role.Description)})
	}
	if len(roles) == 0 {
		return GetMissingAccess200JSONResponse(out), nil
	}
	out.Givers, err = h.givers(ctx, org, roles[0], scope)
	return GetMissingAccess200JSONResponse(out), err
}

// rolesWith returns the roles that have a permission and that can be asked for, those
// that give the least first.
func (h *Handlers) rolesWith(ctx context.Context, org *store.Org, permission string, scope access.Scope) ([]access.Role, error) {
	var out []access.Role
	add := func(r access.Role) {
		if slices.Contains(access.Expand(r.Permissions), permission) {
			out = append(out, r)
		}
	}
	for _, r := range access.BuiltIn() {
		if r.ID != access.Owner {
			add(r)
		}
	}
	d, err := authn.Allow(ctx, "role:read", authn.Scope{Project: scope.Project})
	if err != nil {
		return nil, err
	}
	if d.Allowed {
		custom, err := org.Roles(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range custom {
			add(access.Role{ID: r.ID, Name: r.Name, Title: r.Title, Description: r.Description, Permissions: r.Permissions})
		}
	}
	slices.SortStableFunc(out, func(a, b access.Role) int {
		return len(access.Expand(a.Permissions)) - len(access.Expand(b.Permissions))
	})
	return out, nil
}

// givers returns the names of people who can give a role, a few.
func (h *Handlers) givers(ctx context.Context, org *store.Org, role access.Role, scope access.Scope) ([]string, error) {
	ids := []string{}
	for _, of := range []string{access.Owner, "administrator", access.ProjectOwner} {
		some, err := org.RoleHolders(ctx, of, "", asGivers)
		if err != nil {
			return nil, err
		}
		ids = append(ids, some...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	known, err := rights.FindAll(ctx, org, ids...)
	if err != nil {
		return nil, err
	}
	held, err := rights.Holdings(ctx, org, ids...)
	if err != nil {
		return nil, err
	}
	out, needed, now := []string{}, append([]string{"role:update"}, role.Permissions...), h.store.Now()
	for _, id := range ids {
		p := known[id]
		if p.Kind != authn.User || !p.Active || p.Name == "" || id == caller(ctx).Subject || access.Missing(held[id], needed, scope, noEnd, now) != "" {
			continue
		}
		if out = append(out, p.Name); len(out) == mostGivers {
			break
		}
	}
	slices.Sort(out)
	return out, nil
}
