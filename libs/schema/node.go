package schema

import (
	"encoding/json"
	"maps"
	"slices"
)

// Dialect is the dialect of JSON Schema that the package writes.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// Node is a schema or subschema as JSON. Keys that begin with x- are hints for
// forms and documentation, which validators ignore.
type Node struct {
	Schema      string `json:"$schema,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// Type is one type name, or several.
	Type Types `json:"type,omitempty"`

	Enum      []string    `json:"enum,omitempty"`
	Const     string      `json:"const,omitempty"`
	Format    string      `json:"format,omitempty"`
	Pattern   string      `json:"pattern,omitempty"`
	MinLength *int        `json:"minLength,omitempty"`
	MaxLength *int        `json:"maxLength,omitempty"`
	Minimum   json.Number `json:"minimum,omitempty"`
	Maximum   json.Number `json:"maximum,omitempty"`

	Items       *Node `json:"items,omitempty"`
	MinItems    *int  `json:"minItems,omitempty"`
	MaxItems    *int  `json:"maxItems,omitempty"`
	UniqueItems bool  `json:"uniqueItems,omitempty"`

	Properties           map[string]*Node `json:"properties,omitempty"`
	Required             []string         `json:"required,omitempty"`
	AdditionalProperties *Additional      `json:"additionalProperties,omitempty"`
	PropertyNames        *Node            `json:"propertyNames,omitempty"`
	MinProperties        *int             `json:"minProperties,omitempty"`
	MaxProperties        *int             `json:"maxProperties,omitempty"`

	AllOf []*Node `json:"allOf,omitempty"`
	AnyOf []*Node `json:"anyOf,omitempty"`
	OneOf []*Node `json:"oneOf,omitempty"`
	Not   *Node   `json:"not,omitempty"`

	Default    json.RawMessage `json:"default,omitempty"`
	WriteOnly  bool            `json:"writeOnly,omitempty"`
	Deprecated bool            `json:"deprecated,omitempty"`

	// Order is the place of a field in its struct, counted from 1.
	Order int `json:"x-order,omitempty"`
	// Group is the heading under which a form shows the field.
	Group string `json:"x-group,omitempty"`
	// When is the condition under which a form shows the field.
	When *When `json:"x-when,omitempty"`
	// AtLeast and AtMost are bounds that JSON Schema cannot say, such as "1ms".
	AtLeast string `json:"x-minimum,omitempty"`
	AtMost  string `json:"x-maximum,omitempty"`

	example string // for the detail of a type violation
}

// When is a condition on another field of the same object.
type When struct {
	Field string   `json:"field"`
	In    []string `json:"in"`
}

// Types is one JSON type name, or several.
type Types []string

// MarshalJSON writes a single name as a string.
func (t Types) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// Additional is the value of additionalProperties: a schema, or with a nil
// Node false.
type Additional struct{ Node *Node }

// MarshalJSON writes false, or the schema.
func (a Additional) MarshalJSON() ([]byte, error) {
	if a.Node == nil {
		return []byte("false"), nil
	}
	return marshal(a.Node)
}

// Closed is the additionalProperties of an object that takes no other keys.
func Closed() *Additional { return &Additional{} }

// Clone returns a copy that shares nothing changeable with n.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	c := *n
	c.Type, c.Enum, c.Required = slices.Clone(n.Type), slices.Clone(n.Enum), slices.Clone(n.Required)
	c.Default = slices.Clone(n.Default)
	c.Items, c.PropertyNames, c.Not = n.Items.Clone(), n.PropertyNames.Clone(), n.Not.Clone()
	if n.AdditionalProperties != nil {
		c.AdditionalProperties = &Additional{Node: n.AdditionalProperties.Node.Clone()}
	}
	c.Properties = maps.Clone(n.Properties)
	for k, p := range c.Properties {
		c.Properties[k] = p.Clone()
	}
	for _, l := range []*[]*Node{&c.AllOf, &c.AnyOf, &c.OneOf} {
		*l = slices.Clone(*l)
		for i := range *l {
			(*l)[i] = (*l)[i].Clone()
		}
	}
	return &c
}
