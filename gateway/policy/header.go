package policy

import "strings"

// Field is one header field line.
type Field struct{ Name, Value string }

// Header is an ordered list of header fields. Names compare without regard to
// case (RFC 9110 section 5.1). The zero value is empty and ready to use.
//
// All strings are immutable copies made once for a whole message, so that a
// policy may keep them after the exchange has ended.
type Header struct{ fields []Field }

// Fields returns the fields in order. The slice is the header's own: it may be
// changed in place by the transports only, and is valid until the next change.
func (h *Header) Fields() []Field { return h.fields }

// Len returns the number of field lines.
func (h *Header) Len() int { return len(h.fields) }

// Reset empties the header and keeps its memory.
func (h *Header) Reset() {
	clear(h.fields)
	h.fields = h.fields[:0]
}

// Get returns the value of the first field of that name, or "".
func (h *Header) Get(name string) string {
	v, _ := h.Lookup(name)
	return v
}

// Lookup returns the value of the first field of that name and whether there
// is one.
func (h *Header) Lookup(name string) (string, bool) {
	for i := range h.fields {
		if EqualName(h.fields[i].Name, name) {
			return h.fields[i].Value, true
		}
	}
	return "", false
}

// Has reports whether a field of that name is present.
func (h *Header) Has(name string) bool {
	_, ok := h.Lookup(name)
	return ok
}

// Count returns the number of field lines of that name.
func (h *Header) Count(name string) int {
	n := 0
	for i := range h.fields {
		if EqualName(h.fields[i].Name, name) {
			n++
		}
	}
	return n
}

// Values calls yield for each value of that name, in order, until it returns
// false.
func (h *Header) Values(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range h.fields {
			if EqualName(h.fields[i].Name, name) && !yield(h.fields[i].Value) {
				return
			}
		}
	}
}

// Joined returns all values of that name as one comma-separated list (RFC 9110
// section 5.3). It allocates only where there are several.
func (h *Header) Joined(name string) string {
	first, n := "", 0
	for v := range h.Values(name) {
		if n == 0 {
			first = v
		}
		n++
	}
	if n < 2 {
		return first
	}
	var b strings.Builder
	for v := range h.Values(name) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v)
	}
	return b.String()
}

// HasToken reports whether the comma-separated list of that name holds the
// token, without regard to case.
func (h *Header) HasToken(name, token string) bool {
	for i := range h.fields {
		if !EqualName(h.fields[i].Name, name) {
			continue
		}
		for v := range strings.SplitSeq(h.fields[i].Value, ",") {
			if strings.EqualFold(strings.Trim(v, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// Add appends a field. The caller answers for name and value being valid; see
// [ValidName] and [ValidValue] for what comes from elsewhere.
func (h *Header) Add(name, value string) {
	h.fields = append(h.fields, Field{Name: name, Value: value})
}

// Set replaces the first field of that name in place, removes the others, and
// appends the field where there was none.
func (h *Header) Set(name, value string) {
	for i := range h.fields {
		if EqualName(h.fields[i].Name, name) {
			h.fields[i].Value = value
			h.del(name, i+1)
			return
		}
	}
	h.Add(name, value)
}

// Del removes all fields of that name.
func (h *Header) Del(name string) { h.del(name, 0) }

func (h *Header) del(name string, from int) {
	for i := from; i < len(h.fields); i++ {
		if !EqualName(h.fields[i].Name, name) {
			continue
		}
		w := i
		for _, f := range h.fields[i+1:] {
			if !EqualName(f.Name, name) {
				h.fields[w] = f
				w++
			}
		}
		clear(h.fields[w:])
		h.fields = h.fields[:w]
		return
	}
}

// DelFunc removes the fields for which drop returns true.
func (h *Header) DelFunc(drop func(name, value string) bool) {
	w := 0
	for _, f := range h.fields {
		if !drop(f.Name, f.Value) {
			h.fields[w] = f
			w++
		}
	}
	clear(h.fields[w:])
	h.fields = h.fields[:w]
}

// CopyFrom makes h equal to o, sharing the strings.
func (h *Header) CopyFrom(o *Header) {
	h.fields = append(h.fields[:0], o.fields...)
}

// EqualName reports whether two field names are the same without regard to
// ASCII case.
func EqualName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	if a == b {
		return true
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x != y {
			if x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z' {
				return false
			}
		}
	}
	return true
}

// ValidName reports whether s is a token and so may be a field name (RFC 9110
// section 5.6.2).
func ValidName(s string) bool {
	for i := range len(s) {
		if !tokenByte[s[i]] {
			return false
		}
	}
	return s != ""
}

// ValidValue reports whether s may be a field value: no control bytes but tab,
// and no white space at the ends (RFC 9110 section 5.5).
func ValidValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return s == "" || s[0] != ' ' && s[0] != '\t' && s[len(s)-1] != ' ' && s[len(s)-1] != '\t'
}

var tokenByte = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-0x20] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()
