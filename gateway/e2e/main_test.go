package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
)

func TestMain(m *testing.M) {
	code := m.Run()
	harness.Clean()
	os.Exit(code)
}

// backend answers its name.
func backend(t testing.TB, name string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", name, r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// client returns a client of the test's own, so that no connection is shared.
func client(t testing.TB) *http.Client {
	t.Helper()
	tr := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: harness.Patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// load sends requests until it is stopped.
type load struct {
	sent, failed atomic.Int64
	why          atomic.Value
	stop         chan struct{}
	done         sync.WaitGroup
}

// startLoad sends GET requests to what url returns, over n connections. A
// request that does not end with 200 has failed.
func startLoad(t testing.TB, n int, url func(worker int) string, header ...string) *load {
	t.Helper()
	l := &load{stop: make(chan struct{})}
	c := client(t)
	for i := range n {
		l.done.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				l.one(c, url(i), header)
			}
		})
	}
	t.Cleanup(l.Stop)
	return l
}

func (l *load) one(c *http.Client, url string, header []string) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err == nil {
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		var resp *http.Response
		if resp, err = c.Do(r); err == nil {
			if resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %d", resp.StatusCode) //nolint:err113 // shown as it is
			}
			_ = resp.Body.Close()
		}
	}
	l.sent.Add(1)
	if err != nil {
		l.failed.Add(1)
		l.why.Store(err.Error())
	}
}

// Stop ends the load.
func (l *load) Stop() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.done.Wait()
}

// after waits until n more requests were sent.
func (l *load) after(t testing.TB, n int64) {
	t.Helper()
	until := l.sent.Load() + n
	require.Eventually(t, func() bool { return l.sent.Load() >= until }, harness.Patience, time.Millisecond)
}

// requireNone demands that no request has failed.
func (l *load) requireNone(t testing.TB) {
	t.Helper()
	require.Zero(t, l.failed.Load(), "of %d requests, the last with: %v", l.sent.Load(), l.why.Load())
	require.NotZero(t, l.sent.Load())
}
