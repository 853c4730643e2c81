package tenantmanager_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// The callbacks of the apps, as the configuration of a world has their addresses.
const (
	adminBack  = "http://apim-admin.test/bff/oidc/callback"
	tenantBack = "http://console.test/bff/oidc/callback"
	portalBack = "http://portal.test/bff/oidc/callback"
)

// atApp is an app of the product, which signs people in by the authorization server of
// whatever organization they are of.
func (a *authority) atApp(t testing.TB, name, callback string) *relying {
	t.Helper()
	m := made{id: "gatehouse-" + name}
	app := a.app(t, m, "openid", "profile", "email", "gatehouse")
	app.config.RedirectURL = callback
	app.config.Endpoint.AuthURL = a.url + "/oauth/-/authorize"
	app.config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	return app
}

// begin returns the address that an app sends a browser to, and the verifier of the code.
func (a *relying) begin(more ...string) (address, proof string) {
	proof = oauth2.GenerateVerifier()
	opts := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(proof), oidc.Nonce("n-1")}
	for i := 0; i < len(more); i += 2 {
		opts = append(opts, oauth2.SetAuthURLParam(more[i], more[i+1]))
	}
	return a.config.AuthCodeURL("state-of-the-app", opts...), proof
}

// token returns the access token that whoever has the session gives an app.
func (a *relying) token(t testing.TB, session string) *oauth2.Token {
	t.Helper()
	address, proof := a.begin()
	to := a.visit(t, session, address)
	require.NotEmpty(t, to.Query().Get("code"), to.String())
	token, err := a.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	return token
}

func (a *relying) swap(t testing.TB, token string) answer {
	t.Helper()
	return a.call(t, "", "POST", "/sign-in/token", `{"accessToken":"`+token+`"}`)
}

// enter returns the answer with the session at an app, by that of whoever is signed in.
func (a *relying) enter(t testing.TB, session string) answer {
	t.Helper()
	res := a.swap(t, a.token(t, session).AccessToken)
	require.Equal(t, 200, res.status, res.body)
	return res
}

// One sign-in serves all apps: the whole flow, by a client that keeps to the standards.
func TestOneSignIn(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	ctx := t.Context()
	admin, portal := a.atApp(t, "admin", adminBack), a.atApp(t, "portal", portalBack)
	provider, err := oidc.NewProvider(ctx, a.issuer)
	require.NoError(t, err)
	verifier := provider.VerifierContext(ctx, &oidc.Config{ClientID: "gatehouse-admin", SupportedSigningAlgs: []string{"EdDSA"}})

	// Nobody is signed in: the request waits at the auth console for whoever signs in there.
	address, proof := admin.begin("login_hint", "ada@example.com")
	page := admin.visit(t, "", address)
	require.Equal(t, "/consent", page.Path, page.String())
	require.Equal(t, "gatehouse-admin", page.Query().Get("client"))
	require.Equal(t, "ada@example.com", page.Query().Get("login_hint"))
	asked := a.call(t, a.owner, "GET", "/oauth/authorizations/by-token/"+page.Query().Get("request"), "")
	require.Equal(t, 200, asked.status, asked.body)
	for _, piece := range []string{`"automatic":true`, `"signInAgain":false`, `"name":"Admin console"`, `"host":"apim-admin.test"`} {
		require.Contains(t, asked.body, piece)
	}
	to := admin.decide(t, a.owner, page, "true")
	require.Equal(t, adminBack, to.Scheme+"://"+to.Host+to.Path)
	require.Equal(t, "state-of-the-app", to.Query().Get("state"))
	require.Equal(t, a.issuer, to.Query().Get("iss"), "that of the organization of who signed in (RFC 9207)")

	// The code is redeemed at the organization's own authorization server.
	token, err := admin.config.Exchange(ctx, to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	require.Empty(t, token.RefreshToken)
	require.LessOrEqual(t, time.Until(token.Expiry), 61*time.Second)
	raw, _ := token.Extra("id_token").(string)
	id, err := verifier.Verify(ctx, raw)
	require.NoError(t, err)
	require.Equal(t, "n-1", id.Nonce)
	var said struct {
		SID      string   `json:"sid"`
		AMR      []string `json:"amr"`
		AuthTime int64    `json:"auth_time"`
		Email    string   `json:"email"`
	}
	require.NoError(t, id.Claims(&said))
	require.Equal(t, "ada@example.com", said.Email)

	// The access token is swapped for a session, once.
	in := admin.swap(t, token.AccessToken)
	require.Equal(t, 200, in.status, in.body)
	again := admin.swap(t, token.AccessToken)
	require.Equal(t, 401, again.status, again.body)
	require.Contains(t, again.body, "credential-invalid")
	require.Equal(t, 200, a.call(t, in.text(t, "accessToken"), "GET", "/me", "").status)
	require.Contains(t, a.call(t, in.text(t, "accessToken"), "GET", "/me", "").body, `"email":"ada@example.com"`)

	// It is of the sign-in that it came of, and the list of sessions says so.
	mine := a.call(t, in.text(t, "accessToken"), "GET", "/me/sessions", "")
	require.Contains(t, mine.body, `"client":{"id":"gatehouse-admin","name":"Admin console"}`)
	require.Contains(t, mine.body, `"parent":"`+said.SID+`"`)
	a.recordedAs(t, a.owner, "user.signed-in", `"after":"\"gatehouse-admin\"","field":"/client"`)

	// Another app has nothing to ask, even silently.
	address, _ = portal.begin("prompt", "none")
	require.NotEmpty(t, portal.visit(t, a.owner, address).Query().Get("code"))
	there := portal.enter(t, a.owner)
	require.NotEqual(t, in.text(t, "session"), there.text(t, "session"))
	// The session goes on by its own refresh tokens.
	a.clock.Advance(10 * time.Minute)
	next := a.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+there.text(t, "refreshToken")+`"}`)
	require.Equal(t, 200, next.status, next.body)

	// Signing out at one of them is signing out of all.
	require.Equal(t, 204, a.call(t, next.text(t, "accessToken"), "POST", "/sign-out", "").status)
	for _, session := range []string{a.owner, in.text(t, "accessToken"), next.text(t, "accessToken")} {
		require.Equal(t, 401, a.call(t, session, "GET", "/me", "").status)
	}
	address, _ = portal.begin("prompt", "none")
	require.Equal(t, "login_required", portal.visit(t, a.owner, address).Query().Get("error"))
}

