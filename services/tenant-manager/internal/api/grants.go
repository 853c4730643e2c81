package api

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// noEnd is the end of what never ends.
var noEnd = time.Time{}

func scopeOf(g store.Grant) access.Scope {
	return access.Scope{Project: g.ProjectID, API: g.APIID, Environment: g.EnvironmentID}
}

func authnScope(s access.Scope) authn.Scope {
	return authn.Scope{Project: s.Project, API: s.API, Environment: s.Environment}
}

// ListGrants returns a page of grants.
func (h *Handlers) ListGrants(ctx context.Context, r ListGrantsRequestObject) (ListGrantsResponseObject, error) {
	project := deref(r.Params.Project)
	if err := authn.Require(ctx, "role:read", authn.Scope{Project: project}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	roles, err := rights.Roles(ctx, org)
	if err != nil {
		return nil, err
	}
	filter := store.GrantFilter{Principal: deref(r.Params.Principal), Role: deref(r.Params.Role), Project: project}
	if role, ok := findRole(roles, filter.Role); ok {
		filter.Role = role.ID
	}
	p := httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil))
	p.Descending = true
	page, err := org.Grants(ctx, filter, p)
	if err != nil {
		return nil, err
	}
	names, err := principalNames(ctx, org, page.Items)
	if err != nil {
		return nil, err
	}
	out := GrantList{Items: make([]Grant, len(page.Items)), Next: ptr(page.Next)}
	for i, g := range page.Items {
		out.Items[i] = grantOf(g, roles[g.RoleID], names[g.PrincipalID])
	}
	return ListGrants200JSONResponse(out), nil
}

// findRole returns a role by id or name.
func findRole(roles map[string]access.Role, idOrName string) (access.Role, bool) {
	if r, ok := roles[idOrName]; ok {
		return r, true
	}
	for _, r := range roles {
		if r.Name == idOrName {
			return r, true
		}
	}
	return access.Role{}, false
}

// principalNames returns the names of those who have the grants, by id.
func principalNames(ctx context.Context, org *store.Org, grants []store.Grant) (map[string]string, error) {
	var users, accounts []string
	for _, g := range grants {
		if g.PrincipalKind == string(authn.User) {
			users = append(users, g.PrincipalID)
		} else {
			accounts = append(accounts, g.PrincipalID)
		}
	}
	out := map[string]string{}
	us, err := org.UsersByID(ctx, users)
	if err != nil {
		return nil, err
	}
	for _, u := range us {
		out[u.ID] = u.Name
	}
	as, err := org.ServiceAccountsByID(ctx, accounts)
	for _, a := range as {
		out[a.ID] = a.Name
	}
	return out, err
}

// GetGrant returns a grant.
func (h *Handlers) GetGrant(ctx context.Context, r GetGrantRequestObject) (GetGrantResponseObject, error) {
	org := h.mine(ctx)
	g, err := org.Grant(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "role:read", authnScope(scopeOf(g))); err != nil {
		return nil, err
	}
	roles, err := rights.Roles(ctx, org)
	if err != nil {
		return nil, err
	}
	names, err := principalNames(ctx, org, []store.Grant{g})
	return GetGrant200JSONResponse{Body: grantOf(g, roles[g.RoleID], names[g.PrincipalID]), Headers: GetGrant200ResponseHeaders{ETag: etag(g.Version)}}, err
}

