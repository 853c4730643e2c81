package nethttp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// wire is a client that sends what it is told to.
type wire struct {
	t   *testing.T
	c   net.Conn
	f   *http2.Framer
	enc *hpack.Encoder
	buf bytes.Buffer
}

func newWire(t *testing.T, address string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = io.WriteString(c, http2.ClientPreface)
	require.NoError(t, err)
	w := &wire{t: t, c: c, f: http2.NewFramer(c, c)}
	w.f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	w.enc = hpack.NewEncoder(&w.buf)
	require.NoError(t, w.f.WriteSettings())
	return w
}

func (w *wire) block(fields ...string) []byte {
	w.buf.Reset()
	for i := 0; i+1 < len(fields); i += 2 {
		require.NoError(w.t, w.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}))
	}
	return bytes.Clone(w.buf.Bytes())
}

func (w *wire) headers(id uint32, end bool, fields ...string) {
	require.NoError(w.t, w.f.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: w.block(fields...), EndStream: end, EndHeaders: true,
	}))
}

// answer returns the status that stream 1 is answered with, or what it was
// reset with.
func (w *wire) answer() string {
	for {
		f, err := w.f.ReadFrame()
		if err != nil {
			return err.Error()
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame:
			return f.ErrCode.String()
		case *http2.GoAwayFrame:
			return "GOAWAY " + f.ErrCode.String()
		}
	}
}

func ok(ex *policy.Exchange) { ex.Respond(200, "text/plain", []byte("ok")) }

