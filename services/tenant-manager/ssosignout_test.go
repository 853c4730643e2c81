package tenantmanager_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const signOutState = "a-state-of-the-browser"

// signOut signs a session out as the bff does, and returns where the browser goes; nil =
// nowhere.
func (w *world) signOut(t *testing.T, token string) *url.URL {
	t.Helper()
	a := w.call(t, token, "POST", "/sign-out", object(t, map[string]string{"origin": ssoOrigin, "state": signOutState}))
	require.Equal(t, 401, w.call(t, token, "GET", "/me", "").status, "it has ended either way")
	if a.status == 204 {
		return nil
	}
	require.Equal(t, 200, a.status, a.body)
	to, err := url.Parse(a.text(t, "address"))
	require.NoError(t, err)
	return to
}

// leaves follows a browser through signing out at the provider, which asks where it
// cannot know who signs out.
func (p *provider) leaves(t *testing.T, c *http.Client, to string) *url.URL {
	t.Helper()
	res, err := c.Get(to)
	require.NoError(t, err)
	for range 5 {
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		if back, err := res.Location(); err == nil && strings.HasPrefix(back.String(), ssoOrigin) {
			return back
		}
		require.Less(t, res.StatusCode, 400, string(b))
		found, form := xsrf.FindStringSubmatch(string(b)), action.FindStringSubmatch(string(b))
		require.NotNil(t, found, string(b))
		require.NotNil(t, form, string(b))
		res, err = c.PostForm(form[1], url.Values{"xsrf": {found[1]}, "logout": {"yes"}})
		require.NoError(t, err)
	}
	require.Fail(t, "the provider does not come to an end")
	return nil
}

// Who signs out here is signed out at a certified provider too, where the connection says
// so, and comes back with the state.
func TestSigningOutReachesTheProvider(t *testing.T) {
	t.Parallel()
	back := ssoOrigin + "/bff/sso/signed-out"
	eve := account{"email": "eve@acme.example", "email_verified": true, "name": "Eve"}
	p := startProviderFor(t, map[string]account{"eve": eve}, map[string]any{"post_logout_redirect_uris": []string{back}})
	w, owner := ssoWorld(t)
	made := w.connect(t, owner, p, map[string]any{"provision": true, "roles": []string{"viewer"}})
	id := made.text(t, "id")
	require.Contains(t, made.body, `"signOutAtProvider":false`)
	require.JSONEq(t, `{"offered":true}`, w.call(t, owner, "GET", "/sso/connections/"+id+"/sign-out", "").body)
	set := func(on string, more string) {
		t.Helper()
		a := w.call(t, owner, "PUT", "/sso/connections/"+id, `{"name":"Acme ID","kind":"oidc","issuer":"`+p.issuer+`","clientId":"gatehouse","enabled":true,"provision":true,"domains":["acme.example"],"signOutAtProvider":`+on+more+`}`, "If-Match", "*")
		require.Equal(t, 200, a.status, a.body)
	}
	enter := func(by *http.Client) string {
		t.Helper()
		a := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visitBy(t, by, w.begin(t, "eve@acme.example"), "eve"), nil))
		require.Equal(t, 200, a.status, a.body)
		return a.text(t, "tokens/accessToken")
	}
	// asks reports whether the provider asks who somebody is.
	asks := func(by *http.Client) bool {
		t.Helper()
		res, err := by.Get(w.begin(t, "eve@acme.example"))
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return strings.Contains(string(b), `name="login"`)
	}
	desk := newBrowser(t)
	require.Nil(t, w.signOut(t, enter(desk)), "it is switched off, as it is at first")
	require.False(t, asks(desk), "they are still signed in there")

	set("true", "")
	at := enter(desk)
	require.NotContains(t, w.call(t, owner, "GET", "/users", "").body, "id_token")
	to := w.signOut(t, at)
	require.NotNil(t, to)
	require.Equal(t, p.issuer+"/session/end", to.Scheme+"://"+to.Host+to.Path)
	q := to.Query()
	require.Equal(t, 2, strings.Count(q.Get("id_token_hint"), "."))
	require.Equal(t, "gatehouse", q.Get("client_id"))
	require.Equal(t, back, q.Get("post_logout_redirect_uri"))
	require.Equal(t, signOutState, q.Get("state"))
	require.Equal(t, back+"?state="+signOutState, p.leaves(t, desk, to.String()).String())
	require.True(t, asks(desk), "they are signed out there")

	// One page of a console that knows nothing of it, and somebody who came otherwise.
	require.Equal(t, 204, w.call(t, enter(newBrowser(t)), "POST", "/sign-out", "").status)
	require.Nil(t, w.signOut(t, w.signIn(t, "ada@example.com", "default")))
	require.Equal(t, 422, w.call(t, owner, "POST", "/sign-out", `{"origin":"nowhere","state":"`+signOutState+`"}`).status)

	// Switched off and on again, nothing is left of what was kept; the provider then asks.
	at = enter(desk)
	set("false", "")
	set("true", "")
	to = w.signOut(t, at)
	require.NotNil(t, to)
	require.NotContains(t, to.Query(), "id_token_hint")
	require.Equal(t, back, strings.Split(p.leaves(t, desk, to.String()).String(), "?")[0])

	// Only OpenID Connect has it.
	for kind, more := range map[string]string{
		"ldap": `,"ldap":{"urls":["ldaps://ldap.example.com"],"userBase":"dc=example"}`, "saml": ``,
		"oauth2": `,"clientId":"x","oauth2":{"authorizeUrl":"https://id.example.com/a","tokenUrl":"https://id.example.com/t","userUrl":"https://id.example.com/u"}`,
	} {
		a := w.call(t, owner, "POST", "/sso/connections", `{"name":"`+kind+`","kind":"`+kind+`","signOutAtProvider":true`+more+`}`)
		require.Equal(t, 422, a.status, a.body)
		require.Contains(t, a.body, `"/signOutAtProvider"`)
	}
	a := w.call(t, owner, "POST", "/sso/connections", `{"name":"SAML","kind":"saml"}`)
	require.Equal(t, 201, a.status, a.body)
	require.Contains(t, w.call(t, owner, "GET", "/sso/connections/"+a.text(t, "id")+"/sign-out", "").body, `"offered":false`)
}

