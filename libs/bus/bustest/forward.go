package bustest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// zeros is content of a length, made as it is read.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	z.left -= int64(n)
	return n, nil
}

// owner is what billing serves.
func owner(ended chan<- error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		w.Header().Set("X-Host", r.Host)
		w.Header().Set("X-Query", r.URL.RawQuery)
		w.Header().Set("X-Latin", r.Header.Get("X-Latin"))
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "hello "+r.PathValue("name")+" by "+r.Method)
	})
	mux.HandleFunc("/sum", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		_, _ = fmt.Fprint(w, n, " ", err)
		w.Header().Set("X-Sum", fmt.Sprintf("%x", h.Sum(nil)))
		w.Header().Set(http.TrailerPrefix+"X-Sent", r.Trailer.Get("X-Sent"))
	})
	mux.HandleFunc("/bytes", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.ParseInt(r.URL.Query().Get("n"), 10, 64)
		_, err := io.Copy(w, &zeros{n})
		ended <- err
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		in := bufio.NewScanner(r.Body)
		w.(http.Flusher).Flush()
		for in.Scan() { // answers line by line: a conversation
			_, _ = fmt.Fprintf(w, "data: %s\n", in.Text())
			_ = http.NewResponseController(w).Flush()
		}
	})
	mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		if r.URL.RawQuery != "silent" {
			_, _ = io.WriteString(w, "begun\n")
			_ = http.NewResponseController(w).Flush()
		}
		ended <- nil
		<-r.Context().Done()
		ended <- context.Cause(r.Context())
	})
	mux.HandleFunc("/early", func(w http.ResponseWriter, _ *http.Request) {
		problem.New(problem.CodeBodyTooLarge, "no").Write(w)
	})
	mux.HandleFunc("/abort", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("oops") })
	mux.HandleFunc("/none", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/header", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<17)) })
	return mux
}

func call(t *testing.T, c http.RoundTripper, ctx context.Context, method, target string, body io.Reader) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://billing.internal"+target, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("X-Latin", "caf\xe9")
	return c.RoundTrip(r)
}

func whole(t *testing.T, res *http.Response, err error) (*http.Response, string) {
	t.Helper()
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res, string(b)
}

