package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
)

// usage is what a process holds.
type usage struct {
	goroutines, files int
	rss               int64 // bytes
}

func use(t testing.TB, p *harness.Process) usage {
	t.Helper()
	var u usage
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	require.NoError(t, err)
	u.files = len(entries)
	u.rss = rss(t, p)
	once := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: harness.Patience}
	_, body := harness.Get(t, once, "http://"+p.Admin+"/debug/pprof/goroutine?debug=1")
	_, err = fmt.Sscanf(body, "goroutine profile: total %d", &u.goroutines)
	require.NoError(t, err, "%.100s", body)
	return u
}

// rss returns the resident memory of a process, as the kernel counts it.
func rss(t testing.TB, p *harness.Process) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	require.NoError(t, err)
	_, line, _ := strings.Cut(string(b), "VmRSS:")
	n, err := strconv.ParseInt(strings.Fields(line)[0], 10, 64)
	require.NoError(t, err)
	return n << 10
}

// frugal keeps the collector from hiding a leak behind a heap that may grow.
const frugal = "GOGC=25"

// One API of many changes, again and again, under load: no request fails, the
// others are not compiled again and keep their counters, and in the end the
// gateway holds no more than before. R5.1, R5.2, R5.3
func TestSwapsUnderLoad(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		apis, swaps int
		soak        bool
	}{{200, 10, false}, {200, 1000, true}, {10_000, 40, true}} {
		t.Run(fmt.Sprintf("%d swaps of %d", tc.swaps, tc.apis), func(t *testing.T) {
			if tc.soak == testing.Short() {
				t.Skip("the other length of this test runs")
			}
			swapsUnderLoad(t, tc.apis, tc.swaps)
		})
	}
}

func swapsUnderLoad(t *testing.T, apis, swaps int) {
	up := backend(t, "up")
	config := func(change int) string {
		var b strings.Builder
		b.WriteString(listeners + "apis:\n" + api("steady", up, ", policies: [{rate-limit: {limit: 1000000, window: 24h, key: ip}}]"))
		for i := range apis {
			version := ""
			if i == change%apis {
				version = fmt.Sprintf(", version: %q", "v"+strconv.Itoa(change))
			}
			b.WriteString(api(fmt.Sprintf("api-%d", i), up, version))
		}
		return b.String()
	}
	path := write(t, filepath.Join(t.TempDir(), "gateway.yaml"), config(0))
	p := harness.Run(t, path, frugal)
	var view struct {
		Version          uint64 `json:"version"`
		Compiled, Reused int
	}
	look := func() {
		_, body := harness.Get(t, http.DefaultClient, "http://"+p.Admin+"/config")
		require.NoError(t, json.Unmarshal([]byte(body), &view))
	}
	swap := func(i int) {
		before := view.Version
		harness.Replace(t, path, config(i))
		require.Eventually(t, func() bool { look(); return view.Version != before }, harness.Patience, 5*time.Millisecond, p.Log)
		// Two differ: the one that is changed and the one that was.
		require.LessOrEqual(t, view.Compiled, 2)
		require.Equal(t, apis+1, view.Compiled+view.Reused)
	}
	remaining := func() int {
		r, err := http.Get("http://" + p.Traffic[0] + "/steady/x")
		require.NoError(t, err)
		require.NoError(t, r.Body.Close())
		_, after, _ := strings.Cut(r.Header.Get("RateLimit"), "r=")
		left, _, _ := strings.Cut(after, ";")
		n, err := strconv.Atoi(left)
		require.NoError(t, err)
		return n
	}
	look()
	var asked atomic.Int64
	loaded := func(from, to int) {
		l := startLoad(t, 2, func(worker int) string {
			if worker == 0 {
				asked.Add(1)
				return p.URL("/steady/x")
			}
			return p.URL(fmt.Sprintf("/api-%d/x", asked.Load()%int64(apis)))
		})
		for i := from; i < to; i++ {
			swap(i)
		}
		l.Stop()
		l.requireNone(t)
	}
	warm := max(swaps/5, 3)
	loaded(1, warm)
	http.DefaultClient.CloseIdleConnections()
	before := use(t, p)
	loaded(warm, swaps)
	http.DefaultClient.CloseIdleConnections()
	require.EqualValues(t, 1_000_000-1-asked.Load(), remaining(), "an unchanged API must keep its counters")
	var after usage
	// Retired configurations are closed within seconds.
	slack := func(n int) int { return n + max(n/20, 2) }
	require.Eventually(t, func() bool {
		after = use(t, p)
		return after.goroutines <= slack(before.goroutines) && after.files <= slack(before.files) &&
			after.rss <= before.rss+before.rss/20+4<<20
	}, harness.Patience, 200*time.Millisecond, "before %+v, after %+v", before, &after)
	t.Logf("before %+v, after %+v, %d requests", before, after, asked.Load())
}

