package counter

// slots is a hash table of entries by their hash: open addressing, so that an
// entry is found with one look at memory, where Go's map looks at its header and
// its groups first. With random callers none of it is in the processor's caches,
// and that is most of what counting costs. The zero value is empty.
type slots struct {
	all  []slot // a power of two; at most three quarters are used
	used int
}

type slot struct {
	hash  uint64
	entry *entry // the first of that hash; nil = free
}

const leastSlots = 4

// get returns the first entry of a hash, or nil.
func (s *slots) get(hash uint64) *entry {
	if len(s.all) == 0 {
		return nil
	}
	return s.at(hash).entry
}

// at returns the place of a hash: where its entries are, or would be. There is
// always a free one.
func (s *slots) at(hash uint64) *slot {
	mask := uint64(len(s.all) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if t := &s.all[i]; t.entry == nil || t.hash == hash {
			return t
		}
	}
}

// put makes e the first entry of a hash.
func (s *slots) put(hash uint64, e *entry) {
	if (s.used+1)*4 > len(s.all)*3 {
		s.resize(max(leastSlots, 2*len(s.all)))
	}
	t := s.at(hash)
	if t.entry == nil {
		s.used++
	}
	*t = slot{hash, e}
}

// filter replaces the entries of each hash by what keep returns, nil = none.
func (s *slots) filter(keep func(*entry) *entry) {
	gone := 0
	for i := range s.all {
		t := &s.all[i]
		if t.entry == nil {
			continue
		}
		if t.entry = keep(t.entry); t.entry == nil {
			gone++
		}
	}
	if s.used -= gone; gone == 0 {
		return
	}
	// What is left may stand behind gaps now.
	size := len(s.all)
	for size > leastSlots && s.used*4 < size {
		size /= 2
	}
	s.resize(size)
}

func (s *slots) resize(size int) {
	old := s.all
	s.all = make([]slot, size)
	for _, t := range old {
		if t.entry != nil {
			*s.at(t.hash) = t
		}
	}
}
