package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// The kinds of what ends, and is told of before.
const (
	EndingClientSecret  = "client-secret"
	EndingPersonalToken = "personal-token"
	EndingServiceToken  = "service-token"
	EndingSCIMToken     = "scim-token"
	// EndingProvider, EndingOwn and EndingAuthority are certificates of a single
	// sign-on: the identity provider's, the organization's own, and that of the
	// authority of a directory.
	EndingProvider  = "sso-provider-certificate"
	EndingOwn       = "sso-own-certificate"
	EndingAuthority = "sso-authority"
)

// Ending is something that ends.
type Ending struct {
	Kind           string `gorm:"-"`
	ID             string
	OrganizationID string
	// OwnerID is the client, user, service account, directory or connection whose it
	// is.
	OwnerID string
	Name    string
	Hint    string
	EndsAt  time.Time
	// CreatedAt is when it was made; the zero time where that is not known.
	CreatedAt time.Time
	CreatedBy string
}

// endingNotice is that somebody was told of something that ends.
type endingNotice struct {
	ID             string
	OrganizationID string
	Kind           string
	Subject        string
	EndsAt         time.Time
	Days           int
	CreatedAt      time.Time
}

// TableName is for gorm.
func (endingNotice) TableName() string { return "ending_notices" }

// endingTables are where things are kept that end, by kind: the table, and the
// column of whose they are.
var endingTables = map[string][2]string{
	EndingClientSecret:  {"oauth_client_secrets", "client_id"},
	EndingPersonalToken: {"personal_tokens", "user_id"},
	EndingServiceToken:  {"service_tokens", "service_account_id"},
	EndingSCIMToken:     {"scim_tokens", "directory_id"},
}

// mostEndings bounds what is told of at once, of each kind.
const mostEndings = 500

// Endings returns secrets and tokens of a kind of all organizations that end within
// so many days but not within the fewer ones, and of which nobody was told so, those
// that end first first.
func (s *Store) Endings(ctx context.Context, kind string, fewer, days int) ([]Ending, error) {
	table, ok := endingTables[kind]
	if !ok {
		return nil, fmt.Errorf("nothing of the kind %q is kept in a table", kind)
	}
	now := s.Now()
	var out []Ending
	err := s.db.Unscoped(ctx, "those who are responsible are told in all organizations").Table(table[0]+" AS e").
		Select("e.id, e.organization_id, e."+table[1]+" AS owner_id, e.name, e.hint, e.expires_at AS ends_at, e.created_at, e.created_by").
		Where("e.expires_at > ? AND e.expires_at <= ?", now.AddDate(0, 0, fewer), now.AddDate(0, 0, days)).
		Where("NOT EXISTS (SELECT 1 FROM ending_notices n WHERE n.organization_id = e.organization_id AND n.kind = ? AND n.subject = e.id AND n.ends_at = e.expires_at AND n.days <= ?)", kind, days).
		Order("e.expires_at, e.id").Limit(mostEndings).Scan(&out).Error
	for i := range out {
		out[i].Kind = kind
	}
	return out, err
}

// CertifiedConnections returns the single sign-ons of all organizations that are
// switched on and have certificates.
func (s *Store) CertifiedConnections(ctx context.Context) ([]SSOConnection, error) {
	var out []SSOConnection
	err := s.db.Unscoped(s.secrets(ctx), "those who are responsible are told in all organizations").
		Where("enabled = ? AND kind IN ?", true, []string{SAML, LDAP}).Order("id").Find(&out).Error
	return out, err
}

// NoticedEnding reports whether somebody was told that something ends, so many days
// before or later.
func (o *Org) NoticedEnding(ctx context.Context, e Ending, days int) (bool, error) {
	n, err := db.From[endingNotice](o.scope).Where("kind = ? AND subject = ? AND ends_at = ? AND days <= ?", e.Kind, e.ID, e.EndsAt, days).Count(ctx)
	return n > 0, err
}

// NoticeEnding notes that somebody is told that something ends, so many days before,
// and reports whether nobody was before. Of several who do so at the same time one
// does; the others get [db.ErrDuplicate], and take back what they did.
func (t *Tx) NoticeEnding(ctx context.Context, e Ending, days int) (bool, error) {
	told, err := t.NoticedEnding(ctx, e, days)
	if err != nil || told {
		return false, err
	}
	return true, db.Create(ctx, t.scope, &endingNotice{ID: NewID(), Kind: e.Kind, Subject: e.ID, EndsAt: e.EndsAt, Days: days, CreatedAt: t.store.Now()})
}

// ForgetEndings deletes that somebody was told of what ended before a time, and
// secrets of clients that have ended themselves, of which nothing is shown.
func (s *Store) ForgetEndings(ctx context.Context, before time.Time) error {
	g := s.db.Unscoped(ctx, "what ended is cleaned away in all organizations")
	return errors.Join(g.Delete(&endingNotice{}, "ends_at < ?", before).Error, g.Delete(&OAuthSecret{}, "expires_at < ?", before).Error)
}
