// Package documenttest makes OpenAPI documents for tests.
package documenttest

import (
	"encoding/json"
	"fmt"
)

// Large returns an OpenAPI 3.0 document in JSON with at least as many operations
// as asked for, of the kind that large companies publish: each resource with its
// five operations, parameters, contents and schemas.
func Large(operations int) []byte {
	type m = map[string]any
	paths, schemas := m{}, m{}
	for i := 0; i*5 < operations; i++ {
		name, kind := fmt.Sprintf("resource-%d", i), fmt.Sprintf("Resource%d", i)
		ref := m{"$ref": "#/components/schemas/" + kind}
		content := func(s m) m { return m{"application/json": m{"schema": s}} }
		answer := func(s m) m {
			return m{
				"200":     m{"description": "The answer.", "content": content(s)},
				"default": m{"description": "An error.", "content": content(m{"$ref": "#/components/schemas/Error"})},
			}
		}
		id := m{"name": "id", "in": "path", "required": true, "schema": m{"type": "string", "format": "uuid"}}
		query := func(name string) m {
			return m{"name": name, "in": "query", "schema": m{"type": "string", "maxLength": 200}}
		}
		op := func(verb, summary string, more m) m {
			o := m{"operationId": verb + kind, "summary": summary, "tags": []any{name}, "responses": answer(ref)}
			for k, v := range more {
				o[k] = v
			}
			return o
		}
		paths["/"+name] = m{
			"get":  op("list", "List them.", m{"parameters": []any{query("filter"), query("sort"), query("cursor")}, "responses": answer(m{"type": "array", "items": ref})}),
			"post": op("create", "Make one.", m{"requestBody": m{"required": true, "content": content(ref)}}),
		}
		paths["/"+name+"/{id}"] = m{
			"parameters": []any{id},
			"get":        op("get", "Read one.", nil),
			"put":        op("replace", "Replace one.", m{"requestBody": m{"required": true, "content": content(ref)}}),
			"delete":     op("delete", "Delete one.", nil),
		}
		properties := m{}
		for p := range 12 {
			properties[fmt.Sprintf("field%d", p)] = m{"type": "string", "description": "What this field says, in a sentence of some length.", "maxLength": 500}
		}
		schemas[kind] = m{"type": "object", "required": []any{"field0", "field1"}, "properties": properties}
	}
	schemas["Error"] = m{"type": "object", "properties": m{"code": m{"type": "integer"}, "message": m{"type": "string"}}}
	raw, err := json.Marshal(m{
		"openapi": "3.0.3", "info": m{"title": "Large", "version": "1.0.0"},
		"servers": []any{m{"url": "https://large.example.com/api/v2"}}, "paths": paths, "components": m{"schemas": schemas},
	})
	if err != nil {
		return nil // maps, lists and texts can be written
	}
	return raw
}
