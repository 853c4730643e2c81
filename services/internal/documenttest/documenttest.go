// Package documenttest makes OpenAPI documents for tests and measurements.
package documenttest

import (
	"encoding/json"
	"fmt"
	"strings"
)

type object = map[string]any

// perResource is how many operations each resource has.
const perResource = 10

// The resources are things of areas of a company.
var (
	areas  = []string{"billing", "catalogue", "customers", "finance", "logistics", "people", "sales", "support"}
	things = []string{"accounts", "addresses", "agreements", "batches", "contacts", "documents", "entries", "inquiries", "notes", "orders", "payments", "regions", "reports"}
)

// resource is one of them.
type resource struct {
	area, path, kind string
}

func resourceOf(i int) resource {
	area, thing, round := areas[i%len(areas)], things[i/len(areas)%len(things)], i/(len(areas)*len(things))
	if round > 0 {
		thing = fmt.Sprintf("%s-%d", thing, round+1)
	}
	kind := ""
	for _, part := range strings.Split(area+"-"+thing, "-") {
		kind += strings.ToUpper(part[:1]) + part[1:]
	}
	return resource{area: area, path: "/" + area + "/" + thing, kind: kind}
}

// Path returns the path of a resource, without the base path; the first is 0.
func Path(i int) string { return resourceOf(i).path }

// Kind returns what the operations of a resource are called after: list, create,
// get, replace, update and delete before it, and others.
func Kind(i int) string { return resourceOf(i).kind }

// Large returns an OpenAPI 3.0 document in JSON with at least as many operations
// as asked for, ten for each resource, of the kind that large companies publish:
// six methods, parameters, answers and headers that are shared by reference,
// schemas that are built of others, examples, and two ways to sign in.
func Large(operations int) []byte {
	paths, schemas, tags := object{}, shared(), []any{}
	for i, area := range areas {
		if i*perResource < operations {
			tags = append(tags, object{"name": area, "description": "What " + area + " keeps."})
		}
	}
	for i := 0; i*perResource < operations; i++ {
		resourceOf(i).add(paths, schemas)
	}
	raw, err := json.Marshal(object{
		"openapi": "3.0.3",
		"info": object{
			"title": "Large", "version": "1.0.0", "description": "Everything that a large company has an API for.\n\nIn *Markdown*, of several paragraphs.",
			"contact": object{"name": "API team", "email": "api@large.example.com"}, "license": object{"name": "Proprietary"},
		},
		"servers":  []any{object{"url": "https://large.example.com/api/v2", "description": "Production."}},
		"tags":     tags,
		"security": []any{object{"key": []any{}}, object{"login": []any{"read"}}},
		"paths":    paths,
		"components": object{
			"schemas": schemas, "parameters": parameters(), "responses": responses(),
			"headers": object{"ETag": object{"description": "The state that was answered.", "schema": object{"type": "string"}}},
			"securitySchemes": object{
				"key": object{"type": "apiKey", "in": "header", "name": "X-Large-Key"},
				"login": object{"type": "oauth2", "flows": object{"clientCredentials": object{ //nolint:gosec // addresses, no credentials
					"tokenUrl": "https://large.example.com/oauth/token", "scopes": object{"read": "Read.", "write": "Change."},
				}}},
			},
		},
	})
	if err != nil {
		return nil // maps, lists and texts can be written
	}
	return raw
}

func ref(kind, name string) object { return object{"$ref": "#/components/" + kind + "/" + name} }

func content(schema object) object { return object{"application/json": object{"schema": schema}} }

// shared are the schemas that others are built of.
func shared() object {
	text := func(say string) object { return object{"type": "string", "maxLength": 500, "description": say} }
	return object{
		"Problem": object{"type": "object", "required": []any{"title", "status"}, "properties": object{
			"type": object{"type": "string", "format": "uri-reference"}, "title": text("What is wrong."), "status": object{"type": "integer", "minimum": 400, "maximum": 599},
			"errors": object{"type": "array", "items": ref("schemas", "FieldError")},
		}},
		"FieldError": object{"type": "object", "properties": object{"pointer": text("Where."), "detail": text("What to do.")}},
		"Money": object{"type": "object", "required": []any{"amount", "currency"}, "properties": object{
			"amount": object{"type": "string", "pattern": `^-?\d{1,12}(\.\d{2})?$`, "example": "12.50"}, "currency": object{"type": "string", "enum": []any{"CHF", "EUR", "GBP", "USD"}},
		}},
		"Record": object{"type": "object", "required": []any{"id"}, "properties": object{
			"id": object{"type": "string", "format": "uuid", "readOnly": true}, "createdAt": object{"type": "string", "format": "date-time", "readOnly": true},
			"updatedAt": object{"type": "string", "format": "date-time", "readOnly": true}, "tags": object{"type": "array", "maxItems": 50, "items": object{"type": "string", "maxLength": 50}},
		}},
	}
}

