// Package store is the bounded memory that policies share: cached responses,
// verified tokens and the like. It outlives configuration changes. What is used
// least recently goes first when the bound is reached.
package store

import (
	"container/list"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

const shards = 16

// overhead is what an entry costs besides its value, in bytes.
const overhead = 160

// Store is a [policy.Store].
type Store struct {
	now     func() time.Time
	seed    maphash.Seed
	shards  [shards]shard
	evicted atomic.Uint64
}

var _ policy.Store = (*Store)(nil)

type shard struct {
	mu      sync.Mutex
	bound   int64
	size    int64
	entries map[string]*list.Element
	order   list.List // front = used last
}

type entry struct {
	key     string
	value   any
	size    int64
	expires int64 // UnixNano
}

// New returns a store of at most maxBytes, by the sizes that Set is told.
func New(maxBytes int64, now func() time.Time) *Store {
	s := &Store{now: now, seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].bound = maxBytes / shards
		s.shards[i].entries = map[string]*list.Element{}
	}
	return s
}

func (s *Store) shard(key string) *shard {
	return &s.shards[maphash.String(s.seed, key)%shards]
}

// Get returns the value under key.
func (s *Store) Get(key string) (any, bool) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	el, ok := sh.entries[key]
	if !ok {
		return nil, false
	}
	e, _ := el.Value.(*entry)
	if e.expires <= s.now().UnixNano() {
		sh.remove(el)
		return nil, false
	}
	sh.order.MoveToFront(el)
	return e.value, true
}

// Set keeps value for ttl. A value larger than a shard is not kept.
func (s *Store) Set(key string, value any, size int64, ttl time.Duration) {
	size += int64(len(key)) + overhead
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if el, ok := sh.entries[key]; ok {
		sh.remove(el)
	}
	if ttl <= 0 || size > sh.bound {
		return
	}
	for sh.size+size > sh.bound {
		sh.remove(sh.order.Back())
		s.evicted.Add(1)
	}
	sh.entries[key] = sh.order.PushFront(&entry{key: key, value: value, size: size, expires: s.now().Add(ttl).UnixNano()})
	sh.size += size
}

// Delete removes a key.
func (s *Store) Delete(key string) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if el, ok := sh.entries[key]; ok {
		sh.remove(el)
	}
}

// DeletePrefix removes every key with that prefix and returns how many.
func (s *Store) DeletePrefix(prefix string) int {
	n := 0
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for k, el := range sh.entries {
			if strings.HasPrefix(k, prefix) {
				sh.remove(el)
				n++
			}
		}
		sh.mu.Unlock()
	}
	return n
}

// Stats returns the number of entries, their size in bytes, and how many were
// evicted before their time.
func (s *Store) Stats() (entries int, bytes int64, evicted uint64) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		entries += len(sh.entries)
		bytes += sh.size
		sh.mu.Unlock()
	}
	return entries, bytes, s.evicted.Load()
}

func (sh *shard) remove(el *list.Element) {
	e, _ := sh.order.Remove(el).(*entry)
	delete(sh.entries, e.key)
	sh.size -= e.size
}
