package gateway_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/internal/plane/planetest"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

var hmacKeys = []string{strings.Repeat("first-secret-", 4), strings.Repeat("second-secret", 4)}

// statusWith returns what a call with a token of a key is answered.
func statusWith(t *testing.T, url, key string) int {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "lena", "exp": time.Now().Add(time.Hour).Unix()}).SignedString([]byte(key))
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// A secret that becomes another one in Vault is taken up while the gateway runs, and
// the last one is used while Vault is away.
func TestASecretOfVaultIsTakenUp(t *testing.T) {
	t.Parallel()
	v := testkit.Vault(t, time.Now)
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte(v.Root+"\n"), 0o600))
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `listeners: [{address: "127.0.0.1:0"}]
vault: {address: %q, token: "file:%s/token", refresh: 1s}
apis:
  - name: signed
    basePath: /signed
    upstream: {targets: [{url: "http://127.0.0.1:1"}]}
    policies:
      - jwt: {secret: "vault:secret/gateway/jwt#key", algorithms: [HS256]}
      - mock: {status: 200, body: x}
  - name: open
    basePath: /open
    upstream: {targets: [{url: "http://127.0.0.1:1"}]}
    policies: [{mock: {status: 200, body: x}}]
`, v.URL, dir), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan string, 1), make(chan error, 1)
	o := gateway.Options{Path: path, Policies: policies.All(), Ready: func(a []net.Addr, _ net.Addr) { ready <- "http://" + a[0].String() }}
	go func() { done <- app.Run(ctx, app.Options{}, gateway.Part(o)) }()
	url := <-ready
	becomes := func(key string, want int) {
		t.Helper()
		require.Eventually(t, func() bool { return statusWith(t, url+"/signed", key) == want }, 30*time.Second, 20*time.Millisecond)
	}
	require.Equal(t, 503, statusWith(t, url+"/signed", hmacKeys[0]), "without its secret it lets nobody in")
	require.Equal(t, 200, statusWith(t, url+"/open", ""))
	v.Put("", "gateway/jwt", map[string]any{"key": hmacKeys[0]})
	becomes(hmacKeys[0], 200)
	require.Equal(t, 401, statusWith(t, url+"/signed", hmacKeys[1]))
	v.Away(true)
	v.Put("", "gateway/jwt", map[string]any{"key": hmacKeys[1]})
	require.Equal(t, 200, statusWith(t, url+"/signed", hmacKeys[0]))
	v.Away(false)
	becomes(hmacKeys[1], 200)
	require.Equal(t, 401, statusWith(t, url+"/signed", hmacKeys[0]))
	cancel()
	require.NoError(t, <-done)
}

// What a control plane serves was written by people of an organization: they name no
// secret of the operator's.
func TestPoliciesOfAControlPlaneNameWhatIsListed(t *testing.T) {
	t.Setenv("GATEHOUSE_TEST_OPERATORS", hmacKeys[0])
	v := testkit.Vault(t, time.Now)
	v.Put("", "tenants/"+planetest.Organization+"/jwt", map[string]any{"key": hmacKeys[1]})
	p := planetest.Start(t, false, "gw-1")
	api := func(id, secret string) unit.API {
		a := answeringWith(id, 200)
		a.Policies = append([]unit.Policy{{Type: "jwt", Config: json.RawMessage(fmt.Sprintf(`{"secret":%q,"algorithms":["HS256"]}`, secret))}}, a.Policies...)
		return a
	}
	p.Set(api("a", "env:GATEHOUSE_TEST_OPERATORS"), api("b", "vault:secret/tenants/"+planetest.Organization+"/jwt#key"), api("c", "vault:secret/tenants/other/jwt#key"))
	p.Publish(true)
	c := planeConfig("gw-1", t.TempDir())
	c.Vault = &reference.VaultConfig{Address: v.URL, Token: schema.NewSecret(v.Root)}
	c.References = reference.Rules{Organizations: []string{"vault:secret/tenants/{organization}/"}}
	g := startGateway(t, c, p.Bus("gw-1"))
	require.Eventually(t, func() bool { return statusWith(t, g.url+"/b", hmacKeys[1]) == 200 }, patience, time.Millisecond)
	require.Equal(t, 503, statusWith(t, g.url+"/a", hmacKeys[0]))
	require.Equal(t, 503, statusWith(t, g.url+"/a", ""))
	require.Equal(t, 503, statusWith(t, g.url+"/c", hmacKeys[1]))
}

