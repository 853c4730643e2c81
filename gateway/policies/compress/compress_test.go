package compress_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/compress"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

var long = strings.Repeat("all work and no play ", 200)

func decode(t *testing.T, encoding, body string) string {
	t.Helper()
	r, err := open(encoding, strings.NewReader(body))
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(b)
}

func open(encoding string, r io.Reader) (io.Reader, error) {
	switch encoding {
	case "gzip":
		return gzip.NewReader(r)
	case "br":
		return brotli.NewReader(r), nil
	case "zstd":
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	}
	return r, nil
}

func encode(t testing.TB, encoding, body string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "zstd":
		var err error
		w, err = zstd.NewWriter(&b)
		require.NoError(t, err)
	}
	_, err := io.WriteString(w, body)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, compress.Definition())
	for _, c := range []struct{ name, accept, config, want string }{
		{"preferred first", "gzip, deflate, br, zstd", `{}`, "br"},
		{"weights of the client", "gzip;q=1, br;q=0.5", `{}`, "gzip"},
		{"refused", "gzip;q=0, br;q=0", `{}`, ""},
		{"anything", "*", `{}`, "br"},
		{"anything but", "br;q=0, *", `{}`, "gzip"},
		{"identity liked better", "identity, br;q=0.5", `{}`, ""},
		{"nothing said", "", `{}`, ""},
		{"unknown", "compress", `{}`, ""},
		{"old name", "x-gzip", `{}`, "gzip"},
		{"zstd", "zstd, gzip", `{encodings: [zstd, gzip]}`, "zstd"},
	} {
		for _, stream := range []bool{true, false} {
			h := policytest.New(t, compress.Definition(), c.config)
			res := h.Do(policytest.Request{Header: map[string]string{"Accept-Encoding": c.accept}}, policytest.Upstream{
				Body: long, Stream: stream, Header: map[string]string{"Content-Type": "text/html; charset=utf-8", "ETag": `"x"`, "Vary": "Accept", "Accept-Ranges": "bytes"},
			})
			require.Equal(t, c.want, res.Header["Content-Encoding"], c.name)
			require.Equal(t, long, decode(t, c.want, res.Body), c.name)
			require.Equal(t, "Accept, Accept-Encoding", res.Header["Vary"], c.name)
			if c.want != "" {
				require.Less(t, len(res.Body), len(long)/4)
				require.Equal(t, `W/"x"`, res.Header["Etag"])
				require.Empty(t, res.Header["Accept-Ranges"])
			} else {
				require.Equal(t, `"x"`, res.Header["Etag"])
			}
		}
	}
}

func TestLeftAlone(t *testing.T) {
	t.Parallel()
	type m = map[string]string
	text := func(more m) m {
		h := m{"Content-Type": "text/plain"}
		for k, v := range more {
			h[k] = v
		}
		return h
	}
	for name, c := range map[string]struct {
		method string
		u      policytest.Upstream
		vary   string
	}{
		"short":           {u: policytest.Upstream{Body: "short", Header: text(nil)}, vary: "Accept-Encoding"},
		"an image":        {u: policytest.Upstream{Body: long, Header: m{"Content-Type": "image/png"}}},
		"no type":         {u: policytest.Upstream{Body: long}},
		"encoded already": {u: policytest.Upstream{Body: long, Header: text(m{"Content-Encoding": "zstd"})}},
		"a range":         {u: policytest.Upstream{Status: 206, Body: long, Header: text(m{"Content-Range": "bytes 0-1/2"})}},
		"no transform":    {u: policytest.Upstream{Body: long, Header: text(m{"Cache-Control": "public, no-transform"})}},
		"events":          {u: policytest.Upstream{Body: long, Stream: true, Header: m{"Content-Type": "text/event-stream"}}},
		"HEAD":            {method: "HEAD", u: policytest.Upstream{Header: text(m{"Content-Length": "10000"})}, vary: "Accept-Encoding"},
		"not modified":    {u: policytest.Upstream{Status: 304, Header: m{"ETag": `"x"`}}, vary: "Accept-Encoding"},
		"no content":      {u: policytest.Upstream{Status: 204}},
	} {
		res := policytest.New(t, compress.Definition(), `{}`).Do(policytest.Request{Method: c.method, Header: m{"Accept-Encoding": "gzip"}}, c.u)
		require.NotEqual(t, "gzip", res.Header["Content-Encoding"], name)
		require.Equal(t, c.u.Body, res.Body, name)
		require.Equal(t, c.vary, res.Header["Vary"], name)
		require.Equal(t, c.u.Header["Content-Length"], res.Header["Content-Length"], name)
	}
}

