package http1

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// forwarder is the smallest handler: it forwards everything to one client.
type forwarder struct {
	client *Client
	serve  func(ex *policy.Exchange) // instead of forwarding
	done   func(ex *policy.Exchange) // at the end of each exchange
	call   transport.Call
	pool   sync.Pool
}

func (f *forwarder) Acquire() *policy.Exchange {
	if p, ok := f.pool.Get().(*policy.Exchange); ok {
		return p
	}
	return new(policy.Exchange)
}

func (f *forwarder) Release(ex *policy.Exchange) {
	if f.done != nil {
		f.done(ex)
	}
	ex.Reset()
	f.pool.Put(ex)
}

func (f *forwarder) Refuse(ex *policy.Exchange, p *problem.Problem) { fail(ex, p) }

func fail(ex *policy.Exchange, p *problem.Problem) {
	ex.Outcome.Err = p
	ex.Response.Status = p.Status
	ex.Response.Source = policy.SourceError
	ex.Response.Header.Set("Content-Type", problem.ContentType)
	ex.Response.Body.SetBytes(p.JSON())
}

var calls = sync.Pool{New: func() any { return new(transport.Call) }}

func (f *forwarder) Serve(ex *policy.Exchange) {
	if f.serve != nil {
		f.serve(ex)
		return
	}
	up := ex.Request.Upgrade
	if ex.Request.Header.Has("Connection") {
		dropConnectionFields(&ex.Request.Header, true)
	}
	ex.Request.Upgrade = up
	call := calls.Get().(*transport.Call)
	defer calls.Put(call)
	*call = f.call
	call.Authority, call.Path = ex.Request.Authority, ex.Request.RawPath
	if err := f.client.RoundTrip(ex, call); err != nil {
		fail(ex, problemOf(err))
	}
}

func problemOf(err error) *problem.Problem {
	switch transport.FailureOf(err) {
	case transport.FailedTimeout:
		return problem.New(problem.CodeUpstreamTimeout, "%v", err)
	case transport.FailedInvalid:
		return problem.New(problem.CodeUpstreamInvalid, "%v", err)
	case transport.FailedCanceled:
		return problem.New(problem.CodeClientClosed, "%v", err)
	case transport.FailedBody:
		return problem.From(err)
	}
	return problem.New(problem.CodeUpstreamUnavailable, "%v", err)
}

// start runs a server with that handler and returns its address.
func start(t testing.TB, h transport.Handler, lim func() transport.Limits) (string, *Server) {
	t.Helper()
	s := &Server{Handler: h, Limits: lim}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Serve(context.Background(), l)
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = s.Shutdown(ctx)
	})
	return l.Addr().String(), s
}

// proxy runs a server that forwards to an upstream.
func proxy(t testing.TB, upstream http.Handler) (string, *forwarder) {
	t.Helper()
	us := httptest.NewServer(upstream)
	t.Cleanup(us.Close)
	f := forward(t, us.Listener.Addr().String())
	addr, _ := start(t, f, nil)
	return addr, f
}

func forward(t testing.TB, upstream string) *forwarder {
	t.Helper()
	c := NewClient(transport.ClientOptions{Target: transport.Target{Network: "tcp", Address: upstream, Authority: upstream}})
	t.Cleanup(c.Close)
	return &forwarder{client: c, call: transport.Call{ConnectTimeout: 30 * time.Second, HeaderTimeout: 20 * time.Second}}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	addr, _ := proxy(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Got", r.Method+" "+r.URL.RequestURI()+" "+r.Host+" "+r.Header.Get("X-Sent"))
		b, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/chunked" {
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(b)
	}))
	big := strings.Repeat("0123456789abcdef", 1<<14)
	for _, path := range []string{"/plain?a=b", "/chunked"} {
		for _, body := range []string{"", "hello", big} {
			for _, chunked := range []bool{false, true} {
				var r io.Reader = strings.NewReader(body)
				if chunked {
					r = struct{ io.Reader }{r}
				}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+path, r)
				require.NoError(t, err)
				req.Header.Set("X-Sent", "yes")
				resp, err := http.DefaultClient.Do(req)
				require.NoError(t, err)
				got, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				resp.Body.Close()
				require.Equal(t, 200, resp.StatusCode, string(got))
				require.Equal(t, "POST "+path+" "+addr+" yes", resp.Header.Get("X-Got"))
				require.Len(t, got, len(body))
				require.Equal(t, body, string(got))
			}
		}
	}
}

func TestPipelining(t *testing.T) {
	t.Parallel()
	addr, _ := proxy(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.URL.Path+":"+string(b))
	}))
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"+
		"POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n1\r\nz\r\n0\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	br := bufio.NewReader(c)
	for _, want := range []string{"/1:", "/2:abc", "/3:xyz", "/4:"} {
		resp, err := http.ReadResponse(br, nil)
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
	_, err = br.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}
