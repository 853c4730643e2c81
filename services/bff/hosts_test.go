package bff_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/bff"
)

func TestHostNamesLeadToTheApps(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *bff.Config) { c.Apps.Tenant = "id.example.org" })
	for host, want := range map[string]string{
		"apim-admin.localhost:8080": "admin-console /orders/1", "APIM-ADMIN.example.com": "admin-console /orders/1",
		"id.example.org": "tenant-console /orders/1", "developers.localhost": "developer-portal /orders/1",
	} {
		a := w.browser(host).do("GET", "/orders/1", "")
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, want, a.body)
		require.Equal(t, []string{"of the page"}, a.header.Values("Content-Security-Policy"))
	}
	for _, host := range []string{"127.0.0.1:8080", "localhost:8080", "[::1]:8080"} {
		a := w.browser(host).do("GET", "/", "")
		require.Equal(t, 200, a.status, a.body)
		require.Contains(t, a.body, `href="http://apim-admin.localhost:8080"`)
		require.Contains(t, a.body, `href="http://id.example.org:8080"`)
		require.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'nonce-")
	}
	require.Equal(t, 404, w.browser("127.0.0.1").do("GET", "/orders", "").status)
	for path, status := range map[string]int{"/health/alive": 200, "/metrics": 404, "/version": 404} {
		require.Equal(t, status, w.browser("127.0.0.1").do("GET", path, "").status, path)
	}
}

// A bff for the internet may serve the portal alone.
func TestAnAppThatIsNotServedHere(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *bff.Config) { c.Apps = bff.Apps{Portal: "developers.*"} })
	require.Equal(t, 404, w.browser(admin).do("GET", "/apis", "").status)
	b := w.browser("developers.example.com")
	require.Equal(t, 200, b.do("GET", "/apis", "").status)
	require.Equal(t, map[string]string{"portal": "http://developers.example.com"}, b.session().Apps)
}

// The authorization server is at the auth console's host alone; it is told who
// uses a browser, and of cookies nothing.
func TestTheAuthorizationServer(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	require.Equal(t, 200, w.browser("auth-admin.example.com").do("GET", "/", "").status)
	for _, path := range []string{"/oauth/acme/token", "/.well-known/oauth-authorization-server/oauth/acme"} {
		require.Equal(t, 404, w.browser(admin).do("GET", path, "").status, path)
	}
	b := w.browser("auth-admin.example.com")
	a := b.do("POST", "/oauth/acme/token", "a=b", "Authorization", "Basic eDp5", "X-Gatehouse-Organization", "x", "Cookie", "gatehouse=x")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "POST /oauth/acme/token Basic eDp5||", a.body)
	require.Empty(t, a.header.Values("Set-Cookie"))
	a = b.do("GET", "/oauth/acme/authorize?x=1", "", "Authorization", "Bearer forged")
	require.Equal(t, "GET /oauth/acme/authorize?x=1 ||", a.body, "nobody is signed in")
	b.session()
	require.Equal(t, 200, b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right"}`).status)
	a = b.do("GET", "/oauth/acme/authorize?x=1", "")
	require.Regexp(t, `^GET /oauth/acme/authorize\?x=1 Bearer ey[^|]+\|\|$`, a.body)
	a = b.do("GET", "/oauth/acme/userinfo", "")
	require.Equal(t, "GET /oauth/acme/userinfo ||", a.body, "the session is for the pages that browsers are sent to")
	a = b.do("GET", "/.well-known/oauth-authorization-server/oauth/acme", "")
	require.Equal(t, "GET /.well-known/oauth-authorization-server/oauth/acme ||", a.body)
}

// Directories of identity providers come in at every app's host with a token of their
// own: who uses the browser says nothing.
func TestProvisioning(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	b.session()
	require.Equal(t, 200, b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right"}`).status)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		a := b.do(method, "/scim/v2/Users?filter=userName+eq+%22a%22", "", "Authorization", "Bearer ghs_x", "X-Gatehouse-Organization", "x")
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, method+" /scim/v2/Users?filter=userName+eq+%22a%22 Bearer ghs_x||", a.body)
		require.Empty(t, a.header.Values("Set-Cookie"))
	}
	require.Equal(t, "GET /scim/v2/Users/x%2Fy ||", b.do("GET", "/scim/v2/Users/x%2Fy", "").body, "the session is not for it")
}

