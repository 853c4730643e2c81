package engine

import (
	"net/netip"
	"strings"
)

// proxies are the peers whose word on the client is taken.
type proxies []netip.Prefix

func (p proxies) trusts(a netip.Addr) bool {
	for i := range p {
		if p[i].Contains(a) {
			return true
		}
	}
	return false
}

// client returns the client's address: the peer's or, where the peer is
// trusted, the last address of X-Forwarded-For that is not a trusted proxy's,
// read from the right. What cannot be read ends the walk: an address behind it
// would be hearsay (R12.2).
func (p proxies) client(peer netip.Addr, chain string) netip.Addr {
	client := peer
	for chain != "" && p.trusts(client) {
		i := strings.LastIndexByte(chain, ',')
		a, err := netip.ParseAddr(strings.Trim(chain[i+1:], " \t"))
		if err != nil {
			return client
		}
		client = a.Unmap()
		chain = chain[:max(i, 0)]
	}
	return client
}
