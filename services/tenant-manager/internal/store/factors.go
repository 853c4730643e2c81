package store

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// CreateFactor makes a factor. The id and the time are set. The error is
// [db.ErrDuplicate] where somebody has the passkey.
func (t *Tx) CreateFactor(ctx context.Context, f *Factor) error {
	f.ID, f.CreatedAt = NewID(), t.store.Now()
	if err := db.Create(t.store.secrets(ctx), t.scope, f); err != nil {
		return err
	}
	return t.noteFactors(ctx, f.UserID)
}

// Factors returns the factors of users that are set up, oldest first.
func (o *Org) Factors(ctx context.Context, users ...string) ([]Factor, error) {
	if len(users) == 0 {
		return nil, nil
	}
	return db.From[Factor](o.scope).Where("user_id IN ? AND confirmed_at IS NOT NULL", users).
		Order("created_at", false).Order("id", false).All(o.store.secrets(ctx))
}

// Factor returns a factor of a user, set up or not.
func (o *Org) Factor(ctx context.Context, user, id string) (Factor, error) {
	return db.From[Factor](o.scope).Where("user_id = ?", user).Get(o.store.secrets(ctx), id)
}

// HasFactors returns which of the users have a factor.
func (o *Org) HasFactors(ctx context.Context, users ...string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(users) == 0 {
		return out, nil
	}
	rows, err := db.From[Factor](o.scope).Where("user_id IN ? AND confirmed_at IS NOT NULL", users).All(o.store.secrets(ctx))
	for _, f := range rows {
		out[f.UserID] = true
	}
	return out, err
}

// FactorByCredential returns the passkey with the hash, of any organization.
func (s *Store) FactorByCredential(ctx context.Context, hash string) (Factor, error) {
	var out []Factor
	err := s.db.Unscoped(s.secrets(ctx), "a passkey says of which organization it is").
		Where("credential_hash = ? AND confirmed_at IS NOT NULL", hash).Find(&out).Error
	return one(out, err)
}

// ConfirmFactor notes that a factor of a user is set up, with the step of its first
// code.
func (t *Tx) ConfirmFactor(ctx context.Context, user, id string, step int64) error {
	now := t.store.Now()
	_, err := db.From[Factor](t.scope).Where("id = ? AND user_id = ?", id, user).Update(ctx, db.Changes{"confirmed_at": now, "last_used_at": now, "last_step": step})
	if err != nil {
		return err
	}
	return t.noteFactors(ctx, user)
}

// UseStep takes a time step of an authenticator app, and reports whether nobody
// had taken it or a later one.
func (t *Tx) UseStep(ctx context.Context, id string, step int64) (bool, error) {
	n, err := db.From[Factor](t.scope).Where("id = ? AND last_step < ?", id, step).Update(ctx, db.Changes{"last_step": step, "last_used_at": t.store.Now()})
	return n == 1, err
}

// UsedPasskey notes that a passkey was used, and what is kept of it now.
func (t *Tx) UsedPasskey(ctx context.Context, id, value string) error {
	at := secret.Place{Table: "factors", Column: "secret", Row: id}
	return t.tx.Unscoped("a sealed value is written as it is; the organization is in the condition").WithContext(ctx).Table("factors").
		Where("id = ? AND organization_id = ?", id, t.ID()).
		Updates(map[string]any{"secret": t.store.ring.Seal([]byte(value), at), "last_used_at": t.store.Now()}).Error
}

// RenameFactor gives a factor another name.
func (t *Tx) RenameFactor(ctx context.Context, id, name string) error {
	_, err := db.From[Factor](t.scope).Where("id = ?", id).Update(ctx, db.Changes{"name": name})
	return err
}

// DropFactor deletes a factor of a user. The error is [db.ErrNotFound] where they
// have none of the id.
func (t *Tx) DropFactor(ctx context.Context, user, id string) error {
	n, err := db.From[Factor](t.scope).Where("user_id = ? AND id = ?", user, id).Delete(ctx)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	if err != nil {
		return err
	}
	return t.noteFactors(ctx, user)
}

// DropNewFactors deletes what a user began to set up and did not finish.
func (t *Tx) DropNewFactors(ctx context.Context, user, kind string) error {
	_, err := db.From[Factor](t.scope).Where("user_id = ? AND kind = ? AND confirmed_at IS NULL", user, kind).Delete(ctx)
	return err
}

