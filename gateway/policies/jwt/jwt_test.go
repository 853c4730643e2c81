package jwt_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/internal/keyset"
	"github.com/gatehouse/gatehouse/gateway/policies/jwt"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sets(t testing.TB, c *policytest.Clock, client *http.Client) *keyset.Sets {
	t.Helper()
	o := keyset.Options{HTTP: client}
	if c != nil {
		o.Now = c.Now
	}
	s := keyset.New(o)
	t.Cleanup(s.Close)
	return s
}

func harness(t *testing.T, config string, options ...policytest.Option) *policytest.Harness {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(policytest.JSON(t, config), &m))
	if m == nil {
		m = map[string]any{}
	}
	if m["jwksUrl"] == nil && m["publicKey"] == nil && m["secret"] == nil {
		m["jwks"] = keys().jwks
	}
	raw, err := json.Marshal(m)
	require.NoError(t, err)
	return policytest.New(t, jwt.Definition(), string(raw), append([]policytest.Option{policytest.WithKeySets(sets(t, nil, nil))}, options...)...)
}

const usual = `{issuer: ["https://idp.example"], audience: [orders]}`

func TestAccepted(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, jwt.Definition())
	s := keys()
	for name, c := range map[string]struct{ config, token string }{
		"RS256":                 {usual, s.sign("RS256", nil, with(nil))},
		"PS512":                 {usual, s.sign("PS512", nil, with(nil))},
		"ES256":                 {usual, s.sign("ES256", nil, with(nil))},
		"EdDSA":                 {usual, s.sign("EdDSA", nil, with(nil))},
		"no kid":                {usual, s.sign("ES256", map[string]any{"kid": nil}, with(nil))},
		"PEM":                   {"publicKey: " + fmt.Sprintf("%q", s.pem), s.sign("RS256", map[string]any{"kid": "any"}, with(nil))},
		"secret":                {`secret: "0123456789abcdef0123456789abcdef"`, hs([]byte("0123456789abcdef0123456789abcdef"), `{"alg":"HS256"}`, with(nil))},
		"one of the audiences":  {usual, s.sign("ES256", nil, with(claims{"aud": []string{"x", "orders"}}))},
		"within the clock skew": {usual, s.sign("ES256", nil, with(claims{"exp": now - 59, "nbf": now + 60, "iat": now + 60}))},
		"exp with a fraction":   {usual, s.sign("ES256", nil, with(claims{"exp": float64(now) + 300.5}))},
		"at+jwt":                {usual, s.sign("ES256", map[string]any{"typ": "at+jwt"}, with(nil))},
		"at+jwt as needed":      {`type: at+jwt`, s.sign("ES256", map[string]any{"typ": "application/AT+JWT"}, with(nil))},
		"no typ":                {usual, s.sign("ES256", map[string]any{"typ": nil}, with(nil))},
		"no exp, allowed":       {`allowNoExpiry: true`, s.sign("ES256", nil, with(claims{"exp": nil}))},
		"claims":                {`{requiredClaims: [a.b], claims: {tier: [x, "1"], "roles": [admin]}}`, s.sign("ES256", nil, with(claims{"a": claims{"b": 0}, "tier": 1, "roles": []string{"user", "admin"}}))},
		"all scopes":            {`scopes: [read, write]`, s.sign("ES256", nil, with(nil))},
		"any scope":             {`{scopes: [delete, write], scopeMatch: any}`, s.sign("ES256", nil, with(nil))},
		"scp as a list":         {`scopes: [read]`, s.sign("ES256", nil, with(claims{"scope": nil, "scp": []string{"read"}}))},
		"max lifetime":          {`maxLifetime: 310s`, s.sign("ES256", nil, with(nil))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := harness(t, c.config)
			for range 2 { // verified, and remembered
				res := h.Do(bearerOf(c.token), policytest.Upstream{})
				res.Check(policytest.Want{})
				caller := res.Exchange().Caller
				require.Equal(t, policy.KindJWT, caller.Kind)
				require.Equal(t, "alice", caller.Subject)
				require.Equal(t, "https://idp.example", caller.Issuer)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := keys()
	const body = `{"exp":99999999999,"iss":"https://idp.example","aud":"orders"}`
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	foreign := *s
	foreign.ec = other
	good := s.sign("ES256", nil, with(nil))
	parts := strings.Split(good, ".")
	for name, c := range map[string]struct {
		config, token string
		code          problem.Code
	}{
		// RFC 8725 sections 2.1, 3.1, 3.2
		"alg none":                  {usual, unsigned(`{"alg":"none"}`, body, nil), ""},
		"alg NONE":                  {usual, unsigned(`{"alg":"nOnE"}`, body, []byte("x")), ""},
		"alg none, signature kept":  {usual, b64([]byte(`{"alg":"none","kid":"e"}`)) + "." + parts[1] + "." + parts[2], ""},
		"no alg":                    {usual, unsigned(`{"typ":"JWT"}`, body, []byte("x")), ""},
		"alg not a text":            {usual, unsigned(`{"alg":["ES256"]}`, body, []byte("x")), ""},
		"alg in capitals":           {usual, unsigned(`{"ALG":"ES256"}`, body, []byte("x")), ""},
		"HS256 with the PEM":        {"publicKey: " + fmt.Sprintf("%q", s.pem), hs([]byte(s.pem), `{"alg":"HS256"}`, with(nil)), ""},
		"HS256 with the modulus":    {usual, hs(s.rsa.N.Bytes(), `{"alg":"HS256","kid":"r"}`, with(nil)), ""},
		"HS256 with an empty key":   {usual, hs(nil, `{"alg":"HS256","kid":"r"}`, with(nil)), ""},
		"RS256 under a secret":      {`secret: "0123456789abcdef0123456789abcdef"`, s.sign("RS256", nil, with(nil)), ""},
		"not on the list":           {`algorithms: [ES256]`, s.sign("RS256", nil, with(nil)), ""},
		"PS256 with RS256 pinned":   {`algorithms: [RS256]`, s.sign("PS256", nil, with(nil)), ""},
		"alg of another key":        {usual, s.sign("ES256", map[string]any{"kid": "r"}, with(nil)), ""},
		"unknown kid":               {usual, s.sign("ES256", map[string]any{"kid": "zzz"}, with(nil)), ""},
		"kid not a text":            {usual, s.sign("ES256", map[string]any{"kid": 1}, with(nil)), ""},
		"another key":               {usual, foreign.sign("ES256", nil, with(nil)), ""},
		"own key in the header":     {usual, foreign.sign("ES256", map[string]any{"jwk": claims{"kty": "EC"}, "jku": "https://evil.example", "x5u": "https://evil.example"}, with(nil)), ""},
		"ES256 of zeros":            {usual, b64([]byte(`{"alg":"ES256","kid":"e"}`)) + "." + parts[1] + "." + b64(make([]byte, 64)), ""}, // CVE-2022-21449
		"empty signature":           {usual, parts[0] + "." + parts[1] + ".", ""},
		"changed claims":            {usual, parts[0] + "." + b64([]byte(body)) + "." + parts[2], ""},
		"crit":                      {usual, s.sign("ES256", map[string]any{"crit": []string{"exp"}}, with(nil)), ""},
		"zip":                       {usual, s.sign("ES256", map[string]any{"zip": "DEF"}, with(nil)), ""},
		"unencoded payload":         {usual, s.sign("ES256", map[string]any{"b64": false}, with(nil)), ""},
		"nested":                    {usual, s.sign("ES256", map[string]any{"cty": "JWT"}, with(nil)), ""},
		"five parts":                {usual, good + ".x.y", ""},
		"two parts":                 {usual, parts[0] + "." + parts[1], ""},
		"padding":                   {usual, parts[0] + "." + parts[1] + "." + parts[2] + "==", ""},
		"loose last bits":           {usual, parts[0] + "." + parts[1] + "." + parts[2][:len(parts[2])-1] + loose(parts[2]), ""},
		"white space":               {usual, parts[0] + ". " + parts[1] + "." + parts[2], ""},
		"a text":                    {usual, s.sign("ES256", nil, `"alice"`), ""},
		"two documents":             {usual, s.sign("ES256", nil, body+body), ""},
		"opaque":                    {usual, "2YotnFZFEjr1zCsicMWpAA", ""},
		"empty":                     {usual, "", ""},
		"large":                     {usual, s.sign("ES256", nil, with(claims{"x": strings.Repeat("x", 20_000)})), ""},
		"another type":              {usual, s.sign("ES256", map[string]any{"typ": "logout+jwt"}, with(nil)), ""}, // section 3.11
		"type as needed":            {`type: at+jwt`, good, ""},
		"another issuer":            {usual, s.sign("ES256", nil, with(claims{"iss": "https://idp.example/"})), ""},
		"no issuer":                 {usual, s.sign("ES256", nil, with(claims{"iss": nil})), ""},
		"another audience":          {usual, s.sign("ES256", nil, with(claims{"aud": "billing"})), ""},
		"no audience":               {usual, s.sign("ES256", nil, with(claims{"aud": nil})), ""},
		"expired":                   {usual, s.sign("ES256", nil, with(claims{"exp": now - 60})), problem.CodeCredentialExpired},
		"no exp":                    {usual, s.sign("ES256", nil, with(claims{"exp": nil})), ""},
		"exp a text":                {usual, s.sign("ES256", nil, with(claims{"exp": "never"})), ""},
		"exp beyond all":            {usual, s.sign("ES256", nil, `{"exp":1e300,"iss":"https://idp.example","aud":"orders"}`), ""},
		"not yet":                   {usual, s.sign("ES256", nil, with(claims{"nbf": now + 61})), ""},
		"issued in the future":      {usual, s.sign("ES256", nil, with(claims{"iat": now + 61})), ""},
		"too long a life":           {`maxLifetime: 1m`, good, ""},
		"life of unknown length":    {`maxLifetime: 1h`, s.sign("ES256", nil, with(claims{"iat": nil})), ""},
		"a claim that is missing":   {`requiredClaims: [a.b]`, good, ""},
		"a claim of another value":  {`claims: {tier: ["1"]}`, s.sign("ES256", nil, with(claims{"tier": 2})), ""},
		"a scope that is missing":   {`scopes: [read, delete]`, good, problem.CodeScopeMissing},
		"no scope of any":           {`{scopes: [delete], scopeMatch: any}`, good, problem.CodeScopeMissing},
		"no application":            {`application: required`, good, problem.CodeAccessDenied},
		"bound to a certificate":    {usual, s.sign("ES256", nil, with(claims{"cnf": claims{"x5t#S256": "x"}})), ""},
		"bound by DPoP":             {usual, s.sign("ES256", nil, with(claims{"cnf": claims{"jkt": "x"}})), ""},
		"bound, who knows how":      {usual, s.sign("ES256", nil, with(claims{"cnf": "x"})), ""},
		"not bound though it must":  {`requireBound: true`, good, ""},
		"another key in the secret": {`secret: "0123456789abcdef0123456789abcdef"`, hs([]byte("0123456789abcdef0123456789abcdeF"), `{"alg":"HS256"}`, with(nil)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code := c.code
			if code == "" {
				code = problem.CodeCredentialInvalid
			}
			status := 401
			if code == problem.CodeScopeMissing || code == problem.CodeAccessDenied {
				status = 403
			}
			h := harness(t, c.config)
			for range 2 {
				res := h.Do(bearerOf(c.token), policytest.Upstream{})
				res.Check(policytest.Want{Status: status, Code: code, NotSent: true})
				require.Equal(t, policy.Caller{}, res.Exchange().Caller)
				if len(c.token) > 20 { // no answer, note or error shows the token
					require.NotContains(t, fmt.Sprintf("%s %v %v %#v", res.Body, res.Header, res.Exchange().Notes(), res.Exchange().Outcome.Err), c.token[len(c.token)-20:])
				}
			}
		})
	}
}

// loose returns the last character of a signature with bits set that count for
// nothing.
func loose(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1])
}