func parameters() object {
	query := func(name, say string, schema object) object {
		return object{"name": name, "in": "query", "description": say, "schema": schema}
	}
	return object{
		"Id":      object{"name": "id", "in": "path", "required": true, "schema": object{"type": "string", "format": "uuid"}},
		"Part":    object{"name": "part", "in": "path", "required": true, "schema": object{"type": "string", "maxLength": 64}},
		"Filter":  query("filter", "What the rows must be like.", object{"type": "string", "maxLength": 200}),
		"Sort":    query("sort", "By what they are sorted.", object{"type": "string", "enum": []any{"createdAt", "-createdAt", "name", "-name"}}),
		"Cursor":  query("cursor", "The next of the page before.", object{"type": "string", "maxLength": 1024}),
		"Limit":   query("limit", "How many at most.", object{"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
		"IfMatch": object{"name": "If-Match", "in": "header", "schema": object{"type": "string", "maxLength": 100}},
	}
}

func responses() object {
	out := object{"Gone": object{"description": "It is gone."}}
	for name, say := range map[string]string{"Invalid": "The input is not valid.", "Missing": "There is none.", "Conflict": "Somebody else was faster.", "Error": "An error."} {
		out[name] = object{"description": say, "content": object{"application/problem+json": object{"schema": ref("schemas", "Problem")}}}
	}
	return out
}

// add adds the paths of a resource and its schemas.
func (r resource) add(paths, schemas object) {
	one := ref("schemas", r.kind)
	op := func(verb, summary, status string, more object) object {
		said := object{"description": "The answer.", "headers": object{"ETag": ref("headers", "ETag")}, "content": content(one)}
		if status == "204" {
			said = ref("responses", "Gone")
		}
		o := object{
			"operationId": verb + r.kind, "summary": summary, "description": summary + " Who may do so is said by the area's administrators.", "tags": []any{r.area},
			"responses": object{status: said, "400": ref("responses", "Invalid"), "404": ref("responses", "Missing"), "default": ref("responses", "Error")},
		}
		for k, v := range more {
			o[k] = v
		}
		return o
	}
	in := func(schema object) object { return object{"required": true, "content": content(schema)} }
	write := []any{object{"login": []any{"write"}}}
	change := func(more object) object {
		more["security"], more["parameters"] = write, []any{ref("parameters", "IfMatch")}
		return more
	}
	list := object{"200": object{"description": "A page.", "content": content(ref("schemas", r.kind+"List"))}, "default": ref("responses", "Error")}
	id := []any{ref("parameters", "Id")}
	paths[r.path] = object{
		"get": op("list", "List them.", "200", object{"responses": list, "parameters": []any{
			ref("parameters", "Filter"), ref("parameters", "Sort"), ref("parameters", "Cursor"), ref("parameters", "Limit"),
		}}),
		"post": op("create", "Make one.", "201", object{"requestBody": in(one), "security": write}),
	}
	paths[r.path+"/{id}"] = object{
		"parameters": id,
		"get":        op("get", "Read one.", "200", nil),
		"put":        op("replace", "Replace one.", "200", change(object{"requestBody": in(one)})),
		"patch":      op("update", "Change one.", "200", change(object{"requestBody": in(one)})),
		"delete":     op("delete", "Delete one.", "204", change(object{})),
	}
	paths[r.path+"/{id}/parts"] = object{
		"parameters": id,
		"get":        op("listPartsOf", "List its parts.", "200", object{"parameters": []any{ref("parameters", "Cursor"), ref("parameters", "Limit")}}),
		"post":       op("addPartTo", "Add a part.", "201", object{"requestBody": in(ref("schemas", "Record")), "security": write}),
	}
	paths[r.path+"/{id}/parts/{part}"] = object{
		"parameters": []any{ref("parameters", "Id"), ref("parameters", "Part")},
		"delete":     op("removePartOf", "Take a part away.", "204", object{"security": write}),
	}
	paths[r.path+"/{id}/archive"] = object{
		"parameters": id,
		"post":       op("archive", "Put one away.", "204", object{"security": write, "deprecated": true}),
	}
	properties := object{"total": ref("schemas", "Money"), "state": object{"type": "string", "enum": []any{"open", "held", "closed"}, "default": "open"}}
	for p := range 10 {
		properties[fmt.Sprintf("field%d", p)] = object{"type": "string", "description": "What this field says, in a sentence of some length.", "maxLength": 500, "example": "Something"}
	}
	schemas[r.kind] = object{"allOf": []any{ref("schemas", "Record"), object{"type": "object", "required": []any{"field0", "field1"}, "properties": properties}}}
	schemas[r.kind+"List"] = object{"type": "object", "required": []any{"items"}, "properties": object{
		"items": object{"type": "array", "items": one}, "next": object{"type": "string", "maxLength": 1024},
	}}
}
