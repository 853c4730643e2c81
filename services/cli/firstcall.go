package cli

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// mostTries is how many operations a quickstart calls at most.
const mostTries = 5

// pathsToTry chooses operations of an OpenAPI document that can be called
// without knowing the API: GETs, those that need least first, with what the
// document gives as examples for parameters. There is always one.
func pathsToTry(document string) []string {
	var doc map[string]any
	if yaml.Unmarshal([]byte(document), &doc) != nil { // YAML has JSON in it
		return []string{"/"}
	}
	type try struct {
		path string
		cost int
	}
	var tries []try
	paths, _ := doc["paths"].(map[string]any)
	for template, item := range paths {
		methods, _ := item.(map[string]any)
		get, ok := methods["get"].(map[string]any)
		if !ok {
			continue
		}
		path, cost, ok := fill(doc, template, list(methods["parameters"]), list(get["parameters"]))
		if ok {
			tries = append(tries, try{path, cost})
		}
	}
	slices.SortFunc(tries, func(a, b try) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(len(a.path), len(b.path)), strings.Compare(a.path, b.path))
	})
	var out []string
	for _, t := range tries[:min(len(tries), mostTries)] {
		out = append(out, t.path)
	}
	if len(out) == 0 {
		return []string{"/"}
	}
	return out
}

// The costs of guessing.
const (
	costOptional = 1   // a parameter that could be given
	costKnown    = 10  // one that is needed, with a value from the document
	costGuess    = 100 // one that is needed, and made up
)

// fill puts values into a path template and makes the query that is needed. It
// is no use where a header or cookie is needed.
func fill(doc map[string]any, template string, lists ...[]any) (path string, cost int, ok bool) {
	query := url.Values{}
	path = template
	for _, params := range lists {
		for _, p := range params {
			param := resolve(doc, p)
			name, _ := param["name"].(string)
			needed, _ := param["required"].(bool)
			text, known := example(doc, param)
			price := costGuess
			if known {
				price = costKnown
			}
			switch {
			case param["in"] == "path":
				path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(text))
				cost += price
			case !needed:
				cost += costOptional
			case param["in"] == "query":
				query.Set(name, text)
				cost += price
			default:
				return "", 0, false
			}
		}
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.Contains(p, "{") { // a parameter that the document does not describe
			parts[i] = "1"
			cost += costGuess
		}
	}
	path = strings.Join(parts, "/")
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, cost, true
}

// example returns a value for a parameter: one that the document names, or one
// that is made up.
func example(doc, param map[string]any) (text string, known bool) {
	sources := []map[string]any{param, resolve(doc, param["schema"])}
	if examples, ok := param["examples"].(map[string]any); ok {
		for _, e := range examples {
			x := resolve(doc, e)
			if v, ok := x["value"]; ok {
				return fmt.Sprint(v), true
			}
		}
	}
	for _, s := range sources {
		for _, key := range []string{"example", "default"} {
			if v, ok := s[key]; ok {
				return fmt.Sprint(v), true
			}
		}
		if e := list(s["enum"]); len(e) > 0 {
			return fmt.Sprint(e[0]), true
		}
	}
	return "1", false
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// resolve returns an object, or what it refers to within the document.
func resolve(doc map[string]any, v any) map[string]any {
	o, _ := v.(map[string]any)
	for range 8 { // references to references
		ref, ok := o["$ref"].(string)
		if !ok {
			break
		}
		pointer, local := strings.CutPrefix(ref, "#/")
		if !local {
			return nil
		}
		var at any = doc
		for _, part := range strings.Split(pointer, "/") {
			m, _ := at.(map[string]any)
			at = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
		}
		o, _ = at.(map[string]any)
	}
	return o
}
