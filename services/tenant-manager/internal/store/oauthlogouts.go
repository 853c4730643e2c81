package store

import (
	"context"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// OAuthSessionClient is that a client was given tokens in a session of a user.
type OAuthSessionClient struct {
	ID             string
	OrganizationID string
	SessionID      string
	ClientID       string
	UserID         string
	CreatedAt      time.Time
}

// TableName is for gorm.
func (OAuthSessionClient) TableName() string { return "oauth_session_clients" }

// OAuthLogout is a client that has still to be told that a session ended.
type OAuthLogout struct {
	ID             string
	OrganizationID string
	ClientID       string
	UserID         string
	SessionID      string
	// Attempts counts those that did not work.
	Attempts int
	// BegunAt is since when it is tried, NextAt not before which time.
	BegunAt   time.Time
	NextAt    time.Time
	CreatedAt time.Time
}

// TableName is for gorm.
func (OAuthLogout) TableName() string { return "oauth_logouts" }

// NoteOAuthSession notes that a client is given tokens in a session of a user, and
// reports whether the session is open: in one that has ended it is noted no more,
// because nobody would be told of its end. It also reports whether these are the first
// that the client is given in the session.
func (t *Tx) NoteOAuthSession(ctx context.Context, session, client, user string) (open, first bool, err error) {
	s, err := t.LockSession(ctx, session)
	if IsNotFound(err) || err == nil && !s.Open(t.store.Now()) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	n, err := db.From[OAuthSessionClient](t.scope).Where("session_id = ? AND client_id = ?", session, client).Count(ctx)
	if err != nil || n > 0 {
		return true, false, err
	}
	return true, true, db.Create(ctx, t.scope, &OAuthSessionClient{ID: NewID(), SessionID: session, ClientID: client, UserID: user, CreatedAt: t.store.Now()})
}

// queueLogouts has the clients told that were given tokens in sessions that end.
func (t *Tx) queueLogouts(ctx context.Context, sessions []string) error {
	return t.tellClients(ctx, db.From[OAuthSessionClient](t.scope).Where("session_id IN ?", sessions))
}

// tellClients has clients told that the sessions ended in which they were given
// tokens, those that want to be told, and forgets that they were.
func (t *Tx) tellClients(ctx context.Context, q db.Query[OAuthSessionClient]) error {
	rows, err := q.All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ClientID)
	}
	slices.Sort(ids)
	clients, err := t.OAuthClientsByID(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	now := t.store.Now()
	for _, r := range rows {
		if !slices.ContainsFunc(clients, func(c OAuthClient) bool { return c.ID == r.ClientID && c.BackchannelURI != "" }) {
			continue
		}
		err := db.Create(ctx, t.scope, &OAuthLogout{ID: NewID(), ClientID: r.ClientID, UserID: r.UserID, SessionID: r.SessionID, BegunAt: now, NextAt: now, CreatedAt: now})
		if err != nil {
			return err
		}
	}
	_, err = q.Delete(ctx)
	return err
}

// DueOAuthLogouts returns clients of all organizations that may be told now, those
// that wait longest first.
func (s *Store) DueOAuthLogouts(ctx context.Context, most int) ([]OAuthLogout, error) {
	var out []OAuthLogout
	err := s.db.Unscoped(ctx, "one worker tells the clients of all organizations").
		Where("next_at <= ?", s.Now()).Order("next_at, id").Limit(most).Find(&out).Error
	return out, err
}

// DoneOAuthLogout forgets that a client has to be told, and reports whether it had
// to be.
func (t *Tx) DoneOAuthLogout(ctx context.Context, id string) (bool, error) {
	n, err := db.From[OAuthLogout](t.scope).Where("id = ?", id).Delete(ctx)
	return n > 0, err
}

// RetryOAuthLogout notes that telling a client did not work, and until when to wait.
func (o *Org) RetryOAuthLogout(ctx context.Context, l OAuthLogout, next time.Time) error {
	_, err := db.From[OAuthLogout](o.scope).Where("id = ?", l.ID).Update(ctx, db.Changes{"attempts": l.Attempts + 1, "next_at": next})
	return err
}
