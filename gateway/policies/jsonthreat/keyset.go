package jsonthreat

import "math/rand/v2"

// keySet is a set of the hashes of keys, used again for text after text. The
// hashes are seeded at random, so that nobody can find keys that collide; those
// that do by chance, once in some 10^19 pairs, are taken for duplicates.
type keySet struct {
	slots []slot
	count int
	round uint32
	seed  uint64
}

type slot struct {
	hash  uint64
	round uint32 // of the text that it belongs to
}

// keepSlots is the largest table that is kept for the next text: 1 MiB.
const keepSlots = 1 << 16

func (k *keySet) reset() {
	k.count = 0
	k.round++
	if k.seed == 0 {
		k.seed = rand.Uint64() | 1
	}
	if len(k.slots) > keepSlots || k.round == 0 {
		k.slots, k.round = nil, 1
	}
}

// mixByte adds a byte to a hash.
func mixByte(h uint64, c byte) uint64 { return (h ^ uint64(c)) * 0x100000001b3 }

// add adds a hash and reports whether it is new.
func (k *keySet) add(h uint64) bool {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	h ^= h >> 32
	if 4*(k.count+1) > 3*len(k.slots) {
		k.grow()
	}
	if !k.insert(h) {
		return false
	}
	k.count++
	return true
}

func (k *keySet) insert(h uint64) bool {
	mask := uint64(len(k.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &k.slots[i]
		if s.round != k.round {
			*s = slot{h, k.round}
			return true
		}
		if s.hash == h {
			return false
		}
	}
}

func (k *keySet) grow() {
	old := k.slots
	k.slots = make([]slot, max(64, 2*len(old)))
	for _, s := range old {
		if s.round == k.round {
			k.insert(s.hash)
		}
	}
}
