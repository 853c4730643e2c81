package http1

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// named is a connection whose peer a PROXY header has told.
type named struct{ net.Conn }

func (named) Peer() netip.AddrPort { return netip.MustParseAddrPort("192.0.2.1:4711") }

func TestTLS(t *testing.T) {
	t.Parallel()
	us := httptest.NewTLSServer(nil) // for its certificate
	us.Close()
	arrived := make(chan struct{}, 1)
	gone := make(chan bool, 1)
	f := &forwarder{
		serve: func(ex *policy.Exchange) {
			req := &ex.Request
			if req.RawPath == "/wait" {
				arrived <- struct{}{}
				<-ex.Context().Done()
			}
			ex.Response.Status = 200
			ex.Response.Body.SetBytes([]byte(req.Scheme + " " + req.Peer.String() + " " + req.TLS.ServerName + " " + strings.Repeat("a", 100000)))
		},
		done: func(ex *policy.Exchange) {
			if ex.Request.RawPath == "/wait" {
				gone <- ex.Outcome.ClientGone
			}
		},
	}
	s := &Server{Handler: f}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				tc := tls.Server(named{c}, &tls.Config{Certificates: us.TLS.Certificates})
				if tc.Handshake() != nil {
					c.Close()
					return
				}
				s.ServeConn(context.Background(), tc)
			}()
		}
	}()
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "example.com"}}
	defer tr.CloseIdleConnections()
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+l.Addr().String(), nil)
		require.NoError(t, err)
		resp, err := tr.RoundTrip(req)
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		require.Contains(t, string(b), "https 192.0.2.1:4711 example.com aaa")
		require.Greater(t, len(b), 100000)
	}
	require.Equal(t, 1, s.Connections())

	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "example.com"})
	require.NoError(t, err)
	send(t, c, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	<-arrived
	c.Close() // sends an alert before the end
	require.True(t, <-gone)
	tr.CloseIdleConnections()
	require.NoError(t, s.Shutdown(context.Background()))
}

// NetConn lets the server ask the socket whether the client is there.
func (c named) NetConn() net.Conn { return c.Conn }

// A client that takes nothing must not hold its answer for ever.
func TestSlowReaderDies(t *testing.T) {
	t.Parallel()
	done := make(chan policy.Outcome, 1)
	f := &forwarder{
		serve: func(ex *policy.Exchange) {
			ex.Response.Status = 200
			ex.Response.Body.SetStream(&zeros{left: 1 << 30}, 1<<30)
		},
		done: func(ex *policy.Exchange) { done <- ex.Outcome },
	}
	addr, _ := start(t, f, limits(func(l *transport.Limits) { l.WriteIdle = 50 * time.Millisecond }))
	c, _ := dial(t, addr)
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	o := <-done
	require.True(t, o.ClientGone)
	require.Less(t, o.ResponseBytes, int64(1<<30))
}

// Trailers of a request go on where the engine leaves the Trailer field, those
// of a response where the client has asked for them.
func TestTrailers(t *testing.T) {
	t.Parallel()
	addr, _ := proxy(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Answer")
		_, _ = io.WriteString(w, "sum="+r.Trailer.Get("X-Sum"))
		w.Header().Set("X-Answer", "yes")
	}))
	c, br := dial(t, addr)
	send(t, c, "POST / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n")
	resp, body := answer(t, br, "POST")
	require.Equal(t, "sum=7", body)
	require.Equal(t, "yes", resp.Trailer.Get("X-Answer"))
}
