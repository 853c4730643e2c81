// Package publicops finds the operations of an API that anybody may call, and makes
// requests for them out of its OpenAPI document: for tests that walk all of them,
// under which new ones fall by themselves.
package publicops

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Origin is what stands in requests for the address of a page.
const Origin = "http://console.test"

// Operation is one that takes no sign-in and no permission.
type Operation struct {
	// ID is its operationId.
	ID string
	// Method and Path are as in the document.
	Method, Path string

	operation *openapi3.Operation
}

// Read returns the public operations of a document, in the order of their paths.
func Read(file string) ([]Operation, error) {
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	var out []Operation
	paths := doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		ops := paths[path].Operations()
		for _, method := range slices.Sorted(maps.Keys(ops)) {
			op := ops[method]
			if op.Security != nil && len(*op.Security) == 0 {
				out = append(out, Operation{ID: op.OperationID, Method: method, Path: path, operation: op})
			}
		}
	}
	return out, nil
}

// Takes reports whether an operation takes a property or a parameter of a name.
func (o Operation) Takes(name string) bool {
	for _, p := range o.operation.Parameters {
		if p.Value.Name == name {
			return true
		}
	}
	if o.operation.RequestBody == nil {
		return false
	}
	for _, media := range o.operation.RequestBody.Value.Content {
		if _, ok := media.Schema.Value.Properties[name]; ok {
			return true
		}
	}
	return false
}

// Request is one that the document takes.
type Request struct {
	// Target is the path, and the query.
	Target string
	// Body is empty where there is none; Type is that of its content.
	Body, Type string
}

// Request returns the nth request of an operation: its secrets, names and addresses
// are others than those of the rest, and of nobody. given stands in place of what the
// document says, by the name of the property or parameter.
func (o Operation) Request(n int, given map[string]any) (Request, error) {
	out := Request{Target: o.Path}
	query := url.Values{}
	for _, p := range o.operation.Parameters {
		v, ok := given[p.Value.Name]
		if !ok {
			v = sample(p.Value.Name, p.Value.Schema.Value, n, given)
		}
		switch {
		case p.Value.In == openapi3.ParameterInPath:
			out.Target = strings.ReplaceAll(out.Target, "{"+p.Value.Name+"}", url.PathEscape(fmt.Sprint(v)))
		case p.Value.In == openapi3.ParameterInQuery && (p.Value.Required || ok):
			if list, many := v.([]any); many {
				v = list[0]
			}
			query.Set(p.Value.Name, fmt.Sprint(v))
		}
	}
	if len(query) > 0 {
		out.Target += "?" + query.Encode()
	}
	if o.operation.RequestBody == nil {
		return out, nil
	}
	for name, media := range o.operation.RequestBody.Value.Content {
		out.Type = name
		v := sample("", media.Schema.Value, n, given)
		if name == "application/x-www-form-urlencoded" {
			form := url.Values{}
			fields, _ := v.(map[string]any)
			for field, one := range fields {
				form.Set(field, fmt.Sprint(one))
			}
			out.Body = form.Encode()
			return out, nil
		}
		b, err := json.Marshal(v)
		if err != nil {
			return out, fmt.Errorf("making a request of %s: %w", o.ID, err)
		}
		out.Body = string(b)
	}
	return out, nil
}

// sample returns a value that a schema takes.
func sample(name string, s *openapi3.Schema, n int, given map[string]any) any {
	if v, ok := given[name]; ok && name != "" {
		return v
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	switch {
	case s.Type.Is(openapi3.TypeObject) || len(s.Properties) > 0 || len(s.AllOf) > 0:
		out := map[string]any{}
		for _, part := range s.AllOf {
			of, _ := sample("", part.Value, n, given).(map[string]any)
			maps.Copy(out, of)
		}
		for field, p := range s.Properties {
			if _, ok := given[field]; ok || slices.Contains(s.Required, field) {
				out[field] = sample(field, p.Value, n, given)
			}
		}
		return out
	case s.Type.Is(openapi3.TypeArray):
		out := []any{}
		for range max(s.MinItems, 1) {
			out = append(out, sample(name, s.Items.Value, n, given))
		}
		return out
	case s.Type.Is(openapi3.TypeBoolean):
		return false
	case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
		if s.Min != nil {
			return *s.Min
		}
		return 1
	case name == "origin":
		return Origin
	case name == "email" || s.Format == "email":
		return "nobody" + strconv.Itoa(n) + "@example.com"
	}
	text := "wrong" + strconv.Itoa(n)
	if least := int(min(s.MinLength, 4096)); len(text) < least {
		text += strings.Repeat("x", least-len(text))
	}
	return text
}
