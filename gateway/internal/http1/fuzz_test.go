package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// bytesConn is a connection whose other end has sent what it will ever send.
type bytesConn struct {
	net.Conn
	r io.Reader
}

func (c bytesConn) Read(p []byte) (int, error)      { return c.r.Read(p) }
func (c bytesConn) SetReadDeadline(time.Time) error { return nil }

func over(data []byte, small bool) *reader {
	var r io.Reader = bytes.NewReader(data)
	if small {
		r = iotestReader{r}
	}
	in := &reader{}
	in.from(bytesConn{r: r})
	return in
}

// iotestReader gives few bytes at a time.
type iotestReader struct{ r io.Reader }

func (r iotestReader) Read(p []byte) (int, error) { return r.r.Read(p[:min(len(p), 3)]) }

// message is what a parse understood.
type message struct {
	body string
	err  error
	rest int // bytes after the message
}

// readOne reads a request as a connection does.
func readOne(data []byte, small bool) (req *policy.Request, m message) {
	n := bytes.Index(data, headEnd) + len(headEnd)
	if n < len(headEnd) {
		return nil, message{err: io.ErrUnexpectedEOF}
	}
	req = &policy.Request{}
	var f facts
	lim := transport.DefaultLimits()
	head := data[:n:n]
	if bad := parseRequest(head, string(head), req, &f, &lim); bad != nil {
		return nil, message{err: bad}
	}
	in := over(data[n:], small)
	var b body
	b.start(in, &f, false, &req.Trailer)
	m.body, m.err = readAll(&b)
	rest, _ := io.ReadAll(in.conn)
	m.rest = in.buffered() + len(rest)
	return req, m
}

func readAll(b *body) (string, error) {
	var got strings.Builder
	p := make([]byte, 7)
	for {
		n, err := b.read(p)
		got.Write(p[:n])
		if errors.Is(err, io.EOF) {
			return got.String(), nil
		}
		if err != nil {
			return got.String(), err
		}
	}
}