func testForward(t *testing.T, s Server) {
	caller, server := connect(t, s.For(orders)), connect(t, s.For(billing))
	eventually(t, caller.Connected, "connected")
	c := bus.Forward(caller, billing)
	_, err := call(t, c, t.Context(), "GET", "/hello/you", nil)
	require.True(t, problem.Is(err, problem.CodeDependencyDown), "%v", err)
	ended := make(chan error, 8)
	require.NoError(t, bus.Serve(server, billing, owner(ended)))

	get := func(method, target string, body io.Reader) (*http.Response, string) {
		t.Helper()
		res, err := call(t, c, t.Context(), method, target, body)
		return whole(t, res, err)
	}
	res, body := get("GET", "/hello/a%2Fb?x=1&y", nil)
	require.Equal(t, 201, res.StatusCode)
	require.Equal(t, "hello a/b by GET", body)
	require.Equal(t, []string{"a", "b"}, res.Header["X-Two"])
	require.Equal(t, "billing.internal", res.Header.Get("X-Host"))
	require.Equal(t, "x=1&y", res.Header.Get("X-Query"))
	require.Equal(t, "caf\xe9", res.Header.Get("X-Latin"))
	require.Empty(t, res.Header.Get("Connection"))
	require.Equal(t, "text/plain; charset=utf-8", res.Header.Get("Content-Type"))
	require.EqualValues(t, len(body), res.ContentLength)

	res, body = get("HEAD", "/hello/you", nil)
	require.Equal(t, 201, res.StatusCode)
	require.Empty(t, body)
	res, _ = get("GET", "/none", nil)
	require.Equal(t, 204, res.StatusCode)
	res, body = get("GET", "/panic", nil)
	require.Equal(t, 500, res.StatusCode)
	require.NotContains(t, body, "oops")
	res, _ = get("GET", "/header", nil)
	require.Equal(t, 500, res.StatusCode)
	_, err = call(t, c, t.Context(), "GET", "/"+strings.Repeat("x", 1<<17), nil)
	require.True(t, problem.Is(err, problem.CodeHeaderTooLarge), "%v", err)

	for _, size := range []int{1, 16 << 10, 64 << 10, 64<<10 + 1, 3 << 20} {
		content := bytes.Repeat([]byte("abcdefg"), size/7+1)[:size]
		want := fmt.Sprintf("%x", sha256.Sum256(content))
		for _, reader := range []io.Reader{bytes.NewReader(content), struct{ io.Reader }{bytes.NewReader(content)}} {
			res, body = get("POST", "/sum", reader)
			require.Equal(t, fmt.Sprint(size, " <nil>"), body)
			require.Equal(t, want, res.Trailer.Get("X-Sum"))
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), "PUT", "http://billing/sum", strings.NewReader("x"))
	require.NoError(t, err)
	r.Trailer = http.Header{"X-Sent": {"sent"}}
	res, err = c.RoundTrip(r)
	res, _ = whole(t, res, err)
	require.Equal(t, "sent", res.Trailer.Get("X-Sent"))

	large := int64(100 << 20)
	if testing.Short() {
		large = 24 << 20
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	res, err = call(t, c, t.Context(), "GET", fmt.Sprint("/bytes?n=", large), nil)
	require.NoError(t, err)
	peak, n := uint64(0), int64(0)
	for err == nil {
		var k int64
		k, err = io.CopyN(io.Discard, res.Body, 10<<20)
		n += k
		runtime.ReadMemStats(&after)
		peak = max(peak, after.HeapInuse)
	}
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, large, n)
	require.NoError(t, <-ended)
	t.Logf("%.0f MB/s down", float64(large)/1e6/time.Since(start).Seconds())
	require.Less(t, int64(peak)-int64(before.HeapInuse), int64(64<<20), "memory does not grow with the content")
	start = time.Now()
	_, body = get("POST", "/sum", &zeros{large})
	require.Equal(t, fmt.Sprint(large, " <nil>"), body)
	t.Logf("%.0f MB/s up, with SHA-256", float64(large)/1e6/time.Since(start).Seconds())

	// A conversation: what is flushed at one end shows at the other.
	in, out := io.Pipe()
	res, err = call(t, c, t.Context(), "POST", "/events", in)
	require.NoError(t, err)
	lines := bufio.NewReader(res.Body)
	best := time.Hour
	for i := range 10 {
		start = time.Now()
		_, err = fmt.Fprintf(out, "line %d\n", i)
		require.NoError(t, err)
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("data: line %d\n", i), line)
		best = min(best, time.Since(start))
	}
	require.Less(t, best, 50*time.Millisecond, "events are not held back")
	require.NoError(t, out.Close())
	_, err = io.ReadAll(res.Body)
	require.NoError(t, err)

	// An early answer to an upload that never ends.
	in, out = io.Pipe()
	res, err = call(t, c, t.Context(), "POST", "/early", in)
	res, _ = whole(t, res, err)
	require.Equal(t, 413, res.StatusCode)
	// A read that was under way may still take a byte.
	eventually(t, func() bool {
		_, err := out.Write([]byte("x"))
		return errors.Is(err, io.ErrClosedPipe)
	}, "the upload is given up")
}