// The ID token of who has a second factor waits for that, and goes on with the session.
func TestSigningOutAtTheProviderAfterASecondStep(t *testing.T) {
	t.Parallel()
	p := startProvider(t, map[string]account{"eve": {"email": "eve@acme.example", "email_verified": true, "name": "Eve"}})
	w, owner := ssoWorld(t)
	w.connect(t, owner, p, map[string]any{"provision": true, "roles": []string{"viewer"}, "signOutAtProvider": true})
	eve := w.federate(t, p, "eve@acme.example", "eve").text(t, "tokens/accessToken")
	a := w.call(t, eve, "POST", "/me/factors/totp", `{"name":"Phone"}`)
	require.Equal(t, 201, a.status, a.body)
	secret := a.text(t, "secret")
	require.Equal(t, 200, w.call(t, eve, "POST", "/me/factors/"+a.text(t, "id")+"/activation", `{"code":"`+w.totp(t, secret, 0)+`"}`).status)
	a = w.federate(t, p, "eve@acme.example", "eve")
	require.Equal(t, 200, a.status, a.body)
	a = w.call(t, "", "POST", "/sign-in/second-step", object(t, map[string]string{"challenge": a.text(t, "challenge/challenge"), "totp": w.totp(t, secret, 30*time.Second)}))
	require.Equal(t, 200, a.status, a.body)
	to := w.signOut(t, a.text(t, "accessToken"))
	require.NotNil(t, to)
	require.NotEmpty(t, to.Query().Get("id_token_hint"))
}

// A provider that signs nobody out for others, one that names what is no address, and one
// that has gone: people are signed out here, and stay here.
func TestProvidersThatSignNobodyOut(t *testing.T) {
	t.Parallel()
	var issuer, endpoint string
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/jwks", "end_session_endpoint": endpoint})
	})
	w, owner := ssoWorld(t)
	for want, of := range map[string]string{"names no end_session_endpoint": "", "begins with https://": "http://elsewhere.example/end"} {
		server := httptest.NewServer(mux)
		issuer, endpoint = server.URL, of
		id := w.connect(t, owner, &provider{issuer}, map[string]any{"name": want, "signOutAtProvider": true, "domains": []string{}}).text(t, "id")
		a := w.call(t, owner, "GET", "/sso/connections/"+id+"/sign-out", "")
		require.Contains(t, a.body, `"offered":false`)
		require.Contains(t, a.body, want)
		server.Close()
	}
}