func TestChallenges(t *testing.T) { // RFC 6750 section 3
	t.Parallel()
	h := harness(t, `{scopes: ["orders:read", admin], realm: orders}`)
	h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{
		Status: 401, Code: problem.CodeCredentialMissing, Header: map[string]string{"Www-Authenticate": `Bearer realm="orders"`},
	})
	h.Do(bearerOf("x"), policytest.Upstream{}).Check(policytest.Want{
		Status: 401, Code: problem.CodeCredentialInvalid,
		Header: map[string]string{"Www-Authenticate": `Bearer realm="orders", error="invalid_token", error_description="the token is not a signed JSON Web Token"`},
	})
	h.Do(bearerOf(keys().sign("ES256", nil, with(nil))), policytest.Upstream{}).Check(policytest.Want{
		Status: 403, Code: problem.CodeScopeMissing,
		Header: map[string]string{"Www-Authenticate": `Bearer realm="orders", error="insufficient_scope", scope="orders:read admin"`},
	})
}

func TestSourcesHidingAndHeaders(t *testing.T) {
	t.Parallel()
	token := keys().sign("ES256", nil, with(claims{"roles": []string{"a", "b"}, "evil": "x\r\nY: z", "org": claims{"id": 9007199254740993}}))
	h := harness(t, `{cookie: at, query: access_token, hide: true, headers: {X-User: sub, X-Roles: roles, X-Evil: evil, X-Org: org.id}}`)
	sent := &policytest.Sent{Header: map[string]string{
		"Authorization": "", "Cookie": "", "X-User": "alice", "X-Roles": "a,b", "X-Evil": "", "X-Org": "9007199254740993", "X_user": "", "X.Roles": "",
	}}
	r := bearerOf(token)
	r.Header["x-user"], r.Header["X_USER"], r.Header["X.Roles"], r.Header["X-Evil"] = "root", "root", "root", "kept?"
	h.Do(r, policytest.Upstream{}).Check(policytest.Want{Sent: sent})
	h.Do(policytest.Request{Header: map[string]string{"Cookie": "at=" + token}}, policytest.Upstream{}).Check(policytest.Want{Sent: sent})
	res := h.Do(policytest.Request{Path: "/?a=%41&access_token=" + token + "&b"}, policytest.Upstream{})
	res.Check(policytest.Want{Sent: &policytest.Sent{Query: "a=%41&b"}})
	r = bearerOf(token)
	r.Path = "/?access_token=" + token
	h.Do(r, policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid, Detail: "more than one"})
	// What the client sends under the names goes even where the token is missing,
	// since another plan may accept the request. R12.1
	res = h.Do(policytest.Request{Header: map[string]string{"x_user": "root", "X-Roles": "root", "X-Other": "x"}}, policytest.Upstream{})
	res.Check(policytest.Want{Status: 401, Code: problem.CodeCredentialMissing})
	require.Equal(t, []policy.Field{{Name: "X-Other", Value: "x"}}, res.Exchange().Request.Header.Fields())
	harness(t, usual).Do(policytest.Request{Path: "/?access_token=" + token}, policytest.Upstream{}).
		Check(policytest.Want{Status: 401, Code: problem.CodeCredentialMissing})
}

