package tenantmanager_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// loggedOut is what a client was told.
type loggedOut struct {
	token, typ  string
	subject     string
	SessionID   string                    `json:"sid"`
	ID          string                    `json:"jti"`
	Nonce       *string                   `json:"nonce"`
	Issued      int64                     `json:"iat"`
	Expires     int64                     `json:"exp"`
	Events      map[string]map[string]any `json:"events"`
	contentType string
}

// A session that ends ends at the clients, too: they are told by a token that others
// can verify, again and again until they have taken it.
func TestBackChannelLogout(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	ctx := t.Context()
	got, refuse := make(chan loggedOut, 10), make(chan int, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case status := <-refuse:
			w.WriteHeader(status)
			return
		default:
		}
		got <- loggedOut{token: r.PostFormValue("logout_token"), contentType: r.Header.Get("Content-Type")}
	}))
	t.Cleanup(receiver.Close)
	m := a.made(t, `{"name":"Shop","skipConsent":true,"grantTypes":["authorization_code","refresh_token"],"redirectUris":["`+back+`"],"scopes":["openid","offline_access"],
		"backchannelLogoutUri":"`+receiver.URL+`/logout","backchannelLogoutSessionRequired":true}`)
	quiet := a.made(t, `{"name":"Quiet","skipConsent":true,"grantTypes":["authorization_code"],"redirectUris":["`+back+`"],"scopes":["openid"]}`)
	asks := a.made(t, `{"name":"Asks","algorithm":"RS256","grantTypes":["authorization_code","refresh_token"],"redirectUris":["`+back+`"],"scopes":["openid","offline_access"],"backchannelLogoutUri":"`+receiver.URL+`/asks"}`)
	provider, err := oidc.NewProvider(ctx, a.issuer)
	require.NoError(t, err)
	var metadata map[string]any
	require.NoError(t, provider.Claims(&metadata))
	require.Equal(t, true, metadata["backchannel_logout_supported"])
	require.Equal(t, true, metadata["backchannel_logout_session_supported"])

	// enter signs somebody in at a client, and returns the sid and the refresh token.
	enter := func(m made, token string) (sid, refresh string) {
		t.Helper()
		app, proof := a.app(t, m, "openid"), oauth2.GenerateVerifier()
		if m != quiet {
			app.config.Scopes = append(app.config.Scopes, "offline_access")
		}
		to := app.visit(t, token, app.config.AuthCodeURL("s", oauth2.S256ChallengeOption(proof)))
		if to.Path == "/consent" {
			to = app.decide(t, token, to, "true")
		}
		tokens, err := app.config.Exchange(ctx, to.Query().Get("code"), oauth2.VerifierOption(proof))
		require.NoError(t, err)
		raw, _ := tokens.Extra("id_token").(string)
		var claims struct {
			SID string `json:"sid"`
		}
		_, _, err = jwt.NewParser().ParseUnverified(raw, jwt.MapClaims{})
		require.NoError(t, err)
		id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: m.id, SupportedSigningAlgs: []string{"EdDSA", "RS256"}}).Verify(ctx, raw)
		require.NoError(t, err)
		require.NoError(t, id.Claims(&claims))
		require.NotEmpty(t, claims.SID)
		return claims.SID, tokens.RefreshToken
	}
	told := func(m made) loggedOut {
		t.Helper()
		var out loggedOut
		select {
		case out = <-got:
		case <-time.After(30 * time.Second):
			require.Fail(t, "nobody was told")
		}
		require.Equal(t, "application/x-www-form-urlencoded", out.contentType)
		read, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: m.id, SupportedSigningAlgs: []string{"EdDSA", "RS256"}}).Verify(ctx, out.token)
		require.NoError(t, err)
		require.NoError(t, read.Claims(&out))
		head, _, err := jwt.NewParser().ParseUnverified(out.token, jwt.MapClaims{})
		require.NoError(t, err)
		out.subject, out.typ = read.Subject, head.Header["typ"].(string)
		require.Equal(t, "logout+jwt", out.typ)
		require.Equal(t, map[string]map[string]any{"http://schemas.openid.net/event/backchannel-logout": {}}, out.Events)
		require.Nil(t, out.Nonce)
		require.NotEmpty(t, out.ID)
		require.LessOrEqual(t, out.Expires-out.Issued, int64(120))
		return out
	}
	st := a.database(t)
	nobody := func() {
		t.Helper()
		require.Eventually(t, func() bool {
			left, err := st.DueOAuthLogouts(ctx, 10)
			return err == nil && len(left) == 0
		}, 10*time.Second, 10*time.Millisecond)
		require.Empty(t, got)
	}

	// Signed out: the client that wants to know is told, the other one has nothing to
	// be told by. The refresh token goes on: it was given for when nobody is there.
	session := a.signIn(t, "ada@example.com", "")
	sid, refresh := enter(m, session)
	again, _ := enter(m, session)
	require.Equal(t, sid, again, "one session")
	enter(quiet, session)
	code := a.app(t, m, "openid").visit(t, session, a.app(t, m, "openid").config.AuthCodeURL("s", oauth2.S256ChallengeOption(strings.Repeat("v", 43)))).Query().Get("code")
	refuse <- 503 // and it is away for a moment
	require.Equal(t, 204, a.call(t, session, "POST", "/sign-out", "").status)
	require.Eventually(t, func() bool { return len(refuse) == 0 }, 10*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { // until it is tried again
		a.clock.Advance(time.Second)
		return len(got) > 0
	}, 10*time.Second, 50*time.Millisecond)
	out := told(m)
	require.Equal(t, sid, out.SessionID)
	require.Equal(t, a.call(t, a.owner, "GET", "/me", "").text(t, "user/id"), out.subject)
	nobody()
	status, body, _ := a.form(t, "token", m, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	require.Equal(t, 200, status, body)
	status, body, _ = a.form(t, "token", m, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {strings.Repeat("v", 43)}})
	require.Equal(t, 400, status, "a code of a session that has ended: %v", body)

	// A consent that is taken back, a session that an administrator ends, a user who is
	// disabled.
	a.clock.Set(time.Now())
	eve := a.invite(t, a.owner, "eve@example.com", `{"role":"viewer"}`)
	token, user := eve.text(t, "accessToken"), eve.text(t, "user/id")
	sid, refresh = enter(asks, token)
	consent := a.call(t, token, "GET", "/me/consents", "").text(t, "items/0/id")
	require.Equal(t, 204, a.call(t, token, "DELETE", "/me/consents/"+consent, "").status)
	out = told(asks)
	require.Equal(t, []string{sid, user}, []string{out.SessionID, out.subject})
	status, _, _ = a.form(t, "token", asks, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	require.Equal(t, 400, status)
	sid, _ = enter(m, token)
	require.Equal(t, 204, a.call(t, a.owner, "DELETE", "/users/"+user+"/sessions/"+sid, "").status)
	require.Equal(t, sid, told(m).SessionID)
	sid, _ = enter(m, a.signIn(t, "eve@example.com", ""))
	require.Equal(t, 200, a.call(t, a.owner, "PATCH", "/users/"+user, `{"status":"disabled"}`, "If-Match", "*").status)
	require.Equal(t, sid, told(m).SessionID)
	nobody()

	// Where a client may not be told, it is given up after a day, and that is in the trail.
	for range 2 {
		refuse <- 400
	}
	enter(m, a.owner)
	require.Equal(t, 204, a.call(t, a.owner, "POST", "/sign-out", "").status)
	require.Eventually(t, func() bool { return len(refuse) == 1 }, 10*time.Second, 10*time.Millisecond)
	a.clock.Advance(25 * time.Hour)
	a.owner = a.signIn(t, "ada@example.com", "")
	require.Eventually(t, func() bool {
		return strings.Contains(a.call(t, a.owner, "GET", "/audit?action=oauth-client.logout-undelivered", "").body, "answers 400")
	}, 10*time.Second, 20*time.Millisecond)

	for body, pointer := range map[string]string{
		`{"name":"x","backchannelLogoutUri":"http://shop.example/logout"}`: "/backchannelLogoutUri",
		`{"name":"x","backchannelLogoutUri":"https://shop.example/#x"}`:    "/backchannelLogoutUri",
	} {
		res := a.call(t, a.owner, "POST", "/oauth/clients", body)
		require.Equal(t, 422, res.status, res.body)
		require.Contains(t, res.body, `"pointer":"`+pointer+`"`)
	}
}

// A client that leads into the network of the service is not asked there.
func TestBackChannelLogoutGoesNowherePrivate(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	asked := make(chan struct{}, 1)
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	t.Cleanup(inside.Close)
	m := a.made(t, `{"name":"Shop","skipConsent":true,"grantTypes":["authorization_code"],"redirectUris":["`+back+`"],"scopes":["openid"],"backchannelLogoutUri":"`+inside.URL+`"}`)
	app, proof := a.app(t, m, "openid"), oauth2.GenerateVerifier()
	session := a.signIn(t, "ada@example.com", "")
	to := app.visit(t, session, app.config.AuthCodeURL("s", oauth2.S256ChallengeOption(proof)))
	_, err := app.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(proof))
	require.NoError(t, err)
	require.Equal(t, 204, a.call(t, session, "POST", "/sign-out", "").status)
	a.clock.Advance(25 * time.Hour)
	a.owner = a.signIn(t, "ada@example.com", "")
	require.Eventually(t, func() bool {
		return strings.Contains(a.call(t, a.owner, "GET", "/audit?action=oauth-client.logout-undelivered", "").body, "127.0.0.1")
	}, 10*time.Second, 20*time.Millisecond)
	require.Empty(t, asked)
}
