package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// CreateSession begins a session. The id is set.
func (t *Tx) CreateSession(ctx context.Context, s *Session) error {
	s.ID = NewID()
	s.IP, s.UserAgent = cut(s.IP, 64), cut(s.UserAgent, 300)
	return db.Create(t.store.secrets(ctx), t.scope, s)
}

// cut returns the first runes of valid text.
func cut(s string, most int) string {
	out := make([]rune, 0, min(len(s), most))
	for _, r := range s {
		if len(out) == most {
			break
		}
		if r >= ' ' {
			out = append(out, r)
		}
	}
	return string(out)
}

// Session returns a session, ended ones too.
func (o *Org) Session(ctx context.Context, id string) (Session, error) {
	return db.From[Session](o.scope).Get(o.store.secrets(ctx), id)
}

// SSOSessions returns the open sessions by a connection: of a user, and of a session
// at the provider by its hash; "" = any. Those of which it is not known of which they
// came are of any session of their user.
func (o *Org) SSOSessions(ctx context.Context, connection, user, sid string) ([]Session, error) {
	q := db.From[Session](o.scope).Where("sso_connection_id = ? AND ended_at IS NULL", connection)
	if user != "" {
		q = q.Where("user_id = ?", user)
	}
	switch {
	case sid != "" && user != "":
		q = q.Where("sso_sid IN ?", []string{sid, ""})
	case sid != "":
		q = q.Where("sso_sid = ?", sid)
	case user == "":
		return nil, nil
	}
	return q.Limit(1000).All(o.store.secrets(ctx))
}

// LockSession is as [Org.Session], and keeps others waiting until the
// transaction ends.
func (t *Tx) LockSession(ctx context.Context, id string) (Session, error) {
	return db.From[Session](t.scope).Lock().Get(t.store.secrets(ctx), id)
}

// SessionOrganization returns whose the session of the id is.
func (s *Store) SessionOrganization(ctx context.Context, id string) (string, error) {
	var out []string
	err := s.db.Unscoped(ctx, "a refresh token names its session only").Table("sessions").Where("id = ?", id).Pluck("organization_id", &out).Error
	return one(out, err)
}

// OpenSessions returns the sessions of a user that have not ended, newest first.
func (o *Org) OpenSessions(ctx context.Context, user string) ([]Session, error) {
	return db.From[Session](o.scope).Where("user_id = ? AND ended_at IS NULL AND expires_at > ?", user, o.store.Now()).
		Order("created_at", true).Order("id", true).Limit(200).All(o.store.secrets(ctx))
}

// TouchSignIn notes that what came of a session was used: the sign-in is in use.
func (t *Tx) TouchSignIn(ctx context.Context, s Session) error {
	_, err := db.From[Session](t.scope).Where("id = ? AND ended_at IS NULL", s.ID).Update(ctx, db.Changes{"last_used_at": s.LastUsedAt, "expires_at": s.ExpiresAt})
	return err
}

// SwitchedFrom returns the open sessions, in all organizations, that somebody has who
// switched there from one of the sign-ins.
func (s *Store) SwitchedFrom(ctx context.Context, ids []string) ([]Session, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var out []Session
	err := s.db.Unscoped(s.secrets(ctx), "whoever signs out in one of their organizations does so in those that they switched to").
		Where("switched_from IN ? AND ended_at IS NULL", ids).Order("id").Limit(1000).Find(&out).Error
	return out, err
}

// RotateSession notes that a session went on to its next refresh token.
func (t *Tx) RotateSession(ctx context.Context, s Session) error {
	_, err := db.From[Session](t.scope).Where("id = ?", s.ID).Update(ctx, db.Changes{
		"generation": s.Generation, "rotated_at": s.RotatedAt, "last_used_at": s.LastUsedAt, "expires_at": s.ExpiresAt, "pending": s.Pending,
		"ip": cut(s.IP, 64), "user_agent": cut(s.UserAgent, 300),
	})
	return err
}