// DropFactors deletes all factors, recovery codes and open challenges of a user,
// and returns how many factors there were.
func (t *Tx) DropFactors(ctx context.Context, user string) (int64, error) {
	n, err := db.From[Factor](t.scope).Where("user_id = ?", user).Delete(ctx)
	if err != nil {
		return 0, fmt.Errorf("deleting factors: %w", err)
	}
	if _, err := db.From[RecoveryCode](t.scope).Where("user_id = ?", user).Delete(ctx); err != nil {
		return 0, fmt.Errorf("deleting recovery codes: %w", err)
	}
	if _, err := db.From[Challenge](t.scope).Where("user_id = ?", user).Delete(ctx); err != nil {
		return 0, fmt.Errorf("deleting challenges: %w", err)
	}
	return n, t.noteFactors(ctx, user)
}

// ReplaceRecoveryCodes keeps the hashes of new recovery codes of a user, in place
// of those before.
func (t *Tx) ReplaceRecoveryCodes(ctx context.Context, user string, hashes []string) error {
	if _, err := db.From[RecoveryCode](t.scope).Where("user_id = ?", user).Delete(ctx); err != nil {
		return err
	}
	now := t.store.Now()
	for _, h := range hashes {
		if err := db.Create(ctx, t.scope, &RecoveryCode{ID: NewID(), UserID: user, Hash: h, CreatedAt: now}); err != nil {
			return err
		}
	}
	return nil
}

// RecoveryCodesLeft returns how many recovery codes a user has not used.
func (o *Org) RecoveryCodesLeft(ctx context.Context, user string) (int64, error) {
	return db.From[RecoveryCode](o.scope).Where("user_id = ? AND used_at IS NULL", user).Count(ctx)
}

// UseRecoveryCode takes a recovery code of a user, and reports whether it was
// there and unused.
func (t *Tx) UseRecoveryCode(ctx context.Context, user, hash string) (bool, error) {
	n, err := db.From[RecoveryCode](t.scope).Where("user_id = ? AND hash = ? AND used_at IS NULL", user, hash).Update(ctx, db.Changes{"used_at": t.store.Now()})
	return n == 1, err
}

const challengesReason = "who signs in is of no organization yet"

// CreateChallenge keeps a challenge. The id and the time are set.
func (s *Store) CreateChallenge(ctx context.Context, c *Challenge) error {
	c.ID, c.CreatedAt = NewID(), s.Now()
	return s.db.Unscoped(ctx, challengesReason).Create(c).Error
}

// Challenge returns the challenge with the hash; those that have run out are not
// there.
func (s *Store) Challenge(ctx context.Context, purpose, hash string) (Challenge, error) {
	var out []Challenge
	err := s.db.Unscoped(ctx, challengesReason).Where("hash = ? AND purpose = ? AND expires_at > ?", hash, purpose, s.Now()).Find(&out).Error
	return one(out, err)
}

// SetChallengeData keeps what the answer to a challenge is checked with.
func (s *Store) SetChallengeData(ctx context.Context, id, data string) error {
	return s.db.Unscoped(ctx, challengesReason).Model(&Challenge{}).Where("id = ?", id).Update("data", data).Error
}

// SetChallengeDataIn is [Store.SetChallengeData] within a transaction.
func (s *Store) SetChallengeDataIn(ctx context.Context, tx *Tx, id, data string) error {
	return tx.tx.Unscoped(challengesReason).WithContext(ctx).Model(&Challenge{}).Where("id = ?", id).Update("data", data).Error
}

// TakeChallenge deletes a challenge, and reports whether it was still there.
func (s *Store) TakeChallenge(ctx context.Context, tx *Tx, id string) (bool, error) {
	g := tx.tx.Unscoped(challengesReason).Delete(&Challenge{}, "id = ?", id)
	return g.RowsAffected == 1, g.Error
}

// ForgetChallenges deletes challenges that have run out, and returns their
// number.
func (s *Store) ForgetChallenges(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, challengesReason).Delete(&Challenge{}, "expires_at < ?", before)
	return g.RowsAffected, g.Error
}
