package dpop

import (
	"net/url"
	"strings"
)

// Address is where a request goes: what its proof must say in htu.
type Address struct {
	// Scheme is http or https.
	Scheme string
	// Authority is the host, with a port where there is one.
	Authority string
	// Path is percent-encoded, without a query.
	Path string
}

// AddressOf returns the parts of an address; the error is that of [url.Parse].
func AddressOf(text string) (Address, error) {
	u, err := url.Parse(text)
	if err != nil {
		return Address{}, err
	}
	return Address{u.Scheme, u.Host, u.EscapedPath()}, nil
}

// is reports whether an htu is the address, without query and fragment, in the
// normal form of RFC 3986 section 6.2 (RFC 9449 section 4.3).
func (a Address) is(htu string) bool {
	u, err := url.Parse(htu)
	if err != nil || u.Opaque != "" || u.User != nil {
		return false
	}
	return strings.EqualFold(u.Scheme, a.Scheme) && authority(u.Scheme, u.Host) == authority(a.Scheme, a.Authority) && path(u.EscapedPath()) == path(a.Path)
}

// authority returns host and port in lower case, without the port that a scheme
// has by itself, nor the dot at the end of a name.
func authority(scheme, host string) string {
	host = strings.ToLower(host)
	switch strings.ToLower(scheme) {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(strings.TrimSuffix(host, ":"), ".")
}

// path returns a path in which only what needs it is percent-encoded, with capital
// digits (RFC 3986 sections 6.2.2.1 and 6.2.2.2).
func path(p string) string {
	if p == "" {
		return "/"
	}
	if !strings.Contains(p, "%") {
		return p
	}
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] != '%' || i+2 >= len(p) {
			b.WriteByte(p[i])
			continue
		}
		hi, lo := digit(p[i+1]), digit(p[i+2])
		c := byte(hi<<4 | lo)
		switch {
		case hi < 0 || lo < 0:
			b.WriteByte(p[i])
			continue
		case unreserved(c):
			b.WriteByte(c)
		default:
			b.WriteString(strings.ToUpper(p[i : i+3]))
		}
		i += 2
	}
	return b.String()
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
