package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

// OAuthClient is a program that the authorization server gives tokens. Its id is
// the client_id (RFC 6749 section 2.2).
type OAuthClient struct {
	Stored      `gorm:"embedded"`
	Name        string
	NameKey     string
	Description string
	Status      string
	// AuthMethod is how it authenticates itself: a token_endpoint_auth_method of
	// RFC 7591 section 2.
	AuthMethod    string
	GrantTypes    []string `gorm:"serializer:json"`
	RedirectURIs  []string `gorm:"column:redirect_uris;serializer:json"`
	LogoutURIs    []string `gorm:"column:post_logout_redirect_uris;serializer:json"`
	Scopes        []string `gorm:"serializer:json"`
	Audiences     []string `gorm:"serializer:json"`
	TokenFormat   string
	Algorithm     string
	AccessSeconds int64 `gorm:"column:access_token_seconds"`
	// RefreshSeconds is how long a refresh token is good that is not used.
	RefreshSeconds     int64  `gorm:"column:refresh_token_seconds"`
	JWKS               string `gorm:"column:jwks"`
	AssertionAlgorithm string
	// CertificateThumbprint is the x5t#S256 of its certificate (RFC 8705).
	CertificateThumbprint string
	// CertificateAuthority are the authorities, in PEM, that vouch for its
	// certificate, and CertificateSubject is the name in it.
	CertificateAuthority string
	CertificateSubject   string
	// CertificateBound says that its tokens are bound to the certificate it shows.
	CertificateBound bool
	DPoPBound        bool `gorm:"column:dpop_bound"`
	// DPoPNonce says that its proofs must have a nonce of ours (RFC 9449 section 8).
	DPoPNonce bool `gorm:"column:dpop_nonce"`
	// BackchannelURI is where it is told that a session ended, "" = nowhere, and
	// BackchannelSession says that it wants to be told which (OpenID Connect
	// Back-Channel Logout section 2.2).
	BackchannelURI     string `gorm:"column:backchannel_logout_uri"`
	BackchannelSession bool   `gorm:"column:backchannel_logout_session"`
	SkipConsent        bool
	MayIntrospect      bool
	// RegistrationHash is that of its registration access token (RFC 7592); "" = it
	// did not register itself.
	RegistrationHash string
	// JWKSURI is where its public keys are, in place of JWKS.
	JWKSURI string `gorm:"column:jwks_uri"`
	// Registration is what a client that registered itself said, and may say, as
	// JSON.
	Registration string
	// ApplicationID and ApplicationName are those of the application of the portal
	// that has the client for a credential; "" = none does.
	ApplicationID   string
	ApplicationName string
}

// TableName is for gorm.
func (OAuthClient) TableName() string { return "oauth_clients" }

// OAuthSecret is a secret of a client, kept as its hash.
type OAuthSecret struct {
	ID             string
	OrganizationID string
	ClientID       string
	// Name is what it is for; may be empty.
	Name      string
	Hash      string
	Hint      string
	ExpiresAt *time.Time
	// LastUsedAt is when the client last proved who it is with it, to the minute.
	LastUsedAt *time.Time
	CreatedAt  time.Time
	CreatedBy  string
}

// TableName is for gorm.
func (OAuthSecret) TableName() string { return "oauth_client_secrets" }

// OAuthScope is something that a token can be good for.
type OAuthScope struct {
	Stored      `gorm:"embedded"`
	Name        string
	Title       string
	Description string
}

// TableName is for gorm.
func (OAuthScope) TableName() string { return "oauth_scopes" }

// OAuthClients returns a page of clients, sortable by name and creation.
func (o *Org) OAuthClients(ctx context.Context, search string, p db.PageRequest) (db.Page[OAuthClient], error) {
	q := db.From[OAuthClient](o.scope)
	if strings.TrimSpace(search) != "" {
		q = q.Where("name_key LIKE ? ESCAPE '!' OR id = ?", like(search), strings.TrimSpace(search))
	}
	if p.Sort == "name" {
		p.Sort = "name_key"
	}
	return q.Page(ctx, p, "name_key", "created_at")
}

// OAuthClient returns a client.
func (o *Org) OAuthClient(ctx context.Context, id string) (OAuthClient, error) {
	return db.From[OAuthClient](o.scope).Get(ctx, id)
}

// OAuthClientsByID returns clients.
func (o *Org) OAuthClientsByID(ctx context.Context, ids []string) ([]OAuthClient, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return db.From[OAuthClient](o.scope).Where("id IN ?", ids).All(ctx)
}

