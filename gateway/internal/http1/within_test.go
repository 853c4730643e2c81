package http1

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

const again = "GET /again HTTP/1.1\r\nHost: x\r\n\r\n"

// kept returns a connection to a server that has served a request on it, so
// that the next one is served from within the wait. The handler tells begun
// that it has been called and then waits for goOn.
func kept(t *testing.T) (c *net.TCPConn, br *bufio.Reader, begun, goOn chan struct{}) {
	t.Helper()
	begun, goOn = make(chan struct{}), make(chan struct{})
	f := teller()
	tell := f.serve
	f.serve = func(ex *policy.Exchange) {
		if ex.Request.RawPath == "/again" {
			begun <- struct{}{}
			<-goOn
		}
		tell(ex)
	}
	addr, _ := start(t, f, limits(func(l *transport.Limits) { l.KeepAlive = time.Hour }))
	nc, br := dial(t, addr)
	send(t, nc, "GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, _ := answer(t, br, "GET")
	require.Equal(t, 200, resp.StatusCode)
	return nc.(*net.TCPConn), br, begun, goOn
}

// What comes while a request is served is noticed at once after it, though
// nothing is read to find out.
func TestNothingIsMissedWithin(t *testing.T) {
	t.Parallel()
	c, br, begun, goOn := kept(t)
	for range 3 { // each comes while the one before is served
		send(t, c, again)
		<-begun
		send(t, c, "POST /content HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"+again)
		goOn <- struct{}{}
		_, body := answer(t, br, "GET")
		require.Contains(t, body, "GET /again")
		_, body = answer(t, br, "POST")
		require.Contains(t, body, "POST /content x HTTP/1.1 'ab'")
		<-begun
		goOn <- struct{}{}
		_, body = answer(t, br, "GET")
		require.Contains(t, body, "GET /again")
	}
}

func TestEndIsNoticedWithin(t *testing.T) {
	t.Parallel()
	c, br, begun, goOn := kept(t)
	send(t, c, again)
	<-begun
	require.NoError(t, c.CloseWrite())
	goOn <- struct{}{}
	_, body := answer(t, br, "GET")
	require.Contains(t, body, "GET /again")
	_, err := br.ReadByte()
	require.ErrorIs(t, err, io.EOF, "a connection whose client has ended its side is closed")
}

// A head may come in pieces, and content after its head.
func TestPiecesWithin(t *testing.T) {
	t.Parallel()
	c, br, begun, goOn := kept(t)
	for range 2 {
		for _, piece := range []string{"POST /content HTTP/1.1\r\nHost: x\r\nContent-", "Length: 4\r\n\r\n", "ab", "cd"} {
			send(t, c, piece)
			<-time.After(2 * time.Millisecond) // so that they are read apart, as a rule
		}
		_, body := answer(t, br, "POST")
		require.Contains(t, body, "'abcd'")
		send(t, c, again)
		<-begun
		goOn <- struct{}{}
		_, body = answer(t, br, "GET")
		require.Contains(t, body, "GET /again")
	}
}

func TestIdleAfterWithin(t *testing.T) {
	t.Parallel()
	addr, _ := start(t, teller(), limits(func(l *transport.Limits) { l.KeepAlive = time.Second }))
	c, br := dial(t, addr)
	for range 3 {
		send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		answer(t, br, "GET")
	}
	_, err := br.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}
