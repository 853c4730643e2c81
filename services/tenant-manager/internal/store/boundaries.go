package store

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/db"
)

// BoundariesOf returns the boundaries of the principals.
func (o *Org) BoundariesOf(ctx context.Context, principals ...string) ([]Boundary, error) {
	if len(principals) == 0 {
		return nil, nil
	}
	return db.From[Boundary](o.scope).Where("principal_id IN ?", principals).Order("created_at", false).All(ctx)
}

// Boundaries returns a page of boundaries, by creation; role = only those that
// are this role, "" = any.
func (o *Org) Boundaries(ctx context.Context, role string, p db.PageRequest) (db.Page[Boundary], error) {
	q := db.From[Boundary](o.scope)
	if role != "" {
		q = q.Where("role_id = ?", role)
	}
	return q.Page(ctx, p, "created_at")
}

// Boundary returns somebody's boundary.
func (o *Org) Boundary(ctx context.Context, principal string) (Boundary, error) {
	return db.From[Boundary](o.scope).Where("principal_id = ?", principal).First(ctx)
}

// SetBoundary gives somebody a boundary in place of the one before, and tells
// everybody.
func (t *Tx) SetBoundary(ctx context.Context, b *Boundary) error {
	before, err := t.Boundary(ctx, b.PrincipalID)
	switch {
	case IsNotFound(err):
		b.Stored = t.stored()
		err = db.Create(ctx, t.scope, b)
	case err == nil:
		before.RoleID = b.RoleID
		*b = before
		err = db.Save(ctx, t.scope, b, "role_id")
	}
	if err != nil {
		return err
	}
	return t.PrincipalChanged(ctx, b.PrincipalKind, b.PrincipalID)
}

// DeleteBoundary takes a boundary away, and tells everybody.
func (t *Tx) DeleteBoundary(ctx context.Context, b Boundary) error {
	if err := db.Remove[Boundary](ctx, t.scope, b.ID, b.Version); err != nil {
		return err
	}
	return t.PrincipalChanged(ctx, b.PrincipalKind, b.PrincipalID)
}