func TestTheApplicationIsFoundByTheClientAndActsAtOnce(t *testing.T) {
	t.Parallel()
	app := &policy.Application{ID: "storefront"}
	creds := policytest.Credentials{policy.KindJWT: {
		"storefront": {ID: "c1", Application: app, Plan: "gold"},
		"alice":      {ID: "c2", Application: &policy.Application{ID: "alices"}},
		"old":        {ID: "c3", Application: app, ExpiresAt: now},
	}}
	h := harness(t, `application: required`, policytest.WithCredentials(creds))
	do := func(c claims) *policytest.Result {
		return h.Do(bearerOf(keys().sign("EdDSA", nil, with(c))), policytest.Upstream{})
	}
	res := do(nil)
	res.Check(policytest.Want{})
	require.Equal(t, "c1", res.Exchange().Caller.Credential)
	require.Equal(t, "gold", res.Exchange().Caller.Plan)
	res = do(claims{"client_id": nil, "azp": "storefront"})
	require.Equal(t, "storefront", res.Exchange().Caller.ApplicationID())
	res = do(claims{"client_id": nil})
	require.Equal(t, "alices", res.Exchange().Caller.ApplicationID())
	do(claims{"client_id": "other"}).Check(policytest.Want{Status: 403, Code: problem.CodeAccessDenied})
	do(claims{"client_id": "old"}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialExpired})
	// R16.1: a token that is remembered does not outlive the credential.
	delete(creds[policy.KindJWT], "storefront")
	do(nil).Check(policytest.Want{Status: 403, Code: problem.CodeAccessDenied})
}

