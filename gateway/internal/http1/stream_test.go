package http1

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// zeros is content of a given size that costs no memory.
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

// inUse returns the bytes of memory in use after a collection.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// R17.1
func TestLargeContentInFlatMemory(t *testing.T) {
	size := int64(2 << 30)
	if testing.Short() || raceEnabled {
		size = 64 << 20
	}
	addr, _ := proxy(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Got", fmt.Sprint(n))
		if r.Method == http.MethodGet {
			if r.URL.Path == "/length" {
				w.Header().Set("Content-Length", fmt.Sprint(size))
			}
			_, _ = io.Copy(w, &zeros{left: size})
		}
	}))
	var m runtime.MemStats
	before := inUse()
	most := uint64(0)
	sample := func() { runtime.ReadMemStats(&m); most = max(most, m.HeapInuse+m.StackInuse) }
	for _, known := range []bool{true, false} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/", &zeros{left: size})
		require.NoError(t, err)
		if known {
			req.ContentLength = size
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, fmt.Sprint(size), resp.Header.Get("X-Got"))
		sample()
	}
	for _, path := range []string{"/length", "/chunked"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, size, n)
		sample()
	}
	require.Less(t, most, before+50<<20)
}

// R17.2
func TestIdleEventStreams(t *testing.T) {
	streams := 1000
	if testing.Short() || raceEnabled {
		streams = 100
	}
	var waiting sync.WaitGroup
	waiting.Add(streams)
	tick := make(chan struct{})
	// A raw upstream, so that what is measured is mostly the gateway.
	addr := listen(t, func(c net.Conn, br *bufio.Reader, _ int) {
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: a\n\r\n")
		waiting.Done()
		<-tick
		_, _ = io.WriteString(c, "8\r\ndata: b\n\r\n")
		_, _ = br.ReadByte()
	})
	f := forward(t, addr)
	gw, s := start(t, f, nil)
	before := inUse()
	type stream struct {
		c  net.Conn
		br *bufio.Reader
	}
	all := make([]stream, streams)
	for i := range all {
		c, _ := dial(t, gw)
		send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		br := bufio.NewReaderSize(c, 16)
		for line := ""; line != "data: a\n"; {
			var err error
			line, err = br.ReadString('\n')
			require.NoError(t, err)
		}
		all[i] = stream{c, br}
	}
	waiting.Wait()
	each := (inUse() - before) / uint64(streams)
	t.Logf("%d idle event streams: %d kB each, client and upstream of the test included", streams, each>>10)
	require.Less(t, each, uint64(64<<10))
	require.Equal(t, streams, s.Connections())
	begin := time.Now()
	close(tick)
	for _, s := range all {
		for line := ""; line != "data: b\n"; {
			var err error
			line, err = s.br.ReadString('\n')
			require.NoError(t, err)
		}
	}
	t.Logf("an event reached all of them within %v", time.Since(begin))
	for _, s := range all {
		s.c.Close()
	}
	require.Eventually(t, func() bool { return s.Connections() == 0 && f.client.InFlight() == 0 }, 30*time.Second, 10*time.Millisecond)
}

// Connections that wait for a request hold no buffers.
func TestIdleConnections(t *testing.T) {
	n := 1000
	if testing.Short() || raceEnabled {
		n = 100
	}
	addr, s := start(t, teller(), nil)
	before := inUse()
	for range n {
		c, _ := dial(t, addr)
		send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		p := make([]byte, 1024)
		_, err := c.Read(p)
		require.NoError(t, err)
	}
	require.Equal(t, n, s.Connections())
	each := (inUse() - before) / uint64(n)
	t.Logf("%d idle connections: %d bytes each, client of the test included", n, each)
	require.Less(t, each, uint64(20<<10))
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	addr, f := proxy(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(403)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"echo"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			typ, b, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), typ, b) != nil {
				return
			}
		}
	}))
	outcome := make(chan policy.Outcome, 1)
	f.done = func(ex *policy.Exchange) {
		if ex.Response.Status == 101 {
			outcome <- ex.Outcome
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, resp, err := websocket.Dial(ctx, "ws://"+addr+"/", &websocket.DialOptions{Subprotocols: []string{"echo"}})
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	require.Equal(t, "echo", c.Subprotocol())
	c.SetReadLimit(-1)
	require.Equal(t, 1, f.client.InFlight())
	for _, size := range []int{0, 5, 70000, 1 << 20} {
		sent := bytes.Repeat([]byte("a"), size)
		require.NoError(t, c.Write(ctx, websocket.MessageBinary, sent))
		_, got, err := c.Read(ctx)
		require.NoError(t, err)
		require.Len(t, got, size)
	}
	require.NoError(t, c.Close(websocket.StatusNormalClosure, "bye"))
	o := <-outcome
	require.Greater(t, o.RequestBytes, int64(1<<20))
	require.Greater(t, o.ResponseBytes, int64(1<<20))
	require.Eventually(t, func() bool { return f.client.InFlight() == 0 }, 30*time.Second, time.Millisecond)

	_, resp, err = websocket.Dial(ctx, "ws://"+addr+"/refuse", nil)
	require.Error(t, err)
	require.Equal(t, 403, resp.StatusCode)
}

func TestTunnelEnds(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(c net.Conn, br *bufio.Reader, _ int) {
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nearly")
		_, _ = io.Copy(c, br) // until the client ends its side
		_, _ = io.WriteString(c, "late")
	})
	const head = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
	f := forward(t, addr)
	gw, s := start(t, f, nil)

	// One side may end before the other (half-close).
	c, br := dial(t, gw)
	send(t, c, head+"ahead")
	resp, err := http.ReadResponse(br, nil)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	require.NoError(t, c.(interface{ CloseWrite() error }).CloseWrite())
	b, err := io.ReadAll(br)
	require.NoError(t, err)
	require.Equal(t, "earlyaheadlate", string(b))

	// Shutdown ends tunnels after its bound.
	c, br = dial(t, gw)
	send(t, c, head)
	_, err = http.ReadResponse(br, nil)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
	_, err = io.ReadAll(br)
	require.True(t, err == nil || strings.Contains(err.Error(), "reset"))
	require.Zero(t, f.client.InFlight())
}

func TestTunnelIdle(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(c net.Conn, br *bufio.Reader, _ int) {
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = br.ReadByte()
	})
	s := &Server{Handler: forward(t, addr), TunnelIdle: 30 * time.Millisecond}
	us := httptest.NewUnstartedServer(nil)
	defer us.Listener.Close()
	go func() { _ = s.Serve(context.Background(), us.Listener) }()
	c, br := dial(t, us.Listener.Addr().String())
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	_, err := http.ReadResponse(br, nil)
	require.NoError(t, err)
	_, err = br.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, s.Shutdown(context.Background()))
}
