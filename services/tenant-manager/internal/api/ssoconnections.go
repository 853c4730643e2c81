package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/secrets"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListSsoConnections returns the connections.
func (h *Handlers) ListSsoConnections(ctx context.Context, _ ListSsoConnectionsRequestObject) (ListSsoConnectionsResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:read", authn.Scope{}); err != nil {
		return nil, err
	}
	rows, err := h.mine(ctx).SSOConnections(ctx)
	out := SsoConnectionList{Items: make([]SsoConnection, len(rows))}
	for i, c := range rows {
		out.Items[i] = ssoConnectionOf(c)
	}
	return ListSsoConnections200JSONResponse(out), err
}

// GetSsoConnection returns a connection.
func (h *Handlers) GetSsoConnection(ctx context.Context, r GetSsoConnectionRequestObject) (GetSsoConnectionResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:read", authn.Scope{}); err != nil {
		return nil, err
	}
	c, err := h.mine(ctx).SSOConnection(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	out, err := h.withOpenSessions(ctx, c)
	return GetSsoConnection200JSONResponse{Body: out, Headers: GetSsoConnection200ResponseHeaders{ETag: etag(c.Version)}}, err
}

func (h *Handlers) withOpenSessions(ctx context.Context, c store.SSOConnection) (SsoConnection, error) {
	out := ssoConnectionOf(c)
	open, err := h.mine(ctx).CountSSOSessions(ctx, c.ID)
	out.OpenSessions = new(open)
	return out, err
}

// CreateSsoConnection makes a connection.
func (h *Handlers) CreateSsoConnection(ctx context.Context, r CreateSsoConnectionRequestObject) (CreateSsoConnectionResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:create", authn.Scope{}); err != nil {
		return nil, err
	}
	if err := h.connectionSecretsFit(ctx, *r.Body); err != nil {
		return nil, err
	}
	body, err := h.withMetadata(ctx, *r.Body, nil)
	if err != nil {
		return nil, err
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createSsoConnection", r.Body, func(tx *store.Tx) (SsoConnection, error) {
		var c store.SSOConnection
		if err := h.readConnection(ctx, tx, body, &c); err != nil {
			return SsoConnection{}, err
		}
		if err := h.claim(ctx, tx, c.Domains...); err != nil {
			return SsoConnection{}, err
		}
		if err := tx.CreateSSOConnection(ctx, &c); err != nil {
			return SsoConnection{}, connectionTaken(err, c.Name)
		}
		return ssoConnectionOf(c), h.record(ctx, tx, "sso-connection.created", "sso-connection", c.ID, c.Name, nil, recordedConnectionOf(c))
	})
	return CreateSsoConnection201JSONResponse{
		Body: made, Headers: CreateSsoConnection201ResponseHeaders{ETag: etag(made.Version), Location: location("sso/connections", made.Id)},
	}, err
}

// UpdateSsoConnection changes a connection. What was linked and given for one
// issuer counts for no other.
func (h *Handlers) UpdateSsoConnection(ctx context.Context, r UpdateSsoConnectionRequestObject) (UpdateSsoConnectionResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	if err := h.connectionSecretsFit(ctx, *r.Body); err != nil {
		return nil, err
	}
	c, err := h.mine(ctx).SSOConnection(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	body, err := h.withMetadata(ctx, *r.Body, c.Settings.SAML)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		var err error
		if c, err = tx.SSOConnection(ctx, r.Id); err != nil {
			return err
		}
		before, old := recordedConnectionOf(c), c
		if string(r.Body.Kind) != c.Kind {
			return invalid("/kind", "enum", "it stays %s: make another connection instead", c.Kind)
		}
		if err := h.readConnection(ctx, tx, body, &c); err != nil {
			return err
		}
		c.Version = version
		if err := h.keepsRules(ctx, tx, old, c.Enabled, c.Domains); err != nil {
			return err
		}
		if err := h.claim(ctx, tx, c.Domains...); err != nil {
			return err
		}
		if err := tx.SaveSSOConnection(ctx, &c); err != nil {
			return connectionTaken(err, c.Name)
		}
		if !c.SignsOut() || old.Issuer != c.Issuer || old.ClientID != c.ClientID {
			if err := tx.DropSSOHints(ctx, c.ID); err != nil {
				return err
			}
		}
		if isAnother(old, c) {
			if err := tx.DropSSOIdentities(ctx, c.ID); err != nil {
				return err
			}
		}
		if old.Enabled && !c.Enabled {
			if err := h.endCameBy(ctx, tx, c); err != nil {
				return err
			}
		}
		return h.record(ctx, tx, "sso-connection.updated", "sso-connection", c.ID, c.Name, before, recordedConnectionOf(c))
	})
	if err != nil {
		return nil, err
	}
	out, err := h.withOpenSessions(ctx, c)
	return UpdateSsoConnection200JSONResponse{Body: out, Headers: UpdateSsoConnection200ResponseHeaders{ETag: etag(c.Version)}}, err
}

