package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/oauth"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// oauthFields is what people may change of an OAuth2 client.
type oauthFields struct {
	Name                   string   `json:"name"`
	Description            string   `json:"description"`
	Status                 string   `json:"status"`
	AuthMethod             string   `json:"authMethod"`
	GrantTypes             []string `json:"grantTypes"`
	RedirectURIs           []string `json:"redirectUris"`
	PostLogoutRedirectURIs []string `json:"postLogoutRedirectUris"`
	Scopes                 []string `json:"scopes"`
	Audiences              []string `json:"audiences"`
	TokenFormat            string   `json:"tokenFormat"`
	Algorithm              string   `json:"algorithm"`
	AccessTokenSeconds     int64    `json:"accessTokenSeconds"`
	RefreshTokenSeconds    int64    `json:"refreshTokenSeconds"`
	JWKS                   string   `json:"jwks"`
	JWKSURI                string   `json:"jwksUri"`
	AssertionAlgorithm     string   `json:"assertionAlgorithm"`
	DPoPBound              bool     `json:"dpopBound"`
	DPoPNonce              bool     `json:"dpopNonce"`
	BackchannelURI         string   `json:"backchannelLogoutUri"`
	BackchannelSession     bool     `json:"backchannelLogoutSessionRequired"`
	CertificateBound       bool     `json:"certificateBound"`
	CertificateThumbprint  string   `json:"certificateThumbprint"`
	CertificateAuthority   string   `json:"certificateAuthority"`
	CertificateSubject     string   `json:"certificateSubject"`
	SkipConsent            bool     `json:"skipConsent"`
	MayIntrospect          bool     `json:"mayIntrospect"`
}

// newOAuthFields are those of a client that says nothing else: a program that
// calls APIs on its own behalf.
func newOAuthFields() oauthFields {
	return oauthFields{
		Status: store.Active, AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantClient}, RedirectURIs: []string{}, PostLogoutRedirectURIs: []string{},
		Scopes: []string{}, Audiences: []string{}, TokenFormat: oauth.FormatJWT, Algorithm: oauth.EdDSA, AccessTokenSeconds: 600, RefreshTokenSeconds: 30 * 24 * 3600,
	}
}

func oauthFieldsOf(c store.OAuthClient) oauthFields {
	return oauthFields{
		c.Name, c.Description, c.Status, c.AuthMethod, c.GrantTypes, c.RedirectURIs, c.LogoutURIs, c.Scopes, c.Audiences, c.TokenFormat, c.Algorithm,
		c.AccessSeconds, c.RefreshSeconds, c.JWKS, c.JWKSURI, c.AssertionAlgorithm, c.DPoPBound, c.DPoPNonce, c.BackchannelURI, c.BackchannelSession, c.CertificateBound, c.CertificateThumbprint, c.CertificateAuthority, c.CertificateSubject,
		c.SkipConsent, c.MayIntrospect,
	}
}

