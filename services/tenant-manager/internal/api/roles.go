package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListPermissions returns every permission there is.
func (h *Handlers) ListPermissions(context.Context, ListPermissionsRequestObject) (ListPermissionsResponseObject, error) {
	out := PermissionList{Items: []Permission{}}
	for _, p := range access.Permissions() {
		out.Items = append(out.Items, Permission{Name: p.Name, Kind: p.Kind, Verb: p.Verb, Title: p.Title})
	}
	return ListPermissions200JSONResponse(out), nil
}

// ListRoles returns a page of roles: the first begins with the built-in ones.
func (h *Handlers) ListRoles(ctx context.Context, r ListRolesRequestObject) (ListRolesResponseObject, error) {
	page, err := h.mine(ctx).RolePage(ctx, httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil)))
	if err != nil {
		return nil, err
	}
	out := RoleList{Items: []Role{}, Next: ptr(page.Next)}
	if deref(r.Params.Cursor) == "" {
		for _, b := range access.BuiltIn() {
			out.Items = append(out.Items, builtInRole(b))
		}
		first, err := h.store.First(ctx)
		if err != nil {
			return nil, err
		}
		if first == caller(ctx).Organization {
			for _, b := range access.OfPlatform() {
				out.Items = append(out.Items, builtInRole(b))
			}
		}
	}
	for _, row := range page.Items {
		out.Items = append(out.Items, roleOf(row))
	}
	return ListRoles200JSONResponse(out), nil
}

// GetRole returns a role.
func (h *Handlers) GetRole(ctx context.Context, r GetRoleRequestObject) (GetRoleResponseObject, error) {
	if b, ok := access.BuiltInByName(r.Id); ok {
		return GetRole200JSONResponse{Body: builtInRole(b), Headers: GetRole200ResponseHeaders{ETag: etag(1)}}, nil
	}
	row, err := h.mine(ctx).Role(ctx, r.Id)
	return GetRole200JSONResponse{Body: roleOf(row), Headers: GetRole200ResponseHeaders{ETag: etag(row.Version)}}, err
}

// checkPermissions returns a problem that names every pattern that means nothing.
func checkPermissions(patterns []string) error {
	var fields []problem.Field
	for i, p := range patterns {
		if err := access.Check(p); err != nil {
			fields = append(fields, problem.Field{Pointer: fmt.Sprintf("/permissions/%d", i), Code: "enum", Detail: err.Error()})
		}
	}
	if len(fields) > 0 {
		return problem.Invalid("the role has permissions that there are not", fields...)
	}
	return nil
}

// CreateRole makes a custom role.
func (h *Handlers) CreateRole(ctx context.Context, r CreateRoleRequestObject) (CreateRoleResponseObject, error) {
	if err := authn.Require(ctx, "role:create", authn.Scope{}); err != nil {
		return nil, err
	}
	if _, builtIn := access.BuiltInByName(r.Body.Name); builtIn {
		return nil, invalid("/name", "duplicate", "%s is a built-in role: choose another name", r.Body.Name)
	}
	if err := checkPermissions(r.Body.Permissions); err != nil {
		return nil, err
	}
	title := strings.TrimSpace(deref(r.Body.Title))
	if title == "" {
		title = r.Body.Name
	}
	made, err := create(ctx, h, func(tx *store.Tx) (Role, error) {
		row := store.Role{Name: r.Body.Name, Title: title, Description: deref(r.Body.Description), Permissions: access.Normalize(r.Body.Permissions)}
		if err := h.handsOn(ctx, tx, row.Permissions, access.Scope{}, noEnd); err != nil {
			return Role{}, err
		}
		if err := tx.CreateRole(ctx, &row); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				return Role{}, problem.New(problem.CodeConflict, "there is a role named %s already", row.Name)
			}
			return Role{}, err
		}
		out := roleOf(row)
		return out, h.record(ctx, tx, "role.created", "role", row.ID, row.Name, nil, out)
	})
	return CreateRole201JSONResponse{Body: made, Headers: CreateRole201ResponseHeaders{ETag: etag(made.Version), Location: location("roles", made.Id)}}, err
}

// roleFields is what people may change of a role.
type roleFields struct {
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`
}

func errBuiltIn(name string) error {
	return problem.New(problem.CodeConflict, "%s is a built-in role, which cannot be changed: make a custom role", name)
}

// UpdateRole changes a custom role.
func (h *Handlers) UpdateRole(ctx context.Context, r UpdateRoleRequestObject) (UpdateRoleResponseObject, error) {
	if err := authn.Require(ctx, "role:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if _, builtIn := access.BuiltInByName(r.Id); builtIn {
		return nil, errBuiltIn(r.Id)
	}
	var row store.Role
	err = h.change(ctx, func(tx *store.Tx) error {
		var err error
		if row, err = tx.LockRole(ctx, r.Id); err != nil {
			return err
		}
		before := roleOf(row)
		fields, err := httpx.Merge(ctx, roleFields{row.Title, row.Description, row.Permissions})
		if err != nil {
			return err
		}
		if err := checkPermissions(fields.Permissions); err != nil {
			return err
		}
		// What it was counts too: nobody takes from others what they do not have.
		for _, permissions := range [][]string{fields.Permissions, row.Permissions} {
			if err := h.handsOn(ctx, tx, permissions, access.Scope{}, noEnd); err != nil {
				return err
			}
		}
		row.Title, row.Description, row.Permissions, row.Version = fields.Title, fields.Description, access.Normalize(fields.Permissions), version
		if err := guardOwner(ctx, tx, func() error { return tx.SaveRole(ctx, &row) }); err != nil { // it may be a boundary
			return err
		}
		if err := tx.AccessChanged("", ""); err != nil {
			return err
		}
		return h.record(ctx, tx, "role.updated", "role", row.ID, row.Name, before, roleOf(row))
	})
	return UpdateRole200JSONResponse{Body: roleOf(row), Headers: UpdateRole200ResponseHeaders{ETag: etag(row.Version)}}, err
}

// DeleteRole deletes a custom role that nobody has.
func (h *Handlers) DeleteRole(ctx context.Context, r DeleteRoleRequestObject) (DeleteRoleResponseObject, error) {
	if err := authn.Require(ctx, "role:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if _, builtIn := access.BuiltInByName(r.Id); builtIn {
		return nil, errBuiltIn(r.Id)
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		row, err := tx.LockRole(ctx, r.Id)
		if err != nil {
			return err
		}
		uses, err := tx.RoleUses(ctx, row.ID)
		if err != nil {
			return err
		}
		if uses > 0 {
			return problem.New(problem.CodeConflict, "the role %s has been given, denied or set as a boundary %d times: take it away first (see /grants?role=%[3]s and /boundaries?role=%[3]s)", row.Name, uses, row.ID)
		}
		if err := tx.DeleteRole(ctx, row.ID, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "role.deleted", "role", row.ID, row.Name, roleOf(row), nil)
	})
	return DeleteRole204Response{}, err
}
