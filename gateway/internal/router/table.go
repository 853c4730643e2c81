package router

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"slices"
)

// table is a persistent hash table: a change copies what leads to the changed
// entry and shares all else. The zero value is empty.
//
// It has about one entry to a bucket, and buckets in pages, so that a look-up
// touches few cache lines and a change copies a few kilobytes. Hashes are
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

// page has the buckets side by side: bucket i ends at ends[i].
type page[V any] struct {
	ends    [pageSize]uint16
	entries []entry[V]
}

// bucket returns where in the entries a bucket is.
func (p *page[V]) bucket(i uint64) (from, to uint16) {
	if i > 0 {
		from = p.ends[i-1]
	}
	return from, p.ends[i]
}

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
	at := hash & t.mask()
	p := t.pages[at>>pageBits]
	from, to := p.bucket(at & (pageSize - 1))
	bucket := p.entries[from:to]
	for i := range bucket {
		if e := &bucket[i]; e.hash == hash && e.key == key {
			return e.val, true
		}
	}
	return v, false
}

// mask cuts the number of a bucket out of a hash.
func (t *table[V]) mask() uint64 { return uint64(len(t.pages)<<pageBits - 1) }

// each calls f for every entry, in no order.
func (t *table[V]) each(f func(key string, v V)) {
	for i := range t.small {
		f(t.small[i].key, t.small[i].val)
	}
	for _, p := range t.pages {
		for i := range p.entries {
			f(p.entries[i].key, p.entries[i].val)
		}
	}
}

// with returns the table with the changes made. Each key is named once.
func (t *table[V]) with(seed maphash.Seed, edits []edit[V]) table[V] {
	if len(edits) > t.n/2 || t.pages == nil {
		return t.rebuilt(seed, edits)
	}
	out := table[V]{n: t.n, pages: append([]*page[V](nil), t.pages...)}
	for i := range edits {
		hash := maphash.String(seed, edits[i].key)
		at := hash & out.mask()
		old := out.pages[at>>pageBits]
		now := old.changed(at&(pageSize-1), hash, &edits[i])
		out.n += len(now.entries) - len(old.entries)
		out.pages[at>>pageBits] = now
	}
	if buckets := len(out.pages) << pageBits; out.n > 2*buckets || out.n < buckets/8 {
		return out.rebuilt(seed, nil)
	}
	return out
}

// changed returns a copy of the page with one change made in a bucket.
func (p *page[V]) changed(bucket, hash uint64, e *edit[V]) *page[V] {
	from, to := p.bucket(bucket)
	out := &page[V]{ends: p.ends, entries: make([]entry[V], 0, len(p.entries)+1)}
	out.entries = append(out.entries, p.entries[:from]...)
	for i := range p.entries[from:to] {
		if old := &p.entries[int(from)+i]; old.key != e.key {
			out.entries = append(out.entries, *old)
		}
	}
	if !e.remove {
		out.entries = append(out.entries, entry[V]{hash, e.key, e.val})
	}
	grown := len(out.entries) - int(to)
	out.entries = append(out.entries, p.entries[to:]...)
	for i := bucket; i < pageSize; i++ {
		out.ends[i] = uint16(int(out.ends[i]) + grown)
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
	mask := out.mask()
	slices.SortFunc(all, func(a, b entry[V]) int { return cmp.Compare(a.hash&mask, b.hash&mask) })
	from := 0
	for i := range backing {
		p, to := &backing[i], from
		for b := range uint64(pageSize) {
			for to < len(all) && all[to].hash&mask == uint64(i)<<pageBits|b {
				to++
			}
			p.ends[b] = uint16(to - from)
		}
		p.entries = all[from:to:to]
		from = to
	}
	return out
}
