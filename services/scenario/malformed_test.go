package scenario_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gatehouse/gatehouse/services/internal/operations"
)

// unbounded are texts of bodies that have no longest, by operation and pointer, with
// what bounds them.
var unbounded = map[string]string{}

// fields returns the fields that a schema names, by name.
func fields(s *openapi3.Schema) map[string]*openapi3.Schema {
	out := map[string]*openapi3.Schema{}
	for _, part := range s.AllOf {
		maps.Copy(out, fields(part.Value))
	}
	for name, p := range s.Properties {
		out[name] = p.Value
	}
	return out
}

// otherType returns a value that a schema does not take.
func otherType(s *openapi3.Schema) any {
	if s.Type.Is("integer") || s.Type.Is("number") || s.Type.Is("boolean") || s.Type.Is("array") || s.Type.Is("object") {
		return "another type"
	}
	return 17
}

// tooLong returns a value for each text of a schema that has a longest.
func tooLong(of map[string]*openapi3.Schema) map[string]any {
	out := map[string]any{}
	for name, s := range of {
		if s.MaxLength != nil && *s.MaxLength < 10_000 {
			out[name] = strings.Repeat("x", int(*s.MaxLength)+1)
		}
	}
	return out
}

// misshapen returns a value for each text of a schema that has a pattern or a format, of
// the right length, which it does not take.
func misshapen(of map[string]*openapi3.Schema) map[string]any {
	out := map[string]any{}
	for name, s := range of {
		if s.Format != "" && s.Format != "binary" && s.Type.Is("string") {
			out[name] = "ä ö"
		}
		if s.Pattern == "" {
			continue
		}
		pattern := regexp.MustCompile(s.Pattern)
		for _, text := range []string{" ", "ä ö \x01"} {
			if text = strings.Repeat(text, max(1, int(s.MinLength))); !pattern.MatchString(text) {
				out[name] = text
				break
			}
		}
	}
	return out
}

// noText returns for each text of a schema one that holds NUL, which PostgreSQL keeps
// nowhere and the other databases do.
func noText(of map[string]*openapi3.Schema) map[string]any {
	out := map[string]any{}
	for name, s := range of {
		if s.Type.Is("string") {
			out[name] = "a\x00b"
		}
	}
	return out
}

// raw is what answers are not to have: regular expressions, types of Go, and errors of
// its libraries.
var raw = regexp.MustCompile(`regular expression|\[[\^a-z0-9]+-[a-z0-9]|\(\?[:i]|\\[sSdwx]|\bstruct\b|\bjson: |strconv\.|\bmap\[|interface \{|\*?\bapi\.[A-Z]|\bGo \w+ of type|unmarshal|parsing time|reflect\.`)

// malformed sends to every operation that takes a body what it does not take: fields
// that nobody knows, of another type, too long, and no text. The answer names each of them, and
// nothing is done.
func (w *writes) malformed() {
	w.t.Helper()
	for op, o := range w.all {
		if o.Service == "bff" || o.Spec.RequestBody == nil {
			continue
		}
		if o.Spec.RequestBody.Value.Content.Get("application/x-www-form-urlencoded") != nil {
			continue // another standard says what is sent, and how it is refused
		}
		media := o.Spec.RequestBody.Value.Content.Get("application/json")
		if media == nil {
			w.fault("%s: it takes no JSON", op)
			continue
		}
		known := fields(media.Schema.Value)
		w.bounded(op, "", media.Schema.Value, nil)
		wrong := map[string]any{"noSuchField": true}
		for name, s := range known {
			if s.Type != nil || len(s.Enum) > 0 {
				wrong[name] = otherType(s)
			}
		}
		for _, body := range []map[string]any{wrong, tooLong(known), misshapen(known), noText(known)} {
			if len(body) > 0 {
				w.refusedFields(op, o, body)
			}
		}
	}
}

// refusedFields sends a body of which every field is at fault.
func (w *writes) refusedFields(op string, o operations.Operation, body map[string]any) {
	w.t.Helper()
	sent, err := json.Marshal(body)
	if err != nil {
		w.fault("%s: %v", op, err)
		return
	}
	who := "owner"
	if o.Public {
		who = ""
	}
	status, header, answer := w.send(who, o.Method, o.Service, pathParameter.ReplaceAllString(o.Path, noSuch), string(sent), "If-Match", "*")
	var p struct {
		Errors []struct{ Pointer, Detail string }
	}
	if status != http.StatusUnprocessableEntity && status != http.StatusBadRequest || header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(answer), &p) != nil {
		w.fault("%s: what it does not take is answered %d %s %s", op, status, header.Get("Content-Type"), answer)
		return
	}
	w.not[header.Get("X-Request-Id")] = op
	for _, e := range p.Errors {
		if raw.MatchString(e.Detail) {
			w.fault("%s: what is wrong with %s is not said in the words of people: %s", op, e.Pointer, e.Detail)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		named := slices.ContainsFunc(p.Errors, func(e struct{ Pointer, Detail string }) bool {
			return e.Pointer == "/"+name && e.Detail != ""
		})
		if !named {
			w.fault("%s: the answer does not name /%s: %s", op, name, answer)
		}
	}
}

// bounded sees to it that every text of a body has a longest.
func (w *writes) bounded(op, at string, s *openapi3.Schema, above []*openapi3.Schema) {
	if slices.Contains(above, s) {
		return
	}
	above = append(above, s)
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, part := range list {
			w.bounded(op, at, part.Value, above)
		}
	}
	for name, p := range s.Properties {
		w.bounded(op, at+"/"+name, p.Value, above)
	}
	if s.Items != nil {
		w.bounded(op, at+"/*", s.Items.Value, above)
	}
	if s.Type.Is("string") && s.MaxLength == nil && len(s.Enum) == 0 && s.Format != "date-time" && unbounded[op+" "+at] == "" {
		w.fault("%s: the text %s has no longest: give it a maxLength", op, at)
	}
}
