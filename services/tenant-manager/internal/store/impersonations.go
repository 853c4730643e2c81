package store

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// Impersonation is somebody's acting as a user.
type Impersonation struct {
	ID               string
	OrganizationID   string
	UserID           string
	ImpersonatorID   string
	ImpersonatorName string
	SessionID        string
	Reason           string
	ExpiresAt        time.Time
	// EndedAt is when it was ended; nil where it is not, or ran out.
	EndedAt   *time.Time
	CreatedAt time.Time
}

// CreateImpersonation keeps that somebody acts as a user. The id and the time are
// set.
func (t *Tx) CreateImpersonation(ctx context.Context, i *Impersonation) error {
	i.ID, i.CreatedAt = NewID(), t.store.Now()
	i.ImpersonatorName = cut(i.ImpersonatorName, 120)
	return db.Create(ctx, t.scope, i)
}

func (t *Tx) endedImpersonations(ctx context.Context, sessions []string) error {
	_, err := db.From[Impersonation](t.scope).Where("session_id IN ? AND ended_at IS NULL", sessions).Update(ctx, db.Changes{"ended_at": t.store.Now()})
	return err
}

// mostImpersonations bounds how many are shown.
const mostImpersonations = 100

// Impersonations returns who acted as a user, the newest first.
func (o *Org) Impersonations(ctx context.Context, user string) ([]Impersonation, error) {
	return db.From[Impersonation](o.scope).Where("user_id = ?", user).Order("created_at", true).Order("id", true).Limit(mostImpersonations).All(ctx)
}

// Impersonation returns the one of a session.
func (o *Org) Impersonation(ctx context.Context, session string) (Impersonation, error) {
	return db.From[Impersonation](o.scope).Where("session_id = ?", session).First(ctx)
}

// EndImpersonations ends all sessions in which somebody acts as somebody else, and
// returns how many there were.
func (t *Tx) EndImpersonations(ctx context.Context) (int, error) {
	rows, err := db.From[Session](t.scope).Where("impersonator_id <> '' AND ended_at IS NULL AND expires_at > ?", t.store.Now()).All(t.store.secrets(ctx))
	if err != nil {
		return 0, err
	}
	for _, s := range rows {
		if _, err := t.EndSessions(ctx, s.UserID, s.ID, ""); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}
