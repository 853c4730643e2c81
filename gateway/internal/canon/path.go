package canon

import (
	"errors"
	"fmt"
	"strings"
)

// Flags report what a path holds that is refused unless an API allows it,
// because upstreams differ in how they read it.
type Flags uint8

// The flags.
const (
	EncodedSlash     Flags = 1 << iota // %2F
	EncodedBackslash                   // %5C
	EncodedPercent                     // %25, which a second decoding would turn into another escape
	PathParameters                     // a raw ";"
	EmptySegment                       // "//"
)

// flagNames are in the order of the bits.
var flagNames = [...]string{
	"an encoded slash (%2F)",
	"an encoded backslash (%5C)",
	"an encoded percent sign (%25)",
	"a path parameter (;)",
	"an empty segment (//)",
}

// String names the flags for people, such as "an encoded slash (%2F)".
func (f Flags) String() string {
	var names []string
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// ErrPath is what every error of [Path] wraps. The request is to be answered
// 400.
var ErrPath = errors.New("invalid path")

var (
	errNoSlash = fmt.Errorf("%w: it does not start with a slash", ErrPath)
	errEscape  = fmt.Errorf("%w: a percent sign is not followed by two hexadecimal digits", ErrPath)
	errNull    = fmt.Errorf("%w: it holds an encoded NUL (%%00)", ErrPath)
	errControl = fmt.Errorf("%w: it holds a control character", ErrPath)
	errHigh    = fmt.Errorf("%w: it holds a raw octet outside ASCII; such octets must be percent-encoded", ErrPath)
	errBad     = fmt.Errorf("%w: it holds a raw character that must be percent-encoded", ErrPath)
	errAbove   = fmt.Errorf("%w: a dot segment leads above the root", ErrPath)
	errNested  = fmt.Errorf("%w: a dot segment is hidden behind an encoded slash, an encoded backslash or a path parameter", ErrPath)
	errNothing = fmt.Errorf("%w: a dot segment would remove an empty segment", ErrPath)
	errUTF8    = fmt.Errorf("%w: it holds an overlong UTF-8 sequence", ErrPath)
)

// Path returns the canonical form of raw, the path of a request-target as
// received, without query.
//
// The canonical form is percent-encoded (RFC 3986 section 6.2.2): escapes of
// unreserved characters are decoded, other escapes have upper-case digits, dot
// segments (also encoded ones) are removed. Nothing is ever decoded twice, and
// the canonical form of a canonical path is the path itself.
//
// Refused, with an error that wraps [ErrPath], is what no two parsers agree on:
// a path that does not start with "/"; an invalid escape; %00; raw control
// characters, spaces, backslashes, "#", octets from 0x80 on, and all else that
// RFC 3986 does not allow in a path; ".." above the root or after an empty
// segment; overlong UTF-8; and a dot segment that only shows when %2F or %5C
// are decoded or a path parameter is cut off ("/a%2F..", "/..;/b").
//
// What an API may allow is reported in flags and kept encoded. The flags are
// those of raw, also of segments that ".." removed.
//
// A path that is canonical already is returned as it is: one pass, nothing is
// allocated. Others cost one allocation.
func Path(raw string) (path string, flags Flags, err error) {
	if raw == "" || raw[0] != '/' {
		return "", 0, errNoSlash
	}
	for i := 0; i < len(raw); i++ {
		switch classes[raw[i]] {
		case plain:
		case slash:
			if i+1 < len(raw) && raw[i+1] == '/' {
				flags |= EmptySegment
			}
		case dot:
			if startsPiece(raw, i) && dotPiece(raw[i:]) {
				return rewrite(raw)
			}
		case semi:
			flags |= PathParameters
		case percent:
			c, ok := escapeAt(raw, i)
			if !ok {
				return "", 0, errEscape
			}
			if unreserved(c) || raw[i+1] >= 'a' || raw[i+2] >= 'a' {
				return rewrite(raw)
			}
			f, err := escaped(raw, i, c)
			if err != nil {
				return "", 0, err
			}
			flags |= f
			i += 2
		default:
			return "", 0, rawError(raw[i])
		}
	}
	return raw, flags, nil
}

// startsPiece reports whether raw[i] comes right after a slash, raw or encoded,
// or an encoded backslash.
func startsPiece(raw string, i int) bool {
	if raw[i-1] == '/' {
		return true
	}
	if i < 4 {
		return false
	}
	c, ok := escapeAt(raw, i-3)
	return ok && (c == '/' || c == '\\')
}

// dotPiece reports whether s starts with something that may be a dot segment.
// It may say yes too often: the slow path decides.
func dotPiece(s string) bool {
	s = s[1:]
	if s != "" && s[0] == '.' {
		s = s[1:]
	}
	return s == "" || s[0] == '/' || s[0] == '%' || s[0] == ';'
}

func rawError(c byte) error {
	switch classes[c] {
	case control:
		return errControl
	case high:
		return errHigh
	default:
		return errBad
	}
}

// escaped judges the escape at raw[i], which stands for c.
func escaped(raw string, i int, c byte) (Flags, error) {
	switch c {
	case 0:
		return 0, errNull
	case '/':
		return EncodedSlash, nil
	case '\\':
		return EncodedBackslash, nil
	case '%':
		return EncodedPercent, nil
	case 0xc0, 0xc1, 0xe0, 0xf0:
		// RFC 3629 section 3: these, followed so, encode what fewer octets
		// can. A lenient decoder makes "." and "/" of them.
		next, ok := escapeAt(raw, i+3)
		if !ok {
			return 0, nil
		}
		if c <= 0xc1 && next&0xc0 == 0x80 ||
			c == 0xe0 && next >= 0x80 && next < 0xa0 ||
			c == 0xf0 && next >= 0x80 && next < 0x90 {
			return 0, errUTF8
		}
	}
	return 0, nil
}

const upperHex = "0123456789ABCDEF"

// rewrite makes the canonical form of a path that is not canonical.
func rewrite(raw string) (string, Flags, error) {
	var (
		stack [512]byte
		flags Flags
	)
	out := append(stack[:0], '/')
	for i := 1; ; i++ {
		start := len(out)
		var (
			end int
			f   Flags
			err error
		)
		out, end, f, err = segment(out, raw, i)
		if err != nil {
			return "", 0, err
		}
		flags |= f
		last := end == len(raw)
		switch string(out[start:]) {
		case ".":
			out = out[:start]
		case "..":
			if start == 1 {
				return "", 0, errAbove
			}
			if out[start-2] == '/' {
				return "", 0, errNothing
			}
			at := start - 2
			for out[at] != '/' {
				at--
			}
			out = out[:at+1]
		case "":
			if !last {
				flags |= EmptySegment
				out = append(out, '/')
			}
		default:
			if !last {
				out = append(out, '/')
			}
		}
		if last {
			return string(out), flags, nil
		}
		i = end
	}
}

// segment appends to b the canonical form of the segment that starts at raw[i],
// and returns where it ends.
func segment(b []byte, raw string, i int) (out []byte, end int, flags Flags, err error) {
	start := len(b) // of the segment
	piece := start  // of what a decoder of %2F and %5C would take for a segment
	for ; i < len(raw) && raw[i] != '/'; i++ {
		c := raw[i]
		switch classes[c] {
		case plain, dot:
			b = append(b, c)
		case semi:
			flags |= PathParameters
			if isDots(b[piece:]) {
				return nil, 0, 0, errNested
			}
			b = append(b, c)
		case percent:
			d, ok := escapeAt(raw, i)
			if !ok {
				return nil, 0, 0, errEscape
			}
			f, err := escaped(raw, i, d)
			if err != nil {
				return nil, 0, 0, err
			}
			flags |= f
			i += 2
			if unreserved(d) {
				b = append(b, d)
				continue
			}
			separates := d == '/' || d == '\\'
			if separates && isDots(b[piece:]) {
				return nil, 0, 0, errNested
			}
			b = append(b, '%', upperHex[d>>4], upperHex[d&15])
			if separates {
				piece = len(b)
			}
		default:
			return nil, 0, 0, rawError(c)
		}
	}
	if piece > start && isDots(b[piece:]) {
		return nil, 0, 0, errNested
	}
	return b, i, flags, nil
}

func isDots(b []byte) bool {
	return len(b) == 1 && b[0] == '.' || len(b) == 2 && b[0] == '.' && b[1] == '.'
}
