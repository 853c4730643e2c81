// Package config reads the files that people write. YAML (and JSON, which is a
// part of it) is decoded strictly through libs/schema, and everything that is
// wrong is reported at once, each with its file, line, column and JSON pointer.
// Several files and documents are merged into one. Nothing in a string is
// interpolated: only schema.Secret knows references, and resolves none by
// itself.
//
// The package owns YAML and environment variables. It knows no configuration
// in particular.
package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// The rule codes that this package adds to those of libs/schema.
const (
	RuleYAML  = "yaml"  // not YAML, or YAML that is not supported
	RuleAlias = "alias" // an alias that cannot be expanded
	RuleMerge = "merge" // files that cannot be merged
)

// Position is a place in a file.
type Position struct {
	// File is the name of the source, or of an environment variable.
	File string
	// Line and Column count from 1; 0 when there is none.
	Line, Column int
}

// String returns "file:line:column".
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// Document is a configuration after merging. It remembers where everything
// stood, so that later checks can report it as well.
type Document struct{ root *node }

// JSON returns the document as JSON, in the order of the files.
func (d *Document) JSON() json.RawMessage { return d.root.appendJSON(nil) }

// Position returns where a JSON pointer stands: the key of a member, the first
// character of a list's element. For what is absent, such as a required field,
// it returns the nearest place around it and false.
func (d *Document) Position(pointer string) (Position, bool) {
	n := d.root
	if pointer == "" {
		return n.at, true
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		next := n.child(strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
		if next == nil {
			return n.at, false
		}
		n = next
	}
	return n.at, true
}

// Locate fills in the Source of fields that have none. It changes and returns
// the slice.
func (d *Document) Locate(fields []problem.Field) []problem.Field {
	for i, f := range fields {
		if f.Source == "" {
			pos, _ := d.Position(f.Pointer)
			fields[i].Source = pos.String()
		}
	}
	return fields
}

// Decode decodes one file into a pointer to a configuration that holds its
// default values. It returns every violation; none means that the file was
// accepted. After a violation, into is as it was.
func Decode(name string, data []byte, into any, opts ...Option) (*Document, []problem.Field) {
	return DecodeAll([]Source{{Name: name, Data: data}}, into, opts...)
}

// DecodeAll is [Decode] for several files. Their documents are merged: lists at
// the top are joined, and any other key may be given only once. No two elements
// of such a list may have the same name.
func DecodeAll(sources []Source, into any, opts ...Option) (*Document, []problem.Field) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	r := &reader{}
	var docs []*node
	for _, s := range sources {
		docs = append(docs, r.documents(s)...)
	}
	doc := &Document{root: r.merge(docs)}
	if o.prefix != "" {
		r.environment(doc.root, o, into)
	}
	if r.broken { // the rest of a file that cannot be read would only mislead
		return doc, r.fields
	}
	target := into
	if len(r.fields) > 0 { // report what else is wrong, but change nothing
		target = shallow(into)
	}
	return doc, append(r.fields, doc.Locate(schema.Decode(doc.JSON(), target))...)
}

// shallow returns a pointer to a copy of what into points to.
func shallow(into any) any {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return into
	}
	c := reflect.New(v.Type().Elem())
	c.Elem().Set(v.Elem())
	return c.Interface()
}

// Read is what a service does at its start: it loads a file or directory, none
// when path is "", applies environment variables, and decodes into a
// configuration that holds its default values. Violations come back as a
// [schema.Violations].
func Read(path, prefix string, environ []string, into any) (*Document, error) {
	var sources []Source
	if path != "" {
		var err error
		if sources, err = Load(path); err != nil {
			return nil, err
		}
	}
	doc, fields := DecodeAll(sources, into, WithEnvironment(prefix, environ))
	if len(fields) > 0 {
		return nil, fmt.Errorf("reading the configuration:\n%w", schema.Violations(fields))
	}
	return doc, nil
}
