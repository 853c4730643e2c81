package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm/clause"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// OAuthKey is a key that an organization's tokens are signed with. Its id is the
// kid; what is kept is PKCS #8 in base64, encrypted.
type OAuthKey struct {
	ID             string
	OrganizationID string
	Algorithm      string
	Number         int64
	PrivateKey     secret.Text
	ActiveFrom     time.Time
	CreatedAt      time.Time
	CreatedBy      string
}

// TableName is for gorm.
func (OAuthKey) TableName() string { return "oauth_keys" }

// OAuthKeys returns the keys of the organization, by number.
func (o *Org) OAuthKeys(ctx context.Context) ([]OAuthKey, error) {
	return db.From[OAuthKey](o.scope).Order("algorithm", false).Order("number", false).All(o.store.secrets(ctx))
}

// LockOAuthKeys is as [Org.OAuthKeys], and keeps others from changing them
// until the end of the transaction.
func (t *Tx) LockOAuthKeys(ctx context.Context) ([]OAuthKey, error) {
	return db.From[OAuthKey](t.scope).Order("algorithm", false).Order("number", false).Lock().All(t.store.secrets(ctx))
}

// CreateOAuthKey keeps a key. The error is [db.ErrDuplicate] where there is one
// of its algorithm and number.
func (t *Tx) CreateOAuthKey(ctx context.Context, k *OAuthKey) error {
	k.CreatedAt, k.CreatedBy = t.store.Now(), t.by
	return db.Create(t.store.secrets(ctx), t.scope, k)
}

// ActivateOAuthKey has a key that does not sign yet do so from now on, and reports
// whether it did: of several who turn it one does.
func (t *Tx) ActivateOAuthKey(ctx context.Context, id string, now time.Time) (bool, error) {
	n, err := db.From[OAuthKey](t.scope).Where("id = ? AND active_from > ?", id, now).Update(ctx, db.Changes{"active_from": now})
	return n == 1, err
}

// OAuthKeyTurn is when a key signs, without the key.
type OAuthKeyTurn struct {
	ID             string
	OrganizationID string
	Algorithm      string
	Number         int64
	ActiveFrom     time.Time
}

// OAuthKeyTurns returns when the keys of all organizations sign, by organization,
// algorithm and number. Where there was never one, there is nothing.
func (s *Store) OAuthKeyTurns(ctx context.Context) ([]OAuthKeyTurn, error) {
	var out []OAuthKeyTurn
	err := s.db.Unscoped(ctx, "the keys of all organizations are turned").Model(&OAuthKey{}).
		Select("id", "organization_id", "algorithm", "number", "active_from").Order("organization_id, algorithm, number").Find(&out).Error
	if err != nil {
		return nil, fmt.Errorf("reading when keys sign: %w", err)
	}
	return out, nil
}

// DeleteOAuthKeys deletes keys, and returns their number.
func (t *Tx) DeleteOAuthKeys(ctx context.Context, ids ...string) (int64, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	return db.From[OAuthKey](t.scope).Where("id IN ?", ids).Delete(ctx)
}

// OAuthConsent is what a user allowed a client.
type OAuthConsent struct {
	Stored   `gorm:"embedded"`
	UserID   string
	ClientID string
	Scopes   []string `gorm:"serializer:json"`
}

// TableName is for gorm.
func (OAuthConsent) TableName() string { return "oauth_consents" }

// OAuthConsents returns a page of consents, newest first, of a user or, for "",
// of all.
func (o *Org) OAuthConsents(ctx context.Context, user string, p db.PageRequest) (db.Page[OAuthConsent], error) {
	q := db.From[OAuthConsent](o.scope)
	if user != "" {
		q = q.Where("user_id = ?", user)
	}
	p.Sort, p.Descending = "created_at", true
	return q.Page(ctx, p, "created_at")
}

// OAuthConsent returns a consent by its id.
func (o *Org) OAuthConsent(ctx context.Context, id string) (OAuthConsent, error) {
	return db.From[OAuthConsent](o.scope).Get(ctx, id)
}

// OAuthConsentOf returns what a user allowed a client, or [db.ErrNotFound].
func (o *Org) OAuthConsentOf(ctx context.Context, user, client string) (OAuthConsent, error) {
	return db.From[OAuthConsent](o.scope).Where("user_id = ? AND client_id = ?", user, client).First(ctx)
}

