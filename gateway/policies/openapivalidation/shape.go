package openapivalidation

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy/openapi"
)

// kinds are the types that a schema allows. Texts, such as parameters, are read
// as one of them.
type kinds uint8

const (
	isString kinds = 1 << iota
	isNumber
	isBoolean
	isNull
	isArray
	isObject
)

// shape is what must be known of a schema to read a value from text.
type shape struct {
	kinds      kinds
	properties map[string]*shape
	// others is the shape of properties that are not listed, nil for text.
	others *shape
	items  *shape
}

const maxDepth = 12

// shapeOf returns the shape of a schema: of alternatives, the union.
func shapeOf(d *openapi.Document, node any, depth int) *shape {
	s := &shape{}
	s.add(d, node, depth)
	return s
}

func (s *shape) add(d *openapi.Document, node any, depth int) {
	m, ok := d.Resolve(node).(map[string]any)
	if !ok || depth > maxDepth {
		return
	}
	s.addTypes(m["type"])
	s.addValues(m)
	properties, _ := m["properties"].(map[string]any)
	if len(properties) > 0 && s.properties == nil {
		s.properties = make(map[string]*shape, len(properties))
	}
	for name, p := range properties {
		if s.properties[name] == nil {
			s.properties[name] = &shape{}
		}
		s.properties[name].add(d, p, depth+1)
	}
	if o, ok := m["additionalProperties"].(map[string]any); ok {
		s.others = shapeOf(d, o, depth+1)
	}
	if items, ok := m["items"]; ok {
		if s.items == nil {
			s.items = &shape{}
		}
		s.items.add(d, items, depth+1)
	}
	for _, k := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := m[k].([]any)
		for _, e := range list {
			s.add(d, e, depth+1)
		}
	}
}

func (s *shape) addTypes(v any) {
	switch v := v.(type) {
	case string:
		s.kinds |= map[string]kinds{
			"string": isString, "number": isNumber, "integer": isNumber, "boolean": isBoolean,
			"null": isNull, "array": isArray, "object": isObject,
		}[v]
	case []any:
		for _, e := range v {
			s.addTypes(e)
		}
	}
}

// addValues takes the types of enum and const where no type is given.
func (s *shape) addValues(m map[string]any) {
	if m["type"] != nil {
		return
	}
	list, _ := m["enum"].([]any)
	if c, ok := m["const"]; ok {
		list = append(list, c)
	}
	for _, v := range list {
		switch v.(type) {
		case string:
			s.kinds |= isString
		case json.Number:
			s.kinds |= isNumber
		case bool:
			s.kinds |= isBoolean
		}
	}
}

func (s *shape) property(name string) *shape {
	if s == nil {
		return nil
	}
	if p := s.properties[name]; p != nil {
		return p
	}
	return s.others
}

// read returns the value that a text stands for: a number or a boolean where
// the schema allows one and the text is one, else the text.
func (s *shape) read(text string) any {
	if s == nil {
		return text
	}
	if s.kinds&isNumber != 0 && numeric(text) {
		return json.Number(text)
	}
	if s.kinds&isBoolean != 0 && (text == "true" || text == "false") {
		return text == "true"
	}
	if s.kinds&isNull != 0 && s.kinds&isString == 0 && (text == "" || text == "null") {
		return nil
	}
	return text
}

// numeric reports whether a text is a number in JSON's form, of a length that
// can be computed with.
func numeric(s string) bool {
	if s == "" || len(s) > 64 || !json.Valid([]byte(s)) || s[0] != '-' && (s[0] < '0' || s[0] > '9') {
		return false
	}
	return !hugeExponent(s)
}

// hugeExponent reports whether a number would take much memory to compute with.
func hugeExponent(s string) bool {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return false
	}
	e, err := strconv.Atoi(s[i+1:])
	return err != nil || e > 400 || e < -400
}
