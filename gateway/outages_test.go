package gateway_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/plane/planetest"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// R2.1: the gateway outlives the control plane, and starts without it.
func TestAGatewayOutlivesTheControlPlane(t *testing.T) {
	t.Parallel()
	shapes(t, func(t *testing.T, tcp bool) {
		p := planetest.Start(t, tcp, "gw-1")
		up := upstreams(t)
		p.Set(keyed(api("orders", "1", up)), answeringWith("a", 201))
		p.Publish(true)
		p.SetApplication("shop", "orders/gold")
		p.SetKey("good", "shop", false)
		p.SetKey("bad", "shop", false)
		data := t.TempDir()
		c := planeConfig("gw-1", data)
		c.DataKey = schema.NewSecret(strings.Repeat("ab", 32))
		g := startGateway(t, c, p.Bus("gw-1"))
		g.becomes("/orders", "good", http.StatusOK)
		p.SetKey("bad", "shop", true)
		g.becomes("/orders", "bad", http.StatusUnauthorized)

		// The plane goes.
		p.StopManager()
		p.NATS.Stop()
		status, _ := g.get("/orders", "good")
		require.Equal(t, http.StatusOK, status)
		g.stop()

		// A cold restart without it.
		begin := time.Now()
		g = startGateway(t, c, p.Bus("gw-1"))
		status, _ = g.get("/orders", "good")
		require.Equal(t, http.StatusOK, status, "served from disk")
		t.Logf("cold start without a plane: %s", time.Since(begin))
		for path, want := range map[string]int{"/orders": http.StatusUnauthorized, "/a": 201} {
			status, _ = g.get(path, "bad")
			require.Equal(t, want, status)
		}

		// It returns with news, which reach the gateway by themselves.
		require.NoError(t, p.NATS.Resume())
		p.StartManager()
		p.Set(answeringWith("a", 202))
		version, _ := p.Publish(true)
		p.SetKey("late", "shop", false)
		g.becomes("/a", "", 202)
		g.becomes("/orders", "late", http.StatusOK)
		require.Eventually(t, func() bool { return p.Report("gw-1").Version == version }, patience, time.Millisecond)

		files, err := filepath.Glob(filepath.Join(data, "config", "*"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, f := range files {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			require.NotContains(t, string(b), "shop", "%s is encrypted", f)
		}
	})
}

// Records are counted once, whatever happens on their way.
func TestRecordsAreCountedOnceOverAnOutage(t *testing.T) {
	t.Parallel()
	p := planetest.Start(t, true, "gw-1")
	p.Set(answeringWith("a", 201))
	p.Publish(true)
	c := planeConfig("gw-1", t.TempDir())
	g := startGateway(t, c, p.Bus("gw-1"))
	g.becomes("/a", "", 201)
	ids := map[string]bool{}
	send := func(n int) {
		for range n {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/a", nil)
			require.NoError(t, err)
			resp, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			_ = resp.Body.Close()
			ids[resp.Header.Get("X-Request-Id")] = true
		}
	}
	counted := func() {
		t.Helper()
		require.Eventually(t, func() bool {
			have, _ := p.Records()
			for id := range ids {
				if have[id] == 0 {
					return false
				}
			}
			return true
		}, patience, 10*time.Millisecond, "all records arrive")
		have, lost := p.Records()
		require.Empty(t, lost)
		maps.DeleteFunc(have, func(_ string, n int) bool { return n == 1 })
		require.Empty(t, have, "each is counted once")
	}
	send(50)
	counted()
	p.StopManager() // nobody collects
	send(50)
	p.NATS.Stop() // nor can anything be shipped
	send(50)
	g.stop()
	g = startGateway(t, c, p.Bus("gw-1"))
	send(50)
	require.NoError(t, p.NATS.Resume())
	p.StartManager()
	send(50)
	counted()
	require.Len(t, ids, 250)
}

// NATS comes back empty: what is known is served on, what is published again is
// taken, and what is not is gone.
func TestNATSLosesItsData(t *testing.T) {
	t.Parallel()
	p := planetest.Start(t, true, "gw-1")
	up := upstreams(t)
	p.Set(keyed(api("orders", "1", up)))
	p.Publish(true)
	p.SetApplication("shop", "orders/gold")
	for i := range 300 {
		p.SetKey(fmt.Sprint("key-", i), "shop", false)
	}
	c := planeConfig("gw-1", t.TempDir())
	g := startGateway(t, c, p.Bus("gw-1"))
	g.becomes("/orders", "key-299", http.StatusOK)

	p.Lose()
	for range 20 {
		status, _ := g.get("/orders", "key-1")
		require.Equal(t, http.StatusOK, status)
	}
	p.RepublishCredentials("key-7")
	p.Republish()
	g.becomes("/orders", "key-7", http.StatusUnauthorized)
	g.becomes("/orders", "key-8", http.StatusOK)
	p.SetKey("key-8", "shop", true)
	require.Less(t, g.becomes("/orders", "key-8", http.StatusUnauthorized), revocation)
	p.Set(answeringWith("a", 201))
	p.Publish(true)
	g.becomes("/a", "", 201)

	// While the gateway is away.
	g.stop()
	p.Lose()
	p.RepublishCredentials("key-9")
	p.Republish()
	g = startGateway(t, c, p.Bus("gw-1"))
	g.becomes("/orders", "key-9", http.StatusUnauthorized)
	g.becomes("/orders", "key-10", http.StatusOK)
	status, _ := g.get("/orders", "key-8")
	require.Equal(t, http.StatusUnauthorized, status)
	g.becomes("/a", "", 201)
}