// zeros is a body of so many octets.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// A body of any size goes through in both directions in the same memory. R17.1
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	size := int64(2 << 30)
	if testing.Short() {
		size = 64 << 20
	}
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err == nil && r.Method == http.MethodGet {
			_, _ = io.Copy(w, &zeros{left: size}) // the client counts
			return
		}
		fmt.Fprint(w, n)
	}))
	t.Cleanup(up.Close)
	path := write(t, filepath.Join(t.TempDir(), "gateway.yaml"), "listeners: [{address: \"127.0.0.1:0\", h2c: true}]\nadmin: {address: \"127.0.0.1:0\"}\napis:\n"+api("a", up.URL))
	p := harness.Run(t, path)
	status, _ := harness.Get(t, client(t), p.URL("/a/warm"), "Range", "bytes=0-0")
	require.Equal(t, 200, status)
	for _, proto := range []string{"HTTP/1.1", "HTTP/2"} {
		var ps http.Protocols
		ps.SetHTTP1(proto == "HTTP/1.1")
		ps.SetUnencryptedHTTP2(proto == "HTTP/2")
		tr := &http.Transport{Protocols: &ps}
		c := &http.Client{Transport: tr}
		before := rss(t, p)
		highest := before
		watch := func(int64) { highest = max(highest, rss(t, p)) }

		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, p.URL("/a/up"), &meter{r: &zeros{left: size}, every: size / 64, tell: watch})
		require.NoError(t, err)
		resp, err := c.Do(r)
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, strconv.FormatInt(size, 10), string(b))

		resp, err = c.Get(p.URL("/a/down"))
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, &meter{r: resp.Body, every: size / 64, tell: watch})
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, size, n)
		tr.CloseIdleConnections()
		require.Less(t, highest-before, int64(32<<20), "%s: memory grew from %d to %d", proto, before, highest)
		t.Logf("%s: %d MiB each way, memory %d to %d MiB", proto, size>>20, before>>20, highest>>20)
	}
}

// meter tells each time that so many octets were read.
type meter struct {
	r     io.Reader
	n, at int64
	every int64
	tell  func(int64)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if m.n += int64(n); m.n >= m.at {
		m.at += m.every
		m.tell(m.n)
	}
	return n, err
}

// Streams on which nothing happens cost next to nothing, and are all alive in
// the end. R17.2
func TestIdleStreams(t *testing.T) {
	t.Parallel()
	n := 1000
	if testing.Short() {
		n = 100
	}
	send, gone := make(chan string), make(chan struct{}, n)
	path := write(t, filepath.Join(t.TempDir(), "gateway.yaml"), listeners+"apis:\n"+api("sse", events(t, send, gone).URL))
	p := harness.Run(t, path, frugal)
	tr := &http.Transport{MaxConnsPerHost: n + 10}
	c := &http.Client{Transport: tr}
	open := func() io.ReadCloser {
		r, err := c.Get(p.URL("/sse/x"))
		require.NoError(t, err)
		require.Equal(t, 200, r.StatusCode)
		return r.Body
	}
	streams := []io.ReadCloser{open()}
	before := use(t, p)
	for len(streams) < n {
		streams = append(streams, open())
	}
	after := use(t, p)
	each := (after.rss - before.rss) / int64(n)
	t.Logf("%d streams: %d octets each, %+v to %+v", n, each, before, after)
	require.Less(t, each, int64(64<<10))
	for range n {
		send <- "now"
	}
	buf := make([]byte, len("data: now\n\n"))
	for _, s := range streams {
		_, err := io.ReadFull(s, buf)
		require.NoError(t, err)
		require.Equal(t, "data: now\n\n", string(buf))
	}
	for _, s := range streams {
		require.NoError(t, s.Close())
	}
	for range n {
		select {
		case <-gone:
		case <-time.After(harness.Patience):
			t.Fatal("the upstream was not told that the clients have left")
		}
	}
	tr.CloseIdleConnections()
	require.Eventually(t, func() bool { u := use(t, p); return u.files <= before.files && u.goroutines <= before.goroutines }, harness.Patience, 50*time.Millisecond)
}
