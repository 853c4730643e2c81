package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
)

// record is what these tests look at of a traffic record.
type record struct {
	ID          string `json:"id"`
	Status      int    `json:"status"`
	Path        string `json:"path"`
	ErrorSource string `json:"errorSource"`
	ErrorCode   string `json:"errorCode"`
}

func records(t testing.TB, path string) []record {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }() // only read
	var out []record
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var r record
		require.NoError(t, json.Unmarshal(s.Bytes(), &r), s.Text())
		out = append(out, r)
	}
	require.NoError(t, s.Err())
	return out
}

// Every request has one record, and it says what the client saw. R9.1
func TestRecordsAreWhatClientsSaw(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/bad") {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(up.Close)
	log := filepath.Join(t.TempDir(), "traffic.jsonl")
	g := harness.Start(t, listeners+"log: {traffic: {path: "+log+"}}\napis:\n"+
		api("a", up.URL)+api("key", up.URL, ", policies: [{api-key: {}}]")+api("dead", "http://127.0.0.1:1", ""))
	c := client(t)
	saw := map[string]int{}
	paths := []string{"/a/x", "/a/bad", "/key/x", "/none", "/a/%2f", "/dead/x"}
	for i := range 300 {
		r, err := c.Get(g.URL(paths[i%len(paths)]))
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		saw[r.Header.Get("X-Request-Id")] = r.StatusCode
	}
	require.Len(t, saw, 300, "request ids are not unique")
	require.NoError(t, g.Stop())
	wrote := map[string]int{}
	for _, r := range records(t, log) {
		require.NotContains(t, wrote, r.ID, "two records of one request")
		wrote[r.ID] = r.Status
	}
	require.Equal(t, saw, wrote)
}

// A client that leaves is recorded as 499, not as anybody's fault, and the
// upstream is told. R9.4
func TestAClientThatLeavesIs499(t *testing.T) {
	t.Parallel()
	begun, gone := make(chan struct{}), make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(gone)
	}))
	t.Cleanup(up.Close)
	log := filepath.Join(t.TempDir(), "traffic.jsonl")
	g := harness.Start(t, listeners+"log: {traffic: {path: "+log+"}}\napis:\n"+api("a", up.URL))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL("/a/x"), nil)
	require.NoError(t, err)
	failed := make(chan error, 1)
	c := client(t)
	go func() {
		_, err := c.Do(r)
		failed <- err
	}()
	<-begun
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	<-gone
	require.NoError(t, g.Stop())
	rs := records(t, log)
	require.Len(t, rs, 1)
	require.Equal(t, 499, rs[0].Status)
	require.Equal(t, "client", rs[0].ErrorSource)
}

// No number of paths, methods or hosts makes a new series. R9, theme 20
func TestMetricsHaveClosedLabels(t *testing.T) {
	t.Parallel()
	up := backend(t, "up")
	g := harness.Start(t, listeners+"apis:\n"+api("a", up)+
		fmt.Sprintf("  - {name: ops, basePath: /ops, upstream: {targets: [{url: %q}]}, operations: [{method: GET, path: \"/items/{id}\"}]}\n", up))
	series := func() int {
		_, body := g.AskAdmin("/metrics")
		return len(regexp.MustCompile(`(?m)^gatehouse_requests?_`).FindAllString(body, -1))
	}
	send := func(n int) {
		l := &load{}
		c := client(t)
		for i := range n {
			path := []string{"/a/", "/ops/items/", "/ops/", "/"}[i%4]
			l.one(c, g.URL(path+fmt.Sprintf("%x", rand.Uint64())), []string{"X-Tag", fmt.Sprint(i)})
		}
		for i := range 40 {
			r, err := http.NewRequestWithContext(t.Context(), fmt.Sprintf("M%d", i%20*(n/100)), g.URL("/a/x"), nil)
			require.NoError(t, err)
			r.Host = fmt.Sprintf("host-%d-%d.test", n, i)
			resp, err := c.Do(r)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
		}
	}
	send(200)
	before := series()
	n := 10000
	if testing.Short() {
		n = 2000
	}
	send(n)
	require.Equal(t, before, series())
	_, body := g.AskAdmin("/metrics")
	require.Contains(t, body, fmt.Sprintf("api=%q", "a"))
}

