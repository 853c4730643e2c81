package tenantmanager_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
)

func newECKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return k
}

// A client that signs assertions in place of a secret (RFC 7523).
func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	key := newECKey(t)
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1"}}})
	require.NoError(t, err)
	body, err := json.Marshal(map[string]any{"name": "Signer", "authMethod": "private_key_jwt", "jwks": string(set), "assertionAlgorithm": "ES256"})
	require.NoError(t, err)
	m := a.made(t, string(body))
	require.Empty(t, m.secret)
	assertion := func(by *ecdsa.PrivateKey, change func(jwt.MapClaims)) string {
		c := jwt.MapClaims{"iss": m.id, "sub": m.id, "aud": a.issuer + "/token", "jti": uuid.NewString(), "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix()}
		if change != nil {
			change(c)
		}
		token := jwt.NewWithClaims(jwt.SigningMethodES256, c)
		token.Header["kid"] = "k1"
		s, err := token.SignedString(by)
		require.NoError(t, err)
		return s
	}
	ask := func(assertion string) (int, map[string]any) {
		status, body, _ := a.form(t, "token", made{}, url.Values{
			"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
		})
		return status, body
	}
	good := assertion(key, nil)
	status, answer := ask(good)
	require.Equal(t, 200, status, answer)
	for name, bad := range map[string]string{
		"once":             good,
		"another key":      assertion(newECKey(t), nil),
		"another audience": assertion(key, func(c jwt.MapClaims) { c["aud"] = "https://other.example" }),
		"expired":          assertion(key, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() }),
		"good for long":    assertion(key, func(c jwt.MapClaims) { c["exp"] = time.Now().Add(48 * time.Hour).Unix() }),
		"another client":   assertion(key, func(c jwt.MapClaims) { c["sub"] = "x" }),
	} {
		status, answer := ask(bad)
		require.GreaterOrEqual(t, status, 400, name)
		require.Less(t, status, 500, "%s: %v", name, answer)
	}
	for field, body := range map[string]string{
		"/jwks":               `{"name":"x","authMethod":"private_key_jwt","assertionAlgorithm":"ES256"}`,
		"/assertionAlgorithm": `{"name":"x","authMethod":"private_key_jwt","jwks":"{}"}`,
		"/redirectUris/0":     `{"name":"x","grantTypes":["authorization_code"],"redirectUris":["http://shop.example/"]}`,
		"/redirectUris":       `{"name":"x","grantTypes":["authorization_code"]}`,
		"/scopes/0":           `{"name":"x","scopes":["nothing"]}`,
		"/grantTypes":         `{"name":"x","authMethod":"none"}`,
	} {
		res := a.call(t, a.owner, "POST", "/oauth/clients", body)
		require.Equal(t, 422, res.status, res.body)
		require.Contains(t, res.body, `"pointer":"`+field+`"`)
	}
}

