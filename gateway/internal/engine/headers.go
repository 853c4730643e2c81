package engine

import (
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// The header fields in which the gateway tells upstreams who calls. Clients
// cannot send them.
const (
	HeaderRequestID   = "X-Request-Id"
	HeaderApplication = "X-Gatehouse-Application"
	HeaderSubject     = "X-Gatehouse-Subject"
	HeaderPlan        = "X-Gatehouse-Plan"
)

// managed decides about the fields of a request: which concern one connection
// only (RFC 9110 section 7.6.1), and which the gateway alone may set.
type managed struct {
	// identity are the normalized names that only the gateway may set, by length.
	identity [maxIdentity + 1][]string
	// first marks the normalized first letters of managed names, to pass over
	// all others quickly.
	first [256]bool
}

// maxIdentity is the longest name that is told apart by its length.
const maxIdentity = 64

func newManaged(identity []string) *managed {
	m := &managed{}
	for _, n := range append(identity, "forwarded", "x-request-id", "x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "x-original-url", "x-rewrite-url", "x-original-host") {
		n = normalize(n)
		at := &m.identity[min(len(n), maxIdentity)]
		*at = append(*at, n)
		m.first[n[0]] = true
	}
	m.first['x'] = true // x-forwarded-*, x-gatehouse-*
	return m
}

// normalize maps the spellings that some servers take for the same name onto
// one: case, underscores and dots (CGI and its heirs). R12.1
func normalize(name string) string {
	b := make([]byte, len(name))
	for i := range len(name) {
		b[i] = fold(name[i])
	}
	return string(b)
}

func fold(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c | 0x20
	case c == '_' || c == '.':
		return '-'
	}
	return c
}

func hasFoldedPrefix(name, prefix string) bool {
	if len(name) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if fold(name[i]) != prefix[i] {
			return false
		}
	}
	return true
}

// owns reports whether only the gateway may set a field of that name.
func (m *managed) owns(name string) bool {
	if name == "" || !m.first[fold(name[0])] {
		return false
	}
	if hasFoldedPrefix(name, "x-forwarded-") || hasFoldedPrefix(name, "x-gatehouse-") {
		return true
	}
	for _, id := range m.identity[min(len(name), maxIdentity)] {
		if len(id) == len(name) && hasFoldedPrefix(name, id) {
			return true
		}
	}
	return false
}

// hopByHop reports whether a field concerns one connection only, or is the
// transport's to write.
func hopByHop(name string) bool {
	switch len(name) {
	case 2:
		return policy.EqualName(name, "TE")
	case 4:
		return policy.EqualName(name, "Host")
	case 7:
		return policy.EqualName(name, "Trailer") || policy.EqualName(name, "Upgrade")
	case 10:
		return policy.EqualName(name, "Connection") || policy.EqualName(name, "Keep-Alive")
	case 14:
		return policy.EqualName(name, "Content-Length") || policy.EqualName(name, "HTTP2-Settings")
	case 16:
		return policy.EqualName(name, "Proxy-Connection")
	case 17:
		return policy.EqualName(name, "Transfer-Encoding")
	case 18:
		return policy.EqualName(name, "Proxy-Authenticate")
	case 19:
		return policy.EqualName(name, "Proxy-Authorization")
	}
	return false
}

// forwarding is what a trusted proxy said of the client.
type forwarding struct{ chain, proto, host, requestID string }

// cleanRequest removes from a request what must not go on, in one pass, and
// returns what a trusted proxy said.
func (m *managed) cleanRequest(h *policy.Header, trusted bool) forwarding {
	var f forwarding
	if trusted {
		f = forwarding{
			chain: h.Joined("X-Forwarded-For"), proto: h.Get("X-Forwarded-Proto"),
			host: h.Get("X-Forwarded-Host"), requestID: h.Get(HeaderRequestID),
		}
	}
	drop := false
	fields := h.Fields()
	for i := range fields {
		name := fields[i].Name
		drop = drop || hopByHop(name) || m.owns(name)
	}
	if !drop { // there is no Connection either, to name others
		return f
	}
	named := h.Joined("Connection")
	h.DelFunc(func(name, _ string) bool {
		return hopByHop(name) || m.owns(name) || named != "" && namedBy(named, name)
	})
	return f
}

// cleanResponse is the same for a response.
func cleanResponse(h *policy.Header, keepLength bool) {
	drop := false
	fields := h.Fields()
	for i := range fields {
		drop = drop || hopByHop(fields[i].Name)
	}
	if !drop {
		return
	}
	named := h.Joined("Connection")
	h.DelFunc(func(name, _ string) bool {
		if keepLength && policy.EqualName(name, "Content-Length") {
			return false
		}
		return hopByHop(name) || named != "" && namedBy(named, name)
	})
}

// namedBy reports whether a Connection value lists the name. "close" and
// "keep-alive" name no field that would be kept anyway.
func namedBy(list, name string) bool {
	for v := range strings.SplitSeq(list, ",") {
		if policy.EqualName(strings.Trim(v, " \t"), name) {
			return true
		}
	}
	return false
}
