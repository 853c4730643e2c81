package schema

import (
	"reflect"
	"sort"
)

// Docs are the doc comments of the types of one package. The command
// libs/schema/cmd/schemadoc writes them from the source, so that a comment is
// written once. It is a plain table, laid out when the program is built: it
// costs nothing at start.
type Docs struct {
	// Package is the import path.
	Package string
	// Texts are ordered by name.
	Texts []Text
}

// Text is the doc comment of a type ("Config") or of a field ("Config.Limit").
type Text struct{ Name, Text string }

// text returns the comment of a type, or of one of its fields.
func (b *builder) text(t reflect.Type, field string) string {
	name := t.Name()
	if name == "" {
		return ""
	}
	if field != "" {
		name += "." + field
	}
	for _, d := range b.docs {
		if d.Package != t.PkgPath() {
			continue
		}
		i := sort.Search(len(d.Texts), func(i int) bool { return d.Texts[i].Name >= name })
		if i < len(d.Texts) && d.Texts[i].Name == name {
			return d.Texts[i].Text
		}
	}
	return ""
}