// ConfirmSession notes that the user of a session proved again who they are.
func (t *Tx) ConfirmSession(ctx context.Context, id, amr string) error {
	_, err := db.From[Session](t.scope).Where("id = ?", id).Update(ctx, db.Changes{"confirmed_at": t.store.Now(), "amr": cut(amr, 100)})
	return err
}

// SettleSession ends the waiting of a user's session for something that it has shown,
// and tells everybody. Others of the user that wait for it have shown nothing, and may
// be somebody else's: they end.
func (t *Tx) SettleSession(ctx context.Context, user, session, pending string) error {
	waiting, err := db.From[Session](t.scope).Where("user_id = ? AND pending = ? AND ended_at IS NULL", user, pending).All(t.store.secrets(ctx))
	if err != nil {
		return err
	}
	for _, s := range waiting {
		if s.ID == session {
			continue
		}
		if _, err := t.EndSessions(ctx, user, s.ID, ""); err != nil {
			return err
		}
	}
	n, err := db.From[Session](t.scope).Where("id = ? AND user_id = ? AND pending = ?", session, user, pending).Update(ctx, db.Changes{"pending": ""})
	if err != nil || n == 0 {
		return err
	}
	return t.AccessChanged(user, "")
}

// EndSignIn ends the sign-in that a session of a user is of: the session that it came
// of, and all that came of that one. It returns the ids of those that were still open.
func (t *Tx) EndSignIn(ctx context.Context, user, id string) ([]string, error) {
	s, err := t.Session(ctx, id)
	if err != nil || s.UserID != user {
		return nil, IgnoreNotFound(err)
	}
	ids, err := t.EndSessions(ctx, user, s.SignIn(), "")
	if err != nil || s.ParentID == "" {
		return ids, err
	}
	own, err := t.EndSessions(ctx, user, s.ID, "") // the other one was not there any more
	return append(ids, own...), err
}

// EndSessions ends the open sessions of a user but one, or only the one with the
// id, and tells everybody. What came of one of them by OpenID Connect ends with it, and
// what the one that stays came of stays. It returns their ids.
func (t *Tx) EndSessions(ctx context.Context, user, only, except string) ([]string, error) {
	stay := []string{except}
	if except != "" {
		s, err := t.Session(ctx, except)
		if IgnoreNotFound(err) != nil {
			return nil, err
		}
		stay = append(stay, s.ParentID)
	}
	return t.endSessions(ctx, user, only, stay)
}

func (t *Tx) endSessions(ctx context.Context, user, only string, stay []string) ([]string, error) {
	q := db.From[Session](t.scope).Where("user_id = ? AND ended_at IS NULL AND id NOT IN ?", user, stay)
	if only != "" {
		q = q.Where("id = ?", only)
	} else if err := t.ForgetProofs(ctx, user); err != nil {
		return nil, err
	}
	rows, err := q.Lock().All(t.store.secrets(ctx))
	if err != nil {
		return nil, err
	}
	return t.end(ctx, rows)
}

// sessionsAtOnce is how many sessions of a connection are ended by one statement.
const sessionsAtOnce = 500

// EndSSOSessions ends the sessions that began by a connection, whosever they are, and
// returns how many of them were open.
func (t *Tx) EndSSOSessions(ctx context.Context, connection string) (int, error) {
	open, now := 0, t.store.Now()
	for {
		rows, err := db.From[Session](t.scope).Where("sso_connection_id = ? AND ended_at IS NULL", connection).
			Order("id", false).Limit(sessionsAtOnce).Lock().All(t.store.secrets(ctx))
		if err != nil || len(rows) == 0 {
			return open, err
		}
		for _, s := range rows {
			if s.Open(now) {
				open++
			}
		}
		if _, err := t.end(ctx, rows); err != nil {
			return open, err
		}
	}
}

