package tenantmanager_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/app"
)

// gatewayFor runs a gateway whose two APIs take the tokens of the authorization
// server, and returns its address.
func gatewayFor(t *testing.T, a *authority, asker made) string {
	t.Helper()
	return gatewayWith(t, fmt.Sprintf(`
  - name: signed
    basePath: /signed
    upstream: {targets: [{url: %%[1]q}]}
    policies:
      - jwt: {jwksUrl: %[1]q, allowHttp: true, issuer: [%[2]q], audience: ["https://orders.example"], type: at+jwt, scopes: ["orders:read"], headers: {X-Client: client_id}}
  - name: asked
    basePath: /asked
    upstream: {targets: [{url: %%[1]q}]}
    policies:
      - oauth2-introspection: {endpoint: %[3]q, clientId: %[4]q, clientSecret: %[5]q, issuer: [%[2]q], scopes: ["orders:read"], cacheTtl: 0s, negativeTtl: 0s, headers: {X-Client: client_id}}
`, a.issuer+"/jwks", a.issuer, a.issuer+"/introspect", asker.id, asker.secret))
}

// gatewayWith runs a gateway with APIs, whose upstream says which client called, and
// returns its address. The APIs are a format, with the upstream as what is filled in.
func gatewayWith(t *testing.T, apis string) string {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "client "+r.Header.Get("X-Client"))
	}))
	t.Cleanup(upstream.Close)
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "name: test\nlisteners: [{address: \"127.0.0.1:0\"}]\napis:"+apis, upstream.URL), 0o600))
	address := make(chan string, 1)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Options{Log: slog.New(slog.DiscardHandler)}, gateway.Part(gateway.Options{
			Path: file, Policies: policies.All(), Ready: func(l []net.Addr, _ net.Addr) { address <- l[0].String() },
		}))
	}()
	t.Cleanup(func() { cancel(); require.NoError(t, <-ended) })
	select {
	case at := <-address:
		return "http://" + at
	case err := <-ended:
		ended <- err
		require.NoError(t, err, "the gateway did not start")
		return ""
	}
}

// through calls an API with a bearer token, or without one, and returns the answer.
func through(t *testing.T, address, token string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", address, http.NoBody)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(b)
}

// The policies jwt and oauth2-introspection take the tokens of the authorization
// server as they come.
func TestTheGatewayTakesTheTokens(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.scopes(t, "orders:read", "orders:write")
	audience := `"audiences":["https://orders.example"]`
	clients := map[string]made{
		"EdDSA": a.made(t, `{"name":"A","scopes":["orders:read","orders:write"],`+audience+`}`),
		"RS256": a.made(t, `{"name":"B","scopes":["orders:read","orders:write"],"algorithm":"RS256",`+audience+`}`),
	}
	opaque := a.made(t, `{"name":"C","scopes":["orders:read","orders:write"],"tokenFormat":"opaque",`+audience+`}`)
	elsewhere := a.made(t, `{"name":"D","scopes":["orders:read"],"audiences":["https://stock.example"]}`)
	at := gatewayFor(t, a, a.made(t, `{"name":"Gateway","mayIntrospect":true}`))
	call := func(path, token string) (int, string) { return through(t, at+path, token) }
	token := func(m made, scopes ...string) string {
		got, err := a.credentials(m, scopes...).Token(t.Context())
		require.NoError(t, err)
		return got.AccessToken
	}
	// Keys that are made after the gateway fetched them are found as well.
	for name, m := range clients {
		good := token(m, "orders:read")
		var status int
		var body string
		require.Eventually(t, func() bool { status, body = call("/signed", good); return status == 200 }, 10*time.Second, 50*time.Millisecond, "%s: %s", name, body)
		require.Equal(t, "client "+m.id, body, name)
		status, _ = call("/asked", good)
		require.Equal(t, 200, status, "%s, asked about", name)
		status, _ = call("/signed", token(m, "orders:write"))
		require.Equal(t, 403, status, "%s: another scope", name)
		status, _ = call("/signed", good[:len(good)-4]+"AAAA")
		require.Equal(t, 401, status, "%s: another signature", name)
	}
	for _, path := range []string{"/signed", "/asked"} {
		status, _ := call(path, "")
		require.Equal(t, 401, status)
		status, _ = call(path, a.owner)
		require.Equal(t, 401, status, "a token of the consoles is none of an API")
	}
	status, _ := call("/signed", token(elsewhere))
	require.Equal(t, 401, status, "of another audience")
	good := token(opaque, "orders:read")
	status, body := call("/asked", good)
	require.Equal(t, 200, status, body)
	require.True(t, strings.HasSuffix(body, opaque.id))
	status, _, _ = a.form(t, "revoke", opaque, url.Values{"token": {good}})
	require.Equal(t, 200, status)
	status, _ = call("/asked", good)
	require.Equal(t, 401, status, "it was revoked")
}

