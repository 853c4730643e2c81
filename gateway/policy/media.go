package policy

import (
	"iter"
	"strings"
)

// HopByHop reports whether a field concerns one connection only, or is the
// transport's to write (RFC 9110 section 7.6.1): policies must leave it alone.
func HopByHop(name string) bool {
	for _, n := range hopByHop {
		if EqualName(name, n) {
			return true
		}
	}
	return false
}

var hopByHop = [...]string{
	"Connection", "Content-Length", "Host", "HTTP2-Settings", "Keep-Alive", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
}

// AddVary adds a name to the Vary field (RFC 9110 section 12.5.5), unless it is
// there or everything varies already.
func AddVary(h *Header, name string) {
	if !h.HasToken("Vary", name) && !h.HasToken("Vary", "*") {
		h.Add("Vary", name)
	}
}

// MediaType returns the type and subtype of a Content-Type value, without
// parameters and in lower case.
func MediaType(value string) string {
	value, _, _ = strings.Cut(value, ";")
	return strings.ToLower(strings.Trim(value, " \t"))
}

// MatchMedia reports whether a media type, as [MediaType] returns it, is in a
// range such as "application/json", "text/*", "*/*" or "*/*+json".
func MatchMedia(pattern, media string) bool {
	if pattern == media || pattern == "*/*" {
		return true
	}
	mainPattern, subPattern, _ := strings.Cut(pattern, "/")
	mainType, sub, ok := strings.Cut(media, "/")
	if !ok || mainPattern != "*" && mainPattern != mainType {
		return false
	}
	if suffix, ok := strings.CutPrefix(subPattern, "*"); ok {
		return suffix == "" || strings.HasSuffix(sub, suffix)
	}
	return sub == subPattern
}

// IsJSON reports whether a media type, as [MediaType] returns it, is JSON or
// built on it (RFC 6839 section 3.1).
func IsJSON(media string) bool {
	return media == "application/json" || strings.HasSuffix(media, "+json") || media == "text/json"
}

// Preferences yields the members of a list such as Accept or Accept-Encoding
// with their weight in thousandths (RFC 9110 section 12.4.2), over all fields of
// that name. Parameters other than the weight are dropped; a member whose weight
// cannot be read has 0.
func (h *Header) Preferences(name string) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for value := range h.Values(name) {
			for member := range strings.SplitSeq(value, ",") {
				token, rest, _ := strings.Cut(member, ";")
				token = strings.Trim(token, " \t")
				if token != "" && !yield(token, weight(rest)) {
					return
				}
			}
		}
	}
}

func weight(parameters string) int {
	for parameters != "" {
		var p string
		p, parameters, _ = strings.Cut(parameters, ";")
		p = strings.Trim(p, " \t")
		if len(p) >= 2 && p[0]|0x20 == 'q' && p[1] == '=' {
			return thousandths(p[2:])
		}
	}
	return 1000
}

// thousandths reads a qvalue.
func thousandths(s string) int {
	if s == "" || len(s) > 5 || s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return 0
	}
	n, unit := int(s[0]-'0')*1000, 100
	for i := 2; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		n += int(s[i]-'0') * unit
		unit /= 10
	}
	return min(n, 1000)
}
