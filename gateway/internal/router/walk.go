package router

import "math/bits"

// end takes the node at as the end of the path. Methods that would have been
// possible are remembered for Allow.
func (m *Match) end(f form, at uint32, params int) bool {
	set := methods(f.u32(at + nodeSet))
	bit := m.bit & set
	if bit == 0 && m.bit == head {
		bit = set & get
	}
	if bit == 0 {
		bit = set & anyMethod
	}
	if bit == 0 {
		m.seen |= set
		return false
	}
	nth := uint32(f.u16(at+nodeOps)) + uint32(bits.OnesCount32(uint32(set&(bit-1))))
	m.Operation = int(f.u16(f.u32(4) + 2*nth))
	m.params = params
	return true
}

// walk matches m.Path from pos, where a segment ends, with what is below the
// node at. It tries the more specific child first and goes back where that
// leads nowhere: each node is looked at once at most.
func (m *Match) walk(f form, at uint32, pos, params int) bool {
	path, isRoot := m.Path, at == f.root()
	if pos == len(path) && !isRoot {
		if m.end(f, at, params) {
			return true
		}
		return f[2] != 0 && m.takeRest(f, at, pos, params)
	}
	start := pos + 1
	if pos == len(path) { // the base path itself is taken as if it ended in a slash
		start = pos
	}
	stop := start
	for stop < len(path) && path[stop] != '/' {
		stop++
	}
	seg := path[start:stop]
	if seg == "" && stop == len(path) && f[2] != 0 && !isRoot && m.end(f, at, params) {
		return true
	}
	if child := f.literal(at, seg); child != 0 && m.walk(f, child, stop, params) {
		return true
	}
	if seg != "" {
		child := f.u32(at+nodeFirst) + nodeSize*uint32(f.u16(at+nodeLiterals))
		for range f.u16(at + nodeAffixed) {
			if from, to, ok := f.affix(child, seg); ok {
				m.spans[params] = span{uint32(start + from), uint32(start + to)}
				if m.walk(f, child, stop, params+1) {
					return true
				}
			}
			child += nodeSize
		}
		if f[at+nodeMore]&hasParam != 0 {
			m.spans[params] = span{uint32(start), uint32(stop)}
			if m.walk(f, child, stop, params+1) {
				return true
			}
		}
	}
	return m.takeRest(f, at, start, params)
}

// takeRest gives all from start on to the rest child, if there is one.
func (m *Match) takeRest(f form, at uint32, start, params int) bool {
	more := f[at+nodeMore]
	if more&hasRest == 0 {
		return false
	}
	nth := uint32(f.u16(at+nodeLiterals)) + uint32(f.u16(at+nodeAffixed)) + uint32(more&hasParam)
	m.spans[params] = span{uint32(start), uint32(len(m.Path))}
	return m.end(f, f.u32(at+nodeFirst)+nodeSize*nth, params+1)
}

// linear is the number of siblings up to which looking at all of them is
// faster than a binary search.
const linear = 8

// literal returns the child of the node at that is seg, or 0.
func (f form) literal(at uint32, seg string) uint32 {
	first, n := f.u32(at+nodeFirst), uint32(f.u16(at+nodeLiterals))
	lo, hi := uint32(0), n
	if n > linear {
		for lo < hi {
			mid := lo + (hi-lo)/2
			if f.text(first+nodeSize*mid) < seg {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		hi = min(lo+1, n)
	}
	for ; lo < hi; lo++ {
		child := first + nodeSize*lo
		if int(f.u16(child+nodeLen)) == len(seg) && f.text(child) == seg {
			return child
		}
	}
	return 0
}

// text returns the literal of a node.
func (f form) text(at uint32) string {
	from := f.u32(at + nodeText)
	return string(f[from : from+uint32(f.u16(at+nodeLen))])
}

// affix matches seg with the text around a parameter and returns where in seg
// the parameter lies. A parameter is never empty, and the text never ends or
// begins within an escape of the path.
func (f form) affix(at uint32, seg string) (from, to int, ok bool) {
	from, to = int(f.u16(at+nodeLen)), len(seg)-int(f.u16(at+nodeSuffix))
	if from >= to {
		return 0, 0, false
	}
	text := f[f.u32(at+nodeText):]
	if seg[:from] != string(text[:from]) || seg[to:] != string(text[from:from+len(seg)-to]) {
		return 0, 0, false
	}
	if seg[to-1] == '%' || to-from > 1 && seg[to-2] == '%' {
		return 0, 0, false
	}
	return from, to, true
}
