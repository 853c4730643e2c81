package openapi

import (
	"encoding/json"
	"slices"
)

// lists, maps and singles are the keywords whose values hold schemas.
var (
	schemaLists   = []string{"allOf", "anyOf", "oneOf", "prefixItems"}
	schemaMaps    = []string{"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"}
	schemaSingles = []string{
		"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
		"unevaluatedItems", "unevaluatedProperties", "additionalItems", "contentSchema",
	}
)

// walk calls f for a schema and all schemas below it, the outer first.
func walk(v any, f func(map[string]any)) {
	node, ok := v.(map[string]any)
	if !ok {
		return
	}
	f(node)
	for _, k := range schemaLists {
		list, _ := node[k].([]any)
		for _, e := range list {
			walk(e, f)
		}
	}
	for _, k := range schemaMaps {
		m, _ := node[k].(map[string]any)
		for _, e := range m {
			walk(e, f)
		}
	}
	for _, k := range schemaSingles {
		walk(node[k], f)
	}
}

// schemas calls f for every schema of a document.
func schemas(root map[string]any, f func(map[string]any)) {
	components, _ := root["components"].(map[string]any)
	each(components["schemas"], func(v any) { walk(v, f) })
	each(components["pathItems"], func(v any) { pathItem(v, f) })
	each(root["paths"], func(v any) { pathItem(v, f) })
	holder(components, f)
}

// holder walks the maps of a components object that hold schemas in turn.
func holder(components map[string]any, f func(map[string]any)) {
	for _, k := range []string{"parameters", "headers", "requestBodies", "responses"} {
		each(components[k], func(v any) { carrier(v, f) })
	}
}

func pathItem(v any, f func(map[string]any)) {
	item, _ := v.(map[string]any)
	each(item["parameters"], func(v any) { carrier(v, f) })
	for _, m := range methods {
		op, _ := item[m].(map[string]any)
		each(op["parameters"], func(v any) { carrier(v, f) })
		carrier(op["requestBody"], f)
		each(op["responses"], func(v any) { carrier(v, f) })
	}
}

// carrier walks what has a schema, a content or headers.
func carrier(v any, f func(map[string]any)) {
	node, _ := v.(map[string]any)
	walk(node["schema"], f)
	each(node["content"], func(m any) { carrier(m, f) })
	each(node["headers"], func(h any) { carrier(h, f) })
}

func each(v any, f func(any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			f(e)
		}
	case []any:
		for _, e := range v {
			f(e)
		}
	}
}

// normalizer brings the schemas of OpenAPI 3.0 into the form of draft 2020-12.
type normalizer struct{}

func (normalizer) document(root map[string]any) { schemas(root, normalize) }

func normalize(s map[string]any) {
	if _, ok := s["$ref"]; ok {
		for k := range s { // OpenAPI 3.0.3, Reference Object: siblings are ignored
			if k != "$ref" {
				delete(s, k)
			}
		}
		return
	}
	if nullable, _ := s["nullable"].(bool); nullable {
		if t, ok := s["type"].(string); ok {
			s["type"] = []any{t, "null"}
			if e, ok := s["enum"].([]any); ok && !slices.Contains(e, nil) {
				s["enum"] = append(slices.Clip(e), nil)
			}
		}
	}
	exclusive(s, "exclusiveMinimum", "minimum")
	exclusive(s, "exclusiveMaximum", "maximum")
	delete(s, "nullable")
	if e, ok := s["example"]; ok {
		s["examples"] = []any{e}
		delete(s, "example")
	}
}

// exclusive turns the boolean of 3.0 into the number of 2020-12.
func exclusive(s map[string]any, flag, bound string) {
	on, ok := s[flag].(bool)
	if !ok {
		return
	}
	delete(s, flag)
	if n, ok := s[bound].(json.Number); ok && on {
		s[flag] = n
		delete(s, bound)
	}
}

// clone returns a deep copy.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = clone(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = clone(e)
		}
		return l
	}
	return v
}