// AllowOAuth adds scopes to what a user allowed a client.
func (t *Tx) AllowOAuth(ctx context.Context, user, client string, scopes []string) (OAuthConsent, error) {
	c, err := t.OAuthConsentOf(ctx, user, client)
	if errors.Is(err, db.ErrNotFound) {
		c = OAuthConsent{Stored: t.stored(), UserID: user, ClientID: client, Scopes: union(nil, scopes)}
		return c, db.Create(ctx, t.scope, &c)
	}
	if err != nil {
		return c, err
	}
	c.Scopes = union(c.Scopes, scopes)
	return c, db.Save(ctx, t.scope, &c, "scopes")
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// DeleteOAuthConsent takes a consent back, ends the refresh tokens that came of it, and
// has the client told.
func (t *Tx) DeleteOAuthConsent(ctx context.Context, c OAuthConsent) error {
	if err := db.Remove[OAuthConsent](ctx, t.scope, c.ID, db.AnyVersion); err != nil {
		return err
	}
	if _, err := t.endOAuthRefresh(ctx, "user_id = ? AND client_id = ?", c.UserID, c.ClientID); err != nil {
		return err
	}
	if err := t.endDelegations(ctx, "user_id = ? AND client_id = ?", c.UserID, c.ClientID); err != nil {
		return err
	}
	return t.tellClients(ctx, db.From[OAuthSessionClient](t.scope).Where("user_id = ? AND client_id = ?", c.UserID, c.ClientID))
}

// ForgetOAuthConsents takes back what all users allowed a client, as
// [Tx.DeleteOAuthConsent] does for one: they are asked again.
func (t *Tx) ForgetOAuthConsents(ctx context.Context, client string) error {
	if _, err := db.From[OAuthConsent](t.scope).Where("client_id = ?", client).Delete(ctx); err != nil {
		return err
	}
	if _, err := t.endOAuthRefresh(ctx, "client_id = ?", client); err != nil {
		return err
	}
	if err := t.endDelegations(ctx, "client_id = ?", client); err != nil {
		return err
	}
	return t.tellClients(ctx, db.From[OAuthSessionClient](t.scope).Where("client_id = ?", client))
}

// OAuthRefresh is a refresh token. Its id is the hash of the token. Those of one
// family came one from the other.
type OAuthRefresh struct {
	ID             string
	OrganizationID string
	FamilyID       string
	ClientID       string
	UserID         string
	// Request is what it was given for, as JSON.
	Request   string
	UsedAt    *time.Time
	EndedAt   *time.Time
	ExpiresAt time.Time
	CreatedAt time.Time
}

// TableName is for gorm.
func (OAuthRefresh) TableName() string { return "oauth_refresh_tokens" }

// OAuthRefresh returns a refresh token by its hash, used and ended ones too.
func (o *Org) OAuthRefresh(ctx context.Context, hash string) (OAuthRefresh, error) {
	return db.From[OAuthRefresh](o.scope).Get(ctx, hash)
}

// OAuthFamilies returns the families of refresh tokens that a user gave a client.
func (o *Org) OAuthFamilies(ctx context.Context, user, client string) ([]string, error) {
	rows, err := db.From[OAuthRefresh](o.scope).Where("user_id = ? AND client_id = ? AND used_at IS NULL AND expires_at > ?", user, client, o.store.Now()).
		Limit(1000).All(ctx)
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.FamilyID
	}
	return union(out, nil), err
}

// ErrFamilyEnded says that the family of a refresh token has ended.
var ErrFamilyEnded = errors.New("the family of the refresh token has ended")

// CreateOAuthRefresh keeps a refresh token by its hash. The error is
// [ErrFamilyEnded] where its family has ended, also while this is under way: both
// lock the token of before first.
func (t *Tx) CreateOAuthRefresh(ctx context.Context, r *OAuthRefresh) error {
	before, err := db.From[OAuthRefresh](t.scope).Where("family_id = ?", r.FamilyID).Order("created_at", true).Lock().First(ctx)
	switch {
	case errors.Is(err, db.ErrNotFound): // it is the first
	case err != nil:
		return err
	case before.EndedAt != nil:
		return ErrFamilyEnded
	}
	r.CreatedAt = t.store.Now()
	return db.Create(ctx, t.scope, r)
}