// respond runs Outbound on a response whose body is src.
func respond(t testing.TB, config, encoding, media string, src io.Reader) *policy.Exchange {
	t.Helper()
	hooks, err := compress.Definition().Compile([]byte(config), policy.Env{})
	require.NoError(t, err)
	ex := &policy.Exchange{}
	ex.Request.Header.Add("Accept-Encoding", encoding)
	ex.Response.Status = 200
	ex.Response.Header.Add("Content-Type", media)
	ex.Response.Body.SetStream(src, -1)
	require.NoError(t, hooks.Outbound(ex))
	require.Equal(t, encoding, ex.Response.Header.Get("Content-Encoding"))
	return ex
}

// Every event reaches the client before the next one is made. R17.2
func TestEventsAreFlushed(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"gzip", "br", "zstd"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			pr, pw := io.Pipe()
			ex := respond(t, `{"events":true,"encodings":["gzip","br","zstd"]}`, encoding, "text/event-stream", pr)
			got := make(chan string)
			go func() {
				defer close(got)
				r, err := open(encoding, ex.Response.Body.Reader())
				if err != nil {
					return
				}
				buf := make([]byte, 1000)
				for {
					n, err := r.Read(buf)
					if n > 0 {
						got <- string(buf[:n])
					}
					if err != nil {
						return
					}
				}
			}()
			for range 20 {
				_, err := io.WriteString(pw, "data: tick\n\n")
				require.NoError(t, err)
				require.Equal(t, "data: tick\n\n", <-got)
			}
			require.NoError(t, pw.Close())
			_, open := <-got
			require.False(t, open)
			require.NoError(t, ex.Response.Body.Close())
		})
	}
}

// A source that says to have bytes at hand, which are framing only, and one
// that pauses after a full block, hold nothing back.
func TestPausesAreFlushed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size, atHand int
	}{{100, 2}, {16 << 10, 0}, {5000, 0}} {
		src := &paused{first: strings.Repeat("x", c.size), atHand: c.atHand, wait: make(chan struct{})}
		ex := respond(t, `{}`, "gzip", "text/plain", src)
		r, err := gzip.NewReader(ex.Response.Body.Reader())
		require.NoError(t, err)
		got := make([]byte, c.size)
		_, err = io.ReadFull(r, got)
		require.NoError(t, err)
		close(src.wait)
		require.NoError(t, ex.Response.Body.Close())
	}
}

// paused hands out one text and then waits.
type paused struct {
	first  string
	atHand int
	wait   chan struct{}
}

func (p *paused) Read(b []byte) (int, error) {
	if p.first == "" {
		<-p.wait
		return 0, io.EOF
	}
	n := copy(b, p.first)
	p.first = p.first[n:]
	return n, nil
}

func (p *paused) Buffered() int { return p.atHand }

// full fills whatever it is given, n bytes in all.
type full struct{ n int }

func (f *full) Read(p []byte) (int, error) {
	if f.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), f.n)
	for i := range n {
		p[i] = byte(f.n - i)
	}
	f.n -= n
	return n, nil
}

func TestStreamsInConstantMemory(t *testing.T) {
	if racing {
		t.Skip("the race detector allocates too")
	}
	var before, after runtime.MemStats
	for _, encoding := range []string{"gzip", "br", "zstd"} {
		ex := respond(t, `{"encodings":["gzip","br","zstd"]}`, encoding, "text/plain", &full{n: 64 << 20})
		runtime.ReadMemStats(&before)
		_, err := io.Copy(io.Discard, ex.Response.Body.Reader())
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), encoding)
	}
}