// A secret that Vault says is gone lets nobody in any longer, though the API could
// be served in its previous form.
func TestASecretThatIsGoneLetsNobodyIn(t *testing.T) {
	t.Parallel()
	v := testkit.Vault(t, time.Now)
	v.Put("", "gateway/jwt", map[string]any{"key": hmacKeys[0]})
	url := startFile(t, fmt.Sprintf(`listeners: [{address: "127.0.0.1:0"}]
vault: {address: %q, token: %q, refresh: 1s}
apis:
  - name: signed
    basePath: /signed
    upstream: {targets: [{url: "http://127.0.0.1:1"}]}
    policies:
      - jwt: {secret: "vault:secret/gateway/jwt#key", algorithms: [HS256]}
      - mock: {status: 200, body: x}
`, v.URL, v.Root))
	require.Equal(t, 200, statusWith(t, url+"/signed", hmacKeys[0]))
	v.Delete("", "gateway/jwt", 0)
	require.Eventually(t, func() bool { return statusWith(t, url+"/signed", hmacKeys[0]) == 503 }, 30*time.Second, 20*time.Millisecond)
	v.Put("", "gateway/jwt", map[string]any{"key": hmacKeys[1]})
	require.Eventually(t, func() bool { return statusWith(t, url+"/signed", hmacKeys[1]) == 200 }, 30*time.Second, 20*time.Millisecond)
	require.Equal(t, 401, statusWith(t, url+"/signed", hmacKeys[0]))
}

// startFile runs a gateway of a file and returns where it listens.
func startFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan string, 1), make(chan error, 1)
	o := gateway.Options{Path: path, Policies: policies.All(), Ready: func(a []net.Addr, _ net.Addr) { ready <- "http://" + a[0].String() }}
	go func() { done <- app.Run(ctx, app.Options{}, gateway.Part(o)) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	select {
	case url := <-ready:
		return url
	case err := <-done:
		done <- err
		require.NoError(t, err)
		return ""
	}
}

// What an upstream knows the gateway by is kept elsewhere, is in no request but the
// one that the upstream gets, and becomes another one while the gateway runs.
func TestAnUpstreamKnowsTheGatewayBySecretsOfVault(t *testing.T) {
	t.Parallel()
	v := testkit.Vault(t, time.Now)
	v.Put("", "orders/api", map[string]any{"password": "päss", "token": "first", "key": "k-1"})
	one := issue(t, "gateway-1")
	v.Put("", "orders/tls", map[string]any{"certificate": one[0], "key": one[1]})
	var got sync.Map // what the upstream saw last, by path
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got.Store(r.URL.Path, strings.Join([]string{r.Header.Get("Authorization"), r.Header.Get("X-Key"), r.TLS.PeerCertificates[0].Subject.CommonName}, "|"))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	pemOf := func(c *x509.Certificate) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	api := func(name, auth string) string {
		return fmt.Sprintf(`
  - name: %s
    basePath: /%s
    upstream:
      targets: [{url: %q}]
      tls: {ca: %q, certificate: "vault:secret/orders/tls#certificate", key: "vault:secret/orders/tls#key"}
      auth: %s`, name, name, server.URL, pemOf(server.Certificate()), auth)
	}
	url := startFile(t, fmt.Sprintf("listeners: [{address: \"127.0.0.1:0\"}]\nvault: {address: %q, token: %q, refresh: 1s}\napis:", v.URL, v.Root)+
		api("basic", `{basic: {username: lena, password: "vault:secret/orders/api#password"}}`)+
		api("bearer", `{bearer: "vault:secret/orders/api#token"}`)+
		api("header", `{header: {name: X-Key, value: "vault:secret/orders/api#key"}}`)+
		api("missing", `{bearer: "vault:secret/orders/none#token"}`)+"\n")
	saw := func(path string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer of-the-client")
		r.Header.Set("X-Key", "of-the-client")
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		if res.StatusCode != http.StatusOK {
			return res.Status
		}
		s, _ := got.Load(path)
		text, _ := s.(string)
		return text
	}
	require.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte("lena:päss"))+"|of-the-client|gateway-1", saw("/basic"))
	require.Equal(t, "Bearer first|of-the-client|gateway-1", saw("/bearer"))
	require.Equal(t, "Bearer of-the-client|k-1|gateway-1", saw("/header"))
	require.Equal(t, "503 Service Unavailable", saw("/missing"), "an API without its secret sends nothing on")
	two := issue(t, "gateway-2")
	v.Put("", "orders/api", map[string]any{"password": "päss", "token": "second", "key": "k-1"})
	v.Put("", "orders/tls", map[string]any{"certificate": two[0], "key": two[1]})
	v.Put("", "orders/none", map[string]any{"token": "there now"})
	for path, want := range map[string]string{"/bearer": "Bearer second|of-the-client|gateway-2", "/missing": "Bearer there now|of-the-client|gateway-2"} {
		require.Eventually(t, func() bool { return saw(path) == want }, 30*time.Second, 20*time.Millisecond, path)
	}
}

// issue makes a certificate that has signed itself, and its key.
func issue(t *testing.T, name string) [2]string {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return [2]string{block("CERTIFICATE", der), block("PRIVATE KEY", private)}
}
