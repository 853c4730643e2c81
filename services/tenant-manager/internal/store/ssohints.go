package store

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// SSOSettingsOIDC is how an OpenID Connect provider is asked, beside its client.
type SSOSettingsOIDC struct {
	// SignOut sends people who sign out here to the provider's end_session_endpoint
	// (OpenID Connect RP-Initiated Logout 1.0).
	SignOut bool `json:"signOut"`
}

// SignsOut reports whether people who sign out here are sent to the provider.
func (c SSOConnection) SignsOut() bool { return c.Settings.OIDC != nil && c.Settings.OIDC.SignOut }

// SSOHint is the ID token by which a session began, for the provider to know who signs
// out.
type SSOHint struct {
	ID             string
	OrganizationID string
	// SessionID is the session, or the hash of the challenge of its second step.
	SessionID    string
	ConnectionID string
	IDToken      secret.Text `gorm:"column:id_token"`
	CreatedAt    time.Time
}

// TableName is for gorm.
func (SSOHint) TableName() string { return "sso_hints" }

// KeepSSOHint keeps the ID token by which a session, or what becomes one, begins.
func (o *Org) KeepSSOHint(ctx context.Context, session, connection, idToken string) error {
	return db.Create(o.store.secrets(ctx), o.scope, &SSOHint{
		ID: NewID(), SessionID: session, ConnectionID: connection, IDToken: secret.NewText(idToken), CreatedAt: o.Now(),
	})
}

// MoveSSOHint makes the hint of a challenge that of the session that came of it.
func (t *Tx) MoveSSOHint(ctx context.Context, challenge, session string) error {
	_, err := db.From[SSOHint](t.scope).Where("session_id = ?", challenge).Update(ctx, db.Changes{"session_id": session})
	return err
}

// SSOHint returns the ID token by which a session began; "" = none is kept.
func (o *Org) SSOHint(ctx context.Context, session string) (string, error) {
	h, err := db.From[SSOHint](o.scope).Where("session_id = ?", session).First(o.store.secrets(ctx))
	if errors.Is(err, db.ErrNotFound) {
		return "", nil
	}
	return h.IDToken.Reveal(), err
}

// DropSSOHints forgets the ID tokens of a connection.
func (t *Tx) DropSSOHints(ctx context.Context, connection string) error {
	_, err := db.From[SSOHint](t.scope).Where("connection_id = ?", connection).Delete(ctx)
	return err
}

// forgetSSOHints deletes ID tokens of which no session came, or whose session is there
// no more.
func (s *Store) forgetSSOHints(ctx context.Context, before time.Time) error {
	return s.db.Unscoped(ctx, "old sessions of all organizations are cleaned away").
		Delete(&SSOHint{}, "created_at < ? AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = sso_hints.session_id)", before).Error
}
