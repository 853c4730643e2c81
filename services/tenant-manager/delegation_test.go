package tenantmanager_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/gatehouse/gatehouse/libs/authn"
)

// helper is an application that acts as people in Gatehouse itself.
type helper struct {
	*relying
	token *oauth2.Token
	// by is what the access token is swapped for.
	by string
}

// helps makes an application, and has whoever has the session let it act as them. more is
// what else the client is, as JSON.
func (a *authority) helps(t testing.TB, session, more string) *helper {
	t.Helper()
	m := a.made(t, `{"name":"Helper","description":"Does the chores","grantTypes":["authorization_code","refresh_token"],"redirectUris":["`+back+`"],
		"scopes":["openid","email","offline_access","gatehouse"]`+more+`}`)
	h := &helper{relying: a.app(t, m, "openid", "offline_access", "gatehouse")}
	h.again(t, session)
	return h
}

// again has whoever has the session let it act as them, and swaps the token.
func (h *helper) again(t testing.TB, session string) {
	t.Helper()
	proof := oauth2.GenerateVerifier()
	to := h.visit(t, session, h.config.AuthCodeURL("s", oauth2.S256ChallengeOption(proof)))
	if to.Path == "/consent" {
		to = h.decide(t, session, to, "true")
	}
	token, err := h.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	h.token = token
	in := h.act(t, token.AccessToken)
	require.Equal(t, 200, in.status, in.body)
	h.by = in.text(t, "accessToken")
}

// act swaps an access token.
func (a *authority) act(t testing.TB, token string) answer {
	t.Helper()
	return a.call(t, "", "POST", "/token/access", `{"accessToken":"`+token+`"}`)
}

// gone is true when neither the access token nor what it was swapped for is good any more.
func (h *helper) gone(t testing.TB) {
	t.Helper()
	require.Equal(t, 401, h.call(t, h.by, "GET", "/me", "").status)
	require.Equal(t, 401, h.act(t, h.token.AccessToken).status)
}

