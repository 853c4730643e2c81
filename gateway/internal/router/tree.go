package router

import (
	"cmp"
	"math/bits"
	"slices"
	"sort"
	"strings"
)

// branch is a node of the tree while operations are put into it.
type branch struct {
	text, suffix string
	literals     []*branch // sorted by text
	affixed      []*branch // sorted by precedence
	param, rest  *branch
	set          methods
	ops          []terminal
}

type terminal struct {
	bit methods
	op  int
}

// insert puts an operation at its place. Where one of the same method is there
// already, it returns that one and false.
func (b *branch) insert(segments []segment, bit methods, op int) (other int, ok bool) {
	for _, s := range segments {
		b = b.child(s)
	}
	if b.set&bit != 0 {
		i := slices.IndexFunc(b.ops, func(t terminal) bool { return t.bit == bit })
		return b.ops[i].op, false
	}
	b.set |= bit
	b.ops = append(b.ops, terminal{bit, op})
	return 0, true
}

func (b *branch) child(s segment) *branch {
	switch s.kind {
	case literal:
		i := sort.Search(len(b.literals), func(i int) bool { return b.literals[i].text >= s.text })
		if i == len(b.literals) || b.literals[i].text != s.text {
			b.literals = slices.Insert(b.literals, i, &branch{text: s.text})
		}
		return b.literals[i]
	case affixed:
		n := &branch{text: s.text, suffix: s.suffix}
		i, found := slices.BinarySearchFunc(b.affixed, n, compareAffixed)
		if !found {
			b.affixed = slices.Insert(b.affixed, i, n)
		}
		return b.affixed[i]
	case param:
		if b.param == nil {
			b.param = &branch{}
		}
		return b.param
	default:
		if b.rest == nil {
			b.rest = &branch{}
		}
		return b.rest
	}
}

// compareAffixed orders by precedence: longer prefix, longer suffix, and then
// the text, so that the order is always the same.
func compareAffixed(x, y *branch) int {
	return cmp.Or(
		cmp.Compare(len(y.text), len(x.text)), cmp.Compare(len(y.suffix), len(x.suffix)),
		strings.Compare(x.text, y.text), strings.Compare(x.suffix, y.suffix))
}

// node is a branch in the form that requests are matched with. The children of
// a node lie side by side: literals, affixed, parameter, rest.
type node struct {
	off      uint32 // of its text in Compiled.text; the suffix comes right after
	len, suf uint16
	first    uint32 // first child
	literals uint16
	affixed  uint16
	set      methods // that end here
	ops      uint16  // first of them in Compiled.ops, in the order of the bits
	more     more
}

// more says which of the single children a node has.
type more uint8

const (
	hasParam more = 1 << iota
	hasRest
)

// flatten lays the tree out in arrays, level by level, so that siblings share
// cache lines.
func (c *Compiled) flatten(root *branch, base string) {
	queue := append(make([]*branch, 0, 2*len(c.api.Operations)), root)
	size := len(base)
	for i := 0; i < len(queue); i++ {
		b := queue[i]
		size += len(b.text) + len(b.suffix)
		queue = append(append(queue, b.literals...), b.affixed...)
		if b.param != nil {
			queue = append(queue, b.param)
		}
		if b.rest != nil {
			queue = append(queue, b.rest)
		}
	}
	text := append(make([]byte, 0, size), base...)
	c.nodes = make([]node, len(queue))
	c.ops = make([]uint16, 0, len(c.api.Operations))
	next := uint32(1)
	for i, b := range queue {
		n := &c.nodes[i]
		*n = node{
			off: uint32(len(text)), len: uint16(len(b.text)), suf: uint16(len(b.suffix)),
			first: next, literals: uint16(len(b.literals)), affixed: uint16(len(b.affixed)),
			set: b.set, ops: uint16(len(c.ops)),
		}
		text = append(append(text, b.text...), b.suffix...)
		next += uint32(len(b.literals) + len(b.affixed))
		if b.param != nil {
			n.more |= hasParam
			next++
		}
		if b.rest != nil {
			n.more |= hasRest
			next++
		}
		slices.SortFunc(b.ops, func(x, y terminal) int { return cmp.Compare(x.bit, y.bit) })
		for _, t := range b.ops {
			c.ops = append(c.ops, uint16(t.op))
		}
	}
	c.text = string(text)
}

