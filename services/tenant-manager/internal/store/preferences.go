package store

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/preferences"
)

// Preferences is what a user prefers on the screens. The id is the user's.
type Preferences struct {
	Stored   `gorm:"embedded"`
	Document preferences.Document `gorm:"serializer:json"`
}

// TableName is for gorm.
func (Preferences) TableName() string { return "preferences" }

// Preferences returns what a user prefers. Who has chosen nothing has version 1
// without an id.
func (o *Org) Preferences(ctx context.Context, user string) (Preferences, error) {
	p, err := db.From[Preferences](o.scope).Get(ctx, user)
	if IsNotFound(err) {
		return Preferences{Stored: Stored{Version: 1}}, nil
	}
	return p, err
}

// LockPreferences is as Preferences, and keeps others from writing them until the
// transaction ends.
func (t *Tx) LockPreferences(ctx context.Context, user string) (Preferences, error) {
	// Of who has none yet there is no row to lock but the user's.
	if _, err := db.From[User](t.scope).Lock().Get(ctx, user); err != nil {
		return Preferences{}, err
	}
	return t.Preferences(ctx, user)
}

var errPreferencesChanged = problem.New(problem.CodePreconditionFailed, "the preferences were changed in the meantime: read them again, and repeat the change")

// SavePreferences writes what a user prefers, which [Tx.LockPreferences] returned, if
// it still has the version, else the error is a problem. Where nothing changes it
// writes nothing.
func (t *Tx) SavePreferences(ctx context.Context, user string, was Preferences, version int64, d preferences.Document) (Preferences, error) {
	if version != db.AnyVersion && version != was.Version {
		return was, errPreferencesChanged
	}
	if same, err := preferences.Same(was.Document, d); same || err != nil {
		return was, err
	}
	p := was
	p.Document = d
	if was.ID == "" {
		p.Stored = t.stored()
		p.ID, p.Version = user, was.Version+1
		return p, db.Create(ctx, t.scope, &p)
	}
	return p, db.Save(ctx, t.scope, &p, "document")
}

// dropPreferences forgets what a user preferred.
func (t *Tx) dropPreferences(ctx context.Context, user string) error {
	_, err := db.From[Preferences](t.scope).Where("id = ?", user).Delete(ctx)
	return err
}
