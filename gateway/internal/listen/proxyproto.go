package listen

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"strings"
)

// Bounds of a PROXY header: version 1 has its own, version 2 could have 64 KiB
// of extensions, of which none needs more than this.
const (
	maxProxy1 = 107
	maxProxy2 = 4096
)

var (
	proxy1Start = []byte("PROXY ")
	proxy2Start = []byte("\r\n\r\n\x00\r\nQUIT\n")

	errProxy     = errors.New("invalid PROXY header")
	errNoProxy   = errors.New("a trusted peer sent no PROXY header")
	errUntrusted = errors.New("PROXY header from a peer that is not trusted")
)

// proxyHeader is a PROXY header.
type proxyHeader struct {
	version int
	// client is the zero value where the sender speaks for itself (LOCAL,
	// UNKNOWN) or gives no address.
	client netip.AddrPort
}

// parseProxy reads a PROXY header at the beginning of b. It returns the length
// of the header, or 0 where more bytes are needed. It is stricter than the
// specification asks: one space between the fields of version 1, and checksums
// and lengths of the extensions of version 2 are verified.
func parseProxy(b []byte) (proxyHeader, int, error) {
	switch {
	case hasStart(b, proxy1Start):
		return parseProxy1(b)
	case hasStart(b, proxy2Start):
		return parseProxy2(b)
	}
	return proxyHeader{}, 0, errNoProxy
}

// hasStart reports whether b begins like start, as far as it goes.
func hasStart(b, start []byte) bool {
	n := min(len(b), len(start))
	return bytes.Equal(b[:n], start[:n])
}

func parseProxy1(b []byte) (proxyHeader, int, error) {
	h := proxyHeader{version: 1}
	end := bytes.Index(b, []byte("\r\n"))
	switch {
	case end < 0 && len(b) < maxProxy1:
		return h, 0, nil
	case end < 0 || end+2 > maxProxy1:
		return h, 0, fmt.Errorf("%w: no end of line within %d bytes", errProxy, maxProxy1)
	}
	line := string(b[:end])
	if line == "PROXY UNKNOWN" || strings.HasPrefix(line, "PROXY UNKNOWN ") {
		return h, end + 2, nil
	}
	f := strings.Split(line, " ")
	if len(f) != 6 || f[1] != "TCP4" && f[1] != "TCP6" {
		return h, 0, fmt.Errorf("%w: want PROXY TCP4 or TCP6, two addresses and two ports", errProxy)
	}
	client, err := address1(f[1], f[2], f[4])
	if err != nil {
		return h, 0, err
	}
	if _, err := address1(f[1], f[3], f[5]); err != nil {
		return h, 0, err
	}
	h.client = client
	return h, end + 2, nil
}

func address1(family, ip, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Zone() != "" || a.Is4() != (family == "TCP4") {
		return netip.AddrPort{}, fmt.Errorf("%w: %q is no address of %s", errProxy, ip, family)
	}
	n := 0
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' || i > 0 && port[0] == '0' {
			n = -1
			break
		}
		if n = n*10 + int(port[i]-'0'); n > 65535 {
			n = -1
			break
		}
	}
	if n < 0 || port == "" {
		return netip.AddrPort{}, fmt.Errorf("%w: %q is no port", errProxy, port)
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), nil
}

func parseProxy2(b []byte) (proxyHeader, int, error) {
	const fixed = 16
	h := proxyHeader{version: 2}
	if len(b) < fixed {
		return h, 0, nil
	}
	command, family := b[12], b[13]
	size := fixed + int(binary.BigEndian.Uint16(b[14:]))
	switch {
	case command != 0x20 && command != 0x21:
		return h, 0, fmt.Errorf("%w: version and command %#x", errProxy, command)
	case size > maxProxy2:
		return h, 0, fmt.Errorf("%w: %d bytes, at most %d are taken", errProxy, size, maxProxy2)
	case len(b) < size:
		return h, 0, nil
	}
	rest := b[fixed:size]
	addresses := 0
	switch family {
	case 0x00: // not told
	case 0x11:
		addresses = 12
	case 0x21:
		addresses = 36
	default:
		return h, 0, fmt.Errorf("%w: family and protocol %#x, want TCP over IPv4 or IPv6", errProxy, family)
	}
	if len(rest) < addresses {
		return h, 0, fmt.Errorf("%w: too short for its addresses", errProxy)
	}
	if family != 0 { // where it is not told, what follows is not to be read
		if err := checkExtensions(b[:size], fixed+addresses); err != nil {
			return h, 0, err
		}
	}
	if command == 0x21 {
		switch family {
		case 0x11:
			h.client = netip.AddrPortFrom(netip.AddrFrom4([4]byte(rest[:4])), binary.BigEndian.Uint16(rest[8:]))
		case 0x21:
			h.client = netip.AddrPortFrom(netip.AddrFrom16([16]byte(rest[:16])).Unmap(), binary.BigEndian.Uint16(rest[32:]))
		}
	}
	return h, size, nil
}

// checkExtensions walks the type-length-value fields from the given offset on
// and verifies the checksum where there is one.
func checkExtensions(header []byte, at int) error {
	const checksum = 0x03
	for at < len(header) {
		if len(header)-at < 3 {
			return fmt.Errorf("%w: an extension is cut off", errProxy)
		}
		kind, size := header[at], int(binary.BigEndian.Uint16(header[at+1:]))
		at += 3
		if len(header)-at < size {
			return fmt.Errorf("%w: an extension is cut off", errProxy)
		}
		if kind == checksum {
			if size != 4 {
				return fmt.Errorf("%w: a checksum of %d bytes", errProxy, size)
			}
			want := binary.BigEndian.Uint32(header[at:])
			zeroed := bytes.Clone(header)
			clear(zeroed[at : at+4])
			if crc32.Checksum(zeroed, crc32.MakeTable(crc32.Castagnoli)) != want {
				return fmt.Errorf("%w: the checksum does not match", errProxy)
			}
		}
		at += size
	}
	return nil
}
