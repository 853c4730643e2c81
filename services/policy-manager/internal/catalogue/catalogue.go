// Package catalogue is what policy types there are: those of the gateway's own
// registry, with what a console needs to show them. It stores nothing.
package catalogue

import (
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Category groups policy types for people.
type Category string

// The categories.
const (
	Security       Category = "security"
	Traffic        Category = "traffic"
	Resilience     Category = "resilience"
	Transformation Category = "transformation"
	Validation     Category = "validation"
	Observability  Category = "observability"
)

// Type is a policy type with all that is known of it.
type Type struct {
	Name, Title, Description string
	Category                 Category
	// Icon is the name of a lucide icon.
	Icon string
	// Phases are when it acts.
	Phases []string
	// Authenticates says that it establishes who calls.
	Authenticates bool
	// Schema describes the configuration; Defaults has the default of every field
	// that has one; Example shows the usual use.
	Schema   *schema.Schema
	Defaults json.RawMessage
	Example  json.RawMessage
	// Docs is Markdown.
	Docs string

	check func(json.RawMessage) []problem.Field
}

// Check returns what is wrong with the form of a configuration.
func (t *Type) Check(config json.RawMessage) []problem.Field { return t.check(config) }

// Catalogue is every policy type. It never changes once made.
type Catalogue struct {
	types  []*Type
	byName map[string]*Type
}

// New returns the catalogue of a registry's types. A type that has no category
// and icon yet is shown among the transformations.
func New(registry *policy.Registry, v *gateway.Validator) (*Catalogue, error) {
	c := &Catalogue{byName: map[string]*Type{}}
	for _, name := range registry.Names() {
		d, _ := registry.Get(name)
		t, err := describe(d, v)
		if err != nil {
			return nil, fmt.Errorf("describing policy type %s: %w", name, err)
		}
		c.types = append(c.types, t)
		c.byName[name] = t
	}
	return c, nil
}

// All returns the types by name.
func (c *Catalogue) All() []*Type { return c.types }

// Get returns the type of that name.
func (c *Catalogue) Get(name string) (*Type, bool) {
	t, ok := c.byName[name]
	return t, ok
}

// Names returns the names of all types, ordered.
func (c *Catalogue) Names() []string {
	names := make([]string, len(c.types))
	for i, t := range c.types {
		names[i] = t.Name
	}
	return names
}

func describe(d policy.Definition, v *gateway.Validator) (*Type, error) {
	s, err := d.Schema()
	if err != nil {
		return nil, err
	}
	t := &Type{
		Name: d.Name, Title: d.Title, Description: d.Doc, Category: Transformation, Icon: "puzzle",
		Schema: s, Defaults: s.Defaults(), check: d.Check,
	}
	if look, ok := looks[d.Name]; ok {
		t.Category, t.Icon = look.category, look.icon
	}
	var example any
	if err := yaml.Unmarshal([]byte(d.Example), &example); err != nil {
		return nil, fmt.Errorf("reading its example: %w", err)
	}
	if example == nil {
		example = map[string]any{}
	}
	if t.Example, err = json.Marshal(example); err != nil {
		return nil, fmt.Errorf("reading its example: %w", err)
	}
	if t.Phases, t.Authenticates, err = v.Acts(d.Name, t.Example); err != nil {
		return nil, err
	}
	t.Docs = docs(d, s)
	return t, nil
}

// docs writes the documentation of a type.
func docs(d policy.Definition, s *schema.Schema) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", d.Doc)
	if text := strings.TrimSpace(d.Example); text != "" {
		fmt.Fprintf(&b, "## Example\n\n```yaml\n%s\n```\n\n", text)
	}
	b.WriteString(config.Reference(config.Section{Title: "Configuration", Schema: s}))
	return b.String()
}
