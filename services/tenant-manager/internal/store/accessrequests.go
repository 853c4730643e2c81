package store

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/db"
)

// The statuses of access requests, beside [Pending].
const (
	Approved  = "approved"
	Refused   = "denied"
	Withdrawn = "withdrawn"
)

// CreateAccessRequest keeps that somebody asks for a role.
func (t *Tx) CreateAccessRequest(ctx context.Context, r *AccessRequest) error {
	r.Stored = t.stored()
	r.Status = Pending
	return db.Create(ctx, t.scope, r)
}

// AccessRequest returns an access request.
func (o *Org) AccessRequest(ctx context.Context, id string) (AccessRequest, error) {
	return db.From[AccessRequest](o.scope).Get(ctx, id)
}

// LockAccessRequest is as [Org.AccessRequest], and keeps others waiting until the
// transaction ends.
func (t *Tx) LockAccessRequest(ctx context.Context, id string) (AccessRequest, error) {
	return db.From[AccessRequest](t.scope).Lock().Get(ctx, id)
}

// AccessRequestFilter narrows a list of access requests; "" = any.
type AccessRequestFilter struct{ Principal, Status, Project string }

// AccessRequests returns a page of access requests, by creation.
func (o *Org) AccessRequests(ctx context.Context, f AccessRequestFilter, p db.PageRequest) (db.Page[AccessRequest], error) {
	q := db.From[AccessRequest](o.scope)
	for _, c := range [...]struct{ condition, value string }{
		{"principal_id = ?", f.Principal}, {"status = ?", f.Status}, {"project_id = ?", f.Project},
	} {
		if c.value != "" {
			q = q.Where(c.condition, c.value)
		}
	}
	return q.Page(ctx, p, "created_at")
}

// PendingAccessRequests counts what somebody asks for and nobody has decided.
func (o *Org) PendingAccessRequests(ctx context.Context, principal string) (int64, error) {
	return db.From[AccessRequest](o.scope).Where("principal_id = ? AND status = ?", principal, Pending).Count(ctx)
}

// DecideAccessRequest writes what became of an access request, if the row has the
// version that is in r.
func (t *Tx) DecideAccessRequest(ctx context.Context, r *AccessRequest) error {
	return db.Save(ctx, t.scope, r, "status", "decided_by", "decided_at", "note", "grant_id")
}
