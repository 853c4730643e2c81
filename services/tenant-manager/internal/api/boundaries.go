package api

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListBoundaries returns a page of boundaries.
func (h *Handlers) ListBoundaries(ctx context.Context, r ListBoundariesRequestObject) (ListBoundariesResponseObject, error) {
	if err := authn.Require(ctx, "role:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	of := deref(r.Params.Role)
	roles, err := rights.RolesCalled(ctx, org, of)
	if err != nil {
		return nil, err
	}
	if role, ok := findRole(roles, of); ok {
		of = role.ID
	}
	p := httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil))
	p.Descending = true
	page, err := org.Boundaries(ctx, of, p)
	if err != nil {
		return nil, err
	}
	ids, given := make([]string, len(page.Items)), make([]string, len(page.Items))
	for i, b := range page.Items {
		ids[i], given[i] = b.PrincipalID, b.RoleID
	}
	if roles, err = rights.RolesCalled(ctx, org, given...); err != nil {
		return nil, err
	}
	called, err := names(ctx, org, ids)
	if err != nil {
		return nil, err
	}
	out := BoundaryList{Items: make([]Boundary, len(page.Items)), Next: ptr(page.Next)}
	for i, b := range page.Items {
		out.Items[i] = boundaryOf(b, roles[b.RoleID].Name, called[b.PrincipalID])
	}
	return ListBoundaries200JSONResponse(out), nil
}

// GetBoundary returns somebody's boundary.
func (h *Handlers) GetBoundary(ctx context.Context, r GetBoundaryRequestObject) (GetBoundaryResponseObject, error) {
	if err := authn.Require(ctx, "role:read", authn.Scope{}); err != nil {
		return nil, err
	}
	out, err := h.boundary(ctx, h.mine(ctx), r.Id)
	return GetBoundary200JSONResponse{Body: out, Headers: GetBoundary200ResponseHeaders{ETag: etag(out.Version)}}, err
}

func (h *Handlers) boundary(ctx context.Context, org *store.Org, principal string) (Boundary, error) {
	b, err := org.Boundary(ctx, principal)
	if err != nil {
		return Boundary{}, err
	}
	roles, err := rights.RolesCalled(ctx, org, b.RoleID)
	if err != nil {
		return Boundary{}, err
	}
	called, err := names(ctx, org, []string{principal})
	return boundaryOf(b, roles[b.RoleID].Name, called[principal]), err
}

// bounds is what the audit trail says of a boundary.
type bounds struct {
	Role string `json:"role"`
}

// SetBoundary bounds what somebody may do.
func (h *Handlers) SetBoundary(ctx context.Context, r SetBoundaryRequestObject) (SetBoundaryResponseObject, error) {
	if err := authn.Require(ctx, "role:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	var out Boundary
	err = h.change(ctx, func(tx *store.Tx) error {
		to, err := rights.Find(ctx, tx.Org, r.Id)
		if err != nil {
			return err
		}
		roles, err := rights.Roles(ctx, tx.Org)
		if err != nil {
			return err
		}
		role, ok := findRole(roles, r.Body.Role)
		if !ok {
			return invalid("/role", "reference", "there is no role %q: see /roles", r.Body.Role)
		}
		var before any
		was, err := tx.Boundary(ctx, to.ID)
		if err != nil && !store.IsNotFound(err) {
			return err
		}
		if err := db.Expect(was.Version, version); err != nil {
			return err
		}
		if was.ID != "" {
			before = bounds{roles[was.RoleID].Name}
		}
		b := store.Boundary{PrincipalID: to.ID, PrincipalKind: string(to.Kind), RoleID: role.ID}
		if err := h.restrict(ctx, tx, to, func() error { return tx.SetBoundary(ctx, &b) }); err != nil {
			return err
		}
		out = boundaryOf(b, role.Name, to.Name)
		return h.record(ctx, tx, "boundary.set", string(to.Kind), to.ID, to.Name, before, bounds{role.Name})
	})
	return SetBoundary200JSONResponse{Body: out, Headers: SetBoundary200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// DeleteBoundary takes a boundary away.
func (h *Handlers) DeleteBoundary(ctx context.Context, r DeleteBoundaryRequestObject) (DeleteBoundaryResponseObject, error) {
	if err := authn.Require(ctx, "role:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		b, err := tx.Boundary(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := db.Expect(b.Version, version); err != nil {
			return err
		}
		to, err := rights.Find(ctx, tx.Org, r.Id)
		if err != nil {
			return err
		}
		roles, err := rights.Roles(ctx, tx.Org)
		if err != nil {
			return err
		}
		if err := h.restrict(ctx, tx, to, func() error { return tx.DeleteBoundary(ctx, b) }); err != nil {
			return err
		}
		return h.record(ctx, tx, "boundary.deleted", string(to.Kind), to.ID, to.Name, bounds{roles[b.RoleID].Name}, nil)
	})
	return DeleteBoundary204Response{}, err
}
