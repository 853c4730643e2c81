package reference

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// direction says who sends what an example is of: a request has no properties
// that can only be read.
type direction bool

const (
	sending   direction = false
	receiving direction = true
)

// sample is a Sample of openapi.yaml.
type sample struct {
	Path      string `json:"path"`
	Query     []pair `json:"query"`
	Headers   []pair `json:"headers"`
	MediaType string `json:"mediaType,omitempty"`
	Body      string `json:"body,omitempty"`
}

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// exampleOf makes a value that fits a schema; nil where nothing is known of it.
func exampleOf(n *Node, way direction) any {
	switch {
	case n == nil:
		return nil
	case n.Example != nil:
		return n.Example
	case n.Default != nil:
		return n.Default
	case len(n.Enum) > 0:
		return n.Enum[0]
	case len(n.Properties) > 0:
		return exampleObject(n, way)
	case len(n.OneOf) > 0:
		return exampleOf(n.OneOf[0], way)
	case len(n.AnyOf) > 0:
		return exampleOf(n.AnyOf[0], way)
	case slices.Contains(n.Types, "array"):
		if item := exampleOf(n.Items, way); item != nil && !n.Items.Recursive && !n.Items.Cut {
			return []any{item}
		}
		return []any{}
	case slices.Contains(n.Types, "object"):
		return exampleObject(n, way)
	case len(n.Types) == 0:
		return nil
	}
	return exampleScalar(n)
}

func exampleObject(n *Node, way direction) any {
	o := newObject()
	for _, p := range n.Properties {
		if way == sending && p.ReadOnly || way == receiving && p.WriteOnly || p.Deprecated && !p.Required {
			continue
		}
		v := exampleOf(p, way)
		if p.Recursive && !p.Required || v == nil && !p.Required {
			continue
		}
		o.set(p.Name, v)
	}
	choices := n.OneOf
	if len(choices) == 0 {
		choices = n.AnyOf
	}
	if len(choices) > 0 {
		if more, ok := exampleOf(choices[0], way).(*object); ok {
			for _, name := range more.names() {
				o.set(name, more.get(name))
			}
		}
	}
	if n.Additional != nil && len(o.order) == 0 {
		if v := exampleOf(n.Additional, way); v != nil {
			o.set("name", v)
		}
	}
	return o
}

// formats are examples by format (OpenAPI 3.1 section 4.4, JSON Schema
// validation section 7.3).
var formats = map[string]string{
	"date-time": "2030-01-31T09:30:00Z", "date": "2030-01-31", "time": "09:30:00Z", "duration": "PT15M",
	"uuid": "3f2b8c1e-6d47-4f7a-9a53-0c1de2f4b5a6", "email": "ada@example.com", "idn-email": "ada@example.com",
	"uri": "https://example.com/", "url": "https://example.com/", "uri-reference": "/items/1", "hostname": "example.com",
	"ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "byte": "aGVsbG8=", "password": "correct horse",
}

func exampleScalar(n *Node) any {
	switch n.Types[0] {
	case "integer":
		return json.Number(itoa(max(n.minimum, 1)))
	case "number":
		if n.minimum > 1 {
			return json.Number(itoa(n.minimum))
		}
		return json.Number("1.5")
	case "boolean":
		return true
	case "string":
		s, ok := formats[n.Format]
		if !ok {
			s = "text"
		}
		if short := n.minLength - int64(len(s)); short > 0 && short < 1000 {
			s += strings.Repeat("x", int(short))
		}
		return s
	}
	return nil
}

func itoa(n int64) string {
	b, _ := json.Marshal(n) // a number always can be
	return string(b)
}

// makeSample puts a request together from the examples.
func makeSample(p page) sample {
	s := sample{Path: p.Path, Query: []pair{}, Headers: []pair{}}
	for _, param := range p.Parameters {
		v := plain(param.Example)
		switch param.In {
		case "path":
			if v == "" {
				v = "1"
			}
			s.Path = strings.ReplaceAll(s.Path, "{"+param.Name+"}", url.PathEscape(v))
		case "query":
			if !param.Required {
				continue
			}
			if list, ok := param.Example.([]any); ok && param.explode {
				for _, item := range list {
					s.Query = append(s.Query, pair{param.Name, plain(item)})
				}
				continue
			}
			s.Query = append(s.Query, pair{param.Name, v})
		case "header":
			if param.Required && !slices.Contains([]string{"accept", "content-type", "authorization"}, strings.ToLower(param.Name)) {
				s.Headers = append(s.Headers, pair{param.Name, v})
			}
		}
	}
	for _, r := range p.Responses {
		if strings.HasPrefix(r.Status, "2") && len(r.Contents) > 0 {
			s.Headers = append(s.Headers, pair{"Accept", r.Contents[0].MediaType})
			break
		}
	}
	if p.RequestBody == nil || len(p.RequestBody.Contents) == 0 {
		return s
	}
	c := p.RequestBody.Contents[0]
	s.MediaType = c.MediaType
	if len(c.Examples) > 0 {
		s.Body = encoded(c.MediaType, c.Examples[0].Value)
	}
	return s
}

// encoded writes a value as a body of a media type.
func encoded(mediaType string, v any) string {
	m := strings.ToLower(mediaType)
	switch {
	case isJSON(m) || m == "*/*":
		return pretty(v)
	case strings.HasPrefix(m, "application/x-www-form-urlencoded"):
		o, ok := v.(*object)
		if !ok {
			return plain(v)
		}
		var parts []string
		for _, name := range o.names() {
			parts = append(parts, url.QueryEscape(name)+"="+url.QueryEscape(plain(o.get(name))))
		}
		return strings.Join(parts, "&")
	case strings.HasPrefix(m, "multipart/"):
		return ""
	default:
		return plain(v)
	}
}

func pretty(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return ""
	}
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(b.Bytes()), "", "  "); err != nil {
		return ""
	}
	return out.String()
}

// plain writes a value as the text of a parameter.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = plain(item)
		}
		return strings.Join(parts, ",")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