func TestAnApplicationActsAsAPerson(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"jwt", "opaque"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			a := newAuthority(t)
			eve := a.invite(t, a.owner, "eve@example.com", `{"role":"auditor"}`)
			session := eve.text(t, "accessToken")
			m := a.made(t, `{"name":"Helper","grantTypes":["authorization_code","refresh_token"],"redirectUris":["`+back+`"],"scopes":["openid","email","offline_access","gatehouse"],
				"audiences":["https://orders.example"],"tokenFormat":"`+format+`"}`)
			h := &helper{relying: a.app(t, m, "openid", "offline_access", "gatehouse")}
			proof := oauth2.GenerateVerifier()
			page := h.visit(t, session, h.config.AuthCodeURL("s", oauth2.S256ChallengeOption(proof)))
			asked := a.call(t, session, "GET", "/oauth/authorizations/by-token/"+page.Query().Get("request"), "")
			require.Contains(t, asked.body, `{"name":"gatehouse","new":true}`)
			h.again(t, session)
			require.Equal(t, "Bearer", h.token.TokenType)
			gateway := a.made(t, `{"name":"Gateway","mayIntrospect":true}`)
			_, is, _ := a.form(t, "introspect", gateway, url.Values{"token": {h.token.AccessToken}})
			require.Equal(t, []any{"gatehouse"}, is["aud"], "and for no API, whatever the client is for else")

			// It is Eve, and does what she may, and no more.
			me := a.call(t, h.by, "GET", "/me", "")
			require.Equal(t, 200, me.status, me.body)
			require.Contains(t, me.body, `"email":"eve@example.com"`)
			require.Equal(t, 200, a.call(t, h.by, "GET", "/users", "").status)
			require.Equal(t, 403, a.call(t, h.by, "POST", "/groups", `{"name":"Team"}`).status)
			given := a.call(t, a.owner, "POST", "/grants", `{"principal":"`+eve.text(t, "user/id")+`","role":"administrator"}`)
			require.Equal(t, 201, given.status, given.body)
			require.Equal(t, 201, a.call(t, h.by, "POST", "/groups", `{"name":"Team"}`).status)
			a.recordedAs(t, a.owner, "group.created", `"tokenName":"Helper"`)
			again := a.act(t, h.token.AccessToken)
			require.Equal(t, 200, again.status)
			require.Contains(t, a.call(t, again.text(t, "accessToken"), "GET", "/me", "").body, "eve@example.com")

			// What a person signs in for it does not do.
			for _, c := range [][3]string{
				{"POST", "/me/tokens", `{"name":"x","expiresAt":"2100-01-01T00:00:00Z"}`},
				{"GET", "/me/sessions", ""},
				{"POST", "/sign-out", ""},
				{"PATCH", "/me", `{"name":"x"}`},
				{"GET", "/me/consents", ""},
				{"POST", "/me/factors/totp", `{"name":"x"}`},
				{"DELETE", "/me/tokens/other", ""},
			} {
				refused := a.call(t, h.by, c[0], c[1], c[2], anyVersion...)
				require.Equal(t, 403, refused.status, "%s: %s", c[1], refused.body)
				require.Contains(t, refused.body, "sign in", c[1])
			}
			// Nor does it let others act, or become a session.
			require.Equal(t, "/consent", h.visit(t, h.by, h.config.AuthCodeURL("s", oauth2.S256ChallengeOption(proof))).Path, "it is nobody to the authorization server")
			require.Equal(t, 401, h.swap(t, h.token.AccessToken).status)
			exchanger := a.made(t, `{"name":"Exchanger","grantTypes":["`+exchangeGrant+`"],"audiences":["gatehouse"]}`)
			status, body, _ := a.form(t, "token", exchanger, url.Values{"grant_type": {exchangeGrant}, "subject_token": {h.token.AccessToken}, "subject_token_type": {accessToken}})
			require.Equal(t, 400, status, body)

			// It goes on by its refresh token.
			status, body, _ = a.form(t, "token", m, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.token.RefreshToken}})
			require.Equal(t, 200, status, body)
			next := a.act(t, body["access_token"].(string))
			require.Equal(t, 200, next.status, next.body)

			// One that has run out is over, and so is what it was swapped for.
			a.clock.Advance(9*time.Minute + 50*time.Second)
			last := a.act(t, h.token.AccessToken)
			require.Equal(t, 200, last.status, last.body)
			require.Regexp(t, `"expiresIn":([1-9]|10),`, last.body)
			a.clock.Advance(time.Minute)
			require.Less(t, time.Minute, authn.Lifetime)
			late := a.act(t, h.token.AccessToken)
			require.Equal(t, 401, late.status)
			require.Contains(t, late.header.Get("WWW-Authenticate"), `error="invalid_token"`)
			require.Equal(t, 401, a.call(t, last.text(t, "accessToken"), "GET", "/users", "").status)
		})
	}
}

