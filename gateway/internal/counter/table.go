package counter

import (
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

const shardCount = 256

// table holds the cells of all limiters of a set. One table for all keeps a
// limiter that nobody calls nearly free.
type table struct {
	seed   maphash.Seed
	shards [shardCount]shard
}

// shard is one part of the table, on cache lines of its own.
type shard struct {
	mu    sync.Mutex
	slots slots
	swept int64 // when, microseconds
	_     [64 - 8 - 32 - 8]byte
}

// entry is one key of one limiter. It is guarded by the shard's mutex.
//
// What nearly every request needs is in one piece of two cache lines, which the
// processor fetches together: also the key, unless it is a long one.
type entry struct {
	owner *count
	key   string
	next  *entry // of the same hash
	cells []cell
	share *shared // of a shared count, else nil
	one   [1]cell
	text  [40]byte // of the key
}

// count is what limiters of one identity have in common. It outlives them.
type count struct {
	id    string
	rules []rule
	salt  uint64
	keys  atomic.Int64
	refs  int // guarded by Set.mu
	// redis is the prefix of the keys in Redis; "" = counted here.
	redis string
	// args are the rules as arguments for the script.
	args [][4]any
	// overflow counts for all keys beyond the bound. It is in no shard's map
	// and guarded by the mutex of shard 0.
	overflow *entry
	name     string
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

func newCount(name, id string, rules []rule) *count {
	c := &count{name: name, id: id, rules: rules, salt: rand.Uint64()}
	c.overflow = c.newEntry("")
	return c
}

func (c *count) newEntry(key string) *entry {
	e := &entry{owner: c}
	if n := copy(e.text[:], key); n == len(key) && n > 0 {
		e.key = unsafe.String(&e.text[0], n) //nolint:gosec // never changed, and lives as long as the entry
	} else {
		e.key = strings.Clone(key)
	}
	if len(c.rules) == 1 {
		e.cells = e.one[:]
	} else {
		e.cells = make([]cell, len(c.rules))
	}
	return e
}

// spot is where a key belongs.
type spot struct {
	hash  uint64
	shard *shard
}

func (t *table) spot(c *count, key string) spot {
	h := maphash.String(t.seed, key) ^ c.salt
	return spot{hash: h, shard: &t.shards[(h*0x9e3779b97f4a7c15)>>56]}
}

// lookup returns the entry, or nil. The shard is locked.
func (p spot) lookup(c *count, key string) *entry {
	e := p.shard.slots.get(p.hash)
	for e != nil && (e.owner != c || e.key != key) {
		e = e.next
	}
	return e
}

// insert puts a new entry for a key. The shard is locked. It returns nil where
// the limiter has as many keys as it may have.
func (p spot) insert(c *count, key string, now, bound int64) *entry {
	if c.keys.Add(1) > bound {
		// Making room is worth a scan now and then, not for each invented key.
		if now-p.shard.swept > 1e6 {
			p.shard.sweep(now)
		}
		if c.keys.Load() > bound {
			c.keys.Add(-1)
			return nil
		}
	}
	e := c.newEntry(key)
	e.next = p.shard.slots.get(p.hash)
	p.shard.slots.put(p.hash, e)
	return e
}

// over reports whether nothing would be lost with the entry.
func (e *entry) over(now int64) bool {
	for i := range e.owner.rules {
		if !e.owner.rules[i].over(&e.cells[i], now) {
			return false
		}
	}
	return true
}

// sweep forgets the entries whose windows are over. The shard is locked.
func (s *shard) sweep(now int64) {
	s.swept = now
	s.slots.filter(func(e *entry) (keep *entry) {
		for e != nil {
			next := e.next
			if e.over(now) {
				e.owner.keys.Add(-1)
			} else {
				e.next, keep = keep, e
			}
			e = next
		}
		return keep
	})
}

// with calls f for a key's entry under its lock, making the entry where there
// is none.
func (s *Set) with(c *count, key string, f func(e *entry)) {
	s.withShard(c, key, func(e *entry, _ *shard) { f(e) })
}

// withShard is with, and says which shard is locked.
func (s *Set) withShard(c *count, key string, f func(e *entry, sh *shard)) {
	key = shortKey(key)
	p := s.table.spot(c, key)
	p.shard.mu.Lock()
	e := p.lookup(c, key)
	if e == nil {
		e = p.insert(c, key, s.clock.now(), s.maxKeys)
	}
	if e != nil {
		f(e, p.shard)
		p.shard.mu.Unlock()
		return
	}
	p.shard.mu.Unlock()
	first := &s.table.shards[0]
	first.mu.Lock()
	f(c.overflow, first)
	first.mu.Unlock()
}
