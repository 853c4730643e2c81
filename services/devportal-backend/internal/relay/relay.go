// Package relay calls an API for a reader of the portal: one request, to an
// address that was published, and nowhere else. It follows no redirects, sends
// and keeps no cookies, and takes no more time and bytes than it is allowed. It
// knows nothing of who may call.
package relay

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Limits bound what one call may take. The zero value is fit for use.
type Limits struct {
	// Time is how long a call may take; 0 means 30 seconds.
	Time time.Duration
	// Body is how much of an answer is passed on, in bytes; 0 means 1 MiB.
	Body int64
	// Calls is how many may be under way at once; 0 means 64.
	Calls int
}

func (l Limits) withDefaults() Limits {
	if l.Time <= 0 {
		l.Time = 30 * time.Second
	}
	if l.Body <= 0 {
		l.Body = 1 << 20
	}
	if l.Calls <= 0 {
		l.Calls = 64
	}
	return l
}

// Relay calls APIs. It is safe for concurrent use.
type Relay struct {
	limits Limits
	dial   map[string]string
	room   chan struct{}
	client *http.Client
}

// New returns a relay. dial names, for addresses (host:port) at which consumers
// call, others at which they are reached from here, such as by the name of a
// container.
func New(limits Limits, dial map[string]string) *Relay {
	r := &Relay{limits: limits.withDefaults(), dial: dial}
	r.room = make(chan struct{}, r.limits.Calls)
	d := &net.Dialer{Timeout: 10 * time.Second, Control: control}
	r.client = &http.Client{
		Transport: &http.Transport{
			Proxy: nil,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if to, ok := r.dial[address]; ok {
					address = to
				}
				return d.DialContext(ctx, network, address)
			},
			DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r
}

// control keeps connections away from addresses that no API is at: those of
// clouds' metadata, and of no host.
func control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	if ip := a.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return fmt.Errorf("connecting: %s is not the address of an API", ip)
	}
	return nil
}

// Pair is a name and a value.
type Pair struct{ Name, Value string }

// Request is a call. Base is the published address, Path what comes below it.
type Request struct {
	Base, Method, Path string
	Query, Headers     []Pair
	Body               []byte
}

// Result is what was answered.
type Result struct {
	URL     string
	Status  int
	Headers []Pair
	// Body is text, or base64 where Binary.
	Body      string
	Binary    bool
	Bytes     int64
	Truncated bool
	RequestID string
	// Connect, FirstByte and Total are times since the start.
	Connect, FirstByte, Total time.Duration
}

// kept are header fields of a request that are not the caller's to set.
var kept = []string{
	"Connection", "Content-Length", "Cookie", "Cookie2", "Expect", "Forwarded", "Host", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Via", "Accept-Encoding",
}

// Allowed reports whether a caller may set a header field.
func Allowed(name string) bool {
	n := textproto.CanonicalMIMEHeaderKey(name)
	return !slices.Contains(kept, n) && !strings.HasPrefix(n, "X-Forwarded-") && !strings.HasPrefix(n, "X-Gatehouse-") && !strings.HasPrefix(n, "Proxy-")
}

// Target returns the address that a request goes to. The error is a problem.
func Target(r Request) (*url.URL, error) {
	bad := func(pointer, detail string) error {
		return problem.Invalid("the request cannot be sent", problem.Field{Pointer: pointer, Code: "format", Detail: detail})
	}
	base, err := url.Parse(r.Base)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil {
		return nil, problem.New(problem.CodeUpstreamUnavailable, "the published address of the API cannot be called from here")
	}
	if !strings.HasPrefix(r.Path, "/") || strings.ContainsAny(r.Path, "?#\\") {
		return nil, bad("/path", "begin with a slash; the query is a field of its own")
	}
	for i := range len(r.Path) {
		if r.Path[i] <= ' ' || r.Path[i] >= 0x7f {
			return nil, bad("/path", "write spaces and characters beyond ASCII as %XX")
		}
	}
	base.RawQuery, base.Fragment = "", ""
	u, err := url.Parse(strings.TrimRight(base.String(), "/") + r.Path)
	if err != nil || u.Host != base.Host || u.Scheme != base.Scheme || u.User != nil {
		return nil, bad("/path", "it is not a path")
	}
	for part := range strings.SplitSeq(u.Path, "/") { // decoded
		if part == "." || part == ".." {
			return nil, bad("/path", `it must not have the segments "." and ".."`)
		}
	}
	q := make([]string, len(r.Query))
	for i, p := range r.Query {
		q[i] = url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value)
	}
	u.RawQuery = strings.Join(q, "&")
	return u, nil
}