func (f oauthFields) into(c *store.OAuthClient) {
	c.Name, c.Description, c.Status, c.AuthMethod, c.GrantTypes, c.RedirectURIs, c.LogoutURIs = f.Name, f.Description, f.Status, f.AuthMethod, list(f.GrantTypes), list(f.RedirectURIs), list(f.PostLogoutRedirectURIs)
	c.Scopes, c.Audiences, c.TokenFormat, c.Algorithm = list(f.Scopes), list(f.Audiences), f.TokenFormat, f.Algorithm
	c.AccessSeconds, c.RefreshSeconds, c.JWKS, c.JWKSURI, c.AssertionAlgorithm = f.AccessTokenSeconds, f.RefreshTokenSeconds, f.JWKS, f.JWKSURI, f.AssertionAlgorithm
	c.CertificateBound, c.CertificateThumbprint, c.CertificateAuthority, c.CertificateSubject = f.CertificateBound, f.CertificateThumbprint, f.CertificateAuthority, f.CertificateSubject
	c.DPoPBound, c.DPoPNonce, c.SkipConsent, c.MayIntrospect = f.DPoPBound, f.DPoPNonce, f.SkipConsent, f.MayIntrospect
	c.BackchannelURI, c.BackchannelSession = f.BackchannelURI, f.BackchannelSession
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// check returns a problem for what does not go together. Each field by itself was
// held against the document.
func (f *oauthFields) check(known []store.OAuthScope, server *oauth.Server) error {
	var fields []problem.Field
	add := func(pointer, code, format string, args ...any) {
		fields = append(fields, problem.Field{Pointer: pointer, Code: code, Detail: fmt.Sprintf(format, args...)})
	}
	for pointer, missing := range map[string]bool{
		"/name": strings.TrimSpace(f.Name) == "", "/status": f.Status == "", "/authMethod": f.AuthMethod == "", "/grantTypes": len(f.GrantTypes) == 0,
		"/tokenFormat": f.TokenFormat == "", "/algorithm": f.Algorithm == "", "/accessTokenSeconds": f.AccessTokenSeconds == 0, "/refreshTokenSeconds": f.RefreshTokenSeconds == 0,
	} {
		if missing {
			add(pointer, "required", "the field is missing")
		}
	}
	code := slices.Contains(f.GrantTypes, oauth.GrantCode)
	if f.AuthMethod == oauth.AuthNone && slices.Contains(f.GrantTypes, oauth.GrantClient) {
		add("/grantTypes", "invalid", "a client that cannot prove who it is has no tokens of its own: leave out client_credentials, or choose another authMethod")
	}
	if slices.Contains(f.GrantTypes, oauth.GrantRefresh) && !code && !slices.Contains(f.GrantTypes, oauth.GrantDevice) {
		add("/grantTypes", "invalid", "refresh_token goes with authorization_code or the device grant")
	}
	if f.AuthMethod == oauth.AuthNone && slices.Contains(f.GrantTypes, oauth.GrantExchange) {
		add("/grantTypes", "invalid", "a client that cannot prove who it is acts for nobody: leave out token-exchange, or choose another authMethod")
	}
	if code && len(f.RedirectURIs) == 0 {
		add("/redirectUris", "required", "authorization_code needs an address to go back to")
	}
	for i, u := range f.RedirectURIs {
		if why := oauth.BadRedirect(u); why != "" {
			add(fmt.Sprintf("/redirectUris/%d", i), "format", "%s", why)
		}
	}
	for i, u := range f.PostLogoutRedirectURIs {
		if why := oauth.BadRedirect(u); why != "" {
			add(fmt.Sprintf("/postLogoutRedirectUris/%d", i), "format", "%s", why)
		}
	}
	if f.BackchannelURI == "" {
		f.BackchannelSession = false
	} else if !oauth.WebAddress(f.BackchannelURI) {
		add("/backchannelLogoutUri", "format", "this is not an address with https")
	}
	for i, name := range f.Scopes {
		if name != oauth.Scope && !slices.Contains(oauth.IdentityScopes(), name) && !slices.ContainsFunc(known, func(s store.OAuthScope) bool { return s.Name == name }) {
			add(fmt.Sprintf("/scopes/%d", i), "unknown", "there is no scope %q: make it first", name)
		}
	}
	switch {
	case f.AuthMethod != oauth.AuthPrivateKey:
		f.JWKS, f.JWKSURI, f.AssertionAlgorithm = "", "", ""
	case f.JWKS == "" && f.JWKSURI == "":
		add("/jwks", "required", "private_key_jwt needs the public keys of the client, or jwksUri")
	case f.JWKS != "" && f.JWKSURI != "":
		add("/jwksUri", "invalid", "give the keys, or where they are, and not both")
	case f.JWKSURI != "":
		if !oauth.WebAddress(f.JWKSURI) {
			add("/jwksUri", "format", "this is not an address with https")
		}
	default:
		if _, err := oauth.ParseJWKS(f.JWKS); err != nil {
			add("/jwks", "format", "%s", err)
		}
	}
	if f.AuthMethod == oauth.AuthPrivateKey && f.AssertionAlgorithm == "" {
		add("/assertionAlgorithm", "required", "private_key_jwt needs the algorithm of the assertions, such as ES256")
	}
	f.checkCertificate(server, add)
	f.checkManagement(add)
	if len(fields) == 0 {
		return nil
	}
	slices.SortFunc(fields, func(a, b problem.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return problem.Invalid("the client is not right", fields...)
}

// checkCertificate checks what a client with a certificate says of it, and leaves
// out what its way to authenticate itself has no use for.
func (f *oauthFields) checkCertificate(server *oauth.Server, add func(pointer, code, format string, args ...any)) {
	if server == nil || !server.Certificates() {
		const why = "this installation takes no certificates of clients: set oauth.clientCertificates first"
		if oauth.ByCertificate(f.AuthMethod) {
			add("/authMethod", "invalid", why)
		}
		if f.CertificateBound {
			add("/certificateBound", "invalid", why)
		}
	}
	if f.AuthMethod != oauth.AuthCertificate {
		f.CertificateThumbprint = ""
	} else if sum, err := oauth.ParseThumbprint(f.CertificateThumbprint); err != nil {
		add("/certificateThumbprint", "format", "%s", err)
	} else {
		f.CertificateThumbprint = sum
	}
	if f.AuthMethod != oauth.AuthTLS {
		f.CertificateAuthority, f.CertificateSubject = "", ""
		return
	}
	if _, err := oauth.ParseAuthority(f.CertificateAuthority); err != nil {
		add("/certificateAuthority", "format", "%s", err)
	}
	if name, err := oauth.ParseSubject(f.CertificateSubject); err != nil {
		add("/certificateSubject", "format", "%s", err)
	} else {
		f.CertificateSubject = name
	}
}

func oauthClientOf(c store.OAuthClient) OAuthClient {
	grants := make([]OAuthGrantType, len(c.GrantTypes))
	for i, g := range c.GrantTypes {
		grants[i] = OAuthGrantType(g)
	}
	return OAuthClient{
		Id: c.ID, Name: c.Name, Description: c.Description, Status: ClientStatus(c.Status), AuthMethod: OAuthAuthMethod(c.AuthMethod), GrantTypes: grants,
		RedirectUris: list(c.RedirectURIs), PostLogoutRedirectUris: list(c.LogoutURIs), Scopes: list(c.Scopes), Audiences: list(c.Audiences),
		TokenFormat: OAuthTokenFormat(c.TokenFormat), Algorithm: OAuthAlgorithm(c.Algorithm), AccessTokenSeconds: int(c.AccessSeconds), RefreshTokenSeconds: int(c.RefreshSeconds),
		Jwks: ptr(c.JWKS), JwksUri: ptr(c.JWKSURI), Registration: registrationOf(c), AssertionAlgorithm: ptr(OAuthAssertionAlgorithm(c.AssertionAlgorithm)), DpopBound: c.DPoPBound, DpopNonce: c.DPoPNonce,
		BackchannelLogoutUri: ptr(c.BackchannelURI), BackchannelLogoutSessionRequired: c.BackchannelSession,
		CertificateBound: c.CertificateBound, CertificateThumbprint: ptr(c.CertificateThumbprint), CertificateAuthority: ptr(c.CertificateAuthority),
		CertificateSubject: ptr(c.CertificateSubject), SkipConsent: c.SkipConsent, MayIntrospect: c.MayIntrospect,
		Application: holderOf(c),
		Version:     c.Version, CreatedAt: c.CreatedAt.UTC(), CreatedBy: c.CreatedBy, UpdatedAt: c.UpdatedAt.UTC(),
	}
}

// ListOAuthClients returns a page of OAuth2 clients.
func (h *Handlers) ListOAuthClients(ctx context.Context, r ListOAuthClientsRequestObject) (ListOAuthClientsResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:read", authn.Scope{}); err != nil {
		return nil, err
	}
	page, err := h.mine(ctx).OAuthClients(ctx, deref(r.Params.Q), httpx.Page(r.Params.Cursor, r.Params.Limit, r.Params.Sort))
	out := OAuthClientList{Items: make([]OAuthClient, len(page.Items)), Next: ptr(page.Next)}
	for i, c := range page.Items {
		out.Items[i] = oauthClientOf(c)
	}
	return ListOAuthClients200JSONResponse(out), err
}

// GetOAuthClient returns an OAuth2 client.
func (h *Handlers) GetOAuthClient(ctx context.Context, r GetOAuthClientRequestObject) (GetOAuthClientResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:read", authn.Scope{}); err != nil {
		return nil, err
	}
	c, err := h.mine(ctx).OAuthClient(ctx, r.Id)
	return GetOAuthClient200JSONResponse{Body: oauthClientOf(c), Headers: GetOAuthClient200ResponseHeaders{ETag: etag(c.Version)}}, err
}

func clientTaken(err error, name string) error {
	if errors.Is(err, db.ErrDuplicate) {
		return problem.New(problem.CodeConflict, "there is a client named %s already", name)
	}
	return err
}

// CreateOAuthClient makes an OAuth2 client. Its secret is in this answer only.
func (h *Handlers) CreateOAuthClient(ctx context.Context, r CreateOAuthClientRequestObject) (CreateOAuthClientResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:create", authn.Scope{}); err != nil {
		return nil, err
	}
	if h.opt.OAuth == nil {
		return nil, oauth.Unavailable()
	}
	known, err := h.mine(ctx).OAuthScopes(ctx)
	if err != nil {
		return nil, err
	}
	fields, err := httpx.Merge(ctx, newOAuthFields())
	if err == nil {
		err = fields.check(known, h.opt.OAuth)
	}
	if err != nil {
		return nil, err
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createOAuthClient", r.Body, func(tx *store.Tx) (OAuthClientCreated, error) {
		var c store.OAuthClient
		fields.into(&c)
		if err := tx.CreateOAuthClient(ctx, &c); err != nil {
			return OAuthClientCreated{}, clientTaken(err, c.Name)
		}
		out := OAuthClientCreated{Client: oauthClientOf(c)}
		if oauth.HasSecret(c.AuthMethod) {
			secret, err := addOAuthSecret(ctx, tx, store.OAuthSecret{ClientID: c.ID}, time.Time{})
			if err != nil {
				return out, err
			}
			out.Secret = &secret
		}
		return out, h.record(ctx, tx, "oauth-client.created", "oauth-client", c.ID, c.Name, nil, out.Client)
	})
	return CreateOAuthClient201JSONResponse{
		Body: made, Headers: CreateOAuthClient201ResponseHeaders{ETag: etag(made.Client.Version), Location: location("oauth/clients", made.Client.Id)},
	}, err
}