// end takes the node as the end of the path. Methods that would have been
// possible are remembered for Allow.
func (m *Match) end(c *Compiled, n *node, params int) bool {
	bit := m.bit & n.set
	if bit == 0 {
		if m.bit == head {
			bit = n.set & get
		}
		if bit == 0 {
			bit = n.set & anyMethod
		}
		if bit == 0 {
			m.seen |= n.set
			return false
		}
	}
	m.Operation = int(c.ops[int(n.ops)+bits.OnesCount32(uint32(n.set&(bit-1)))])
	m.params = params
	return true
}

// walk matches m.Path from pos, where a segment ends, with what is below node
// at. It tries the more specific child first and goes back where that leads
// nowhere: each node is looked at once at most.
func (m *Match) walk(c *Compiled, at uint32, pos, params int) bool {
	path, n := m.Path, &c.nodes[at]
	if pos == len(path) && at != 0 {
		if m.end(c, n, params) {
			return true
		}
		return c.ignoreTrailing && m.takeRest(c, n, pos, params)
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
	if seg == "" && stop == len(path) && c.ignoreTrailing && at != 0 && m.end(c, n, params) {
		return true
	}
	if child := c.literal(n, seg); child != 0 && m.walk(c, child, stop, params) {
		return true
	}
	if seg != "" {
		child := n.first + uint32(n.literals)
		for range n.affixed {
			if from, to, ok := c.affix(&c.nodes[child], seg); ok {
				m.spans[params] = span{uint32(start + from), uint32(start + to)}
				if m.walk(c, child, stop, params+1) {
					return true
				}
			}
			child++
		}
		if n.more&hasParam != 0 {
			m.spans[params] = span{uint32(start), uint32(stop)}
			if m.walk(c, child, stop, params+1) {
				return true
			}
		}
	}
	return m.takeRest(c, n, start, params)
}

// takeRest gives all from start on to the rest child, if there is one.
func (m *Match) takeRest(c *Compiled, n *node, start, params int) bool {
	if n.more&hasRest == 0 {
		return false
	}
	child := n.first + uint32(n.literals) + uint32(n.affixed) + uint32(n.more&hasParam)
	m.spans[params] = span{uint32(start), uint32(len(m.Path))}
	return m.end(c, &c.nodes[child], params+1)
}

// linear is the number of siblings up to which looking at all of them is
// faster than a binary search.
const linear = 8

// literal returns the child of n that is seg, or 0.
func (c *Compiled) literal(n *node, seg string) uint32 {
	lo, hi := n.first, n.first+uint32(n.literals)
	if n.literals > linear {
		for lo < hi {
			mid := lo + (hi-lo)/2
			k := &c.nodes[mid]
			if c.text[k.off:k.off+uint32(k.len)] < seg {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		hi = min(lo+1, n.first+uint32(n.literals))
	}
	for ; lo < hi; lo++ {
		k := &c.nodes[lo]
		if int(k.len) == len(seg) && c.text[k.off:k.off+uint32(k.len)] == seg {
			return lo
		}
	}
	return 0
}

// affix matches seg with the text around a parameter and returns where in seg
// the parameter lies. A parameter is never empty, and the text never ends or
// begins within an escape of the path.
func (c *Compiled) affix(n *node, seg string) (from, to int, ok bool) {
	from, to = int(n.len), len(seg)-int(n.suf)
	if from >= to {
		return 0, 0, false
	}
	text := c.text[n.off : n.off+uint32(n.len)+uint32(n.suf)]
	if seg[:from] != text[:from] || seg[to:] != text[from:] {
		return 0, 0, false
	}
	if seg[to-1] == '%' || to-from > 1 && seg[to-2] == '%' {
		return 0, 0, false
	}
	return from, to, true
}