// CreateOAuthClient makes a client, active. The error is [db.ErrDuplicate] where
// the name is taken.
func (t *Tx) CreateOAuthClient(ctx context.Context, c *OAuthClient) error {
	c.Stored, c.Status = t.stored(), Active
	c.fold()
	return db.Create(ctx, t.scope, c)
}

func (c *OAuthClient) fold() { c.Name = strings.TrimSpace(c.Name); c.NameKey = Fold(c.Name) }

// SaveOAuthClient writes a client, if the row has the version that is in c.
func (t *Tx) SaveOAuthClient(ctx context.Context, c *OAuthClient) error {
	c.fold()
	err := db.Save(ctx, t.scope, c, "name", "name_key", "description", "status", "auth_method", "grant_types", "redirect_uris",
		"post_logout_redirect_uris", "scopes", "audiences", "token_format", "algorithm", "access_token_seconds", "refresh_token_seconds",
		"jwks", "assertion_algorithm", "certificate_thumbprint", "certificate_authority",
		"certificate_subject", "certificate_bound", "dpop_bound", "dpop_nonce", "backchannel_logout_uri", "backchannel_logout_session", "skip_consent", "may_introspect", "registration_hash",
		"jwks_uri", "registration", "application_name")
	if err != nil || c.MayAct() {
		return err
	}
	return t.endDelegations(ctx, "client_id = ?", c.ID)
}

// LockOAuthClient returns a client, and keeps others from changing it until the end of
// the transaction.
func (t *Tx) LockOAuthClient(ctx context.Context, id string) (OAuthClient, error) {
	return db.From[OAuthClient](t.scope).Where("id = ?", id).Lock().First(ctx)
}

// OAuthClientsOf returns the clients that an application has.
func (o *Org) OAuthClientsOf(ctx context.Context, application string) ([]OAuthClient, error) {
	return db.From[OAuthClient](o.scope).Where("application_id = ?", application).Order("id", false).All(ctx)
}

// OAuthApplications returns the ids of applications that have clients.
func (o *Org) OAuthApplications(ctx context.Context) ([]string, error) {
	var rows []struct{ ApplicationID string }
	err := db.From[OAuthClient](o.scope).Where("application_id <> ?", "").Aggregate(ctx, &rows, "application_id", "application_id")
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.ApplicationID
	}
	return out, err
}

// DeleteOAuthClient deletes a client of a version with its secrets, consents and
// refresh tokens.
func (t *Tx) DeleteOAuthClient(ctx context.Context, id string, version int64) error {
	for _, remove := range []func(context.Context) (int64, error){
		db.From[OAuthSecret](t.scope).Where("client_id = ?", id).Delete,
		db.From[OAuthConsent](t.scope).Where("client_id = ?", id).Delete,
		db.From[OAuthRefresh](t.scope).Where("client_id = ?", id).Delete,
		db.From[OAuthSessionClient](t.scope).Where("client_id = ?", id).Delete,
		db.From[OAuthLogout](t.scope).Where("client_id = ?", id).Delete,
	} {
		if _, err := remove(ctx); err != nil {
			return fmt.Errorf("deleting what an OAuth2 client has: %w", err)
		}
	}
	if err := t.endDelegations(ctx, "client_id = ?", id); err != nil {
		return err
	}
	return db.Remove[OAuthClient](ctx, t.scope, id, version)
}

// OAuthSecrets returns the secrets of a client that have not run out, newest
// first.
func (o *Org) OAuthSecrets(ctx context.Context, client string) ([]OAuthSecret, error) {
	return db.From[OAuthSecret](o.scope).Where("client_id = ? AND (expires_at IS NULL OR expires_at > ?)", client, o.store.Now()).
		Order("created_at", true).Order("id", true).Limit(20).All(ctx)
}

// EndingOAuthSecrets returns secrets that work and end by a time, those that end first
// first and at most so many, of clients that have none that lasts longer.
func (o *Org) EndingOAuthSecrets(ctx context.Context, by time.Time, most int) ([]OAuthSecret, error) {
	rows, err := db.From[OAuthSecret](o.scope).Where("expires_at > ? AND expires_at <= ?", o.store.Now(), by).Order("expires_at", false).Limit(most).All(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ClientID
	}
	lasting, err := db.From[OAuthSecret](o.scope).Where("client_id IN ? AND (expires_at IS NULL OR expires_at > ?)", ids, by).All(ctx)
	return slices.DeleteFunc(rows, func(r OAuthSecret) bool {
		return slices.ContainsFunc(lasting, func(l OAuthSecret) bool { return l.ClientID == r.ClientID })
	}), err
}

