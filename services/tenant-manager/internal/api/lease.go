package api

import (
	"context"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

const (
	proofsOver = "what you signed in with was changed, or you were signed out, while you did: sign in again"
	accountOff = "the account, its organization or the single sign-on by which you came was switched off while you signed in"
)

// letIn locks a user for whom a session begins, and returns them as they are now. was is
// how they were when what they have shown was found right: a comparison of passwords, or
// a person with a phone, takes long enough for somebody to take it all back meanwhile.
// Whoever does so waits for this session and ends it, or is waited for and seen here.
func (h *Handlers) letIn(ctx context.Context, tx *store.Tx, was store.User, b beginning) (store.User, error) {
	u, err := tx.LockUser(ctx, was.ID)
	if store.IsNotFound(err) {
		return u, refused(accountOff)
	}
	if err != nil {
		return u, err
	}
	o, err := tx.Organization(ctx)
	switch {
	case err != nil:
		return u, err
	case u.Status != store.Active || o.Suspended || o.DeletedAt != nil:
		return u, refused(accountOff)
	case !u.ProvenLike(was):
		return u, refused(proofsOver)
	}
	if b.source != nil {
		s, err := tx.LockSessionAt(ctx, b.source.OrganizationID, b.source.ID)
		if store.IsNotFound(err) || err == nil && (s.UserID != b.source.UserID || !s.Open(h.store.Now())) {
			return u, refused(proofsOver)
		}
		if err != nil {
			return u, err
		}
	}
	if b.from == "" {
		return u, nil
	}
	c, err := tx.LockSSOConnection(ctx, b.from)
	if store.IsNotFound(err) || err == nil && !c.Enabled {
		return u, refused(accountOff)
	}
	return u, err
}
