package schema

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// maxViolations bounds the report on one document.
const maxViolations = 500

func decode(p *plan, raw []byte, into reflect.Value) []problem.Field {
	if !utf8.Valid(raw) {
		return []problem.Field{{Code: RuleSyntax, Detail: "not UTF-8"}}
	}
	if !json.Valid(raw) {
		var doc json.RawMessage
		err := json.Unmarshal(raw, &doc)
		detail := "not JSON"
		var se *json.SyntaxError
		if errors.As(err, &se) {
			detail = fmt.Sprintf("not JSON: %s at byte %d", se, se.Offset)
		}
		return []problem.Field{{Code: RuleSyntax, Detail: detail}}
	}
	work := reflect.New(p.typ).Elem()
	work.Set(into)
	d := decoder{scanner: scanner{data: raw}}
	d.value(p, work)
	if len(d.fields) == 0 {
		into.Set(work)
	}
	return d.fields
}

// segment is one step of the pointer to where the decoder is.
type segment struct {
	name  string
	index int // when name is not set
	named bool
}

type decoder struct {
	scanner
	path   []segment
	fields []problem.Field
}

func (d *decoder) pointer() string {
	var b strings.Builder
	for _, s := range d.path {
		b.WriteByte('/')
		if s.named {
			b.WriteString(Escape(s.name))
		} else {
			b.WriteString(strconv.Itoa(s.index))
		}
	}
	return b.String()
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

// Escape returns a key as a token of a JSON pointer (RFC 6901 section 3).
func Escape(key string) string { return pointerEscapes.Replace(key) }

func (d *decoder) report(rule, format string, args ...any) {
	d.add(problem.Field{Pointer: d.pointer(), Code: rule, Detail: fmt.Sprintf(format, args...)})
}

func (d *decoder) add(f problem.Field) {
	switch {
	case len(d.fields) < maxViolations:
		d.fields = append(d.fields, f)
	case len(d.fields) == maxViolations:
		d.fields = append(d.fields, problem.Field{Code: RuleTooMany, Detail: "there are more violations than these"})
	}
}

// at reports a violation of a named child.
func (d *decoder) at(name, rule, format string, args ...any) {
	d.path = append(d.path, segment{name: name, named: true})
	d.report(rule, format, args...)
	d.path = d.path[:len(d.path)-1]
}

// mismatch reports a value of the wrong type and consumes it.
func (d *decoder) mismatch(want string) {
	c := d.peek()
	d.raw()
	hint := ""
	switch {
	case c == 'n':
		hint = "; give a value or remove the key"
	case strings.HasPrefix(want, "a string") && (typeName(c) == "a number" || c == 't' || c == 'f'):
		hint = "; put it in quotes"
	case strings.HasPrefix(want, "a list"):
		hint = "; put it in [ ]"
	}
	d.report(RuleType, "expected %s, got %s%s", want, typeName(c), hint)
}

func (d *decoder) value(p *plan, v reflect.Value) {
	c := d.peek()
	switch p.kind {
	case pointerKind:
		nv := p.elem.fresh()
		if !v.IsNil() {
			nv.Set(v.Elem())
		}
		before := len(d.fields)
		d.value(p.elem, nv)
		if len(d.fields) == before {
			v.Set(nv.Addr())
		}
	case objectKind:
		if c != '{' {
			d.mismatch("an object")
			return
		}
		d.object(p, v)
	case mapKind:
		if c != '{' {
			d.mismatch("an object")
			return
		}
		d.mapping(p, v)
	case listKind:
		if c != '[' {
			d.mismatch("a list")
			return
		}
		d.list(p, v)
	case boolKind:
		if c != 't' && c != 'f' {
			d.mismatch("true or false")
			return
		}
		d.raw()
		v.SetBool(c == 't')
	case intKind, uintKind, floatKind:
		d.number(p, v, c)
	case stringKind:
		if c != '"' {
			d.mismatch("a string")
			return
		}
		text := d.text()
		d.checkText(p, text)
		v.SetString(string(text))
	case textKind:
		d.parsed(p, v, c)
	case jsonKind:
		if c == 'n' {
			d.mismatch("a value")
			return
		}
		d.foreign(v)
	case anyKind:
		raw := d.raw()
		if p.typ.Kind() == reflect.Interface {
			_ = json.Unmarshal(raw, v.Addr().Interface()) // json.Valid has accepted it
			return
		}
		v.SetBytes(append([]byte(nil), raw...))
	}
}

func (d *decoder) object(p *plan, v reflect.Value) {
	var seen [maxFields / 64]uint64
	d.members(func(key []byte) {
		i, ok := p.byName[string(key)]
		if !ok {
			d.raw()
			d.at(string(key), RuleUnknown, "unknown field %q%s", key, suggest(string(key), func(yield func(string) bool) {
				for _, f := range p.fields {
					if !yield(f.name) {
						return
					}
				}
			}))
			return
		}
		f := &p.fields[i]
		d.path = append(d.path, segment{name: f.name, named: true})
		if seen[i/64]&(1<<(i%64)) != 0 {
			d.raw()
			d.report(RuleDuplicate, "field %q is given twice; keep one", f.name)
		} else {
			seen[i/64] |= 1 << (i % 64)
			d.value(f.plan, v.FieldByIndex(f.index))
		}
		d.path = d.path[:len(d.path)-1]
	})
	has := func(i int) bool { return seen[i/64]&(1<<(i%64)) != 0 }
	for i := range p.fields {
		if f := &p.fields[i]; f.tag.required && !has(i) {
			d.at(f.name, RuleRequired, "field %q is required", f.name)
		}
	}
	for _, g := range p.groups {
		n := 0
		for _, i := range g.members {
			if has(i) {
				n++
			}
		}
		switch {
		case g.exactly && n != 1:
			d.report(RuleOneOf, "give exactly one of %s; there are %d", strings.Join(g.names, ", "), n)
		case n == 0:
			d.report(RuleAnyOf, "give at least one of %s", strings.Join(g.names, ", "))
		}
	}
}

// members consumes an object and calls each with a key, to consume the value.
func (d *decoder) members(each func(key []byte)) {
	d.take('{')
	if d.take('}') {
		return
	}
	for {
		key := d.text()
		d.take(':')
		each(key)
		if !d.take(',') {
			d.take('}')
			return
		}
	}
}

func (d *decoder) mapping(p *plan, v reflect.Value) {
	m := reflect.MakeMap(p.typ)
	d.members(func(k []byte) {
		key := string(k)
		d.path = append(d.path, segment{name: key, named: true})
		defer func() { d.path = d.path[:len(d.path)-1] }()
		kv := reflect.ValueOf(key).Convert(p.typ.Key())
		if m.MapIndex(kv).IsValid() {
			d.raw()
			d.report(RuleDuplicate, "key %q is given twice; keep one", key)
			return
		}
		if p.keyPattern != nil && !p.keyPattern.MatchString(key) {
			d.report(RulePattern, "key %q must match %s", key, p.keyPattern)
		}
		ev := p.elem.fresh()
		d.value(p.elem, ev)
		m.SetMapIndex(kv, ev)
	})
	d.checkItems(p, m.Len(), "keys")
	v.Set(m)
}

func (d *decoder) list(p *plan, v reflect.Value) {
	s := reflect.New(p.typ).Elem()
	s.Set(reflect.MakeSlice(p.typ, 0, 0))
	var seen map[any]bool
	if p.unique {
		seen = map[any]bool{}
	}
	d.take('[')
	n := 0
	for more := !d.take(']'); more; n++ {
		s.Grow(1)
		s.SetLen(n + 1)
		e := s.Index(n)
		e.Set(p.elem.fresh())
		d.path = append(d.path, segment{index: n})
		before := len(d.fields)
		d.value(p.elem, e)
		if p.unique && len(d.fields) == before {
			if seen[e.Interface()] {
				d.report(RuleDuplicate, "the same value stands in the list before; keep one")
			}
			seen[e.Interface()] = true
		}
		d.path = d.path[:len(d.path)-1]
		if more = d.take(','); !more {
			d.take(']')
		}
	}
	d.checkItems(p, n, "elements")
	v.Set(s)
}

func (d *decoder) checkItems(p *plan, n int, what string) {
	if p.minItems >= 0 && n < p.minItems {
		d.report(RuleMinItems, "has %d %s, must have at least %d", n, what, p.minItems)
	}
	if p.maxItems >= 0 && n > p.maxItems {
		d.report(RuleMaxItems, "has %d %s, may have at most %d", n, what, p.maxItems)
	}
}

// parsed decodes a type that parses its own text.
func (d *decoder) parsed(p *plan, v reflect.Value, c byte) {
	var text []byte
	switch {
	case c == '"':
		text = d.text()
		if !p.secret || !isReference(string(text)) { // what it names is checked when it is resolved
			d.checkText(p, text)
		}
	case p.integers && typeName(c) == "a number":
		num := d.raw()
		digits, ok := whole(num)
		if !ok {
			d.report(RuleType, "expected a whole number or a string with a unit, got %s", num)
			return
		}
		text = []byte(digits)
	default:
		want := "a string"
		if p.own != nil && p.own.example != "" {
			want += " such as " + p.own.example
		}
		d.mismatch(want)
		return
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(text); err != nil {
		d.report(RuleFormat, "%s", err)
		return
	}
	if !p.ordered {
		return
	}
	if n := v.Int(); p.hasMin && n < p.minInt {
		d.report(RuleMinimum, "must be at least %s", p.minText)
	} else if p.hasMax && n > p.maxInt {
		d.report(RuleMaximum, "must be at most %s", p.maxText)
	}
}

// foreign hands a value to a type that decodes itself.
func (d *decoder) foreign(v reflect.Value) {
	err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(d.raw())
	if err == nil {
		return
	}
	var vs Violations
	if !errors.As(err, &vs) {
		d.report(RuleInvalid, "%s", err)
		return
	}
	base := d.pointer()
	for _, f := range vs {
		f.Pointer = base + f.Pointer
		d.add(f)
	}
}
