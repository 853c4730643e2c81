package reference

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Node is a schema in a tree: a SchemaNode of openapi.yaml.
type Node struct {
	Name          string   `json:"name,omitempty"`
	Types         []string `json:"types,omitempty"`
	Ref           string   `json:"ref,omitempty"`
	Title         string   `json:"title,omitempty"`
	Description   string   `json:"description,omitempty"`
	Format        string   `json:"format,omitempty"`
	Required      bool     `json:"required,omitempty"`
	Nullable      bool     `json:"nullable,omitempty"`
	ReadOnly      bool     `json:"readOnly,omitempty"`
	WriteOnly     bool     `json:"writeOnly,omitempty"`
	Deprecated    bool     `json:"deprecated,omitempty"`
	Recursive     bool     `json:"recursive,omitempty"`
	Cut           bool     `json:"cut,omitempty"`
	Shared        bool     `json:"shared,omitempty"`
	Default       any      `json:"default,omitempty"`
	Example       any      `json:"example,omitempty"`
	Enum          []any    `json:"enum,omitempty"`
	Constraints   []string `json:"constraints,omitempty"`
	Properties    []*Node  `json:"properties,omitempty"`
	Items         *Node    `json:"items,omitempty"`
	Additional    *Node    `json:"additional,omitempty"`
	OneOf         []*Node  `json:"oneOf,omitempty"`
	AnyOf         []*Node  `json:"anyOf,omitempty"`
	Not           *Node    `json:"not,omitempty"`
	Discriminator string   `json:"discriminator,omitempty"`

	minimum, minLength int64 // for examples
}

const (
	maxNodes = 400 // of one tree
	maxLevel = 10
	maxEnum  = 200
)

// tree is one schema on its way into a tree.
type tree struct {
	w     *walker
	nodes int
	// within are the references that the node at hand is within.
	within []string
}

// schema returns the tree of a schema; nil where there is none.
func (w *walker) schema(v any) *Node {
	if v == nil {
		return nil
	}
	t := &tree{w: w}
	return t.node(v, 0)
}

func (t *tree) node(v any, level int) *Node {
	if allowed, ok := v.(bool); ok { // 3.1: true allows anything, false nothing
		if allowed {
			return &Node{}
		}
		return &Node{Constraints: []string{"nothing is allowed here"}}
	}
	o, ok := v.(*object)
	if !ok {
		return &Node{}
	}
	n := &Node{}
	t.nodes++
	if ref := o.text("$ref"); ref != "" {
		n.Ref = refName(ref)
		t.w.names[n.Ref] = true
	}
	depth := len(t.within)
	defer func() { t.within = t.within[:depth] }()
	flat, recursive := t.flatten(o, 0)
	if recursive && n.Ref != "" {
		n.Recursive, n.Types = true, t.typesOf(o)
		return n
	}
	t.describe(n, flat)
	if level >= maxLevel || t.nodes >= maxNodes {
		n.Cut = flat.has("properties") || flat.has("items") || flat.has("oneOf") || flat.has("anyOf")
		return n
	}
	t.children(n, flat, level+1)
	return n
}

// typesOf tells the type of a schema that is not gone into.
func (t *tree) typesOf(o *object) []string {
	n := &Node{}
	t.describe(n, t.w.deref(o))
	return n.Types
}

// flatten makes one schema of a schema with its references and all that it is a
// combination of. The references are added to t.within. recursive says that one
// of them is there already; what is behind it is left out.
func (t *tree) flatten(o *object, hops int) (flat *object, recursive bool) {
	ref := o.text("$ref")
	all := o.list("allOf")
	if ref == "" && len(all) == 0 || hops > maxHops {
		return o, false
	}
	flat = newObject()
	for _, name := range o.names() {
		if name != "$ref" && name != "allOf" {
			flat.set(name, o.get(name))
		}
	}
	if ref != "" {
		if slices.Contains(t.within, ref) {
			return flat, true
		}
		t.within = append(t.within, ref)
		target, _ := t.w.find(ref).(*object)
		part, r := t.flatten(target, hops+1)
		merge(flat, part)
		recursive = recursive || r
	}
	for _, m := range all {
		member, ok := m.(*object)
		if !ok {
			continue
		}
		if name := member.text("$ref"); name != "" {
			t.w.names[refName(name)] = true
		}
		part, _ := t.flatten(member, hops+1) // one that is within itself adds nothing
		merge(flat, part)
	}
	return flat, recursive
}

// merge adds what part says and flat does not.
func merge(flat, part *object) {
	for _, name := range part.names() {
		v := part.get(name)
		switch {
		case !flat.has(name):
			if list, ok := v.([]any); ok {
				v = slices.Clone(list)
			}
			flat.set(name, v)
		case name == "properties":
			both := newObject()
			for _, from := range []*object{part.object(name), flat.object(name)} {
				for _, p := range from.names() {
					both.set(p, from.get(p))
				}
			}
			flat.set(name, both)
		case name == "required":
			flat.set(name, append(slices.Clone(flat.list(name)), part.list(name)...))
		}
	}
}

