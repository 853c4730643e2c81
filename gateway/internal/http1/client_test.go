package http1

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

func call() *transport.Call {
	return &transport.Call{Authority: "x", Path: "/", ConnectTimeout: 30 * time.Second, HeaderTimeout: 30 * time.Second}
}

// finish reads the response and ends the exchange.
func finish(t testing.TB, ex *policy.Exchange) string {
	t.Helper()
	var b []byte
	if r := ex.Response.Body.Reader(); r != nil {
		var err error
		b, err = io.ReadAll(r)
		require.NoError(t, err)
	}
	require.NoError(t, ex.Response.Body.Close())
	return string(b)
}

// listen runs serve on every connection.
func listen(t testing.TB, serve func(c net.Conn, br *bufio.Reader, n int)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(30 * time.Second))
				serve(c, bufio.NewReader(c), n)
			})
		}
	})
	return l.Addr().String()
}

// An upstream that closes a kept connection as the next request comes must not
// make a request fail that can be sent again.
func TestStaleConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method string
		body   string
		stream bool
		fails  bool
	}{
		{method: "GET"},
		{method: "PUT", body: "abc"},
		{method: "PUT", body: "abc", stream: true},
		{method: "DELETE"},
		{method: "POST", body: "abc", fails: true},
	} {
		t.Run(fmt.Sprintf("%s %q %v", c.method, c.body, c.stream), func(t *testing.T) {
			t.Parallel()
			addr := listen(t, func(conn net.Conn, br *bufio.Reader, n int) {
				for i := 0; ; i++ {
					req, err := http.ReadRequest(br)
					if err != nil {
						return
					}
					b, _ := io.ReadAll(req.Body)
					if n == 0 && i == 1 {
						return // closes instead of answering
					}
					_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(b), b)
				}
			})
			f := forward(t, addr)
			ex := exchange("GET")
			k := call()
			require.NoError(t, f.client.RoundTrip(ex, k))
			require.False(t, k.Reused)
			finish(t, ex)
			ex = exchange(c.method)
			switch {
			case c.stream:
				ex.Request.Body.SetStream(strings.NewReader(c.body), int64(len(c.body)))
			case c.body != "":
				ex.Request.Body.SetBytes([]byte(c.body))
			}
			k = call()
			err := f.client.RoundTrip(ex, k)
			require.True(t, k.Wrote)
			if c.fails {
				require.Equal(t, transport.FailedReset, transport.FailureOf(err))
				require.True(t, k.Reused)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.body, finish(t, ex))
		})
	}
}

// What an upstream sends without being asked must not be taken for an answer.
func TestUnsolicitedAnswer(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(conn net.Conn, br *bufio.Reader, n int) {
		for {
			if _, err := http.ReadRequest(br); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			if n == 0 {
				time.AfterFunc(20*time.Millisecond, func() { _, _ = io.WriteString(conn, "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n") })
			}
		}
	})
	f := forward(t, addr)
	ex := exchange("GET")
	require.NoError(t, f.client.RoundTrip(ex, call()))
	finish(t, ex)
	require.Eventually(t, func() bool {
		f.client.pool.mu.Lock()
		defer f.client.pool.mu.Unlock()
		return f.client.pool.idle[0].stale(time.Now(), time.Minute)
	}, 30*time.Second, 10*time.Millisecond)
	ex = exchange("POST")
	k := call()
	require.NoError(t, f.client.RoundTrip(ex, k))
	require.False(t, k.Reused)
	require.Equal(t, "ok", finish(t, ex))
}

// An upload that the upstream refuses early is answered early.
func TestEarlyResponse(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(conn net.Conn, br *bufio.Reader, _ int) {
		_, _ = br.ReadString('\n')
		_, _ = io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlarge")
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.CopyN(io.Discard, conn, 100<<10)
		<-time.After(100 * time.Millisecond) // takes no more
	})
	gone := make(chan *policy.Outcome, 1)
	f := forward(t, addr)
	f.done = func(ex *policy.Exchange) { o := ex.Outcome; gone <- &o }
	us, _ := start(t, f, nil)
	c, br := dial(t, us)
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
		p := make([]byte, 64<<10)
		for {
			if _, err := c.Write(p); err != nil {
				return
			}
		}
	}()
	resp, body := answer(t, br, "POST")
	require.Equal(t, 413, resp.StatusCode)
	require.Equal(t, "large", body)
	require.True(t, resp.Close)
	<-stop
	o := <-gone
	require.Less(t, o.RequestBytes, int64(900000000))
	require.Zero(t, f.client.InFlight())
}

