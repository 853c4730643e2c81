package tenantmanager_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// register sends metadata to an endpoint of the registration.
func (a *authority) register(t testing.TB, method, address, token, body string) (int, map[string]any, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
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

// initial makes a token by which programs register themselves.
func (a *authority) initial(t testing.TB, body string) string {
	t.Helper()
	res := a.call(t, a.owner, "POST", "/oauth/initial-tokens", body)
	require.Equal(t, 201, res.status, res.body)
	require.Equal(t, a.issuer+"/register", res.text(t, "registrationEndpoint"))
	return res.text(t, "token")
}

// A program registers itself, works, changes what it said, and goes (RFC 7591, RFC
// 7592).
func TestRegistration(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.scopes(t, "orders:read", "orders:write")
	at := a.issuer + "/register"
	token := a.initial(t, `{"name":"Partners","uses":2,"scopes":["openid","offline_access","orders:read"],"audiences":["https://orders.example"],
		"grantTypes":["authorization_code","refresh_token","client_credentials"]}`)
	list := a.call(t, a.owner, "GET", "/oauth/initial-tokens", "")
	require.Contains(t, list.body, `"usesLeft":2`)
	require.NotContains(t, list.body, token)

	const body = `{"client_name":"Shop","client_uri":"https://shop.example","contacts":["ops@shop.example"],"software_id":"s-1","redirect_uris":["` + back + `"],
		"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"scope":"openid offline_access orders:read","id_token_signed_response_alg":"EdDSA","something_new":1}`
	status, c, header := a.register(t, "POST", at, token, body)
	require.Equal(t, 201, status, c)
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	for name, want := range map[string]any{
		"client_name": "Shop", "client_secret_expires_at": 0.0, "token_endpoint_auth_method": "client_secret_basic", "scope": "openid offline_access orders:read",
		"redirect_uris": []any{back}, "software_id": "s-1",
	} {
		require.Equal(t, want, c[name], name)
	}
	m := made{c["client_id"].(string), c["client_secret"].(string)}
	own, access := c["registration_client_uri"].(string), c["registration_access_token"].(string)
	require.Equal(t, at+"/"+m.id, own)

	// It works, for the APIs that the administrator said, and people see what it is.
	shop := a.app(t, m, "openid", "offline_access", "orders:read")
	verifier := oauth2.GenerateVerifier()
	page := shop.visit(t, a.owner, shop.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
	asked := a.call(t, a.owner, "GET", "/oauth/authorizations/by-token/"+page.Query().Get("request"), "")
	require.Contains(t, asked.body, `"selfRegistered":true`)
	to := shop.decide(t, a.owner, page, "true")
	got, err := shop.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
	require.NoError(t, err)
	_, read, _ := a.form(t, "introspect", m, url.Values{"token": {got.AccessToken}})
	require.Equal(t, []any{"https://orders.example"}, read["aud"])
	seen := a.call(t, a.owner, "GET", "/oauth/clients/"+m.id, "")
	require.Contains(t, seen.body, `"softwareId":"s-1"`)
	require.Contains(t, seen.body, `"website":"https://shop.example"`)
	require.Contains(t, seen.body, `"skipConsent":false`)
	require.NotContains(t, seen.body, access)

	// Read, changed, within what it was given.
	status, c, _ = a.register(t, "GET", own, access, "")
	require.Equal(t, 200, status, c)
	require.Equal(t, access, c["registration_access_token"])
	require.NotContains(t, c, "client_secret")
	change := func(body string) (int, map[string]any) {
		status, out, _ := a.register(t, "PUT", own, access, body)
		return status, out
	}
	status, c = change(`{"client_id":"` + m.id + `","client_name":"Shop 2","redirect_uris":["https://shop.example/cb"],"scope":"openid"}`)
	require.Equal(t, 200, status, c)
	require.Equal(t, "Shop 2", c["client_name"])
	require.Equal(t, "openid", c["scope"])
	require.NotContains(t, c, "software_id", "what is left out is gone")
	status, c = change(`{"client_id":"` + m.id + `","redirect_uris":["https://shop.example/cb"],"scope":"orders:write"}`)
	require.Equal(t, 400, status, c)
	require.Equal(t, "invalid_client_metadata", c["error"])
	status, c = change(`{"client_id":"x","redirect_uris":["https://shop.example/cb"]}`)
	require.Equal(t, 400, status, c)
	status, c = change(`{"client_id":"` + m.id + `","redirect_uris":["https://shop.example/cb"],"token_endpoint_auth_method":"none"}`)
	require.Equal(t, 400, status, c)

	// Its token is good for itself alone, and no other's for it.
	status, second, _ := a.register(t, "POST", at, token, `{"client_name":"Shop 2","redirect_uris":["https://other.example/cb"],"token_endpoint_auth_method":"none"}`)
	require.Equal(t, 201, status, second)
	require.NotContains(t, second, "client_secret")
	require.Regexp(t, `^Shop 2 .{6}$`, second["client_name"], "names are made different")
	require.Equal(t, "openid offline_access orders:read", second["scope"])
	for name, try := range map[string][3]string{
		"of another client":  {"GET", own, second["registration_access_token"].(string)},
		"the initial token":  {"GET", own, token},
		"no token":           {"GET", own, ""},
		"a client made here": {"GET", at + "/" + a.made(t, `{"name":"Here"}`).id, access},
		"nobody":             {"DELETE", at + "/nobody", access},
		"a third time":       {"POST", at, token},
		"a registration's":   {"POST", at, access},
		"none to register":   {"POST", at, ""},
	} {
		status, out, header := a.register(t, try[0], try[1], try[2], body)
		require.Equal(t, 401, status, "%s: %v", name, out)
		require.Equal(t, "invalid_token", out["error"], name)
		require.True(t, strings.HasPrefix(header.Get("WWW-Authenticate"), "Bearer"), name)
		a.clock.Advance(time.Minute)
	}

	a.clock.Set(time.Now().Add(20 * time.Minute))
	status, c, _ = a.register(t, "DELETE", own, access, "")
	require.Equal(t, 204, status, c)
	owner := a.signIn(t, "ada@example.com", "default")
	require.Equal(t, 404, a.call(t, owner, "GET", "/oauth/clients/"+m.id, "").status)
	status, _, _ = a.register(t, "GET", own, access, "")
	require.Equal(t, 401, status)
	trail := "" // which entries reach over the bus
	for _, action := range []string{"oauth-client.registered", "oauth-client.updated", "oauth-client.deleted"} {
		require.Eventually(t, func() bool {
			trail = a.call(t, owner, "GET", "/audit?q=oauth-client&limit=100", "").body
			return strings.Contains(trail, action)
		}, 10*time.Second, 10*time.Millisecond, action)
	}
	require.NotContains(t, trail, m.secret)
	require.Contains(t, a.call(t, owner, "GET", "/audit?q=oauth-initial-token&limit=100", "").body, `"oauth-initial-token.created"`)
}

// An initial token ends: with its time, its uses, whoever is faster, and when it is
// revoked.
func TestInitialTokensEnd(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	at := a.issuer + "/register"
	const body = `{"redirect_uris":["https://shop.example/cb"]}`
	one := a.initial(t, `{"name":"One"}`)
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r, err := http.NewRequest("POST", at, strings.NewReader(body))
			if err != nil {
				return
			}
			r.Header.Set("Authorization", "Bearer "+one)
			res, err := a.client.Do(r)
			if err != nil {
				return
			}
			_ = res.Body.Close()
			if res.StatusCode == 201 {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, made.Load())
	late := a.initial(t, `{"name":"Late","lifetimeSeconds":60,"uses":5}`)
	gone := a.initial(t, `{"name":"Gone","uses":5}`)
	var ids struct {
		Items []struct{ ID, Name string }
	}
	require.NoError(t, json.Unmarshal([]byte(a.call(t, a.owner, "GET", "/oauth/initial-tokens", "").body), &ids))
	for _, i := range ids.Items {
		if i.Name == "Gone" {
			require.Equal(t, 204, a.call(t, a.owner, "DELETE", "/oauth/initial-tokens/"+i.ID, "").status)
			require.Equal(t, 404, a.call(t, a.owner, "DELETE", "/oauth/initial-tokens/"+i.ID, "").status)
		}
	}
	a.clock.Advance(time.Minute)
	for name, token := range map[string]string{"late": late, "gone": gone} {
		status, out, _ := a.register(t, "POST", at, token, body)
		require.Equal(t, 401, status, "%s: %v", name, out)
	}
	// Of another organization, it is none.
	a.organization(t, "second", "stranger@example.com")
	good := a.initial(t, `{"name":"Good"}`)
	status, out, _ := a.register(t, "POST", a.url+"/oauth/second/register", good, body)
	require.Equal(t, 401, status, out)
	// Who tries tokens out waits.
	last := 0
	for range 30 {
		if last, _, _ = a.register(t, "POST", at, "ghri_wrong", body); last == 429 {
			break
		}
	}
	require.Equal(t, 429, last)
	res := a.call(t, a.owner, "POST", "/oauth/initial-tokens", `{"name":"x","scopes":["nothing"]}`)
	require.Equal(t, 422, res.status, res.body)
	require.Contains(t, res.body, `"pointer":"/scopes/0"`)
}

// A client whose keys are where it says, which is fetched through a guard.
func TestKeysAtAnAddress(t *testing.T) {
	t.Parallel()
	key := newECKey(t)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Use: "sig"}}})
	require.NoError(t, err)
	var fetched atomic.Int32
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/keys", http.StatusFound)
			return
		}
		_, _ = w.Write(set)
	}))
	t.Cleanup(keys.Close)
	ask := func(t *testing.T, a *authority, path string) (int, map[string]any) {
		token := a.initial(t, `{"name":"Partners `+uuid.NewString()+`","grantTypes":["client_credentials"]}`)
		status, c, _ := a.register(t, "POST", a.issuer+"/register", token, `{"grant_types":["client_credentials"],"token_endpoint_auth_method":"private_key_jwt",
			"token_endpoint_auth_signing_alg":"ES256","jwks_uri":"`+keys.URL+path+`"}`)
		require.Equal(t, 201, status, c)
		require.NotContains(t, c, "client_secret")
		var answer map[string]any
		for range 2 {
			id, _ := c["client_id"].(string)
			assertion := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
				"iss": id, "sub": id, "aud": a.issuer + "/token", "jti": uuid.NewString(), "exp": time.Now().Add(time.Minute).Unix(),
			})
			assertion.Header["kid"] = "k1"
			text, err := assertion.SignedString(key)
			require.NoError(t, err)
			status, answer, _ = a.form(t, "token", made{}, url.Values{
				"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {text},
			})
		}
		return status, answer
	}
	open := newAuthority(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	status, answer := ask(t, open, "/keys")
	require.Equal(t, 200, status, answer)
	require.EqualValues(t, 1, fetched.Load(), "they are remembered")
	status, answer = ask(t, open, "/moved")
	require.Equal(t, 401, status, answer)
	guarded := newAuthority(t)
	before := fetched.Load()
	status, answer = ask(t, guarded, "/keys")
	require.Equal(t, 401, status, answer)
	require.Equal(t, before, fetched.Load(), "the guard lets nobody to this machine")
}

