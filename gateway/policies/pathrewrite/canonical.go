package pathrewrite

import "strings"

// refuse returns what makes a path one that servers could read in different
// ways, or "" for a canonical one (RFC 3986 section 6.2.2). Encoded slashes,
// backslashes and percent signs, path parameters and empty segments are allowed
// where the path that the client asked for has such too, since the API then
// allows them. It is stricter than the gateway is with clients: what it would
// normalize there is refused here.
func refuse(path, asked string) string {
	if path == "" || path[0] != '/' {
		return "no slash at its beginning"
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '%':
			if why, ok := refuseEscape(path[i:], asked); !ok {
				return why
			}
			i += 2
		case c == ';':
			if !strings.Contains(asked, ";") {
				return "a path parameter (;)"
			}
		case c == '/':
			if strings.HasPrefix(path[i:], "//") && !strings.Contains(asked, "//") {
				return "an empty segment (//)"
			}
		case !inSegment(c):
			return "a character that must be percent-encoded"
		}
	}
	if hidesDots(path) {
		return "a dot segment"
	}
	return ""
}

func refuseEscape(s, asked string) (string, bool) {
	if len(s) < 3 {
		return "an incomplete escape", false
	}
	hi, lo := strings.IndexByte(upperHex, s[1]), strings.IndexByte(upperHex, s[2])
	if hi < 0 || lo < 0 {
		return "an escape that is not two upper-case hexadecimal digits", false
	}
	switch c := byte(hi<<4 | lo); {
	case c == 0:
		return "an encoded NUL", false
	case c == '/' || c == '\\' || c == '%':
		if !strings.Contains(asked, s[:3]) {
			return "an encoded slash, backslash or percent sign", false
		}
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0:
		return "an escape of a character that needs none", false
	case overlong(s, c):
		return "an overlong UTF-8 sequence", false
	}
	return "", true
}

// overlong reports whether an escape begins a sequence that lenient decoders
// take for an ASCII character (RFC 3629 section 3).
func overlong(s string, c byte) bool {
	if c != 0xc0 && c != 0xc1 && c != 0xe0 && c != 0xf0 || len(s) < 6 || s[3] != '%' {
		return false
	}
	next := strings.IndexByte(upperHex, s[4])
	return c <= 0xc1 && next >= 8 && next < 12 || c == 0xe0 && (next == 8 || next == 9) || c == 0xf0 && next == 8
}

// hidesDots reports whether a segment is "." or "..", also one that shows only
// when encoded slashes are decoded or path parameters are cut off.
func hidesDots(path string) bool {
	for s := range strings.SplitSeq(path, "/") {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "%2F", "/"), "%5C", "/")
		for piece := range strings.SplitSeq(s, "/") {
			piece, _, _ = strings.Cut(piece, ";")
			if piece == "." || piece == ".." {
				return true
			}
		}
	}
	return false
}

// inSegment reports whether RFC 3986 allows an octet in a segment as it is
// (section 3.3, pchar).
func inSegment(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0
}
