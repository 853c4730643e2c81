package identity

import (
	"fmt"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Remove takes out the credentials with that digest, of whatever kind, as if
// they were revoked at the version that they have: an entry of a higher version
// brings one back.
func (s *Store) Remove(digest string) error {
	var d policy.Digest
	if err := decode(digest, &d); err != nil {
		return fmt.Errorf("removing a credential: its digest is not 64 hex digits: %w", err)
	}
	s.apply.Lock()
	defer s.apply.Unlock()
	h := s.hash(&d)
	sh := &s.shards[h%shardCount]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for kind := uint8(1); kind <= kinds; kind++ {
		r := sh.find(h, kind, &d)
		if r == nil || r.flags&revoked != 0 {
			continue
		}
		s.live.Add(-1)
		r.flags |= revoked
		sh.write(r, sh.credential(r).ID, "", nil)
	}
	return nil
}

// RemoveApplication takes out an application. Its credentials are not found
// until it comes back.
func (s *Store) RemoveApplication(id string) {
	s.apply.Lock()
	defer s.apply.Unlock()
	if i, ok := s.byID[id]; ok {
		(*s.apps.Load())[i].app.Store(nil) // the place stays: a credential may still name it
	}
}
