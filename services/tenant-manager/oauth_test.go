package tenantmanager_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// authority is a world with an authorization server, and its owner.
type authority struct {
	*world
	owner  string
	issuer string
}

// newAuthority starts one. Its clock shows the time, since the parties on the
// other side look at theirs.
func newAuthority(t testing.TB, change ...func(*tenantmanager.Config)) *authority {
	t.Helper()
	clock := testkit.NewClock()
	clock.Set(time.Now())
	w := newWorldAt(t, clock, append(change, func(c *tenantmanager.Config) {
		c.Listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(testkit.FreePort(t)))
		c.OAuth.URL = "http://" + c.Listen
	})...)
	a := &authority{world: w, owner: w.setUp(t)}
	a.issuer = w.url + "/oauth/default"
	return a
}

// at is the same one, asked from another address of this machine.
func (a *authority) at(t testing.TB, address string) *authority {
	t.Helper()
	return &authority{world: &world{url: a.url, clock: a.clock, client: from(t, address)}, owner: a.owner, issuer: a.issuer}
}

// made is a client with its secret.
type made struct{ id, secret string }

func (a *authority) made(t testing.TB, body string) made {
	t.Helper()
	res := a.call(t, a.owner, "POST", "/oauth/clients", body)
	require.Equal(t, 201, res.status, res.body)
	m := made{id: res.text(t, "client/id")}
	if strings.Contains(res.body, `"secret":{`) {
		m.secret = res.text(t, "secret/secret")
	}
	return m
}

func (a *authority) scopes(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		res := a.call(t, a.owner, "POST", "/oauth/scopes", `{"name":"`+name+`","title":"See `+name+`"}`)
		require.Equal(t, 201, res.status, res.body)
	}
}

// form sends a form to an endpoint.
func (a *authority) form(t testing.TB, endpoint string, as made, form url.Values, header ...string) (int, map[string]any, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", a.issuer+"/"+endpoint, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if as.secret != "" {
		r.SetBasicAuth(url.QueryEscape(as.id), url.QueryEscape(as.secret))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := a.client.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	out := map[string]any{}
	if len(b) > 0 {
		require.NoError(t, json.Unmarshal(b, &out), string(b))
	}
	return res.StatusCode, out, res.Header
}

func (a *authority) credentials(m made, scopes ...string) *clientcredentials.Config {
	return &clientcredentials.Config{ClientID: m.id, ClientSecret: m.secret, TokenURL: a.issuer + "/token", Scopes: scopes}
}

