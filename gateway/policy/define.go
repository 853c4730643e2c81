package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Definition declares a policy type. Make it with [Define].
type Definition struct {
	// Name is the policy type: kebab-case, never used again for another.
	Name string
	// Title is for people, a few words.
	Title string
	// Doc is one paragraph that says what it is for.
	Doc string
	// Compile turns a configuration into hooks. It does all the work that can be
	// done once. Its error names the field and the fix.
	Compile func(raw json.RawMessage, env Env) (Hooks, error)
	// Example is a configuration that shows the usual use.
	Example string

	decode func(raw json.RawMessage) (any, []problem.Field)
}

// Define declares a policy type whose configuration is a C. Defaults are the
// values of fields that a configuration leaves out.
func Define[C any](name, title string, defaults C, compile func(C, Env) (Hooks, error)) Definition {
	decode := func(raw json.RawMessage) (any, []problem.Field) {
		c := defaults
		if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			return c, nil
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return c, []problem.Field{{Pointer: "", Code: "invalid", Detail: err.Error()}}
		}
		return c, nil
	}
	return Definition{
		Name: name, Title: title, decode: decode,
		Compile: func(raw json.RawMessage, env Env) (Hooks, error) {
			c, fields := decode(raw)
			if len(fields) > 0 {
				return Hooks{}, problem.Invalid("the configuration of policy "+name+" is invalid", fields...)
			}
			return compile(c.(C), env) //nolint:forcetypeassert // decode returns a C
		},
	}
}

// Check returns what is wrong with the form of a configuration, without
// compiling it.
func (d Definition) Check(raw json.RawMessage) []problem.Field {
	_, fields := d.decode(raw)
	return fields
}

// Registry is a set of policy types.
type Registry struct {
	byName map[string]Definition
	names  []string
}

// NewRegistry returns a registry of the given types. Two of the same name are an
// error.
func NewRegistry(defs ...Definition) (*Registry, error) {
	r := &Registry{byName: make(map[string]Definition, len(defs))}
	for _, d := range defs {
		if _, dup := r.byName[d.Name]; dup {
			return nil, fmt.Errorf("policy type %q is defined twice", d.Name)
		}
		r.byName[d.Name] = d
		r.names = append(r.names, d.Name)
	}
	slices.Sort(r.names)
	return r, nil
}

// Get returns the type of that name.
func (r *Registry) Get(name string) (Definition, bool) {
	d, ok := r.byName[name]
	return d, ok
}

// Names returns the names of all types, ordered.
func (r *Registry) Names() []string { return r.names }
