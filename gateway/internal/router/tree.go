package router

import (
	"cmp"
	"encoding/binary"
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

	// Set by flatten.
	children []*branch
	family   uint32 // where the children are
	firstOp  int
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

// form is the tree of an API in the form that requests are matched with: one
// piece of memory, so that a look-up among very many APIs waits for few cache
// lines. All numbers are little-endian.
//
//	0   u16  length of the base path
//	2   u8   1 where a slash at the end is ignored
//	4   u32  where the operations are: a u16 each, indexes into API.Operations
//	8        the base path, filled up to a multiple of 4
//	         the root node
//	         family by family, level by level: the children of a node side by
//	         side (literals, affixed, parameter, rest), then their texts
//	         the operations
//
// An API without operations has no nodes.
type form string

// The fields of a node.
const (
	nodeText     = 0  // u32: where its text is; the suffix comes right after
	nodeLen      = 4  // u16: length of the text
	nodeSuffix   = 6  // u16: length of the suffix
	nodeFirst    = 8  // u32: where its first child is
	nodeLiterals = 12 // u16: how many of the children are literals
	nodeAffixed  = 14 // u16: and how many affixed
	nodeSet      = 16 // u32: the methods that end here
	nodeOps      = 20 // u16: the first of them in the operations, in the order of the bits
	nodeMore     = 22 // u8: hasParam and hasRest
	nodeSize     = 24

	formBase = 8
)

// Which of the single children a node has.
const (
	hasParam = 1 << iota
	hasRest
)

func (f form) u16(at uint32) uint16 {
	s := f[at : at+2]
	return uint16(s[0]) | uint16(s[1])<<8
}

func (f form) u32(at uint32) uint32 {
	s := f[at : at+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// base returns the canonical base path.
func (f form) base() string { return string(f[formBase : formBase+uint32(f.u16(0))]) }

// root returns where the root node is, or 0 where there are no operations.
func (f form) root() uint32 {
	if f.u32(4) == 0 {
		return 0
	}
	return formBase + (uint32(f.u16(0))+3)&^3
}

// flatten lays a tree out; root is nil for an API without operations.
func flatten(root *branch, base string, ignoreTrailing bool) form {
	nodesAt := uint32(formBase + (len(base)+3)&^3)
	out := make([]byte, nodesAt)
	binary.LittleEndian.PutUint16(out, uint16(len(base)))
	if ignoreTrailing {
		out[2] = 1
	}
	copy(out[formBase:], base)
	if root == nil {
		return form(out)
	}
	queue := append(make([]*branch, 0, 16), root)
	var ops []terminal
	size := nodesAt + nodeSize
	for i := 0; i < len(queue); i++ {
		b := queue[i]
		slices.SortFunc(b.ops, func(x, y terminal) int { return cmp.Compare(x.bit, y.bit) })
		b.firstOp = len(ops)
		ops = append(ops, b.ops...)
		from := len(queue)
		queue = append(append(queue, b.literals...), b.affixed...)
		if b.param != nil {
			queue = append(queue, b.param)
		}
		if b.rest != nil {
			queue = append(queue, b.rest)
		}
		b.children, b.family = queue[from:], size
		for _, child := range b.children {
			size += uint32(nodeSize + len(child.text) + len(child.suffix))
		}
	}
	binary.LittleEndian.PutUint32(out[4:], size)
	out = slices.Grow(out, int(size)+2*len(ops)-len(out))
	out = root.appendNode(out, 0)
	for _, b := range queue {
		text := len(out) + nodeSize*len(b.children)
		for _, child := range b.children {
			out = child.appendNode(out, uint32(text))
			text += len(child.text) + len(child.suffix)
		}
		for _, child := range b.children {
			out = append(append(out, child.text...), child.suffix...)
		}
	}
	for i := range ops {
		out = binary.LittleEndian.AppendUint16(out, uint16(ops[i].op))
	}
	return form(out)
}

// appendNode writes the node, whose text is to be at text.
func (b *branch) appendNode(out []byte, text uint32) []byte {
	le := binary.LittleEndian
	out = le.AppendUint32(out, text)
	out = le.AppendUint16(out, uint16(len(b.text)))
	out = le.AppendUint16(out, uint16(len(b.suffix)))
	out = le.AppendUint32(out, b.family)
	out = le.AppendUint16(out, uint16(len(b.literals)))
	out = le.AppendUint16(out, uint16(len(b.affixed)))
	out = le.AppendUint32(out, uint32(b.set))
	out = le.AppendUint16(out, uint16(b.firstOp))
	more := uint16(0)
	if b.param != nil {
		more |= hasParam
	}
	if b.rest != nil {
		more |= hasRest
	}
	return le.AppendUint16(out, more)
}
