package tenantmanager_test

import (
	"crypto/ecdsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

var xsrf = regexp.MustCompile(`name="xsrf" value="([^"]+)"`)

// logsOut signs a browser out at the provider, as its page does.
func (p *provider) logsOut(t *testing.T, c *http.Client) {
	t.Helper()
	read := func(res *http.Response, err error) string {
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Less(t, res.StatusCode, 400, string(b))
		return string(b)
	}
	page := read(c.Get(p.issuer + "/session/end"))
	found, form := xsrf.FindStringSubmatch(page), action.FindStringSubmatch(page)
	require.NotNil(t, found, page)
	require.NotNil(t, form, page)
	read(c.PostForm(form[1], url.Values{"xsrf": {found[1]}, "logout": {"yes"}}))
}

// Who signs out at the identity provider is signed out here, and only where they signed
// in by that session.
func TestSigningOutAtAProvider(t *testing.T) {
	t.Parallel()
	type answered struct {
		status  int
		control string
		token   string
	}
	answers := make(chan answered, 5)
	var target string // where the bff would hand it on to
	edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		res, err := http.Post(target, r.Header.Get("Content-Type"), strings.NewReader(string(body)))
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer func() { _ = res.Body.Close() }()
		form, _ := url.ParseQuery(string(body))
		w.WriteHeader(res.StatusCode)
		answers <- answered{res.StatusCode, res.Header.Get("Cache-Control"), form.Get("logout_token")}
	}))
	t.Cleanup(edge.Close)
	eve := account{"email": "eve@acme.example", "email_verified": true, "name": "Eve"}
	p := startProviderFor(t, map[string]account{"eve": eve}, map[string]any{"backchannel_logout_uri": edge.URL + "/logout", "backchannel_logout_session_required": true})
	w, owner := ssoWorld(t)
	id := w.connect(t, owner, p, map[string]any{"provision": true, "roles": []string{"viewer"}}).text(t, "id")
	target = w.url + "/api/v1/sign-in/sso/" + id + "/backchannel-logout"
	enter := func(by *http.Client) string {
		a := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, p.visitBy(t, by, w.begin(t, "eve@acme.example"), "eve"), nil))
		require.Equal(t, 200, a.status, a.body)
		return a.text(t, "tokens/accessToken")
	}
	desk, phone := newBrowser(t), newBrowser(t)
	atDesk, onPhone := enter(desk), enter(phone)
	p.logsOut(t, desk)
	var got answered
	select {
	case got = <-answers:
	case <-time.After(20 * time.Second):
		require.Fail(t, "the provider told nobody")
	}
	require.Equal(t, 200, got.status)
	require.Equal(t, "no-store", got.control)
	require.Equal(t, 401, w.call(t, atDesk, "GET", "/me", "").status)
	require.Equal(t, 200, w.call(t, onPhone, "GET", "/me", "").status)
	w.recordedAs(t, owner, "user.signed-out", `"kind":"sso-connection"`)

	// Sent again, to another connection, and to none.
	send := func(target, token string) (int, string, http.Header) {
		res, err := http.PostForm(target, url.Values{"logout_token": {token}})
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(b), res.Header
	}
	for _, to := range []string{target, strings.Replace(target, id, "nobody", 1)} {
		status, body, header := send(to, got.token)
		require.Equal(t, 400, status, body)
		require.JSONEq(t, `{"error":"invalid_request","error_description":"the logout token is not one of this connection's identity provider, or was sent before"}`, body)
		require.Equal(t, "no-store", header.Get("Cache-Control"))
	}
	// Of another's key, although it says that it is of the provider's.
	claims, _ := forged(t, got.token)
	claims["jti"] = "another"
	key := newECKey(t)
	for _, method := range []jwt.SigningMethod{jwt.SigningMethodES256, jwt.SigningMethodHS256} {
		token := jwt.NewWithClaims(method, claims)
		token.Header["typ"] = "logout+jwt"
		var with any = key
		if method == jwt.SigningMethodHS256 { // with the client's secret
			with = []byte("a client secret")
		}
		text, err := token.SignedString(with)
		require.NoError(t, err)
		status, body, _ := send(target, text)
		require.Equal(t, 400, status, body)
	}
	require.Equal(t, 200, w.call(t, onPhone, "GET", "/me", "").status)
}

