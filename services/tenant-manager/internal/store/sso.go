package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
)

// OIDC is the kind of connections to OpenID Connect providers.
const OIDC = "oidc"

// LDAP is the kind of connections to LDAP directories, such as Active Directory.
const LDAP = "ldap"

// SSOConnection is an identity provider at which people of an organization sign
// in.
type SSOConnection struct {
	Stored  `gorm:"embedded"`
	Name    string
	NameKey string
	// Kind is [OIDC], [SAML], [OAuth2] or [LDAP].
	Kind string
	// Preset is which defaults the form began with; it decides nothing.
	Preset   string
	Issuer   string
	ClientID string
	Secret   secret.Text
	Scopes   []string `gorm:"serializer:json"`
	// Settings are those of kinds other than [OIDC].
	Settings SSOSettings `gorm:"serializer:json"`
	// EmailClaim, NameClaim and GroupsClaim are where claims have them; dots part
	// the names of nested objects.
	EmailClaim  string
	NameClaim   string
	GroupsClaim string
	// TrustEmail takes addresses of the connection's domains as verified where the
	// provider does not say whether they are.
	TrustEmail bool
	Enabled    bool
	// Provision makes a user of somebody who signs in for the first time, with
	// these Roles.
	Provision bool
	Roles     []string `gorm:"serializer:json"`
	// GroupRoles give roles to who is in a group at the provider.
	GroupRoles []SSOGroupRole `gorm:"serializer:json"`
	// SavedBy is who made or changed it last: accounts that may do more than they
	// are not linked to it by an e-mail address.
	SavedBy string
	// Domains are those that it is for, Verified those of them that the organization
	// has: only these lead to it, and only for these it speaks.
	Domains  []string `gorm:"-"`
	Verified []string `gorm:"-"`
}

// TableName is for gorm.
func (SSOConnection) TableName() string { return "sso_connections" }

// SSOSettings are how an identity provider is asked that is not an OpenID Connect
// one: the field of the connection's kind is set, the others are not.
type SSOSettings struct {
	LDAP   *LDAPSettings `json:"ldap,omitempty"`
	SAML   *SSOSAML      `json:"saml,omitempty"`
	OAuth2 *SSOOAuth2    `json:"oauth2,omitempty"`
	// OIDC is nil for connections whose settings are the defaults.
	OIDC *SSOSettingsOIDC `json:"oidc,omitempty"`
	// Left is what whoever saved the connection could do when they were deleted; nil
	// while they are there.
	Left *access.Holding `json:"left,omitempty"`
}

// LDAPSettings are how a directory is asked. The password of BindDN is the secret of
// the connection.
type LDAPSettings struct {
	// URLs are the servers, ldap:// or ldaps://, asked in turn until one answers.
	URLs []string `json:"urls"`
	// StartTLS encrypts connections to servers of ldap:// (RFC 4511 section 4.14).
	StartTLS bool `json:"startTls"`
	// CA is the authority of the servers' certificates as PEM; "" = the system's.
	CA string `json:"ca,omitempty"`
	// BindDN is the account that looks people up; "" = nobody does.
	BindDN string `json:"bindDn,omitempty"`
	// UserBase is below what people are, and UserFilter finds one of them.
	UserBase         string `json:"userBase"`
	UserFilter       string `json:"userFilter"`
	EmailAttribute   string `json:"emailAttribute"`
	NameAttribute    string `json:"nameAttribute"`
	SubjectAttribute string `json:"subjectAttribute"`
	// GroupBase is below what groups are, "" = none are asked for; GroupFilter finds
	// those of one member.
	GroupBase          string `json:"groupBase,omitempty"`
	GroupFilter        string `json:"groupFilter"`
	GroupNameAttribute string `json:"groupNameAttribute"`
	// NestedGroups also finds the groups that groups are in.
	NestedGroups bool `json:"nestedGroups"`
}

// SSOGroupRole is a role of those who are in a group at the provider.
type SSOGroupRole struct {
	Group string `json:"group"`
	// Role is the id of a custom role, or the name of a built-in one.
	Role string `json:"role"`
}

