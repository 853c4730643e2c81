package openapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Direction says in which message a value stands, for readOnly and writeOnly.
type Direction int

// The directions.
const (
	InRequest  Direction = iota // readOnly properties must not be there
	InResponse                  // writeOnly properties must not be there
	Both                        // neither is looked at
)

// variant is the document as it holds in one direction.
type variant struct {
	compiler *jsonschema.Compiler
	flag     string // readOnly or writeOnly
	d        *Document
}

const address = "gatehouse:///openapi.json"

// Checker checks values against a schema. It may be used by several goroutines.
type Checker struct {
	schema  *jsonschema.Schema
	variant *variant
}

// Compile returns the checker of a schema, nil for no schema. Its error names
// the place in the document. What any schema of the document does wrong shows
// when the first is compiled.
func (d *Document) Compile(s *Schema, dir Direction) (*Checker, error) {
	if s == nil {
		return nil, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	v, err := d.variant(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the schemas: %w", err)
	}
	schema, err := v.compiler.Compile(address + "#/$defs/" + fragment(escape(s.pointer)))
	if err != nil {
		return nil, fmt.Errorf("schema at %s: %w", s.pointer, plain(err))
	}
	return &Checker{schema, v}, nil
}

// plain makes an error of the compiler one for people.
func plain(err error) error {
	var invalid *jsonschema.SchemaValidationError
	var v *jsonschema.ValidationError
	if !errors.As(err, &invalid) || !errors.As(invalid.Err, &v) {
		return err
	}
	if found := violations(v, nil, "", nil); len(found) > 0 { // the first is enough
		f := found[0]
		pointer := f.Pointer
		if rest, ok := strings.CutPrefix(pointer, "/$defs/"); ok {
			token, below, _ := strings.Cut(rest, "/")
			pointer = unescape(token) + "/" + below
		}
		if strings.HasSuffix(pointer, "/pattern") && f.Code == "format" {
			return fmt.Errorf("%s: the pattern is not RE2, which has neither lookaround nor back references; rewrite it", pointer)
		}
		return fmt.Errorf("%s: it is no valid schema: %s", pointer, f.Detail)
	}
	return err
}

// variant returns the document for a direction, made when it is first needed.
// All its schemas become definitions of one JSON Schema document, by their
// pointers: the compiler takes time for each schema that it does not find in a
// place for schemas, squared.
func (d *Document) variant(dir Direction) (*variant, error) {
	if v := d.variants[dir]; v != nil {
		return v, nil
	}
	v := &variant{compiler: jsonschema.NewCompiler(), flag: [...]string{"readOnly", "writeOnly", ""}[dir], d: d}
	m := mover{d: d, roots: maps.Clone(d.schemas), definitions: map[string]any{}, forbid: v.forbid}
	if err := m.move(); err != nil {
		return nil, err
	}
	v.compiler.DefaultDraft(jsonschema.Draft2020)
	v.compiler.AssertFormat()
	for _, f := range formats {
		v.compiler.RegisterFormat(&jsonschema.Format{Name: f.name, Validate: f.check})
	}
	v.compiler.UseLoader(noLoader{})
	if err := v.compiler.AddResource(address, map[string]any{"$defs": m.definitions}); err != nil {
		return nil, err
	}
	d.variants[dir] = v
	return v, nil
}

// mover copies the schemas of a document into definitions, and changes
// references so that they lead there.
type mover struct {
	d           *Document
	roots       map[string]any // by pointer
	definitions map[string]any // by pointer
	forbid      func(map[string]any)
}

func (m *mover) move() error {
	queue := slices.Sorted(maps.Keys(m.roots))
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		s := clone(m.roots[at])
		m.definitions[at] = s
		walk(s, m.forbid) // while references lead where they did
		var err error
		walk(s, func(node map[string]any) {
			ref, ok := node["$ref"].(string)
			if !ok || !strings.HasPrefix(ref, "#/") {
				return
			}
			target, pointer, lerr := m.d.lookup(ref)
			if lerr != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", at, lerr))
				return
			}
			root := m.root(pointer)
			if root == "" {
				root = pointer
				m.roots[pointer] = target
				queue = append(queue, pointer)
			}
			node["$ref"] = "#/$defs/" + fragment(escape(root)) + fragment(pointer[len(root):])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// root returns the pointer of the schema that a pointer leads into, or "".
func (m *mover) root(pointer string) string {
	for p := pointer; p != ""; p = p[:strings.LastIndexByte(p, '/')] {
		if _, ok := m.roots[p]; ok {
			return p
		}
	}
	return ""
}

type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("%q lies outside of the document; bundle the document first", url) //nolint:err113 // for people
}

// forbid makes the flagged properties of a schema ones that must not be there,
// and so cannot be required.
func (v *variant) forbid(s map[string]any) {
	if v.flag == "" {
		return
	}
	names := v.flagged(s, nil, 0)
	if len(names) == 0 {
		return
	}
	v.apply(s, names)
}

func (v *variant) apply(s map[string]any, names []string) {
	if required, ok := s["required"].([]any); ok {
		required = slices.DeleteFunc(slices.Clone(required), func(r any) bool {
			name, _ := r.(string)
			return slices.Contains(names, name)
		})
		s["required"] = required
	}
	if properties, ok := s["properties"].(map[string]any); ok {
		for _, n := range names {
			if p, ok := properties[n]; ok && v.has(p) {
				properties[n] = false
			}
		}
	}
	all, _ := s["allOf"].([]any)
	for _, e := range all {
		if m, ok := e.(map[string]any); ok {
			v.apply(m, names)
		}
	}
}

// flagged returns the names of the flagged properties of a schema and of what
// allOf adds to it.
func (v *variant) flagged(s map[string]any, names []string, depth int) []string {
	if depth > maxReferences {
		return names
	}
	properties, _ := s["properties"].(map[string]any)
	for n, p := range properties {
		if v.has(p) {
			names = append(names, n)
		}
	}
	all, _ := s["allOf"].([]any)
	for _, e := range all {
		if m, ok := v.d.Resolve(e).(map[string]any); ok {
			names = v.flagged(m, names, depth+1)
		}
	}
	return names
}

// has reports whether a property has the flag, itself or by what it refers to.
func (v *variant) has(p any) bool {
	if v.flag == "" {
		return false
	}
	if m, ok := p.(map[string]any); ok && m[v.flag] == true {
		return true
	}
	m, ok := v.d.Resolve(p).(map[string]any)
	return ok && m[v.flag] == true
}

// formats are those of the OpenAPI format registry that JSON Schema has not.
var formats = []struct {
	name  string
	check func(any) error
}{
	{"int32", integerWithin(math.MinInt32, math.MaxInt32)},
	{"int64", integerWithin(math.MinInt64, math.MaxInt64)},
	{"byte", func(v any) error {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		_, err := base64.StdEncoding.DecodeString(s)
		return err
	}},
}

var errRange = errors.New("it is out of range")

func integerWithin(low, high int64) func(any) error {
	return func(v any) error {
		n, ok := v.(json.Number)
		if !ok {
			return nil
		}
		text := n.String()
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			if i < low || i > high {
				return errRange
			}
			return nil
		}
		if f, err := n.Float64(); err == nil && f >= float64(low) && f <= float64(high) && strings.ContainsAny(text, ".eE") {
			return nil // such as 1.0; whether it is an integer says the type
		}
		return errRange
	}
}
