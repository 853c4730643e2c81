package nethttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// upstream serves h by every protocol the client knows.
func upstream(t testing.TB, h http.Handler, protocol string) (string, *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	switch protocol {
	case ProtocolH2:
		s.Config.Protocols.SetHTTP2(true)
		s.EnableHTTP2 = true
		s.StartTLS()
	case ProtocolH2C:
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	default:
		s.Config.Protocols.SetHTTP1(true)
		s.Start()
	}
	t.Cleanup(s.Close)
	if s.TLS == nil {
		return s.Listener.Addr().String(), nil
	}
	c, ok := s.Client().Transport.(*http.Transport)
	require.True(t, ok)
	return s.Listener.Addr().String(), &tls.Config{RootCAs: c.TLSClientConfig.RootCAs, ServerName: "example.com"}
}

func exchange(method, body string) *policy.Exchange {
	ex := &policy.Exchange{}
	ex.Request.Method = method
	if body != "" {
		ex.Request.Body.SetBytes([]byte(body))
	}
	return ex
}

func content(t testing.TB, ex *policy.Exchange) string {
	t.Helper()
	r := ex.Response.Body.Reader()
	if r == nil {
		return ""
	}
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, ex.Response.Body.Close())
	return string(b)
}

// TestClientContract holds for every protocol of the client.
func TestClientContract(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{ProtocolH2, ProtocolH2C, ProtocolAuto} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			block := make(chan struct{})
			mux := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/echo":
					for _, v := range r.Header["X-Twice"] {
						w.Header().Add("X-Twice", v)
					}
					fmt.Fprintf(w, "%s %s %s %v ua=%q enc=%q te=%q key=%q ", r.Method, r.Host, r.RequestURI, r.ContentLength,
						r.Header["User-Agent"], r.Header["Accept-Encoding"], r.Header["Te"], r.Header["Idempotency-Key"])
					_, _ = io.Copy(w, r.Body)
				case "/early":
					w.WriteHeader(http.StatusEarlyHints)
					w.WriteHeader(http.StatusProcessing)
					w.WriteHeader(http.StatusFound)
				case "/gzip":
					w.Header().Set("Content-Encoding", "gzip")
					_, _ = w.Write([]byte("not really"))
				case "/trailer":
					w.Header().Set("Trailer", "X-End")
					_, _ = w.Write([]byte("body"))
					w.(http.Flusher).Flush()
					w.Header().Set("X-End", "1")
				case "/length":
					w.Header().Set("Content-Length", "12345")
				case "/large":
					w.Header().Set("X-Large", strings.Repeat("x", 3000))
				case "/abort":
					panic(http.ErrAbortHandler)
				case "/half":
					w.Header().Set("Content-Length", "10")
					_, _ = w.Write([]byte("half"))
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				case "/wait":
					_, _ = io.Copy(io.Discard, r.Body)
					select {
					case <-block:
					case <-r.Context().Done():
					}
				case "/stall":
					w.(http.Flusher).Flush()
					select {
					case <-block:
					case <-r.Context().Done():
					}
				}
			})
			address, config := upstream(t, mux, protocol)
			t.Cleanup(func() { close(block) })
			c := newClient(t, address, config, protocol, func(o *transport.ClientOptions) {
				o.MaxHeaderBytes, o.StreamIdle = 2000, 50*time.Millisecond
			})
			do := func(ex *policy.Exchange, path string, change ...func(*transport.Call)) (*transport.Call, error) {
				call := &transport.Call{Authority: "name.test:8", Path: path, ConnectTimeout: 30 * time.Second}
				for _, f := range change {
					f(call)
				}
				err := c.RoundTrip(ex, call)
				if err != nil {
					require.Zero(t, ex.Response.Status)
					require.Zero(t, ex.Response.Header.Len())
					require.True(t, ex.Response.Body.Empty())
				}
				return call, err
			}

			ex := exchange("POST", "data")
			ex.Request.Query = "a=%20b&c"
			ex.Request.Header.Add("X-Twice", "1")
			ex.Request.Header.Add("x-twice", "2")
			ex.Request.Header.Add("Idempotency-Key", "k")
			call, err := do(ex, "/echo")
			require.NoError(t, err)
			require.True(t, call.Wrote)
			require.False(t, call.Reused)
			require.Equal(t, `POST name.test:8 /echo?a=%20b&c 4 ua=[] enc=[] te=[] key=["k"] data`, content(t, ex))
			require.Equal(t, 2, ex.Response.Header.Count("X-Twice"), "duplicates are kept")
			require.Equal(t, policy.SourceUpstream, ex.Response.Source)

			ex = exchange("PUT", "")
			ex.Request.Body.SetStream(strings.NewReader("streamed"), -1)
			call, err = do(ex, "/echo")
			require.NoError(t, err)
			require.True(t, call.Reused)
			require.Contains(t, content(t, ex), "PUT name.test:8 /echo -1 ")

			ex = exchange("GET", "")
			_, err = do(ex, "/early")
			require.NoError(t, err)
			require.Equal(t, 302, ex.Response.Status, "1xx are passed over, redirects not followed")
			require.Empty(t, content(t, ex))

			ex = exchange("GET", "")
			_, err = do(ex, "/gzip")
			require.NoError(t, err)
			require.Equal(t, "not really", content(t, ex), "content is not decoded")

			ex = exchange("GET", "")
			_, err = do(ex, "/trailer")
			require.NoError(t, err)
			require.Equal(t, "body", content(t, ex))
			require.Equal(t, "1", ex.Response.Trailer.Get("X-End"))

			ex = exchange("HEAD", "")
			_, err = do(ex, "/length")
			require.NoError(t, err)
			require.Equal(t, int64(12345), ex.Response.Body.Length())
			require.Empty(t, content(t, ex))

			fails := func(path string, want transport.Failure, change ...func(*transport.Call)) {
				t.Helper()
				_, err := do(exchange("GET", ""), path, change...)
				require.Equal(t, want.String(), transport.FailureOf(err).String(), "%v", err)
			}
			fails("/large", transport.FailedTooLarge)
			fails("/abort", transport.FailedReset)
			fails("/wait", transport.FailedTimeout, func(c *transport.Call) { c.HeaderTimeout = 30 * time.Millisecond })
			fails("/wait", transport.FailedTimeout, func(c *transport.Call) { c.Deadline = time.Now().Add(30 * time.Millisecond) })

			ex = exchange("GET", "")
			ctx, cancel := context.WithCancel(t.Context())
			ex.SetContext(ctx)
			time.AfterFunc(20*time.Millisecond, cancel)
			_, err = do(ex, "/wait")
			require.Equal(t, transport.FailedCanceled, transport.FailureOf(err), "%v", err)

			ex = exchange("GET", "")
			ex.SetContext(t.Context())
			time.AfterFunc(20*time.Millisecond, ex.Cancel)
			_, err = do(ex, "/wait")
			require.Equal(t, transport.FailedCanceled, transport.FailureOf(err), "%v", err)

			ex = exchange("POST", "")
			lost := errors.New("the client broke off")
			ex.Request.Body.SetStream(io.MultiReader(strings.NewReader("x"), failing{lost}), 10)
			call, err = do(ex, "/wait")
			require.Equal(t, transport.FailedBody, transport.FailureOf(err), "%v", err)
			require.ErrorIs(t, err, lost)
			require.True(t, call.BodyRead)

			for path, want := range map[string]transport.Failure{"/half": transport.FailedReset, "/stall": transport.FailedTimeout} {
				ex = exchange("GET", "")
				_, err = do(ex, path)
				require.NoError(t, err)
				_, err = io.Copy(io.Discard, ex.Response.Body.Reader())
				require.Equal(t, want.String(), transport.FailureOf(err).String(), "%v", err)
			}
			require.Eventually(t, func() bool { return c.InFlight() == 0 }, patience, time.Millisecond)
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestConnectionsThatAreNotToBeHad(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := l.Addr().String()
	require.NoError(t, l.Close())
	for _, protocol := range []string{ProtocolH2C, ProtocolAuto} {
		call := &transport.Call{Authority: "a", Path: "/", ConnectTimeout: time.Second}
		err := newClient(t, nobody, nil, protocol).RoundTrip(exchange("GET", ""), call)
		require.Equal(t, transport.FailedConnect, transport.FailureOf(err), "%v", err)
		require.False(t, call.Wrote)

		deaf := newClient(t, nobody, nil, protocol, func(o *transport.ClientOptions) {
			o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		})
		call.ConnectTimeout = 30 * time.Millisecond
		err = deaf.RoundTrip(exchange("GET", ""), call)
		require.Equal(t, transport.FailedConnect, transport.FailureOf(err), "%v", err)

		release := make(chan struct{})
		address, _ := upstream(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			<-release
		}), protocol)
		one := newClient(t, address, nil, protocol, func(o *transport.ClientOptions) { o.MaxConns = 1 })
		streams := 1
		if protocol == ProtocolH2C {
			streams = 250 // what net/http allows on a connection
		}
		var open []*policy.Exchange
		for range streams {
			ex := exchange("GET", "")
			require.NoError(t, one.RoundTrip(ex, &transport.Call{Authority: "a", Path: "/", ConnectTimeout: 30 * time.Second}))
			open = append(open, ex)
		}
		err = one.RoundTrip(exchange("GET", ""), &transport.Call{Authority: "a", Path: "/", ConnectTimeout: 30 * time.Millisecond})
		require.Equal(t, transport.FailedExhausted, transport.FailureOf(err), "%v", err)
		close(release)
		for _, ex := range open {
			_ = content(t, ex)
		}
		require.NoError(t, one.RoundTrip(exchange("HEAD", ""), &transport.Call{Authority: "a", Path: "/", ConnectTimeout: 30 * time.Second}))
	}
	_, err = NewClient(transport.ClientOptions{}, ProtocolH2)
	require.ErrorContains(t, err, "wants TLS")
	_, err = NewClient(transport.ClientOptions{}, "h3")
	require.ErrorContains(t, err, "want h2, h2c or auto")
}

// A POST that met a kept connection which broke is not sent again.
func TestPostIsNeverDoubled(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{ProtocolH2C, ProtocolAuto} {
		var posts atomic.Int64
		address, _ := upstream(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				posts.Add(1)
				panic(http.ErrAbortHandler)
			}
		}), protocol)
		c := newClient(t, address, nil, protocol)
		ex := exchange("GET", "")
		require.NoError(t, c.RoundTrip(ex, &transport.Call{Authority: "a", Path: "/", ConnectTimeout: 30 * time.Second}))
		_ = content(t, ex)
		for _, body := range []string{"", "data"} {
			ex = exchange("POST", body)
			ex.Request.Header.Add("Idempotency-Key", "1")
			call := &transport.Call{Authority: "a", Path: "/", ConnectTimeout: 30 * time.Second}
			require.Error(t, c.RoundTrip(ex, call))
			require.True(t, call.Wrote)
		}
		require.Equal(t, int64(2), posts.Load())
	}
}
