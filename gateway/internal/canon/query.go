package canon

import (
	"errors"
	"fmt"
	"strings"
)

// QueryGet returns the decoded value of the first parameter of that name in a
// raw query, and whether there is one. Parameters are separated by "&" only; a
// parameter without "=" has the value "". Names are compared decoded. A
// parameter whose name or value holds an invalid escape counts as absent.
//
// Nothing is allocated unless the value itself has to be decoded.
func QueryGet(rawQuery, name string) (value string, ok bool) {
	value, n := QueryLookup(rawQuery, name)
	return value, n > 0
}

// QueryLookup is [QueryGet] and also counts the parameters of that name, for
// callers to whom a repeated parameter is ambiguous: some servers take the
// first and some the last.
func QueryLookup(rawQuery, name string) (value string, count int) {
	for rawQuery != "" {
		var pair string
		pair, rawQuery, _ = strings.Cut(rawQuery, "&")
		if pair == "" {
			continue
		}
		key, val, _ := strings.Cut(pair, "=")
		if !equalDecoded(key, name) {
			continue
		}
		val, ok := decodeQuery(val)
		if !ok {
			continue
		}
		if count == 0 {
			value = val
		}
		count++
	}
	return value, count
}

// equalDecoded reports whether s, decoded as a query component, is name.
func equalDecoded(s, name string) bool {
	if s == name {
		return strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0
	}
	if len(s) < len(name) {
		return false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			d, ok := escapeAt(s, i)
			if !ok {
				return false
			}
			c = d
			i += 2
		}
		if n == len(name) || name[n] != c {
			return false
		}
		n++
	}
	return n == len(name)
}

func decodeQuery(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			b = append(b, ' ')
		case '%':
			d, ok := escapeAt(s, i)
			if !ok {
				return "", false
			}
			b = append(b, d)
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b), true
}

// ErrQuery is what the errors of [Query] wrap. The request is to be answered
// 400.
var ErrQuery = errors.New("invalid query")

var (
	errQueryEscape = fmt.Errorf("%w: a percent sign is not followed by two hexadecimal digits", ErrQuery)
	errQueryChar   = fmt.Errorf("%w: it holds a raw character that must be percent-encoded", ErrQuery)
)

// Query reports what in a raw query is not allowed there: an invalid escape, a
// control character, a space, "#", or an octet from 0x80 on. Characters that RFC
// 3986 forbids but all browsers send ("[", "]", "|" and the like) are let
// through, and so is everything a parameter may mean. The query itself is
// passed on unchanged.
func Query(rawQuery string) error {
	for i := 0; i < len(rawQuery); i++ {
		switch c := rawQuery[i]; {
		case c == '%':
			if _, ok := escapeAt(rawQuery, i); !ok {
				return errQueryEscape
			}
		case c <= 0x20 || c >= 0x7f || c == '#':
			return errQueryChar
		}
	}
	return nil
}

// Unescape decodes a percent-encoded part of a path that [Path] has returned,
// once. A plus sign stays a plus sign.
func Unescape(s string) string {
	at := strings.IndexByte(s, '%')
	if at < 0 {
		return s
	}
	b := append(make([]byte, 0, len(s)), s[:at]...)
	for i := at; i < len(s); i++ {
		if c, ok := escapeAt(s, i); ok {
			b = append(b, c)
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}
