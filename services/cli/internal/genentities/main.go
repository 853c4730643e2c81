// Command genentities writes what can be read and written by itself, from the
// OpenAPI documents of the services: for this command, and for the consoles.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// services is from the folder of package entities.
const services = "../../../"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "genentities:", err)
		os.Exit(1)
	}
}

// entity is as entities.Entity.
type entity struct {
	Kind    string   `json:"kind"`
	Service string   `json:"service"`
	Path    string   `json:"path"`
	Method  string   `json:"method"`
	Within  string   `json:"within,omitempty"`
	Fields  []string `json:"fields"`
}

func run() error {
	all := []entity{}
	for _, service := range []string{"devportal-backend", "gateway-manager", "policy-manager", "tenant-manager"} {
		text, err := os.ReadFile(filepath.Join(services, service, "openapi.yaml"))
		if err != nil {
			return fmt.Errorf("reading the document: %w", err)
		}
		var root yaml.Node
		if err := yaml.Unmarshal(text, &root); err != nil {
			return fmt.Errorf("%s: %w", service, err)
		}
		d := document{root.Content[0]}
		for path, operations := range pairs(at(d.root, "paths")) {
			if e, ok := d.entity(service, path, operations); ok {
				all = append(all, e)
			}
		}
	}
	var out bytes.Buffer
	out.WriteString("[\n")
	for i, e := range all {
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("writing: %w", err)
		}
		out.WriteString("  " + string(line))
		if i < len(all)-1 {
			out.WriteString(",")
		}
		out.WriteString("\n")
	}
	out.WriteString("]\n")
	if err := os.WriteFile("entities.json", out.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	text := "// Generated from the services' openapi.yaml by go generate. Do not edit.\n\n" +
		"/** What can be read and written by itself, and which of its fields. */\n" +
		"export const entities: readonly { kind: string; service: string; path: string; method: 'PATCH' | 'PUT'; within?: string; fields: readonly string[] }[] = " +
		strings.TrimSuffix(out.String(), "\n") + "\n"
	if err := os.WriteFile(filepath.Join(services, "../frontends/packages/api/src/gen/entities.ts"), []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

type document struct{ root *yaml.Node }

// entity reads a path that can be read and written.
func (d document) entity(service, path string, operations *yaml.Node) (entity, bool) {
	read, write, method := at(operations, "get"), at(operations, "patch"), "PATCH"
	if write == nil {
		write, method = at(operations, "put"), "PUT"
	}
	if read == nil || write == nil {
		return entity{}, false
	}
	e := entity{Service: service, Path: path, Method: method}
	ref := at(d.of(at(read, "responses", "200")), "content", "application/json", "schema", "$ref")
	if ref == nil {
		return e, false
	}
	e.Kind = ref.Value[strings.LastIndex(ref.Value, "/")+1:]
	for _, content := range pairs(at(d.of(at(write, "requestBody")), "content")) {
		e.Within = d.within(ref, at(content, "schema", "$ref"))
		for field := range pairs(at(d.of(at(content, "schema")), "properties")) {
			e.Fields = append(e.Fields, field)
		}
		break
	}
	// What is read of it is what it is: a document with a dry run is something else.
	return e, len(e.Fields) > 0 && e.Kind != "Document"
}

// within returns the field of what is read that is the very schema that is written; ""
// where there is none.
func (d document) within(read, written *yaml.Node) string {
	if written == nil || written.Value == read.Value {
		return ""
	}
	for name, field := range pairs(at(d.root, append(strings.Split(strings.TrimPrefix(read.Value, "#/"), "/"), "properties")...)) {
		if of := at(field, "$ref"); of != nil && of.Value == written.Value {
			return name
		}
	}
	return ""
}

// of follows references.
func (d document) of(n *yaml.Node) *yaml.Node {
	for {
		ref := at(n, "$ref")
		if ref == nil {
			return n
		}
		n = at(d.root, strings.Split(strings.TrimPrefix(ref.Value, "#/"), "/")...)
	}
}

// at returns what is below keys, or nil.
func at(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		var found *yaml.Node
		for k, v := range pairs(n) {
			if k == key {
				found = v
			}
		}
		if n = found; n == nil {
			return nil
		}
	}
	return n
}

// pairs returns the pairs of a mapping, in their order.
func pairs(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}
