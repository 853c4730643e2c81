package tenantmanager_test

import (
	"crypto/ed25519"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

const back = "http://localhost:9999/callback"

// app is an application that signs people in.
type relying struct {
	*authority
	made
	config oauth2.Config
}

func (a *authority) app(t testing.TB, m made, scopes ...string) *relying {
	t.Helper()
	return &relying{a, m, oauth2.Config{
		ClientID: m.id, ClientSecret: m.secret, RedirectURL: back, Scopes: scopes,
		Endpoint: oauth2.Endpoint{AuthURL: a.issuer + "/authorize", TokenURL: a.issuer + "/token"},
	}}
}

// visit opens an address of the authorization server, as the browser of whoever
// has the token, and returns where it leads.
func (a *relying) visit(t testing.TB, token, address string) *url.URL {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", address, http.NoBody)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := a.client.Transport.RoundTrip(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 303, res.StatusCode)
	to, err := res.Location()
	require.NoError(t, err)
	return to
}

// decide answers the consent page and returns where the browser goes.
func (a *relying) decide(t testing.TB, token string, page *url.URL, allow string) *url.URL {
	t.Helper()
	require.Equal(t, "/consent", page.Path, page.String())
	res := a.call(t, token, "POST", "/oauth/authorizations/by-token/"+page.Query().Get("request"), `{"allow":`+allow+`}`)
	require.Equal(t, 200, res.status, res.body)
	to, err := url.Parse(res.text(t, "redirectTo"))
	require.NoError(t, err)
	return to
}

func TestAuthorizationCode(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	ctx := t.Context()
	a.scopes(t, "orders:read")
	m := a.made(t, `{"name":"Shop","description":"Sells things","grantTypes":["authorization_code","refresh_token"],"redirectUris":["`+back+`"],
		"postLogoutRedirectUris":["http://localhost:9999/bye"],"scopes":["openid","profile","email","offline_access","orders:read"]}`)
	shop := a.app(t, m, "openid", "profile", "email", "offline_access", "orders:read")
	provider, err := oidc.NewProvider(ctx, a.issuer)
	require.NoError(t, err)
	verifier := provider.VerifierContext(ctx, &oidc.Config{ClientID: m.id, SupportedSigningAlgs: []string{"EdDSA"}})
	proof := oauth2.GenerateVerifier()
	address := func(more ...oauth2.AuthCodeOption) string {
		return shop.config.AuthCodeURL("xyz", append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(proof), oidc.Nonce("n-1")}, more...)...)
	}

	// Nobody is signed in, or has allowed it: the page asks.
	page := shop.visit(t, "", address())
	require.Equal(t, "/consent", page.Path)
	page = shop.visit(t, a.owner, address())
	asked := a.call(t, a.owner, "GET", "/oauth/authorizations/by-token/"+page.Query().Get("request"), "")
	require.Equal(t, 200, asked.status, asked.body)
	for _, piece := range []string{`"name":"Shop"`, "Sells things", `"host":"localhost:9999"`, `"title":"See orders:read"`, `"new":true`, `"signInAgain":false`} {
		require.Contains(t, asked.body, piece)
	}
	require.Equal(t, 401, a.call(t, "", "GET", "/oauth/authorizations/by-token/"+page.Query().Get("request"), "").status)
	to := shop.decide(t, a.owner, page, "true")
	require.Equal(t, "xyz", to.Query().Get("state"))
	require.Equal(t, a.issuer, to.Query().Get("iss"), "RFC 9207")
	require.True(t, strings.HasPrefix(to.String(), back+"?"))
	require.Equal(t, 404, a.call(t, a.owner, "POST", "/oauth/authorizations/by-token/"+page.Query().Get("request"), `{"allow":true}`).status, "once")

	code := to.Query().Get("code")
	token, err := shop.config.Exchange(ctx, code, oauth2.VerifierOption(proof))
	require.NoError(t, err)
	raw, _ := token.Extra("id_token").(string)
	id, err := verifier.Verify(ctx, raw)
	require.NoError(t, err)
	require.Equal(t, "n-1", id.Nonce)
	require.NoError(t, id.VerifyAccessToken(token.AccessToken))
	var claims struct {
		Name     string   `json:"name"`
		Email    string   `json:"email"`
		AuthTime int64    `json:"auth_time"`
		AMR      []string `json:"amr"`
	}
	require.NoError(t, id.Claims(&claims))
	require.Equal(t, "Ada", claims.Name)
	require.Equal(t, "ada@example.com", claims.Email)
	require.InDelta(t, time.Now().Unix(), claims.AuthTime, 60)
	require.NotEmpty(t, claims.AMR)
	about, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	require.NoError(t, err)
	require.Equal(t, id.Subject, about.Subject)
	require.Equal(t, "ada@example.com", about.Email)

	// It is remembered: the next time nobody is asked.
	to = shop.visit(t, a.owner, address())
	require.NotEmpty(t, to.Query().Get("code"), to.String())
	// A code that comes again ends what came of it (RFC 6749 section 4.1.2).
	_, err = shop.config.Exchange(ctx, code, oauth2.VerifierOption(proof))
	require.ErrorContains(t, err, "invalid_grant")
	_, body, _ := a.form(t, "introspect", m, url.Values{"token": {token.AccessToken}})
	require.Equal(t, map[string]any{"active": false}, body)

	// A wrong verifier, and another address to go back to.
	_, err = shop.config.Exchange(ctx, to.Query().Get("code"), oauth2.VerifierOption(oauth2.GenerateVerifier()))
	require.ErrorContains(t, err, "invalid_grant")
	_, err = shop.config.Exchange(ctx, to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.ErrorContains(t, err, "invalid_grant", "one attempt")

	// What the parameters say.
	require.Equal(t, "login_required", shop.visit(t, "", address(oauth2.SetAuthURLParam("prompt", "none"))).Query().Get("error"))
	require.NotEmpty(t, shop.visit(t, a.owner, address(oauth2.SetAuthURLParam("prompt", "none"))).Query().Get("code"))
	require.Equal(t, "/consent", shop.visit(t, a.owner, address(oauth2.SetAuthURLParam("prompt", "consent"))).Path)
	page = shop.visit(t, a.owner, address(oauth2.SetAuthURLParam("prompt", "login")))
	require.Equal(t, "/consent", page.Path)
	asked = a.call(t, a.owner, "GET", "/oauth/authorizations/by-token/"+page.Query().Get("request"), "")
	require.Contains(t, asked.body, `"signInAgain":true`)
	require.Equal(t, 409, a.call(t, a.owner, "POST", "/oauth/authorizations/by-token/"+page.Query().Get("request"), `{"allow":true}`).status)
	a.clock.Advance(2 * time.Second)
	anew := a.signIn(t, "ada@example.com", "default")
	to = shop.decide(t, anew, page, "true")
	token, err = shop.config.Exchange(ctx, to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	raw, _ = token.Extra("id_token").(string)
	a.clock.Advance(time.Minute)
	require.Equal(t, "/consent", shop.visit(t, a.owner, address(oauth2.SetAuthURLParam("max_age", "10"))).Path)
	require.NotEmpty(t, shop.visit(t, a.owner, address(oauth2.SetAuthURLParam("max_age", "600"))).Query().Get("code"))

	// Not allowed, and what goes back to nobody.
	page = shop.visit(t, a.owner, address(oauth2.SetAuthURLParam("prompt", "consent")))
	to = shop.decide(t, a.owner, page, "false")
	require.Equal(t, "access_denied", to.Query().Get("error"))
	require.Equal(t, a.issuer, to.Query().Get("iss"))
	for name, bad := range map[string]oauth2.AuthCodeOption{
		"another address": oauth2.SetAuthURLParam("redirect_uri", back+"/x"), "a longer one": oauth2.SetAuthURLParam("redirect_uri", back+"?x=1"),
		"nobody": oauth2.SetAuthURLParam("client_id", "nobody"), "a request object": oauth2.SetAuthURLParam("request", "x"),
	} {
		to := shop.visit(t, a.owner, address(bad))
		require.Equal(t, "/error", to.Path, name)
		require.NotEmpty(t, to.Query().Get("request_id"), name)
		require.Len(t, to.Query(), 2, "%s: what is more than a code is in the log", name)
	}
	for name, c := range map[string]struct{ key, value, want string }{
		"no challenge": {"code_challenge", "", "invalid_request"}, "plain": {"code_challenge_method", "plain", "invalid_request"},
		"another scope": {"scope", "openid orders:write", "invalid_scope"}, "a token at once": {"response_type", "token", "unsupported_response_type"},
	} {
		to := shop.visit(t, a.owner, address(oauth2.SetAuthURLParam(c.key, c.value)))
		require.Equal(t, c.want, to.Query().Get("error"), "%s: %s", name, to)
		require.Equal(t, a.issuer, to.Query().Get("iss"), name)
	}

	// Signing out at the client ends the session that it came of.
	to = shop.visit(t, "", a.issuer+"/logout?"+url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": {"http://localhost:9999/bye"}, "state": {"s"}}.Encode())
	require.Equal(t, "http://localhost:9999/bye?state=s", to.String())
	require.Equal(t, 401, a.call(t, anew, "GET", "/me", "").status)
	require.Equal(t, 200, a.call(t, a.owner, "GET", "/me", "").status, "another session goes on")
	require.Equal(t, "/error", shop.visit(t, "", a.issuer+"/logout?"+url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": {"http://evil.example"}}.Encode()).Path)
	require.Equal(t, "/signed-out", shop.visit(t, "", a.issuer+"/logout").Path)

	// An ID token that has run out still says who it is; two values of a parameter, and a
	// client that is not the token's, are refused.
	a.clock.Advance(25 * time.Hour)
	logout := func(q url.Values) *url.URL { return shop.visit(t, "", a.issuer+"/logout?"+q.Encode()) }
	const bye = "http://localhost:9999/bye"
	require.Equal(t, bye, logout(url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": {bye}}).String())
	require.Equal(t, "/error", logout(url.Values{"id_token_hint": {raw, raw}}).Path)
	require.Equal(t, "/error", logout(url.Values{"id_token_hint": {raw}, "client_id": {"another"}}).Path)
	require.Equal(t, "/error", logout(url.Values{"id_token_hint": {"x.y.z"}}).Path)

	// Without one the user is asked, and the page then leads back to where the client has
	// registered, as it stands.
	to = logout(url.Values{"client_id": {m.id}, "post_logout_redirect_uri": {bye}, "state": {"s"}})
	require.Equal(t, "/signed-out", to.Path)
	require.Equal(t, url.Values{"ask": {"1"}, "organization": {"default"}, "client_id": {m.id}, "post_logout_redirect_uri": {bye}, "state": {"s"}}, to.Query())
	require.Equal(t, bye+"?state=s", logout(url.Values{"client_id": {m.id}, "post_logout_redirect_uri": {bye}, "state": {"s"}, "confirmed": {"1"}}).String())
	for _, q := range []url.Values{
		{"post_logout_redirect_uri": {bye}},
		{"client_id": {"nobody"}, "post_logout_redirect_uri": {bye}},
		{"client_id": {m.id}, "post_logout_redirect_uri": {bye + "/"}},
		{"client_id": {m.id}, "post_logout_redirect_uri": {bye + "?x=1"}},
	} {
		require.Equal(t, "/error", logout(q).Path, q)
		q.Set("confirmed", "1")
		require.Equal(t, "/error", logout(q).Path, q)
	}
	// A token of a key that is not kept any more is as good as none.
	unknown := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"iss": a.issuer, "aud": m.id})
	unknown.Header["kid"] = "long-gone"
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	old, err := unknown.SignedString(key)
	require.NoError(t, err)
	to = logout(url.Values{"id_token_hint": {old}, "client_id": {m.id}, "post_logout_redirect_uri": {bye}})
	require.Equal(t, "/signed-out", to.Path)
	require.Equal(t, "1", to.Query().Get("ask"))
}

// A refresh token is good for one use; one that comes again ends the family.
func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Phone","authMethod":"none","grantTypes":["authorization_code","refresh_token"],"redirectUris":["`+back+`"],"scopes":["openid","offline_access"],"tokenFormat":"opaque"}`)
	shop := a.app(t, m, "openid", "offline_access")
	begin := func() *oauth2.Token {
		proof := oauth2.GenerateVerifier()
		to := shop.visit(t, a.owner, shop.config.AuthCodeURL("", oauth2.S256ChallengeOption(proof)))
		if to.Path == "/consent" {
			to = shop.decide(t, a.owner, to, "true")
		}
		token, err := shop.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
		require.NoError(t, err)
		return token
	}
	refresh := func(token string) (int, map[string]any) {
		status, body, _ := a.form(t, "token", made{}, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {m.id}})
		return status, body
	}
	first := begin()
	status, second := refresh(first.RefreshToken)
	require.Equal(t, 200, status, second)
	require.NotEqual(t, first.RefreshToken, second["refresh_token"])
	require.NotEmpty(t, second["id_token"])
	status, body := refresh(first.RefreshToken)
	require.Equal(t, 400, status)
	require.Equal(t, "invalid_grant", body["error"])
	status, body = refresh(second["refresh_token"].(string))
	require.Equal(t, 400, status, "the family has ended: %v", body)
	gateway := a.made(t, `{"name":"Gateway","mayIntrospect":true}`)
	_, body, _ = a.form(t, "introspect", gateway, url.Values{"token": {second["access_token"].(string)}})
	require.Equal(t, map[string]any{"active": false}, body, "and so have its access tokens")

	// Two at the same time: one gets it at most, and whatever it got is good for
	// nothing any more.
	for range 20 {
		third := begin()
		type told struct {
			status int
			body   map[string]any
		}
		answers := make(chan told, 2)
		for range 2 {
			go func() { status, body := refresh(third.RefreshToken); answers <- told{status, body} }()
		}
		one, two := <-answers, <-answers
		require.Contains(t, []int{one.status, two.status}, 400)
		for _, got := range []told{one, two} {
			if got.status != 200 {
				continue
			}
			status, body = refresh(got.body["refresh_token"].(string))
			require.Equal(t, 400, status, body)
			_, body, _ = a.form(t, "introspect", gateway, url.Values{"token": {got.body["access_token"].(string)}})
			require.Equal(t, map[string]any{"active": false}, body)
		}
	}

	// The user takes it back, under Me.
	fourth := begin()
	mine := a.call(t, a.owner, "GET", "/me/consents", "")
	require.Contains(t, mine.body, `"name":"Phone"`)
	require.Equal(t, 204, a.call(t, a.owner, "DELETE", "/me/consents/"+mine.text(t, "items/0/id"), "").status)
	a.recordedAs(t, a.owner, "oauth-consent.given", m.id)
	a.recordedAs(t, a.owner, "oauth-consent.revoked", m.id)
	status, body = refresh(fourth.RefreshToken)
	require.Equal(t, 400, status, body)
	proof := oauth2.GenerateVerifier()
	require.Equal(t, "/consent", shop.visit(t, a.owner, shop.config.AuthCodeURL("", oauth2.S256ChallengeOption(proof))).Path, "it is asked again")

	// A user who is disabled gets nothing any more.
	eve := a.invite(t, a.owner, "eve@example.com", `{"role":"viewer"}`)
	page := shop.visit(t, eve.text(t, "accessToken"), shop.config.AuthCodeURL("", oauth2.S256ChallengeOption(proof)))
	to := shop.decide(t, eve.text(t, "accessToken"), page, "true")
	hers, err := shop.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	require.Equal(t, 200, a.call(t, a.owner, "PATCH", "/users/"+eve.text(t, "user/id"), `{"status":"disabled"}`, anyVersion...).status)
	status, body = refresh(hers.RefreshToken)
	require.Equal(t, 400, status, body)
	_, body, _ = a.form(t, "introspect", gateway, url.Values{"token": {hers.AccessToken}})
	require.Equal(t, map[string]any{"active": false}, body)
	// An administrator takes it back.
	theirs := a.call(t, a.owner, "GET", "/oauth/consents", "")
	require.Equal(t, 204, a.call(t, a.owner, "DELETE", "/oauth/consents/"+theirs.text(t, "items/0/id"), "").status)
	a.recordedAs(t, a.owner, "oauth-consent.revoked", eve.text(t, "user/id"))
}

// A request that was pushed ahead (RFC 9126).
func TestPushedRequests(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Shop","grantTypes":["authorization_code"],"redirectUris":["`+back+`"],"scopes":["openid"],"skipConsent":true}`)
	shop := a.app(t, m, "openid")
	proof := oauth2.GenerateVerifier()
	form := url.Values{
		"client_id": {m.id}, "response_type": {"code"}, "redirect_uri": {back}, "scope": {"openid"}, "state": {"s"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(proof)}, "code_challenge_method": {"S256"},
	}
	status, body, _ := a.form(t, "par", m, form)
	require.Equal(t, 201, status, body)
	uri := body["request_uri"].(string)
	to := shop.visit(t, a.owner, a.issuer+"/authorize?"+url.Values{"client_id": {m.id}, "request_uri": {uri}}.Encode())
	require.Equal(t, "s", to.Query().Get("state"), to.String())
	token, err := shop.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	require.NotEmpty(t, token.Extra("id_token"))
	to = shop.visit(t, a.owner, a.issuer+"/authorize?"+url.Values{"client_id": {m.id}, "request_uri": {uri}}.Encode())
	require.Equal(t, "/error", to.Path, "once")
	status, body, _ = a.form(t, "par", made{m.id, "wrong"}, form)
	require.Equal(t, 401, status, body)
}

// Another program on the same machine can name the client of an app and listen where
// it does: what was allowed before is asked again there (RFC 8252 section 8.6).
func TestAppsOnAMachineAskEachTime(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	for redirect, again := range map[string]bool{
		"http://127.0.0.1:8400/cb": true, "com.example.phone:/cb": true, "https://spa.example/cb": false,
	} {
		m := a.made(t, `{"name":"`+redirect+`","authMethod":"none","grantTypes":["authorization_code"],"scopes":["openid"],"redirectUris":["`+redirect+`"]}`)
		app := a.app(t, m, "openid")
		app.config.RedirectURL = redirect
		address := app.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
		require.NotEmpty(t, app.decide(t, a.owner, app.visit(t, a.owner, address), "true").Query().Get("code"), redirect)
		require.Equal(t, again, app.visit(t, a.owner, address).Path == "/consent", redirect)
		silent := app.visit(t, a.owner, address+"&prompt=none")
		require.Equal(t, again, silent.Query().Get("error") == "consent_required", "%s: %s", redirect, silent)
	}
}

// What nobody has signed in for yet is kept, so it is small, and there is not much
// of it for an address.
func TestRequestsThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Shop","authMethod":"none","grantTypes":["authorization_code","`+deviceGrant+`"],"scopes":["openid"],"redirectUris":["`+back+`"]}`)
	shop := a.app(t, m, "openid")
	address := shop.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	large := shop.visit(t, "", address+"&nonce="+strings.Repeat("n", 9000))
	require.Equal(t, "invalid_request", large.Query().Get("error"), large.Path)
	require.Contains(t, large.Query().Get("error_description"), "bytes")
	for _, endpoint := range []string{"par", "device_authorization"} {
		status, body, _ := a.form(t, endpoint, m, url.Values{"client_id": {m.id}, "scope": {"openid"}, "more": {strings.Repeat("n", 9000)}})
		require.Equal(t, 400, status, body)
		require.Equal(t, "invalid_request", body["error"])
	}
	kept := 0
	for to := shop.visit(t, "", address); to.Path == "/consent"; to = shop.visit(t, "", address) {
		kept++
		require.Less(t, kept, 250)
		if kept%40 == 0 {
			a.clock.Advance(10 * time.Second) // or it would be too fast
		}
	}
	require.Greater(t, kept, 190)
	require.Equal(t, "slow_down", shop.visit(t, "", address).Query().Get("error"))
	require.NotEqual(t, "slow_down", shop.visit(t, a.owner, address+"&prompt=none").Query().Get("error"), "who needs not wait goes on")
	a.clock.Advance(time.Minute)
	require.Equal(t, "/consent", shop.visit(t, "", address).Path)
}