// Tokens that are bound to a key are taken from who proves it (RFC 9449), by both
// policies, and never as bearer tokens.
func TestTheGatewayTakesBoundTokens(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.scopes(t, "orders:read")
	at := gatewayFor(t, a, a.made(t, `{"name":"Gateway","mayIntrospect":true}`))
	key, other := newECKey(t), newECKey(t)
	for _, format := range []string{"jwt", "opaque"} {
		m := a.made(t, `{"name":"`+format+`","tokenFormat":"`+format+`","dpopBound":true,"scopes":["orders:read"],"audiences":["https://orders.example"]}`)
		_, body, _ := a.form(t, "token", m, url.Values{"grant_type": {"client_credentials"}}, "DPoP", dpopProof(t, key, "POST", a.issuer+"/token", "", nil))
		token := body["access_token"].(string)
		call := func(path, scheme, proof string) (int, string) {
			r, err := http.NewRequestWithContext(t.Context(), "GET", at+path+"?page=1", http.NoBody)
			require.NoError(t, err)
			r.Header.Set("Authorization", scheme+" "+token)
			if proof != "" {
				r.Header.Set("DPoP", proof)
			}
			res, err := a.client.Do(r)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			return res.StatusCode, res.Header.Get("WWW-Authenticate")
		}
		paths := []string{"/asked"}
		if format == "jwt" {
			paths = append(paths, "/signed")
		}
		for _, path := range paths {
			prove := func() string { return dpopProof(t, key, "GET", at+path, token, nil) }
			require.Eventually(t, func() bool { status, _ := call(path, "DPoP", prove()); return status == 200 }, 10*time.Second, 50*time.Millisecond, path)
			once := prove()
			status, _ := call(path, "DPoP", once)
			require.Equal(t, 200, status, path)
			for name, try := range map[string][2]string{
				"once more": {"DPoP", once}, "as a bearer token": {"Bearer", prove()}, "without a proof": {"DPoP", ""},
				"by another key": {"DPoP", dpopProof(t, other, "GET", at+path, token, nil)}, "for another address": {"DPoP", dpopProof(t, key, "GET", at+"/other", token, nil)},
			} {
				status, challenge := call(path, try[0], try[1])
				require.Equal(t, 401, status, "%s: %s", path, name)
				require.True(t, strings.HasPrefix(challenge, "DPoP "), "%s: %s: %s", path, name, challenge)
			}
		}
	}
}

// A third party's authorization server does as well: the certified oidc-provider signs
// tokens for an API, and answers questions about those that say nothing.
func TestTheGatewayTakesTokensOfAThirdParty(t *testing.T) {
	t.Parallel()
	p := startProviderFor(t, nil, map[string]any{"grant_types": []string{"authorization_code", "client_credentials"}, "scope": "openid orders:read orders:write"})
	at := gatewayWith(t, `
  - name: signed
    basePath: /signed
    upstream: {targets: [{url: %[1]q}]}
    policies:
      - jwt: {jwksUrl: "`+p.issuer+`/jwks", allowHttp: true, issuer: ["`+p.issuer+`"], audience: ["https://orders.example"], type: at+jwt, scopes: ["orders:read"], headers: {X-Client: client_id}}
  - name: asked
    basePath: /asked
    upstream: {targets: [{url: %[1]q}]}
    policies:
      - oauth2-introspection: {endpoint: "`+p.issuer+`/token/introspection", clientId: gatehouse, clientSecret: a client secret, issuer: ["`+p.issuer+`"], headers: {X-Client: client_id}}
`)
	token := func(form url.Values) string {
		form.Set("grant_type", "client_credentials")
		r, err := http.NewRequestWithContext(t.Context(), "POST", p.issuer+"/token", strings.NewReader(form.Encode()))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("gatehouse", url.QueryEscape("a client secret"))
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		var got struct {
			Token string `json:"access_token"`
			Error string `json:"error_description"`
		}
		require.NoError(t, json.NewDecoder(res.Body).Decode(&got))
		require.Equal(t, 200, res.StatusCode, got.Error)
		return got.Token
	}
	const api = "https://orders.example"
	signed, opaque := token(url.Values{"resource": {api}, "scope": {"orders:read"}}), token(url.Values{})
	require.Equal(t, 2, strings.Count(signed, "."))
	for name, c := range map[string]struct {
		path, token string
		status      int
	}{
		"signed":           {"/signed", signed, 200},
		"of another scope": {"/signed", token(url.Values{"resource": {api}, "scope": {"orders:write"}}), 403},
		"of another API":   {"/signed", token(url.Values{"resource": {"https://stock.example"}, "scope": {"orders:read"}}), 401},
		"opaque to signed": {"/signed", opaque, 401},
		"changed":          {"/signed", signed[:len(signed)-4] + "AAAA", 401},
		"none":             {"/signed", "", 401},
		"opaque":           {"/asked", opaque, 200},
		"not known":        {"/asked", opaque + "x", 401},
		"nothing asked":    {"/asked", "", 401},
	} {
		status, body := through(t, at+c.path, c.token)
		require.Equal(t, c.status, status, "%s: %s", name, body)
		if status == 200 {
			require.Equal(t, "client gatehouse", body, name)
		}
	}
}