// SSODomain is a domain whose addresses belong to a connection, if the organization
// has the domain.
type SSODomain struct {
	ID             string
	OrganizationID string
	ConnectionID   string
	Domain         string
}

// TableName is for gorm.
func (SSODomain) TableName() string { return "sso_domains" }

// SSOIdentity is who a user is at a connection.
type SSOIdentity struct {
	ID             string
	OrganizationID string
	ConnectionID   string
	UserID         string
	// Subject is the SHA-256 of the provider's name for them.
	Subject string
	// Granted are the grants that groups gave, by role.
	Granted map[string]string `gorm:"serializer:json"`
	// Received are the groups that the provider named at the last sign-in; nil where
	// that was before they were kept.
	Received   *SSOReceived `gorm:"serializer:json"`
	CreatedAt  time.Time
	LastUsedAt time.Time
}

// SSOReceived is what a provider said last of the groups of somebody.
type SSOReceived struct {
	Groups []string `json:"groups"`
	// Cut says that there were more than are kept.
	Cut bool `json:"cut,omitempty"`
}

// The bounds of the groups that are kept of a sign-in: their number, and the bytes of
// their names.
const (
	mostReceived      = 2000
	mostReceivedBytes = 64 << 10
)

// ReceivedGroups returns groups as they are kept.
func ReceivedGroups(groups []string) *SSOReceived {
	out := &SSOReceived{Groups: []string{}}
	size := 0
	for _, g := range groups {
		if size += len(g); len(out.Groups) == mostReceived || size > mostReceivedBytes {
			out.Cut = true
			break
		}
		out.Groups = append(out.Groups, g)
	}
	return out
}

// TableName is for gorm.
func (SSOIdentity) TableName() string { return "sso_identities" }

// ErrDomainTaken says that another connection or directory has a domain already, or
// another organization.
var ErrDomainTaken = errors.New("another one has the domain")

// SSOConnections returns all connections of the organization, by name.
func (o *Org) SSOConnections(ctx context.Context) ([]SSOConnection, error) {
	rows, err := db.From[SSOConnection](o.scope).Order("name_key", false).All(o.store.secrets(ctx))
	if err != nil {
		return nil, err
	}
	domains, err := db.From[SSODomain](o.scope).Order("domain", false).All(ctx)
	for i := range rows {
		for _, d := range domains {
			if d.ConnectionID == rows[i].ID {
				rows[i].Domains = append(rows[i].Domains, d.Domain)
			}
		}
		if err == nil {
			rows[i].Verified, err = o.verified(ctx, rows[i].Domains)
		}
	}
	return rows, err
}

// LockSSOConnection returns the row of a connection, without its domains, and keeps others
// from changing it until the transaction ends.
func (t *Tx) LockSSOConnection(ctx context.Context, id string) (SSOConnection, error) {
	return db.From[SSOConnection](t.scope).Lock().Get(t.store.secrets(ctx), id)
}

// SSOConnection returns a connection.
func (o *Org) SSOConnection(ctx context.Context, id string) (SSOConnection, error) {
	c, err := db.From[SSOConnection](o.scope).Get(o.store.secrets(ctx), id)
	if err != nil {
		return c, err
	}
	domains, err := db.From[SSODomain](o.scope).Where("connection_id = ?", id).Order("domain", false).All(ctx)
	for _, d := range domains {
		c.Domains = append(c.Domains, d.Domain)
	}
	if err == nil {
		c.Verified, err = o.verified(ctx, c.Domains)
	}
	return c, err
}

// CreateSSOConnection makes a connection. The error is [db.ErrDuplicate] where the
// name is taken, and [ErrDomainTaken] where a domain is.
func (t *Tx) CreateSSOConnection(ctx context.Context, c *SSOConnection) error {
	c.Stored = t.stored()
	c.Name, c.NameKey, c.SavedBy = strings.TrimSpace(c.Name), Fold(c.Name), t.by
	if err := db.Create(t.store.secrets(ctx), t.scope, c); err != nil {
		return err
	}
	return t.setDomains(ctx, c)
}