func TestTokensBoundToACertificate(t *testing.T) { // RFC 8705
	t.Parallel()
	cert := &x509.Certificate{Raw: []byte("certificate")}
	d := sha256.Sum256(cert.Raw)
	token := keys().sign("ES256", nil, with(claims{"cnf": claims{"x5t#S256": b64(d[:])}}))
	h := harness(t, `requireBound: true`)
	for _, c := range []struct {
		state *tls.ConnectionState
		want  policytest.Want
	}{
		{&tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}, policytest.Want{}},
		{&tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Raw: []byte("other")}}}, policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid}},
		{&tls.ConnectionState{}, policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid}},
		{nil, policytest.Want{Status: 401, Code: problem.CodeCredentialInvalid}},
	} {
		r := bearerOf(token)
		r.Edit = func(ex *policy.Exchange) { ex.Request.TLS = c.state }
		h.Do(r, policytest.Upstream{}).Check(c.want)
	}
}

func TestARememberedTokenEndsWithItsTime(t *testing.T) {
	t.Parallel()
	h := harness(t, usual)
	token := keys().sign("ES256", nil, with(claims{"exp": now + 30}))
	h.Do(bearerOf(token), policytest.Upstream{}).Check(policytest.Want{})
	h.Clock.Advance(89 * time.Second)
	h.Do(bearerOf(token), policytest.Upstream{}).Check(policytest.Want{})
	h.Clock.Advance(time.Second)
	h.Do(bearerOf(token), policytest.Upstream{}).Check(policytest.Want{Status: 401, Code: problem.CodeCredentialExpired})
}

