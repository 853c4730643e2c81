package canon

// class says what a raw octet is in a path.
type class uint8

const (
	plain   class = iota // unreserved except ".", sub-delims except ";", ":" and "@"
	slash                // "/"
	dot                  // "."
	percent              // "%"
	semi                 // ";"
	control              // 0x00-0x1f and 0x7f
	high                 // 0x80-0xff
	bad                  // everything else that RFC 3986 does not allow in a path
)

// classes has the class of each octet, after RFC 3986 section 3.3.
var classes = classTable()

func classTable() (t [256]class) {
	for i := range t {
		c := byte(i)
		switch {
		case c < 0x20 || c == 0x7f:
			t[i] = control
		case c >= 0x80:
			t[i] = high
		case c == '/':
			t[i] = slash
		case c == '.':
			t[i] = dot
		case c == '%':
			t[i] = percent
		case c == ';':
			t[i] = semi
		case unreserved(c) || subDelim(c) || c == ':' || c == '@':
			t[i] = plain
		default:
			t[i] = bad
		}
	}
	return t
}

// unreserved is RFC 3986 section 2.3.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// subDelim is RFC 3986 section 2.2.
func subDelim(c byte) bool {
	switch c {
	case '!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=':
		return true
	}
	return false
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// escapeAt decodes the percent-escape at s[i].
func escapeAt(s string, i int) (byte, bool) {
	if i+2 >= len(s) || s[i] != '%' {
		return 0, false
	}
	hi, ok1 := unhex(s[i+1])
	lo, ok2 := unhex(s[i+2])
	return hi<<4 | lo, ok1 && ok2
}