// SaveSSOConnection writes a connection, if the row has the version that is in c.
func (t *Tx) SaveSSOConnection(ctx context.Context, c *SSOConnection) error {
	c.Name, c.NameKey, c.SavedBy, c.Settings.Left = strings.TrimSpace(c.Name), Fold(c.Name), t.by, nil
	err := db.Save(t.store.secrets(ctx), t.scope, c, "name", "name_key", "preset", "issuer", "client_id", "secret", "scopes", "settings", "email_claim", "name_claim",
		"groups_claim", "trust_email", "enabled", "provision", "roles", "group_roles", "saved_by")
	if err != nil {
		return err
	}
	return t.setDomains(ctx, c)
}

// LeaveSSOConnections notes what somebody could do who saved connections and is
// deleted: that is what these go on being worth.
func (t *Tx) LeaveSSOConnections(ctx context.Context, by string, could access.Holding) error {
	rows, err := db.From[SSOConnection](t.scope).Where("saved_by = ?", by).All(t.store.secrets(ctx))
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Settings.Left = &could
		if err := db.Save(t.store.secrets(ctx), t.scope, &rows[i], "settings"); err != nil {
			return fmt.Errorf("leaving a connection: %w", err)
		}
	}
	return nil
}

// setDomains writes for which domains a connection is, which are claimed already.
func (t *Tx) setDomains(ctx context.Context, c *SSOConnection) error {
	if _, err := db.From[SSODomain](t.scope).Where("connection_id = ?", c.ID).Delete(ctx); err != nil {
		return err
	}
	for _, d := range c.Domains {
		err := db.Create(ctx, t.scope, &SSODomain{ID: NewID(), ConnectionID: c.ID, Domain: d})
		if errors.Is(err, db.ErrDuplicate) {
			return fmt.Errorf("%w: %s", ErrDomainTaken, d)
		}
		if err != nil {
			return err
		}
	}
	var err error
	c.Verified, err = t.verified(ctx, c.Domains)
	return err
}

// DeleteSSOConnection deletes a connection of a version, and who people are at it.
func (t *Tx) DeleteSSOConnection(ctx context.Context, id string, version int64) error {
	if err := db.Remove[SSOConnection](ctx, t.scope, id, version); err != nil {
		return err
	}
	if _, err := db.From[SSODomain](t.scope).Where("connection_id = ?", id).Delete(ctx); err != nil {
		return err
	}
	if err := t.DropSSOHints(ctx, id); err != nil {
		return err
	}
	return t.DropSSOIdentities(ctx, id)
}

// DropSSOIdentities forgets who people are at a connection. Roles that its groups
// gave stay with them.
func (t *Tx) DropSSOIdentities(ctx context.Context, connection string) error {
	if _, err := db.From[SSOIdentity](t.scope).Where("connection_id = ?", connection).Delete(ctx); err != nil {
		return err
	}
	return t.sourceGone(ctx, FromSSO+connection)
}

const ssoReason = "who signs in is of no organization yet"

// SSOConnectionFor returns the connection that is switched on and has a domain, of
// the organization that has it, and the domain with it.
func (s *Store) SSOConnectionFor(ctx context.Context, domain string) (SSOConnection, Domain, error) {
	d, err := s.VerifiedDomain(ctx, domain)
	if err != nil {
		return SSOConnection{}, d, err
	}
	c, err := s.enabledSSO(s.For(d.OrganizationID).SSOConnection(ctx, d.ConnectionID))
	return c, d, err
}

// SSOConnectionByID returns the connection of an id, of any organization, that is
// switched on.
func (s *Store) SSOConnectionByID(ctx context.Context, id string) (SSOConnection, error) {
	var out []SSOConnection
	if err := s.db.Unscoped(s.secrets(ctx), ssoReason).Where("id = ?", id).Find(&out).Error; err != nil {
		return SSOConnection{}, err
	}
	c, err := one(out, nil)
	if err != nil {
		return c, err
	}
	return s.enabledSSO(s.For(c.OrganizationID).SSOConnection(ctx, c.ID))
}

func (*Store) enabledSSO(c SSOConnection, err error) (SSOConnection, error) {
	if err == nil && !c.Enabled {
		err = db.ErrNotFound
	}
	return c, err
}

