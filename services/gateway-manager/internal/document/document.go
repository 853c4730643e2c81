// Package document reads OpenAPI documents: 3.0 and 3.1 as they are, Swagger 2
// converted. It says which operations a document has, where its API is, and what
// somebody who imports it should know.
//
// Operations get the same ids here as in the gateway's file source. The package
// fetches nothing, not even what a document refers to, and knows nothing of
// storage.
package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// The bounds of what is read.
const (
	// MaxSize is the longest document, in bytes, in the form in which it comes and
	// as JSON.
	MaxSize = 20 << 20
	// maxDepth is how deep objects and lists may be in each other.
	maxDepth = 200
	// maxOperations is how many operations the gateway takes of an API.
	maxOperations = 20000
	// maxText bounds the title and version that are taken over.
	maxText = 100
	// maxDescription bounds the description that is taken over.
	maxDescription = 20000
)

// Document is an OpenAPI document that was read.
type Document struct {
	// JSON is the document as canonical JSON, Hash its name.
	JSON []byte
	Hash unit.Hash
	// Format is such as "openapi 3.0.3": what it was before a conversion.
	Format string
	// Title, Version and Description are those of its info.
	Title, Version, Description string
	// Operations are ordered by path and method.
	Operations []Operation
	// Servers are where it says that the API is.
	Servers []Server
	// Warnings are what somebody should know who uses it.
	Warnings []Warning
}

// Operation is one operation, as far as it is shown and routed.
type Operation struct {
	// ID is the operationId, or method and path where there is none.
	ID string `json:"id"`
	// Method is upper case.
	Method string `json:"method"`
	// Path is the template below the base path.
	Path       string   `json:"path"`
	Summary    string   `json:"summary,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Deprecated bool     `json:"deprecated,omitempty"`
	// Upstream names one of the API's upstreams; "" = the first.
	Upstream string `json:"upstream,omitempty"`
}

// Warning is something of a document to know of.
type Warning struct {
	// Code is stable.
	Code string
	// Pointer is where it is in the document (RFC 6901); "" = it is the whole.
	Pointer string
	Detail  string
}

// The errors that say that something is no document for us. Their texts are
// shown to whoever sent it.
var (
	errEmpty   = errors.New("the document is empty: send an OpenAPI document in JSON or YAML")
	errSize    = fmt.Errorf("the document is larger than %d MiB: split it into several APIs", MaxSize>>20)
	errDepth   = fmt.Errorf("the document is nested more than %d levels deep", maxDepth)
	errObject  = errors.New("the document is not an object: want an OpenAPI 3.0 or 3.1, or a Swagger 2 document")
	errVersion = errors.New(`the document says neither "openapi: 3.0.x", "openapi: 3.1.x" nor "swagger: 2.0" at its top`)
	errPaths   = errors.New("the document has no paths: there is nothing to route")
)

// Read reads a document in JSON or YAML. The text of its error is for whoever
// sent it.
func Read(data []byte) (*Document, error) {
	tree, err := decode(data)
	if err != nil {
		return nil, err
	}
	root, ok := tree.(map[string]any)
	if !ok {
		return nil, errObject
	}
	d := &Document{}
	if root, err = d.form(root); err != nil {
		return nil, err
	}
	if d.JSON, err = unit.Canonical(root); err != nil {
		return nil, fmt.Errorf("the document cannot be written as JSON: %w", err)
	}
	if len(d.JSON) > MaxSize {
		return nil, errSize
	}
	d.Hash = unit.HashOf(d.JSON)
	d.info(root)
	d.servers(root)
	if err := d.operations(root); err != nil {
		return nil, err
	}
	d.look(root)
	return d, nil
}

// decode reads JSON or YAML into maps, lists and plain values.
func decode(data []byte) (any, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimSpace(data)
	switch {
	case len(trimmed) == 0:
		return nil, errEmpty
	case len(trimmed) > MaxSize:
		return nil, errSize
	}
	if trimmed[0] == '{' {
		if tree, err := decodeJSON(trimmed); err == nil || !errors.Is(err, errSyntax) {
			return tree, err
		}
		// It may be YAML in flow style.
	}
	var tree any
	if err := yaml.Unmarshal(data, &tree); err != nil {
		return nil, fmt.Errorf("the document is neither JSON nor YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return plain(tree, 0)
}

var errSyntax = errors.New("not JSON")

func decodeJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, errors.Join(errSyntax, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errSyntax
	}
	return plain(tree, 0)
}

// plain turns the keys that YAML reads as numbers or booleans, such as the status
// codes of responses, into text, and bounds the depth.
func plain(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	var err error
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if v[k], err = plain(e, depth+1); err != nil {
				return nil, err
			}
		}
		return v, nil
	case map[any]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			if m[fmt.Sprint(k)], err = plain(e, depth+1); err != nil {
				return nil, err
			}
		}
		return m, nil
	case []any:
		for i, e := range v {
			if v[i], err = plain(e, depth+1); err != nil {
				return nil, err
			}
		}
		return v, nil
	case fmt.Stringer: // such as a date without quotes
		if n, ok := v.(json.Number); ok {
			return n, nil
		}
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		return strings.Trim(string(raw), `"`), nil
	}
	return v, nil
}

// form finds out what kind of document it is and returns it as OpenAPI 3.
func (d *Document) form(root map[string]any) (map[string]any, error) {
	version := text(root["openapi"])
	switch {
	case strings.HasPrefix(version, "3.0") || strings.HasPrefix(version, "3.1"):
		d.Format = "openapi " + version
		root["openapi"] = version
	case strings.HasPrefix(text(root["swagger"]), "2."):
		d.Format = "swagger " + text(root["swagger"])
		return convert(root)
	default:
		return nil, errVersion
	}
	return root, nil
}

// text returns a scalar as text: versions are often written without quotes.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case int, float64, bool:
		return fmt.Sprint(v)
	}
	return ""
}

func (d *Document) info(root map[string]any) {
	info, _ := root["info"].(map[string]any)
	d.Title = cut(strings.TrimSpace(text(info["title"])), maxText)
	d.Version = cut(strings.TrimSpace(text(info["version"])), 40)
	d.Description = cut(strings.TrimSpace(text(info["description"])), maxDescription)
}

// cut shortens a text to a number of bytes, at the border of a character.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

func (d *Document) warn(code, pointer, format string, args ...any) {
	d.Warnings = append(d.Warnings, Warning{Code: code, Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}
