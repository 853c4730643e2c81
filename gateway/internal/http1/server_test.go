package http1

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

func limits(change func(*transport.Limits)) func() transport.Limits {
	return func() transport.Limits {
		l := transport.DefaultLimits()
		change(&l)
		return l
	}
}

func dial(t testing.TB, addr string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return c, bufio.NewReader(c)
}

func send(t testing.TB, c net.Conn, s string) {
	t.Helper()
	_, err := io.WriteString(c, s)
	require.NoError(t, err)
}

// answer reads one response.
func answer(t testing.TB, br *bufio.Reader, method string) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(br, &http.Request{Method: method})
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(b)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, send string
		limit      func(*transport.Limits)
		status     int
	}{
		{"header bytes", "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("b", 2000) + "\r\n\r\n", func(l *transport.Limits) { l.HeaderBytes = 1000 }, 431},
		{"header bytes without end", "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("b", 40000), func(*transport.Limits) {}, 431},
		{"large header within", "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("b", 30000) + "\r\n\r\n", func(*transport.Limits) {}, 200},
		{"header count", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nA: b\r\nA: b\r\n\r\n", func(l *transport.Limits) { l.HeaderCount = 3 }, 431},
		{"header count within", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nA: b\r\n\r\n", func(l *transport.Limits) { l.HeaderCount = 3 }, 200},
		{"target", "GET /" + strings.Repeat("a", 100) + " HTTP/1.1\r\nHost: x\r\n\r\n", func(l *transport.Limits) { l.URIBytes = 100 }, 414},
		{"target within", "GET /" + strings.Repeat("a", 99) + " HTTP/1.1\r\nHost: x\r\n\r\n", func(l *transport.Limits) { l.URIBytes = 100 }, 200},
		{"target without end", "GET /" + strings.Repeat("a", 20000), func(*transport.Limits) {}, 414},
		{"content", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n", func(l *transport.Limits) { l.BodyBytes = 10 }, 413},
		{"content within", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789", func(l *transport.Limits) { l.BodyBytes = 10 }, 200},
		{"chunked content", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n", func(l *transport.Limits) { l.BodyBytes = 10 }, 413},
		{"header time", "GET / HTTP/1.1\r\nHost:", func(l *transport.Limits) { l.HeaderTime = 20 * time.Millisecond }, 408},
		{"content time", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na", func(l *transport.Limits) { l.BodyIdle = 20 * time.Millisecond }, 408},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addr, _ := start(t, teller(), limits(c.limit))
			status, body, closed := ask(t, addr, c.send)
			require.Equal(t, c.status, status, body)
			require.Equal(t, status != 200, closed)
		})
	}
}

// A client that sends a byte now and then must not keep its connection: the time
// for the header counts from the first byte.
func TestSlowLorisDies(t *testing.T) {
	t.Parallel()
	addr, _ := start(t, teller(), limits(func(l *transport.Limits) { l.HeaderTime = 100 * time.Millisecond }))
	c, br := dial(t, addr)
	go func() {
		for range 1000 {
			if _, err := io.WriteString(c, "G"); err != nil {
				return
			}
			<-time.After(5 * time.Millisecond)
		}
	}()
	begin := time.Now()
	resp, _ := answer(t, br, "GET")
	require.Equal(t, 408, resp.StatusCode)
	require.Less(t, time.Since(begin), 4*time.Second, "the client would go on for 5 s at least")
}

func TestIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	addr, _ := start(t, teller(), limits(func(l *transport.Limits) { l.KeepAlive = 300 * time.Millisecond }))
	c, br := dial(t, addr)
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	answer(t, br, "GET")
	_, err := br.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

func TestRequestsPerConnection(t *testing.T) {
	t.Parallel()
	addr, _ := start(t, teller(), limits(func(l *transport.Limits) { l.RequestsPerConnection = 2 }))
	c, br := dial(t, addr)
	send(t, c, strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2))
	resp, _ := answer(t, br, "GET")
	require.False(t, resp.Close)
	resp, _ = answer(t, br, "GET")
	require.True(t, resp.Close)
	_, err := br.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}

func TestTotalTime(t *testing.T) {
	t.Parallel()
	f := &forwarder{serve: func(ex *policy.Exchange) {
		<-ex.Context().Done()
		ex.Response.Status = 504
		ex.Response.Header.Add("X-Why", ex.Context().Err().Error())
	}}
	addr, _ := start(t, f, limits(func(l *transport.Limits) { l.Total = 250 * time.Millisecond }))
	c, br := dial(t, addr)
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, _ := answer(t, br, "GET")
	require.Equal(t, 504, resp.StatusCode)
	require.Equal(t, context.DeadlineExceeded.Error(), resp.Header.Get("X-Why"))
}

func TestContinue(t *testing.T) {
	t.Parallel()
	f := teller()
	refuse := &forwarder{serve: func(ex *policy.Exchange) { ex.Response.Status = 401 }}
	const head = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"

	addr, _ := start(t, f, nil)
	c, br := dial(t, addr)
	send(t, c, head)
	line, err := br.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	_, err = br.ReadString('\n')
	require.NoError(t, err)
	send(t, c, "abc")
	resp, body := answer(t, br, "POST")
	require.Equal(t, "POST / x HTTP/1.1 'abc'", body)
	require.False(t, resp.Close)

	addr, _ = start(t, refuse, nil)
	c, br = dial(t, addr)
	send(t, c, head)
	resp, _ = answer(t, br, "POST")
	require.Equal(t, 401, resp.StatusCode)
	require.True(t, resp.Close, "the client may or may not send its content now")
}

func TestUnreadContent(t *testing.T) {
	t.Parallel()
	f := &forwarder{serve: func(ex *policy.Exchange) { ex.Response.Status = 200 }}
	addr, _ := start(t, f, nil)
	for _, c := range []struct {
		size int
		kept bool
	}{{10, true}, {60 << 10, true}, {1 << 20, false}} {
		conn, br := dial(t, addr)
		go func() {
			_, _ = io.WriteString(conn, fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", c.size)+
				strings.Repeat("a", c.size)+"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		}()
		resp, _ := answer(t, br, "POST")
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, !c.kept, resp.Close, c.size)
		if c.kept {
			resp, _ = answer(t, br, "GET")
			require.Equal(t, 200, resp.StatusCode)
		}
	}
}

func TestResponseForms(t *testing.T) {
	t.Parallel()
	f := &forwarder{serve: func(ex *policy.Exchange) {
		resp := &ex.Response
		resp.Status = 200
		switch ex.Request.RawPath {
		case "/stream":
			resp.Body.SetStream(strings.NewReader("abc"), -1)
		case "/known":
			resp.Body.SetStream(strings.NewReader("abc"), 3)
		case "/short":
			resp.Body.SetStream(strings.NewReader("ab"), 3)
		case "/long":
			resp.Body.SetStream(strings.NewReader("abcd"), 3)
		case "/trailer":
			resp.Body.SetStream(strings.NewReader("abc"), -1)
			resp.Header.Add("Trailer", "X-Sum")
			resp.Trailer.Add("X-Sum", "1")
			resp.Trailer.Add("Content-Length", "1")
		case "/204":
			resp.Status = 204
			resp.Header.Add("Content-Length", "5")
		case "/304":
			resp.Status = 304
			resp.Header.Add("Content-Length", "5")
		case "/status":
			resp.Status = 42
		case "/framing":
			resp.Header.Add("Content-Length", "77")
			resp.Header.Add("Transfer-Encoding", "chunked")
			resp.Header.Add("Connection", "X-A")
			resp.Body.SetBytes([]byte("abc"))
		case "/large":
			resp.Body.SetBytes([]byte(strings.Repeat("a", 1<<20)))
		default:
			resp.Body.SetBytes([]byte("abc"))
		}
	}}
	addr, _ := start(t, f, nil)
	for _, c := range []struct {
		request string
		want    string
	}{
		{"GET /bytes HTTP/1.1\r\nHost: x", "HTTP/1.1 200 OK|Content-Length: 3||abc"},
		{"HEAD /bytes HTTP/1.1\r\nHost: x", "HTTP/1.1 200 OK|Content-Length: 3||"},
		{"GET /known HTTP/1.1\r\nHost: x", "HTTP/1.1 200 OK|Content-Length: 3||abc"},
		{"GET /framing HTTP/1.1\r\nHost: x", "HTTP/1.1 200 OK|Content-Length: 3||abc"},
		{"GET /stream HTTP/1.1\r\nHost: x", "HTTP/1.1 200 OK|Transfer-Encoding: chunked||3|abc|0||"},
		{"HEAD /stream HTTP/1.1\r\nHost: x", "HTTP/1.1 200 OK||"},
		{"GET /trailer HTTP/1.1\r\nHost: x", "HTTP/1.1 200 OK|Trailer: X-Sum|Transfer-Encoding: chunked||3|abc|0|X-Sum: 1||"},
		{"GET /stream HTTP/1.0", "HTTP/1.1 200 OK|Connection: close||abc"},
		{"GET /stream HTTP/1.0\r\nConnection: keep-alive", "HTTP/1.1 200 OK|Connection: close||abc"},
		{"GET /bytes HTTP/1.0", "HTTP/1.1 200 OK|Content-Length: 3|Connection: close||abc"},
		{"GET /bytes HTTP/1.0\r\nConnection: keep-alive", "HTTP/1.1 200 OK|Content-Length: 3|Connection: keep-alive||abc"},
		{"GET /bytes HTTP/1.1\r\nHost: x\r\nConnection: close", "HTTP/1.1 200 OK|Content-Length: 3|Connection: close||abc"},
		{"GET /204 HTTP/1.1\r\nHost: x", "HTTP/1.1 204 No Content||"},
		{"GET /304 HTTP/1.1\r\nHost: x", "HTTP/1.1 304 Not Modified|Content-Length: 5||"},
		{"GET /short HTTP/1.1\r\nHost: x", "HTTP/1.1 200 OK|Content-Length: 3||ab!"},
		{"GET /long HTTP/1.1\r\nHost: x", "500"},
		{"GET /status HTTP/1.1\r\nHost: x", "500"},
	} {
		conn, _ := dial(t, addr)
		send(t, conn, c.request+"\r\n\r\n")
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
		b, err := io.ReadAll(conn)
		require.NoError(t, err)
		got := strings.ReplaceAll(string(b), "\r\n", "|")
		if i := strings.Index(got, "Date: "); i >= 0 {
			got = got[:i] + got[i+len("Date: Sun, 06 Nov 1994 08:49:37 GMT|"):]
		}
		if c.want == "500" {
			require.True(t, strings.HasPrefix(got, "HTTP/1.1 500 "), got)
			continue
		}
		if want, cut := strings.CutSuffix(c.want, "ab!"); cut { // first read had an error: nothing was sent yet
			require.True(t, strings.HasPrefix(got, want) || strings.HasPrefix(got, "HTTP/1.1 500 "), got)
			continue
		}
		require.Equal(t, c.want, got, c.request)
	}
	c, br := dial(t, addr)
	send(t, c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
	_, body := answer(t, br, "GET")
	require.Len(t, body, 1<<20)
}

// R9.4
func TestClientThatLeaves(t *testing.T) {
	t.Parallel()
	for _, reset := range []bool{false, true} {
		t.Run(fmt.Sprintf("reset=%v", reset), func(t *testing.T) {
			t.Parallel()
			arrived := make(chan struct{})
			upstreamSaw := make(chan error, 1)
			us := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
				upstreamSaw <- r.Context().Err()
			}))
			t.Cleanup(us.Close)
			f := forward(t, us.Listener.Addr().String())
			gone := make(chan bool, 1)
			f.done = func(ex *policy.Exchange) {
				gone <- ex.Outcome.ClientGone && ex.Response.Status == 499
			}
			addr, _ := start(t, f, nil)
			c, _ := dial(t, addr)
			send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			<-arrived
			if reset {
				require.NoError(t, c.(*net.TCPConn).SetLinger(0))
			}
			c.Close()
			select {
			case err := <-upstreamSaw:
				require.Error(t, err)
			case <-time.After(30 * time.Second):
				t.Fatal("the upstream was not told")
			}
			require.True(t, <-gone)
			require.Eventually(t, func() bool { return f.client.InFlight() == 0 }, 30*time.Second, time.Millisecond)
		})
	}
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}), make(chan struct{})
	f := &forwarder{serve: func(ex *policy.Exchange) {
		if ex.Request.RawPath == "/wait" {
			close(arrived)
			<-release
		}
		ex.Response.Status = 200
	}}
	addr, s := start(t, f, nil)
	idle, idleR := dial(t, addr)
	send(t, idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	answer(t, idleR, "GET")
	fresh, freshR := dial(t, addr)
	_ = fresh
	busy, busyR := dial(t, addr)
	send(t, busy, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	<-arrived
	require.Eventually(t, func() bool { return s.Connections() == 3 }, 30*time.Second, time.Millisecond)
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(context.Background()) }()
	for _, r := range []*bufio.Reader{idleR, freshR} {
		_, err := r.ReadByte()
		require.Error(t, err)
	}
	close(release)
	resp, _ := answer(t, busyR, "GET")
	require.Equal(t, 200, resp.StatusCode)
	require.True(t, resp.Close)
	require.NoError(t, <-done)
	require.Zero(t, s.Connections())
}

func TestShutdownBound(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	f := &forwarder{serve: func(ex *policy.Exchange) {
		close(arrived)
		<-ex.Context().Done()
		ex.Response.Status = 503
	}}
	addr, s := start(t, f, nil)
	c, br := dial(t, addr)
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-arrived
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
	// The handler may be quicker with its answer than the end of the connection.
	_, err := io.Copy(io.Discard, br)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection has ended")
}

func TestH2CHook(t *testing.T) {
	t.Parallel()
	s := &Server{Handler: teller(), H2C: func(_ context.Context, c net.Conn) {
		b := make([]byte, len(preface)+3)
		_, _ = io.ReadFull(c, b)
		_, _ = c.Write(b)
		c.Close()
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() { _ = s.Serve(context.Background(), l) }()
	c, br := dial(t, l.Addr().String())
	send(t, c, preface+"abc")
	b, err := io.ReadAll(br)
	require.NoError(t, err)
	require.Equal(t, preface+"abc", string(b))
	require.NoError(t, s.Shutdown(context.Background()))
}
