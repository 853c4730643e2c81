package store

import (
	"context"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// The statuses of invitations.
const (
	Pending  = "pending"
	Accepted = "accepted"
	Expired  = "expired"
)

// Status says what became of the invitation.
func (i Invitation) Status(now time.Time) string {
	switch {
	case i.AcceptedAt != nil:
		return Accepted
	case !now.Before(i.ExpiresAt):
		return Expired
	default:
		return Pending
	}
}

// CreateInvitation makes an invitation.
func (t *Tx) CreateInvitation(ctx context.Context, i *Invitation) error {
	i.Stored = t.stored()
	i.Email = strings.TrimSpace(i.Email)
	i.EmailKey = FoldEmail(i.Email)
	return db.Create(ctx, t.scope, i)
}

// Invitation returns an invitation.
func (o *Org) Invitation(ctx context.Context, id string) (Invitation, error) {
	return db.From[Invitation](o.scope).Get(ctx, id)
}

// Invitations returns a page of invitations, by creation. search is text in the
// name or e-mail address; "" = any.
func (o *Org) Invitations(ctx context.Context, search, status string, p db.PageRequest) (db.Page[Invitation], error) {
	q, now := db.From[Invitation](o.scope), o.store.Now()
	switch status {
	case Accepted:
		q = q.Where("accepted_at IS NOT NULL")
	case Expired:
		q = q.Where("accepted_at IS NULL AND expires_at <= ?", now)
	case Pending:
		q = q.Where("accepted_at IS NULL AND expires_at > ?", now)
	}
	if strings.TrimSpace(search) != "" {
		l := like(search)
		q = q.Where("lower(name) LIKE ? ESCAPE '!' OR email_key LIKE ? ESCAPE '!'", l, l)
	}
	return q.Page(ctx, p, "created_at")
}

// InvitationByToken returns the invitation of any organization with the hash of
// its link's secret.
func (s *Store) InvitationByToken(ctx context.Context, hash string) (Invitation, error) {
	var out []Invitation
	err := s.db.Unscoped(ctx, "who is invited is of no organization yet").Where("token_hash = ?", hash).Find(&out).Error
	return one(out, err)
}

// AcceptInvitation notes that a user came of an invitation, and reports whether
// nobody did before.
func (t *Tx) AcceptInvitation(ctx context.Context, id, user string) (bool, error) {
	now := t.store.Now()
	n, err := db.From[Invitation](t.scope).Where("id = ? AND accepted_at IS NULL AND expires_at > ?", id, now).
		Update(ctx, db.Changes{"accepted_at": now, "accepted_by": user, "updated_at": now, "version": db.Increment(1)})
	return n == 1, err
}

// DeleteInvitation takes an invitation of a version back.
func (t *Tx) DeleteInvitation(ctx context.Context, id string, version int64) error {
	return db.Remove[Invitation](ctx, t.scope, id, version)
}
