package scim

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// The kinds of operations of a patch (RFC 7644 section 3.5.2).
const (
	Add     = "add"
	Remove  = "remove"
	Replace = "replace"
)

// Operation is one change of a patch.
type Operation struct {
	// Op is one of Add, Remove and Replace.
	Op string
	// Path is nil where the value says what is meant.
	Path  *Path
	Value any
}

// mostOperations bounds those of one patch.
const mostOperations = 1000

// ParsePatch reads the body of a patch. Names of operations are taken in any case,
// because Entra ID capitalises them.
func ParsePatch(body []byte) ([]Operation, error) {
	var in struct {
		Schemas    []string
		Operations []struct {
			Op    string
			Path  *string
			Value any
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, bad(InvalidSyntax, "the body is not a patch: %s", patchSchema)
	}
	var whole any
	if json.Unmarshal(body, &whole) != nil || !utf8.Valid(body) || !isText(whole) {
		return nil, errNoText()
	}
	switch {
	case len(in.Schemas) != 1 || !strings.EqualFold(in.Schemas[0], patchSchema):
		return nil, bad(InvalidSyntax, "the schema of a patch is %s", patchSchema)
	case len(in.Operations) == 0:
		return nil, bad(InvalidSyntax, "a patch has Operations")
	case len(in.Operations) > mostOperations:
		return nil, Fail(413, TooMany, "a patch has at most %d operations", mostOperations)
	}
	out := make([]Operation, len(in.Operations))
	for i, o := range in.Operations {
		out[i] = Operation{Op: strings.ToLower(o.Op), Value: o.Value}
		if o.Path != nil && strings.TrimSpace(*o.Path) != "" {
			p, err := ParsePath(*o.Path)
			if err != nil {
				return nil, err
			}
			out[i].Path = &p
		}
		switch out[i].Op {
		case Remove:
			if out[i].Path == nil {
				return nil, bad(NoTarget, "remove needs a path")
			}
		case Add, Replace:
			if _, ok := o.Value.(map[string]any); out[i].Path == nil && !ok {
				return nil, bad(InvalidValue, "without a path the value is an object")
			}
		default:
			return nil, bad(InvalidSyntax, "%q is no operation: use add, remove or replace", short(o.Op))
		}
	}
	return out, nil
}

// Patch makes the changes of a patch to a resource, which is as [Type.Read] returns
// it. After an error the resource is spoilt.
func (t Type) Patch(resource map[string]any, patch []Operation) error {
	for _, o := range patch {
		if o.Path != nil {
			if err := t.change(resource, o.Op, *o.Path, o.Value); err != nil {
				return err
			}
			continue
		}
		values, _ := o.Value.(map[string]any)
		for name, v := range values {
			if err := t.named(resource, o.Op, name, v); err != nil {
				return err
			}
		}
	}
	return t.Check(resource)
}

// named changes what a name in the value of an operation without a path means. Entra
// ID and Okta name parts of attributes and of extensions there, as paths do. What is
// not in the schema is left out, as it is where a resource is made.
func (t Type) named(resource map[string]any, op, name string, v any) error {
	p, err := ParsePath(name)
	if err != nil {
		return nil //nolint:nilerr // it is not in the schema
	}
	if p.Schema != "" && p.Attribute == "" {
		inner, _ := v.(map[string]any)
		for k, x := range inner {
			q, err := ParsePath(p.Schema + ":" + k)
			if err != nil {
				continue
			}
			if _, ok := t.attribute(q); ok {
				if err := t.change(resource, op, q, x); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if a, ok := t.attribute(p); !ok || a.ReadOnly {
		return nil
	}
	return t.change(resource, op, p, v)
}

// change makes one change.
func (t Type) change(resource map[string]any, op string, p Path, v any) error {
	if p.Schema != "" && p.Attribute == "" {
		if p.Schema != t.Extension.ID {
			return noSuch(p)
		}
		if op == Remove {
			delete(resource, p.Schema)
			return nil
		}
		return t.named(resource, op, p.Schema, v)
	}
	a, ok := t.attribute(p)
	if !ok {
		return noSuch(p)
	}
	if a.ReadOnly {
		return bad(Mutability, "%s cannot be changed", a.Name)
	}
	in := resource
	if p.Schema != "" {
		in, _ = resource[p.Schema].(map[string]any)
		if in == nil {
			in = map[string]any{}
		}
	}
	var err error
	switch {
	case p.Filter != nil && !a.Multi:
		return bad(InvalidPath, "%s has one value: brackets mean nothing there", a.Name)
	case p.Filter != nil:
		err = a.changeSome(in, op, p, v)
	case p.Sub != "":
		err = a.changePart(in, op, p, v)
	default:
		err = a.changeAll(in, op, v)
	}
	if err == nil && p.Schema != "" {
		put(resource, p.Schema, in)
	}
	return err
}

func noSuch(p Path) error { return bad(InvalidPath, "there is no attribute %s", p) }

// changeAll changes an attribute as a whole.
func (a Attribute) changeAll(in map[string]any, op string, v any) error {
	if op == Remove {
		if list, ok := in[a.Name].([]any); ok && v != nil { // Entra ID says in the value which ones
			gone, err := a.value(v)
			if err != nil {
				return err
			}
			put(in, a.Name, without(list, gone))
			return nil
		}
		if a.Required {
			return bad(Mutability, "%s is required", a.Name)
		}
		delete(in, a.Name)
		return nil
	}
	value, err := a.value(v)
	if err != nil {
		return err
	}
	have := in[a.Name]
	switch x := value.(type) {
	case map[string]any:
		if old, ok := have.(map[string]any); ok { // what is not named stays (RFC 7644 section 3.5.2.3)
			for k, y := range x {
				old[k] = y
			}
			value = old
		}
	case []any:
		if old, ok := have.([]any); ok && op == Add {
			value = joined(old, x)
		}
	}
	put(in, a.Name, value)
	return nil
}

// same is by what a value that is to go is told from others: by its value alone,
// where it has one.
func same(v any) string {
	if o, ok := v.(map[string]any); ok {
		if s, ok := o["value"].(string); ok {
			return s
		}
	}
	return key(v)
}

func without(list []any, gone any) []any {
	remove := map[string]bool{}
	some, _ := gone.([]any)
	for _, x := range some {
		remove[same(x)] = true
	}
	out := list[:0]
	for _, x := range list {
		if !remove[same(x)] {
			out = append(out, x)
		}
	}
	return out
}

// joined adds values that are not there yet. One that is primary now takes that from
// the others.
func joined(have, more []any) []any {
	known := map[string]bool{}
	for _, x := range have {
		known[key(x)] = true
	}
	primary := false
	for _, x := range more {
		if o, ok := x.(map[string]any); ok && o["primary"] == true {
			primary = true
		}
	}
	for _, o := range objects(have) {
		if primary && o["primary"] == true {
			o["primary"] = false
		}
	}
	for _, x := range more {
		if k := key(x); !known[k] {
			known[k] = true
			have = append(have, x)
		}
	}
	return have
}

// changePart changes a sub-attribute, of all values where there are several.
func (a Attribute) changePart(in map[string]any, op string, p Path, v any) error {
	sub, ok := find(a.Sub, p.Sub)
	if !ok {
		return noSuch(p)
	}
	if sub.ReadOnly {
		return bad(Mutability, "%s cannot be changed", p)
	}
	var value any
	var err error
	if op != Remove {
		if value, err = sub.value(v); err != nil {
			return err
		}
	}
	all := objects(in[a.Name])
	if len(all) == 0 && value != nil {
		o := map[string]any{}
		all = append(all, o)
		if a.Multi {
			in[a.Name] = []any{o}
		} else {
			in[a.Name] = o
		}
	}
	for _, o := range all {
		put(o, sub.Name, value)
	}
	a.tidy(in)
	return nil
}

// tidy takes away values in which nothing is left.
func (a Attribute) tidy(in map[string]any) {
	list, ok := in[a.Name].([]any)
	if !ok {
		put(in, a.Name, in[a.Name])
		return
	}
	out := list[:0]
	for _, x := range list {
		if o, ok := x.(map[string]any); !ok || len(o) > 0 {
			out = append(out, x)
		}
	}
	put(in, a.Name, out)
}

// changeSome changes those of several values that the filter in brackets means.
func (a Attribute) changeSome(in map[string]any, op string, p Path, v any) error {
	sub, part := find(a.Sub, p.Sub)
	if p.Sub != "" && !part {
		return noSuch(p)
	}
	list, _ := in[a.Name].([]any)
	var met []map[string]any
	out := make([]any, 0, len(list)+1)
	for _, x := range list {
		o, _ := x.(map[string]any)
		matches := o != nil && p.Filter.Matches(a, o)
		if matches {
			met = append(met, o)
		}
		if !matches || op != Remove || part {
			out = append(out, x)
		}
	}
	if op == Remove {
		for _, o := range met {
			if part {
				delete(o, sub.Name)
			}
		}
		put(in, a.Name, out)
		a.tidy(in)
		return nil
	}
	var value any
	var err error
	if part {
		value, err = sub.value(v)
	} else {
		value, err = a.single(v)
	}
	if err != nil {
		return err
	}
	if len(met) == 0 { // Entra ID sets what is not there yet
		o := map[string]any{}
		if !implied(a, p.Filter, o) {
			return bad(NoTarget, "nothing in %s is as the brackets say", a.Name)
		}
		met, out = append(met, o), append(out, o)
	}
	for _, o := range met {
		if part {
			put(o, sub.Name, value)
			continue
		}
		fields, _ := value.(map[string]any)
		if op == Replace {
			clear(o)
		}
		for k, x := range fields {
			o[k] = x
		}
	}
	put(in, a.Name, out)
	a.tidy(in)
	rest, _ := in[a.Name].([]any)
	return onlyPrimary(a, rest)
}

// implied writes into a value what a filter says of it, and reports whether it says
// so plainly.
func implied(a Attribute, f *Filter, o map[string]any) bool {
	switch f.Operator {
	case And:
		for _, part := range f.Of {
			if !implied(a, part, o) {
				return false
			}
		}
		return true
	case Equal:
		sub, ok := find(a.Sub, f.Path.Attribute)
		if !ok || f.Path.Sub != "" {
			return false
		}
		v, err := sub.value(f.Value)
		if err != nil || v == nil {
			return false
		}
		o[sub.Name] = v
		return true
	}
	return false
}