func testForwardBreaks(t *testing.T, s Server) {
	caller := connect(t, s.For(orders))
	server, err := bus.Connect(s.For(billing))
	require.NoError(t, err)
	ended := make(chan error, 8)
	require.NoError(t, bus.Serve(server, billing, owner(ended)))
	eventually(t, func() bool { return caller.Connected() && server.Connected() }, "connected")
	c := bus.Forward(caller, billing)
	within := func(d time.Duration) error {
		t.Helper()
		select {
		case err := <-ended:
			return err
		case <-time.After(d):
			t.Fatal("the handler was not told")
			return nil
		}
	}

	// The client leaves before the response begins.
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { _, err := call(t, c, ctx, "GET", "/wait?silent", nil); failed <- err }()
	require.NoError(t, within(patience))
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
	require.Error(t, within(time.Second))

	// In the middle of it, by its context.
	ctx, cancel = context.WithCancel(t.Context())
	res, err := call(t, c, ctx, "GET", "/wait", nil)
	require.NoError(t, err)
	require.NoError(t, within(patience))
	cancel()
	require.Error(t, within(time.Second))
	_, err = io.ReadAll(res.Body)
	require.ErrorIs(t, err, context.Canceled)

	// By closing the body; and a handler that writes to nobody is held, then freed.
	res, err = call(t, c, t.Context(), "GET", fmt.Sprint("/bytes?n=", 1<<30), nil)
	require.NoError(t, err)
	_, err = io.CopyN(io.Discard, res.Body, 1<<20)
	require.NoError(t, err)
	select {
	case err := <-ended:
		t.Fatal("it wrote a gigabyte to a reader of a megabyte", err)
	case <-time.After(50 * time.Millisecond):
	}
	require.NoError(t, res.Body.Close())
	require.Error(t, within(time.Second))

	// The deadline travels.
	ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = call(t, c, ctx, "GET", "/wait?silent", nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, within(patience))
	require.Error(t, within(time.Second))

	// The handler breaks off, or the sender of the request does.
	res, err = call(t, c, t.Context(), "GET", "/abort", nil)
	require.NoError(t, err)
	_, err = io.ReadAll(res.Body)
	require.ErrorContains(t, err, "broke off")
	in, out := io.Pipe()
	go func() { _, _ = out.Write([]byte("x")); _ = out.CloseWithError(errors.New("the client left")) }()
	_, err = call(t, c, t.Context(), "POST", "/sum", in)
	require.Error(t, err)

	// The server goes away with a response under way.
	res, err = call(t, c, t.Context(), "GET", "/wait", nil)
	require.NoError(t, err)
	require.NoError(t, within(patience))
	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	require.Error(t, server.Close(ctx), "a handler was still running")
	_, err = io.ReadAll(res.Body)
	require.Error(t, err)
	require.Error(t, within(time.Second))
	_, err = call(t, c, t.Context(), "GET", "/none", nil)
	require.True(t, problem.Is(err, problem.CodeDependencyDown), "%v", err)

	// NATS goes away with a response under way.
	again := connect(t, s.For(billing))
	require.NoError(t, bus.Serve(again, billing, owner(ended)))
	eventually(t, again.Connected, "connected")
	res, err = call(t, c, t.Context(), "GET", "/wait", nil)
	require.NoError(t, err)
	require.NoError(t, within(patience))
	s.Stop()
	require.NoError(t, s.Resume())
	_, err = io.ReadAll(res.Body)
	require.ErrorContains(t, err, "lost")
	require.Error(t, within(patience))

	// The owner is cut off, then the caller.
	eventually(t, again.Connected, "connected")
	closeBus(t, again)
	cut := &gate{Server: s}
	last := connect(t, cut.For(billing))
	require.NoError(t, bus.Serve(last, billing, owner(ended)))
	eventually(t, func() bool { return last.Connected() && caller.Connected() }, "connected")
	res, err = call(t, c, t.Context(), "GET", "/wait", nil)
	require.NoError(t, err)
	require.NoError(t, within(patience))
	start := time.Now()
	cut.close()
	_, err = io.ReadAll(res.Body)
	require.ErrorContains(t, err, "gone")
	require.Less(t, time.Since(start), 3*time.Second)
	require.Error(t, within(time.Second))

	server = connect(t, s.For(billing))
	require.NoError(t, bus.Serve(server, billing, owner(ended)))
	cut = &gate{Server: s}
	leaving := connect(t, cut.For(orders))
	eventually(t, func() bool { return server.Connected() && leaving.Connected() }, "connected")
	res, err = call(t, bus.Forward(leaving, billing), t.Context(), "GET", "/wait", nil)
	require.NoError(t, err)
	require.NoError(t, within(patience))
	cut.close()
	require.Error(t, within(3*time.Second))
	_, err = io.ReadAll(res.Body)
	require.Error(t, err)
}
