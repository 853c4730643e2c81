package upstream

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// hashOn says what part of a request decides the target.
type hashOn struct {
	kind string // header, cookie, query, path or ip
	name string
}

func parseHashOn(s string) (hashOn, bool) {
	kind, name, named := strings.Cut(s, ":")
	h := hashOn{kind: kind, name: name}
	switch kind {
	case "header", "cookie":
		return h, named && policy.ValidName(name)
	case "query":
		return h, name != "" && !strings.ContainsAny(name, "&=#; ")
	case "path", "ip":
		return h, !named
	}
	return h, false
}

// key returns the hash of the request's key; false where it has none. Values
// are hashed as they were sent, without decoding.
func (h hashOn) key(ex *policy.Exchange) (uint64, bool) {
	if k := ex.Forward.HashKey; k != "" {
		return xxhash.Sum64String(k), true
	}
	switch h.kind {
	case "header":
		return hashText(ex.Request.Header.Get(h.name))
	case "cookie":
		for v := range ex.Request.Header.Values("Cookie") {
			for pair := range strings.SplitSeq(v, ";") {
				if name, value, _ := strings.Cut(strings.TrimLeft(pair, " "), "="); name == h.name {
					return hashText(value)
				}
			}
		}
	case "query":
		for pair := range strings.SplitSeq(ex.Request.Query, "&") {
			if name, value, _ := strings.Cut(pair, "="); name == h.name {
				return hashText(value)
			}
		}
	case "path":
		return hashText(pathOf(ex))
	case "ip":
		return hashAddr(ex.Request.Client)
	}
	return 0, false
}

func hashText(s string) (uint64, bool) { return xxhash.Sum64String(s), s != "" }

func hashAddr(a netip.Addr) (uint64, bool) {
	b := a.As16()
	var h uint64 // FNV-1a: xxhash would make b escape
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return mix(h), a.IsValid()
}

// mix spreads bits (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// primes are the sizes of lookup tables.
var primes = [...]int{251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521}

// maglev makes a lookup table (Eisenbud et al., "Maglev: A Fast and Reliable
// Software Network Load Balancer", NSDI 2016, section 3.4), with at least a
// hundred places a member. Members take turns as often as their weight says.
func maglev(members []*member) []uint16 {
	n := len(members)
	if n == 0 {
		return nil
	}
	size := primes[len(primes)-1]
	for _, p := range primes {
		if p >= 100*n {
			size = p
			break
		}
	}
	type seat struct{ offset, skip, next, credit int }
	seats := make([]seat, n)
	heaviest := 0
	for i, m := range members {
		seats[i].offset = int(m.hash % uint64(size))
		seats[i].skip = int(mix(m.hash)%uint64(size-1)) + 1
		heaviest = max(heaviest, m.weight)
	}
	const free = ^uint16(0)
	table := slices.Repeat([]uint16{free}, size)
	for filled := 0; filled < size; {
		for i := range seats {
			s := &seats[i]
			if s.credit += members[i].weight; s.credit < heaviest {
				continue
			}
			s.credit -= heaviest
			at := (s.offset + s.next*s.skip) % size
			for table[at] != free {
				s.next++
				at = (s.offset + s.next*s.skip) % size
			}
			table[at] = uint16(i)
			s.next++
			if filled++; filled == size {
				break
			}
		}
	}
	return table
}

// hashed sends equal keys to the same member. A key whose member may not be used
// looks at other places of the table, so that no other key moves; a request
// without a key goes anywhere.
type hashed struct{ on hashOn }

// places is how many places of the table are looked at before any member will
// do.
const places = 16

func (h hashed) pick(v *view, c *choice, ex *policy.Exchange) *member {
	if len(v.usable) == 0 {
		return nil
	}
	key, ok := h.on.key(ex)
	if !ok {
		return randomly{}.pick(v, c, ex)
	}
	size := uint64(len(v.group.table))
	for range places {
		i := v.group.table[key%size]
		if m := v.group.members[i]; (v.ok == nil || v.ok[i]) && c.fresh(m) {
			return m
		}
		key = mix(key)
	}
	return other(v, c, v.usable[key%uint64(len(v.usable))])
}