// A client on its own behalf: discovery, a token that others verify, and the two
// ways of asking about it and ending it.
func TestClientCredentials(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	ctx := t.Context()
	a.scopes(t, "orders:read", "orders:write")
	jwts := a.made(t, `{"name":"Billing","scopes":["orders:read","orders:write"],"audiences":["https://orders.example","https://stock.example"]}`)
	rsa := a.made(t, `{"name":"Old","scopes":["orders:read"],"algorithm":"RS256","authMethod":"client_secret_post","accessTokenSeconds":60}`)
	opaque := a.made(t, `{"name":"Opaque","scopes":["orders:read"],"tokenFormat":"opaque"}`)
	gateway := a.made(t, `{"name":"Gateway","mayIntrospect":true}`)

	provider, err := oidc.NewProvider(ctx, a.issuer)
	require.NoError(t, err)
	verifier := provider.VerifierContext(ctx, &oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: []string{"EdDSA", "RS256"}})
	token, err := a.credentials(jwts, "orders:read").Token(ctx)
	require.NoError(t, err)
	require.Equal(t, "Bearer", token.TokenType)
	require.InDelta(t, 600, time.Until(token.Expiry).Seconds(), 15)
	read, err := verifier.Verify(ctx, token.AccessToken)
	require.NoError(t, err)
	require.Equal(t, jwts.id, read.Subject)
	require.Equal(t, []string{"https://orders.example", "https://stock.example"}, read.Audience)
	var claims map[string]any
	require.NoError(t, read.Claims(&claims))
	require.Equal(t, "orders:read", claims["scope"])
	require.Equal(t, jwts.id, claims["client_id"])

	// One of several APIs, by the parameters of RFC 8707 and of others.
	one := a.credentials(jwts)
	one.EndpointParams = url.Values{"resource": {"https://stock.example"}}
	token, err = one.Token(ctx)
	require.NoError(t, err)
	read, err = verifier.Verify(ctx, token.AccessToken)
	require.NoError(t, err)
	require.Equal(t, []string{"https://stock.example"}, read.Audience)
	require.NoError(t, read.Claims(&claims))
	require.Equal(t, "orders:read orders:write", claims["scope"], "who asks for no scope is given all")

	old := a.credentials(rsa)
	old.AuthStyle = oauth2.AuthStyleInParams
	token, err = old.Token(ctx)
	require.NoError(t, err)
	require.InDelta(t, 60, time.Until(token.Expiry).Seconds(), 5)
	_, err = verifier.Verify(ctx, token.AccessToken)
	require.NoError(t, err)

	// What is not given.
	for name, c := range map[string]struct {
		as     made
		form   url.Values
		status int
		code   string
	}{
		"another scope":    {jwts, url.Values{"grant_type": {"client_credentials"}, "scope": {"orders:delete"}}, 400, "invalid_scope"},
		"another audience": {jwts, url.Values{"grant_type": {"client_credentials"}, "audience": {"https://other.example"}}, 400, "invalid_request"},
		"another grant":    {jwts, url.Values{"grant_type": {"password"}}, 400, "invalid_request"},
		"a wrong secret":   {made{jwts.id, "wrong"}, url.Values{"grant_type": {"client_credentials"}}, 401, "invalid_client"},
		"nobody":           {made{"nobody", "wrong"}, url.Values{"grant_type": {"client_credentials"}}, 401, "invalid_client"},
		"the other way":    {rsa, url.Values{"grant_type": {"client_credentials"}}, 401, "invalid_client"},
		"twice":            {jwts, url.Values{"grant_type": {"client_credentials", "x"}}, 400, "invalid_request"},
		"nothing":          {jwts, url.Values{}, 400, "invalid_request"},
	} {
		status, body, header := a.form(t, "token", c.as, c.form)
		require.Equal(t, c.status, status, "%s: %v", name, body)
		require.Equal(t, c.code, body["error"], "%s: %v", name, body)
		require.NotEmpty(t, body["request_id"], name)
		require.Equal(t, "no-store", header.Get("Cache-Control"), name)
	}

	// Introspection and revocation, of both forms.
	for _, m := range []made{jwts, opaque} {
		token, err := a.credentials(m, "orders:read").Token(ctx)
		require.NoError(t, err)
		require.Equal(t, m == opaque, !strings.Contains(token.AccessToken, "."))
		ask := url.Values{"token": {token.AccessToken}}
		status, body, _ := a.form(t, "introspect", gateway, ask)
		require.Equal(t, 200, status, body)
		require.Equal(t, true, body["active"], body)
		require.Equal(t, m.id, body["client_id"])
		require.Equal(t, "orders:read", body["scope"])
		require.Equal(t, a.issuer, body["iss"])
		require.Equal(t, "Bearer", body["token_type"])
		_, body, _ = a.form(t, "introspect", m, ask)
		require.Equal(t, true, body["active"], "its own")
		other := opaque
		if m == opaque {
			other = jwts
		}
		_, body, _ = a.form(t, "introspect", other, ask)
		require.Equal(t, map[string]any{"active": false}, body, "another's is none of its business")
		status, body, _ = a.form(t, "introspect", made{}, ask)
		require.Equal(t, 400, status, body)

		status, _, _ = a.form(t, "revoke", other, ask)
		require.Equal(t, 200, status)
		_, body, _ = a.form(t, "introspect", gateway, ask)
		require.Equal(t, true, body["active"], "another cannot revoke it")
		status, _, _ = a.form(t, "revoke", m, ask)
		require.Equal(t, 200, status)
		_, body, _ = a.form(t, "introspect", gateway, ask)
		require.Equal(t, map[string]any{"active": false}, body)
	}
	for _, wrong := range []string{"x", "a.b.c", token.AccessToken + "x", a.owner} {
		status, body, _ := a.form(t, "introspect", gateway, url.Values{"token": {wrong}})
		require.Equal(t, 200, status)
		require.Equal(t, map[string]any{"active": false}, body)
		status, _, _ = a.form(t, "revoke", gateway, url.Values{"token": {wrong}})
		require.Equal(t, 200, status)
	}

	// Our own services take none of these.
	token, err = a.credentials(jwts).Token(ctx)
	require.NoError(t, err)
	require.Equal(t, 401, a.call(t, token.AccessToken, "GET", "/me", "").status)

	// Who is disabled has nothing any more, and what was given is inactive.
	require.Equal(t, 200, a.call(t, a.owner, "PATCH", "/oauth/clients/"+jwts.id, `{"status":"disabled"}`, anyVersion...).status)
	status, body, _ := a.form(t, "token", jwts, url.Values{"grant_type": {"client_credentials"}})
	require.Equal(t, 401, status, body)
	_, body, _ = a.form(t, "introspect", gateway, url.Values{"token": {token.AccessToken}})
	require.Equal(t, map[string]any{"active": false}, body)
}