// CreateGrant gives somebody a role.
func (h *Handlers) CreateGrant(ctx context.Context, r CreateGrantRequestObject) (CreateGrantResponseObject, error) {
	g := store.Grant{
		PrincipalID: r.Body.Principal, ProjectID: deref(r.Body.Project), APIID: deref(r.Body.Api), EnvironmentID: deref(r.Body.Environment),
		ExpiresAt: utc(r.Body.ExpiresAt),
	}
	if err := authn.Require(ctx, "role:update", authnScope(scopeOf(g))); err != nil {
		return nil, err
	}
	if g.ExpiresAt != nil && !g.ExpiresAt.After(h.store.Now()) {
		return nil, invalid("/expiresAt", "minimum", "it is over already: name a time in the future")
	}
	made, err := create(ctx, h, func(tx *store.Tx) (Grant, error) {
		to, err := rights.Find(ctx, tx.Org, r.Body.Principal)
		if store.IsNotFound(err) {
			return Grant{}, invalid("/principal", "reference", "there is no such user or service account")
		}
		if err != nil {
			return Grant{}, err
		}
		roles, err := rights.Roles(ctx, tx.Org)
		if err != nil {
			return Grant{}, err
		}
		role, ok := findRole(roles, r.Body.Role)
		if !ok {
			return Grant{}, invalid("/role", "reference", "there is no role %q: see /roles", r.Body.Role)
		}
		if err := h.handsOn(ctx, tx, role.Permissions, scopeOf(g), until(g)); err != nil {
			return Grant{}, err
		}
		row := g
		row.RoleID, row.PrincipalKind = role.ID, string(to.Kind)
		if err := tx.CreateGrant(ctx, &row); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				return Grant{}, problem.New(problem.CodeConflict, "%s has the role %s there already", to.Name, role.Name)
			}
			return Grant{}, err
		}
		out := grantOf(row, role, to.Name)
		return out, h.record(ctx, tx, "grant.created", "grant", row.ID, role.Name+" to "+to.Name, nil, out)
	})
	return CreateGrant201JSONResponse{Body: made, Headers: CreateGrant201ResponseHeaders{ETag: etag(made.Version), Location: location("grants", made.Id)}}, err
}

func until(g store.Grant) time.Time {
	if g.ExpiresAt == nil {
		return noEnd
	}
	return *g.ExpiresAt
}

// DeleteGrant takes a role away.
func (h *Handlers) DeleteGrant(ctx context.Context, r DeleteGrantRequestObject) (DeleteGrantResponseObject, error) {
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	before, err := h.mine(ctx).Grant(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	if err := authn.Require(ctx, "role:update", authnScope(scopeOf(before))); err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		g, err := tx.Grant(ctx, r.Id)
		if err != nil {
			return err
		}
		roles, err := rights.Roles(ctx, tx.Org)
		if err != nil {
			return err
		}
		role := roles[g.RoleID]
		if g.PrincipalID != caller(ctx).Subject { // anybody may lay down a role of their own
			if err := h.handsOn(ctx, tx, role.Permissions, scopeOf(g), until(g)); err != nil {
				return err
			}
		}
		if role.ID == access.Owner {
			if err := keepsAnOwner(ctx, tx, "", g.ID); err != nil {
				return err
			}
		}
		names, err := principalNames(ctx, tx.Org, []store.Grant{g})
		if err != nil {
			return err
		}
		if err := tx.DeleteGrant(ctx, g, version); err != nil {
			return err
		}
		name := names[g.PrincipalID]
		return h.record(ctx, tx, "grant.deleted", "grant", g.ID, role.Name+" of "+name, grantOf(g, role, name), nil)
	})
	return DeleteGrant204Response{}, err
}

// CheckAccess says whether somebody may do something, and why.
func (h *Handlers) CheckAccess(ctx context.Context, r CheckAccessRequestObject) (CheckAccessResponseObject, error) {
	b := r.Body
	scope := access.Scope{Project: deref(b.Project), API: deref(b.Api), Environment: deref(b.Environment)}
	who := deref(b.Principal)
	if who == "" {
		who = caller(ctx).Subject
	}
	if who != caller(ctx).Subject {
		if err := authn.Require(ctx, "role:read", authnScope(scope)); err != nil {
			return nil, err
		}
	}
	if expanded := access.Expand([]string{b.Permission}); len(expanded) != 1 || expanded[0] != b.Permission {
		return nil, invalid("/permission", "enum", "there is no permission %q: see /permissions", b.Permission)
	}
	org := h.mine(ctx)
	p, err := rights.Find(ctx, org, who)
	if err != nil {
		return nil, err
	}
	grants, err := rights.Of(ctx, org, who)
	if err != nil {
		return nil, err
	}
	allowed, because := access.Decide(p.Active, grants, b.Permission, scope, h.store.Now())
	out := AccessCheck{Allowed: allowed, Because: make([]AccessReason, len(because))}
	for i, r := range because {
		out.Because[i] = AccessReason{Code: AccessReasonCode(r.Code), Detail: r.Detail, Grant: ptr(r.Grant), Role: ptr(r.Role)}
	}
	return CheckAccess200JSONResponse(out), nil
}
