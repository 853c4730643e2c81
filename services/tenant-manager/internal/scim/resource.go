package scim

import (
	"encoding/json"
	"slices"
	"strings"
)

// Read returns a resource that was sent with the names of its schema, each value of
// its type, and without what is read-only, empty, or not in the schema.
func (t Type) Read(in map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for name, v := range in {
		if t.Extension.ID != "" && strings.EqualFold(name, t.Extension.ID) {
			o, ok := v.(map[string]any)
			if !ok && v != nil {
				return nil, bad(InvalidValue, "%s is an object", t.Extension.ID)
			}
			inner, err := readAll(t.Extension.Attributes, o)
			if err != nil {
				return nil, err
			}
			put(out, t.Extension.ID, inner)
			continue
		}
		p, ok := readName(name)
		if !ok || p.Schema != "" || p.Sub != "" {
			continue
		}
		a, ok := t.attribute(p)
		if !ok || a.ReadOnly {
			continue
		}
		if _, twice := out[a.Name]; twice {
			return nil, bad(InvalidSyntax, "%s is there twice", a.Name)
		}
		v, err := a.value(v)
		if err != nil {
			return nil, err
		}
		put(out, a.Name, v)
	}
	return out, t.Check(out)
}

// Check returns an error where something that is required is not there.
func (t Type) Check(resource map[string]any) error {
	for _, a := range t.Core.Attributes {
		if a.Required && resource[a.Name] == nil {
			return bad(InvalidValue, "%s is required", a.Name)
		}
	}
	return nil
}

// put sets what there is, and takes away what there is not.
func put(to map[string]any, name string, v any) {
	switch x := v.(type) {
	case map[string]any:
		if len(x) == 0 {
			v = nil
		}
	case []any:
		if len(x) == 0 {
			v = nil
		}
	}
	if v == nil {
		delete(to, name)
		return
	}
	to[name] = v
}

func readAll(list []Attribute, in map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for name, v := range in {
		a, ok := find(list, name)
		if !ok || a.ReadOnly {
			continue
		}
		v, err := a.value(v)
		if err != nil {
			return nil, err
		}
		put(out, a.Name, v)
	}
	return out, nil
}

