// Package identity holds the credentials that the gateway accepts and the
// applications they belong to, a million of them and more, found by digest. It
// follows the credential feed and knows nothing of how a credential is sent,
// checked or configured.
//
// Of a credential it keeps the SHA-256 of the identifier and never the
// identifier itself. The identity of an entry is its kind and digest: where a
// credential gets another identifier, the feed takes the old entry out by an
// entry of its own.
package identity

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

const shardCount = 64 // a power of two

// Store is a [policy.Credentials] that follows a credential feed. Lookups from
// any number of goroutines do not wait for each other, and for a change only
// while one entry of their shard is written.
type Store struct {
	seed   maphash.Seed
	shards [shardCount]shard
	slabs  *slabs
	apps   atomic.Pointer[[]*appSlot]

	apply sync.Mutex // one change at a time; never taken by a lookup
	byID  map[string]uint32
	live  atomic.Int64
}

var _ policy.Credentials = (*Store)(nil)

// appSlot is the place of one application. Records point to the place, so that
// a change of the application acts on all its credentials at once.
type appSlot struct {
	app atomic.Pointer[policy.Application] // nil = not known (yet, or any more)
}

// New returns an empty store.
func New() *Store {
	s := &Store{seed: maphash.MakeSeed(), byID: map[string]uint32{}, slabs: &slabs{}}
	tie(s)
	s.apps.Store(new([]*appSlot))
	return s
}

// Lookup returns the credential of that kind and digest, by value and without
// allocating. What was revoked, and what belongs to an application that is not
// known, is not found.
func (s *Store) Lookup(kind policy.CredentialKind, digest policy.Digest) (policy.Credential, bool) {
	k := kindOf(kind)
	if k == 0 {
		return policy.Credential{}, false
	}
	h := s.hash(&digest)
	sh := &s.shards[h%shardCount]
	sh.mu.RLock()
	r := sh.find(h, k, &digest)
	if r == nil || r.flags&revoked != 0 {
		sh.mu.RUnlock()
		return policy.Credential{}, false
	}
	c := sh.credential(r)
	app := r.app
	sh.mu.RUnlock()
	c.Application = (*s.apps.Load())[app].app.Load()
	return c, c.Application != nil
}

// Len returns the number of credentials that are not revoked.
func (s *Store) Len() int { return int(s.live.Load()) }

// Application returns the application of that id.
func (s *Store) Application(id string) (*policy.Application, bool) {
	s.apply.Lock()
	defer s.apply.Unlock()
	i, ok := s.byID[id]
	if !ok {
		return nil, false
	}
	app := (*s.apps.Load())[i].app.Load()
	return app, app != nil
}

// hash spreads digests over shards and slots. It is seeded, because whoever may
// choose identifiers could otherwise choose those that fall on one slot.
func (s *Store) hash(d *policy.Digest) uint64 { return maphash.Bytes(s.seed, d[:]) }

// kinds is the highest number of a kind.
const kinds = 6

// kindOf returns the number of a kind, 0 for one that is not known.
func kindOf(k policy.CredentialKind) uint8 {
	switch k {
	case policy.KindAPIKey:
		return 1
	case policy.KindBasic:
		return 2
	case policy.KindJWT:
		return 3
	case policy.KindOAuth2:
		return 4
	case policy.KindCertificate:
		return 5
	case policy.KindHMAC:
		return kinds
	}
	return 0
}