// CountSSOSessions returns how many sessions are open that began by a connection.
func (o *Org) CountSSOSessions(ctx context.Context, connection string) (int64, error) {
	return db.From[Session](o.scope).Where("sso_connection_id = ? AND ended_at IS NULL AND expires_at > ?", connection, o.store.Now()).Count(ctx)
}

// LockSessionAt is as [Tx.LockSession], of a session in another organization.
func (t *Tx) LockSessionAt(ctx context.Context, organization, id string) (Session, error) {
	return db.From[Session](t.DB().For(organization)).Lock().Get(t.store.secrets(ctx), id)
}

// end ends sessions, and what came of them, and returns their ids and those of what came
// of them that is of the same user.
func (t *Tx) end(ctx context.Context, rows []Session) ([]string, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	if _, err := db.From[Session](t.scope).Where("id IN ?", ids).Update(ctx, db.Changes{"ended_at": t.store.Now()}); err != nil {
		return nil, err
	}
	for _, r := range rows {
		if err := t.AccessChanged(r.UserID, r.ID); err != nil {
			return nil, err
		}
	}
	if _, err := db.From[SSOHint](t.scope).Where("session_id IN ?", ids).Delete(ctx); err != nil {
		return nil, err
	}
	if err := t.queueLogouts(ctx, ids); err != nil {
		return nil, err
	}
	if err := t.endDelegations(ctx, "session_id IN ?", ids); err != nil {
		return nil, err
	}
	if err := t.endedImpersonations(ctx, ids); err != nil {
		return nil, err
	}
	// Who acts as somebody else by one of these does so no longer, and what came of one
	// goes with it. They are read with a lock, so that those that begin right now are seen.
	by, err := db.From[Session](t.scope).Where("(impersonator_session IN ? OR parent_id IN ?) AND ended_at IS NULL", ids, ids).Lock().All(t.store.secrets(ctx))
	if err != nil {
		return nil, err
	}
	for _, s := range by {
		more, err := t.EndSessions(ctx, s.UserID, s.ID, "")
		if err != nil {
			return nil, err
		}
		if slices.Contains(ids, s.ParentID) {
			ids = append(ids, more...)
		}
	}
	return ids, nil
}

// ForgetProofs lets a user in by nothing that they proved before now, and takes the links
// that they were sent before: whoever asked for them may be who is to be kept out.
func (t *Tx) ForgetProofs(ctx context.Context, user string) error {
	if _, err := db.From[User](t.scope).Where("id = ?", user).Update(ctx, db.Changes{"proofs_after": t.store.Now()}); err != nil {
		return fmt.Errorf("forgetting proofs: %w", err)
	}
	return t.DropLinks(ctx, user)
}

// ForgetSessions deletes sessions that ended or ran out before a time, and
// returns their number.
func (s *Store) ForgetSessions(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, "old sessions of all organizations are cleaned away").
		Delete(&Session{}, "expires_at < ? OR ended_at < ?", before, before)
	if g.Error != nil {
		return 0, g.Error
	}
	return g.RowsAffected, s.forgetSSOHints(ctx, s.Now().Add(-time.Hour))
}

// Secrets are the columns of encrypted values.
func Secrets() []secret.Column {
	return []secret.Column{
		{Table: "sessions", Name: "refresh_key"},
		{Table: "signing_keys", Name: "private_key"},
		{Table: "audit_receivers", Name: "secret"},
		{Table: "audit_receivers", Name: "sealed_address", Plain: "address"},
		{Table: "oauth_keys", Name: "private_key"},
		{Table: "factors", Name: "secret"},
		{Table: "sso_connections", Name: "secret"},
		{Table: "sso_hints", Name: "id_token"},
		{Table: "mail_settings", Name: "password"},
		{Table: "mail_messages", Name: "data"},
		{Table: "webhooks", Name: "secret"},
		{Table: "webhooks", Name: "previous_secret"},
		{Table: "webhooks", Name: "sealed_address", Plain: "address"},
	}
}
