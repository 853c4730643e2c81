package main

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/load"
)

func start(t *testing.T) (*server, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := newServer(time.Now())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.serve(ln)
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return s, ln.Addr().String()
}

func TestBodiesByPathAndCount(t *testing.T) {
	t.Parallel()
	s, address := start(t)
	for path, want := range map[string][]byte{
		"/":             load.Body(load.Small),
		"/orders/items": load.Body(load.Small),
		"/orders/100k":  load.Body(load.Large),
	} {
		before := s.requests.Load()
		session, err := load.Open(t.Context(), load.Options{
			Address: address, Connections: 4, Requests: [][]byte{load.Get("localhost", path)},
			Want: load.Answer{Status: 200, Body: want},
		})
		require.NoError(t, err)
		_, err = session.Do(t.Context(), load.Run{Count: 100})
		session.Close()
		require.NoError(t, err, path)
		require.EqualValues(t, 100, s.requests.Load()-before)
	}
	session, err := load.Open(t.Context(), load.Options{
		Address: address, Connections: 1, Requests: [][]byte{load.Get("localhost", "/count")},
		Want: load.Answer{Status: 200, Body: []byte("300")},
	})
	require.NoError(t, err)
	defer session.Close()
	_, err = session.Do(t.Context(), load.Run{Count: 3}) // asking does not count
	require.NoError(t, err)
}

func TestNonsenseClosesTheConnection(t *testing.T) {
	t.Parallel()
	_, address := start(t)
	for _, text := range []string{"nonsense\r\n\r\n", "GET http://x/ HTTP/1.1\r\n\r\n"} {
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		_, err = io.WriteString(c, text)
		require.NoError(t, err)
		b, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Empty(t, b)
		c.Close()
	}
}

func TestDateIsFresh(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := newServer(now)
	first, _ := s.answers(now)
	require.Contains(t, string(first), "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n")
	next, _ := s.answers(now.Add(time.Second))
	require.Contains(t, string(next), "03:04:06")
}
