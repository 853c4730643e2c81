package router

import (
	"math/bits"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/internal/canon"
)

// Request is what a match looks at.
type Request struct {
	// Host and Path are canonical, as [canon.Host] and [canon.Path] return
	// them; Flags are those that Path returned. Host is "" where there is none.
	Host  string
	Path  string
	Flags canon.Flags
	// Method is as received.
	Method string
	// RawQuery is the query without the question mark.
	RawQuery string
	// Header is for conditions; nil = empty.
	Header Header
}

// Outcome is what came of a match.
type Outcome uint8

// The outcomes.
const (
	// NoHost: no API is served on this host. Answer 404.
	NoHost Outcome = iota
	// NoPath: no API has this path, or the API has no such operation. Answer
	// 404.
	NoPath
	// BadPath: the path holds what the API does not allow, or could be read as
	// a path of another API. Answer 400.
	BadPath
	// MethodNotAllowed: the API has operations for this path with other
	// methods only. Answer 405 with Match.Allow.
	MethodNotAllowed
	// OptionsAuto: an OPTIONS request for a path that has operations, none of
	// them for OPTIONS. CORS preflight first; else answer 204 with Match.Allow.
	OptionsAuto
	// Matched: Match.API and Match.Operation are for this request.
	Matched
)

// String returns the name of the outcome, in kebab case.
func (o Outcome) String() string {
	return [...]string{"no-host", "no-path", "bad-path", "method-not-allowed", "options-auto", "matched"}[o]
}

// MarshalText is for JSON.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Match is the answer of [Index.Match]. It may be used again and again; nothing
// in it has to be reset.
type Match struct {
	Outcome Outcome
	// API is who owns the path. It is nil with NoHost, and with NoPath and
	// BadPath where no API owns the path or no conditions hold.
	API *Compiled
	// Operation is the index into API.Operations; -1 where the API has none or
	// none matched.
	Operation int
	// Path is the canonical path from here on: Request.Path, with slashes
	// merged where the API merges them. It is what goes to the upstream.
	Path string
	// Refused is what the API does not allow in the path, with BadPath. It is
	// 0 where all is allowed but the path could be read as another API's.
	Refused canon.Flags
	// Allow is the value of an Allow field, with MethodNotAllowed and
	// OptionsAuto.
	Allow string

	bit, seen methods
	params    int
	spans     [MaxParams]span
}

// span is a part of Match.Path.
type span struct{ from, to uint32 }

// Params returns the number of path parameters.
func (m *Match) Params() int {
	if m.Outcome != Matched || m.Operation < 0 {
		return 0
	}
	return m.params
}

// ParamAt returns name and value of a path parameter, in the order of the
// template. The value is as it stands in the path, percent-encoded.
func (m *Match) ParamAt(i int) (name, encoded string) {
	return m.API.names[m.Operation][i], m.Path[m.spans[i].from:m.spans[i].to]
}

// Param returns the decoded value of a path parameter and whether the operation
// has one of that name. It allocates only where there is something to decode.
func (m *Match) Param(name string) (string, bool) {
	for i := range m.Params() {
		if n, encoded := m.ParamAt(i); n == name {
			return canon.Unescape(encoded), true
		}
	}
	return "", false
}

// Template returns the path template that matched, with the base path, or "".
func (m *Match) Template() string {
	if m.Outcome != Matched {
		return ""
	}
	return m.API.Template(m.Operation)
}

// Match finds out what a request is for. It allocates nothing, except for paths
// with flags that their API allows.
func (x *Index) Match(r *Request, m *Match) {
	m.API, m.Operation, m.Path, m.Refused, m.Allow = nil, -1, r.Path, 0, ""
	m.params, m.seen = 0, 0
	p, _, known := x.owner(r.Host, r.Path)
	if !known {
		m.Outcome = NoHost
		return
	}
	if r.Flags != 0 {
		if p = x.flagged(r, m, p); p.group == nil {
			return
		}
	}
	c := p.choose(r)
	if c == nil {
		m.Outcome = NoPath
		return
	}
	m.API = c
	f := p.form
	if p.only == nil {
		f = c.form
	}
	root := f.root()
	if root == 0 {
		m.Outcome = Matched
		return
	}
	if m.bit = methodBit(r.Method); m.bit == 0 {
		m.bit = c.bitOf(r.Method)
	}
	switch {
	case m.walk(f, root, int(f.u16(0)), 0):
		m.Outcome = Matched
	case m.seen == 0:
		m.Outcome = NoPath
	default:
		m.Outcome = MethodNotAllowed
		if m.bit == options {
			m.Outcome = OptionsAuto
		}
		m.Allow = c.allow(m.seen)
	}
}