// A browser is known again at which somebody has signed in, and only then keeps
// anything for it.
func TestABrowserIsKnownAgain(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	b := w.browser(admin)
	b.session()
	told := func(b *browser, password string) (string, answer) {
		a := b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"`+password+`"}`, tenant.Device, strings.Repeat("x", 52))
		w.mu.Lock()
		defer w.mu.Unlock()
		require.GreaterOrEqual(t, len(w.lastDevice), 43)
		require.NotContains(t, w.lastDevice, "xxx", "what pages send for it is not passed on")
		return w.lastDevice, a
	}
	before, a := told(b, "wrong")
	require.Empty(t, a.header.Values("Set-Cookie"))
	first, a := told(b, "right")
	require.NotEqual(t, before, first)
	require.Regexp(t, `^gatehouse-device=`+first+`; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax$`, a.header.Values("Set-Cookie")[1])
	require.NotContains(t, a.body, first)
	b.session()
	require.Equal(t, 204, b.do("POST", "/bff/sign-out", "").status)
	b.session()
	again, _ := told(b, "right")
	require.Equal(t, first, again, "also after signing out")
	other := w.browser(admin)
	other.session()
	another, _ := told(other, "right")
	require.NotEqual(t, first, another)
}

// Only a proxy that is named is believed.
func TestWhoCallsBehindAProxy(t *testing.T) {
	t.Parallel()
	var proxy schema.CIDR
	require.NoError(t, proxy.UnmarshalText([]byte("127.0.0.1")))
	w := start(t, func(c *bff.Config) { c.TrustedProxies = []schema.CIDR{proxy} })
	b := w.browser(admin)
	b.session()
	a := b.do("POST", "/bff/sign-in", `{"email":"ada@example.com","password":"right"}`, "X-Forwarded-For", "6.6.6.6, 198.51.100.7, 127.0.0.1", "X-Forwarded-Proto", "https", "Origin", "https://"+admin)
	require.Equal(t, 200, a.status, a.body)
	require.Regexp(t, `^__Host-gatehouse=[A-Za-z0-9_-]{43}; Path=/; Max-Age=\d+; HttpOnly; Secure; SameSite=Lax$`, a.header.Get("Set-Cookie"))
	require.Len(t, a.header.Values("Set-Cookie"), 2)
	for _, set := range a.header.Values("Set-Cookie") {
		require.Contains(t, set, "__Host-gatehouse")
		require.Contains(t, set, "; Secure")
		require.Contains(t, set, "Path=/;")
		require.NotContains(t, set, "Domain")
	}
	ours := strings.SplitN(a.header.Get("Set-Cookie"), ";", 2)[0]
	signedIn := func(cookie string) bool {
		var v view
		a := w.browser(admin).do("GET", "/bff/session", "", "X-Forwarded-Proto", "https", "Cookie", cookie)
		require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
		return v.SignedIn
	}
	require.True(t, signedIn(ours))
	require.False(t, signedIn(strings.TrimPrefix(ours, "__Host-")), "a neighbour could have set that")
	require.Contains(t, a.body, "https://tenant-admin.example.com:8443")
	require.Equal(t, "198.51.100.7", w.lastIP)
	require.Contains(t, b.do("GET", "/", "", "X-Forwarded-Proto", "https").header.Get("Strict-Transport-Security"), "max-age")
}

// The certificate that a client has shown is told to the authorization server by a
// proxy that is named, where that is set, and by nobody else.
func TestCertificatesOfClients(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, key.Public(), key)
	require.NoError(t, err)
	told := ":" + base64.StdEncoding.EncodeToString(der) + ":"
	escaped := url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	var near, far schema.CIDR
	require.NoError(t, near.UnmarshalText([]byte("127.0.0.1")))
	require.NoError(t, far.UnmarshalText([]byte("192.0.2.1")))
	for name, c := range map[string]struct {
		proxy  schema.CIDR
		header string
		sent   []string
		want   string
	}{
		"told":               {near, "Ssl-Client-Cert", []string{"Ssl-Client-Cert", escaped, "X-Forwarded-For", "198.51.100.7"}, " with " + told},
		"no certificate":     {near, "Ssl-Client-Cert", []string{"Ssl-Client-Cert", "x"}, ""},
		"by another peer":    {far, "Ssl-Client-Cert", []string{"Ssl-Client-Cert", escaped}, ""},
		"not set":            {near, "", []string{"Ssl-Client-Cert", escaped}, ""},
		"under our own name": {near, "Ssl-Client-Cert", []string{tenant.ClientCertificate, told}, ""},
	} {
		w := start(t, func(b *bff.Config) { b.TrustedProxies, b.ClientCertificateHeader = []schema.CIDR{c.proxy}, c.header })
		a := w.browser("auth-admin.example.com").do("POST", "/oauth/acme/token", "a=b", c.sent...)
		require.Equal(t, "POST /oauth/acme/token ||"+c.want, a.body, name)
	}
}
