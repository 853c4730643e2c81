package store

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// OAuthInitialToken is a token by which programs register themselves as clients
// (RFC 7591 section 3), kept as its hash, with what they may have.
type OAuthInitialToken struct {
	ID             string
	OrganizationID string
	Name           string
	Hash           string
	Hint           string
	// UsesLeft is how many clients may still be registered with it.
	UsesLeft   int64
	Scopes     []string `gorm:"serializer:json"`
	GrantTypes []string `gorm:"serializer:json"`
	Audiences  []string `gorm:"serializer:json"`
	ExpiresAt  time.Time
	CreatedAt  time.Time
	CreatedBy  string
}

// TableName is for gorm.
func (OAuthInitialToken) TableName() string { return "oauth_initial_tokens" }

// OAuthInitialTokens returns the newest initial tokens, those that ran out among
// them.
func (o *Org) OAuthInitialTokens(ctx context.Context) ([]OAuthInitialToken, error) {
	return db.From[OAuthInitialToken](o.scope).Order("created_at", true).Order("id", true).Limit(200).All(ctx)
}

// OAuthInitialTokenByHash returns an initial token that is still good, or
// [db.ErrNotFound].
func (o *Org) OAuthInitialTokenByHash(ctx context.Context, hash string) (OAuthInitialToken, error) {
	return db.From[OAuthInitialToken](o.scope).Where("hash = ? AND uses_left > 0 AND expires_at > ?", hash, o.store.Now()).First(ctx)
}

// OAuthInitialToken returns an initial token.
func (o *Org) OAuthInitialToken(ctx context.Context, id string) (OAuthInitialToken, error) {
	return db.From[OAuthInitialToken](o.scope).Get(ctx, id)
}

// CreateOAuthInitialToken keeps an initial token by its hash.
func (t *Tx) CreateOAuthInitialToken(ctx context.Context, i *OAuthInitialToken) error {
	i.ID, i.CreatedAt, i.CreatedBy = NewID(), t.store.Now(), t.by
	return db.Create(ctx, t.scope, i)
}

// UseOAuthInitialToken takes one of the uses that are left, and reports whether
// there was one.
func (t *Tx) UseOAuthInitialToken(ctx context.Context, i OAuthInitialToken) (bool, error) {
	for left := i.UsesLeft; left > 0; {
		n, err := db.From[OAuthInitialToken](t.scope).Where("id = ? AND uses_left = ? AND expires_at > ?", i.ID, left, t.store.Now()).
			Update(ctx, db.Changes{"uses_left": left - 1})
		if err != nil || n == 1 {
			return n == 1, err
		}
		now, err := t.OAuthInitialToken(ctx, i.ID) // somebody else was faster
		if err != nil || now.UsesLeft >= left {
			return false, err
		}
		left = now.UsesLeft
	}
	return false, nil
}

// DeleteOAuthInitialToken deletes an initial token; what was registered with it
// stays.
func (t *Tx) DeleteOAuthInitialToken(ctx context.Context, id string) error {
	n, err := db.From[OAuthInitialToken](t.scope).Where("id = ?", id).Delete(ctx)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	return err
}
