// Package schema derives two things from one Go config struct, so that they
// cannot drift apart: a JSON Schema (draft 2020-12) for documents and forms,
// and a strict decoder that reports every violation with its JSON pointer.
//
// Names come from `json` tags, bounds from `schema` tags (see [Of]), default
// values from a value of the struct, texts from its doc comments (see [Docs]).
// The package also owns the scalar types that configurations share: [Duration],
// [Bytes], [Secret], [Regexp] and [CIDR]. It knows nothing of files, YAML or
// any configuration in particular.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Schema describes one configuration type together with its default values.
// It is immutable and safe for concurrent use.
type Schema struct {
	plan     *plan
	defaults reflect.Value
	docs     []Docs
	node     func() *Node
}

// Option changes how a [Schema] is made.
type Option func(*Schema)

// WithDocs adds the texts of the types of one or more packages.
func WithDocs(docs ...Docs) Option {
	return func(s *Schema) { s.docs = append(s.docs, docs...) }
}

// Of returns the schema of C, whose default values are those of the value
// given. It fails on a type that it cannot describe (arrays, channels,
// recursive types, fields without a JSON name), on a malformed tag, on a
// default value that breaks the bounds, and on a default secret.
//
// The `schema` tag is a list separated by commas:
//
//	required                 the key must be present
//	min=1,max=10             bounds of a number, a Duration or a Bytes
//	minLength=1,maxLength=9  bounds of a string, in code points
//	enum=a|b|c               the strings allowed
//	format=uri               see [Formats]
//	pattern=^[a-z]+$         RE2; takes the rest of the tag, so it comes last
//	minItems=1,maxItems=9    bounds of a list or of the number of keys of a map
//	unique                   no string or whole number twice in a list
//	keyPattern=^[a-z]+$      RE2 for the keys of a map
//	oneof=g                  exactly one of the fields of group g is present
//	anyof=g                  at least one of the fields of group g is present
//	group=Advanced           hint for forms: x-group
//	when=mode:a|b            hint for forms: x-when, show when mode is a or b
//	deprecated               still accepted, no longer recommended
//
// On a list or map, bounds that do not concern the container apply to its
// elements. A struct with a method SchemaOneOf() must have exactly one of its
// fields present. A string type with a method Enum() []string takes only those
// values. A type with JSONSchema() *Node describes itself, and is decoded by
// its UnmarshalJSON or UnmarshalText; one that only has UnmarshalText is a
// string, whose format it may name with SchemaFormat() string, and which may
// have min and max where it is an int64. A type with a pointer method
// SetDefaults() gives the default values of fresh list elements, map values
// and pointers. A type with a method IsSecret() is write-only.
func Of[C any](defaults C, opts ...Option) (*Schema, error) { return OfPointer(&defaults, opts...) }

// OfPointer is [Of] for a type that is known only at run time: defaults points
// to a value of it.
func OfPointer(defaults any, opts ...Option) (*Schema, error) {
	ptr := reflect.ValueOf(defaults)
	if ptr.Kind() != reflect.Pointer || ptr.IsNil() {
		return nil, fmt.Errorf("schema of %T: it must be a pointer", defaults)
	}
	t := ptr.Type().Elem()
	p, err := planOf(t)
	if err != nil {
		return nil, err
	}
	v := reflect.New(t).Elem()
	v.Set(ptr.Elem())
	s := &Schema{plan: p, defaults: v}
	for _, o := range opts {
		o(s)
	}
	if err := checkDefaults(p, v, ""); err != nil {
		return nil, fmt.Errorf("default values of %s: %w", t, err)
	}
	s.node = sync.OnceValue(func() *Node {
		n := (&builder{docs: s.docs}).node(p, v)
		n.Schema = Dialect
		return n
	})
	return s, nil
}

// Node returns the root of the schema, built on first use. It is shared and
// must not be changed; use [Node.Clone] to build upon it.
func (s *Schema) Node() *Node { return s.node() }

// JSON returns the schema document: compact, with a stable order of keys, so
// that equal schemas are equal bytes.
func (s *Schema) JSON() []byte {
	b, err := marshal(s.node())
	if err != nil { // a Node holds only JSON values: cannot happen
		return []byte("false")
	}
	return b
}

// Defaults returns the default values as a JSON document that the schema
// accepts unless it has required fields. What is not set, and secrets, are
// left out.
func (s *Schema) Defaults() json.RawMessage {
	b, ok := encode(s.plan, s.defaults)
	if !ok {
		return json.RawMessage("{}")
	}
	return b
}

// Decode decodes a JSON document into a pointer to the schema's type and
// returns every violation; none means that it was accepted. Keys that are
// absent leave the values that into has, so fill it with the defaults first.
// After a violation, into is as it was.
//
// Stricter than encoding/json: keys match exactly, unknown and duplicate keys
// and null are refused, lists and maps are replaced and never merged.
func (s *Schema) Decode(raw []byte, into any) []problem.Field {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Type().Elem() != s.plan.typ {
		return []problem.Field{{Code: RuleType, Detail: fmt.Sprintf("cannot decode %s into %T", s.plan.typ, into)}}
	}
	return decode(s.plan, raw, v.Elem())
}

// Decode is [Schema.Decode] for any pointer to a type that [Of] can describe.
// What is derived from the type is kept for the next call.
func Decode(raw []byte, into any) []problem.Field {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return []problem.Field{{Code: RuleType, Detail: fmt.Sprintf("cannot decode into %T: it must be a pointer", into)}}
	}
	p, err := planOf(v.Type().Elem())
	if err != nil {
		return []problem.Field{{Code: RuleType, Detail: err.Error()}}
	}
	return decode(p, raw, v.Elem())
}

// marshal is json.Marshal without the escaping of <, > and &, which only HTML
// needs.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
