package ipfilter

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
)

// set is a set of addresses as disjoint ranges in order, so that a lookup is a
// binary search however many blocks there are.
type set struct {
	v4 []span4
	v6 []span6
}

type span4 struct{ first, last uint32 }

type span6 struct{ first, last u128 }

type u128 struct{ hi, lo uint64 }

func (a u128) compare(b u128) int { return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo)) }

func of4(a netip.Addr) uint32 { b := a.As4(); return binary.BigEndian.Uint32(b[:]) }

func of6(a netip.Addr) u128 {
	b := a.As16()
	return u128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func compileSet(prefixes []netip.Prefix) *set {
	s := &set{}
	for _, p := range prefixes {
		p = p.Masked()
		if !p.IsValid() {
			continue
		}
		if p.Addr().Is4() {
			first := of4(p.Addr())
			s.v4 = append(s.v4, span4{first, first | uint32(uint64(1)<<(32-p.Bits())-1)})
			continue
		}
		first := of6(p.Addr())
		var last u128
		if n := 128 - p.Bits(); n >= 64 {
			last = u128{first.hi | (uint64(1)<<(n-64) - 1), ^uint64(0)} // a shift by 64 gives 0, and so all ones
		} else {
			last = u128{first.hi, first.lo | (uint64(1)<<n - 1)}
		}
		s.v6 = append(s.v6, span6{first, last})
	}
	// Blocks are disjoint or within each other, so those within one may go.
	slices.SortFunc(s.v4, func(a, b span4) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(b.last, a.last)) })
	slices.SortFunc(s.v6, func(a, b span6) int { return cmp.Or(a.first.compare(b.first), b.last.compare(a.last)) })
	w := 0
	for _, x := range s.v4 {
		if w == 0 || x.first > s.v4[w-1].last {
			s.v4[w] = x
			w++
		}
	}
	s.v4 = slices.Clip(s.v4[:w])
	w = 0
	for _, x := range s.v6 {
		if w == 0 || x.first.compare(s.v6[w-1].last) > 0 {
			s.v6[w] = x
			w++
		}
	}
	s.v6 = slices.Clip(s.v6[:w])
	return s
}

// contains reports whether the address, unmapped and without zone, is in the
// set.
func (s *set) contains(a netip.Addr) bool {
	if a.Is4() {
		x := of4(a)
		lo, hi := 0, len(s.v4)
		for lo < hi {
			if m := int(uint(lo+hi) >> 1); s.v4[m].first <= x {
				lo = m + 1
			} else {
				hi = m
			}
		}
		return lo > 0 && x <= s.v4[lo-1].last
	}
	x := of6(a)
	lo, hi := 0, len(s.v6)
	for lo < hi {
		if m := int(uint(lo+hi) >> 1); s.v6[m].first.compare(x) <= 0 {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo > 0 && x.compare(s.v6[lo-1].last) <= 0
}
