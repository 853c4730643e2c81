package datamask

import (
	"encoding/json"
	"unicode/utf8"
)

const maxDepth = 200

// withheld stands for what could not be looked into.
const withheld = `"***"`

// json masks a JSON text. What it does not change stays byte for byte. It
// reports false where the text is malformed or cut off: what was returned then
// ends where the error is.
func (s *set) json(in []byte) (out []byte, ok bool) {
	w := walker{set: s, in: in, out: make([]byte, 0, len(in)+16)}
	at := make([]position, len(s.paths))
	for i := range at {
		at[i] = position{rule: i}
	}
	w.space()
	if ok = w.value(at, 0); ok {
		w.space()
		ok = w.pos == len(w.in)
	}
	if !ok {
		w.out = append(w.out, withheld...)
	}
	return w.out, ok
}

// walker copies a JSON text and masks on the way.
type walker struct {
	set *set
	in  []byte
	pos int
	out []byte
}

// space copies white space.
func (w *walker) space() {
	start := w.pos
	for w.pos < len(w.in) {
		switch w.in[w.pos] {
		case ' ', '\t', '\n', '\r':
			w.pos++
			continue
		}
		break
	}
	w.out = append(w.out, w.in[start:w.pos]...)
}

// take copies one expected character.
func (w *walker) take(c byte) bool {
	if w.pos >= len(w.in) || w.in[w.pos] != c {
		return false
	}
	w.pos++
	w.out = append(w.out, c)
	return true
}

// value copies a value, to which the paths have led so far.
func (w *walker) value(at []position, depth int) bool {
	if w.pos >= len(w.in) || depth > maxDepth {
		return false
	}
	switch w.in[w.pos] {
	case '{':
		return w.object(at, depth)
	case '[':
		return w.array(at, depth)
	case '"':
		start := w.pos
		if !w.skipString() {
			return false
		}
		raw := w.in[start:w.pos]
		if len(w.set.texts) > 0 {
			var text string
			if json.Unmarshal(raw, &text) != nil {
				return false
			}
			if masked := w.set.text(text); masked != text {
				w.out = appendString(w.out, masked)
				return true
			}
		}
		w.out = append(w.out, raw...)
		return true
	}
	start := w.pos
	if !w.skipLiteral() {
		return false
	}
	raw := w.in[start:w.pos]
	if len(w.set.texts) > 0 && raw[0] <= '9' { // a number
		if masked := w.set.text(string(raw)); masked != string(raw) {
			w.out = appendString(w.out, masked)
			return true
		}
	}
	w.out = append(w.out, raw...)
	return true
}

func (w *walker) object(at []position, depth int) bool {
	w.take('{')
	w.space()
	if w.take('}') {
		return true
	}
	var next []position
	for {
		start := w.pos
		if !w.skipString() {
			return false
		}
		raw := w.in[start:w.pos]
		name := string(raw[1 : len(raw)-1])
		if needsDecoding(raw) && json.Unmarshal(raw, &name) != nil {
			return false
		}
		w.out = append(w.out, raw...)
		w.space()
		if !w.take(':') {
			return false
		}
		w.space()
		var hit int
		next, hit = w.set.follow(at, name, -1, next[:0])
		if !w.member(next, hit, depth) {
			return false
		}
		w.space()
		if w.take('}') {
			return true
		}
		if !w.take(',') {
			return false
		}
		w.space()
	}
}

func (w *walker) array(at []position, depth int) bool {
	w.take('[')
	w.space()
	if w.take(']') {
		return true
	}
	var next []position
	for i := 0; ; i++ {
		var hit int
		next, hit = w.set.follow(at, "", i, next[:0])
		if !w.member(next, hit, depth) {
			return false
		}
		w.space()
		if w.take(']') {
			return true
		}
		if !w.take(',') {
			return false
		}
		w.space()
	}
}

// member copies a member's value, or the mask where a path ends at it.
func (w *walker) member(at []position, hit, depth int) bool {
	if hit < 0 {
		return w.value(at, depth+1)
	}
	start := w.pos
	if !w.skip(depth + 1) {
		return false
	}
	raw := w.in[start:w.pos]
	if string(raw) == "null" {
		w.out = append(w.out, raw...)
		return true
	}
	text := string(raw)
	if raw[0] == '"' && json.Unmarshal(raw, &text) != nil {
		return false
	}
	m := &w.set.paths[hit].mask
	if raw[0] == '{' || raw[0] == '[' {
		w.out = appendString(w.out, m.whole(text))
		return true
	}
	w.out = appendString(w.out, m.apply(text))
	return true
}

func appendString(out []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // a text can always be written
		return append(out, withheld...)
	}
	return append(out, b...)
}

// skip passes over a value.
func (w *walker) skip(depth int) bool {
	if w.pos >= len(w.in) || depth > maxDepth {
		return false
	}
	c := w.in[w.pos]
	if c == '"' {
		return w.skipString()
	}
	if c != '{' && c != '[' {
		return w.skipLiteral()
	}
	// Copied by a walker without rules, so that there is one grammar.
	inner := walker{set: &set{}, in: w.in, pos: w.pos}
	ok := inner.value(nil, depth)
	w.pos = inner.pos
	return ok
}

func (w *walker) skipString() bool {
	if w.pos >= len(w.in) || w.in[w.pos] != '"' {
		return false
	}
	for i := w.pos + 1; i < len(w.in); i++ {
		switch c := w.in[i]; {
		case c == '\\':
			i++
		case c == '"':
			w.pos = i + 1
			return true
		case c < 0x20:
			return false
		}
	}
	return false
}

// skipLiteral passes over a number, true, false or null.
func (w *walker) skipLiteral() bool {
	start := w.pos
	for w.pos < len(w.in) {
		c := w.in[w.pos]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E' {
			w.pos++
			continue
		}
		break
	}
	return json.Valid(w.in[start:w.pos])
}

// needsDecoding reports whether a JSON string is not what it looks like.
func needsDecoding(raw []byte) bool {
	for _, c := range raw {
		if c == '\\' || c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}
