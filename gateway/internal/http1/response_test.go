package http1

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// responseCases are what an upstream answers, and what becomes of it: a body, or
// a failure of the call, or one of the body.
var responseCases = []struct {
	name, answer string
	method       string
	want         string
	failure      transport.Failure
	broken       bool
	kept         bool
}{
	{name: "length", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", want: "abc", kept: true},
	{name: "no reason", answer: "HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nabc", want: "abc", kept: true},
	{name: "no reason, no space", answer: "HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", want: "abc", kept: true},
	{name: "chunked", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", want: "abcde", kept: true},
	{name: "until close", answer: "HTTP/1.1 200 OK\r\n\r\nabc", want: "abc"},
	{name: "1.0", answer: "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", want: "abc"},
	{name: "1.0 kept", answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", want: "abc", kept: true},
	{name: "close", answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", want: "abc"},
	{name: "interim", answer: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", want: "abc", kept: true},
	{name: "204", answer: "HTTP/1.1 204 No Content\r\n\r\n", kept: true},
	{name: "304 with length", answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", kept: true},
	{name: "head", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", kept: true},
	{name: "more than announced", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n", want: "abc"},
	{name: "content of head", method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},

	{name: "length and coding", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", failure: transport.FailedInvalid},
	{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "length with plus", answer: "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "coding gzip", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", failure: transport.FailedInvalid},
	{name: "coding in 1.0", answer: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", failure: transport.FailedInvalid},
	{name: "coding in 204", answer: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", failure: transport.FailedInvalid},
	{name: "length in 204", answer: "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "fold", answer: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "lf", answer: "HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", failure: transport.FailedInvalid},
	{name: "lf in field", answer: "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "cr in field", answer: "HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "nul", answer: "HTTP/1.1 200 OK\r\nA: \x00\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "space before colon", answer: "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "version 2", answer: "HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "status of two digits", answer: "HTTP/1.1 20 OK\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "status of four digits", answer: "HTTP/1.1 2000 OK\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "status below 100", answer: "HTTP/1.1 099 OK\r\nContent-Length: 3\r\n\r\nabc", failure: transport.FailedInvalid},
	{name: "no http", answer: "SSH-2.0-x\r\n\r\n", failure: transport.FailedInvalid},
	{name: "switch not asked for", answer: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", failure: transport.FailedInvalid},
	{name: "too many interim", answer: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), failure: transport.FailedInvalid},
	{name: "header too large", answer: "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("b", 70000) + "\r\n\r\n", failure: transport.FailedTooLarge},
	{name: "closed", answer: "", failure: transport.FailedReset},
	{name: "closed within header", answer: "HTTP/1.1 200 OK\r\nContent-Le", failure: transport.FailedReset},
	{name: "closed within content", answer: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", broken: true},
	{name: "closed within chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", broken: true},
	{name: "closed before last chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", broken: true},
}

// once answers one request on each connection with the given bytes, and closes
// it.
func once(t testing.TB, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p := make([]byte, 4096)
			_, _ = c.Read(p)
			_, _ = io.WriteString(c, answer)
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	return l.Addr().String()
}

func exchange(method string) *policy.Exchange {
	ex := new(policy.Exchange)
	ex.Request.Method, ex.Request.Proto = method, "HTTP/1.1"
	return ex
}

func TestResponseStrictness(t *testing.T) {
	t.Parallel()
	for _, c := range responseCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := forward(t, once(t, c.answer))
			ex := exchange("GET")
			if c.method != "" {
				ex.Request.Method = c.method
			}
			err := f.client.RoundTrip(ex, &transport.Call{Authority: "x", Path: "/", ConnectTimeout: 30 * time.Second, HeaderTimeout: 30 * time.Second})
			require.Equal(t, c.failure, transport.FailureOf(err), "%v", err)
			if c.failure != 0 {
				require.Zero(t, ex.Response.Status)
				require.Zero(t, ex.Response.Header.Len())
				require.Zero(t, f.client.InFlight())
				require.Empty(t, f.client.pool.idle)
				return
			}
			var b []byte
			if r := ex.Response.Body.Reader(); r != nil {
				b, err = io.ReadAll(r)
			}
			require.NoError(t, ex.Response.Body.Close())
			require.Equal(t, c.broken, err != nil, "%v", err)
			if !c.broken {
				require.Equal(t, c.want, string(b))
			}
			require.Zero(t, f.client.InFlight())
			require.Equal(t, c.kept, len(f.client.pool.idle) == 1)
			if c.method == "HEAD" || ex.Response.Status == 304 {
				require.NotEmpty(t, ex.Response.Header.Get("Content-Length"))
			}
		})
	}
	for name, chunks := range chunkCases {
		t.Run("chunked/"+name, func(t *testing.T) {
			t.Parallel()
			f := forward(t, once(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+chunks))
			addr, _ := start(t, f, nil)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr, nil)
			require.NoError(t, err)
			req.Close = true
			resp, err := http.DefaultClient.Do(req)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if err == nil {
				require.Equal(t, 502, resp.StatusCode, "the client must see that the answer is not whole")
			}
			require.Zero(t, f.client.InFlight())
		})
	}
}

// A policy cannot break a message by what it puts into a field.
func TestResponseSplitting(t *testing.T) {
	t.Parallel()
	for _, f := range []policy.Field{{Name: "A", Value: "b\r\nC: d"}, {Name: "A\r\nB", Value: "c"}, {Name: "A", Value: "b\nC: d"}, {Name: "A", Value: "\x00"}, {Name: "", Value: "x"}, {Name: "A:B", Value: "x"}} {
		h := &forwarder{serve: func(ex *policy.Exchange) {
			ex.Response.Status = 302
			ex.Response.Header.Add(f.Name, f.Value)
		}}
		addr, _ := start(t, h, nil)
		status, body, closed := ask(t, addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		require.Equal(t, 500, status)
		require.True(t, closed)
		require.Contains(t, body, `"code":"internal"`)
	}
}