// value reads a value of the attribute: nil where there is none.
func (a Attribute) value(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if !a.Multi {
		return a.single(v)
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	out := make([]any, 0, len(list))
	for _, x := range list {
		one, err := a.single(x)
		if err != nil {
			return nil, err
		}
		if o, ok := one.(map[string]any); one == nil || ok && len(o) == 0 {
			continue
		}
		out = append(out, one)
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, onlyPrimary(a, out)
}

func onlyPrimary(a Attribute, list []any) error {
	primary := 0
	for _, x := range list {
		if o, ok := x.(map[string]any); ok && o["primary"] == true {
			primary++
		}
	}
	if primary > 1 {
		return bad(InvalidValue, "only one of %s can be primary", a.Name)
	}
	return nil
}

func (a Attribute) single(v any) (any, error) {
	if list, ok := v.([]any); ok && len(list) == 1 && !a.Multi { // some send single values as lists of one
		v = list[0]
		if o, ok := v.(map[string]any); ok && a.Type != Complex {
			v = o["value"]
		}
	}
	switch a.Type {
	case Complex:
		o, ok := v.(map[string]any)
		if s, text := v.(string); text {
			if s == "" {
				return nil, nil
			}
			if _, has := find(a.Sub, "value"); !has {
				return nil, wrongType(a, "an object")
			}
			o, ok = map[string]any{"value": s}, true // Entra ID names a manager so
		}
		if !ok {
			return nil, wrongType(a, "an object")
		}
		return readAll(a.Sub, o)
	case Boolean:
		is, ok := truth(v)
		if !ok {
			return nil, wrongType(a, "true or false")
		}
		return is, nil
	}
	s, ok := v.(string)
	switch {
	case !ok:
		return nil, wrongType(a, "a text")
	case strings.ContainsRune(s, 0):
		return nil, bad(InvalidValue, "%s has a character that is not text", a.Name)
	case s == "":
		return nil, nil
	}
	return s, nil
}

func wrongType(a Attribute, want string) error { return bad(InvalidValue, "%s is %s", a.Name, want) }

// Clone returns a copy of a resource, whose values are as JSON has them.
func Clone(resource map[string]any) map[string]any {
	out, _ := clone(resource).(map[string]any)
	return out
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = clone(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = clone(x)
		}
		return out
	}
	return v
}

// Same reports whether two values are the same, as JSON has them.
func Same(a, b any) bool { return key(a) == key(b) }

// key is a value as a text by which it is told from others.
func key(v any) string {
	b, _ := json.Marshal(v) // of what was read from JSON
	return string(b)
}

// Selection says which attributes of resources are asked for (RFC 7644 section
// 3.4.2.5).
type Selection struct {
	// Only are those that are wanted, and Without those that are not; at most one of
	// them is not empty.
	Only, Without []Path
}

// Wants reports whether an attribute of the schema itself is asked for.
func (s Selection) Wants(name string) bool {
	named := func(p Path) bool { return p.Schema == "" && strings.EqualFold(p.Attribute, name) }
	if len(s.Only) > 0 {
		return slices.ContainsFunc(s.Only, named)
	}
	return !slices.ContainsFunc(s.Without, func(p Path) bool { return named(p) && p.Sub == "" })
}

// Of returns what is asked for of a resource; id and schemas always.
func (s Selection) Of(t Type, resource map[string]any) map[string]any {
	if len(s.Only) == 0 && len(s.Without) == 0 {
		return resource
	}
	out := map[string]any{}
	if len(s.Only) == 0 {
		out = Clone(resource)
		for _, p := range s.Without {
			if at, name, ok := t.at(out, p); ok && at != nil && name != "id" && name != "schemas" {
				take(at, name, p.Sub)
			}
		}
	}
	for _, p := range s.Only {
		from, name, ok := t.at(resource, p)
		if !ok || from == nil || from[name] == nil {
			continue
		}
		to := out
		if p.Schema != "" && p.Attribute != "" {
			inner, _ := out[p.Schema].(map[string]any)
			if inner == nil {
				inner = map[string]any{}
				out[p.Schema] = inner
			}
			to = inner
		}
		give(to, name, p.Sub, from[name])
	}
	out["id"], out["schemas"] = resource["id"], resource["schemas"]
	return out
}

// at returns where a path's attribute stands, and its name there.
func (t Type) at(resource map[string]any, p Path) (in map[string]any, name string, ok bool) {
	if p.Schema != "" && p.Attribute == "" {
		return resource, p.Schema, p.Schema == t.Extension.ID
	}
	a, ok := t.attribute(p)
	if !ok || p.Schema == "" {
		return resource, a.Name, ok
	}
	in, _ = resource[p.Schema].(map[string]any)
	return in, a.Name, true
}

// take removes an attribute, or a part of each of its values.
func take(in map[string]any, name, sub string) {
	if sub == "" {
		delete(in, name)
		return
	}
	for _, o := range objects(in[name]) {
		for k := range o {
			if strings.EqualFold(k, sub) {
				delete(o, k)
			}
		}
	}
}

// give adds an attribute, or a part of each of its values, to what is there.
func give(to map[string]any, name, sub string, v any) {
	if sub == "" {
		to[name] = v
		return
	}
	part := func(o map[string]any) map[string]any {
		out := map[string]any{}
		for k, x := range o {
			if strings.EqualFold(k, sub) {
				out[k] = x
			}
		}
		return out
	}
	have := objects(to[name])
	switch v := v.(type) {
	case map[string]any:
		out := part(v)
		if len(have) == 1 {
			for k, x := range out {
				have[0][k] = x
			}
			return
		}
		to[name] = out
	case []any:
		if len(have) != len(v) {
			have = make([]map[string]any, len(v))
		}
		out := make([]any, len(v))
		for i, x := range v {
			o, _ := x.(map[string]any)
			merged := part(o)
			for k, y := range have[i] {
				merged[k] = y
			}
			out[i] = merged
		}
		to[name] = out
	}
}

// objects returns a value, or all of its values, where they are objects.
func objects(v any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		out := make([]map[string]any, 0, len(v))
		for _, x := range v {
			if o, ok := x.(map[string]any); ok {
				out = append(out, o)
			}
		}
		return out
	}
	return nil
}