func TestWhatTwoParsersCouldReadDifferentlyIsRefused(t *testing.T) {
	t.Parallel()
	l := transport.Limits{HeaderCount: 8, HeaderBytes: 2000, URIBytes: 100, BodyBytes: 10}
	address := serveH2(t, &Server{Handler: &engine{serve: ok}, Limits: l}, nil)
	base := []string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"}
	with := func(more ...string) []string { return append(append([]string(nil), base...), more...) }
	pseudo := func(method, path, authority string) []string {
		return []string{":method", method, ":scheme", "http", ":path", path, ":authority", authority}
	}
	for name, tc := range map[string]struct {
		fields []string
		want   string
	}{
		"plain":                      {base, "200"},
		"host agrees":                {with("host", "a"), "200"},
		"host alone":                 {[]string{":method", "GET", ":scheme", "http", ":path", "/", "host", "a"}, "200"},
		"host disagrees":             {with("host", "b"), "PROTOCOL_ERROR"},
		"two hosts":                  {with("host", "a", "host", "a"), "PROTOCOL_ERROR"},
		"no host":                    {[]string{":method", "GET", ":scheme", "http", ":path", "/"}, "400"},
		"user information":           {pseudo("GET", "/", "u@a"), "PROTOCOL_ERROR"},
		"upper-case name":            {with("X-A", "1"), "PROTOCOL_ERROR"},
		"space in a name":            {with("x a", "1"), "PROTOCOL_ERROR"},
		"line feed in a value":       {with("x-a", "1\nx-b: 2"), "PROTOCOL_ERROR"},
		"NUL in a value":             {with("x-a", "1\x00"), "PROTOCOL_ERROR"},
		"space before a value":       {with("x-a", " 1"), "400"},
		"space after a value":        {with("x-a", "1 "), "400"},
		"connection":                 {with("connection", "x-a"), "400"},
		"transfer-encoding":          {with("transfer-encoding", "chunked"), "400"},
		"upgrade":                    {with("upgrade", "h2c"), "400"},
		"te trailers":                {with("te", "trailers"), "200"},
		"te other":                   {with("te", "gzip"), "400"},
		"pseudo after regular":       {[]string{":method", "GET", ":scheme", "http", "x-a", "1", ":path", "/", ":authority", "a"}, "PROTOCOL_ERROR"},
		"unknown pseudo":             {with(":x", "1"), "PROTOCOL_ERROR"},
		"two paths":                  {with(":path", "/b"), "PROTOCOL_ERROR"},
		"absolute form":              {pseudo("GET", "http://a/", "a"), "PROTOCOL_ERROR"},
		"fragment":                   {pseudo("GET", "/a#b", "a"), "400"},
		"space in the path":          {pseudo("GET", "/a b", "a"), "400"},
		"raw UTF-8 in the path":      {pseudo("GET", "/é", "a"), "400"},
		"asterisk":                   {pseudo("GET", "*", "a"), "400"},
		"options asterisk":           {pseudo("OPTIONS", "*", "a"), "200"},
		"method is no token":         {pseudo("GE T", "/", "a"), "400"},
		"long target":                {pseudo("GET", "/"+strings.Repeat("x", 100), "a"), "414"},
		"many fields":                {with("a", "", "b", "", "c", "", "d", "", "e", "", "f", "", "g", "", "h", "", "i", ""), "431"},
		"large header":               {with("x-a", strings.Repeat("x", 2000)), "431"},
		"far too large header":       {with("x-a", strings.Repeat("x", 2000), "x-b", strings.Repeat("x", 2000), "x-c", strings.Repeat("x", 2000)), "431"},
		"one field far too large":    {with("x-a", strings.Repeat("x", 6000)), "GOAWAY COMPRESSION_ERROR"},
		"length without content":     {with("content-length", "5"), "400"},
		"two lengths":                {with("content-length", "0", "content-length", "0"), "400"},
		"length with a sign":         {with("content-length", "+0"), "400"},
		"expectation":                {with("expect", "tea"), "417"},
		"too much content announced": {append(pseudo("POST", "/", "a"), "content-length", "11", "x-body", "1"), "413"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWire(t, address)
			w.headers(1, !strings.Contains(strings.Join(tc.fields, " "), "x-body"), tc.fields...)
			require.Equal(t, tc.want, w.answer())
		})
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	short := 250 * time.Millisecond
	e := &engine{}
	e.serve = func(ex *policy.Exchange) {
		if ex.Request.Method == http.MethodPost {
			if _, err := ex.Request.Body.Buffer(1 << 20); err != nil {
				e.Refuse(ex, problem.From(err))
				return
			}
		}
		ex.Response.Body.SetStream(io.LimitReader(zeros{}, 8<<20), -1)
		ex.Response.Status = 200
	}
	address := serveH2(t, &Server{Handler: e, Limits: transport.Limits{
		HeaderTime: short, BodyIdle: short, WriteIdle: short, KeepAlive: short,
	}}, nil)
	closed := func(w *wire) string {
		for {
			if _, err := w.f.ReadFrame(); err != nil {
				require.NotErrorIs(t, err, http2.ErrFrameTooLarge)
				return err.Error()
			}
		}
	}
	t.Run("half a preface", func(t *testing.T) {
		c, err := net.Dial("tcp", address)
		require.NoError(t, err)
		defer c.Close()
		_, err = io.WriteString(c, "PRI * HT")
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
		_, err = io.Copy(io.Discard, c)
		require.False(t, isTimeout(err))
	})
	t.Run("header block without end", func(t *testing.T) {
		w := newWire(t, address)
		require.NoError(t, w.f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: w.block(":method", "GET")}))
		require.NotContains(t, closed(w), "timeout")
	})
	t.Run("half a frame", func(t *testing.T) {
		w := newWire(t, address)
		_, err := w.c.Write([]byte{0, 0, 8, 6, 0})
		require.NoError(t, err)
		require.NotContains(t, closed(w), "timeout")
	})
	t.Run("silence in the body", func(t *testing.T) {
		w := newWire(t, address)
		w.headers(1, false, ":method", "POST", ":scheme", "http", ":path", "/", ":authority", "a")
		require.Equal(t, "408", w.answer())
	})
	t.Run("no window", func(t *testing.T) {
		w := newWire(t, address)
		w.headers(1, true, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a")
		require.Equal(t, "200", w.answer())
		require.Equal(t, "INTERNAL_ERROR", w.answer())
	})
	t.Run("idle", func(t *testing.T) {
		require.Equal(t, "GOAWAY NO_ERROR", newWire(t, address).answer())
	})
	require.Eventually(t, e.idle, patience, time.Millisecond)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// The library starts at most as many handlers as streams are allowed, keeps a
// bounded number of resets waiting, and then closes the connection
// (CVE-2023-44487).
func TestResetFloodIsBounded(t *testing.T) {
	t.Parallel()
	const streams = 10
	var running, most atomic.Int64
	release := make(chan struct{})
	e := &engine{serve: func(ex *policy.Exchange) {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release // a handler that takes no notice
		running.Add(-1)
		ok(ex)
	}}
	w := newWire(t, serveH2(t, &Server{Handler: e, Streams: streams}, nil))
	go func() {
		for id := uint32(1); id < 40_000; id += 2 {
			block := []byte{0x82, 0x86, 0x84, 0x41, 0x01, 'a'} // GET, http, /, :authority a
			if w.f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: true, EndHeaders: true}) != nil ||
				w.f.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
				return
			}
		}
	}()
	for {
		got := w.answer()
		if strings.HasPrefix(got, "GOAWAY") {
			require.Equal(t, "GOAWAY ENHANCE_YOUR_CALM", got)
			break
		}
		require.NotContains(t, got, "timeout")
	}
	require.LessOrEqual(t, most.Load(), int64(streams))
	close(release)
	require.Eventually(t, e.idle, patience, time.Millisecond)
}

// A header block that never ends is cut off by its size (CVE-2023-45288).
func TestContinuationFloodIsBounded(t *testing.T) {
	t.Parallel()
	e := &engine{serve: ok}
	w := newWire(t, serveH2(t, &Server{Handler: e}, nil))
	require.NoError(t, w.f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: w.block(":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a")}))
	sent, chunk := 0, w.block("x-a", strings.Repeat("x", 8000))
	for sent < 64<<20 {
		if w.f.WriteContinuation(1, false, chunk) != nil {
			break
		}
		sent += len(chunk)
	}
	require.Less(t, sent, 8<<20)
	require.True(t, e.idle())
	require.Empty(t, e.outcomes())
}
