package tenantmanager_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// signer makes a client that proves who it is with a key, and what asks for a token
// with an assertion of a jti.
func (a *authority) signer(t testing.TB, name string) (made, func(jti string) (int, map[string]any)) {
	t.Helper()
	key := newECKey(t)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Use: "sig"}}})
	require.NoError(t, err)
	body, err := json.Marshal(map[string]any{"name": name, "authMethod": "private_key_jwt", "jwks": string(set), "assertionAlgorithm": "ES256"})
	require.NoError(t, err)
	m := a.made(t, string(body))
	return m, func(jti string) (int, map[string]any) {
		token := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
			"iss": m.id, "sub": m.id, "aud": a.issuer + "/token", "jti": jti, "exp": time.Now().Add(time.Minute).Unix(),
		})
		token.Header["kid"] = "k1"
		text, err := token.SignedString(key)
		require.NoError(t, err)
		status, out, _ := a.form(t, "token", made{}, url.Values{
			"grant_type": {"client_credentials"}, "client_id": {m.id}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {text},
		})
		return status, out
	}
}

// What cannot be found out is no refusal: nobody is counted as guessing, and who was
// right has their tokens as soon as Redis is back.
func TestAnOutageIsNoGuess(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	a := newAuthority(t, func(c *tenantmanager.Config) {
		c.OAuth.Redis = &tenantmanager.Redis{Addresses: []string{server.Addr}, Password: schema.NewSecret(server.Password), Prefix: "outage:"}
	})
	m, ask := a.signer(t, "Signer")
	plain := a.made(t, `{"name":"Plain","mayIntrospect":true,"grantTypes":["client_credentials","authorization_code"],"redirectUris":["https://shop.example/cb"]}`)
	status, body := ask(uuid.NewString())
	require.Equal(t, 200, status, body)
	token := a.token(t, plain)
	require.True(t, a.isActive(t, plain, token))
	server.Kill()
	for range 15 { // more than somebody may guess
		status, body = ask(uuid.NewString())
		require.Equal(t, 503, status, body)
		require.Equal(t, "temporarily_unavailable", body["error"])
	}
	for endpoint, form := range map[string]url.Values{
		"introspect": {"token": {token}},
		"revoke":     {"token": {token}},
		"token":      {"grant_type": {"authorization_code"}, "code": {"ghc_x"}, "redirect_uri": {"https://shop.example/cb"}, "code_verifier": {strings.Repeat("v", 50)}},
	} {
		status, body, _ := a.form(t, endpoint, plain, form)
		require.Equal(t, 503, status, "%s: %v", endpoint, body)
		require.Equal(t, "temporarily_unavailable", body["error"], endpoint)
	}
	server.Restart()
	require.Eventually(t, func() bool { // the connections come back
		status, body = ask(uuid.NewString())
		require.Contains(t, []int{200, 503}, status, body)
		return status == 200
	}, 60*time.Second, 50*time.Millisecond)
	require.True(t, a.isActive(t, plain, token))
	res := a.call(t, a.owner, "GET", "/audit?action=oauth-client.authenticated&outcome=refused", "")
	require.NotContains(t, res.body, m.id)
}

// What one client names its assertion, another one may as well.
func TestAssertionsAreTheirIssuers(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	_, one := a.signer(t, "One")
	_, two := a.signer(t, "Two")
	for _, ask := range []func(string) (int, map[string]any){one, two} {
		status, body := ask("1")
		require.Equal(t, 200, status, body)
	}
	status, body := one("1")
	require.Equal(t, 400, status, body)
}

// Forms are read in the one way that everything is held against.
func TestOnlyFormsAreTaken(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	m := a.made(t, `{"name":"Billing"}`)
	send := func(endpoint, kind, body string) int {
		r, err := http.NewRequestWithContext(t.Context(), "POST", a.issuer+"/"+endpoint, strings.NewReader(body))
		require.NoError(t, err)
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		r.SetBasicAuth(m.id, m.secret)
		res, err := a.client.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	const form = "application/x-www-form-urlencoded"
	for _, kind := range []string{form, form + ";charset=UTF-8", form + "; charset=\"utf-8\"", "Application/X-WWW-Form-Urlencoded"} {
		require.Equal(t, 200, send("token", kind, "grant_type=client_credentials"), kind)
	}
	part := "--b\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
	multi := fmt.Sprintf(part, "grant_type", "client_credentials") + fmt.Sprintf(part, "client_id", m.id) + "--b--\r\n"
	for _, endpoint := range []string{"token", "introspect", "revoke", "par", "device_authorization", "authorize", "userinfo", "logout"} {
		require.Equal(t, 400, send(endpoint, "multipart/form-data; boundary=b", multi), endpoint)
	}
	for _, kind := range []string{"", "application/json", form + ";charset=utf-16", "text/plain", form + "; charset"} {
		require.Equal(t, 400, send("token", kind, "grant_type=client_credentials"), kind)
	}
}

// A gateway may ask about as many tokens as it is sent; others are held to what they
// may have.
func TestAGatewayMayAskAsOftenAsItIsAsked(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, func(c *tenantmanager.Config) { c.OAuth.TokensPerSecond = 5 })
	gateway := a.made(t, `{"name":"Gateway","mayIntrospect":true}`)
	curious := a.made(t, `{"name":"Curious"}`)
	good := a.token(t, gateway)
	for i := range 60 {
		status, body, _ := a.form(t, "introspect", gateway, url.Values{"token": {fmt.Sprint("junk", i)}})
		require.Equal(t, 200, status, body)
		require.Equal(t, false, body["active"])
	}
	require.True(t, a.isActive(t, gateway, good))
	last := 0
	for i := range 30 {
		if last, _, _ = a.form(t, "introspect", curious, url.Values{"token": {fmt.Sprint("junk", i)}}); last == 429 {
			break
		}
	}
	require.Equal(t, 429, last)
	for range 30 { // its own tokens are counted as those of others
		if last, _, _ = a.form(t, "token", gateway, url.Values{"grant_type": {"client_credentials"}}); last == 429 {
			break
		}
	}
	require.Equal(t, 429, last)
}

// A client that changes itself several times at once is what one of the changes says.
func TestRegistrationsChangedAtTheSameTime(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	token := a.initial(t, `{"name":"Partners","grantTypes":["client_credentials"]}`)
	status, c, _ := a.register(t, "POST", a.issuer+"/register", token, `{"client_name":"Shop","grant_types":["client_credentials"]}`)
	require.Equal(t, 201, status, c)
	own, _ := c["registration_client_uri"].(string)
	access, _ := c["registration_access_token"].(string)
	statuses := make([]int, 8)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			statuses[i], _, _ = a.register(t, "PUT", own, access, fmt.Sprintf(`{"client_id":%q,"client_name":"Shop %d","grant_types":["client_credentials"]}`, c["client_id"], i))
		})
	}
	all.Wait()
	for _, status := range statuses {
		require.Equal(t, 200, status)
	}
	status, c, _ = a.register(t, "GET", own, access, "")
	require.Equal(t, 200, status)
	require.Regexp(t, `^Shop \d$`, c["client_name"])
}
