package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// builder turns a plan and its default values into nodes.
type builder struct{ docs []Docs }

// node describes a value whose default is v.
func (b *builder) node(p *plan, v reflect.Value) *Node {
	if p.kind == pointerKind {
		if v.IsNil() {
			return b.node(p.elem, p.elem.fresh())
		}
		return b.node(p.elem, v.Elem())
	}
	n := &Node{}
	if p.own != nil {
		n = p.own.Clone()
	}
	if t := b.text(p.typ, ""); t != "" {
		n.Title, n.Description = humanise(p.typ.Name()), t
	}
	n.WriteOnly = n.WriteOnly || p.secret
	switch p.kind {
	case objectKind:
		b.object(n, p, v)
	case mapKind:
		n.Type = Types{"object"}
		n.AdditionalProperties = &Additional{Node: b.node(p.elem, p.elem.fresh())}
		n.MinProperties, n.MaxProperties = optional(p.minItems), optional(p.maxItems)
		if p.keyPattern != nil {
			n.PropertyNames = &Node{Pattern: p.keyPattern.String()}
		}
	case listKind:
		n.Type = Types{"array"}
		n.Items = b.node(p.elem, p.elem.fresh())
		n.MinItems, n.MaxItems, n.UniqueItems = optional(p.minItems), optional(p.maxItems), p.unique
	case boolKind:
		n.Type = Types{"boolean"}
	case intKind, uintKind, floatKind:
		number(n, p)
	case stringKind, textKind:
		if n.Type == nil {
			n.Type = Types{"string"}
		}
		textBounds(n, p)
	}
	return n
}

func (b *builder) object(n *Node, p *plan, v reflect.Value) {
	n.Type, n.AdditionalProperties = Types{"object"}, Closed()
	n.Properties = make(map[string]*Node, len(p.fields))
	for i, f := range p.fields {
		fv := v.FieldByIndex(f.index)
		c := b.node(f.plan, fv)
		c.Title = humanise(f.name)
		if t := b.text(f.owner, f.goName); t != "" {
			c.Description = t
		}
		c.Order, c.Group, c.When, c.Deprecated = i+1, f.tag.group, f.tag.when, f.tag.deprecated
		if f.tag.required {
			n.Required = append(n.Required, f.name)
		} else if d, ok := defaultOf(f.plan, fv); ok {
			c.Default = d
		}
		n.Properties[f.name] = c
	}
	for _, g := range p.groups {
		rule := &Node{}
		var alternatives []*Node
		for _, name := range g.names {
			alternatives = append(alternatives, &Node{Required: []string{name}})
		}
		if g.exactly {
			rule.OneOf = alternatives
		} else {
			rule.AnyOf = alternatives
		}
		n.AllOf = append(n.AllOf, rule)
	}
}

func number(n *Node, p *plan) {
	n.Type = Types{"integer"}
	switch p.kind {
	case floatKind:
		n.Type = Types{"number"}
		n.Minimum, n.Maximum = json.Number(p.minText), json.Number(p.maxText)
	case intKind:
		// The range of 64 bits is left out: it is no bound that a user meets.
		lo, hi := intRange(p)
		if lo != math.MinInt64 {
			n.Minimum = json.Number(strconv.FormatInt(lo, 10))
		}
		if hi != math.MaxInt64 {
			n.Maximum = json.Number(strconv.FormatInt(hi, 10))
		}
	case uintKind:
		lo, hi := uintRange(p)
		n.Minimum = json.Number(strconv.FormatUint(lo, 10))
		if hi != math.MaxUint64 {
			n.Maximum = json.Number(strconv.FormatUint(hi, 10))
		}
	}
}

func textBounds(n *Node, p *plan) {
	if p.secret && (p.minLength >= 0 || p.maxLength >= 0 || p.pattern != nil) {
		value, bare := &Node{}, *p
		bare.secret = false
		textBounds(value, &bare)
		n.AnyOf = []*Node{{Pattern: referencePattern}, value}
		return
	}
	if p.minLength >= 0 {
		n.MinLength = optional(p.minLength)
	}
	if p.maxLength >= 0 {
		n.MaxLength = optional(p.maxLength)
	}
	if p.enum != nil {
		n.Enum = p.enum
	}
	if p.format != "" {
		n.Format = formatKeyword(p.format)
	}
	if p.pattern != nil {
		if n.Pattern != "" {
			n.AllOf = append(n.AllOf, &Node{Pattern: p.pattern.String()})
		} else {
			n.Pattern = p.pattern.String()
		}
	}
	if p.ordered {
		n.AtLeast, n.AtMost = p.minText, p.maxText
	}
	if p.integers {
		n.Minimum = "0"
		if p.hasMin {
			n.Minimum = json.Number(strconv.FormatInt(p.minInt, 10))
		}
		if p.hasMax {
			n.Maximum = json.Number(strconv.FormatInt(p.maxInt, 10))
		}
	}
}

