package injectionfilter

import (
	"bytes"
	"html"
	"unicode/utf8"
)

func unhex(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// percent appends p with percent-encoding decoded. What is no encoding stays as
// it is, but for %uXXXX, which some servers decode.
func percent(dst, p []byte, plus bool) []byte {
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case c == '+' && plus:
			c = ' '
		case c == '%' && i+5 < len(p) && p[i+1]|0x20 == 'u':
			if r, ok := unit(p[i+2 : i+6]); ok {
				dst = utf8.AppendRune(dst, r)
				i += 5
				continue
			}
		case c == '%' && i+2 < len(p):
			h, ok1 := unhex(p[i+1])
			l, ok2 := unhex(p[i+2])
			if ok1 && ok2 {
				c = h<<4 | l
				i += 2
			}
		}
		dst = append(dst, c)
	}
	return dst
}

func unit(p []byte) (rune, bool) {
	var r rune
	for _, c := range p {
		d, ok := unhex(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// backslash appends p with the escapes of JSON and JavaScript decoded: \uXXXX,
// \xXX, and those of one letter.
func backslash(dst, p []byte, letters bool) []byte {
	for i := 0; i < len(p); i++ {
		c := p[i]
		if c != '\\' || i+1 >= len(p) {
			dst = append(dst, c)
			continue
		}
		switch n := p[i+1]; {
		case n == 'u' && i+5 < len(p):
			if r, ok := unit(p[i+2 : i+6]); ok {
				dst = utf8.AppendRune(dst, r)
				i += 5
				continue
			}
		case n == 'x' && i+3 < len(p):
			if r, ok := unit(p[i+2 : i+4]); ok {
				dst = append(dst, byte(r))
				i += 3
				continue
			}
		case letters:
			if at := bytes.IndexByte([]byte(`"\/bfnrt`), n); at >= 0 {
				dst = append(dst, "\"\\/\b\f\n\r\t"[at])
				i++
				continue
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// again decodes a text once more, as an upstream might that decodes twice:
// percent-encoding, HTML entities, escapes of JavaScript. It returns false where
// there is nothing to decode.
func again(dst, p []byte) ([]byte, bool) {
	out := p
	changed := false
	try := func(next []byte) {
		if !bytes.Equal(next, out) {
			out, changed = next, true
		}
	}
	if bytes.IndexByte(out, '%') >= 0 {
		try(percent(nil, out, false))
	}
	if bytes.IndexByte(out, '&') >= 0 && bytes.IndexByte(out, '&') < len(out)-2 {
		try([]byte(html.UnescapeString(string(out))))
	}
	if bytes.IndexByte(out, '\\') >= 0 {
		try(backslash(nil, out, false))
	}
	if !changed {
		return dst, false
	}
	return append(dst, out...), true
}
