package bearer

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// seen remembers proofs until they are too old to count, in two generations, the
// younger of which becomes the older. It takes in no more than it has room for.
type seen struct {
	mu         sync.Mutex
	most       int
	since      int64 // Unix seconds
	young, old map[proofID]struct{}
}

// proofID is half of a hash of a key and a jti: nobody who has not the key can
// look for two that are the same.
type proofID [16]byte

// remembered returns the memory of a policy: that of its configuration before,
// where there was one, so that a change of it lets no proof come twice.
func remembered(env policy.Env, most int) *seen {
	s := &seen{young: map[proofID]struct{}{}}
	if env.Store != nil {
		key := env.Scope.API + "/dpop/" + env.ID
		if v, ok := env.Store.Get(key); ok {
			if before, ok := v.(*seen); ok {
				s = before
			}
		}
		env.Store.Set(key, s, 1<<10, 30*24*time.Hour)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = most
	return s
}

// add takes in a proof. Fresh is false where it is known, and room where there is
// no room for it. The window is in seconds to each side of now.
func (s *seen) add(key, jti string, now, window int64) (fresh, room bool) {
	sum := sha256.Sum256([]byte(key + " " + jti))
	id := proofID(sum[:len(proofID{})])
	s.mu.Lock()
	defer s.mu.Unlock()
	switch age := now - s.since; {
	case age > 4*window+2:
		s.young, s.old, s.since = map[proofID]struct{}{}, nil, now
	case age > 2*window+1:
		s.young, s.old, s.since = make(map[proofID]struct{}, len(s.young)/2), s.young, now
	}
	if _, known := s.young[id]; known {
		return false, true
	}
	if _, known := s.old[id]; known {
		return false, true
	}
	if len(s.young)+len(s.old) >= s.most {
		return true, false
	}
	s.young[id] = struct{}{}
	return true, true
}
