package operations

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

// Takes reports whether an operation takes a property or a parameter of a name.
func (o Operation) Takes(name string) bool {
	for _, p := range o.Spec.Parameters {
		if p.Value.Name == name {
			return true
		}
	}
	if o.Spec.RequestBody == nil {
		return false
	}
	for _, media := range o.Spec.RequestBody.Value.Content {
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
	for _, p := range o.Spec.Parameters {
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
	if o.Spec.RequestBody == nil {
		return out, nil
	}
	for name, media := range o.Spec.RequestBody.Value.Content {
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
		if len(out) == 0 && s.MinProps > 0 {
			field := slices.Sorted(maps.Keys(s.Properties))[0]
			out[field] = sample(field, s.Properties[field].Value, n, given)
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
	case s.Format == "date-time":
		return "2100-01-01T00:00:00Z"
	case name == "email" || s.Format == "email":
		return "nobody" + strconv.Itoa(n) + "@example.com"
	}
	text := "wrong" + strconv.Itoa(n)
	if least := int(min(s.MinLength, 4096)); len(text) < least {
		text += strings.Repeat("x", least-len(text))
	}
	return text
}
