package upstream

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// Guard refuses addresses that no API may reach, so that configuration of an
// upstream, or a name that is made to point elsewhere, is no way into the
// gateway's own management or a cloud's metadata service.
type Guard struct {
	own     []netip.AddrPort
	local   []netip.Addr
	allowed []netip.Prefix
}

// metadata are addresses of cloud metadata services: link-local ones (RFC 3927,
// RFC 4291 section 2.5.6) and the known others.
var metadata = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fd00:ec2::254/128"),
	netip.MustParsePrefix("fd20:ce::254/128"),
	netip.MustParsePrefix("100.100.100.200/32"),
	netip.MustParsePrefix("192.0.0.192/32"),
}

// nat64 holds IPv4 addresses in its last 32 bits (RFC 6052 section 2.1).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// NewGuard returns a guard of the gateway's own management addresses and of
// metadata services, with the prefixes in allowed excepted. An own address that
// is unspecified (0.0.0.0, ::) means its port on every address of this machine.
func NewGuard(own []netip.AddrPort, allowed []netip.Prefix) *Guard {
	g := &Guard{own: own, allowed: allowed}
	addrs, _ := net.InterfaceAddrs() // loopback is known without them
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				g.local = append(g.local, plain(ip))
			}
		}
	}
	return g
}

// Check returns an error where a must not be called.
func (g *Guard) Check(a netip.AddrPort) error {
	ip := plain(a.Addr())
	for _, p := range g.allowed {
		if p.Contains(ip) {
			return nil
		}
	}
	for _, o := range g.own {
		if o.Port() != a.Port() {
			continue
		}
		oip := plain(o.Addr())
		if oip == ip || oip.IsUnspecified() && g.isLocal(ip) || ip.IsUnspecified() && g.isLocal(oip) {
			return fmt.Errorf("%s is the gateway's own management address; allow it to use it as a target", a)
		}
	}
	for _, p := range metadata {
		if p.Contains(ip) {
			return fmt.Errorf("%s is a link-local or metadata address; allow it to use it as a target", a)
		}
	}
	return nil
}

func (g *Guard) isLocal(ip netip.Addr) bool {
	return ip.IsLoopback() || ip.IsUnspecified() || slices.Contains(g.local, ip)
}

// plain undoes the forms in which one address can hide in another.
func plain(ip netip.Addr) netip.Addr {
	ip = ip.WithZone("").Unmap()
	if nat64.Contains(ip) {
		b := ip.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return ip
}

// guarded dials only what allow lets pass.
func guarded(allow func(netip.AddrPort) error) func(context.Context, string, string) (net.Conn, error) {
	var d net.Dialer
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return nil, fmt.Errorf("dialing: %w", err)
		}
		if err := allow(ap); err != nil {
			return nil, fmt.Errorf("dialing: %w", err)
		}
		return d.DialContext(ctx, network, address)
	}
}
