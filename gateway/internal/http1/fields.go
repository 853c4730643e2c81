package http1

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// malformed says why a message is refused.
type malformed struct {
	code   problem.Code
	status int // 0 = the code's own
	detail string
}

// Error returns the detail.
func (m *malformed) Error() string { return m.detail }

func (m *malformed) problem() *problem.Problem {
	p := problem.New(m.code, "%s", m.detail)
	if m.status != 0 {
		p = p.WithStatus(m.status)
	}
	return p
}

func bad(detail string) *malformed { return &malformed{code: problem.CodeBadRequest, detail: detail} }

var (
	errFieldName   = bad("a header field name is not a token directly followed by a colon")
	errFold        = bad("a header line begins with white space; folded lines are not accepted")
	errFieldValue  = bad("a header field value contains a control byte")
	errLineEnd     = bad("a line does not end with CR LF")
	errLength      = bad("Content-Length is not one plain decimal number")
	errLengthTwice = bad("there is more than one Content-Length")
	errCoding      = bad("Transfer-Encoding is not exactly one final chunked")
	errBothFramed  = bad("there are both Content-Length and Transfer-Encoding")
	errOldChunked  = bad("HTTP/1.0 does not have Transfer-Encoding")
	errAlias       = bad("a header field name is that of a framing field with underscores")
	errTooMany     = &malformed{code: problem.CodeHeaderTooLarge, detail: "there are too many header fields"}
	errHeadTooBig  = &malformed{code: problem.CodeHeaderTooLarge, detail: "the header is too large"}
)

// tokens are the bytes of a token (RFC 9110 section 5.6.2).
var tokens = func() (t [256]bool) {
	for c := range t {
		t[c] = policy.ValidName(string([]byte{byte(c)}))
	}
	return t
}()

// facts is what a field block says about framing and the connection.
type facts struct {
	length     int64 // -1 = none said
	chunked    bool
	hosts      int
	host       string
	close      bool
	keepAlive  bool
	upgrading  bool // Connection names Upgrade
	named      bool // Connection names other fields
	upgrade    string
	expect     bool // 100-continue
	otherwise  bool // another expectation
	trailers   bool // TE: trailers
	stripLater bool // there are fields that a response must not pass on
}

// parseFields reads the field lines in b up to and including the empty line that
// ends it, which must be the end of b. S is the same bytes as a string, which
// the fields share. It goes through every byte once.
func parseFields(b []byte, s string, h *policy.Header, limit int, f *facts) *malformed {
	f.length = -1
	lengths, codings := 0, 0
	for i := 0; ; {
		if b[i] == '\r' {
			if b[i+1] != '\n' || i+2 != len(b) {
				return errLineEnd
			}
			break
		}
		start := i
		for tokens[b[i]] {
			i++
		}
		if b[i] != ':' || i == start {
			return whyNotName(b[start], b[i])
		}
		name := s[start:i]
		i++
		for b[i] == ' ' || b[i] == '\t' {
			i++
		}
		end := i + bytes.IndexByte(b[i:], '\r')
		if b[end+1] != '\n' {
			return errLineEnd
		}
		next := end + 2
		for end > i && (b[end-1] == ' ' || b[end-1] == '\t') {
			end--
		}
		if !validValue(b[i:end]) {
			if bytes.IndexByte(b[i:end], '\n') >= 0 {
				return errLineEnd
			}
			return errFieldValue
		}
		value := s[i:end]
		i = next
		if limit--; limit < 0 {
			return errTooMany
		}
		switch len(name) {
		case 2, 4, 6, 7, 10, 14, 17:
			keep, m := f.note(name, value, &lengths, &codings)
			if m != nil {
				return m
			}
			if !keep {
				continue
			}
		case 16: // Proxy-Connection
			f.stripLater = true
		}
		h.Add(name, value)
	}
	if f.chunked && f.length >= 0 {
		return errBothFramed
	}
	return nil
}

func whyNotName(first, stop byte) *malformed {
	switch {
	case first == ' ' || first == '\t':
		return errFold
	case stop == '\r' || stop == '\n' && first == '\n':
		return errLineEnd
	}
	return errFieldName
}