// The admin listener cannot be reached through an API, by any spelling of its
// address. R13.3
func TestAdminIsNotReachedThroughTraffic(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	port := freePort(t)
	apis := ""
	targets := []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1.2.3", "0.0.0.0"}
	for i, host := range targets {
		apis += api(fmt.Sprintf("a%d", i), fmt.Sprintf("http://%s:%d", host, port), ", stripPath: true")
	}
	apis += api("metadata", "http://169.254.169.254", ", stripPath: true")
	write(t, path, fmt.Sprintf("listeners: [{address: \"127.0.0.1:0\"}]\nadmin: {address: \"127.0.0.1:%d\"}\napis:\n%s", port, apis))
	g := harness.StartFile(t, path)
	for _, name := range []string{"a0", "a1", "a2", "a3", "a4", "metadata"} {
		status, body := harness.Get(t, client(t), g.URL("/"+name+"/config"))
		require.GreaterOrEqual(t, status, 502, "%s: %s", name, body)
		require.NotContains(t, body, "appliedAt", name)
	}
	require.Equal(t, 404, first(harness.Get(t, client(t), g.URL("/health/ready"))))

	// Health checks of containers ask by the binary itself.
	out, err := exec.CommandContext(t.Context(), harness.Binary(t), "health", "--config", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	write(t, path, "listeners: [{address: \"127.0.0.1:0\"}]\nadmin: {address: \"127.0.0.1:1\"}\n")
	require.Error(t, exec.CommandContext(t.Context(), harness.Binary(t), "health", "--config", path).Run(), "nobody listens there")
}

func first(status int, _ string) int { return status }

// A caller's key is nowhere: not in a log, a record, a metric or an explanation,
// whether it was right or wrong, and wherever it was sent. R14.2
func TestKeysAreNeverWrittenDown(t *testing.T) {
	t.Parallel()
	const right, wrong = "canary-right-7f3a91c2", "canary-wrong-58be0d44"
	dir := t.TempDir()
	log, path := filepath.Join(dir, "traffic.jsonl"), filepath.Join(dir, "gateway.yaml")
	write(t, path, fmt.Sprintf(`listeners: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:%d"}
data: %s/data
log: {traffic: {path: %s}, requestHeaders: ["X-Api-Key", Authorization, Cookie, Accept], decisions: {sample: 1}}
apis:
  - name: a
    basePath: /a
    upstream: {targets: [{url: %q}]}
    policies: [{api-key: {sources: [{in: header, name: X-API-Key}, {in: header, name: Authorization, scheme: Bearer}, {in: query, name: api_key}, {in: cookie, name: session}]}}, {rate-limit: {limit: 3, window: 1h, key: application}}]
applications: [{name: shop, credentials: [{apiKey: %s}]}]
`, freePort(t), dir, log, backend(t, "up"), right))
	p := harness.Run(t, path)
	c := client(t)
	var ids []string
	for _, key := range []string{right, wrong} {
		for _, how := range [][]string{{"X-API-Key", key}, {"Authorization", "Bearer " + key}, {"Cookie", "session=" + key}, {"Query", key}} {
			url := p.URL("/a/x")
			if how[0] == "Query" {
				url += "?api_key=" + key
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			require.NoError(t, err)
			r.Header.Set(how[0], how[1])
			r.Header.Del("Query")
			resp, err := c.Do(r)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			ids = append(ids, resp.Header.Get("X-Request-Id"))
		}
	}
	var all strings.Builder
	for _, at := range []string{"/metrics", "/config", "/explain", "/upstreams", "/debug/rules"} {
		_, body := harness.Get(t, c, "http://"+p.Admin+at)
		all.WriteString(body)
	}
	for _, id := range ids {
		out, err := exec.CommandContext(t.Context(), harness.Binary(t), "explain", "--config", path, id).CombinedOutput()
		require.NoError(t, err, "%s", out)
		all.Write(out)
	}
	out, err := exec.CommandContext(t.Context(), harness.Binary(t), "explain", "--config", path, "-H", "X-API-Key: "+wrong, "GET", "http://any.test/a/x?api_key="+wrong).CombinedOutput()
	require.NoError(t, err, "%s", out)
	all.Write(out)
	p.Terminate()
	require.Zero(t, p.Await(), p.Log)
	all.WriteString(p.Log.String())
	b, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Contains(t, string(b), ids[0])
	all.Write(b)
	require.NoError(t, filepath.Walk(filepath.Join(dir, "data"), func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			b, err = os.ReadFile(path)
			all.Write(b)
		}
		return err
	}))
	for _, key := range []string{right, wrong} {
		require.NotContains(t, all.String(), key)
		require.NotContains(t, all.String(), key[:16])
	}
}
