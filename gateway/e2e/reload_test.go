package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
)

const listeners = "listeners: [{address: \"127.0.0.1:0\"}]\nadmin: {address: \"127.0.0.1:0\"}\n"

// api is one API of a file.
func api(name, upstream string, more ...string) string {
	return fmt.Sprintf("  - {name: %s, basePath: /%s, upstream: {targets: [{url: %q}]}%s}\n", name, name, upstream, strings.Join(more, ""))
}

// An API is added, changed, broken and removed; the others do not notice, and
// what is broken goes on as it was. R3, R4.2, R5.1
func TestTheFileIsReloaded(t *testing.T) {
	t.Parallel()
	one, two := backend(t, "one"), backend(t, "two")
	limited := ", policies: [{rate-limit: {limit: 1000000, window: 24h, key: ip}}]"
	g := harness.Start(t, listeners+"apis:\n"+api("steady", one, limited)+api("other", one))
	c := client(t)
	remaining := func() string {
		r, err := c.Get(g.URL("/steady/x"))
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		require.Equal(t, 200, r.StatusCode)
		return r.Header.Get("RateLimit")
	}
	becomes := func(path string, status int, body string) {
		t.Helper()
		require.Eventually(t, func() bool {
			s, b := harness.Get(t, c, g.URL(path))
			return s == status && strings.Contains(b, body)
		}, harness.Patience, 10*time.Millisecond, "%s is not answered %d %s\n%s", path, status, body, g.Log)
	}
	require.Contains(t, remaining(), "r=999999;")
	l := startLoad(t, 2, func(int) string { return g.URL("/other/load") })

	g.Configure(listeners + "apis:\n" + api("steady", one, limited) + api("other", one) + api("added", two))
	becomes("/added/x", 200, "two /added/x")
	g.Configure(listeners + "apis:\n" + api("steady", one, limited) + api("other", one) + api("added", one))
	becomes("/added/x", 200, "one /added/x")
	require.Contains(t, remaining(), "r=999998;", "an unchanged API must keep its counters")

	// Broken: it keeps what it had, the one added beside it works, and operators
	// are told where the mistake is.
	broken := api("added", two, ", policies: [{rate-limit: {limit: nothing}}]")
	g.Configure(listeners + "apis:\n" + api("steady", one, limited) + api("other", one) + broken + api("more", two))
	becomes("/more/x", 200, "two /more/x")
	becomes("/added/x", 200, "one /added/x")
	_, status := g.AskAdmin("/config")
	require.Contains(t, status, "limit")
	require.Contains(t, status, "gateway.yaml:")

	// New and broken from the start: refused, never open.
	g.Configure(listeners + "apis:\n" + api("steady", one, limited) + api("other", one) + api("new", two, ", policies: [{no-such-policy: {}}]"))
	becomes("/new/x", 503, "api-not-deployed")
	becomes("/added/x", 404, "not-found")

	// A file that is no configuration changes nothing.
	for _, text := range []string{"", "apis: [", listeners + "apis: 7\n", listeners + "unknown: 1\n"} {
		before := strings.Count(g.Log.String(), "not accepted")
		g.Configure(text)
		require.Eventually(t, func() bool { return strings.Count(g.Log.String(), "not accepted") > before }, harness.Patience, 10*time.Millisecond, "%q", text)
		s, _ := harness.Get(t, c, g.URL("/other/x"))
		require.Equal(t, 200, s, "%q", text)
	}
	require.Contains(t, remaining(), "r=999997;", "an unchanged API must keep its counters")
	l.Stop()
	l.requireNone(t)

	var view struct {
		Problems []json.RawMessage `json:"sourceProblems"`
	}
	_, status = g.AskAdmin("/config")
	require.NoError(t, json.Unmarshal([]byte(status), &view))
	require.NotEmpty(t, view.Problems, status)
}