// Do sends a request and returns its answer, whatever the status. The error is a
// problem.
func (r *Relay) Do(ctx context.Context, req Request) (*Result, error) {
	u, err := Target(req)
	if err != nil {
		return nil, err
	}
	select {
	case r.room <- struct{}{}:
		defer func() { <-r.room }()
	default:
		return nil, problem.New(problem.CodeConcurrencyLimited, "too many requests are being tried at the moment; try again in a few seconds").WithRetryAfter(2 * time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, r.limits.Time)
	defer cancel()
	began := time.Now()
	out := &Result{URL: u.String()}
	// What the transport still does after it gave an answer must not write into it.
	trace := make(chan struct {
		what string
		at   time.Duration
	}, 8)
	note := func(what string) {
		select {
		case trace <- struct {
			what string
			at   time.Duration
		}{what, time.Since(began)}:
		default:
		}
	}
	hreq, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { note("connect") },
		GotFirstResponseByte: func() { note("first") },
	}), req.Method, u.String(), strings.NewReader(string(req.Body)))
	if err != nil {
		return nil, problem.New(problem.CodeInvalidInput, "the request cannot be sent: %w", err)
	}
	if len(req.Body) == 0 {
		hreq.Body, hreq.ContentLength = http.NoBody, 0
	}
	for i, h := range req.Headers {
		if !httpguts.ValidHeaderFieldName(h.Name) || !httpguts.ValidHeaderFieldValue(h.Value) {
			return nil, problem.Invalid("the request cannot be sent", problem.Field{
				Pointer: fmt.Sprintf("/headers/%d", i), Code: "format", Detail: "a header field has a name of letters, digits and hyphens, and a value without line ends",
			})
		}
		if Allowed(h.Name) {
			hreq.Header.Add(h.Name, h.Value)
		}
	}
	if hreq.Header.Get("User-Agent") == "" {
		hreq.Header.Set("User-Agent", "Gatehouse-Portal")
	}
	res, err := r.client.Do(hreq)
	if err != nil {
		return nil, failure(ctx, u, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, r.limits.Body+1))
	if err != nil && ctx.Err() == nil && len(body) == 0 {
		return nil, failure(ctx, u, err)
	}
	out.Truncated = err != nil || int64(len(body)) > r.limits.Body
	body = body[:min(int64(len(body)), r.limits.Body)]
	out.Total = time.Since(began)
	for more := true; more; {
		select {
		case e := <-trace:
			if e.what == "connect" {
				out.Connect = e.at
			} else {
				out.FirstByte = e.at
			}
		default:
			more = false
		}
	}
	out.Status, out.Bytes, out.RequestID = res.StatusCode, int64(len(body)), res.Header.Get("X-Request-Id")
	out.Headers = headers(res.Header)
	out.Body, out.Binary = text(body, out.Truncated)
	return out, nil
}

// headers returns the header fields of an answer, without cookies, ordered by
// name.
func headers(h http.Header) []Pair {
	out := []Pair{}
	for name, values := range h {
		if name == "Set-Cookie" || name == "Set-Cookie2" {
			continue
		}
		for _, v := range values {
			out = append(out, Pair{name, strings.ToValidUTF8(v, "\uFFFD")})
		}
	}
	slices.SortStableFunc(out, func(a, b Pair) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// text returns a body as text, or as base64 where it is none.
func text(body []byte, truncated bool) (string, bool) {
	whole := body
	if truncated { // the last character may be cut in two
		for range utf8.UTFMax {
			if len(whole) == 0 || utf8.Valid(whole) {
				break
			}
			whole = whole[:len(whole)-1]
		}
	}
	if utf8.Valid(whole) && !slices.Contains(whole, 0) {
		return string(whole), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

// failure says why there is no answer, and nothing of the network within.
func failure(ctx context.Context, u *url.URL, err error) error {
	var dns *net.DNSError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded):
		return problem.New(problem.CodeUpstreamTimeout, "%s did not answer in time", u.Host).Because(err)
	case errors.Is(err, context.Canceled):
		return problem.New(problem.CodeClientClosed, "").Because(err)
	case errors.As(err, &dns):
		return problem.New(problem.CodeUpstreamUnavailable, "the name %s is not known here", u.Hostname()).Because(err)
	default:
		return problem.New(problem.CodeUpstreamUnavailable, "%s does not answer", u.Host).Because(err)
	}
}