func addOAuthSecret(ctx context.Context, tx *store.Tx, s store.OAuthSecret, othersEnd time.Time) (OAuthSecretCreated, error) {
	plain, hint := oauth.NewSecret()
	s.Hash, s.Hint = oauth.Hash(plain), hint
	err := tx.AddOAuthSecret(ctx, &s, othersEnd)
	return OAuthSecretCreated{
		Id: s.ID, Name: s.Name, Hint: hint, ExpiresAt: utc(s.ExpiresAt), CreatedAt: s.CreatedAt.UTC(), CreatedBy: s.CreatedBy, Secret: plain,
	}, err
}

// UpdateOAuthClient changes, disables or enables an OAuth2 client.
func (h *Handlers) UpdateOAuthClient(ctx context.Context, r UpdateOAuthClientRequestObject) (UpdateOAuthClientResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var c store.OAuthClient
	err = h.change(ctx, func(tx *store.Tx) error {
		var err error
		if c, err = tx.OAuthClient(ctx, r.Id); err != nil {
			return err
		}
		known, err := tx.OAuthScopes(ctx)
		if err != nil {
			return err
		}
		before := oauthClientOf(c)
		fields, err := httpx.Merge(ctx, oauthFieldsOf(c))
		if err == nil {
			err = fields.keepsTo(c)
		}
		if err == nil && c.ApplicationID == "" {
			err = fields.check(known, h.opt.OAuth)
		}
		if err == nil && fields.SkipConsent && c.RegistrationHash != "" {
			err = problem.Invalid("the client is not right", problem.Field{
				Pointer: "/skipConsent", Code: "invalid", Detail: "people are always asked about a client that registered itself: make a client of your own for an application that they need not be asked about",
			})
		}
		if err == nil && slices.Contains(fields.Scopes, oauth.Scope) && c.RegistrationHash != "" {
			err = problem.Invalid("the client is not right", problem.Field{
				Pointer: "/scopes", Code: "invalid", Detail: "a client that registered itself acts as nobody: make a client of your own for " + oauth.Scope,
			})
		}
		if err != nil {
			return err
		}
		was := c
		fields.into(&c)
		if err := oauth.Limit(was, &c); err != nil {
			return err
		}
		c.Version = version
		if err := tx.SaveOAuthClient(ctx, &c); err != nil {
			return clientTaken(err, c.Name)
		}
		// People let it act as them at the addresses that they were shown: at another one
		// they are asked again.
		if c.MayAct() && slices.ContainsFunc(c.RedirectURIs, func(u string) bool { return !slices.Contains(was.RedirectURIs, u) }) {
			if err := tx.ForgetOAuthConsents(ctx, c.ID); err != nil {
				return err
			}
		}
		action := "oauth-client.updated"
		if c.Status != string(before.Status) {
			action = map[string]string{store.Active: "oauth-client.enabled", store.Disabled: "oauth-client.disabled"}[c.Status]
		}
		return h.record(ctx, tx, action, "oauth-client", c.ID, c.Name, before, oauthClientOf(c))
	})
	h.forgetClient(r.Id)
	return UpdateOAuthClient200JSONResponse{Body: oauthClientOf(c), Headers: UpdateOAuthClient200ResponseHeaders{ETag: etag(c.Version)}}, err
}

// forgetClient has the authorization server read a client anew.
func (h *Handlers) forgetClient(id string) {
	if h.opt.OAuth != nil {
		h.opt.OAuth.Forget(id)
	}
}

// DeleteOAuthClient deletes an OAuth2 client with all that it has.
func (h *Handlers) DeleteOAuthClient(ctx context.Context, r DeleteOAuthClientRequestObject) (DeleteOAuthClientResponseObject, error) {
	if err := authn.Require(ctx, "oauth-client:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		c, err := tx.OAuthClient(ctx, r.Id)
		if err == nil {
			err = notOfApplication(c)
		}
		if err != nil {
			return err
		}
		if err := tx.DeleteOAuthClient(ctx, c.ID, version); err != nil {
			return err
		}
		return h.record(ctx, tx, "oauth-client.deleted", "oauth-client", c.ID, c.Name, oauthClientOf(c), nil)
	})
	h.forgetClient(r.Id)
	return DeleteOAuthClient204Response{}, err
}
