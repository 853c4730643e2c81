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
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs

// Guard says which networks may be gone to, besides public ones. The zero value
// allows none.
type Guard struct {
	// AllowPrivate lets users name addresses in private networks (RFC 1918, RFC
	// 4193).
	AllowPrivate bool `json:"allowPrivate,omitempty"`
	// AllowLoopback lets users name addresses of this machine.
	AllowLoopback bool `json:"allowLoopback,omitempty"`
	// Allow are single places that users may name besides: a host with or without
	// a port, such as sample:9000, an address, or a network, such as 10.20.0.0/16.
	// A host stands for whatever its name leads to.
	Allow []string `json:"allow,omitempty" schema:"maxItems=100"`
}

const connectTimeout = 5 * time.Second

// RefusedError says that an address is of a network that is not for users.
type RefusedError struct{ IP netip.Addr }

// Error names the address.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the address %s is of a private or local network, to which nothing is sent for users unless the configuration of the service allows it", e.IP)
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

// Dialer returns a dialer that goes only where the guard lets it, for an address as
// users name it: a host and a port. Unless the guard has that name, the dialer looks
// at the address that is really connected to, after names were resolved.
func (g Guard) Dialer(named string) *net.Dialer {
	d := &net.Dialer{Timeout: connectTimeout}
	if !g.names(named) {
		d.Control = g.control
	}
	return d
}

// Transport returns an HTTP transport that goes only where the guard lets it, by
// no proxy. Connections are not kept.
func (g Guard) Transport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return g.Dialer(address).DialContext(ctx, network, address)
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

// names reports whether a host and port are allowed by name.
func (g Guard) names(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(g.Allow, func(a string) bool { return strings.EqualFold(a, host) || strings.EqualFold(a, address) })
}

// Check returns what is wrong with the places that are allowed; nil where nothing
// is. Pointers begin with at.
func (g Guard) Check(at string) []problem.Field {
	var fields []problem.Field
	for i, a := range g.Allow {
		host := a
		if h, port, err := net.SplitHostPort(a); err == nil {
			if n, err := strconv.Atoi(port); err == nil && n > 0 && n < 65536 {
				host = h
			}
		}
		_, isAddress := netip.ParseAddr(host)
		_, isNetwork := netip.ParsePrefix(a)
		if isAddress != nil && isNetwork != nil && !hostName.MatchString(host) {
			fields = append(fields, problem.Field{
				Pointer: fmt.Sprintf("%s/allow/%d", at, i), Code: schema.RuleFormat, Detail: "want a host such as sample or sample:9000, an address, or a network such as 10.20.0.0/16",
			})
		}
	}
	return fields
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$`)

// Allows reports whether an address may be gone to.
func (g Guard) Allows(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, a := range g.Allow {
		if p, err := netip.ParsePrefix(a); err == nil && p.Contains(ip) {
			return true
		}
		if one, err := netip.ParseAddr(a); err == nil && one.Unmap() == ip {
			return true
		}
	}
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
