package load

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

func small(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write(Body(Small))
}

func open(t *testing.T, opt Options) *Session {
	t.Helper()
	if opt.Requests == nil {
		opt.Requests = [][]byte{Get("localhost", "/")}
	}
	if opt.Want.Status == 0 {
		opt.Want = Answer{Status: 200, Body: Body(Small)}
	}
	s, err := Open(t.Context(), opt)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func TestCountIsExact(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		small(w, r)
	})
	s := open(t, Options{Address: address, Connections: 7})
	for range 2 { // the connections serve several runs
		res, err := s.Do(t.Context(), Run{Count: 500})
		require.NoError(t, err)
		require.EqualValues(t, 500, res.Requests)
		require.EqualValues(t, 500, res.Latency.Count())
		require.Positive(t, res.Rate())
	}
	require.EqualValues(t, 1000, seen.Load())
}

func TestDurationEndsARun(t *testing.T) {
	t.Parallel()
	s := open(t, Options{Address: serve(t, small), Connections: 2})
	res, err := s.Do(t.Context(), Run{Duration: 50 * time.Millisecond})
	require.NoError(t, err)
	require.Positive(t, res.Requests)
	require.GreaterOrEqual(t, res.Elapsed, 50*time.Millisecond)
}

func TestRateIsKept(t *testing.T) {
	t.Parallel()
	s := open(t, Options{Address: serve(t, small), Connections: 4})
	res, err := s.Do(t.Context(), Run{Rate: 1000, Duration: 200 * time.Millisecond})
	require.NoError(t, err)
	require.EqualValues(t, 200, res.Requests)
	require.GreaterOrEqual(t, res.Elapsed, 199*time.Millisecond)
}

func TestWaitingForAConnectionCounts(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var first sync.Once
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		first.Do(func() { <-release })
		small(w, r)
	})
	s := open(t, Options{Address: address, Connections: 1})
	time.AfterFunc(100*time.Millisecond, func() { close(release) })
	res, err := s.Do(t.Context(), Run{Rate: 100, Count: 5})
	require.NoError(t, err)
	// The requests behind the slow one fell due while it was under way.
	require.Greater(t, res.Latency.Quantile(0.5), 40*time.Millisecond)
}

func TestAllRequestsAreDrawn(t *testing.T) {
	t.Parallel()
	var seen sync.Map
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.URL.Path+r.Header.Get("X-API-Key"), true)
		small(w, r)
	})
	var requests [][]byte
	for i := range 10 {
		requests = append(requests, Get("localhost", fmt.Sprintf("/%d", i), "X-API-Key", "k"))
	}
	s := open(t, Options{Address: address, Connections: 2, Requests: requests})
	_, err := s.Do(t.Context(), Run{Count: 500})
	require.NoError(t, err)
	for i := range 10 {
		_, ok := seen.Load(fmt.Sprintf("/%dk", i))
		require.True(t, ok, "request %d", i)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(small))
	t.Cleanup(srv.Close)
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	config.ServerName = "example.com"
	s := open(t, Options{Address: strings.TrimPrefix(srv.URL, "https://"), Connections: 3, TLS: config})
	res, err := s.Do(t.Context(), Run{Count: 100})
	require.NoError(t, err)
	require.EqualValues(t, 100, res.Requests)

	_, err = Open(t.Context(), Options{
		Address: strings.TrimPrefix(srv.URL, "https://"), Connections: 1,
		Requests: [][]byte{Get("x", "/")}, TLS: &tls.Config{ServerName: "example.com"},
	})
	require.ErrorContains(t, err, "certificate")
}

func TestAWrongAnswerEndsTheRun(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]http.HandlerFunc{
		"status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"body":   func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(Body(Small - 1)) },
		"close": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			small(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, Options{Address: serve(t, h), Connections: 4})
			_, err := s.Do(t.Context(), Run{Count: 1_000_000})
			require.ErrorIs(t, err, ErrAnswer)
		})
	}
}

func TestKeepGoingCountsFailures(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 10 {
		case 0:
			w.WriteHeader(http.StatusBadGateway)
		case 5:
			w.Header().Set("Connection", "close")
			fallthrough
		default:
			small(w, r)
		}
	})
	s := open(t, Options{Address: address, Connections: 3, KeepGoing: true})
	res, err := s.Do(t.Context(), Run{Count: 200})
	require.NoError(t, err)
	require.EqualValues(t, 180, res.Requests)
	require.EqualValues(t, 20, res.Failed)
	require.EqualValues(t, 20, res.Reopened)
	require.Len(t, res.Failures, maxFailures)
	require.ErrorContains(t, res.Failures[0], "502")
}

func TestAHangingAnswerEndsAtTheLimit(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	address := serve(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) }) // before the server is closed
	s := open(t, Options{Address: address, Connections: 2})
	_, err := s.Do(t.Context(), Run{Count: 10, Limit: 50 * time.Millisecond})
	require.ErrorIs(t, err, ErrSlow)
}

func TestOpenRefusesNothingToSend(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), Options{Address: "127.0.0.1:1", Connections: 1})
	require.Error(t, err)
	_, err = Open(t.Context(), Options{Address: "127.0.0.1:1", Requests: [][]byte{Get("x", "/")}})
	require.Error(t, err)
}
