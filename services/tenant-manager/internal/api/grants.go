package api

import (
	"cmp"
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
	filter := store.GrantFilter{Principal: deref(r.Params.Principal), Role: deref(r.Params.Role), Project: project, API: deref(r.Params.Api), Environment: deref(r.Params.Environment), Effect: string(deref(r.Params.Effect)), Standing: deref(r.Params.Standing)}
	roles, err := rights.RolesCalled(ctx, org, filter.Role)
	if err != nil {
		return nil, err
	}
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
	given := make([]string, len(page.Items))
	for i, g := range page.Items {
		given[i] = g.RoleID
	}
	if roles, err = rights.RolesCalled(ctx, org, given...); err != nil {
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
	ids := make([]string, len(grants))
	for i, g := range grants {
		ids[i] = g.PrincipalID
	}
	return names(ctx, org, ids)
}

// names returns the names of users, service accounts and groups, by id; those of
// deleted users too.
func names(ctx context.Context, org *store.Org, ids []string) (map[string]string, error) {
	out := map[string]string{}
	users, err := org.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		out[u.ID] = u.Name
	}
	if len(out) == len(ids) {
		return out, nil
	}
	accounts, err := org.ServiceAccountsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		out[a.ID] = a.Name
	}
	groups, err := org.GroupsByID(ctx, ids)
	for _, g := range groups {
		out[g.ID] = g.Name
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
	roles, err := rights.RolesCalled(ctx, org, g.RoleID)
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
		ExpiresAt: utc(r.Body.ExpiresAt), Effect: cmp.Or(string(deref(r.Body.Effect)), store.Allow),
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
			return Grant{}, invalid("/principal", "reference", "there is no such user, service account or group")
		}
		if err != nil {
			return Grant{}, err
		}
		roles, err := rights.RolesCalled(ctx, tx.Org, r.Body.Role)
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
		give := func() error { return tx.CreateGrant(ctx, &row) }
		if row.Effect == store.Deny {
			give = func() error { return h.restrict(ctx, tx, to, func() error { return tx.CreateGrant(ctx, &row) }) }
		}
		if err := give(); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				return Grant{}, problem.New(problem.CodeConflict, "the role %s is %s %s there already", role.Name, map[string]string{store.Allow: "given to", store.Deny: "denied to"}[row.Effect], to.Name)
			}
			return Grant{}, err
		}
		out := grantOf(row, role, to.Name)
		return out, h.record(ctx, tx, "grant.created", "grant", row.ID, grantName(row, role, to.Name), nil, recordedGrant{out, row.Effect == store.Allow && access.Everything(role.Permissions)})
	})
	return CreateGrant201JSONResponse{Body: made, Headers: CreateGrant201ResponseHeaders{ETag: etag(made.Version), Location: location("grants", made.Id)}}, err
}

// recordedGrant is what the audit trail says of a grant: also whether it makes an owner,
// by whatever role.
type recordedGrant struct {
	Grant
	Everything bool `json:"everything,omitempty"`
}

// grantName is a grant as the audit trail names it.
func grantName(g store.Grant, role access.Role, to string) string {
	if g.Effect == store.Deny {
		return "denied " + role.Name + " to " + to
	}
	return role.Name + " to " + to
}

// restrict makes a change of what is denied to somebody, or bounds them, or of
// who is affected by such: only over those who may do no more than the caller,
// before and after, and never so that no owner is left.
func (h *Handlers) restrict(ctx context.Context, tx *store.Tx, to rights.Principal, change func() error) error {
	affected := []string{to.ID}
	if to.Kind == rights.Group {
		inside, err := tx.Inside(ctx, to.ID)
		if err != nil {
			return err
		}
		affected = affected[:0]
		for _, m := range inside {
			affected = append(affected, m.MemberID)
		}
	}
	me, now := caller(ctx).Subject, h.store.Now()
	before, err := h.holdings(ctx, tx.Org, affected...)
	if err != nil {
		return err
	}
	if err := noneAbove(before, affected, before[me], now); err != nil {
		return err
	}
	if err := guardOwner(ctx, tx, change); err != nil {
		return err
	}
	after, err := rights.Holdings(ctx, tx.Org, affected...)
	if err != nil {
		return err
	}
	return noneAbove(after, affected, before[me], now) // the caller among them
}

// noneAbove returns a problem where one of the principals may do more than what
// is held.
func noneAbove(all map[string]access.Holding, principals []string, held access.Holding, now time.Time) error {
	for _, p := range principals {
		if err := notAbove(all[p], held, now); err != nil {
			return err
		}
	}
	return nil
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
		if g.PrincipalID != caller(ctx).Subject || g.Effect == store.Deny { // anybody may lay down a role of their own
			if err := h.handsOn(ctx, tx, role.Permissions, scopeOf(g), until(g)); err != nil {
				return err
			}
		}
		if role.ID == access.Owner && g.Effect == store.Allow {
			if err := keepsAnOwner(ctx, tx, "", g.ID); err != nil {
				return err
			}
		}
		names, err := principalNames(ctx, tx.Org, []store.Grant{g})
		if err != nil {
			return err
		}
		name := names[g.PrincipalID]
		take := func() error { return tx.DeleteGrant(ctx, g, version) }
		if g.Effect == store.Deny {
			to := rights.Principal{Kind: authn.Kind(g.PrincipalKind), ID: g.PrincipalID, Name: name}
			take = func() error { return h.restrict(ctx, tx, to, func() error { return tx.DeleteGrant(ctx, g, version) }) }
		}
		if err := take(); err != nil {
			return err
		}
		return h.record(ctx, tx, "grant.deleted", "grant", g.ID, grantName(g, role, name), grantOf(g, role, name), nil)
	})
	return DeleteGrant204Response{}, err
}
