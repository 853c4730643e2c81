package authn

import (
	"crypto/ed25519"
	"crypto/sha256"
	"sync"
)

// mostSeen bounds the tokens whose signatures are remembered, in each of two
// generations.
const mostSeen = 4096

// seen is a token whose signature was found good. It does not change.
type seen struct {
	claims Claims
	kid    string
	key    ed25519.PublicKey
}

// verified remembers tokens whose signatures were found good, by their digest:
// a page sends the same token with each of its requests, and a signature costs
// more than all else around one. When the newer generation is full the older one
// is forgotten.
type verified struct {
	mu         sync.Mutex
	newer, old map[[sha256.Size]byte]*seen
}

func (v *verified) get(sum [sha256.Size]byte) *seen {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s := v.newer[sum]; s != nil {
		return s
	}
	s := v.old[sum]
	if s != nil {
		v.keep(sum, s)
	}
	return s
}

func (v *verified) put(sum [sha256.Size]byte, s *seen) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keep(sum, s)
}

// keep puts a token into the newer generation, for v.mu held.
func (v *verified) keep(sum [sha256.Size]byte, s *seen) {
	if len(v.newer) >= mostSeen {
		v.old, v.newer = v.newer, nil
	}
	if v.newer == nil {
		v.newer = make(map[[sha256.Size]byte]*seen)
	}
	v.newer[sum] = s
}
