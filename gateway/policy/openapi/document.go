// Package openapi reads the OpenAPI document of an API (3.0 and 3.1) once for
// all policies of the API: it finds the operation of a request, and checks values
// against schemas. It knows nothing of what a policy does with that.
//
// A document of version 3.0 is brought into the form of 3.1 when it is loaded,
// whose schemas are JSON Schema draft 2020-12.
package openapi

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Document is an OpenAPI document. All methods may be called at the same time.
type Document struct {
	root       map[string]any
	operations map[string]map[string]*Operation // by path, then method
	byID       map[string]*Operation
	schemas    map[string]any // by JSON pointer

	mu       sync.Mutex
	variants [3]*variant // by Direction
}

// Operation is one operation of a document, with references followed.
type Operation struct {
	ID, Method, Path string
	Parameters       []Parameter
	// Body is nil where the operation has none.
	Body *Body
	// Responses by status, range such as "2XX", or "default".
	Responses map[string]*Response
}

// Parameter is a parameter of an operation, or a header of a response.
type Parameter struct {
	Name string
	// In is path, query, header or cookie.
	In       string
	Required bool
	Style    string
	Explode  bool
	// Content is the media type where the value is written in one, else "".
	Content string
	// Schema is the parameter's schema, nil where it has none.
	Schema *Schema
}

// Body is the content of a request.
type Body struct {
	Required bool
	Content  []Media
}

// Response is an answer of an operation.
type Response struct {
	Content []Media
	Headers []Parameter
}

// Media is one media type of a content, as in the document but in lower case and
// without parameters.
type Media struct {
	Type   string
	Schema *Schema
	// Example is the example, where HasExample says that there is one.
	Example    any
	HasExample bool
	// Examples by name.
	Examples map[string]any
}

// Schema is a schema of a document. Compile it with [Document.Compile].
type Schema struct {
	pointer string
	// Node is the schema in the form of draft 2020-12: a map or a bool. It is not
	// to be changed.
	Node any
}

var (
	errNone    = errors.New("the API has no OpenAPI document; give it one")
	errSwagger = errors.New("the document is Swagger 2; convert it to OpenAPI 3")
	errVersion = errors.New("the document is neither OpenAPI 3.0 nor 3.1")
)

// Load returns the document of the API, read when the first policy asks for it.
func Load(env policy.Env) (*Document, error) {
	if len(env.Document) == 0 {
		return nil, errNone
	}
	v, err := env.Memo("openapi", func() (any, error) { return Parse(env.Document) })
	if err != nil {
		return nil, fmt.Errorf("loading the OpenAPI document: %w", err)
	}
	d, _ := v.(*Document)
	return d, nil
}