func optional(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

// defaultOf returns a default value as JSON; false when there is none to show.
// A zero that breaks the bounds means "not set" and is not shown.
func defaultOf(p *plan, v reflect.Value) (json.RawMessage, bool) {
	if p.kind == pointerKind {
		if v.IsNil() {
			return nil, false
		}
		return defaultOf(p.elem, v.Elem())
	}
	if p.kind == objectKind || p.secret || p.empty(v) {
		return nil, false // the fields of an object have their own
	}
	raw, ok := encode(p, v)
	if !ok || len(decode(p, raw, p.fresh())) > 0 {
		return nil, false
	}
	return raw, true
}

// checkDefaults refuses default values that the type itself would refuse, and
// default secrets.
func checkDefaults(p *plan, v reflect.Value, at string) error {
	switch {
	case p.kind == pointerKind:
		if v.IsNil() {
			return nil
		}
		return checkDefaults(p.elem, v.Elem(), at)
	case p.kind == objectKind:
		for _, f := range p.fields {
			if err := checkDefaults(f.plan, v.FieldByIndex(f.index), at+"/"+f.name); err != nil {
				return err
			}
		}
		return nil
	case p.empty(v) || v.IsZero():
		return nil
	case p.secret:
		return fmt.Errorf("%s: a secret must not have a default value", at)
	}
	raw, ok := encode(p, v)
	if !ok {
		return fmt.Errorf("%s: default value cannot be written as JSON", at)
	}
	if fs := decode(p, raw, p.fresh()); len(fs) > 0 {
		return fmt.Errorf("%s%s: default value %s: %s", at, fs[0].Pointer, raw, fs[0].Detail)
	}
	return nil
}

// encode writes a value so that decode accepts it: what is not set, and
// secrets, are left out. It is false when nothing is left.
func encode(p *plan, v reflect.Value) (json.RawMessage, bool) {
	switch p.kind {
	case pointerKind:
		if v.IsNil() {
			return nil, false
		}
		return encode(p.elem, v.Elem())
	case objectKind:
		out := []byte{'{'}
		for _, f := range p.fields {
			fv := v.FieldByIndex(f.index)
			if f.plan.kind != objectKind && fv.IsZero() {
				if _, ok := defaultOf(f.plan, fv); !ok {
					continue
				}
			}
			if raw, ok := encode(f.plan, fv); ok {
				out = appendMember(out, f.name, raw)
			}
		}
		return append(out, '}'), true
	case mapKind:
		if v.IsNil() {
			return nil, false
		}
		m := make(map[string]json.RawMessage, v.Len())
		for it := v.MapRange(); it.Next(); {
			raw, ok := encode(p.elem, it.Value())
			if !ok {
				return nil, false
			}
			m[it.Key().String()] = raw
		}
		raw, err := marshal(m)
		return raw, err == nil
	case listKind:
		if v.IsNil() {
			return nil, false
		}
		out := []byte{'['}
		for i := range v.Len() {
			raw, ok := encode(p.elem, v.Index(i))
			if !ok {
				return nil, false
			}
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, raw...)
		}
		return append(out, ']'), true
	}
	if p.secret {
		return nil, false
	}
	raw, err := marshal(v.Interface())
	return raw, err == nil && string(raw) != "null"
}

func appendMember(out []byte, name string, raw []byte) []byte {
	if len(out) > 1 {
		out = append(out, ',')
	}
	key, _ := marshal(name) // a string cannot fail
	return append(append(append(out, key...), ':'), raw...)
}

// humanise turns maxBytes into "Max bytes" and JWKSURL into "JWKSURL".
func humanise(name string) string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		switch {
		case r == '_' || r == '-':
			b.WriteByte(' ')
			continue
		case i == 0:
			r = unicode.ToUpper(r)
		case unicode.IsUpper(r) && !unicode.IsUpper(rs[i-1]):
			b.WriteByte(' ')
			if i+1 < len(rs) && !unicode.IsUpper(rs[i+1]) {
				r = unicode.ToLower(r)
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}