// note takes in one field that may concern framing or the connection, and
// reports whether it stays in the header.
func (f *facts) note(name, value string, lengths, codings *int) (bool, *malformed) {
	switch len(name) {
	case 2:
		if policy.EqualName(name, "TE") && hasToken(value, "trailers") {
			f.trailers = true
		}
	case 4:
		if policy.EqualName(name, "Host") {
			f.hosts++
			f.host = value
			return false, nil
		}
	case 6:
		if policy.EqualName(name, "Expect") {
			if strings.EqualFold(value, "100-continue") {
				f.expect = true
			} else {
				f.otherwise = true
			}
			return false, nil
		}
	case 7:
		if policy.EqualName(name, "Upgrade") {
			f.upgrade, f.stripLater = value, true
		}
	case 10:
		if policy.EqualName(name, "Connection") {
			f.connection(value)
		}
		f.stripLater = true // also Keep-Alive
	case 14:
		switch {
		case policy.EqualName(name, "Content-Length"):
			if *lengths++; *lengths > 1 {
				return false, errLengthTwice
			}
			n, ok := parseLength(value)
			if !ok {
				return false, errLength
			}
			f.length = n
			return false, nil
		case policy.EqualName(name, "Content_Length"):
			return false, errAlias
		case policy.EqualName(name, "HTTP2-Settings"):
			return false, nil
		}
	case 17:
		switch {
		case policy.EqualName(name, "Transfer-Encoding"):
			if *codings++; *codings > 1 || !strings.EqualFold(value, "chunked") {
				return false, errCoding
			}
			f.chunked = true
			return false, nil
		case policy.EqualName(name, "Transfer_Encoding"):
			return false, errAlias
		}
	}
	return true, nil
}

func (f *facts) connection(value string) {
	switch value { // the usual ones, without splitting
	case "close":
		f.close = true
		return
	case "keep-alive", "Keep-Alive":
		f.keepAlive = true
		return
	}
	for t := range strings.SplitSeq(value, ",") {
		switch t = strings.Trim(t, " \t"); {
		case strings.EqualFold(t, "close"):
			f.close = true
		case strings.EqualFold(t, "keep-alive"):
			f.keepAlive = true
		case strings.EqualFold(t, "upgrade"):
			f.upgrading = true
		case t != "":
			f.named = true
		}
	}
}

func hasToken(list, token string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(t, " \t"), token) {
			return true
		}
	}
	return false
}

// parseLength reads a Content-Length: digits only, without leading zeros, which
// some read as octal.
func parseLength(s string) (int64, bool) {
	if s == "" || len(s) > 18 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	return n, true
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// validValue reports whether b holds no control bytes but tab. It looks at eight
// bytes at a time.
func validValue(b []byte) bool {
	for len(b) >= 8 {
		x := binary.LittleEndian.Uint64(b)
		// A byte below 0x20 borrows into its high bit; one equal to 0x7f is zero
		// after the exclusive or. Both tests may only err towards a closer look.
		del := x ^ 0x7f*ones
		if ((x-0x20*ones)&^x|(del-ones)&^del)&highs != 0 && !validBytes(b[:8]) {
			return false
		}
		b = b[8:]
	}
	return validBytes(b)
}

func validBytes(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// dropConnectionFields removes what concerns one connection only (RFC 9110
// section 7.6.1), and the fields that Connection names.
func dropConnectionFields(h *policy.Header, named bool) {
	if named {
		list := h.Joined("Connection")
		h.DelFunc(func(name, _ string) bool { return hasToken(list, name) })
	}
	h.DelFunc(func(name, _ string) bool { return isConnectionField(name) })
}

func isConnectionField(name string) bool {
	switch len(name) {
	case 2:
		return policy.EqualName(name, "TE")
	case 7:
		return policy.EqualName(name, "Upgrade")
	case 10:
		return policy.EqualName(name, "Connection") || policy.EqualName(name, "Keep-Alive")
	case 16:
		return policy.EqualName(name, "Proxy-Connection")
	}
	return false
}

// isFramingField reports whether only the transport may write the field.
func isFramingField(name string) bool {
	switch len(name) {
	case 4:
		return policy.EqualName(name, "Host")
	case 6:
		return policy.EqualName(name, "Expect")
	case 14:
		return policy.EqualName(name, "Content-Length") || policy.EqualName(name, "HTTP2-Settings")
	case 17:
		return policy.EqualName(name, "Transfer-Encoding")
	}
	return isConnectionField(name)
}

// mayTrail reports whether a field may stand in a trailer: none that frames,
// routes, authenticates or says who calls (RFC 9110 section 6.5.1).
func mayTrail(name string) bool {
	if isFramingField(name) {
		return false
	}
	for _, n := range noTrailers {
		if policy.EqualName(name, n) {
			return false
		}
	}
	return len(name) < 12 || !policy.EqualName(name[:12], "x-forwarded-")
}

var noTrailers = [...]string{
	"Age", "Authorization", "Cache-Control", "Content-Encoding", "Content-Range", "Content-Type",
	"Cookie", "Date", "Expires", "Forwarded", "Location", "Max-Forwards", "Pragma",
	"Proxy-Authenticate", "Proxy-Authorization", "Range", "Retry-After", "Set-Cookie", "Trailer",
	"Vary", "WWW-Authenticate", "X-API-Key", "X-Real-IP", "X-Request-ID",
}