// Secrets and keys are turned with an overlap.
func TestOAuthRotation(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	ctx := t.Context()
	m := a.made(t, `{"name":"Billing"}`)
	grant := url.Values{"grant_type": {"client_credentials"}}
	res := a.call(t, a.owner, "POST", "/oauth/clients/"+m.id+"/secrets", `{"overlapSeconds":3600}`)
	require.Equal(t, 201, res.status, res.body)
	second := made{m.id, res.text(t, "secret")}
	for _, one := range []made{m, second} {
		status, body, _ := a.form(t, "token", one, grant)
		require.Equal(t, 200, status, body)
	}
	res = a.call(t, a.owner, "GET", "/oauth/clients/"+m.id+"/secrets", "")
	require.Equal(t, 2, strings.Count(res.body, `"hint"`))
	require.NotContains(t, res.body, second.secret)
	a.clock.Advance(time.Hour + time.Second)
	status, _, _ := a.form(t, "token", m, grant)
	require.Equal(t, 401, status, "the overlap is over")
	status, _, _ = a.form(t, "token", second, grant)
	require.Equal(t, 200, status)

	// A key that is turned: the token of the one before is still good.
	a.clock.Set(time.Now())
	provider, err := oidc.NewProvider(ctx, a.issuer)
	require.NoError(t, err)
	verifier := provider.VerifierContext(ctx, &oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: []string{"EdDSA"}})
	before, err := a.credentials(second).Token(ctx)
	require.NoError(t, err)
	_, err = verifier.Verify(ctx, before.AccessToken)
	require.NoError(t, err)
	res = a.call(t, a.owner, "GET", "/oauth/keys", "")
	require.Equal(t, 2, strings.Count(res.body, `"algorithm":"EdDSA"`), res.body)
	require.Contains(t, res.body, `"state":"next"`)
	res = a.call(t, a.owner, "POST", "/oauth/keys/rotation", `{"algorithm":"EdDSA"}`)
	require.Equal(t, 200, res.status, res.body)
	for state, n := range map[string]int{"previous": 1, "active": 2, "next": 2} { // RSA's is not turned
		require.Equal(t, n, strings.Count(res.body, `"state":"`+state+`"`), res.body)
	}
	after, err := a.credentials(second).Token(ctx)
	require.NoError(t, err)
	require.NotEqual(t, strings.Split(before.AccessToken, ".")[0], strings.Split(after.AccessToken, ".")[0], "another kid")
	for _, token := range []*oauth2.Token{before, after} {
		_, err = verifier.Verify(ctx, token.AccessToken)
		require.NoError(t, err)
		_, body, _ := a.form(t, "introspect", second, url.Values{"token": {token.AccessToken}})
		require.Equal(t, true, body["active"])
	}
}