// FuzzRequest: nothing makes the parser panic; what it accepts can be written
// and is read the same; and the standard library, where it accepts the same
// bytes, agrees about every part and about where the request ends.
func FuzzRequest(f *testing.F) {
	for _, c := range requestCases {
		f.Add([]byte(c.send))
	}
	for _, c := range chunkCases {
		f.Add([]byte("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + c))
	}
	f.Add([]byte(typicalHead))
	f.Fuzz(func(t *testing.T, data []byte) {
		req, m := readOne(data, false)
		req2, m2 := readOne(data, true)
		if (m.err == nil) != (m2.err == nil) || m.body != m2.body || m.err == nil && m.rest != m2.rest {
			t.Fatalf("depends on how bytes arrive: %+v, %+v", m, m2)
		}
		if req == nil || m.err != nil {
			return
		}
		_ = req2
		again, m3 := readOne(rewrite(t, req, m.body), false)
		if m3.err != nil || m3.body != m.body || m3.rest != 0 || again.Method != req.Method || again.RawPath != req.RawPath ||
			again.Query != req.Query || again.Authority != hostOr(req.Authority) {
			t.Fatalf("written and read again: %+v %+v, was %+v %+v", again, m3, req, m)
		}
		std := bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\r\n"))))
		sr, err := http.ReadRequest(std)
		if err != nil {
			return
		}
		b, err := io.ReadAll(sr.Body)
		if err != nil {
			return
		}
		rest, _ := io.ReadAll(std)
		if sr.Method != req.Method || string(b) != m.body || len(rest) != m.rest ||
			sr.Host != req.Authority && !strings.EqualFold(sr.Host, req.Authority) {
			t.Fatalf("the standard library reads %s %s %s %q rest %d, we %s %s %s %q rest %d", sr.Method, sr.RequestURI, sr.Host, b, len(rest),
				req.Method, req.RawPath, req.Authority, m.body, m.rest)
		}
		for _, h := range req.Header.Fields() {
			if !contains(sr.Header.Values(h.Name), h.Value) && h.Name != "Trailer" {
				if _, ok := sr.Trailer[http.CanonicalHeaderKey(h.Value)]; !ok && !policy.EqualName(h.Name, "Trailer") {
					t.Fatalf("field %q: %q, the standard library has %q", h.Name, h.Value, sr.Header.Values(h.Name))
				}
			}
		}
	})
}

func contains(list []string, v string) bool {
	for _, s := range list {
		if s == v {
			return true
		}
	}
	return false
}

func hostOr(s string) string {
	if s == "" {
		return "x"
	}
	return s
}

// rewrite writes a request as the client does.
func rewrite(t *testing.T, req *policy.Request, body string) []byte {
	ex := &policy.Exchange{Request: *req}
	ex.Request.Upgrade = ""
	ex.Request.Body.SetBytes([]byte(body))
	a := &attempt{client: NewClient(transport.ClientOptions{}), ex: ex}
	a.call = &transport.Call{Authority: hostOr(req.Authority), Path: req.RawPath}
	var out output
	out.small()
	defer out.release()
	if _, err := a.head(&out); err != nil {
		t.Fatalf("an accepted request cannot be written: %v", err)
	}
	return append(bytes.Clone(out.buf), body...)
}

// FuzzChunked: the content does not depend on how bytes arrive, and agrees with
// the standard library's.
func FuzzChunked(f *testing.F) {
	for _, c := range chunkCases {
		f.Add([]byte(c))
	}
	f.Add([]byte("5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 1\r\n\r\nrest"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(small bool) (string, int, error) {
			in := over(data, small)
			var b body
			b.start(in, &facts{length: -1, chunked: true}, false, nil)
			s, err := readAll(&b)
			rest, _ := io.ReadAll(in.conn)
			return s, in.buffered() + len(rest), err
		}
		s, rest, err := read(false)
		s2, rest2, err2 := read(true)
		if s != s2 || (err == nil) != (err2 == nil) || err == nil && rest != rest2 {
			t.Fatalf("depends on how bytes arrive: %q %d %v, %q %d %v", s, rest, err, s2, rest2, err2)
		}
		if err != nil {
			return
		}
		br := bufio.NewReader(io.MultiReader(strings.NewReader("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"), bytes.NewReader(data)))
		sr, serr := http.ReadRequest(br)
		if serr != nil {
			t.Fatal(serr)
		}
		b, serr := io.ReadAll(sr.Body)
		if serr != nil {
			return
		}
		if left, _ := io.ReadAll(br); string(b) != s || len(left) != rest {
			t.Fatalf("the standard library reads %q rest %d, we %q rest %d", b, len(left), s, rest)
		}
	})
}

// FuzzResponse is the same for responses.
func FuzzResponse(f *testing.F) {
	for _, c := range responseCases {
		f.Add([]byte(c.answer), c.method == "HEAD")
	}
	f.Fuzz(func(t *testing.T, data []byte, head bool) {
		n := bytes.Index(data, headEnd) + len(headEnd)
		if n < len(headEnd) {
			return
		}
		var h policy.Header
		var fa facts
		b := data[:n:n]
		status, _, err := parseResponse(b, string(b), &h, responseFields, &fa)
		if err != nil || status < 200 {
			return
		}
		method := "GET"
		if head {
			method = "HEAD"
		}
		if head || bodiless(status) {
			fa.chunked, fa.length = false, 0
		}
		in := over(data[n:], false)
		var body body
		body.start(in, &fa, true, nil)
		got, err := readAll(&body)
		if err != nil {
			return
		}
		rest, _ := io.ReadAll(in.conn)
		left := in.buffered() + len(rest)
		std := bufio.NewReader(bytes.NewReader(data))
		sr, err := http.ReadResponse(std, &http.Request{Method: method})
		if err != nil {
			return
		}
		sb, err := io.ReadAll(sr.Body)
		if err != nil {
			return
		}
		if sleft, _ := io.ReadAll(std); sr.StatusCode != status || string(sb) != got || len(sleft) != left {
			t.Fatalf("the standard library reads %d %q rest %d, we %d %q rest %d", sr.StatusCode, sb, len(sleft), status, got, left)
		}
	})
}