// endCameBy ends what a connection let in that lets nobody in any more.
func (h *Handlers) endCameBy(ctx context.Context, tx *store.Tx, c store.SSOConnection) error {
	n, err := tx.EndSSOSessions(ctx, c.ID)
	if err != nil || n == 0 {
		return err
	}
	return h.record(ctx, tx, "sso-connection.sessions-ended", "sso-connection", c.ID, c.Name, nil, struct {
		Sessions int `json:"sessions"`
	}{n})
}

// DeleteSsoConnection deletes a connection, and ends the sessions of who came by it.
func (h *Handlers) DeleteSsoConnection(ctx context.Context, r DeleteSsoConnectionRequestObject) (DeleteSsoConnectionResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		c, err := tx.SSOConnection(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := h.keepsRules(ctx, tx, c, false, nil); err != nil {
			return err
		}
		if err := tx.DeleteSSOConnection(ctx, c.ID, version); err != nil {
			return err
		}
		if err := h.endCameBy(ctx, tx, c); err != nil {
			return err
		}
		return h.record(ctx, tx, "sso-connection.deleted", "sso-connection", c.ID, c.Name, recordedConnectionOf(c), nil)
	})
	return DeleteSsoConnection204Response{}, err
}

// readConnection writes what was sent into a connection, or returns a problem of a
// field.
func (h *Handlers) readConnection(ctx context.Context, tx *store.Tx, in SsoConnectionInput, c *store.SSOConnection) error {
	c.Name, c.Kind, c.Preset = in.Name, string(in.Kind), cmp.Or(string(deref(in.Preset)), "generic")
	for kind, sent := range map[SsoKind]bool{Ldap: in.Ldap != nil, Saml: in.Saml != nil, Oauth2: in.Oauth2 != nil} {
		if sent && in.Kind != kind {
			return invalid("/"+string(kind), "unknown", "it is for connections of the kind %s: leave it out", kind)
		}
	}
	var err error
	switch in.Kind {
	case Ldap:
		err = readLDAP(in, c)
	case Saml:
		err = h.readSAML(in, c)
	case Oauth2:
		err = h.readOAuth2(in, c)
	case Oidc:
		err = h.readOIDC(in, c)
	}
	if err != nil {
		return err
	}
	if in.Kind != Ldap {
		c.EmailClaim, c.NameClaim, c.GroupsClaim = cmp.Or(deref(in.EmailClaim), "email"), cmp.Or(deref(in.NameClaim), "name"), cmp.Or(deref(in.GroupsClaim), "groups")
	}
	if deref(in.SignOutAtProvider) && in.Kind != Oidc {
		return invalid("/signOutAtProvider", "unknown", "signing out reaches OpenID Connect providers alone: leave it out, or send false")
	}
	c.TrustEmail, c.Enabled, c.Provision = deref(in.TrustEmail), deref(in.Enabled), deref(in.Provision)
	if c.Domains, err = readDomains(deref(in.Domains)); err != nil {
		return err
	}
	if c.Provision && len(c.Domains) == 0 {
		return invalid("/domains", "required", "users are only made for addresses of the connection's domains: name one")
	}
	return h.readConnectionRoles(ctx, tx, in, c)
}

// readOIDC reads how an OpenID Connect provider is asked.
func (h *Handlers) readOIDC(in SsoConnectionInput, c *store.SSOConnection) error {
	issuer, client := strings.TrimSpace(deref(in.Issuer)), strings.TrimSpace(deref(in.ClientId))
	if err := h.sso.CheckIssuer(issuer); err != nil {
		return invalid("/issuer", "format", "%s", err)
	}
	if client == "" && deref(in.Enabled) {
		return invalid("/clientId", "required", "give the client id that the provider knows Gatehouse by, before it is switched on")
	}
	switch {
	case in.ClientSecret != nil:
		c.Secret = secret.NewText(*in.ClientSecret)
	case issuer != c.Issuer:
		c.Secret = secret.Text{}
	}
	c.Issuer, c.ClientID, c.Settings.OIDC = issuer, client, nil
	if deref(in.SignOutAtProvider) {
		c.Settings.OIDC = &store.SSOSettingsOIDC{SignOut: true}
	}
	c.Scopes = slices.DeleteFunc(slices.Clone(deref(in.Scopes)), func(s string) bool { return s == "openid" })
	if in.Scopes == nil {
		c.Scopes = []string{"email", "profile"}
	}
	return nil
}

