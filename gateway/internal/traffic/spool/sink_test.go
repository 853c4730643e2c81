package spool

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// receiver is a server that takes batches as an analysis service would.
type receiver struct {
	mu      sync.Mutex
	mode    string // "", "down", "lose-answer", "reject"
	seen    map[string]bool
	lines   map[string]int
	lost    []string
	calls   int
	headers http.Header
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	z, err := gzip.NewReader(req.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(z)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	r.headers = req.Header.Clone()
	switch {
	case err != nil || r.mode == "reject":
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	case r.mode == "down":
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if id := req.Header.Get("Batch-Id"); !r.seen[id] {
		r.seen[id] = true
		for l := range strings.Lines(string(body)) {
			r.lines[l]++
		}
		r.lost = append(r.lost, req.Header.Values("Lost-Records")...)
	}
	if r.mode == "lose-answer" && r.calls%2 == 0 {
		panic(http.ErrAbortHandler)
	}
}

func (r *receiver) set(mode string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = mode
}

func (r *receiver) count() (lines, calls int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.lines), r.calls
}

func start(t *testing.T, dir, url string, client *http.Client) (s *Sink, stop func()) {
	t.Helper()
	s, err := NewSink(Options{
		Dir: dir, MaxBytes: 1 << 20, Buffer: 4 << 20, FlushEvery: time.Millisecond, SyncEvery: 5 * time.Millisecond,
		Shipper: &HTTP{URL: url, Client: client, Header: http.Header{"Authorization": {"Bearer x"}}},
		Log:     slog.New(slog.DiscardHandler), Backoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond,
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.NoError(t, <-done)
		})
	}
	t.Cleanup(stop)
	return s, stop
}

func serve(t *testing.T) (*receiver, *httptest.Server) {
	t.Helper()
	r := &receiver{seen: map[string]bool{}, lines: map[string]int{}}
	srv := httptest.NewUnstartedServer(r)
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.Start()
	t.Cleanup(srv.Close)
	return r, srv
}

func TestEveryRecordArrivesOnceWhileTheReceiverComesAndGoes(t *testing.T) {
	t.Parallel()
	r, srv := serve(t)
	s, stop := start(t, t.TempDir(), srv.URL, srv.Client())
	n := 0
	for _, mode := range []string{"", "down", "lose-answer", "down", ""} {
		r.set(mode)
		for range 500 {
			s.Add(uint32(n), []byte(fmt.Sprintf("{\"id\":%d}\n", n)), int64(n))
			n++
		}
		s.Flush()
		_, before := r.count()
		require.Eventually(t, func() bool { _, c := r.count(); return c > before }, 30*time.Second, time.Millisecond)
	}
	require.Eventually(t, func() bool { got, _ := r.count(); return got == n }, 30*time.Second, time.Millisecond)
	stop()
	for line, times := range r.lines {
		require.Equal(t, 1, times, line)
	}
	require.EqualValues(t, n, s.Spooled().Delivered)
	require.Equal(t, "Bearer x", r.headers.Get("Authorization"))
	require.Equal(t, "application/x-ndjson", r.headers.Get("Content-Type"))
	records, dropped, errs := s.Counts()
	require.EqualValues(t, n, records)
	require.Zero(t, dropped)
	require.Positive(t, errs)
}

func TestWhatWasNotDeliveredIsDeliveredByTheNextProcess(t *testing.T) {
	t.Parallel()
	r, srv := serve(t)
	r.set("down")
	dir := t.TempDir()
	s, stop := start(t, dir, srv.URL, srv.Client())
	for i := range 100 {
		s.Add(0, []byte(fmt.Sprintf("%d\n", i)), 1)
	}
	stop()
	got, _ := r.count()
	require.Zero(t, got)
	r.set("")
	start(t, dir, srv.URL, srv.Client())
	require.Eventually(t, func() bool { got, _ := r.count(); return got == 100 }, 30*time.Second, time.Millisecond)
}

func TestANewProcessWaitsForTheOldOneAndLosesNothing(t *testing.T) {
	t.Parallel()
	r, srv := serve(t)
	dir := t.TempDir()
	old, stopOld := start(t, dir, srv.URL, srv.Client())
	old.Add(0, []byte("old\n"), 1)
	old.Flush()
	s, _ := start(t, dir, srv.URL, srv.Client())
	s.Add(0, []byte("new\n"), 1)
	stopOld()
	require.Eventually(t, func() bool { got, _ := r.count(); return got == 2 }, 30*time.Second, time.Millisecond)
}

func TestARejectedBatchIsCountedAndDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	r, srv := serve(t)
	r.set("reject")
	s, _ := start(t, t.TempDir(), srv.URL, srv.Client())
	s.Add(0, []byte("bad\n"), 1)
	require.Eventually(t, func() bool { return s.Spooled().Lost == 1 }, 30*time.Second, time.Millisecond)
	r.set("")
	s.Add(0, []byte("good\n"), 1)
	require.Eventually(t, func() bool { got, _ := r.count(); return got == 1 }, 30*time.Second, time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Len(t, r.lost, 1)
	require.Contains(t, r.lost[0], "reason=rejected")
}
