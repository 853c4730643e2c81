package router

import (
	"hash/maphash"
	"math/bits"
)

// table is a persistent hash table: a change copies what leads to the changed
// entry and shares all else. The zero value is empty.
//
// It has about one entry to a bucket, and buckets in pages, so that a look-up
// touches few cache lines and a change copies about a kilobyte. Hashes are
// keyed: clients cannot choose paths that collide.
type table[V any] struct {
	n     int
	small []entry[V] // instead of pages, up to smallTable entries
	pages []*page[V]
}

type entry[V any] struct {
	hash uint64
	key  string
	val  V
}

const (
	pageBits   = 5
	pageSize   = 1 << pageBits
	smallTable = 4
)

type page[V any] [pageSize][]entry[V]

// edit is a change of one key.
type edit[V any] struct {
	key    string
	val    V
	remove bool
}

// get returns the value of key.
func (t *table[V]) get(seed maphash.Seed, key string) (v V, ok bool) {
	if t.pages == nil {
		for i := range t.small {
			if e := &t.small[i]; e.key == key {
				return e.val, true
			}
		}
		return v, false
	}
	hash := maphash.String(seed, key)
	bucket := t.bucket(hash)
	for i := range bucket {
		if e := &bucket[i]; e.hash == hash && e.key == key {
			return e.val, true
		}
	}
	return v, false
}

func (t *table[V]) bucket(hash uint64) []entry[V] {
	at := hash & uint64(len(t.pages)<<pageBits-1)
	return t.pages[at>>pageBits][at&(pageSize-1)]
}

// each calls f for every entry, in no order.
func (t *table[V]) each(f func(key string, v V)) {
	for i := range t.small {
		f(t.small[i].key, t.small[i].val)
	}
	for _, p := range t.pages {
		for _, bucket := range p {
			for i := range bucket {
				f(bucket[i].key, bucket[i].val)
			}
		}
	}
}

// with returns the table with the changes made. Each key is named once.
func (t *table[V]) with(seed maphash.Seed, edits []edit[V]) table[V] {
	if len(edits) > t.n/2 || t.pages == nil {
		return t.rebuilt(seed, edits)
	}
	out := table[V]{n: t.n, pages: append([]*page[V](nil), t.pages...)}
	owned := make(map[uint64]struct{}, len(edits))
	for i := range edits {
		hash := maphash.String(seed, edits[i].key)
		at := hash & uint64(len(out.pages)<<pageBits-1)
		if _, ok := owned[at>>pageBits]; !ok {
			p := *out.pages[at>>pageBits]
			out.pages[at>>pageBits] = &p
			owned[at>>pageBits] = struct{}{}
		}
		bucket := &out.pages[at>>pageBits][at&(pageSize-1)]
		before := len(*bucket)
		*bucket = changed(*bucket, hash, &edits[i])
		out.n += len(*bucket) - before
	}
	if buckets := len(out.pages) << pageBits; out.n > 2*buckets || out.n < buckets/8 {
		return out.rebuilt(seed, nil)
	}
	return out
}

// changed returns a copy of bucket with one change made.
func changed[V any](bucket []entry[V], hash uint64, e *edit[V]) []entry[V] {
	out := make([]entry[V], 0, len(bucket)+1)
	for i := range bucket {
		if bucket[i].key != e.key {
			out = append(out, bucket[i])
		}
	}
	if !e.remove {
		out = append(out, entry[V]{hash, e.key, e.val})
	}
	return out
}

// rebuilt returns the table with the changes made and everything laid out anew,
// with all entries in one piece of memory.
func (t *table[V]) rebuilt(seed maphash.Seed, edits []edit[V]) table[V] {
	all := make([]entry[V], 0, t.n+len(edits))
	drop := make(map[string]struct{}, min(t.n, len(edits)))
	if t.n > 0 {
		for i := range edits {
			drop[edits[i].key] = struct{}{}
		}
		t.each(func(key string, v V) {
			if _, ok := drop[key]; !ok {
				all = append(all, entry[V]{maphash.String(seed, key), key, v})
			}
		})
	}
	for i := range edits {
		if !edits[i].remove {
			all = append(all, entry[V]{maphash.String(seed, edits[i].key), edits[i].key, edits[i].val})
		}
	}
	out := table[V]{n: len(all)}
	if len(all) <= smallTable {
		out.small = all
		return out
	}
	pages := max(1, 1<<bits.Len(uint(len(all)-1))>>pageBits)
	out.pages = make([]*page[V], pages)
	backing := make([]page[V], pages)
	for i := range backing {
		out.pages[i] = &backing[i]
	}
	// A counting sort by bucket.
	mask := uint64(pages<<pageBits - 1)
	ends := make([]uint32, mask+2)
	for i := range all {
		ends[all[i].hash&mask+1]++
	}
	for i := 1; i < len(ends); i++ {
		ends[i] += ends[i-1]
	}
	sorted, next := make([]entry[V], len(all)), append([]uint32(nil), ends...)
	for i := range all {
		at := all[i].hash & mask
		sorted[next[at]] = all[i]
		next[at]++
	}
	for at := range mask + 1 {
		if lo, hi := ends[at], ends[at+1]; lo < hi {
			backing[at>>pageBits][at&(pageSize-1)] = sorted[lo:hi:hi]
		}
	}
	return out
}
