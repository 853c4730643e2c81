package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Definition declares a policy type. Make it with [Define].
type Definition struct {
	// Name is the policy type: kebab-case, never used again for another.
	Name string
	// Title is for people, a few words.
	Title string
	// Doc is one paragraph that says what it is for.
	Doc string
	// Example is a configuration, in YAML, that shows the usual use.
	Example string
	// Compile turns a configuration into hooks. It does all the work that can be
	// done once. Its error names the field and the fix.
	Compile func(raw json.RawMessage, env Env) (Hooks, error)

	schema func() (*schema.Schema, error)
	decode func(raw json.RawMessage) (any, []problem.Field)
}

// Define declares a policy type whose configuration is a C. Defaults are the
// values of fields that a configuration leaves out. The docs are the generated
// doc comments of C, from which the schema takes its texts.
//
// The configuration is decoded strictly and its secrets are resolved before
// compile sees it.
func Define[C any](
	name, title string, defaults C, compile func(C, Env) (Hooks, error), docs ...schema.Docs,
) Definition {
	describe := sync.OnceValues(func() (*schema.Schema, error) {
		s, err := schema.Of(defaults, schema.WithDocs(docs...))
		if err != nil {
			return nil, fmt.Errorf("describing policy type %q: %w", name, err)
		}
		return s, nil
	})
	decode := func(raw json.RawMessage) (any, []problem.Field) {
		c := defaults
		s, err := describe()
		if err != nil {
			return c, []problem.Field{{Code: "internal", Detail: err.Error()}}
		}
		if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			raw = json.RawMessage("{}")
		}
		return &c, s.Decode(raw, &c)
	}
	return Definition{
		Name: name, Title: title, schema: describe, decode: decode,
		Compile: func(raw json.RawMessage, env Env) (Hooks, error) {
			v, fields := decode(raw)
			if len(fields) == 0 && env.Secrets != nil {
				fields = schema.ResolveSecrets(v, env.Secrets)
			}
			if len(fields) > 0 {
				return Hooks{}, problem.Invalid("the configuration of policy "+name+" is invalid", fields...)
			}
			return compile(*v.(*C), env) //nolint:forcetypeassert // decode returns a *C
		},
	}
}

// Check returns what is wrong with the form of a configuration, without
// compiling it.
func (d Definition) Check(raw json.RawMessage) []problem.Field {
	_, fields := d.decode(raw)
	return fields
}

// Schema returns the JSON Schema of the configuration.
func (d Definition) Schema() (*schema.Schema, error) { return d.schema() }

// Invalid returns the error for a configuration whose field, named by its JSON
// pointer, is wrong in a way that only Compile could find.
func Invalid(pointer, format string, args ...any) error {
	detail := fmt.Sprintf(format, args...)
	return problem.Invalid(pointer+": "+detail, problem.Field{Pointer: pointer, Code: schema.RuleInvalid, Detail: detail})
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
