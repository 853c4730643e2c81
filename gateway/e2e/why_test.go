package e2e

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// collector takes spans (OTLP over HTTP) and keeps their bytes, in which names
// can be found.
type collector struct {
	mu   sync.Mutex
	sent strings.Builder
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent.Write(b)
}

func (c *collector) saw(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Contains(c.sent.String(), text)
}

// A request id leads to everything that was decided about the request: `gateway
// explain` prints the route, each policy with its verdict and time, and each
// attempt at an upstream. Spans of single policies are sent while a rule asks for
// them. R9.2, R9.6
func TestWhyARequestWentTheWayItDid(t *testing.T) {
	t.Parallel()
	spans := &collector{}
	otlp := httptest.NewServer(spans)
	t.Cleanup(otlp.Close)
	up := backend(t, "up")
	dead := fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `listeners: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:%d"}
tracing: {endpoint: "%s/v1/traces", sample: 1, flush: 10ms}
apis:
  - name: orders
    basePath: /orders
    operations: [{method: GET, path: "/{id}"}]
    upstream: {targets: [{url: "http://%s"}, {url: %q}], retries: {attempts: 2, on: [connect], budgetPercent: 100}}
    policies:
      - api-key: {}
      - rate-limit: {limit: 100000, window: 24h, key: application}
applications: [{name: shop, credentials: [{apiKey: a-key-of-a-shop}]}]
`, testkit.FreePort(t), otlp.URL, dead, up), 0o600))
	p := harness.Run(t, path)
	c := client(t)
	send := func() string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL("/orders/7"), nil)
		require.NoError(t, err)
		r.Header.Set("X-Api-Key", "a-key-of-a-shop")
		resp, err := c.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 200, resp.StatusCode)
		return resp.Header.Get("X-Request-Id")
	}
	explain := func(id string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), harness.Binary(t), "explain", "--config", path, id).CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	send()
	require.Eventually(t, func() bool { return spans.saw("GET /orders/{id}") }, harness.Patience, 5*time.Millisecond)
	require.False(t, spans.saw("policy api-key"), "spans of policies are sent on demand only")

	rule := fmt.Sprintf(`{"api":"orders","spans":true,"until":%q}`, time.Now().Add(5*time.Minute).UTC().Format(time.RFC3339))
	resp, err := c.Post("http://"+p.Admin+"/debug/rules", "application/json", strings.NewReader(rule))
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusCreated, resp.StatusCode, "%s", b)

	// Sooner or later the dead target is asked first, and is given up then.
	var text string
	for end := time.Now().Add(harness.Patience); !strings.Contains(text, "1.  "+dead); {
		require.True(t, time.Now().Before(end), "no request asked the dead target first:\n%s", text)
		text = explain(send())
	}
	for _, want := range []string{
		"GET http://", "200", "api        orders", "shop", "Policies", "api-key", "rate-limit", "pass",
		"Upstream", "connect", "2.  " + strings.TrimPrefix(up, "http://"), "Match",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "a-key-of-a-shop")
	require.Eventually(t, func() bool { return spans.saw("policy api-key") && spans.saw("policy rate-limit") }, harness.Patience, 5*time.Millisecond)
}