// An upstream may answer while it still reads, as one that echoes does.
func TestFullDuplex(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(conn net.Conn, br *bufio.Reader, _ int) {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		p := make([]byte, 1024)
		for {
			n, err := req.Body.Read(p)
			if n > 0 {
				_, _ = fmt.Fprintf(conn, "%x\r\n%s\r\n", n, p[:n])
			}
			if err != nil {
				break
			}
		}
		_, _ = io.WriteString(conn, "0\r\n\r\n")
	})
	f := forward(t, addr)
	us, _ := start(t, f, nil)
	c, br := dial(t, us)
	send(t, c, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n")
	resp, err := http.ReadResponse(br, nil)
	require.NoError(t, err)
	lines := bufio.NewReader(resp.Body)
	for range 10 {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "a\n", line)
		send(t, c, "2\r\na\n\r\n")
	}
	send(t, c, "0\r\n\r\n")
	_, err = io.ReadAll(lines)
	require.NoError(t, err)
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(conn net.Conn, br *bufio.Reader, _ int) {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if req.URL.Path == "/content" {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
		}
		_, _ = br.ReadByte()
	})
	f := forward(t, addr)
	k := call()
	k.HeaderTimeout = 20 * time.Millisecond
	require.Equal(t, transport.FailedTimeout, transport.FailureOf(f.client.RoundTrip(exchange("GET"), k)))
	k = call()
	k.Deadline = time.Now().Add(500 * time.Millisecond)
	require.Equal(t, transport.FailedTimeout, transport.FailureOf(f.client.RoundTrip(exchange("GET"), k)))
	k = call()
	k.Path, k.Deadline = "/content", time.Now().Add(500*time.Millisecond)
	ex := exchange("GET")
	require.NoError(t, f.client.RoundTrip(ex, k))
	_, err := io.ReadAll(ex.Response.Body.Reader())
	require.ErrorContains(t, err, "upstream-timeout")
	f.client.opt.StreamIdle = 20 * time.Millisecond
	k = call()
	k.Path = "/content"
	require.NoError(t, f.client.RoundTrip(ex, k))
	_, err = io.ReadAll(ex.Response.Body.Reader())
	require.ErrorContains(t, err, "upstream-timeout")
	require.Zero(t, f.client.InFlight())
}

func TestConnectFailures(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	l.Close()
	f := forward(t, addr)
	k := call()
	require.Equal(t, transport.FailedConnect, transport.FailureOf(f.client.RoundTrip(exchange("GET"), k)))
	require.False(t, k.Wrote)

	c := NewClient(transport.ClientOptions{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	k = call()
	k.ConnectTimeout = 10 * time.Millisecond
	require.Equal(t, transport.FailedConnect, transport.FailureOf(c.RoundTrip(exchange("GET"), k)))
	require.Zero(t, c.pool.open)
}

func TestMaxConns(t *testing.T) {
	t.Parallel()
	var open, most atomic.Int32
	us := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := open.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		defer open.Add(-1)
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(us.Close)
	c := NewClient(transport.ClientOptions{Target: transport.Target{Network: "tcp", Address: us.Listener.Addr().String()}, MaxConns: 2})
	t.Cleanup(c.Close)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				ex := exchange("GET")
				if err := c.RoundTrip(ex, call()); err != nil {
					t.Error(err)
					return
				}
				finish(t, ex)
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, most.Load(), int32(2))
	require.LessOrEqual(t, c.pool.open, 2)

	held := []*policy.Exchange{exchange("GET"), exchange("GET")}
	for _, ex := range held {
		require.NoError(t, c.RoundTrip(ex, call()))
	}
	k := call()
	k.ConnectTimeout = 10 * time.Millisecond
	// The bodies of the held ones were read ahead but not taken.
	require.Equal(t, transport.FailedExhausted, transport.FailureOf(c.RoundTrip(exchange("GET"), k)))
	for _, ex := range held {
		finish(t, ex)
	}
	require.Zero(t, c.InFlight())
}

func TestCancel(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	addr := listen(t, func(_ net.Conn, br *bufio.Reader, _ int) {
		_, _ = http.ReadRequest(br)
		arrived <- struct{}{}
		_, _ = br.ReadByte()
	})
	f := forward(t, addr)
	ex := exchange("GET")
	ex.SetContext(context.Background())
	go func() {
		<-arrived
		ex.Cancel()
	}()
	require.Equal(t, transport.FailedCanceled, transport.FailureOf(f.client.RoundTrip(ex, call())))
	require.Equal(t, transport.FailedCanceled, transport.FailureOf(f.client.RoundTrip(ex, call())), "once cancelled, always")
}

func TestBodyFailure(t *testing.T) {
	t.Parallel()
	saw := make(chan error, 2)
	addr := listen(t, func(_ net.Conn, br *bufio.Reader, _ int) {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		_, err = io.Copy(io.Discard, req.Body)
		saw <- err
	})
	f := forward(t, addr)
	for _, size := range []int64{1 << 20, -1} {
		ex := exchange("POST")
		ex.Request.Body.SetStream(io.MultiReader(strings.NewReader(strings.Repeat("a", 100000)), failing{}), size)
		k := call()
		err := f.client.RoundTrip(ex, k)
		require.Equal(t, transport.FailedBody, transport.FailureOf(err), "%v", err)
		require.ErrorIs(t, err, errBroken)
		require.True(t, k.BodyRead)
		require.Error(t, <-saw, "the upstream must not take it for a whole request")
	}
}

// An answer that a policy replaces must not keep its connection and its place
// among the calls under way.
func TestReplacedAnswer(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(conn net.Conn, br *bufio.Reader, _ int) {
		if req, err := http.ReadRequest(br); err != nil {
			return
		} else if req.Header.Get("Upgrade") != "" {
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
		} else {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
		}
		_, _ = br.ReadByte()
	})
	f := forward(t, addr)
	outer := &forwarder{serve: func(ex *policy.Exchange) {
		if err := f.client.RoundTrip(ex, call()); err != nil {
			fail(ex, problemOf(err))
			return
		}
		ex.Respond(200, "text/plain", []byte("mine"))
	}}
	gw, _ := start(t, outer, nil)
	for _, head := range []string{"", "Connection: Upgrade\r\nUpgrade: websocket\r\n"} {
		c, br := dial(t, gw)
		send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n"+head+"\r\n")
		resp, body := answer(t, br, "GET")
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "mine", body)
		require.Eventually(t, func() bool { return f.client.InFlight() == 0 }, 30*time.Second, time.Millisecond)
	}
}

