package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

func write(t testing.TB, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// A gateway that was killed starts again from what it keeps on disk, with its
// credentials, when the file is broken, and what it keeps holds no secret of
// callers. R2.1
func TestKilledAndStartedWithABrokenFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.yaml")
	head := listeners + "data: " + filepath.Join(dir, "data") + "\napis:\n"
	const people = "applications: [{name: shop, credentials: [{apiKey: a-key-that-survives}]}]\n"
	up := backend(t, "up")
	guarded := api("guarded", up, ", policies: [{api-key: {header: X-API-Key}}]")
	write(t, path, head+guarded+api("second", up)+people)
	p := harness.Run(t, path)
	c := client(t)
	status, _ := harness.Get(t, c, p.URL("/guarded/x"), "X-API-Key", "a-key-that-survives")
	require.Equal(t, 200, status)
	require.Eventually(t, func() bool { // it is written besides serving
		kept, err := filepath.Glob(filepath.Join(dir, "data", "*", "manifest.json"))
		return err == nil && len(kept) > 0
	}, harness.Patience, time.Millisecond)
	p.Kill()

	// One API broken: it goes on as it was.
	write(t, path, head+strings.Replace(guarded, "api-key", "api-kee", 1)+api("second", up)+people)
	p = harness.Run(t, path)
	status, _ = harness.Get(t, c, p.URL("/guarded/x"))
	require.Equal(t, 401, status)
	status, _ = harness.Get(t, c, p.URL("/guarded/x"), "X-API-Key", "a-key-that-survives")
	require.Equal(t, 200, status)
	status, _ = harness.Get(t, c, p.URL("/second/x"))
	require.Equal(t, 200, status)
	p.Kill()

	// The keys of callers are on disk as hashes only.
	require.NoError(t, filepath.Walk(filepath.Join(dir, "data"), func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		require.NotContains(t, string(b), "a-key-that-survives", path)
		return err
	}))
}

// A gateway that is ready serves every API: while it starts, nobody is answered
// 404 or 503. R2.2
func TestReadyOnlyWithAConfiguration(t *testing.T) {
	t.Parallel()
	port := testkit.FreePort(t)
	path := write(t, filepath.Join(t.TempDir(), "gateway.yaml"),
		fmt.Sprintf("listeners: [{address: \"127.0.0.1:%d\"}]\nadmin: {address: \"127.0.0.1:0\"}\napis:\n", port)+api("a", backend(t, "up")))
	p := harness.Launch(t, path)
	c := client(t)
	// Every answer there is, from the first on, is the right one.
	first := 0
	require.Eventually(t, func() bool {
		r, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d/a/x", port))
		if err != nil {
			return false
		}
		first = r.StatusCode
		return r.Body.Close() == nil
	}, harness.Patience, time.Millisecond, p.Log)
	require.Equal(t, 200, first)
	require.Eventually(t, p.Ready, harness.Patience, time.Millisecond)
	status, _ := harness.Get(t, c, "http://"+p.Admin+"/health/ready")
	require.Equal(t, 200, status)
}

// A gateway that is told to stop answers everything that has been sent to it;
// clients that connect anew are refused or served, and lose nothing. R5.4
func TestStoppedUnderLoad(t *testing.T) {
	t.Parallel()
	held, release := make(chan struct{}, 8), make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/held") {
			held <- struct{}{}
			<-release
		}
		fmt.Fprint(w, "done")
	}))
	t.Cleanup(up.Close)
	path := write(t, filepath.Join(t.TempDir(), "gateway.yaml"), listeners+"drainTime: 10s\ndrainDelay: 100ms\napis:\n"+api("a", up.URL))
	p := harness.Run(t, path)
	// Requests under way when the signal comes.
	answers := make(chan error, 4)
	for range 4 {
		go func() {
			c := client(t)
			r, err := c.Get(p.URL("/a/held"))
			if err == nil {
				if r.StatusCode != 200 {
					err = fmt.Errorf("status %d", r.StatusCode) //nolint:err113 // shown as it is
				}
				_ = r.Body.Close()
			}
			answers <- err
		}()
	}
	for range 4 {
		<-held
	}
	// Load that goes on: a request may fail only by not being connected.
	var lost, sent atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{}, 4)
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			c := client(t)
			for ctx.Err() == nil {
				r, err := c.Get(p.URL("/a/x"))
				if err != nil {
					if !strings.Contains(err.Error(), "connection refused") && !strings.Contains(err.Error(), "connection reset") {
						lost.Add(1)
						t.Log(err)
					}
					return
				}
				_ = r.Body.Close()
				if r.StatusCode != 200 {
					lost.Add(1)
				}
				sent.Add(1)
			}
		}()
	}
	require.Eventually(t, func() bool { return sent.Load() > 200 }, harness.Patience, time.Millisecond)
	p.Terminate()
	require.Eventually(t, func() bool { return strings.Contains(p.Log.String(), `"draining"`) }, harness.Patience, time.Millisecond)
	status, _ := harness.Get(t, http.DefaultClient, "http://"+p.Admin+"/health/ready")
	require.Equal(t, 503, status)
	for range 4 {
		<-done
	}
	close(release)
	for range 4 {
		require.NoError(t, <-answers)
	}
	cancel()
	require.Zero(t, p.Await(), p.Log)
	require.Zero(t, lost.Load(), "of %d", sent.Load())
}

// One process takes over from another at the same address, several times, while
// clients connect for each request: nobody is refused. R5.4
func TestReplacedUnderLoad(t *testing.T) {
	t.Parallel()
	port := testkit.FreePort(t)
	path := write(t, filepath.Join(t.TempDir(), "gateway.yaml"),
		fmt.Sprintf("listeners: [{address: \"127.0.0.1:%d\"}]\ndrainTime: 5s\napis:\n", port)+api("a", backend(t, "up")))
	old := harness.Run(t, path)
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: harness.Patience}
	var failed, sent atomic.Int64
	var why atomic.Value
	stop, done := make(chan struct{}), make(chan struct{}, 4)
	for range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d/a/x", port))
				if err == nil && r.StatusCode != 200 {
					err = fmt.Errorf("status %d", r.StatusCode) //nolint:err113 // shown as it is
				}
				if err != nil {
					failed.Add(1)
					why.Store(err.Error())
				} else {
					_ = r.Body.Close()
				}
				sent.Add(1)
			}
		}()
	}
	for range 2 {
		before := sent.Load()
		require.Eventually(t, func() bool { return sent.Load() > before+100 }, harness.Patience, time.Millisecond)
		next := harness.Run(t, path)
		old.Terminate()
		require.Zero(t, old.Await(), old.Log)
		old = next
	}
	close(stop)
	for range 4 {
		<-done
	}
	require.Zero(t, failed.Load(), "of %d, the last with %v", sent.Load(), why.Load())
}