// endOAuthRefresh ends refresh tokens, and returns how many had not ended. They are
// locked by a statement of its own: one that is made meanwhile out of one of them is
// there for the next, or is refused.
func (t *Tx) endOAuthRefresh(ctx context.Context, where string, args ...any) (int64, error) {
	q := db.From[OAuthRefresh](t.scope).Where(where+" AND ended_at IS NULL", args...)
	if _, err := q.Lock().All(ctx); err != nil {
		return 0, err
	}
	return q.Update(ctx, db.Changes{"ended_at": t.store.Now()})
}

// UseOAuthRefresh takes a refresh token, and reports whether it was still good.
func (t *Tx) UseOAuthRefresh(ctx context.Context, hash string) (bool, error) {
	n, err := db.From[OAuthRefresh](t.scope).Where("id = ? AND used_at IS NULL AND ended_at IS NULL", hash).
		Update(ctx, db.Changes{"used_at": t.store.Now()})
	return n == 1, err
}

// EndOAuthFamily ends all refresh tokens of a family, and returns how many had
// not ended.
func (t *Tx) EndOAuthFamily(ctx context.Context, family string) (int64, error) {
	return t.endOAuthRefresh(ctx, "family_id = ?", family)
}

// oauthEntry is something of the authorization server that lives for minutes.
type oauthEntry struct {
	ID        string
	Value     string
	ExpiresAt time.Time
}

// TableName is for gorm.
func (oauthEntry) TableName() string { return "oauth_entries" }

const entriesReason = "what lives for minutes is found by a key that has the organization in it"

// PutOAuthEntry keeps a value under a key until a time, in place of the one
// before.
func (s *Store) PutOAuthEntry(ctx context.Context, key, value string, until time.Time) error {
	row := oauthEntry{ID: key, Value: value, ExpiresAt: until.UTC()}
	err := s.db.Unscoped(ctx, entriesReason).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"value", "expires_at"}),
	}).Create(&row).Error
	if err != nil {
		return fmt.Errorf("keeping an entry: %w", err)
	}
	return nil
}

// AddOAuthEntry keeps a value where there is none under the key, and reports
// whether it did.
func (s *Store) AddOAuthEntry(ctx context.Context, key, value string, until time.Time) (bool, error) {
	added := false
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		g := tx.Unscoped(entriesReason)
		if err := g.Delete(&oauthEntry{}, "id = ? AND expires_at <= ?", key, s.Now()).Error; err != nil {
			return err
		}
		r := g.Clauses(clause.OnConflict{DoNothing: true}).Create(&oauthEntry{ID: key, Value: value, ExpiresAt: until.UTC()})
		added = r.RowsAffected == 1
		return r.Error
	})
	return added, err
}

// OAuthEntry returns the value under a key, or [db.ErrNotFound].
func (s *Store) OAuthEntry(ctx context.Context, key string) (string, error) {
	var rows []oauthEntry
	err := s.db.Unscoped(ctx, entriesReason).Where("id = ? AND expires_at > ?", key, s.Now()).Find(&rows).Error
	row, err := one(rows, err)
	return row.Value, err
}

// TakeOAuthEntry is as [Store.OAuthEntry], and removes it: of several who take it
// one gets it.
func (s *Store) TakeOAuthEntry(ctx context.Context, key string) (string, error) {
	value, err := s.OAuthEntry(ctx, key)
	if err != nil {
		return "", err
	}
	r := s.db.Unscoped(ctx, entriesReason).Delete(&oauthEntry{}, "id = ?", key)
	if r.Error == nil && r.RowsAffected == 0 {
		return "", db.ErrNotFound
	}
	return value, r.Error
}

// initialTokensKept is how long it is shown that an initial token has run out.
const initialTokensKept = 30 * 24 * time.Hour

// ForgetOAuth deletes what ran out of the authorization server.
func (s *Store) ForgetOAuth(ctx context.Context) error {
	g, now := s.db.Unscoped(ctx, "what ran out is cleaned away in all organizations"), s.Now()
	return errors.Join(
		g.Delete(&oauthEntry{}, "expires_at < ?", now).Error,
		g.Delete(&OAuthRefresh{}, "expires_at < ?", now).Error,
		g.Delete(&OAuthDelegation{}, "expires_at < ?", now).Error,
		g.Delete(&OAuthInitialToken{}, "expires_at < ?", now.Add(-initialTokensKept)).Error,
		g.Delete(&OAuthSessionClient{}, "NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = oauth_session_clients.session_id)").Error,
	)
}