var errBroken = errors.New("broken")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

func TestRequestSplitting(t *testing.T) {
	t.Parallel()
	f := forward(t, "127.0.0.1:1")
	f.client.opt.Dial = func(context.Context, string, string) (net.Conn, error) {
		a, b := net.Pipe()
		t.Cleanup(func() { a.Close(); b.Close() })
		return a, nil
	}
	for name, change := range map[string]func(*policy.Exchange, *transport.Call){
		"header":    func(ex *policy.Exchange, _ *transport.Call) { ex.Request.Header.Add("A", "b\r\nC: d") },
		"name":      func(ex *policy.Exchange, _ *transport.Call) { ex.Request.Header.Add("A b", "c") },
		"path":      func(_ *policy.Exchange, c *transport.Call) { c.Path = "/ HTTP/1.1\r\nA: b" },
		"query":     func(ex *policy.Exchange, _ *transport.Call) { ex.Request.Query = "a b" },
		"authority": func(_ *policy.Exchange, c *transport.Call) { c.Authority = "x\r\nA: b" },
		"method":    func(ex *policy.Exchange, _ *transport.Call) { ex.Request.Method = "GET /" },
	} {
		ex, k := exchange("GET"), call()
		change(ex, k)
		require.Equal(t, transport.FailedInvalid, transport.FailureOf(f.client.RoundTrip(ex, k)), name)
		require.False(t, k.Wrote, name)
	}
}

func TestUpstreamTLS(t *testing.T) {
	t.Parallel()
	us := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.ServerName)
	}))
	t.Cleanup(us.Close)
	roots := x509.NewCertPool()
	roots.AddCert(us.Certificate())
	target := transport.Target{Network: "tcp", Address: us.Listener.Addr().String(), Authority: "example.com:443", TLS: &tls.Config{RootCAs: roots}}
	c := NewClient(transport.ClientOptions{Target: target})
	t.Cleanup(c.Close)
	for range 3 {
		ex := exchange("GET")
		require.NoError(t, c.RoundTrip(ex, call()))
		require.Equal(t, "example.com", finish(t, ex))
	}
	require.Len(t, c.pool.idle, 1)
	target.TLS = &tls.Config{}
	c = NewClient(transport.ClientOptions{Target: target})
	require.Equal(t, transport.FailedConnect, transport.FailureOf(c.RoundTrip(exchange("GET"), call())))
}
