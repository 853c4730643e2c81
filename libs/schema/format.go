package schema

import (
	"errors"
	"maps"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// formats checks the formats that a `schema` tag may name. An empty string is
// accepted by none of them; mark the field optional instead.
var formats = map[string]func(string) error{
	"uri": func(s string) error {
		u, err := url.Parse(s)
		if err != nil {
			return errURI
		}
		if !u.IsAbs() {
			return errors.New("it has no scheme, such as https://")
		}
		return nil
	},
	"http-url": func(s string) error {
		u, err := url.Parse(s)
		switch {
		case err != nil:
			return errURI
		case u.Scheme != "http" && u.Scheme != "https":
			return errors.New("it must begin with http:// or https://")
		case u.Hostname() == "":
			return errors.New("it has no host")
		}
		return nil
	},
	"hostname":  hostname,
	"ip":        ip,
	"cidr":      func(s string) error { var c CIDR; return c.UnmarshalText([]byte(s)) },
	"duration":  func(s string) error { _, err := ParseDuration(s); return err },
	"bytes":     func(s string) error { _, err := ParseBytes(s); return err },
	"regex":     func(s string) error { _, err := regexp.Compile(s); return err },
	"date-time": timeAs(time.RFC3339),
	"date":      timeAs(time.DateOnly),
	"email":     email,
	"uuid":      uuid,
	"hostport":  hostport,
}

// Formats returns the names of the formats that a `schema` tag may use. The
// names of JSON Schema are used where it has the format; http-url, ip, cidr,
// bytes, hostport and duration are Gatehouse's own. They are emitted as the
// `format` keyword, but "duration" as "timespan", because JSON Schema means
// ISO 8601 by it.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// formatKeyword is the value of the `format` keyword for a format of a tag.
func formatKeyword(f string) string {
	if f == "duration" {
		return "timespan"
	}
	return f
}

// errURI does not repeat any of the value, which may have a password in it.
var errURI = errors.New("it does not parse as a URI (RFC 3986)")

func ip(s string) error {
	if _, err := netip.ParseAddr(s); err != nil {
		return errors.New(`write it as "192.0.2.1" or "2001:db8::1"`)
	}
	return nil
}

func timeAs(layout string) func(string) error {
	return func(s string) error {
		if _, err := time.Parse(layout, s); err != nil {
			return errors.New("write it as " + layout)
		}
		return nil
	}
}

func hostname(s string) error {
	if len(s) == 0 || len(s) > 253 {
		return errors.New("it must have 1 to 253 characters")
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return errors.New("each part between dots must have 1 to 63 characters and not begin or end with a hyphen")
		}
		for _, c := range []byte(label) {
			if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' {
				return errors.New("only letters, digits, hyphens and dots are allowed")
			}
		}
	}
	return nil
}

func email(s string) error {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return err
	}
	if a.Address != s {
		return errors.New("give the address only")
	}
	return nil
}

func uuid(s string) error {
	ok := len(s) == 36
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			ok = c == '-'
		} else {
			ok = c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
		}
	}
	if !ok {
		return errors.New("write it as 8-4-4-4-12 hexadecimal digits")
	}
	return nil
}

// hostport accepts "host:port", ":port" and "[::1]:port".
func hostport(s string) error {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return errors.New(`write host:port, such as "127.0.0.1:8000"`)
	}
	if _, err := strconv.ParseUint(s[i+1:], 10, 16); err != nil {
		return errors.New("a port is a number up to 65535")
	}
	host := s[:i]
	if h, ok := strings.CutPrefix(host, "["); ok {
		a, err := netip.ParseAddr(strings.TrimSuffix(h, "]"))
		if err != nil || !strings.HasSuffix(h, "]") || !a.Is6() {
			return errors.New("the brackets must hold an IPv6 address")
		}
		return nil
	}
	if host == "" {
		return nil
	}
	return hostname(host)
}