func forged(t *testing.T, token string) (jwt.MapClaims, *jwt.Token) {
	t.Helper()
	claims := jwt.MapClaims{}
	read, _, err := jwt.NewParser().ParseUnverified(token, claims)
	require.NoError(t, err)
	return claims, read
}

// A provider that names the person alone ends all their sessions by its connection, and
// none that began otherwise; of several of its keys the right one counts.
func TestAProviderEndsSessionsOfAPerson(t *testing.T) {
	t.Parallel()
	keys := map[string]*ecdsa.PrivateKey{"one": newECKey(t), "two": newECKey(t)}
	var issuer, nonce string
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	sign := func(kid string, claims jwt.MapClaims) string {
		token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
		token.Header["kid"] = kid
		text, err := token.SignedString(keys[kid])
		require.NoError(t, err)
		return text
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/jwks", "id_token_signing_alg_values_supported": []string{"ES256"}})
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		var set jose.JSONWebKeySet
		for kid, key := range keys {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: kid, Algorithm: "ES256", Use: "sig"})
		}
		answer(w, set)
	})
	at := newAuthority(t, func(c *configuration) { c.Outbound.AllowLoopback = true })
	w, owner := at.world, at.owner
	mux.HandleFunc("/token", func(rw http.ResponseWriter, _ *http.Request) {
		now := w.clock.Now().Unix()
		answer(rw, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": sign("one", jwt.MapClaims{
			"iss": issuer, "sub": "ada", "aud": "gatehouse", "iat": now, "exp": now + 60, "nonce": nonce, "email": "ada@acme.example", "email_verified": true,
		})})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	issuer = server.URL
	id := w.connect(t, owner, &provider{issuer}, map[string]any{"provision": true, "roles": []string{"viewer"}}).text(t, "id")
	enter := func() string {
		to, err := url.Parse(w.begin(t, "ada@acme.example"))
		require.NoError(t, err)
		nonce = to.Query().Get("nonce")
		a := w.call(t, "", "POST", "/sign-in/sso/callback", callback(t, url.Values{"state": {to.Query().Get("state")}, "code": {"c"}, "connection": {id}}, nil))
		require.Equal(t, 200, a.status, a.body)
		return a.text(t, "tokens/accessToken")
	}
	one, two := enter(), enter()
	// What came of them at the consoles, and at a console that nobody came to by the provider.
	console, portal := at.atApp(t, "admin", adminBack).enter(t, two), at.atApp(t, "portal", portalBack).enter(t, two)
	other := at.atApp(t, "tenant", tenantBack).enter(t, owner)
	out := func(kid, sub, jti string) int {
		now := w.clock.Now().Unix()
		res, err := http.PostForm(w.url+"/api/v1/sign-in/sso/"+id+"/backchannel-logout", url.Values{"logout_token": {sign(kid, jwt.MapClaims{
			"iss": issuer, "aud": "gatehouse", "iat": now, "jti": jti, "sub": sub, "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		})}})
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	require.Equal(t, 200, out("two", "stranger", "1"), "who is not here has signed out")
	require.Equal(t, 200, w.call(t, one, "GET", "/me", "").status)
	require.Equal(t, 200, out("two", "ada", "2"))
	require.Equal(t, 401, w.call(t, one, "GET", "/me", "").status)
	require.Equal(t, 401, w.call(t, two, "GET", "/me", "").status)
	for _, token := range []string{console.text(t, "accessToken"), portal.text(t, "accessToken")} {
		require.Equal(t, 401, w.call(t, token, "GET", "/me", "").status)
	}
	for _, token := range []string{console.text(t, "refreshToken"), portal.text(t, "refreshToken")} {
		require.Equal(t, 401, w.call(t, "", "POST", "/token/refresh", `{"refreshToken":"`+token+`"}`).status)
	}
	require.Equal(t, 200, w.call(t, other.text(t, "accessToken"), "GET", "/me", "").status)
	require.Equal(t, 200, w.call(t, owner, "GET", "/me", "").status)
	require.Equal(t, 400, out("two", "ada", "2"), "once")
	require.Equal(t, 200, w.call(t, owner, "PUT", "/sso/connections/"+id, `{"name":"Acme ID","kind":"oidc","issuer":"`+issuer+`","clientId":"gatehouse","enabled":false}`, "If-Match", "*").status)
	require.Equal(t, 400, out("two", "ada", "3"), "it is switched off")
}