// proof returns a DPoP proof (RFC 9449 section 4.2).
func dpopProof(t testing.TB, key *ecdsa.PrivateKey, method, uri, access string, change func(head map[string]any, claims jwt.MapClaims)) string {
	t.Helper()
	raw, err := jose.JSONWebKey{Key: key.Public()}.MarshalJSON()
	require.NoError(t, err)
	var jwk map[string]any
	require.NoError(t, json.Unmarshal(raw, &jwk))
	claims := jwt.MapClaims{"jti": uuid.NewString(), "htm": method, "htu": uri, "iat": time.Now().Unix()}
	if access != "" {
		sum := sha256.Sum256([]byte(access))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["typ"], token.Header["jwk"] = "dpop+jwt", jwk
	if change != nil {
		change(token.Header, claims)
	}
	s, err := token.SignedString(key)
	require.NoError(t, err)
	return s
}

// spa is the address of an application in a browser: its users are not asked each time,
// as they are about programs on their machine.
const spa = "https://spa.example/cb"

// Tokens that are bound to a key (RFC 9449).
func TestDPoP(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	key := newECKey(t)
	m := a.made(t, `{"name":"Bound","dpopBound":true}`)
	uri := a.issuer + "/token"
	grant := url.Values{"grant_type": {"client_credentials"}}
	good := dpopProof(t, key, "POST", uri, "", nil)
	status, body, _ := a.form(t, "token", m, grant, "DPoP", good)
	require.Equal(t, 200, status, body)
	require.Equal(t, "DPoP", body["token_type"])
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(5) // crypto.SHA256
	require.NoError(t, err)
	_, read, _ := a.form(t, "introspect", m, url.Values{"token": {body["access_token"].(string)}})
	require.Equal(t, map[string]any{"jkt": base64.RawURLEncoding.EncodeToString(sum)}, read["cnf"])
	require.Equal(t, "DPoP", read["token_type"])

	mixed := dpopProof(t, key, "POST", uri, "", nil)
	other := dpopProof(t, newECKey(t), "POST", uri, "", nil)
	mixed = mixed[:strings.LastIndex(mixed, ".")] + other[strings.LastIndex(other, "."):]
	for name, bad := range map[string]string{
		"none":             "",
		"twice":            good,
		"another method":   dpopProof(t, key, "GET", uri, "", nil),
		"another address":  dpopProof(t, key, "POST", a.issuer+"/userinfo", "", nil),
		"old":              dpopProof(t, key, "POST", uri, "", func(_ map[string]any, c jwt.MapClaims) { c["iat"] = time.Now().Add(-time.Hour).Unix() }),
		"of the future":    dpopProof(t, key, "POST", uri, "", func(_ map[string]any, c jwt.MapClaims) { c["iat"] = time.Now().Add(time.Hour).Unix() }),
		"another type":     dpopProof(t, key, "POST", uri, "", func(h map[string]any, _ jwt.MapClaims) { h["typ"] = "JWT" }),
		"no key":           dpopProof(t, key, "POST", uri, "", func(h map[string]any, _ jwt.MapClaims) { delete(h, "jwk") }),
		"no id":            dpopProof(t, key, "POST", uri, "", func(_ map[string]any, c jwt.MapClaims) { delete(c, "jti") }),
		"another signer":   mixed,
		"no proof at all":  "x.y.z",
		"RFC 9449 example": "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
	} {
		var header []string
		if bad != "" {
			header = []string{"DPoP", bad}
		}
		status, body, _ := a.form(t, "token", m, grant, header...)
		require.Equal(t, 400, status, "%s: %v", name, body)
		require.Equal(t, "invalid_dpop_proof", body["error"], "%s: %v", name, body)
	}

	// Of a user: the code, the refresh token and userinfo.
	phone := a.made(t, `{"name":"Phone","authMethod":"none","dpopBound":true,"skipConsent":true,"grantTypes":["authorization_code","refresh_token"],"redirectUris":["`+spa+`"],"scopes":["openid","offline_access"]}`)
	app := a.app(t, phone, "openid", "offline_access")
	app.config.RedirectURL = spa
	verifier := oauth2.GenerateVerifier()
	code := func(more ...oauth2.AuthCodeOption) string {
		to := app.visit(t, a.owner, app.config.AuthCodeURL("s", append(more, oauth2.S256ChallengeOption(verifier))...))
		return to.Query().Get("code")
	}
	exchange := func(code string, by *ecdsa.PrivateKey) (int, map[string]any) {
		status, body, _ := a.form(t, "token", made{}, url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {spa}, "client_id": {phone.id}, "code_verifier": {verifier},
		}, "DPoP", dpopProof(t, by, "POST", uri, "", nil))
		return status, body
	}
	status, body = exchange(code(oauth2.SetAuthURLParam("dpop_jkt", base64.RawURLEncoding.EncodeToString(sum))), newECKey(t))
	require.Equal(t, 400, status, "the code is bound to another key: %v", body)
	status, body = exchange(code(oauth2.SetAuthURLParam("dpop_jkt", base64.RawURLEncoding.EncodeToString(sum))), key)
	require.Equal(t, 200, status, body)
	access, refresh := body["access_token"].(string), body["refresh_token"].(string)
	about := func(scheme, proof string) int {
		r, err := http.NewRequestWithContext(t.Context(), "GET", a.issuer+"/userinfo", http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Authorization", scheme+" "+access)
		if proof != "" {
			r.Header.Set("DPoP", proof)
		}
		res, err := a.client.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	require.Equal(t, 401, about("Bearer", ""), "a bound token is no bearer token")
	require.Equal(t, 401, about("DPoP", dpopProof(t, newECKey(t), "GET", a.issuer+"/userinfo", access, nil)))
	require.Equal(t, 401, about("DPoP", dpopProof(t, key, "GET", a.issuer+"/userinfo", "another", nil)))
	require.Equal(t, 200, about("DPoP", dpopProof(t, key, "GET", a.issuer+"/userinfo", access, nil)))
	turn := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {phone.id}}
	status, body, _ = a.form(t, "token", made{}, turn, "DPoP", dpopProof(t, newECKey(t), "POST", uri, "", nil))
	require.Equal(t, 400, status, "another key: %v", body)
	status, body, _ = a.form(t, "token", made{}, turn, "DPoP", dpopProof(t, key, "POST", uri, "", nil))
	require.Equal(t, 200, status, body)
	require.Equal(t, 2, strings.Count(body["access_token"].(string), "."))
}

// A client that wants it gets tokens for proofs with a nonce of the server's alone
// (RFC 9449 section 8), which any instance knows.
func TestDPoPNonces(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	key, uri := newECKey(t), a.issuer+"/token"
	with := func(method, uri, access, nonce string) string {
		return dpopProof(t, key, method, uri, access, func(_ map[string]any, c jwt.MapClaims) {
			c["iat"] = a.clock.Now().Unix()
			if nonce != "" {
				c["nonce"] = nonce
			}
		})
	}
	m := a.made(t, `{"name":"Phone","authMethod":"none","dpopBound":true,"dpopNonce":true,"skipConsent":true,"grantTypes":["authorization_code"],"redirectUris":["`+spa+`"],"scopes":["openid"]}`)
	app, verifier := a.app(t, m, "openid"), oauth2.GenerateVerifier()
	app.config.RedirectURL = spa
	to := app.visit(t, a.owner, app.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
	grant := url.Values{"grant_type": {"authorization_code"}, "code": {to.Query().Get("code")}, "redirect_uri": {spa}, "client_id": {m.id}, "code_verifier": {verifier}}

	// Asked for, and the code is not spent by it.
	status, body, header := a.form(t, "token", made{}, grant, "DPoP", with("POST", uri, "", ""))
	require.Equal(t, 400, status, body)
	require.Equal(t, "use_dpop_nonce", body["error"])
	nonce := header.Get("DPoP-Nonce")
	require.Regexp(t, `^[\x21\x23-\x5b\x5d-\x7e]+$`, nonce)
	require.Equal(t, "no-store", header.Get("Cache-Control"))
	// One that is damaged, and one of another organization's issuer.
	a.organization(t, "second", "two@example.com")
	second := a.signIn(t, "two@example.com", "second")
	res := a.call(t, second, "POST", "/oauth/clients", `{"name":"There","dpopNonce":true}`)
	require.Equal(t, 201, res.status, res.body)
	there := &authority{world: a.world, issuer: a.url + "/oauth/second"}
	_, _, header = there.form(t, "token", made{res.text(t, "client/id"), res.text(t, "secret/secret")}, url.Values{"grant_type": {"client_credentials"}}, "DPoP", with("POST", there.issuer+"/token", "", ""))
	require.NotEmpty(t, header.Get("DPoP-Nonce"))
	for _, bad := range []string{header.Get("DPoP-Nonce"), nonce[:len(nonce)-2] + "AA", "x"} {
		status, body, _ = a.form(t, "token", made{}, grant, "DPoP", with("POST", uri, "", bad))
		require.Equal(t, 400, status, body)
		require.Equal(t, "use_dpop_nonce", body["error"])
	}
	a.cfg.Listen = "127.0.0.1:0"
	b := a.another(t)
	other := &authority{world: b, issuer: b.url + "/oauth/default"}
	status, body, header = other.form(t, "token", made{}, grant, "DPoP", with("POST", uri, "", nonce))
	require.Equal(t, 200, status, body)
	require.NotEmpty(t, header.Get("DPoP-Nonce"), "and the next one")
	access := body["access_token"].(string)

	// At userinfo as well (section 9), and no longer than five minutes.
	about := func(nonce string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), "GET", a.issuer+"/userinfo", http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Authorization", "DPoP "+access)
		r.Header.Set("DPoP", with("GET", a.issuer+"/userinfo", access, nonce))
		res, err := a.client.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res
	}
	asked := about("")
	require.Equal(t, 401, asked.StatusCode)
	require.Contains(t, asked.Header.Get("WWW-Authenticate"), `error="use_dpop_nonce"`)
	require.Equal(t, 200, about(asked.Header.Get("DPoP-Nonce")).StatusCode)
	a.clock.Advance(5*time.Minute + time.Second)
	require.Equal(t, 401, about(asked.Header.Get("DPoP-Nonce")).StatusCode)
	require.Equal(t, 200, about(about("").Header.Get("DPoP-Nonce")).StatusCode)

	// Others send proofs as before, and what they say of a nonce has to be right.
	a.owner = a.signIn(t, "ada@example.com", "default")
	plain := a.made(t, `{"name":"Bound","dpopBound":true}`)
	status, _, header = a.form(t, "token", plain, url.Values{"grant_type": {"client_credentials"}}, "DPoP", with("POST", uri, "", ""))
	require.Equal(t, 200, status)
	require.Empty(t, header.Get("DPoP-Nonce"))
	status, _, _ = a.form(t, "token", plain, url.Values{"grant_type": {"client_credentials"}}, "DPoP", with("POST", uri, "", "x"))
	require.Equal(t, 400, status)
}
