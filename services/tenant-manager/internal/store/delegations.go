package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// ManagementScope is the scope by which an application acts as somebody at the product
// itself.
const ManagementScope = "gatehouse"

// MayAct reports whether a client may act as people at the product itself: an
// administrator gave it the scope, and people are asked about it. One that registered
// itself, or is of an application of the portal, may not.
func (c OAuthClient) MayAct() bool {
	return c.Status == Active && slices.Contains(c.Scopes, ManagementScope) && !c.SkipConsent && c.RegistrationHash == "" && c.ApplicationID == ""
}

// OAuthDelegation is an access token by which an application acts as a user at the
// product itself, kept from its first use until it runs out.
type OAuthDelegation struct {
	ID             string
	OrganizationID string
	// TokenKey is the hash of the token's jti, FamilyID the request that it came of.
	TokenKey string
	FamilyID string
	ClientID string
	UserID   string
	// SessionID is that in which the user allowed it.
	SessionID string
	// IssuedAt is when the token was made, to the second.
	IssuedAt  time.Time
	ExpiresAt time.Time
	CreatedAt time.Time
}

// TableName is for gorm.
func (OAuthDelegation) TableName() string { return "oauth_delegations" }

// OAuthDelegation returns a delegation of a user.
func (o *Org) OAuthDelegation(ctx context.Context, user, id string) (OAuthDelegation, error) {
	return db.From[OAuthDelegation](o.scope).Where("user_id = ?", user).Get(ctx, id)
}

// Delegate keeps a delegation, or finds the one of the same token; the id is set.
func (t *Tx) Delegate(ctx context.Context, d *OAuthDelegation) error {
	known, err := db.From[OAuthDelegation](t.scope).Where("token_key = ?", d.TokenKey).First(ctx)
	if err == nil {
		*d = known
		return nil
	}
	if !errors.Is(err, db.ErrNotFound) {
		return err
	}
	d.ID, d.CreatedAt = NewID(), t.store.Now()
	return db.Create(ctx, t.scope, d)
}

// LockOAuthConsent is as [Org.OAuthConsentOf], and keeps others from taking it back
// until the transaction ends.
func (t *Tx) LockOAuthConsent(ctx context.Context, user, client string) (OAuthConsent, error) {
	return db.From[OAuthConsent](t.scope).Where("user_id = ? AND client_id = ?", user, client).Lock().First(ctx)
}

// EndOAuthDelegations ends what came of a request or of one token, named by its jti and
// the hash of that.
func (t *Tx) EndOAuthDelegations(ctx context.Context, id, hash string) error {
	return t.endDelegations(ctx, "family_id = ? OR token_key = ?", id, hash)
}

// endDelegations ends delegations, and tells everybody.
func (t *Tx) endDelegations(ctx context.Context, where string, args ...any) error {
	q := db.From[OAuthDelegation](t.scope).Where(where, args...)
	rows, err := q.All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	if _, err := q.Delete(ctx); err != nil {
		return fmt.Errorf("ending what applications do for people: %w", err)
	}
	for _, r := range rows {
		if err := t.AccessChanged(r.UserID, r.ID); err != nil {
			return err
		}
	}
	return nil
}
