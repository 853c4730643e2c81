package upstream

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (r *reading) targets(s *settings) {
	if len(r.cfg.Targets) == 0 {
		r.bad("/targets", "minItems", "name at least one target")
	}
	seen := map[string]int{}
	encrypted := false
	for i, c := range r.cfg.Targets {
		at := "/targets/" + itoa(i)
		t, detail := parseTarget(c.URL)
		if detail != "" {
			r.bad(at+"/url", "format", detail)
			continue
		}
		if first, ok := seen[t.url]; ok {
			r.bad(at+"/url", "unique", "is the same as target "+itoa(first)+"; use weight to give it a larger share")
		}
		seen[t.url] = i
		encrypted = encrypted || t.https
		r.scheme(at, s.protocol, t.https)
		switch {
		case c.Weight > maxWeight:
			r.bad(at+"/weight", "maximum", "must be at most "+itoa(maxWeight))
		case c.Weight == 0:
			t.weight = 1
		case c.Weight > 0:
			t.weight = c.Weight
		}
		t.priority = r.number(at+"/priority", c.Priority, 0, 0)
		if t.addr.IsValid() {
			if err := r.allow(netip.AddrPortFrom(t.addr, t.port)); err != nil {
				r.bad(at+"/url", "address-denied", err.Error())
			}
		}
		s.targets = append(s.targets, t)
	}
	if r.cfg.TLS != nil && !encrypted && len(s.targets) > 0 {
		r.bad("/tls", "not-allowed", "no target has an https URL, so that this would not be used")
		return
	}
	t := r.tls(s.protocol)
	for i := range s.targets {
		if s.targets[i].https {
			s.targets[i].tls = t
		}
	}
}

func (r *reading) scheme(at, protocol string, https bool) {
	switch {
	case protocol == "h2" && !https:
		r.bad(at+"/url", "format", "protocol h2 needs an https URL; use h2c for HTTP/2 without TLS")
	case protocol == "h2c" && https:
		r.bad(at+"/url", "format", "protocol h2c needs an http URL; use h2 for HTTP/2 over TLS")
	}
}

// parseTarget reads a target's URL; a detail says what is wrong.
func parseTarget(raw string) (t target, detail string) {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" {
		return t, "must be a URL such as http://orders:8080"
	}
	switch u.Scheme {
	case "http":
		t.port = 80
	case "https":
		t.https, t.port = true, 443
	default:
		return t, "must begin with http:// or https://"
	}
	switch {
	case u.User != nil:
		return t, "must not hold a user name or password; use a policy to authenticate to the upstream"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return t, "must not have a query or a fragment"
	case strings.HasSuffix(u.Host, ":"):
		return t, "has a colon but no port"
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return t, "must have a port from 1 to 65535"
		}
		t.port = uint16(n)
	}
	t.host = strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if ip, err := netip.ParseAddr(t.host); err == nil {
		if ip.Zone() != "" {
			return t, "must not have a zone in its address"
		}
		t.addr = ip.Unmap()
		t.host = t.addr.String()
	} else if !validName(t.host) {
		return t, "must have a host name (ASCII, punycode for others) or an address"
	}
	t.basePath = strings.TrimRight(u.EscapedPath(), "/")
	if t.basePath != "" && !validPath(t.basePath) {
		return t, "must have a path without empty segments, dot segments and special characters"
	}
	t.authority = t.host
	if t.addr.Is6() {
		t.authority = "[" + t.host + "]"
	}
	if t.port != map[bool]uint16{false: 80, true: 443}[t.https] {
		t.authority += ":" + itoa(int(t.port))
	}
	t.url = u.Scheme + "://" + t.authority + t.basePath
	return t, ""
}

// validName reports whether s may be a host name. Underscores are not in RFC
// 1123 but in many internal names.
func validName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	// A last label of digits is an address in some parsers' eyes (127.1).
	last := s[strings.LastIndexByte(s, '.')+1:]
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}

func validAuthority(s string) bool {
	t, detail := parseTarget("http://" + s)
	return detail == "" && t.basePath == "" && !strings.HasSuffix(s, "/")
}

// validPath reports whether s is a path that every parser reads alike.
func validPath(s string) bool {
	if !strings.HasPrefix(s, "/") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}#", c) >= 0 {
			return false
		}
	}
	path, _, _ := strings.Cut(s, "?")
	for seg := range strings.SplitSeq(path[1:], "/") {
		if seg == "." || seg == ".." || seg == "" && path != "/" && !strings.HasSuffix(path, "/") {
			return false
		}
	}
	low := strings.ToLower(path)
	return !strings.Contains(path, "//") && !strings.Contains(low, "%2f") && !strings.Contains(low, "%5c") &&
		!strings.Contains(low, "%2e") && !strings.Contains(low, "%00")
}

// tls compiles the TLS settings; without any, the system's authorities and TLS
// 1.2 hold.
func (r *reading) tls(protocol string) *tlsSettings {
	cfg := r.cfg.TLS
	if cfg == nil {
		cfg = &unit.TLS{}
	}
	return r.compileTLS(cfg, protocol)
}
