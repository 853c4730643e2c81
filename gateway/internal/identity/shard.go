package identity

import (
	"sync"
	"unsafe"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// record is one credential in 64 bytes, without pointers, so that it can lie
// outside the heap.
type record struct {
	digest  policy.Digest
	version uint64
	expires int64 // Unix seconds, 0 = never
	app     uint32
	page    uint32 // where its texts are
	offset  uint16
	idLen   uint16
	verLen  uint16 // verifier
	planLen uint8
	flags   uint8
}

// The flags of a record: its kind, and its state.
const (
	kindMask uint8 = 0x0f
	revoked  uint8 = 0x10
	seen     uint8 = 0x20 // was told since all is told anew
	nilVer   uint8 = 0x40 // no verifier, rather than an empty one
	gone     uint8 = 0x80 // besides revoked: it was taken out, and may come back
)

const (
	recordsPerPage = 256
	textPage       = 64 << 10
	maxText        = 4 << 10 // of id, verifier and plan together

	// A slot of the index has a part of the hash, so that the records of other
	// entries are not looked at: each would be a miss of the processor's caches.
	numberBits = 24 // 16 million a shard: memory ends first
	numberMask = 1<<numberBits - 1
)

func tag(h uint64) uint32 { return uint32(h>>32) &^ numberMask }

// shard is one part of the entries: an open-addressing index over pages of
// records, and their texts one after the other.
type shard struct {
	mu    sync.RWMutex
	index []uint32 // tag of the hash, and number of the record + 1; 0 = free
	pages []*page
	count uint32   // records used
	texts [][]byte // pages of at most textPage; bytes once written never change
	waste int      // bytes of texts that nothing names any more

	_ [40]byte // keeps the locks of two shards off one cache line
}

func (sh *shard) record(i uint32) *record {
	return &sh.pages[i/recordsPerPage][i%recordsPerPage]
}

// find returns the record of that kind and digest, or nil.
func (sh *shard) find(h uint64, kind uint8, d *policy.Digest) *record {
	if len(sh.index) == 0 {
		return nil
	}
	mask, t := uint64(len(sh.index)-1), tag(h)
	for i := (h / shardCount) & mask; ; i = (i + 1) & mask {
		n := sh.index[i]
		if n == 0 {
			return nil
		}
		if n&^numberMask != t {
			continue
		}
		n &= numberMask
		if r := sh.record(n - 1); r.flags&kindMask == kind && r.digest == *d {
			return r
		}
	}
}

// credential makes the value of a record, sharing its texts.
func (sh *shard) credential(r *record) policy.Credential {
	c := policy.Credential{ExpiresAt: r.expires}
	b := sh.texts[r.page][r.offset:]
	c.ID = text(b[:r.idLen])
	c.Plan = text(b[r.idLen : r.idLen+uint16(r.planLen)])
	if r.flags&nilVer == 0 {
		at := r.idLen + uint16(r.planLen)
		end := at + r.verLen
		c.Verifier = b[at:end:end]
	}
	return c
}

// text returns bytes that never change as a string, without a copy.
func text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b)) //nolint:gosec // pages are append-only, and live as long as the string
}

// add makes room for one more record and returns it, with its digest and kind
// set. The caller holds the lock.
func (sh *shard) add(s *Store, h uint64, kind uint8, d *policy.Digest) *record {
	if int(sh.count+1)*4 > len(sh.index)*3 {
		sh.grow(s)
	}
	if int(sh.count) == len(sh.pages)*recordsPerPage {
		sh.pages = append(sh.pages, s.slabs.get())
	}
	r := sh.record(sh.count)
	sh.count++
	*r = record{digest: *d, flags: kind}
	sh.place(h, sh.count)
	return r
}

func (sh *shard) place(h uint64, n uint32) {
	mask := uint64(len(sh.index) - 1)
	i := (h / shardCount) & mask
	for sh.index[i] != 0 {
		i = (i + 1) & mask
	}
	sh.index[i] = tag(h) | n
}

func (sh *shard) grow(s *Store) {
	sh.index = make([]uint32, max(64, 2*len(sh.index)))
	for n := range sh.count {
		sh.place(s.hash(&sh.record(n).digest), n+1)
	}
}

// write keeps the texts of a record. Texts that are as they were stay where
// they are.
func (sh *shard) write(r *record, id, plan string, verifier []byte) {
	size := len(id) + len(plan) + len(verifier)
	old := int(r.idLen) + int(r.planLen) + int(r.verLen)
	if old > 0 && old == size {
		c := sh.credential(r)
		if c.ID == id && c.Plan == plan && string(c.Verifier) == string(verifier) {
			return
		}
	}
	sh.waste += old
	if last := len(sh.texts) - 1; last < 0 || len(sh.texts[last])+size > cap(sh.texts[last]) {
		// Small shards get small pages: an idle gateway has 64 of them.
		sh.texts = append(sh.texts, make([]byte, 0, min(textPage, max(size, 512<<min(len(sh.texts), 7)))))
	}
	last := len(sh.texts) - 1
	b := sh.texts[last]
	r.page, r.offset = uint32(last), uint16(len(b))
	b = append(b, id...)
	b = append(b, plan...)
	sh.texts[last] = append(b, verifier...)
	r.idLen, r.planLen, r.verLen = uint16(len(id)), uint8(len(plan)), uint16(len(verifier))
	r.flags &^= nilVer
	if verifier == nil {
		r.flags |= nilVer
	}
}

// rebuild writes the shard anew with the records that keep returns true for.
// Texts handed out before stay as they were.
func (sh *shard) rebuild(s *Store, keep func(*record) bool) {
	fresh := shard{}
	for n := range sh.count {
		r := sh.record(n)
		if !keep(r) {
			continue
		}
		c := sh.credential(r)
		w := fresh.add(s, s.hash(&r.digest), r.flags&kindMask, &r.digest)
		w.version, w.expires, w.app, w.flags = r.version, r.expires, r.app, r.flags
		fresh.write(w, c.ID, c.Plan, c.Verifier)
	}
	s.slabs.put(sh.pages)
	sh.index, sh.pages, sh.count, sh.texts, sh.waste = fresh.index, fresh.pages, fresh.count, fresh.texts, 0
}
