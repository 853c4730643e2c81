// Package egress connects to addresses that users name: documents to import,
// receivers of audit entries, identity providers. A service goes nowhere for them
// that only the service could go: private, local and reserved networks are
// refused, whatever name stands for them, unless the configuration allows them.
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Guard says which networks may be gone to, besides public ones. The zero value
// allows none.
type Guard struct {
	// AllowPrivate lets users name addresses in private networks (RFC 1918, RFC
	// 4193).
	AllowPrivate bool `json:"allowPrivate,omitempty"`
	// AllowLoopback lets users name addresses of this machine.
	AllowLoopback bool `json:"allowLoopback,omitempty"`
}

const connectTimeout = 5 * time.Second

// RefusedError says that an address is of a network that is not for users.
type RefusedError struct{ IP netip.Addr }

// Error names the address.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the address %s is of a private or local network, to which nothing is sent for users unless the configuration allows it", e.IP)
}

// Refused returns the refusal that an error of a connection is about; nil where
// it is about something else.
func Refused(err error) *RefusedError {
	var r *RefusedError
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// Dialer returns a dialer that goes only where the guard lets it. It looks at the
// address that is really connected to, after names were resolved.
func (g Guard) Dialer() *net.Dialer {
	return &net.Dialer{Timeout: connectTimeout, Control: g.control}
}

// Transport returns an HTTP transport that goes only where the guard lets it, by
// no proxy. Connections are not kept.
func (g Guard) Transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return g.Dialer().DialContext(ctx, network, address)
		},
		TLSHandshakeTimeout: connectTimeout, ResponseHeaderTimeout: 10 * time.Second, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2: true,
	}
}

func (g Guard) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading address %q: %w", address, err)
	}
	ip := ap.Addr().Unmap().WithZone("")
	if g.Allows(ip) {
		return nil
	}
	return &RefusedError{ip}
}

// Allows reports whether an address may be gone to.
func (g Guard) Allows(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	switch {
	case ip.IsLoopback():
		return g.AllowLoopback
	case ip.IsPrivate():
		return g.AllowPrivate
	case !ip.IsGlobalUnicast(), ip.IsLinkLocalUnicast():
		return false
	}
	for _, p := range reserved() {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// reserved are networks that look public and are not (RFC 6890, RFC 6598, RFC
// 6052, RFC 3056).
func reserved() [8]netip.Prefix {
	return [...]netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{0}), 8),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 0}), 24),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18}), 15),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{240}), 4),
		netip.PrefixFrom(netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b}), 32), // IPv4 in IPv6
		netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x02}), 16),          // 6to4
		netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 0x01}), 32),          // Teredo
	}
}
