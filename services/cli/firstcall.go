package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// firstCall calls the API through the gateway, as soon as it knows the key. It
// tries a few operations until one is answered well.
func (q *quick) firstCall(ctx context.Context) error {
	q.out.Header = value(q.plan.KeyHeader)
	base := q.out.URL
	var first quickResult
	for i, path := range pathsToTry(q.text) {
		q.out.URL = base + path
		q.out.Curl = fmt.Sprintf("curl -i -H '%s: %s' '%s'", q.out.Header, q.out.Key, q.out.URL)
		if err := q.callUntilKnown(ctx); err != nil {
			return err
		}
		if i == 0 {
			first = q.out
		}
		if q.out.Status < 400 {
			q.step("call", "GET %s was answered %d", q.out.URL, q.out.Status)
			return nil
		}
	}
	q.out = first
	q.step("call", "GET %s was answered %d", q.out.URL, q.out.Status)
	return nil
}

// callUntilKnown calls, again as long as the gateway does not know the key.
func (q *quick) callUntilKnown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		again, err := q.call(ctx)
		if err != nil || !again {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return problem.New(problem.CodeDependencyDown, "the gateway still answers %d to the new key after %s; see gatehouse explain %s", q.out.Status, patience, q.out.RequestID)
		}
	}
}

// call calls once. again says that the gateway does not know the key or the
// subscription yet.
func (q *quick) call(ctx context.Context) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q.out.URL, nil)
	if err != nil {
		return false, fmt.Errorf("calling the API: %w", err)
	}
	r.Header.Set(q.out.Header, q.out.Key)
	client := *q.o.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(r)
	if err != nil {
		return false, fmt.Errorf("calling the API: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // read as far as it is of use
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return false, fmt.Errorf("calling the API: %w", err)
	}
	q.out.Status, q.out.RequestID = res.StatusCode, res.Header.Get("X-Request-Id")
	var p problem.Problem
	if strings.HasPrefix(res.Header.Get("Content-Type"), problem.ContentType) && json.Unmarshal(body, &p) == nil {
		if q.out.RequestID == "" {
			q.out.RequestID = p.Instance
		}
		return p.Code == problem.CodeCredentialInvalid || p.Code == problem.CodeSubscriptionMissing, nil
	}
	return false, nil
}

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