// OAuthSecret returns a secret of a client.
func (o *Org) OAuthSecret(ctx context.Context, client, id string) (OAuthSecret, error) {
	return db.From[OAuthSecret](o.scope).Where("client_id = ?", client).Get(ctx, id)
}

// AddOAuthSecret keeps a secret by its hash. Those before it end at a time, where
// they do not end before; the zero time leaves them as they are.
func (t *Tx) AddOAuthSecret(ctx context.Context, s *OAuthSecret, othersEnd time.Time) error {
	if !othersEnd.IsZero() {
		if err := t.endOAuthSecrets(ctx, s.ClientID, othersEnd); err != nil {
			return fmt.Errorf("ending secrets: %w", err)
		}
	}
	if _, err := db.From[OAuthSecret](t.scope).Where("client_id = ? AND expires_at <= ?", s.ClientID, t.store.Now()).Delete(ctx); err != nil {
		return fmt.Errorf("deleting secrets: %w", err)
	}
	s.Name = strings.TrimSpace(s.Name)
	s.ID, s.CreatedAt, s.CreatedBy = NewID(), t.store.Now(), t.by
	return db.Create(ctx, t.scope, s)
}

// endOAuthSecrets has the secrets of a client end. Nobody is told of it by and by:
// whoever did it knows.
func (t *Tx) endOAuthSecrets(ctx context.Context, client string, at time.Time) error {
	q := db.From[OAuthSecret](t.scope).Where("client_id = ? AND (expires_at IS NULL OR expires_at > ?)", client, at)
	rows, err := q.All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	if _, err := q.Update(ctx, db.Changes{"expires_at": at}); err != nil {
		return err
	}
	if !at.After(t.store.Now()) {
		return nil
	}
	for _, r := range rows {
		if _, err := t.NoticeEnding(ctx, Ending{Kind: EndingClientSecret, ID: r.ID, EndsAt: at}, 0); err != nil {
			return err
		}
	}
	return nil
}

// UsedOAuthSecret notes that a client proved who it is with a secret, at most once a
// minute, and reports whether it did.
func (o *Org) UsedOAuthSecret(ctx context.Context, s OAuthSecret) (bool, error) {
	now := o.store.Now()
	if s.LastUsedAt != nil && now.Sub(*s.LastUsedAt) < usedEvery {
		return false, nil
	}
	n, err := db.From[OAuthSecret](o.scope).Where("id = ? AND (last_used_at IS NULL OR last_used_at < ?)", s.ID, now.Add(-usedEvery)).
		Update(ctx, db.Changes{"last_used_at": now})
	return n > 0, err
}

// DeleteOAuthSecret deletes a secret of a client. The error is [db.ErrNotFound]
// where it is not the client's.
func (t *Tx) DeleteOAuthSecret(ctx context.Context, client, id string) error {
	n, err := db.From[OAuthSecret](t.scope).Where("client_id = ? AND id = ?", client, id).Delete(ctx)
	if err == nil && n == 0 {
		err = db.ErrNotFound
	}
	return err
}

// OAuthScopes returns the scopes of the organization, by name.
func (o *Org) OAuthScopes(ctx context.Context) ([]OAuthScope, error) {
	return db.From[OAuthScope](o.scope).Order("name", false).Limit(1000).All(ctx)
}

// OAuthScope returns a scope.
func (o *Org) OAuthScope(ctx context.Context, id string) (OAuthScope, error) {
	return db.From[OAuthScope](o.scope).Get(ctx, id)
}

// CreateOAuthScope makes a scope. The error is [db.ErrDuplicate] where the name
// is taken.
func (t *Tx) CreateOAuthScope(ctx context.Context, s *OAuthScope) error {
	s.Stored = t.stored()
	return db.Create(ctx, t.scope, s)
}

// SaveOAuthScope writes a scope, if the row has the version that is in s. Its
// name stays.
func (t *Tx) SaveOAuthScope(ctx context.Context, s *OAuthScope) error {
	return db.Save(ctx, t.scope, s, "title", "description")
}

// DeleteOAuthScope deletes a scope of a version.
func (t *Tx) DeleteOAuthScope(ctx context.Context, id string, version int64) error {
	return db.Remove[OAuthScope](ctx, t.scope, id, version)
}

// OAuthClientsWithScope returns the names of clients that may ask for a scope,
// some at most.
func (o *Org) OAuthClientsWithScope(ctx context.Context, scope string) ([]string, error) {
	rows, err := db.From[OAuthClient](o.scope).Where("scopes LIKE ? ESCAPE '!'", like(`"`+scope+`"`)).Limit(5).All(ctx)
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Name
	}
	return names, err
}