// Parse reads a document in JSON. What is wrong within schemas shows when they
// are compiled.
func Parse(raw []byte) (*Document, error) {
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	root, _ := tree.(map[string]any)
	version, _ := root["openapi"].(string)
	switch {
	case root["swagger"] != nil:
		return nil, errSwagger
	case strings.HasPrefix(version, "3.0"):
		n := normalizer{}
		n.document(root)
	case !strings.HasPrefix(version, "3.1"):
		return nil, errVersion
	}
	d := &Document{root: root, operations: map[string]map[string]*Operation{}, byID: map[string]*Operation{}, schemas: map[string]any{}}
	components, _ := root["components"].(map[string]any)
	named, _ := components["schemas"].(map[string]any)
	for name, s := range named {
		d.schema("/components/schemas/"+escape(name), s)
	}
	paths, _ := root["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if strings.HasPrefix(path, "x-") {
			continue
		}
		if err := d.readPath(path, paths[path]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return d, nil
}

// schema keeps a schema under its pointer.
func (d *Document) schema(pointer string, node any) *Schema {
	d.schemas[pointer] = node
	return &Schema{pointer, node}
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (d *Document) readPath(path string, v any) error {
	item, at, err := d.follow(v, "/paths/"+escape(path))
	if err != nil {
		return err
	}
	shared, err := d.readParameters(item["parameters"], at+"/parameters")
	if err != nil {
		return err
	}
	byMethod := map[string]*Operation{}
	for _, m := range methods {
		node, ok := item[m].(map[string]any)
		if !ok {
			continue
		}
		op, err := d.readOperation(node, at+"/"+m, shared)
		if err != nil {
			return fmt.Errorf("%s: %w", m, err)
		}
		op.Method, op.Path = strings.ToUpper(m), path
		byMethod[op.Method] = op
		if op.ID != "" {
			d.byID[op.ID] = op
		}
	}
	d.operations[path] = byMethod
	return nil
}

func (d *Document) readOperation(node map[string]any, at string, shared []Parameter) (*Operation, error) {
	op := &Operation{Responses: map[string]*Response{}}
	op.ID, _ = node["operationId"].(string)
	own, err := d.readParameters(node["parameters"], at+"/parameters")
	if err != nil {
		return nil, err
	}
	op.Parameters = own
	for _, p := range shared {
		if !slices.ContainsFunc(own, func(o Parameter) bool { return o.Name == p.Name && o.In == p.In }) {
			op.Parameters = append(op.Parameters, p)
		}
	}
	if b, ok := node["requestBody"]; ok {
		body, bodyAt, err := d.follow(b, at+"/requestBody")
		if err != nil {
			return nil, err
		}
		op.Body = &Body{}
		op.Body.Required, _ = body["required"].(bool)
		if op.Body.Content, err = d.readContent(body["content"], bodyAt+"/content"); err != nil {
			return nil, err
		}
	}
	responses, _ := node["responses"].(map[string]any)
	for status, v := range responses {
		if strings.HasPrefix(status, "x-") {
			continue
		}
		if op.Responses[strings.ToUpper(status)], err = d.readResponse(v, at+"/responses/"+escape(status)); err != nil {
			return nil, err
		}
	}
	if r, ok := op.Responses["DEFAULT"]; ok {
		delete(op.Responses, "DEFAULT")
		op.Responses["default"] = r
	}
	return op, nil
}

func (d *Document) readResponse(v any, at string) (*Response, error) {
	node, at, err := d.follow(v, at)
	if err != nil {
		return nil, err
	}
	r := &Response{}
	if r.Content, err = d.readContent(node["content"], at+"/content"); err != nil {
		return nil, err
	}
	headers, _ := node["headers"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if policy.EqualName(name, "Content-Type") {
			continue // OpenAPI 3.1.0, Response Object: to be ignored
		}
		p, err := d.readParameter(headers[name], at+"/headers/"+escape(name))
		if err != nil {
			return nil, err
		}
		p.Name, p.In = name, "header"
		r.Headers = append(r.Headers, p)
	}
	return r, nil
}

func (d *Document) readParameters(v any, at string) ([]Parameter, error) {
	list, _ := v.([]any)
	var ps []Parameter
	for i, e := range list {
		p, err := d.readParameter(e, fmt.Sprintf("%s/%d", at, i))
		if err != nil {
			return nil, err
		}
		if p.In == "header" && (policy.EqualName(p.Name, "Accept") || policy.EqualName(p.Name, "Content-Type") || policy.EqualName(p.Name, "Authorization")) {
			continue // OpenAPI 3.1.0, Parameter Object: to be ignored
		}
		ps = append(ps, p)
	}
	return ps, nil
}

func (d *Document) readParameter(v any, at string) (Parameter, error) {
	node, at, err := d.follow(v, at)
	if err != nil {
		return Parameter{}, err
	}
	var p Parameter
	p.Name, _ = node["name"].(string)
	p.In, _ = node["in"].(string)
	p.Required, _ = node["required"].(bool)
	if p.Style, _ = node["style"].(string); p.Style == "" {
		p.Style = "simple"
		if p.In == "query" || p.In == "cookie" {
			p.Style = "form"
		}
	}
	var said bool
	if p.Explode, said = node["explode"].(bool); !said {
		p.Explode = p.Style == "form"
	}
	if s, ok := node["schema"]; ok {
		p.Schema = d.schema(at+"/schema", s)
		return p, nil
	}
	content, err := d.readContent(node["content"], at+"/content")
	if err != nil {
		return p, err
	}
	if len(content) > 0 {
		p.Content, p.Schema = content[0].Type, content[0].Schema
	}
	return p, nil
}

func (d *Document) readContent(v any, at string) ([]Media, error) {
	content, _ := v.(map[string]any)
	var ms []Media
	for _, name := range slices.Sorted(maps.Keys(content)) {
		at := at + "/" + escape(name)
		node, at, err := d.follow(content[name], at)
		if err != nil {
			return nil, err
		}
		m := Media{Type: policy.MediaType(name)}
		if s, ok := node["schema"]; ok {
			m.Schema = d.schema(at+"/schema", s)
		}
		m.Example, m.HasExample = node["example"]
		examples, _ := node["examples"].(map[string]any)
		for name, e := range examples {
			ex, _, err := d.follow(e, at)
			if err != nil {
				return nil, err
			}
			if value, ok := ex["value"]; ok {
				if m.Examples == nil {
					m.Examples = map[string]any{}
				}
				m.Examples[name] = value
			}
		}
		ms = append(ms, m)
	}
	return ms, nil
}

// Find returns the operation that a request has been matched to, or nil.
func (d *Document) Find(r *policy.Route) *Operation {
	if r == nil {
		return nil
	}
	path, ok := strings.CutPrefix(r.Template, r.BasePath)
	if ok {
		if op := d.operations[path][r.Method]; op != nil {
			return op
		}
	}
	return d.byID[r.Operation]
}

// Operations returns all operations, ordered by path and method.
func (d *Document) Operations() []*Operation {
	var ops []*Operation
	for _, path := range slices.Sorted(maps.Keys(d.operations)) {
		for _, m := range slices.Sorted(maps.Keys(d.operations[path])) {
			ops = append(ops, d.operations[path][m])
		}
	}
	return ops
}

// KeyParameters returns the names of the query parameters that security schemes
// use.
func (d *Document) KeyParameters() []string {
	components, _ := d.root["components"].(map[string]any)
	schemes, _ := components["securitySchemes"].(map[string]any)
	var names []string
	for _, s := range schemes {
		scheme, _, err := d.follow(s, "")
		if name, ok := scheme["name"].(string); err == nil && ok && scheme["in"] == "query" {
			names = append(names, name)
		}
	}
	return names
}
