package store

import (
	"context"
	"fmt"
	"slices"
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
	case i.WithdrawnAt != nil:
		return Withdrawn
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

// InvitationsByID returns those of the ids that are there.
func (o *Org) InvitationsByID(ctx context.Context, ids []string) ([]Invitation, error) {
	var out []Invitation
	for some := range slices.Chunk(ids, mostAddresses) {
		found, err := db.From[Invitation](o.scope).Where("id IN ?", some).All(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// Invitations returns a page of invitations, by creation. search is text in the
// name or e-mail address; "" = any.
func (o *Org) Invitations(ctx context.Context, search, status string, p db.PageRequest) (db.Page[Invitation], error) {
	q, now := db.From[Invitation](o.scope), o.store.Now()
	switch status {
	case Accepted:
		q = q.Where("accepted_at IS NOT NULL")
	case Expired:
		q = q.Where("accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at <= ?", now)
	case Withdrawn:
		q = q.Where("accepted_at IS NULL AND withdrawn_at IS NOT NULL")
	case Pending:
		q = q.Where("accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?", now)
	}
	if strings.TrimSpace(search) != "" {
		l := like(search)
		q = q.Where("lower(name) LIKE ? ESCAPE '!' OR email_key LIKE ? ESCAPE '!'", l, l)
	}
	return q.Page(ctx, p, "created_at")
}

// mostAddresses bounds how many addresses are looked up at once.
const mostAddresses = 500

// Known says what is known of people by their e-mail addresses.
type Known struct {
	// Users are those who are users, Invited those who are invited and have not come
	// yet; both by the address as it is looked up ([FoldEmail]).
	Users, Invited map[string]bool
}

// KnownByEmail returns which of the people are users, or are invited.
func (o *Org) KnownByEmail(ctx context.Context, emails []string) (Known, error) {
	k, now := Known{Users: map[string]bool{}, Invited: map[string]bool{}}, o.store.Now()
	keys := make([]string, len(emails))
	for i, e := range emails {
		keys[i] = FoldEmail(e)
	}
	for some := range slices.Chunk(keys, mostAddresses) {
		var users, invited []string
		if err := db.From[User](o.scope).Where("email_key IN ?", some).Aggregate(ctx, &users, "email_key", ""); err != nil {
			return k, fmt.Errorf("looking up users by address: %w", err)
		}
		q := db.From[Invitation](o.scope).Where("email_key IN ? AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?", some, now)
		if err := q.Aggregate(ctx, &invited, "email_key", ""); err != nil {
			return k, fmt.Errorf("looking up invitations by address: %w", err)
		}
		for _, e := range users {
			k.Users[e] = true
		}
		for _, e := range invited {
			k.Invited[e] = true
		}
	}
	return k, nil
}

// LockInvitation is as [Org.Invitation], and keeps others waiting until the
// transaction ends.
func (t *Tx) LockInvitation(ctx context.Context, id string) (Invitation, error) {
	return db.From[Invitation](t.scope).Lock().Get(ctx, id)
}

// RenewInvitation gives an invitation that was not accepted a new link, by its hash.
// Who makes the link is who invites.
func (t *Tx) RenewInvitation(ctx context.Context, i *Invitation, hash string, expires time.Time) error {
	i.TokenHash, i.ExpiresAt, i.CreatedBy, i.UpdatedAt, i.WithdrawnAt = hash, expires, t.by, t.store.Now(), nil
	i.Version++
	n, err := db.From[Invitation](t.scope).Where("id = ? AND accepted_at IS NULL", i.ID).Update(ctx, db.Changes{
		"token_hash": hash, "expires_at": expires, "created_by": t.by, "updated_at": i.UpdatedAt, "version": i.Version, "withdrawn_at": nil,
	})
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	return err
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
	n, err := db.From[Invitation](t.scope).Where("id = ? AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > ?", id, now).
		Update(ctx, db.Changes{"accepted_at": now, "accepted_by": user, "updated_at": now, "version": db.Increment(1)})
	return n == 1, err
}

// withdrawInvitations takes back what somebody has invited to who is disabled or
// deleted, and nobody has accepted.
func (t *Tx) withdrawInvitations(ctx context.Context, by string) error {
	now := t.store.Now()
	_, err := db.From[Invitation](t.scope).Where("created_by = ? AND accepted_at IS NULL AND withdrawn_at IS NULL", by).
		Update(ctx, db.Changes{"withdrawn_at": now, "updated_at": now, "version": db.Increment(1)})
	if err != nil {
		return fmt.Errorf("taking invitations back: %w", err)
	}
	return nil
}

// DeleteInvitation takes an invitation of a version back.
func (t *Tx) DeleteInvitation(ctx context.Context, id string, version int64) error {
	return db.Remove[Invitation](ctx, t.scope, id, version)
}
