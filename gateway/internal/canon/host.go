package canon

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ErrHost is what every error of [Host] wraps. The request is to be answered
// 400.
var ErrHost = errors.New("invalid host")

var (
	errHostEmpty = fmt.Errorf("%w: it is empty", ErrHost)
	errHostLong  = fmt.Errorf("%w: it is longer than 253 octets", ErrHost)
	errHostChar  = fmt.Errorf("%w: it holds a character that is not a letter, a digit, \"-\", \"_\" or \".\"", ErrHost)
	errHostLabel = fmt.Errorf("%w: a label between dots is empty or longer than 63 octets", ErrHost)
	errHostPort  = fmt.Errorf("%w: the port is not a number from 1 to 65535", ErrHost)
	errHostIP    = fmt.Errorf("%w: the address in brackets is not an IPv6 address", ErrHost)
)

// Host returns the canonical form of raw, the value of a Host field or of
// :authority (RFC 9110 section 7.2): lower case, without port and without the
// dot of the root zone. An IPv6 address keeps its brackets and has the form of
// RFC 5952; zones are refused.
//
// Names are held to letters, digits, "-", "_" and ".": percent-encoding and
// sub-delims, which RFC 3986 would allow, have no meaning in DNS and are
// refused, as are user information and octets outside ASCII (an IDN is
// written as its A-label). Errors wrap [ErrHost].
//
// A canonical host, with or without a port, costs no allocation.
func Host(raw string) (host string, err error) {
	if raw == "" {
		return "", errHostEmpty
	}
	if raw[0] == '[' {
		return hostIPv6(raw)
	}
	label, upper := 0, false
	end := len(raw)
loop:
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		case 'A' <= c && c <= 'Z':
			upper = true
		case c == '.':
			if i == label || i-label > 63 {
				return "", errHostLabel
			}
			label = i + 1
		case c == ':':
			if !validPort(raw[i+1:]) {
				return "", errHostPort
			}
			end = i
			break loop
		default:
			return "", errHostChar
		}
	}
	host = raw[:end]
	if end-label > 63 {
		return "", errHostLabel
	}
	if label == end { // the dot of the root zone, or nothing at all
		if end == 0 {
			return "", errHostEmpty
		}
		host = host[:end-1]
	}
	if len(host) > 253 {
		return "", errHostLong
	}
	if upper {
		host = strings.ToLower(host)
	}
	return host, nil
}

func hostIPv6(raw string) (string, error) {
	end := strings.IndexByte(raw, ']')
	if end < 0 {
		return "", errHostIP
	}
	addr, err := netip.ParseAddr(raw[1:end])
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return "", errHostIP
	}
	if rest := raw[end+1:]; rest != "" && (rest[0] != ':' || !validPort(rest[1:])) {
		return "", errHostPort
	}
	var text [48]byte
	b := append(addr.AppendTo(append(text[:0], '[')), ']')
	if string(b) == raw[:end+1] {
		return raw[:end+1], nil
	}
	return string(b), nil
}

func validPort(s string) bool {
	if s == "" || len(s) > 5 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	n, err := strconv.Atoi(s)
	return err == nil && n > 0 && n < 1<<16
}
