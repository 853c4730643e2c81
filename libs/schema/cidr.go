package schema

import (
	"fmt"
	"net/netip"
	"strings"
)

// CIDR is a block of IP addresses in a configuration: "10.0.0.0/8",
// "2001:db8::/32", or a single address. An IPv4 address mapped into IPv6 is
// treated as the IPv4 address that it stands for. The zero value contains
// nothing.
type CIDR struct{ prefix netip.Prefix }

// NewCIDR returns the block of a prefix.
func NewCIDR(p netip.Prefix) CIDR { return CIDR{p.Masked()} }

// Prefix returns the block as a [netip.Prefix].
func (c CIDR) Prefix() netip.Prefix { return c.prefix }

// Contains says whether the address is in the block.
func (c CIDR) Contains(a netip.Addr) bool { return c.prefix.Contains(a.Unmap().WithZone("")) }

// String returns the text form.
func (c CIDR) String() string {
	if !c.prefix.IsValid() {
		return ""
	}
	return c.prefix.String()
}

// MarshalText returns the text form.
func (c CIDR) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText parses the text form. A block with bits set behind its prefix
// is refused, because it is more often a slip than meant.
func (c *CIDR) UnmarshalText(text []byte) error {
	s := string(text)
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return fmt.Errorf(`not an address or block; write it as "10.0.0.0/8" or "192.0.2.1"`)
		}
		a = a.Unmap()
		c.prefix = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return fmt.Errorf(`not an address or block; write it as "10.0.0.0/8" or "192.0.2.1"`)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return fmt.Errorf("a block of mapped IPv4 addresses needs a prefix of at least 96 bits")
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Masked() != p {
		return fmt.Errorf("has bits set behind its prefix; did you mean %s?", p.Masked())
	}
	c.prefix = p
	return nil
}

// JSONSchema describes the text form.
func (CIDR) JSONSchema() *Node {
	return &Node{Type: Types{"string"}, Format: "cidr", example: `"10.0.0.0/8"`}
}