func TestBrokenSourceIsNoticed(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	ex := respond(t, `{}`, "gzip", "text/plain", io.MultiReader(strings.NewReader(long), &failing{broken}))
	b, err := io.ReadAll(ex.Response.Body.Reader())
	require.ErrorIs(t, err, broken)
	r, err := gzip.NewReader(bytes.NewReader(b))
	require.NoError(t, err)
	_, err = io.ReadAll(r)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NoError(t, ex.Response.Body.Close())
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestClosedEarly(t *testing.T) {
	t.Parallel()
	ex := respond(t, `{}`, "br", "text/plain", &full{n: 1 << 20})
	_, err := ex.Response.Body.Reader().Read(make([]byte, 10))
	require.NoError(t, err)
	require.NoError(t, ex.Response.Body.Close())
	require.NoError(t, ex.Response.Body.Close())
}

func TestRequest(t *testing.T) {
	t.Parallel()
	post := func(encoding, body string) policytest.Request {
		return policytest.Request{Method: "POST", Body: body, Header: map[string]string{"Content-Encoding": encoding}}
	}
	const on = `{request: {decompress: true, maxSize: 200kB, maxRatio: 50}}`
	ok := policytest.Want{Sent: &policytest.Sent{Body: long, Header: map[string]string{"Content-Encoding": ""}}}
	tooLarge := policytest.Want{Status: 413, Code: problem.CodeBodyTooLarge}
	cases := []policytest.Case{
		{Name: "left alone", Config: `{}`, Request: post("gzip", "x"), Want: policytest.Want{Sent: &policytest.Sent{Body: "x", Header: map[string]string{"Content-Encoding": "gzip"}}}},
		{Name: "not compressed", Config: on, Request: post("identity", "x"), Want: policytest.Want{Sent: &policytest.Sent{Body: "x"}}},
		{Name: "unknown", Config: on, Request: post("compress", "x"), Want: policytest.Want{Status: 415, Code: problem.CodeUnsupportedMediaType, NotSent: true, Header: map[string]string{"Accept-Encoding": "gzip, br, zstd, deflate"}}},
		{Name: "twice", Config: on, Request: post("gzip, gzip", "x"), Want: policytest.Want{Status: 415, Code: problem.CodeUnsupportedMediaType}},
		{Name: "malformed", Config: on, Request: post("gzip", "no gzip at all"), Want: policytest.Want{Status: 400, Code: problem.CodeBadRequest}},
		{Name: "cut off", Config: on, Request: post("gzip", encode(t, "gzip", long)[:30]), Want: policytest.Want{Status: 400, Code: problem.CodeBadRequest}},
	}
	for _, e := range []string{"gzip", "br", "zstd", "deflate"} {
		cases = append(cases,
			policytest.Case{Name: e, Config: on, Request: post(e, encode(t, e, long)), Want: ok},
			policytest.Case{Name: e + " bomb by ratio", Config: on, Request: post(e, encode(t, e, strings.Repeat("a", 150_000))), Want: tooLarge},
			policytest.Case{Name: e + " bomb by size", Config: `{request: {decompress: true, maxSize: 200kB, maxRatio: 10000}}`, Request: post(e, encode(t, e, strings.Repeat("a", 10_000_000))), Want: tooLarge},
		)
	}
	policytest.Run(t, compress.Definition(), cases...)
	for _, config := range []string{`{mediaTypes: [jsn]}`, `{request: {maxSize: 1kB}}`} {
		_, err := policytest.Compile(t, compress.Definition(), config)
		require.Error(t, err, config)
	}
}

func TestNotEligibleAllocatesNothing(t *testing.T) {
	hooks, err := compress.Definition().Compile([]byte(`{}`), policy.Env{})
	require.NoError(t, err)
	var ex policy.Exchange
	ex.Request.Header.Add("Accept-Encoding", "gzip, br")
	ex.Response.Status = 200
	ex.Response.Header.Add("Content-Type", "image/png")
	ex.Response.Body.SetStream(strings.NewReader("x"), 1)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := hooks.Outbound(&ex); err != nil {
			t.Error(err)
		}
	}))
}

func FuzzRequest(f *testing.F) {
	f.Add("gzip", []byte(encode(f, "gzip", "hello")))
	f.Add("deflate", []byte(encode(f, "deflate", "hello")))
	f.Add("zstd", []byte(encode(f, "zstd", "hello")))
	f.Add("br", []byte(encode(f, "br", "hello")))
	hooks, err := compress.Definition().Compile([]byte(`{"request":{"decompress":true,"maxSize":"100kB"}}`), policy.Env{})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, encoding string, body []byte) {
		var ex policy.Exchange
		ex.Request.Header.Add("Content-Encoding", encoding)
		ex.Request.Body.SetStream(bytes.NewReader(body), int64(len(body)))
		if hooks.Inbound(&ex) != nil || ex.Request.Body.Empty() {
			return
		}
		b, err := io.ReadAll(ex.Request.Body.Reader())
		require.LessOrEqual(t, len(b), 100_000)
		var p *problem.Problem
		require.True(t, err == nil || errors.As(err, &p))
		require.NoError(t, ex.Request.Body.Close())
	})
}
