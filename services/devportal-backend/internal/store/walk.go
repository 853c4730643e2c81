package store

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// ApplicationPage returns so many applications that were not deleted, after the
// one with the id, in the order of their ids, and the id of the last.
func ApplicationPage(ctx context.Context, s *db.Scope, after string, most int) ([]Application, string, error) {
	rows, err := db.From[Application](s).Where("deleted_at IS NULL").Where("id > ?", after).Order("id", false).Limit(most).All(ctx)
	if err != nil || len(rows) == 0 {
		return nil, after, err
	}
	return rows, rows[len(rows)-1].ID, nil
}

// CredentialPage is as [ApplicationPage], for all credentials, revoked ones too.
func CredentialPage(ctx context.Context, s *db.Scope, after string, most int) ([]Credential, string, error) {
	rows, err := db.From[Credential](s).Where("id > ?", after).Order("id", false).Limit(most).All(ctx)
	if err != nil || len(rows) == 0 {
		return nil, after, err
	}
	return rows, rows[len(rows)-1].ID, nil
}

// Ended returns up to a thousand credentials of a purpose that ended before a
// time.
func Ended(ctx context.Context, s *db.Scope, purpose string, before time.Time) ([]Credential, error) {
	return db.From[Credential](s).Where("purpose = ? AND expires_at < ?", purpose, before).Limit(1000).All(ctx)
}

// ForgetCredential deletes a credential for good.
func ForgetCredential(ctx context.Context, s *db.Scope, id string) error {
	_, err := db.From[Credential](s).Where("id = ?", id).Delete(ctx)
	return err
}