// What an administrator changes of a client that registered itself, it keeps to; and
// people are asked about where it sends them.
func TestAdministratorsBindWhoRegistered(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	a.scopes(t, "orders:read", "orders:write")
	token := a.initial(t, `{"name":"Partners","scopes":["openid","offline_access","orders:read","orders:write"],"audiences":["https://orders.example","https://stock.example"],
		"grantTypes":["authorization_code","refresh_token","client_credentials"]}`)
	const whole = `"redirect_uris":["https://shop.example/cb"],"grant_types":["authorization_code","refresh_token","client_credentials"],"scope":"openid offline_access orders:read orders:write"`
	status, c, _ := a.register(t, "POST", a.issuer+"/register", token, `{`+whole+`}`)
	require.Equal(t, 201, status, c)
	m := made{c["client_id"].(string), c["client_secret"].(string)}
	own, access := c["registration_client_uri"].(string), c["registration_access_token"].(string)
	change := func(body string) (int, map[string]any) {
		status, out, _ := a.register(t, "PUT", own, access, `{"client_id":"`+m.id+`",`+body+`}`)
		return status, out
	}
	admin := func(body string) answer {
		return a.call(t, a.owner, "PATCH", "/oauth/clients/"+m.id, body, anyVersion...)
	}

	shop := a.app(t, m, "openid", "offline_access", "orders:read")
	shop.config.RedirectURL = "https://shop.example/cb"
	signIn := func() *url.URL {
		return shop.visit(t, a.owner, shop.config.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	}
	verifier := oauth2.GenerateVerifier()
	page := shop.visit(t, a.owner, shop.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
	to := shop.decide(t, a.owner, page, "true")
	got, err := shop.config.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
	require.NoError(t, err)
	require.NotEqual(t, "/consent", signIn().Path, "it was allowed")

	// The same metadata again asks nobody; another address does, and ends what there was.
	status, c = change(whole)
	require.Equal(t, 200, status, c)
	require.NotEqual(t, "/consent", signIn().Path)
	status, c = change(strings.Replace(whole, `"https://shop.example/cb"`, `"https://shop.example/cb","https://evil.example/cb"`, 1))
	require.Equal(t, 200, status, c)
	require.Equal(t, "/consent", signIn().Path)
	status, body, _ := a.form(t, "token", m, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}})
	require.Equal(t, 400, status, body)

	require.Equal(t, 422, admin(`{"skipConsent":true}`).status)
	require.Equal(t, 200, admin(`{"scopes":["openid","orders:read"],"grantTypes":["client_credentials"],"redirectUris":[],"audiences":["https://orders.example"],"dpopBound":true}`).status)
	status, c = change(whole)
	require.Equal(t, 400, status, "scopes and grants are the administrator's to say: %v", c)
	status, c = change(`"grant_types":["client_credentials"],"scope":"orders:write"`)
	require.Equal(t, 400, status, c)
	status, c = change(`"grant_types":["client_credentials"],"scope":"orders:read","dpop_bound_access_tokens":false`)
	require.Equal(t, 200, status, c)
	require.Equal(t, true, c["dpop_bound_access_tokens"])
	seen := a.call(t, a.owner, "GET", "/oauth/clients/"+m.id, "")
	require.Contains(t, seen.body, `"audiences":["https://orders.example"]`)
	require.Contains(t, seen.body, `"dpopBound":true`)
	status, body, _ = a.form(t, "token", m, url.Values{"grant_type": {"client_credentials"}, "scope": {"orders:write"}})
	require.Equal(t, 400, status, body)

	// And given back by who took it.
	require.Equal(t, 200, admin(`{"scopes":["openid","orders:read","orders:write"],"dpopBound":false}`).status)
	status, c = change(`"grant_types":["client_credentials"],"scope":"orders:write"`)
	require.Equal(t, 200, status, c)
	require.NotContains(t, c, "dpop_bound_access_tokens")
}