// The whole way: keys over HTTPS, an outage, a key that is taken out.
func TestKeysFromTheIssuer(t *testing.T) {
	t.Parallel()
	var doc atomic.Value
	doc.Store(keys().jwks)
	var down atomic.Bool
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(doc.Load().(string)))
	}))
	t.Cleanup(srv.Close)
	clock := policytest.NewClock()
	client := srv.Client()
	t.Cleanup(client.CloseIdleConnections)
	ks := sets(t, clock, client)
	h := harness(t, "{jwksUrl: "+srv.URL+", refresh: 1m, maxStale: 10m, cacheTtl: 1h}", policytest.WithKeySets(ks))
	token := keys().sign("ES256", nil, with(claims{"exp": now + 86400}))
	at := func() *policytest.Result {
		h.Clock.Advance(clock.Now().Sub(h.Clock.Now()))
		return h.Do(bearerOf(token), policytest.Upstream{})
	}
	at().Check(policytest.Want{})
	down.Store(true)
	clock.Advance(10 * time.Minute)
	at().Check(policytest.Want{})
	clock.Advance(2 * time.Minute) // R8.2, R8.3: a remembered token does not outlive the keys
	at().Check(policytest.Want{Status: 503, Code: problem.CodeDependencyDown, Header: map[string]string{"Retry-After": "5"}})
	down.Store(false)
	clock.Advance(time.Minute)
	require.Eventually(t, func() bool { return at().Status == 200 }, 30*time.Second, time.Millisecond)
	// R8.2: a key that is taken out ends with one refresh, remembered or not.
	var set map[string][]map[string]any
	require.NoError(t, json.Unmarshal([]byte(keys().jwks), &set))
	set["keys"] = set["keys"][:1]
	left, err := json.Marshal(set)
	require.NoError(t, err)
	doc.Store(string(left))
	clock.Advance(time.Minute)
	require.Eventually(t, func() bool { return at().Status == 401 }, 30*time.Second, time.Millisecond)
}

