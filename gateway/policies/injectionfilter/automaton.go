package injectionfilter

// automaton finds which rules have one of their literals in a text, in one pass
// (Aho and Corasick 1975, made deterministic). It folds case and runs of white
// space on the way.
type automaton struct {
	class [256]uint8 // of bytes; those that no literal has share class 0
	width int        // number of classes
	next  []uint16   // by state*width+class
	found []uint64   // by state: the rules, as bits
	space uint8
}

func fold(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c | 0x20
	case isSpace(c):
		return ' '
	}
	return c
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// newAutomaton makes the automaton of at most 64 rules.
func newAutomaton(rs []rule) *automaton {
	a := &automaton{width: 1}
	for _, r := range rs {
		if r.raw {
			continue
		}
		for _, l := range r.literals {
			for i := range len(l) {
				if a.class[l[i]] == 0 {
					a.class[l[i]] = uint8(a.width)
					a.width++
				}
			}
		}
	}
	for c := range 256 {
		if f := fold(byte(c)); f != byte(c) {
			a.class[c] = a.class[f]
		}
	}
	a.space = a.class[' ']
	a.state() // the root
	for i, r := range rs {
		if !r.raw {
			for _, l := range r.literals {
				a.add(l, uint64(1)<<i)
			}
		}
	}
	a.close()
	return a
}

func (a *automaton) state() uint16 {
	a.found = append(a.found, 0)
	a.next = append(a.next, make([]uint16, a.width)...)
	return uint16(len(a.found) - 1)
}

func (a *automaton) add(literal string, bit uint64) {
	s := uint16(0)
	for i := range len(literal) {
		at := int(s)*a.width + int(a.class[literal[i]])
		if a.next[at] == 0 {
			n := a.state()
			a.next[at] = n
		}
		s = a.next[at]
	}
	a.found[s] |= bit
}

// close fills in where to go when a literal breaks off.
func (a *automaton) close() {
	fail := make([]uint16, len(a.found))
	var queue []uint16
	for c := range a.width {
		if n := a.next[c]; n != 0 {
			queue = append(queue, n)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		a.found[s] |= a.found[fail[s]]
		for c := range a.width {
			at := int(s)*a.width + c
			other := a.next[int(fail[s])*a.width+c]
			if n := a.next[at]; n != 0 {
				fail[n] = other
				queue = append(queue, n)
			} else {
				a.next[at] = other
			}
		}
	}
}

// scan returns the rules that have a literal in the text.
func (a *automaton) scan(text []byte) uint64 {
	var found uint64
	var s uint16
	last := uint8(0)
	for _, c := range text {
		k := a.class[c]
		if c == 0 || k == a.space && last == a.space && k != 0 {
			continue
		}
		last = k
		s = a.next[int(s)*a.width+int(k)]
		found |= a.found[s]
	}
	return found
}

// normal appends the text as rules see it, with or without comments of SQL.
func normal(dst, text []byte, cut bool) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == 0 {
			continue
		}
		if cut && c == '/' && i+1 < len(text) && text[i+1] == '*' {
			if end := commentEnd(text[i:]); end > 0 {
				i += end - 1
				c = ' '
			}
		} else if cut && c == '*' && i+1 < len(text) && text[i+1] == '/' {
			i++
			c = ' '
		}
		if c = fold(c); c == ' ' && len(dst) > 0 && dst[len(dst)-1] == ' ' {
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// commentEnd returns the length of the comment that p begins with; 0 = it does
// not end. Of one that MySQL executes only the mark is one.
func commentEnd(p []byte) int {
	if len(p) > 2 && p[2] == '!' {
		n := 3
		for n < len(p) && p[n] >= '0' && p[n] <= '9' { // the version
			n++
		}
		return n
	}
	for i := 2; i+1 < len(p); i++ {
		if p[i] == '*' && p[i+1] == '/' {
			return i + 2
		}
	}
	return 0
}
