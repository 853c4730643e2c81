package injectionfilter

import (
	"bytes"
	"math/bits"
	"regexp"
	"strings"
	"sync"
)

// matcher looks for attacks in texts.
type matcher struct {
	rules    []rule
	literals *automaton
	raw      []int // rules that see decoded texts as they are
	own      []own
	buffers  sync.Pool
}

type own struct {
	name string
	expr *regexp.Regexp
}

type buffers struct{ value, next, normal []byte }

func newMatcher(rs []rule, o []own) *matcher {
	m := &matcher{rules: rs, literals: newAutomaton(rs), own: o}
	for i := range rs {
		if rs[i].raw {
			m.raw = append(m.raw, i)
		}
	}
	m.buffers.New = func() any { return new(buffers) }
	return m
}

// The classes of bytes that make a look worthwhile.
const (
	classSign   = 1 << iota // that no harmless word has
	classDot                // with another one
	classSpace              // between words
	classEscape             // that begins an encoding
)

var classes = func() (t [256]uint8) {
	for _, c := range []byte("'\"<;|$`=(/\r\n\x00\xc0\xc1\xe0") {
		t[c] = classSign
	}
	for _, c := range []byte(`%&\`) {
		t[c] = classSign | classEscape
	}
	t['.'], t[' '], t['\t'], t['\v'], t['\f'] = classDot, classSpace, classSpace, classSpace, classSpace
	return t
}()

var (
	dots    = []byte("..")
	comment = []byte("/*")
)

// look returns the classes of a text, without those that turn out harmless.
func look(text []byte) uint8 {
	var seen uint8
	rest := text
	for len(rest) >= 8 {
		seen |= classes[rest[0]] | classes[rest[1]] | classes[rest[2]] | classes[rest[3]] |
			classes[rest[4]] | classes[rest[5]] | classes[rest[6]] | classes[rest[7]]
		rest = rest[8:]
	}
	for _, c := range rest {
		seen |= classes[c]
	}
	if seen&classSign == 0 {
		if seen&classDot != 0 && bytes.Contains(text, dots) || seen&classSpace != 0 && hasUnion(text) {
			seen |= classSign
		}
	}
	return seen
}

// hasUnion looks for the one word that begins an attack made of words only.
func hasUnion(text []byte) bool {
	for _, first := range [...]byte{'u', 'U'} {
		for rest := text; ; {
			i := bytes.IndexByte(rest, first)
			if i < 0 || i+5 > len(rest) {
				break
			}
			if rest[i+1]|0x20 == 'n' && rest[i+2]|0x20 == 'i' && rest[i+3]|0x20 == 'o' && rest[i+4]|0x20 == 'n' {
				return true
			}
			rest = rest[i+1:]
		}
	}
	return false
}

// rounds is how often a text is decoded beyond what HTTP asks for.
const rounds = 2

// find returns the set whose rule the text breaks, or "".
func (m *matcher) find(text []byte, where place) string {
	seen := look(text)
	if seen&classSign == 0 && len(m.own) == 0 {
		return ""
	}
	b := m.buffers.Get().(*buffers) //nolint:forcetypeassert // the pool has only these
	defer m.put(b)
	if set := m.match(b, text, where); set != "" {
		return set
	}
	for range rounds {
		if look(text)&classEscape == 0 {
			return ""
		}
		next, changed := again(b.next[:0], text)
		if !changed {
			return ""
		}
		b.next = next
		if set := m.match(b, next, where); set != "" {
			return set
		}
		b.value = append(b.value[:0], next...)
		text = b.value
	}
	return ""
}

// largest buffer that is kept.
const keepBuffer = 256 << 10

func (m *matcher) put(b *buffers) {
	if cap(b.value)+cap(b.next)+cap(b.normal) < keepBuffer {
		m.buffers.Put(b)
	}
}

func (m *matcher) match(b *buffers, text []byte, where place) string {
	for _, i := range m.raw {
		r := &m.rules[i]
		if r.where&where == 0 {
			continue
		}
		for _, l := range r.literals {
			if strings.Contains(string(text), l) && (r.expr == nil || r.expr.Match(text)) {
				return r.set
			}
		}
	}
	if found := m.literals.scan(text); found != 0 {
		b.normal = normal(b.normal[:0], text, false)
		if set := m.try(b.normal, found, where); set != "" {
			return set
		}
	}
	if bytes.Contains(text, comment) {
		b.normal = normal(b.normal[:0], text, true)
		if set := m.try(b.normal, m.literals.scan(b.normal), where); set != "" {
			return set
		}
	}
	for _, o := range m.own {
		if o.expr.Match(text) {
			return o.name
		}
	}
	return ""
}

// try tries the expressions of the rules found.
func (m *matcher) try(text []byte, found uint64, where place) string {
	for ; found != 0; found &= found - 1 {
		r := &m.rules[bits.TrailingZeros64(found)]
		if r.where&where != 0 && r.match(text) {
			return r.set
		}
	}
	return ""
}

// longestAddress is how much of a text an anchored rule sees.
const longestAddress = 512

func (r *rule) match(text []byte) bool {
	switch {
	case r.expr == nil:
		return true
	case r.anchor == nil:
		return r.expr.Match(text)
	}
	for {
		i := bytes.Index(text, r.anchor)
		if i < 0 {
			return false
		}
		begin := i
		for begin > 0 && text[begin-1] >= 'a' && text[begin-1] <= 'z' {
			begin--
		}
		if r.expr.Match(text[begin:min(len(text), begin+longestAddress)]) {
			return true
		}
		text = text[i+len(r.anchor):]
	}
}