// What an attacker's page, a link or another app could make of it.
func TestOneSignInGivesNothingAway(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, func(c *tenantmanager.Config) { c.OAuth.Origins.Admin = []string{"http://127.0.0.1:8080"} })
	admin := a.atApp(t, "admin", adminBack)
	for name, more := range map[string][]string{
		"another origin": {"redirect_uri", "http://evil.test/bff/oidc/callback"}, "another app's": {"redirect_uri", portalBack},
		"another path": {"redirect_uri", adminBack + "/x"}, "a query": {"redirect_uri", adminBack + "?x=1"}, "none": {"redirect_uri", ""},
		"a port": {"redirect_uri", "http://apim-admin.test:81/bff/oidc/callback"}, "in capitals": {"redirect_uri", "http://APIM-ADMIN.test/bff/oidc/callback"},
		"another port of this machine":        {"redirect_uri", "http://127.0.0.1:9999/bff/oidc/callback"},
		"that, and a scope that there is not": {"redirect_uri", "http://127.0.0.1:9999/bff/oidc/callback", "scope", "nothing"},
		"that, and nobody may be asked":       {"redirect_uri", "http://127.0.0.1:9999/bff/oidc/callback", "prompt", "none"},
		"no app":                              {"client_id", "gatehouse-gateway"}, "nobody": {"client_id", ""}, "a pushed request": {"request_uri", "urn:ietf:params:oauth:request_uri:x"},
		"a request object": {"request", "e30.e30."}, "no such organization": {"organization", "nowhere"}, "the neutral one": {"organization", "-"},
	} {
		for _, session := range []string{"", a.owner} {
			address, _ := admin.begin(more...)
			to := admin.visit(t, session, address)
			require.Equal(t, "/error", to.Path, "%s: %s", name, to)
			require.Equal(t, a.url, to.Scheme+"://"+to.Host, name)
		}
	}
	for name, c := range map[string]struct {
		more []string
		want string
	}{
		"nobody": {[]string{"prompt", "none"}, "login_required"}, "another scope": {[]string{"scope", "openid orders:read"}, "invalid_scope"},
		"refresh tokens": {[]string{"scope", "openid offline_access"}, "invalid_scope"},
		"no challenge":   {[]string{"code_challenge", ""}, "invalid_request"}, "a token at once": {[]string{"response_type", "token"}, "unsupported_response_type"},
		"another audience": {[]string{"audience", "https://orders.example"}, "invalid_request"},
	} {
		address, _ := admin.begin(c.more...)
		to := admin.visit(t, "", address)
		require.Equal(t, c.want, to.Query().Get("error"), "%s: %s", name, to)
		require.Equal(t, a.url+"/oauth/-", to.Query().Get("iss"), name)
		require.Equal(t, "apim-admin.test", to.Host, name)
	}
	// The neutral address is for browsers that are sent there, and nothing else.
	for _, path := range []string{"/token", "/jwks", "/.well-known/openid-configuration", "/register", "/par"} {
		res, err := a.client.Get(a.url + "/oauth/-" + path)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 404, res.StatusCode, path)
	}

	plain, _ := admin.begin("code_challenge_method", "plain")
	require.Equal(t, "invalid_request", admin.visit(t, a.owner, plain).Query().Get("error"))

	// A code is good with its verifier alone, and once.
	address, proof := admin.begin()
	to := admin.visit(t, a.owner, address)
	_, err := admin.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier()))
	require.ErrorContains(t, err, "invalid_grant")
	_, err = admin.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.ErrorContains(t, err, "invalid_grant")
	// It is no other app's, and not good at another organization's.
	portal := a.atApp(t, "portal", portalBack)
	address, proof = admin.begin()
	to = admin.visit(t, a.owner, address)
	_, err = portal.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.ErrorContains(t, err, "invalid_grant")
	a.organization(t, "globex", "eve@globex.example")
	elsewhere := *admin
	elsewhere.config.Endpoint.TokenURL = a.url + "/oauth/globex/token"
	_, err = elsewhere.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.ErrorContains(t, err, "invalid_grant")
	// A code that comes again takes what it gave with it.
	address, proof = admin.begin()
	to = admin.visit(t, a.owner, address)
	token, err := admin.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	_, err = admin.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.ErrorContains(t, err, "invalid_grant")
	require.Equal(t, 401, admin.swap(t, token.AccessToken).status)

	// The same link for somebody of another organization is theirs, by their own issuer.
	address, proof = admin.begin()
	page := admin.visit(t, "", address)
	eve := a.signIn(t, "eve@globex.example", "globex")
	to = admin.decide(t, eve, page, "true")
	require.Equal(t, a.url+"/oauth/globex", to.Query().Get("iss"))
	_, err = admin.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.ErrorContains(t, err, "invalid_grant", "not at the issuer of another")
	address, _ = admin.begin("organization", "globex")
	page = admin.visit(t, a.owner, address)
	require.Equal(t, "/consent", page.Path, "the owner is nobody there")
	require.Equal(t, 404, a.call(t, a.owner, "GET", "/oauth/authorizations/by-token/"+page.Query().Get("request"), "").status)
	address, _ = admin.begin("organization", "globex", "prompt", "none")
	require.Equal(t, "login_required", admin.visit(t, a.owner, address).Query().Get("error"))
	require.NotEmpty(t, admin.visit(t, eve, address).Query().Get("code"))

	// Whoever signed in too long ago, or is to, does so anew.
	anew := func(more ...string) *url.URL {
		address, _ := admin.begin(more...)
		page := admin.visit(t, a.owner, address)
		require.Equal(t, "/consent", page.Path)
		asked := a.call(t, a.owner, "GET", "/oauth/authorizations/by-token/"+page.Query().Get("request"), "")
		require.Contains(t, asked.body, `"signInAgain":true`)
		require.Equal(t, 409, a.call(t, a.owner, "POST", "/oauth/authorizations/by-token/"+page.Query().Get("request"), `{"allow":true}`).status)
		return page
	}
	page = anew("prompt", "login")
	a.clock.Advance(2 * time.Second)
	require.NotEmpty(t, admin.decide(t, a.signIn(t, "ada@example.com", "default"), page, "true").Query().Get("code"))
	a.clock.Advance(2 * time.Minute)
	anew("max_age", "60")
	address, _ = admin.begin("max_age", "60", "prompt", "none")
	require.Equal(t, "login_required", admin.visit(t, a.owner, address).Query().Get("error"))
}
