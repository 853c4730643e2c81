package identity

import (
	"runtime"
	"sync"
	"unsafe"
)

// slabSize is how much memory is taken from the system at once.
const slabSize = 1 << 20

type page = [recordsPerPage]record

// slabs hands out pages of records from memory outside the heap. The garbage
// collector lets a heap grow to twice what lives in it: for a million records
// that would be 64 MB for nothing. Records have no pointers, so nothing is
// hidden from it. Pages are used again, never given back while the store lives.
type slabs struct {
	mu   sync.Mutex
	free []*page
	all  [][]byte
}

// get returns a page with any content.
func (s *slabs) get() *page {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		b, mapped := allocate(slabSize)
		if mapped {
			s.all = append(s.all, b)
		}
		const size = int(unsafe.Sizeof(page{}))
		for i := 0; i+size <= len(b); i += size {
			s.free = append(s.free, (*page)(unsafe.Pointer(&b[i]))) //nolint:gosec // aligned: slabs and pages are powers of two
		}
	}
	p := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return p
}

// put takes back pages that nothing reads any more.
func (s *slabs) put(pages []*page) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, pages...)
}

// tie gives the memory back when the store is collected.
func tie(s *Store) {
	runtime.AddCleanup(s, func(m *slabs) {
		for _, b := range m.all {
			release(b)
		}
	}, s.slabs)
}
