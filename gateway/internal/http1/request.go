package http1

import (
	"bytes"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

var (
	errRequestLine = bad("the request line is not a method, a target and a version with one space between each")
	errTarget      = bad("the request target contains a byte that is not allowed there, such as a fragment or an unencoded character")
	errTargetForm  = bad("the request target is neither a path nor an http address")
	errAsterisk    = bad("the request target * is only for OPTIONS")
	errVersion     = &malformed{code: problem.CodeBadRequest, status: 505, detail: "only HTTP/1.1 and HTTP/1.0 are spoken on this connection"}
	errConnect     = &malformed{code: problem.CodeMethodNotAllowed, detail: "CONNECT is not served"}
	errURI         = &malformed{code: problem.CodeURITooLong, detail: "the request target is too long"}
	errNoHost      = bad("there is no Host field")
	errHosts       = bad("there is more than one Host field")
	errHost        = bad("Host is not a host name or address with an optional port")
	errHostDiffers = bad("the address in the request line and the Host field disagree")
	errUpgradeBody = bad("a request that asks for an upgrade has content")
	errExpectation = &malformed{code: problem.CodeExpectationFailed, detail: "the only expectation that can be met is 100-continue"}
)

var headEnd = []byte("\r\n\r\n")

// preface begins an HTTP/2 connection (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// bareLF reports whether a line in b ends with LF alone.
func bareLF(b []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return false
		}
		if i += n; i == 0 || b[i-1] != '\r' {
			return true
		}
	}
}

// parseRequest reads a whole head, which ends with an empty line. S is b as a
// string; what is kept of the request shares it. Where it fails, req has what
// was understood until then.
func parseRequest(b []byte, s string, req *policy.Request, f *facts, lim *transport.Limits) *malformed {
	*f = facts{length: -1}
	i := 0
	for tokens[b[i]] {
		i++
	}
	if i == 0 || b[i] != ' ' {
		return errRequestLine
	}
	req.Method = intern(s[:i])
	i++
	start := i
	for c := b[i]; c > ' ' && c < 0x7f && c != '#'; c = b[i] {
		i++
	}
	if i-start > lim.URIBytes {
		return errURI
	}
	if b[i] != ' ' {
		if b[i] == '\r' {
			return errRequestLine // HTTP/0.9, or no version
		}
		return errTarget
	}
	target := s[start:i]
	i++
	if m := parseVersion(b[i:], req); m != nil {
		return m
	}
	i += len("HTTP/1.1\r\n")
	if req.Method == "CONNECT" {
		return errConnect
	}
	authority, m := parseTarget(target, req)
	if m != nil {
		return m
	}
	if m := parseFields(b[i:], s[i:], &req.Header, lim.HeaderCount, f); m != nil {
		return m
	}
	return f.judge(req, authority)
}

func intern(method string) string {
	switch method {
	case "GET":
		return "GET"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "DELETE":
		return "DELETE"
	case "HEAD":
		return "HEAD"
	case "OPTIONS":
		return "OPTIONS"
	case "PATCH":
		return "PATCH"
	}
	return method
}

func parseVersion(b []byte, req *policy.Request) *malformed {
	const n = len("HTTP/1.1")
	if len(b) < n+2 || string(b[:5]) != "HTTP/" || b[6] != '.' || b[n] != '\r' {
		return errRequestLine
	}
	if b[n+1] != '\n' {
		return errLineEnd
	}
	switch string(b[5:n]) {
	case "1.1":
		req.Proto = "HTTP/1.1"
	case "1.0":
		req.Proto = "HTTP/1.0"
	default:
		if b[5] < '0' || b[5] > '9' || b[7] < '0' || b[7] > '9' {
			return errRequestLine
		}
		return errVersion
	}
	return nil
}

// parseTarget takes the request target apart and returns the authority where
// the target has one.
func parseTarget(t string, req *policy.Request) (string, *malformed) {
	authority := ""
	switch {
	case t == "":
		return "", errRequestLine
	case t[0] == '/':
	case t == "*":
		if req.Method != "OPTIONS" {
			return "", errAsterisk
		}
	default:
		scheme, rest, ok := strings.Cut(t, "://")
		if !ok || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
			return "", errTargetForm
		}
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		if authority, t = rest[:end], rest[end:]; authority == "" {
			return "", errTargetForm
		}
	}
	path, query, _ := strings.Cut(t, "?")
	if path == "" {
		path = "/"
	}
	req.RawPath, req.Query = path, query
	return authority, nil
}

// judge checks what only the whole header can tell.
func (f *facts) judge(req *policy.Request, authority string) *malformed {
	switch {
	case f.hosts > 1:
		return errHosts
	case f.hosts == 1:
		if !validHost(f.host) {
			return errHost
		}
		if authority != "" && !strings.EqualFold(authority, f.host) {
			return errHostDiffers
		}
	case req.Proto == "HTTP/1.1":
		return errNoHost
	case authority != "":
		if !validHost(authority) {
			return errHost
		}
		f.host = authority
	}
	req.Authority = f.host
	if f.chunked && req.Proto == "HTTP/1.0" {
		return errOldChunked
	}
	if f.otherwise {
		return errExpectation
	}
	if f.upgrade == "" {
		return nil
	}
	if f.upgrading && req.Method == "GET" && req.Proto == "HTTP/1.1" && strings.EqualFold(f.upgrade, "websocket") &&
		req.Header.Count("Upgrade") == 1 {
		if f.chunked || f.length > 0 {
			return errUpgradeBody
		}
		req.Upgrade = "websocket"
		return nil
	}
	req.Header.Del("Upgrade") // an offer that may be ignored (RFC 9110 section 7.8)
	return nil
}

// hostBytes are those of a registered name (RFC 3986 section 3.2.2).
var hostBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' && c < 0x80 ||
			c < 0x80 && strings.IndexByte("-._~%!$&'()*+,;=", byte(c)) >= 0
	}
	return t
}()

// validHost reports whether s has the form of a Host field: a name or address,
// and a port.
func validHost(s string) bool {
	i := 0
	if s != "" && s[0] == '[' {
		end := strings.IndexByte(s, ']')
		if end < 3 {
			return false
		}
		for _, c := range []byte(s[1:end]) {
			if c != ':' && c != '.' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		}
		i = end + 1
	} else {
		for i < len(s) && hostBytes[s[i]] {
			i++
		}
		if i == 0 {
			return false
		}
	}
	if i == len(s) {
		return true
	}
	port := s[i+1:]
	if s[i] != ':' || port == "" || len(port) > 5 {
		return false
	}
	n := 0
	for _, c := range []byte(port) {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= 65535
}