// flagged deals with paths that not everybody reads the same way. It returns
// the place that owns the path, with m.Path as the API wants it, or none and
// m.Outcome.
//
// Who owns the path is decided by the most lenient reading, so that an API
// that is lax can never be used to reach the paths of another one. The API's
// own reading must lead to the same place.
func (x *Index) flagged(r *Request, m *Match, strict place) place {
	m.Outcome = BadPath
	p, _, _ := x.owner(r.Host, lenient(r.Path))
	c := p.choose(r)
	if c == nil {
		m.Refused = r.Flags
		return place{}
	}
	if m.Refused = r.Flags &^ c.allowed; m.Refused != 0 {
		m.API = c
		return place{}
	}
	if c.merge && r.Flags&canon.EmptySegment != 0 {
		m.Path = merged(r.Path)
		strict, _, _ = x.owner(r.Host, m.Path)
	}
	if strict.group != p.group {
		m.API = c
		return place{}
	}
	return p
}

// lenient returns the path as an upstream could read it that decodes slashes
// and backslashes, cuts path parameters off, and merges slashes.
func lenient(path string) string {
	b := make([]byte, 0, len(path))
	params := false
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if e := path[i : i+3]; e == "%2F" || e == "%5C" {
				c = '/'
				i += 2
			}
		}
		switch {
		case c == '/':
			params = false
			if len(b) > 0 && b[len(b)-1] == '/' {
				continue
			}
		case c == ';':
			params = true
		}
		if !params {
			b = append(b, c)
		}
	}
	return string(b)
}

func merged(path string) string {
	b := make([]byte, 0, len(path))
	for i := range len(path) {
		if path[i] != '/' || i == 0 || path[i-1] != '/' {
			b = append(b, path[i])
		}
	}
	return string(b)
}

// choose returns the API of the place whose conditions hold, or nil.
func (p place) choose(r *Request) *Compiled {
	if p.only != nil {
		return p.only
	}
	if p.group == nil {
		return nil
	}
	for _, c := range p.group.served {
		if c.holds(r) {
			return c
		}
	}
	return nil
}

// owner returns the place that a path belongs to: that of the most specific
// host pattern that has a base path for it, and there the longest base path.
// known says whether anything is served on the host; pattern is the host
// pattern of the place.
func (x *Index) owner(host, path string) (p place, pattern string, known bool) {
	if x.exact.n > 0 {
		if s, ok := x.exact.get(x.seed, host); ok {
			known = true
			if p := s.longest(x, path); p.group != nil {
				return p, host, true
			}
		}
	}
	if x.wild.n > 0 {
		for left := host; ; {
			dot := strings.IndexByte(left, '.')
			if dot < 0 {
				break
			}
			left = left[dot+1:]
			if s, ok := x.wild.get(x.seed, left); ok {
				known = true
				if p := s.longest(x, path); p.group != nil {
					return p, host[len(host)-len(left)-1:], true
				}
			}
		}
	}
	if x.any == nil {
		return place{}, "", known
	}
	return x.any.longest(x, path), "", true
}

// longest returns the place with the longest base path that owns path.
func (s *space) longest(x *Index, path string) place {
	for depths := s.depths &^ 1; depths != 0; {
		depth := 31 - bits.LeadingZeros32(depths)
		depths &^= 1 << depth
		if end := prefix(path, depth); end > 0 {
			if p, ok := s.bases.get(x.seed, path[:end]); ok {
				return p
			}
		}
	}
	return s.root
}

// prefix returns the length of the first segments of path, or 0 where it has
// fewer.
func prefix(path string, segments int) int {
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			if segments--; segments == 0 {
				return i
			}
		}
	}
	if segments == 1 {
		return len(path)
	}
	return 0
}