// describe fills in what the schema says of itself.
func (t *tree) describe(n *Node, o *object) {
	n.Title, n.Description, n.Format = o.text("title"), clip(o.text("description")), o.text("format")
	n.Nullable, n.ReadOnly, n.WriteOnly = o.flag("nullable"), o.flag("readOnly"), o.flag("writeOnly")
	n.Deprecated = o.flag("deprecated")
	n.Default, n.Example = o.get("default"), o.get("example")
	if examples := o.list("examples"); n.Example == nil && len(examples) > 0 {
		n.Example = examples[0]
	}
	types := o.texts("type")
	if one := o.text("type"); one != "" {
		types = []string{one}
	}
	for _, ty := range types {
		if ty == "null" {
			n.Nullable = true
		} else {
			n.Types = append(n.Types, ty)
		}
	}
	if len(n.Types) == 0 {
		switch {
		case o.has("properties") || o.has("additionalProperties"):
			n.Types = []string{"object"}
		case o.has("items"):
			n.Types = []string{"array"}
		}
	}
	if n.Enum = o.list("enum"); len(n.Enum) > maxEnum {
		n.Constraints = append(n.Constraints, fmt.Sprintf("one of %d values, of which the first %d are shown", len(n.Enum), maxEnum))
		n.Enum = n.Enum[:maxEnum]
	}
	if o.has("const") {
		n.Enum = []any{o.get("const")}
	}
	n.Discriminator = o.object("discriminator").text("propertyName")
	n.Constraints = append(n.Constraints, constraints(o)...)
	n.minimum, _ = whole(o.get("minimum"))
	if ex, ok := whole(o.get("exclusiveMinimum")); ok {
		n.minimum = ex + 1
	} else if o.flag("exclusiveMinimum") {
		n.minimum++
	}
	n.minLength, _ = whole(o.get("minLength"))
}

// children fills in what the schema consists of.
func (t *tree) children(n *Node, o *object, level int) {
	required := o.texts("required")
	properties := o.object("properties")
	for _, name := range properties.names() {
		if t.nodes >= maxNodes {
			n.Cut = true
			break
		}
		child := t.node(properties.get(name), level)
		child.Name, child.Required = name, slices.Contains(required, name)
		n.Properties = append(n.Properties, child)
	}
	slices.SortStableFunc(n.Properties, func(a, b *Node) int { // what is needed comes first
		switch {
		case a.Required == b.Required:
			return 0
		case a.Required:
			return -1
		default:
			return 1
		}
	})
	if items := o.get("items"); items != nil {
		n.Items = t.node(items, level)
	}
	if more, ok := o.get("additionalProperties").(*object); ok {
		n.Additional = t.node(more, level)
	}
	n.OneOf = t.choices(n, o.list("oneOf"), level)
	n.AnyOf = t.choices(n, o.list("anyOf"), level)
	if not, ok := o.get("not").(*object); ok {
		n.Not = t.node(not, level)
	}
}

// choices returns the trees of alternatives. One that is null makes the node
// nullable instead.
func (t *tree) choices(n *Node, list []any, level int) []*Node {
	var out []*Node
	for _, c := range list {
		if o, ok := c.(*object); ok && o.text("type") == "null" {
			n.Nullable = true
			continue
		}
		if t.nodes >= maxNodes {
			n.Cut = true
			break
		}
		out = append(out, t.node(c, level))
	}
	return out
}

// constraints puts further rules into words.
func constraints(o *object) []string {
	var out []string
	add := func(s string) {
		if s != "" {
			out = append(out, s)
		}
	}
	add(between(o.get("minLength"), o.get("maxLength"), "character"))
	add(between(o.get("minItems"), o.get("maxItems"), "item"))
	add(between(o.get("minProperties"), o.get("maxProperties"), "property"))
	low, high := bound(o, "minimum", "exclusiveMinimum", "≥", ">"), bound(o, "maximum", "exclusiveMaximum", "≤", "<")
	add(strings.Trim(low+" and "+high, " and"))
	if m := number(o.get("multipleOf")); m != "" {
		add("multiple of " + m)
	}
	if o.flag("uniqueItems") && (o.has("items") || o.text("type") == "array") {
		add("no item twice")
	}
	if p := o.text("pattern"); p != "" {
		add("matches " + clipTo(p, 300))
	}
	if allowed, ok := o.get("additionalProperties").(bool); ok && !allowed {
		add("no other properties")
	}
	return out
}

func between(low, high any, what string) string {
	plural := func(n string) string {
		switch {
		case n == "1":
			return what
		case what == "property":
			return "properties"
		default:
			return what + "s"
		}
	}
	l, h := number(low), number(high)
	if l == "0" {
		l = ""
	}
	switch {
	case l == "" && h == "":
		return ""
	case l == h:
		return "exactly " + l + " " + plural(l)
	case h == "":
		return "at least " + l + " " + plural(l)
	case l == "":
		return "at most " + h + " " + plural(h)
	default:
		return l + " to " + h + " " + plural(h)
	}
}

// bound reads a limit, whose exclusive form is a flag in 3.0 and a number in 3.1.
func bound(o *object, name, exclusive, sign, strict string) string {
	if n := number(o.get(exclusive)); n != "" {
		return strict + " " + n
	}
	n := number(o.get(name))
	switch {
	case n == "":
		return ""
	case o.flag(exclusive):
		return strict + " " + n
	default:
		return sign + " " + n
	}
}

func number(v any) string {
	n, _ := v.(json.Number)
	return n.String()
}

func whole(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	if i, err := n.Int64(); err == nil {
		return i, true
	}
	f, err := n.Float64()
	if err != nil || f > 1e15 || f < -1e15 {
		return 0, false
	}
	return int64(f), true
}