// Who guesses a secret waits; others, and the client elsewhere, do not.
func TestSecretsCannotBeGuessed(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Billing"}`)
	grant := url.Values{"grant_type": {"client_credentials"}}
	last := 0
	for range 20 {
		if last, _, _ = a.form(t, "token", made{m.id, "wrong"}, grant); last == 429 {
			break
		}
	}
	require.Equal(t, 429, last)
	status, body, header := a.form(t, "token", m, grant)
	require.Equal(t, 429, status, body)
	require.NotEmpty(t, header.Get("Retry-After"))
	other := a.made(t, `{"name":"Other"}`)
	status, _, _ = a.form(t, "token", other, grant)
	require.Equal(t, 200, status)
	a.clock.Advance(time.Hour)
	status, _, _ = a.form(t, "token", m, grant)
	require.Equal(t, 200, status)
}

// Whoever knows the id of a client holds up nobody but themselves with it: until a
// client has proven who it is, requests count against the address that they come
// from, and only then against the client.
func TestStrangersDoNotHoldUpAClient(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, func(c *tenantmanager.Config) { c.OAuth.TokensPerSecond = 3 })
	secretive := a.made(t, `{"name":"Billing"}`)
	public := a.made(t, `{"name":"Shop","authMethod":"none","redirectUris":["https://shop.example/cb"],"grantTypes":["authorization_code","refresh_token"]}`)
	stranger, third := a.at(t, "127.0.0.2"), a.at(t, "127.0.0.3")
	grant := url.Values{"grant_type": {"client_credentials"}, "token": {"x"}}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"ghr_none"}, "client_id": {public.id}}
	for _, endpoint := range []string{"token", "introspect", "revoke", "par"} {
		for range 20 {
			stranger.form(t, endpoint, made{secretive.id, "wrong"}, grant)
			stranger.form(t, endpoint, made{id: public.id}, refresh)
		}
	}
	status, body, header := stranger.form(t, "token", made{id: public.id}, refresh)
	require.Equal(t, 429, status, body)
	require.Equal(t, "1", header.Get("Retry-After"))
	status, body, _ = stranger.form(t, "token", secretive, grant)
	require.Equal(t, 429, status, body)

	status, body, _ = a.form(t, "token", made{id: public.id}, refresh)
	require.Equal(t, 400, status, body)
	for range 6 { // all that it may at once
		status, body, _ = a.form(t, "token", secretive, grant)
		require.Equal(t, 200, status, body)
	}
	// Its own bucket is empty, wherever else it asks from.
	for _, endpoint := range []string{"token", "introspect", "revoke", "par"} {
		status, body, header = third.form(t, endpoint, secretive, grant)
		require.Equal(t, 429, status, "%s: %v", endpoint, body)
		require.Equal(t, "slow_down", body["error"])
		require.Equal(t, "1", header.Get("Retry-After"))
	}
	a.clock.Advance(time.Second)
	status, body, _ = third.form(t, "token", secretive, grant)
	require.Equal(t, 200, status, body)
}

// BenchmarkClientCredentials asks for tokens over one connection: run it with
// -cpu 1. The Redis, a process of its own, keeps opaque tokens: those that are JWTs are
// not written anywhere. The clock runs, so that what is remembered for a moment is read
// again. What is aimed at holds for both.
func BenchmarkClientCredentials(b *testing.B) {
	server := testkit.Redis(b, testkit.RedisOptions{})
	a := newAuthority(b, func(c *tenantmanager.Config) {
		c.OAuth.Redis = &tenantmanager.Redis{Addresses: []string{server.Addr}, Password: schema.NewSecret(server.Password), Prefix: "bench:"}
		c.OAuth.TokensPerSecond = 0
	})
	a.scopes(b, "orders:read")
	for _, format := range []string{"jwt", "opaque"} {
		m := a.made(b, `{"name":"`+format+`","scopes":["orders:read"],"tokenFormat":"`+format+`"}`)
		body := "grant_type=client_credentials&scope=orders%3Aread"
		b.Run(format, func(b *testing.B) {
			for b.Loop() {
				a.clock.Set(time.Now())
				r, err := http.NewRequestWithContext(b.Context(), "POST", a.issuer+"/token", strings.NewReader(body))
				require.NoError(b, err)
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.SetBasicAuth(m.id, m.secret)
				res, err := a.client.Transport.RoundTrip(r)
				require.NoError(b, err)
				_, err = io.Copy(io.Discard, res.Body)
				require.NoError(b, err)
				require.NoError(b, res.Body.Close())
				require.Equal(b, 200, res.StatusCode)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
