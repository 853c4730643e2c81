package store

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// Credential is what an application shows to prove who it is. The key itself is
// not kept.
type Credential struct {
	ID             string `gorm:"primaryKey"`
	OrganizationID string
	ApplicationID  string
	Kind           string
	// Purpose is "" or [PurposeTry].
	Purpose string
	Name    string
	// Hint is the key's beginning and end.
	Hint string
	// Identifier is what the credential is looked up by, where that is no secret: the
	// client id of an OAuth2 client.
	Identifier string
	// Hash is the key's HMAC, Digest its SHA-256, both in hex.
	Hash       string
	Digest     string
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	ReplacedBy string
	// PreviousEndsAt is until when the secret before the last rotation works, of a
	// credential that stays the same when it is rotated.
	PreviousEndsAt *time.Time
	Version        int64
	CreatedAt      time.Time
	CreatedBy      string
	UpdatedAt      time.Time
}

// TableName is for gorm.
func (Credential) TableName() string { return "credentials" }

// PurposeTry is that of keys with which the portal itself calls for an
// application. They are not listed.
const PurposeTry = "try"

// Works reports whether the credential is accepted at a time.
func (c Credential) Works(now time.Time) bool {
	return c.RevokedAt == nil && (c.ExpiresAt == nil || c.ExpiresAt.After(now))
}

// CreateCredential writes a new credential.
func CreateCredential(ctx context.Context, s *db.Scope, c *Credential) error {
	if err := db.Create(ctx, s, c); err != nil {
		return fmt.Errorf("creating a credential: %w", err)
	}
	return nil
}

// SaveCredential writes what can change of a credential.
func SaveCredential(ctx context.Context, s *db.Scope, c *Credential) error {
	return db.Save(ctx, s, c, "hint", "expires_at", "revoked_at", "replaced_by", "previous_ends_at")
}

// FindCredential returns a credential, or [db.ErrNotFound].
func FindCredential(ctx context.Context, s *db.Scope, id string, lock bool) (Credential, error) {
	q := db.From[Credential](s)
	if lock {
		q = q.Lock()
	}
	return q.Get(ctx, id)
}

// ListCredentials returns a page of the credentials of an application.
func ListCredentials(ctx context.Context, s *db.Scope, application string, page db.PageRequest) (db.Page[Credential], error) {
	return db.From[Credential](s).Where("application_id = ? AND purpose = ?", application, "").Page(ctx, page, "created_at", "name")
}

// Working returns those credentials of an application that are accepted, without
// those that the portal made for itself.
func Working(ctx context.Context, s *db.Scope, application string, now time.Time) ([]Credential, error) {
	return db.From[Credential](s).Where("application_id = ? AND purpose = ?", application, "").Where("revoked_at IS NULL").
		Where("expires_at IS NULL OR expires_at > ?", now).Order("created_at", false).All(ctx)
}

// OfKind returns the credentials of a kind that an application has, those that ended
// too, the newest first.
func OfKind(ctx context.Context, s *db.Scope, application, kind string) ([]Credential, error) {
	return db.From[Credential](s).Where("application_id = ? AND kind = ?", application, kind).Order("created_at", true).Order("id", true).All(ctx)
}

// Unrevoked returns all credentials of an application that were not revoked.
func Unrevoked(ctx context.Context, s *db.Scope, application string) ([]Credential, error) {
	return db.From[Credential](s).Where("application_id = ?", application).Where("revoked_at IS NULL").All(ctx)
}