// SSOIdentity returns who has a subject at a connection.
func (o *Org) SSOIdentity(ctx context.Context, connection, subject string) (SSOIdentity, error) {
	return db.From[SSOIdentity](o.scope).Where("connection_id = ? AND subject = ?", connection, subject).First(ctx)
}

// SSOLinked reports whether a user is linked to a connection.
func (o *Org) SSOLinked(ctx context.Context, connection, user string) (bool, error) {
	_, err := db.From[SSOIdentity](o.scope).Where("connection_id = ? AND user_id = ?", connection, user).First(ctx)
	if IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// SSOIdentities returns who people are at a connection, a page of them, those that
// signed in last first.
func (o *Org) SSOIdentities(ctx context.Context, connection, cursor string) (db.Page[SSOIdentity], error) {
	return db.From[SSOIdentity](o.scope).Where("connection_id = ?", connection).
		Page(ctx, db.PageRequest{Sort: "last_used_at", Descending: true, Cursor: cursor, Limit: db.MaxLimit}, "last_used_at")
}

// CountSSOIdentities returns how many people are linked to a connection.
func (o *Org) CountSSOIdentities(ctx context.Context, connection string) (int64, error) {
	return db.From[SSOIdentity](o.scope).Where("connection_id = ?", connection).Count(ctx)
}

// CreateSSOIdentity links a user to a connection. The id and the times are set.
func (t *Tx) CreateSSOIdentity(ctx context.Context, i *SSOIdentity) error {
	i.ID, i.CreatedAt, i.LastUsedAt = NewID(), t.store.Now(), t.store.Now()
	if err := db.Create(ctx, t.scope, i); err != nil {
		return err
	}
	return t.placeUser(ctx, i.UserID)
}

// UsedSSOIdentity notes that an identity was used, and which roles its groups gave.
func (t *Tx) UsedSSOIdentity(ctx context.Context, i SSOIdentity) error {
	if _, err := db.From[SSOIdentity](t.scope).Where("id = ?", i.ID).Delete(ctx); err != nil {
		return err
	}
	i.LastUsedAt = t.store.Now()
	return db.Create(ctx, t.scope, &i)
}

// DropGrant deletes a grant of a user, if it is still there, and tells so.
func (t *Tx) DropGrant(ctx context.Context, user, id string) error {
	n, err := db.From[Grant](t.scope).Where("id = ? AND principal_id = ?", id, user).Delete(ctx)
	if err != nil || n == 0 {
		return err
	}
	return t.AccessChanged(user, "")
}

// SealedChallenge keeps a challenge whose data is encrypted.
func (s *Store) SealedChallenge(ctx context.Context, tx *Tx, c *Challenge) error {
	c.ID, c.CreatedAt = NewID(), s.Now()
	c.Data = s.ring.Seal([]byte(c.Data), challengePlace(c.ID))
	return tx.tx.Unscoped(challengesReason).WithContext(ctx).Create(c).Error
}

func challengePlace(id string) secret.Place {
	return secret.Place{Table: "challenges", Column: "data", Row: id}
}

// OpenChallenges returns the newest challenges of a user that have not run out, with
// their data decrypted, at most n.
func (o *Org) OpenChallenges(ctx context.Context, purpose, user string, n int) ([]Challenge, error) {
	rows, err := db.From[Challenge](o.scope).Where("purpose = ? AND user_id = ? AND expires_at > ?", purpose, user, o.Now()).
		Order("created_at", true).Order("id", true).Limit(n).All(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		b, err := o.store.ring.Open(rows[i].Data, challengePlace(rows[i].ID))
		if err != nil {
			return nil, err
		}
		rows[i].Data = string(b)
	}
	return rows, nil
}

// OpenChallenge returns the challenge of a user by its id, with its data decrypted.
func (o *Org) OpenChallenge(ctx context.Context, purpose, user, id string) (Challenge, error) {
	c, err := db.From[Challenge](o.scope).Where("purpose = ? AND user_id = ? AND id = ? AND expires_at > ?", purpose, user, id, o.Now()).First(ctx)
	if err != nil {
		return c, err
	}
	b, err := o.store.ring.Open(c.Data, challengePlace(c.ID))
	c.Data = string(b)
	return c, err
}
