package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/schema"
)

// Section is one configuration in a reference.
type Section struct {
	Title  string
	Schema *schema.Schema
	// Prefix is that of the environment variables, or "" when there are none.
	Prefix string
}

// Reference writes a page in Markdown that lists every key of configurations
// with its type, bounds, default value, environment variable and description.
func Reference(sections ...Section) string {
	var b strings.Builder
	for i, s := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "## %s\n\n", s.Title)
		if d := s.Schema.Node().Description; d != "" {
			b.WriteString(d + "\n\n")
		}
		if s.Prefix != "" {
			b.WriteString("| Key | Type | Default | Environment | Description |\n|---|---|---|---|---|\n")
		} else {
			b.WriteString("| Key | Type | Default | Description |\n|---|---|---|---|\n")
		}
		rows(&b, s.Schema.Node(), "", s.Prefix, s.Prefix != "")
	}
	return b.String()
}

func rows(b *strings.Builder, n *schema.Node, prefix, variable string, environment bool) {
	names := make([]string, 0, len(n.Properties))
	for name := range n.Properties {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Compare(n.Properties[x].Order, n.Properties[y].Order) })
	for _, name := range names {
		p := n.Properties[name]
		key, env := prefix+name, ""
		if variable != "" && p.Properties == nil {
			env = "`" + variable + "_" + shout(name) + "`"
		}
		cells := []string{"`" + key + "`", describe(p) + required(n, name), code(string(p.Default))}
		if environment {
			cells = append(cells, env)
		}
		for _, c := range append(cells, p.Description) {
			b.WriteString("| " + cell(c) + " ")
		}
		b.WriteString("|\n")
		next := ""
		if variable != "" {
			next = variable + "_" + shout(name)
		}
		switch {
		case p.Properties != nil:
			rows(b, p, key+".", next, environment)
		case p.Items != nil && p.Items.Properties != nil:
			rows(b, p.Items, key+"[].", "", environment)
		case p.AdditionalProperties != nil && p.AdditionalProperties.Node != nil && p.AdditionalProperties.Node.Properties != nil:
			rows(b, p.AdditionalProperties.Node, key+".*.", "", environment)
		}
	}
}

func required(n *schema.Node, name string) string {
	if slices.Contains(n.Required, name) {
		return ", required"
	}
	return ""
}

// describe says in words what a value may be.
func describe(n *schema.Node) string {
	var kind string
	switch {
	case n.Enum != nil:
		return "one of " + code(strings.Join(n.Enum, "` `"))
	case n.Items != nil:
		kind = "list of " + describe(n.Items)
	case n.AdditionalProperties != nil && n.AdditionalProperties.Node != nil:
		kind = "map of " + describe(n.AdditionalProperties.Node)
	case n.WriteOnly:
		kind = "secret"
	case n.Format == "timespan":
		kind = "duration"
	case n.Format == "bytes":
		kind = "size"
	case n.Format != "":
		kind = n.Format
	case len(n.Type) == 0:
		kind = "any"
	default:
		kind = strings.Join(n.Type, " or ")
	}
	low, high := cmp.Or(n.AtLeast, string(n.Minimum)), cmp.Or(n.AtMost, string(n.Maximum))
	switch {
	case low != "" && high != "":
		kind += fmt.Sprintf(", %s to %s", low, high)
	case low != "":
		kind += ", at least " + low
	case high != "":
		kind += ", at most " + high
	}
	if n.Pattern != "" && n.Format == "" {
		kind += ", matching " + code(n.Pattern)
	}
	if n.Deprecated {
		kind += ", deprecated"
	}
	return kind
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// cell makes a text fit into a cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n\n", "<br>", "\n", " ").Replace(s)
}
