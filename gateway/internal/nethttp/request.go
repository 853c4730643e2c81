package nethttp

import (
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func splitTarget(target string) (path, query string) {
	path, query, _ = strings.Cut(target, "?")
	return path, query
}

// checkRequest returns why a request is refused that the library let through.
// The library itself resets streams with pseudo-header fields that are missing,
// doubled or out of place, upper-case or invalid names, an authority with user
// information or one that disagrees with Host, and answers 400 to
// connection-specific fields and a TE other than trailers (RFC 9113 section 8).
func checkRequest(r *http.Request, q *policy.Request, l *transport.Limits) *problem.Problem {
	if len(r.RequestURI) > l.URIBytes {
		return problem.New(problem.CodeURITooLong, "the request target is longer than %d bytes", l.URIBytes)
	}
	if q.Header.Len() > l.HeaderCount {
		return problem.New(problem.CodeHeaderTooLarge, "the request has more than %d header fields", l.HeaderCount)
	}
	size := len(q.Method) + len(r.RequestURI) + len(r.Host)
	for _, f := range q.Header.Fields() {
		size += len(f.Name) + len(f.Value) + 4 // as written in HTTP/1.1
	}
	if size > l.HeaderBytes {
		return problem.New(problem.CodeHeaderTooLarge, "the request header is larger than %d bytes", l.HeaderBytes)
	}
	switch {
	case r.Method == http.MethodConnect:
		return problem.New(problem.CodeBadRequest, "CONNECT is not served")
	case !policy.ValidName(r.Method):
		return problem.New(problem.CodeBadRequest, "the method is not a token")
	case r.Host == "":
		return problem.New(problem.CodeBadRequest, "neither :authority nor Host names a host")
	case q.RawPath == "*" && (r.Method != http.MethodOptions || len(r.RequestURI) > 1):
		return problem.New(problem.CodeBadRequest, "the target * is for OPTIONS only")
	case !validTarget(r.RequestURI):
		return problem.New(problem.CodeBadPath, "the target has a byte that must be percent-encoded")
	}
	for _, f := range q.Header.Fields() {
		if !policy.ValidName(f.Name) || !policy.ValidValue(f.Value) {
			return problem.New(problem.CodeBadRequest, "the header field %q is not valid", f.Name)
		}
	}
	if v, ok := q.Header.Lookup("Expect"); ok { // 100-continue is the library's
		return problem.New(problem.CodeExpectationFailed, "the expectation %q is not known", v)
	}
	if v, ok := q.Header.Lookup("Grpc-Timeout"); ok && q.GRPC {
		if _, ok := parseGRPCTimeout(v); !ok {
			return problem.New(problem.CodeBadRequest, "grpc-timeout is not up to eight digits and a unit")
		}
	}
	return checkLength(r, q, l)
}

func checkLength(r *http.Request, q *policy.Request, l *transport.Limits) *problem.Problem {
	v, ok := q.Header.Lookup("Content-Length")
	if !ok {
		return nil
	}
	length, valid := contentLength(v)
	switch {
	case q.Header.Count("Content-Length") > 1 || !valid:
		return problem.New(problem.CodeBadRequest, "Content-Length is not one number")
	case r.ContentLength != length: // the library has 0 where the stream has ended
		return problem.New(problem.CodeBadRequest, "Content-Length promises content but there is none")
	case l.BodyBytes > 0 && length > l.BodyBytes:
		return tooLarge(l.BodyBytes)
	}
	return nil
}

// contentLength reads a Content-Length: digits and nothing else (RFC 9110
// section 8.6), at most 18 of them.
func contentLength(v string) (int64, bool) {
	if v == "" || len(v) > 18 {
		return 0, false
	}
	var n int64
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(v[i]-'0')
	}
	return n, true
}

// validTarget reports whether a request target has only visible ASCII, and no
// fragment.
func validTarget(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	return true
}

func tooLarge(limit int64) *problem.Problem {
	return problem.New(problem.CodeBodyTooLarge, "the request body is larger than %d bytes", limit)
}

// requestBody is the content of a request. It counts, holds the limits, and
// fills the exchange's trailer at the end. It may be read by another goroutine
// than the one that serves the exchange, which may end first.
type requestBody struct {
	src   io.ReadCloser
	req   *http.Request
	limit int64         // 0 = none
	idle  time.Duration // 0 = none
	rc    *http.ResponseController
	read  atomic.Int64

	mu      sync.Mutex // guards what follows
	ex      *policy.Exchange
	timer   *time.Timer
	expired bool
}

// Read reads content. Errors are problems where the client is at fault.
func (b *requestBody) Read(p []byte) (int, error) {
	b.arm(true)
	n, err := b.src.Read(p)
	b.arm(false)
	total := b.read.Add(int64(n))
	if b.limit > 0 && total > b.limit {
		return 0, tooLarge(b.limit)
	}
	switch {
	case err == nil:
	case err == io.EOF: //nolint:errorlint // readers return it bare
		b.mu.Lock()
		if b.ex != nil {
			trailersFromHTTP(&b.ex.Request.Trailer, b.req.Trailer)
		}
		b.mu.Unlock()
	case b.late() || os.IsTimeout(err):
		err = problem.New(problem.CodeRequestTimeout,
			"the client sent nothing of the body for %s", b.idle).Because(err)
	}
	return n, err
}

// Interrupt makes a Read under way, and those to come, fail. It may be called
// from any goroutine.
func (b *requestBody) Interrupt() { _ = b.src.Close() }

// Close is Interrupt.
func (b *requestBody) Close() error { return b.src.Close() }

// arm starts or stops the clock that bounds the silence of the client.
func (b *requestBody) arm(on bool) {
	if b.idle <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !on && b.timer != nil:
		b.timer.Stop()
	case on && b.ex != nil && b.timer == nil:
		b.timer = time.AfterFunc(b.idle, b.expire)
	case on && b.ex != nil:
		b.timer.Reset(b.idle)
	}
}

func (b *requestBody) expire() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ex != nil { // else the stream is over, and its controller with it
		b.expired = true
		_ = b.rc.SetReadDeadline(time.Unix(1, 0))
	}
}

func (b *requestBody) late() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.expired
}

// detach cuts the body off the exchange, which may be used again afterwards.
func (b *requestBody) detach() {
	b.mu.Lock()
	b.ex = nil
	if b.timer != nil {
		b.timer.Stop()
	}
	b.mu.Unlock()
}
