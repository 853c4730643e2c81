package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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
