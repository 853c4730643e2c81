package upstream

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// raw is a server that treats each connection as serve says, after having read
// the request's header.
func raw(t *testing.T, serve func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	var conns []net.Conn
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			buf := make([]byte, 4096)
			_, _ = c.Read(buf)
			serve(c)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for _, c := range conns {
			_ = c.Close()
		}
	})
	return "http://" + l.Addr().String()
}

func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

func TestFailuresOfRealServers(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	for name, c := range map[string]struct {
		url    string
		code   string
		status int
	}{
		"refuses":          {"http://" + closed.Addr().String(), "upstream-unavailable", 502},
		"closes":           {raw(t, func(c net.Conn) { _ = c.Close() }), "upstream-unavailable", 502},
		"resets in header": {raw(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-A"); reset(c) }), "upstream-unavailable", 502},
		"hangs":            {raw(t, func(net.Conn) {}), "upstream-timeout", 504},
		"slow header":      {raw(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-A: ") }), "upstream-timeout", 504},
		"not HTTP":         {raw(t, func(c net.Conn) { _, _ = io.WriteString(c, "220 mail ready\r\n\r\n"); _ = c.Close() }), "upstream-invalid-response", 502},
		"large header": {raw(t, func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: "+strings.Repeat("x", 300<<10)+"\r\n\r\n")
			_ = c.Close()
		}), "upstream-response-too-large", 502},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, unit.Upstream{Targets: urls(c.url)}, Env{NewClient: newReal})
			ex := get("/")
			ex.Forward.Connect, ex.Forward.Header = 100*time.Millisecond, 100*time.Millisecond
			requireProblem(t, u.Do(ex), c.code, c.status)
			require.Zero(t, ex.Response.Status)
			require.NotEmpty(t, ex.Outcome.Attempts)
			for _, a := range ex.Outcome.Attempts {
				require.NotEmpty(t, a.Error)
				require.Equal(t, strings.TrimPrefix(c.url, "http://"), a.Target)
			}
			require.Positive(t, ex.Outcome.UpstreamTime)
			require.NotEmpty(t, u.Status().Endpoints[0].LastError)
		})
	}
}

func TestAnswerStreams(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Got", r.Method+" "+r.Host+r.URL.Path)
		_, _ = io.WriteString(w, "first ")
		_ = http.NewResponseController(w).Flush()
		<-more
		_, _ = io.WriteString(w, "second")
	}))
	t.Cleanup(server.Close)
	u := newUpstream(t, unit.Upstream{Targets: urls(server.URL + "/v1/"), Host: "svc.example:81"}, Env{NewClient: newReal})
	ex := get("/client")
	ex.Forward.Path = "/sent"
	require.NoError(t, u.Do(ex))
	require.Equal(t, policy.SourceUpstream, ex.Response.Source)
	require.Equal(t, "GET svc.example:81/v1/sent", ex.Response.Header.Get("X-Got"))
	require.Equal(t, 1, u.Status().Endpoints[0].InFlight)
	close(more)
	require.Equal(t, "first second", content(t, ex))
	require.Zero(t, u.Status().Endpoints[0].InFlight)
}

func TestTotalTimeBoundsTheBodyToo(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, unit.Upstream{
		Targets: urls(raw(t, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") })),
	}, Env{NewClient: newReal})
	ex := get("/")
	ex.Forward.Total = 100 * time.Millisecond
	require.NoError(t, u.Do(ex))
	_, err := io.ReadAll(ex.Response.Body.Reader())
	require.Error(t, err)
	require.NoError(t, ex.Response.Body.Close())
}

func TestClientLeaves(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{})
	u := newUpstream(t, unit.Upstream{
		Targets: urls(raw(t, func(net.Conn) { close(reached) })),
		Retries: &unit.Retries{On: []string{"connect", "reset", "timeout"}, NonIdempotent: true},
	}, Env{NewClient: newReal})
	ctx, leave := context.WithCancel(t.Context())
	ex := get("/")
	ex.SetContext(ctx)
	result := make(chan error, 1)
	go func() { result <- u.Do(ex) }()
	<-reached
	leave()
	requireProblem(t, <-result, "client-closed-request", 499)
	require.Len(t, ex.Outcome.Attempts, 1)
	require.Zero(t, u.Status().Endpoints[0].Failures, "not the target's fault")
}

func TestProblemOfEachFailure(t *testing.T) {
	t.Parallel()
	tooLarge := problem.New(problem.CodeBodyTooLarge, "over 10 bytes")
	for name, c := range map[string]struct {
		err    error
		code   string
		status int
	}{
		"exhausted":        {fails(transport.FailedExhausted), "upstream-unavailable", 503},
		"connect in time":  {&transport.CallError{Failure: transport.FailedConnect, Err: context.DeadlineExceeded}, "upstream-timeout", 504},
		"request body":     {fails(transport.FailedBody), "bad-request", 400},
		"body says itself": {&transport.CallError{Failure: transport.FailedBody, Err: tooLarge}, "body-too-large", 413},
		"unknown":          {io.ErrUnexpectedEOF, "upstream-unavailable", 502},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &stubs{answer: func(*stub, *policy.Exchange, *transport.Call) error { return c.err }}
			u := newUpstream(t, unit.Upstream{Targets: many(1), Retries: &unit.Retries{On: []string{"timeout"}}}, stubEnv(k, newClock()))
			p := requireProblem(t, u.Do(get("/")), c.code, c.status)
			require.Equal(t, c.status == 503, p.RetryAfter > 0)
		})
	}
}

func TestTimeLimitsComeFromTheExchangeThenTheConfiguration(t *testing.T) {
	t.Parallel()
	var call transport.Call
	clock := newClock()
	k := &stubs{answer: func(_ *stub, ex *policy.Exchange, c *transport.Call) error {
		call = *c
		ex.Response.Status = 200
		return nil
	}}
	u := newUpstream(t, unit.Upstream{Targets: many(1)}, stubEnv(k, clock))
	send(t, u, 1)
	require.Equal(t, transport.Call{Authority: many1(0), Path: "/", ConnectTimeout: 2 * time.Second, HeaderTimeout: 30 * time.Second}, call)
	options := k.at(many1(0)).options
	require.Equal(t, 5*time.Minute, options.StreamIdle)
	require.Equal(t, 256, options.MaxIdle)
	require.Equal(t, time.Minute, options.IdleTimeout)

	d := func(n int) unit.Duration { return unit.Duration(time.Duration(n) * time.Second) }
	u = newUpstream(t, unit.Upstream{
		Targets: many(1), Timeouts: unit.Timeouts{Connect: d(1), Header: d(9), Total: d(60)}, Host: "client",
		Retries: &unit.Retries{PerTry: d(4)},
	}, stubEnv(k, clock))
	send(t, u, 1)
	require.Equal(t, transport.Call{
		Authority: "api.example", Path: "/", ConnectTimeout: time.Second, HeaderTimeout: 4 * time.Second,
		Deadline: clock.Now().Add(time.Minute),
	}, call)

	ex := get("/")
	ex.Forward = policy.Forward{
		Path: "/x", Authority: "forced.example", Connect: 5 * time.Second, Header: 6 * time.Second, Total: 7 * time.Second,
		Retry: &policy.Retry{},
	}
	require.NoError(t, u.Do(ex))
	require.Equal(t, transport.Call{
		Authority: "forced.example", Path: "/x", ConnectTimeout: 5 * time.Second, HeaderTimeout: 6 * time.Second,
		Deadline: clock.Now().Add(7 * time.Second),
	}, call)
}