// Whatever it came of ends it at once.
func TestAnApplicationActsNoLonger(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, h *helper, eve answer){
		"the token is revoked": func(t *testing.T, h *helper, _ answer) {
			status, _, _ := h.form(t, "revoke", h.made, url.Values{"token": {h.token.AccessToken}})
			require.Equal(t, 200, status)
		},
		"the refresh token is revoked": func(t *testing.T, h *helper, _ answer) {
			status, _, _ := h.form(t, "revoke", h.made, url.Values{"token": {h.token.RefreshToken}})
			require.Equal(t, 200, status)
		},
		"the refresh token is used twice": func(t *testing.T, h *helper, _ answer) {
			for _, want := range []int{200, 400} {
				status, body, _ := h.form(t, "token", h.made, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.token.RefreshToken}})
				require.Equal(t, want, status, body)
			}
		},
		"the consent is taken back": func(t *testing.T, h *helper, eve answer) {
			mine := h.call(t, eve.text(t, "accessToken"), "GET", "/me/consents", "")
			require.Equal(t, 204, h.call(t, eve.text(t, "accessToken"), "DELETE", "/me/consents/"+mine.text(t, "items/0/id"), "").status)
		},
		"an administrator takes the consent back": func(t *testing.T, h *helper, _ answer) {
			all := h.call(t, h.owner, "GET", "/oauth/consents", "")
			require.Equal(t, 204, h.call(t, h.owner, "DELETE", "/oauth/consents/"+all.text(t, "items/0/id"), "").status)
		},
		"the client is disabled": func(t *testing.T, h *helper, _ answer) {
			require.Equal(t, 200, h.call(t, h.owner, "PATCH", "/oauth/clients/"+h.id, `{"status":"disabled"}`, anyVersion...).status)
		},
		"the client has the scope no more": func(t *testing.T, h *helper, _ answer) {
			require.Equal(t, 200, h.call(t, h.owner, "PATCH", "/oauth/clients/"+h.id, `{"scopes":["openid"]}`, anyVersion...).status)
		},
		"the client goes elsewhere": func(t *testing.T, h *helper, eve answer) {
			require.Equal(t, 200, h.call(t, h.owner, "PATCH", "/oauth/clients/"+h.id, `{"redirectUris":["`+back+`","https://elsewhere.example/cb"]}`, anyVersion...).status)
			address := h.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
			require.Equal(t, "/consent", h.visit(t, eve.text(t, "accessToken"), address).Path, "it is asked again")
		},
		"the client is deleted": func(t *testing.T, h *helper, _ answer) {
			require.Equal(t, 204, h.call(t, h.owner, "DELETE", "/oauth/clients/"+h.id, "", anyVersion...).status)
		},
		"the user is disabled": func(t *testing.T, h *helper, eve answer) {
			require.Equal(t, 200, h.call(t, h.owner, "PATCH", "/users/"+eve.text(t, "user/id"), `{"status":"disabled"}`, anyVersion...).status)
		},
		"the user is deleted": func(t *testing.T, h *helper, eve answer) {
			require.Equal(t, 204, h.call(t, h.owner, "DELETE", "/users/"+eve.text(t, "user/id"), "", anyVersion...).status)
		},
		"the user signs out": func(t *testing.T, h *helper, eve answer) {
			require.Equal(t, 204, h.call(t, eve.text(t, "accessToken"), "POST", "/sign-out", "").status)
			// There is a token without anybody being there, which is good for nothing here.
			status, body, _ := h.form(t, "token", h.made, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.token.RefreshToken}})
			require.Equal(t, 200, status, body)
			refused := h.act(t, body["access_token"].(string))
			require.Equal(t, 401, refused.status)
			require.Contains(t, refused.body, "the sign-in in which the application was allowed to act is over")
		},
		"the sessions are ended": func(t *testing.T, h *helper, eve answer) {
			require.Equal(t, 204, h.call(t, h.owner, "DELETE", "/users/"+eve.text(t, "user/id")+"/sessions", "").status)
		},
		"the organization lets nobody have tokens": func(t *testing.T, h *helper, _ answer) {
			require.Equal(t, 200, h.call(t, h.owner, "PATCH", "/security-policy", `{"personalTokens":{"allowed":false}}`, anyVersion...).status)
			require.Contains(t, h.act(t, h.token.AccessToken).body, "does not let people have tokens")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAuthority(t)
			eve := a.invite(t, a.owner, "eve@example.com", `{"role":"viewer"}`)
			h := a.helps(t, eve.text(t, "accessToken"), "")
			require.Equal(t, 200, a.call(t, h.by, "GET", "/me", "").status)
			end(t, h, eve)
			h.gone(t)
		})
	}
	// What was taken back stays so when it is given again.
	a := newAuthority(t)
	h := a.helps(t, a.owner, "")
	mine := a.call(t, a.owner, "GET", "/me/consents", "")
	require.Equal(t, 204, a.call(t, a.owner, "DELETE", "/me/consents/"+mine.text(t, "items/0/id"), "").status)
	before := h.token.AccessToken
	a.clock.Advance(20 * time.Second)
	h.again(t, a.owner)
	require.Contains(t, a.act(t, before).body, "it was taken back")
	require.Equal(t, 200, a.call(t, h.by, "GET", "/me", "").status)
	// Another instance knows as much, and hears of its end.
	a.cfg.Listen = "127.0.0.1:0"
	other := a.another(t)
	require.Equal(t, 200, other.call(t, h.by, "GET", "/me", "").status)
	status, _, _ := a.form(t, "revoke", h.made, url.Values{"token": {h.token.AccessToken}})
	require.Equal(t, 200, status)
	require.Eventually(t, func() bool { return other.call(t, h.by, "GET", "/me", "").status == 401 }, 10*time.Second, 5*time.Millisecond)
	// A token is as old as the sign-in at most, which the policy bounds.
	h.again(t, a.owner)
	require.Equal(t, 200, a.call(t, a.owner, "PATCH", "/security-policy", `{"personalTokens":{"maximumDays":1}}`, anyVersion...).status)
	a.clock.Advance(25 * time.Hour)
	status, body, _ := a.form(t, "token", h.made, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.token.RefreshToken}})
	require.Equal(t, 200, status, body)
	require.Contains(t, a.act(t, body["access_token"].(string)).body, "longer ago than your organization lets tokens last")
}

