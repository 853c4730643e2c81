package store

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

const (
	// SAML is the kind of connections to SAML 2.0 identity providers.
	SAML = "saml"
	// OAuth2 is the kind of connections to providers of plain OAuth 2.0.
	OAuth2 = "oauth2"
)

// SSOSAML is a SAML 2.0 identity provider, whose entity id is the connection's
// issuer, and who we are to it. The connection's secret is the private key.
type SSOSAML struct {
	// MetadataURL is where the provider's metadata is; "" = it was given by hand.
	MetadataURL string `json:"metadataUrl,omitempty"`
	SSOURL      string `json:"ssoUrl,omitempty"`
	// Certificates are those that the provider signs with, in DER.
	Certificates [][]byte `json:"certificates,omitempty"`
	// NameIDFormat is the URN of the format that is asked for; "" leaves it to the
	// provider.
	NameIDFormat string `json:"nameIdFormat,omitempty"`
	// SubjectAttribute is the attribute that says who somebody is; "" = the NameID.
	SubjectAttribute string `json:"subjectAttribute,omitempty"`
	// Own is the certificate of the private key, in DER.
	Own []byte `json:"own,omitempty"`
	// Next is that of the key that is to follow, which is announced beside it, and
	// SwitchAt when it follows by itself; nil = when somebody says so. Previous is that of
	// the key before, which still decrypts. There is one of Next and Previous at the most,
	// and its key is the second in the connection's secret.
	Next     []byte     `json:"next,omitempty"`
	SwitchAt *time.Time `json:"switchAt,omitempty"`
	Previous []byte     `json:"previous,omitempty"`
	// FetchedAt is when the metadata was fetched, TriedAt when it was tried last,
	// FetchError what went wrong then.
	FetchedAt  *time.Time `json:"fetchedAt,omitempty"`
	TriedAt    *time.Time `json:"triedAt,omitempty"`
	FetchError string     `json:"fetchError,omitempty"`
}

// SSOOAuth2 is a provider of plain OAuth 2.0, and its API for who somebody is.
type SSOOAuth2 struct {
	AuthorizeURL string            `json:"authorizeUrl"`
	TokenURL     string            `json:"tokenUrl"`
	UserURL      string            `json:"userUrl"`
	EmailsURL    string            `json:"emailsUrl,omitempty"`
	Groups       []SSOOAuth2Groups `json:"groups,omitempty"`
	// Subject is where the person has what never changes.
	Subject string `json:"subject"`
	PKCE    bool   `json:"pkce"`
}

// SSOOAuth2Groups is a list of what the person belongs to.
type SSOOAuth2Groups struct {
	URL  string `json:"url"`
	Path string `json:"path,omitempty"`
}

// SAMLConnectionByID returns the SAML connection of an id, of any organization,
// switched on or not: providers are set up before.
func (s *Store) SAMLConnectionByID(ctx context.Context, id string) (SSOConnection, error) {
	var out []SSOConnection
	err := s.db.Unscoped(s.secrets(ctx), "a provider is set up with what is public of a connection").Where("id = ? AND kind = ?", id, SAML).Find(&out).Error
	return one(out, err)
}

// SAMLConnections returns the SAML connections of all organizations.
func (s *Store) SAMLConnections(ctx context.Context) ([]SSOConnection, error) {
	var out []SSOConnection
	err := s.db.Unscoped(s.secrets(ctx), "metadata of providers is fetched anew for everybody").Where("kind = ?", SAML).Order("id").Find(&out).Error
	return out, err
}

// SaveSSOSettings writes what the provider said of itself into a connection, if the
// row has the version that is in c. Who saved the connection stays who did.
func (t *Tx) SaveSSOSettings(ctx context.Context, c *SSOConnection) error {
	return db.Save(t.store.secrets(ctx), t.scope, c, "settings")
}

// SaveSSOKeys writes the keys of a connection and their certificates, if the row has
// the version that is in c. Who saved the connection stays who did.
func (t *Tx) SaveSSOKeys(ctx context.Context, c *SSOConnection) error {
	return db.Save(t.store.secrets(ctx), t.scope, c, "secret", "settings")
}

// TakeSealed returns the challenge with the hash, with its data decrypted, and
// deletes it.
func (s *Store) TakeSealed(ctx context.Context, purpose, hash string) (Challenge, error) {
	c, err := s.Challenge(ctx, purpose, hash)
	if err != nil {
		return c, err
	}
	err = s.Tx(ctx, c.OrganizationID, "", func(tx *Tx) error {
		taken, err := s.TakeChallenge(ctx, tx, c.ID)
		if err == nil && !taken {
			err = db.ErrNotFound
		}
		return err
	})
	if err != nil {
		return c, err
	}
	b, err := s.ring.Open(c.Data, challengePlace(c.ID))
	c.Data = string(b)
	return c, err
}

// SeenFirst reports whether something is seen for the first time, until a time after
// which it cannot come any more.
func (o *Org) SeenFirst(ctx context.Context, purpose, hash string, until time.Time) (bool, error) {
	c := Challenge{ID: NewID(), Purpose: purpose, Hash: hash, ExpiresAt: until, CreatedAt: o.Now()}
	err := db.Create(ctx, o.scope, &c)
	if errors.Is(err, db.ErrDuplicate) {
		return false, nil
	}
	return err == nil, err
}