// R8.3: an issuer that was never reached denies with 503.
func TestNoKeysIsNeverAPass(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, jwt.Definition(), `jwksUrl: https://idp.example/keys`)
	res := h.Do(bearerOf(keys().sign("ES256", nil, with(nil))), policytest.Upstream{})
	res.Check(policytest.Want{Status: 503, Code: problem.CodeDependencyDown, NotSent: true})
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	jwks, _ := json.Marshal(keys().jwks)
	keyPEM, _ := json.Marshal(keys().pem)
	for _, c := range []string{
		`{}`, `{jwksUrl: "http://idp.example/keys"}`, `{jwksUrl: "https://idp.example/keys", secret: "0123456789abcdef0123456789abcdef"}`,
		`{secret: short}`, `{secret: "env:GATEHOUSE_TEST_NOT_SET"}`, `{secret: ` + string(keyPEM) + `}`,
		`{secret: "0123456789abcdef0123456789abcdef", algorithms: [RS256]}`, `{secret: "0123456789abcdef0123456789abcdef", algorithms: [HS512]}`,
		`{jwks: ` + string(jwks) + `, algorithms: [HS256]}`, `{jwks: ` + string(jwks) + `, algorithms: [none]}`, `{jwks: ` + string(jwks) + `, algorithms: []}`,
		`{jwks: '{"keys":[]}'}`, `{jwks: '{"keys":[{"kty":"oct","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]}'}`, `{publicKey: "-----BEGIN NOTHING-----"}`,
		`{jwks: ` + string(jwks) + `, scopes: ["a b"]}`, `{jwks: ` + string(jwks) + `, header: "a b"}`, `{jwks: ` + string(jwks) + `, headers: {"a b": sub}}`,
		`{jwks: ` + string(jwks) + `, claims: {a: []}}`, `{jwks: ` + string(jwks) + `, realm: "a\"b"}`, `{jwks: ` + string(jwks) + `, header: ""}`,
	} {
		_, err := policytest.Compile(t, jwt.Definition(), c)
		require.Error(t, err, c)
		require.NotContains(t, fmt.Sprint(err), "0123456789abcdef0123456789abcdef")
	}
}

func FuzzToken(f *testing.F) {
	s := keys()
	f.Add(s.sign("ES256", nil, with(nil)))
	f.Add(unsigned(`{"alg":"none"}`, `{}`, nil))
	f.Add("..")
	raw, _ := json.Marshal(map[string]any{"jwks": s.jwks})
	ks := keyset.New(keyset.Options{})
	f.Cleanup(ks.Close)
	hooks, err := jwt.Definition().Compile(raw, policy.Env{KeySets: ks})
	require.NoError(f, err)
	good := map[string]bool{}
	f.Fuzz(func(t *testing.T, token string) {
		ex := &policy.Exchange{Start: time.Unix(now, 0)}
		ex.Request.Header.Add("Authorization", "Bearer "+token)
		if hooks.Inbound(ex) != nil {
			return
		}
		// Only the seed was signed: whatever passes must be it.
		good[strings.TrimSpace(token)] = true
		require.LessOrEqual(t, len(good), 1)
	})
}