// Nobody is given such a token but an application that an administrator trusts with it, in
// the name of who allowed it.
func TestWhoMayNotAct(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.scopes(t, "orders:read")
	for name, c := range map[string]struct{ body, pointer string }{
		"by itself alone":    {`"scopes":["gatehouse"]`, "/scopes"},
		"asking nobody":      {`"grantTypes":["authorization_code"],"redirectUris":["` + back + `"],"scopes":["gatehouse"],"skipConsent":true`, "/skipConsent"},
		"bound to a key":     {`"grantTypes":["authorization_code"],"redirectUris":["` + back + `"],"scopes":["gatehouse"],"dpopBound":true`, "/dpopBound"},
		"bound by a handout": {`"grantTypes":["authorization_code"],"redirectUris":["` + back + `"],"scopes":["gatehouse"],"certificateBound":true`, "/certificateBound"},
	} {
		res := a.call(t, a.owner, "POST", "/oauth/clients", `{"name":"x",`+c.body+`}`)
		require.Equal(t, 422, res.status, "%s: %s", name, res.body)
		require.Contains(t, res.body, `"pointer":"`+c.pointer+`"`, name)
	}
	require.Contains(t, a.call(t, a.owner, "GET", "/oauth/server", "").body, `"managementScope":"gatehouse"`)

	// Not by registering itself, whatever is done afterwards.
	res := a.call(t, a.owner, "POST", "/oauth/initial-tokens", `{"name":"x","scopes":["openid","gatehouse"]}`)
	require.Equal(t, 422, res.status)
	require.Contains(t, res.body, `"pointer":"/scopes/1"`)
	initial := a.initial(t, `{"name":"Partners","scopes":["openid"]}`)
	status, body, _ := a.register(t, "POST", a.issuer+"/register", initial, `{"client_name":"Shop","redirect_uris":["`+back+`"],"scope":"openid gatehouse"}`)
	require.Equal(t, 400, status, body)
	status, body, _ = a.register(t, "POST", a.issuer+"/register", initial, `{"client_name":"Shop","redirect_uris":["`+back+`"],"scope":"openid"}`)
	require.Equal(t, 201, status, body)
	res = a.call(t, a.owner, "PATCH", "/oauth/clients/"+body["client_id"].(string), `{"scopes":["openid","gatehouse"]}`, anyVersion...)
	require.Equal(t, 422, res.status)
	require.Contains(t, res.body, `"pointer":"/scopes"`)

	// Not to the client itself.
	both := a.made(t, `{"name":"Both","grantTypes":["authorization_code","client_credentials"],"redirectUris":["`+back+`"],"scopes":["openid","gatehouse","orders:read"],"audiences":["https://orders.example"]}`)
	for _, form := range []url.Values{{"scope": {"gatehouse"}}, {"audience": {"gatehouse"}}} {
		form.Set("grant_type", "client_credentials")
		status, body, _ = a.form(t, "token", both, form)
		require.Equal(t, 400, status, body)
	}
	own, err := a.credentials(both).Token(t.Context())
	require.NoError(t, err)
	require.Equal(t, "orders:read", own.Extra("scope"))
	res = a.act(t, own.AccessToken)
	require.Equal(t, 403, res.status, res.body)
	require.Contains(t, res.header.Get("WWW-Authenticate"), `error="insufficient_scope"`)

	// Not together with what an API is sent, and for nothing else.
	app := a.app(t, both, "openid", "gatehouse")
	for name, c := range map[string]struct{ key, value, want string }{
		"with an API's scope": {"scope", "gatehouse orders:read", "invalid_scope"}, "for an API": {"audience", "https://orders.example", "invalid_target"},
	} {
		to := app.visit(t, a.owner, app.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam(c.key, c.value)))
		require.Equal(t, c.want, to.Query().Get("error"), "%s: %s", name, to)
	}
	to := app.visit(t, a.owner, app.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("audience", "gatehouse"), oauth2.SetAuthURLParam("scope", "openid")))
	require.Equal(t, "invalid_target", to.Query().Get("error"), to)
	proof := oauth2.GenerateVerifier()
	to = app.decide(t, a.owner, app.visit(t, a.owner, app.config.AuthCodeURL("s", oauth2.S256ChallengeOption(proof), oauth2.SetAuthURLParam("scope", "openid orders:read"))), "true")
	token, err := app.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	require.Equal(t, 403, a.act(t, token.AccessToken).status, "by default it is for APIs")

	// Not one that is bound to a key.
	h := a.helps(t, a.owner, "")
	proof = oauth2.GenerateVerifier()
	to = h.visit(t, a.owner, h.config.AuthCodeURL("s", oauth2.S256ChallengeOption(proof)))
	status, body, _ = a.form(t, "token", h.made, url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {back}, "code_verifier": {proof}},
		"DPoP", dpopProof(t, newECKey(t), "POST", a.issuer+"/token", "", nil))
	require.Equal(t, 200, status, body)
	res = a.act(t, body["access_token"].(string))
	require.Equal(t, 401, res.status)
	require.Contains(t, res.body, "bound to a key")

	// Not one of another organization, or that somebody made.
	a.organization(t, "globex", "eve@globex.example")
	parts := strings.Split(h.token.AccessToken, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	for _, claims := range []string{
		strings.Replace(string(raw), "/oauth/default", "/oauth/globex", 1), strings.Replace(string(raw), "/oauth/default", "/oauth/nowhere", 1), strings.Replace(string(raw), a.url, "http://evil.test", 1), "{}",
	} {
		forged := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + parts[2]
		require.Equal(t, 401, a.act(t, forged).status, claims)
	}
	for _, other := range []string{"x", "gha_x", "a.b.c", a.owner, h.by, h.token.RefreshToken} {
		require.Equal(t, 401, a.act(t, other).status)
	}
	require.NotContains(t, a.logged(), h.token.AccessToken)
	require.NotContains(t, a.logged(), h.by)
}

// What the security policy asks of who signs in it asks of applications that act as them.
func TestApplicationsFollowTheSecurityPolicy(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	eve := a.invite(t, a.owner, "eve@example.com", `{"role":"administrator"}`)
	h := a.helps(t, eve.text(t, "accessToken"), "")
	policy := func(body string) {
		res := a.call(t, a.owner, "PATCH", "/security-policy?confirmLockout=true", body, anyVersion...)
		require.Equal(t, 200, res.status, res.body)
	}
	policy(`{"allowedAddresses":["127.0.0.1"]}`)
	require.Contains(t, a.act(t, h.token.AccessToken).body, `"allowedAddresses":["127.0.0.1/32"]`)
	res := a.at(t, "127.0.0.9").act(t, h.token.AccessToken)
	require.Equal(t, 403, res.status, res.body)
	require.Contains(t, res.body, "127.0.0.9")
	policy(`{"mfa":"everyone","mfaGraceDays":0}`)
	res = a.act(t, h.token.AccessToken)
	require.Equal(t, 403, res.status)
	require.Contains(t, res.body, "second factor")
}
