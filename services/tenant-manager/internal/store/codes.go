package store

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// The purposes of one-time codes.
const (
	// ForSetup signs the first owner in, who has no password yet.
	ForSetup = "setup"
	// ForRecovery signs an owner in whom nothing else lets in.
	ForRecovery = "recovery"
	// ForPassword lets a user set a new password.
	ForPassword = "password"
	// ForEmail gives a user another e-mail address.
	ForEmail = "email"
)

// OneTimeCode is a secret by which a user does one thing once. Only its hash is
// kept.
type OneTimeCode struct {
	ID             string
	OrganizationID string
	UserID         string
	Purpose        string
	Hash           string
	ExpiresAt      time.Time
	CreatedAt      time.Time
	// Email is the address that one of [ForEmail] gives.
	Email string
	// MadeBy is who made it for the user, and so may have seen it; "" = they asked for
	// it themselves.
	MadeBy string
}

// AddOneTimeCode keeps the hash of a code of a user.
func (t *Tx) AddOneTimeCode(ctx context.Context, user, purpose, hash string, expires time.Time) error {
	return t.addCode(ctx, OneTimeCode{UserID: user, Purpose: purpose, Hash: hash, ExpiresAt: expires})
}

// AddCodeFor is as [Tx.AddOneTimeCode], of a code that the caller sees.
func (t *Tx) AddCodeFor(ctx context.Context, user, purpose, hash string, expires time.Time) error {
	return t.addCode(ctx, OneTimeCode{UserID: user, Purpose: purpose, Hash: hash, ExpiresAt: expires, MadeBy: t.by})
}

// AddEmailCode keeps the hash of a code that gives a user another e-mail address, in
// place of those before.
func (t *Tx) AddEmailCode(ctx context.Context, user, email, hash string, expires time.Time) error {
	if _, err := db.From[OneTimeCode](t.scope).Where("user_id = ? AND purpose = ?", user, ForEmail).Delete(ctx); err != nil {
		return fmt.Errorf("deleting codes of before: %w", err)
	}
	return t.addCode(ctx, OneTimeCode{UserID: user, Purpose: ForEmail, Hash: hash, ExpiresAt: expires, Email: email})
}

func (t *Tx) addCode(ctx context.Context, c OneTimeCode) error {
	now := t.store.Now()
	if _, err := db.From[OneTimeCode](t.scope).Where("expires_at < ?", now).Delete(ctx); err != nil {
		return fmt.Errorf("deleting old one-time codes: %w", err)
	}
	c.ID, c.CreatedAt = NewID(), now
	return db.Create(ctx, t.scope, &c)
}

// OneTimeCode returns the code with the hash; used ones and those that have run
// out are not there.
func (s *Store) OneTimeCode(ctx context.Context, purpose, hash string) (OneTimeCode, error) {
	var out []OneTimeCode
	err := s.db.Unscoped(ctx, "who signs in is of no organization yet").
		Where("hash = ? AND purpose = ? AND expires_at > ?", hash, purpose, s.Now()).Find(&out).Error
	return one(out, err)
}

// UseOneTimeCode takes a code, and reports whether it was still there.
func (t *Tx) UseOneTimeCode(ctx context.Context, id string) (bool, error) {
	n, err := db.From[OneTimeCode](t.scope).Where("id = ?", id).Delete(ctx)
	return n == 1, err
}

// DropLinks takes the links that a user was sent, to a new password and to another
// e-mail address. The codes of who runs the server are not of the user's making, and stay.
func (t *Tx) DropLinks(ctx context.Context, user string) error {
	_, err := db.From[OneTimeCode](t.scope).Where("user_id = ? AND purpose IN ?", user, []string{ForPassword, ForEmail}).Delete(ctx)
	if err != nil {
		return fmt.Errorf("taking links: %w", err)
	}
	return nil
}

// DropOneTimeCodes takes all codes of a user.
func (t *Tx) DropOneTimeCodes(ctx context.Context, user string) error {
	_, err := db.From[OneTimeCode](t.scope).Where("user_id = ?", user).Delete(ctx)
	return err
}
