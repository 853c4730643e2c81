package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

func freePort(t testing.TB) int { t.Helper(); return testkit.FreePort(t) }

// An upstream that stops and comes back is left and found again, without a
// restart. Theme 18
func TestAnUpstreamFailsAndRecovers(t *testing.T) {
	t.Parallel()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	serve := func() *http.Server {
		var l net.Listener
		require.Eventually(t, func() (ok bool) {
			var err error
			l, err = net.Listen("tcp", address)
			return err == nil
		}, harness.Patience, 10*time.Millisecond)
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "one") }), ReadHeaderTimeout: time.Minute}
		go func() { _ = s.Serve(l) }() // ends when it is closed
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	one := serve()
	two := backend(t, "two")
	const health = ", health: {active: {path: /, interval: 50ms, timeout: 1s, healthy: 1, unhealthy: 1}}"
	g := harness.Start(t, listeners+"apis:\n"+
		fmt.Sprintf("  - {name: alone, basePath: /alone, upstream: {targets: [{url: \"http://%s\"}]%s}}\n", address, health)+
		fmt.Sprintf("  - {name: both, basePath: /both, upstream: {targets: [{url: \"http://%s\"}, {url: %q}], retries: {attempts: 2, on: [connect, reset], budgetPercent: 100}%s}}\n", address, two, health))
	c := client(t)
	status := func(path string) int { return first(harness.Get(t, c, g.URL(path))) }
	require.Equal(t, 200, status("/alone/x"))
	l := startLoad(t, 2, func(int) string { return g.URL("/both/x") })
	l.after(t, 50)
	require.NoError(t, one.Close())
	require.Eventually(t, func() bool { s := status("/alone/x"); return s == 502 || s == 503 }, harness.Patience, time.Millisecond)
	l.after(t, 300)
	serve()
	require.Eventually(t, func() bool { return status("/alone/x") == 200 }, harness.Patience, 10*time.Millisecond)
	l.after(t, 50)
	l.Stop()
	l.requireNone(t) // GET is tried again at the other target
}

// With Redis hanging or gone, callers of a shared limit see what the policy says
// and never that they are not known; it recovers by itself. R6.1, R6.2, R6.3
func TestRedisOutage(t *testing.T) {
	t.Parallel()
	redis := testkit.Redis(t, testkit.RedisOptions{Control: true})
	up := backend(t, "up")
	limited := func(name, on string) string {
		return api(name, up, fmt.Sprintf(", policies: [{api-key: {}}, {rate-limit: {limit: 1000000, window: 24h, key: application, mode: exact, onStoreFailure: %s}}]", on))
	}
	g := harness.Start(t, listeners+"redis: {addresses: [\""+redis.Addr+"\"], budget: 250ms}\napis:\n"+
		limited("local", "local")+limited("allow", "allow")+limited("deny", "deny")+
		"applications: [{name: shop, credentials: [{apiKey: a-key-of-a-shop}]}]\n")
	c := client(t)
	get := func(name string) (int, string) {
		return harness.Get(t, c, g.URL("/"+name+"/x"), "X-API-Key", "a-key-of-a-shop")
	}
	for _, name := range []string{"local", "allow", "deny"} {
		require.Equal(t, 200, first(get(name)))
	}
	outage := func() {
		slowest := time.Duration(0)
		denied := 0
		for range 60 {
			for _, name := range []string{"local", "allow", "deny"} {
				begin := time.Now()
				status, body := get(name)
				slowest = max(slowest, time.Since(begin))
				switch {
				case name != "deny":
					require.Equal(t, 200, status, "%s: %s", name, body)
				case status == 503:
					denied++
					require.Contains(t, body, "dependency-unavailable")
				default:
					require.Equal(t, 200, status, "%s: %s", name, body)
				}
			}
		}
		require.NotZero(t, denied, "nothing was denied although Redis is gone")
		require.Less(t, slowest, 10*time.Second, "250 ms for Redis, and what a busy machine adds")
	}
	back := func() {
		require.Eventually(t, func() bool { return first(get("deny")) == 200 }, harness.Patience, 10*time.Millisecond, g.Log)
	}
	redis.Pause()
	outage()
	redis.Resume()
	back()
	redis.Kill()
	outage()
	redis.Restart()
	back()
	lost, found := strings.Count(g.Log.String(), "redis"), strings.Count(g.Log.String(), "Redis")
	require.Less(t, lost+found, 20, "one line when it is lost and one when it is back:\n%s", g.Log)
	require.NotZero(t, lost+found, g.Log)
}

// An API whose upstream never answers does not hold up another one.
func TestASlowUpstreamHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var waiting atomic.Int64
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { waiting.Add(1); <-release }))
	t.Cleanup(slow.Close)
	g := harness.Start(t, listeners+"apis:\n"+api("slow", slow.URL)+api("fast", backend(t, "up")))
	l := startLoad(t, 100, func(int) string { return g.URL("/slow/x") })
	require.Eventually(t, func() bool { return waiting.Load() == 100 }, harness.Patience, time.Millisecond)
	begin := time.Now()
	for range 50 {
		require.Equal(t, 200, first(harness.Get(t, client(t), g.URL("/fast/x"))))
	}
	require.Less(t, time.Since(begin), harness.Patience)
	close(release)
	l.Stop()
	l.requireNone(t)
}