// isAnother reports whether a connection has come to trust somebody else, for whom
// the subjects that are linked may be other people.
func isAnother(before, now store.SSOConnection) bool {
	if now.Kind == store.LDAP {
		return ldapTellsApartAnew(before.Settings.LDAP, now.Settings.LDAP)
	}
	if before.Issuer != now.Issuer {
		return true
	}
	switch b, n := before.Settings, now.Settings; {
	case b.SAML != nil && n.SAML != nil:
		added := slices.ContainsFunc(n.SAML.Certificates, func(der []byte) bool {
			return !slices.ContainsFunc(b.SAML.Certificates, func(had []byte) bool { return bytes.Equal(had, der) })
		})
		return added || b.SAML.SubjectAttribute != n.SAML.SubjectAttribute
	case b.OAuth2 != nil && n.OAuth2 != nil:
		x, y := b.OAuth2, n.OAuth2
		return x.AuthorizeURL != y.AuthorizeURL || x.TokenURL != y.TokenURL || x.UserURL != y.UserURL || x.Subject != y.Subject
	}
	return false
}

// readConnectionRoles reads the roles, which the caller must be able to give.
func (h *Handlers) readConnectionRoles(ctx context.Context, tx *store.Tx, in SsoConnectionInput, c *store.SSOConnection) error {
	roles, err := rights.Roles(ctx, tx.Org)
	if err != nil {
		return err
	}
	find := func(pointer, name string) (string, error) {
		role, ok := findRole(roles, name)
		if !ok {
			return "", invalid(pointer, "reference", "there is no role %q: see /roles", name)
		}
		if access.ByHandAlone(role.Permissions) {
			return "", invalid(pointer, "reference", "the role %s is given by hand alone, so that no identity provider decides who has it", role.Name)
		}
		return role.ID, h.handsOn(ctx, tx, role.Permissions, access.Scope{}, noEnd)
	}
	c.Roles, c.GroupRoles = []string{}, []store.SSOGroupRole{}
	for i, name := range deref(in.Roles) {
		id, err := find(fmt.Sprintf("/roles/%d", i), name)
		if err != nil {
			return err
		}
		if !slices.Contains(c.Roles, id) {
			c.Roles = append(c.Roles, id)
		}
	}
	for i, g := range deref(in.GroupRoles) {
		id, err := find(fmt.Sprintf("/groupRoles/%d/role", i), g.Role)
		if err != nil {
			return err
		}
		c.GroupRoles = append(c.GroupRoles, store.SSOGroupRole{Group: g.Group, Role: id})
	}
	return nil
}

func connectionTaken(err error, name string) error {
	switch {
	case errors.Is(err, store.ErrDomainTaken):
		return problem.New(problem.CodeConflict, "a domain leads to one connection, and one of these leads to another: take it from there first")
	case errors.Is(err, db.ErrDuplicate):
		return problem.New(problem.CodeConflict, "there is a connection named %s already", name)
	}
	return err
}

// recordedConnection is what the audit trail says of a connection.
type recordedConnection struct {
	Name, Kind, Issuer, ClientID        string
	Secret                              secret.Text
	Scopes, Domains, Roles              []string
	EmailClaim, NameClaim, GroupsClaim  string
	TrustEmail, Enabled, ProvisionUsers bool
	GroupRoles                          []store.SSOGroupRole
	Settings                            store.SSOSettings
}

func recordedConnectionOf(c store.SSOConnection) recordedConnection {
	return recordedConnection{
		c.Name, c.Kind, c.Issuer, c.ClientID, c.Secret, c.Scopes, c.Domains, c.Roles, c.EmailClaim, c.NameClaim, c.GroupsClaim, c.TrustEmail, c.Enabled,
		c.Provision, c.GroupRoles, c.Settings,
	}
}

func ssoConnectionOf(c store.SSOConnection) SsoConnection {
	out := SsoConnection{
		Id: c.ID, Name: c.Name, Kind: SsoKind(c.Kind), Preset: SsoPreset(c.Preset), Issuer: c.Issuer, ClientId: c.ClientID,
		HasSecret: c.Secret.Reveal() != "", SecretReference: ptr(secrets.Reference(c.Secret)), Scopes: notNil(c.Scopes), EmailClaim: c.EmailClaim, NameClaim: c.NameClaim, GroupsClaim: c.GroupsClaim,
		TrustEmail: c.TrustEmail, Enabled: c.Enabled, Domains: notNil(c.Domains), Provision: c.Provision, Roles: notNil(c.Roles),
		GroupRoles: make([]SsoGroupRole, len(c.GroupRoles)), Version: c.Version, CreatedAt: c.CreatedAt.UTC(),
		UnverifiedDomains: without(c.Domains, c.Verified), Ends: ssoEndsOf(c), SignOutAtProvider: c.SignsOut(), Ldap: ldapOf(c.Settings.LDAP), Saml: ssoSAMLOf(c), Oauth2: ssoOAuth2Of(c),
	}
	for i, g := range c.GroupRoles {
		out.GroupRoles[i] = SsoGroupRole{Group: g.Group, Role: g.Role}
	}
	return out
}

func notNil(list []string) []string { return append([]string{}, list...) }
