package openapivalidation

import (
	"strings"
)

// decodeSimple reads a path parameter, a header or a cookie (OpenAPI 3.1.0,
// Style Values: simple, label, matrix, and form for cookies).
func (p *parameter) decodeSimple(text string) (value any, wrong string) {
	if p.Content != "" {
		return parseJSON([]byte(text))
	}
	switch p.Style {
	case "label":
		text = strings.TrimPrefix(text, ".")
		if p.Explode {
			text = strings.ReplaceAll(text, ".", ",")
		}
	case "matrix":
		return p.decodeMatrix(text)
	}
	return p.shape.list(text, ",", p.Explode), ""
}

func (p *parameter) decodeMatrix(text string) (any, string) {
	parts := strings.Split(strings.TrimPrefix(text, ";"), ";")
	if p.Explode && p.kinds&isObject != 0 {
		return p.shape.pairs(parts), ""
	}
	var values []string
	for _, part := range parts {
		name, v, _ := strings.Cut(part, "=")
		if name != p.Name {
			return nil, "it is not written as ;" + p.Name + "=value"
		}
		values = append(values, v)
	}
	return p.shape.list(strings.Join(values, ","), ",", p.Explode), ""
}

// list reads a text that may be an array or an object.
func (s *shape) list(text, separator string, explode bool) any {
	switch {
	case s == nil:
		return text
	case s.kinds&isArray != 0:
		list := []any{}
		if text == "" {
			return list
		}
		for part := range strings.SplitSeq(text, separator) {
			list = append(list, s.items.read(strings.TrimSpace(part)))
		}
		return list
	case s.kinds&isObject != 0 && s.kinds&isString == 0:
		parts := strings.Split(text, separator)
		if explode {
			return s.pairs(parts)
		}
		o := map[string]any{}
		for i := 0; i+1 < len(parts); i += 2 {
			o[parts[i]] = s.property(parts[i]).read(parts[i+1])
		}
		return o
	}
	return s.read(text)
}

// pairs makes an object of texts such as name=value.
func (s *shape) pairs(parts []string) any {
	o := map[string]any{}
	for _, part := range parts {
		name, v, _ := strings.Cut(part, "=")
		o[name] = s.property(name).read(v)
	}
	return o
}

// decodeQuery reads a query parameter (style form, spaceDelimited,
// pipeDelimited, deepObject).
func (p *parameter) decodeQuery(q query) (value any, ok bool, wrong string) {
	values, ok := q.values[p.Name]
	if p.Content != "" {
		if !ok {
			return nil, false, ""
		}
		value, wrong = parseJSON([]byte(values[0]))
		return value, true, wrong
	}
	switch {
	case p.Style == "deepObject":
		return p.decodeDeep(q)
	case p.kinds&isObject != 0 && p.kinds&(isString|isArray) == 0 && p.Explode:
		o := map[string]any{}
		for _, name := range q.names {
			if prop := p.shape.properties[name]; prop != nil {
				o[name] = prop.read(q.values[name][0])
			}
		}
		return o, len(o) > 0, ""
	case !ok:
		return nil, false, ""
	case p.kinds&isArray != 0 && (p.Explode || len(values) > 1):
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = p.shape.items.read(v)
		}
		return list, true, ""
	case len(values) > 1:
		// Servers differ in which one they take.
		return nil, true, "it is given several times"
	}
	separator := map[string]string{"spaceDelimited": " ", "pipeDelimited": "|"}[p.Style]
	if separator == "" {
		separator = ","
	}
	return p.shape.list(values[0], separator, false), true, ""
}

func (p *parameter) decodeDeep(q query) (any, bool, string) {
	o := map[string]any{}
	for _, name := range q.names {
		inner, ok := strings.CutPrefix(name, p.Name+"[")
		if !ok || !strings.HasSuffix(inner, "]") {
			continue
		}
		inner = strings.TrimSuffix(inner, "]")
		prop := p.shape.property(inner)
		if prop != nil && prop.kinds&isArray != 0 {
			var list []any
			for _, v := range q.values[name] {
				list = append(list, prop.items.read(v))
			}
			o[inner] = list
			continue
		}
		o[inner] = prop.read(q.values[name][0])
	}
	return o, len(o) > 0, ""
}
