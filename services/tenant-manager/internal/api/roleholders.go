package api

import (
	"context"
	"encoding/base64"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListRoleHolders returns a page of the users and service accounts who have a role,
// by id, with how each comes to it.
func (h *Handlers) ListRoleHolders(ctx context.Context, r ListRoleHoldersRequestObject) (ListRoleHoldersResponseObject, error) {
	if err := authn.Require(ctx, "role:read", authn.Scope{}); err != nil {
		return nil, err
	}
	after, err := base64.RawURLEncoding.DecodeString(deref(r.Params.Cursor))
	if err != nil {
		return nil, invalid("/cursor", "format", "use the next of the page before")
	}
	org := h.mine(ctx)
	role := r.Id
	if b, builtIn := access.BuiltInByName(role); builtIn {
		role = b.ID
	} else if _, err := org.Role(ctx, role); err != nil {
		return nil, err
	}
	limit := deref(r.Params.Limit)
	if limit == 0 {
		limit = 50
	}
	page, err := org.RoleHolders(ctx, role, string(after), limit+1)
	if err != nil {
		return nil, err
	}
	out := RoleHolderList{Items: make([]RoleHolder, 0, len(page))}
	if len(page) > limit {
		page = page[:limit]
		out.Next = ptr(base64.RawURLEncoding.EncodeToString([]byte(page[limit-1])))
	}
	known, err := rights.FindAll(ctx, org, page...)
	if err != nil {
		return nil, err
	}
	held, err := rights.Holdings(ctx, org, page...)
	if err != nil {
		return nil, err
	}
	now := h.store.Now()
	for _, id := range page {
		p, ok := known[id]
		if !ok {
			continue
		}
		v := RoleHolder{Principal: Principal{Kind: PrincipalKind(p.Kind), Id: p.ID, Name: p.Name}, Active: p.Active, Grants: []HeldGrant{}}
		for _, g := range held[id].Grants {
			if g.RoleID != role || g.Ended(now) {
				continue
			}
			v.Grants = append(v.Grants, HeldGrant{
				Id: g.ID, Effect: effectOf(g.Deny), Project: ptr(g.Scope.Project), Api: ptr(g.Scope.API), Environment: ptr(g.Scope.Environment),
				ExpiresAt: end(g.ExpiresAt), Via: chainOf(g.Via),
			})
		}
		out.Items = append(out.Items, v)
	}
	return ListRoleHolders200JSONResponse(out), nil
}

// PreviewBoundary says what a boundary would take away.
func (h *Handlers) PreviewBoundary(ctx context.Context, r PreviewBoundaryRequestObject) (PreviewBoundaryResponseObject, error) {
	if err := authn.Require(ctx, "role:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	bounded, err := rights.Find(ctx, org, r.Id)
	if err != nil {
		return nil, err
	}
	roles, err := rights.RolesCalled(ctx, org, deref(r.Body.Role))
	if err != nil {
		return nil, err
	}
	var role access.Role
	if named := deref(r.Body.Role); named != "" {
		var ok bool
		if role, ok = findRole(roles, named); !ok {
			return nil, invalid("/role", "reference", "there is no role %q: see /roles", named)
		}
	}
	out := BoundaryPreview{Principal: Principal{Kind: PrincipalKind(bounded.Kind), Id: bounded.ID, Name: bounded.Name}, Affected: 1}
	who := bounded.ID
	if bounded.Kind == rights.Group {
		inside, err := org.Inside(ctx, bounded.ID)
		if err != nil {
			return nil, err
		}
		out.Affected = len(inside)
		if member := deref(r.Body.Member); member != "" {
			if !slices.ContainsFunc(inside, func(m store.GroupMember) bool { return m.MemberID == member }) {
				return nil, invalid("/member", "reference", "there is no such user or service account in the group")
			}
			p, err := rights.Find(ctx, org, member)
			if err != nil {
				return nil, err
			}
			who, out.Principal = member, Principal{Kind: PrincipalKind(p.Kind), Id: p.ID, Name: p.Name}
		}
	} else if member := deref(r.Body.Member); member != "" && member != bounded.ID {
		return nil, invalid("/member", "reference", "only groups have members: leave it out")
	}
	held, err := rights.Of(ctx, org, who)
	if err != nil {
		return nil, err
	}
	now := h.store.Now()
	out.Before = access.All(held, now)
	held.Boundaries = slices.DeleteFunc(slices.Clone(held.Boundaries), func(b access.Boundary) bool { // the one that would be replaced
		if n := len(b.Via); n > 0 {
			return b.Via[n-1].ID == bounded.ID
		}
		return who == bounded.ID
	})
	if role.ID != "" {
		held = held.Narrowed(access.Boundary{Role: role.Name, Permissions: role.Permissions})
	}
	out.After = access.All(held, now)
	return PreviewBoundary200JSONResponse(out), nil
}
