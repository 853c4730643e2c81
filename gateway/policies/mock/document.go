package mock

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/openapi"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// documentMock answers from the OpenAPI document.
type documentMock struct {
	config   Config
	document *openapi.Document
	bodies   sync.Map // bodyKey → []byte: at most one for each example
}

type bodyKey struct {
	media   *openapi.Media
	example string
}

// answer sets the response that the document suggests.
func (p *documentMock) answer(ex *policy.Exchange) error {
	if ex.Route != nil && ex.Route.Operation == "" && ex.Route.Template == "" {
		return nil // the engine says why no operation is concerned
	}
	op := p.document.Find(ex.Route)
	if op == nil {
		return problem.New(problem.CodeNotFound, "the document of the API does not have this operation")
	}
	code, example := "", p.config.Example
	if p.config.Status != 0 {
		code = strconv.Itoa(p.config.Status)
	}
	var applied []string
	if p.config.Prefer {
		if v, ok := preference(&ex.Request.Header, "code"); ok {
			code, applied = v, append(applied, "code="+v)
		}
		if v, ok := preference(&ex.Request.Header, "example"); ok {
			example, applied = v, append(applied, "example="+v)
		}
	}
	status, response, err := choose(op, code)
	if err != nil {
		return err
	}
	media, err := negotiate(&ex.Request.Header, response.Content)
	if err != nil {
		return err
	}
	var body []byte
	contentType := ""
	if media != nil {
		contentType = media.Type
		if body, err = p.body(op, status, media, example); err != nil {
			return err
		}
	}
	ex.Respond(status, contentType, body)
	h := &ex.Response.Header
	for i := range response.Headers {
		f := &response.Headers[i]
		if f.Schema == nil || policy.HopByHop(f.Name) || !policy.ValidName(f.Name) {
			continue
		}
		g := newGenerator(p.document, p.config.Seed, op.Method+op.Path+f.Name)
		if v := text(g.value(f.Schema.Node, 0)); v != "" && policy.ValidValue(v) {
			h.Set(f.Name, v)
		}
	}
	if list := strings.Join(applied, ", "); list != "" && policy.ValidValue(list) {
		h.Set("Preference-Applied", list)
	}
	if p.config.Prefer {
		policy.AddVary(h, "Prefer")
	}
	if len(response.Content) > 1 {
		policy.AddVary(h, "Accept")
	}
	return nil
}

// preference returns a preference of the client (RFC 7240 section 2), where it
// is a token or a quoted one.
func preference(h *policy.Header, name string) (string, bool) {
	for line := range h.Values("Prefer") {
		for member := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ',' || r == ';' }) {
			k, v, ok := strings.Cut(member, "=")
			v = strings.Trim(strings.TrimSpace(v), `"`)
			if ok && strings.EqualFold(strings.TrimSpace(k), name) && v != "" {
				return v, true
			}
		}
	}
	return "", false
}

// choose returns the response of the status that is asked for, else the first
// successful one.
func choose(op *openapi.Operation, code string) (int, *openapi.Response, error) {
	if code != "" {
		status, err := strconv.Atoi(code)
		if err != nil || status < 200 || status > 599 {
			return 0, nil, problem.New(problem.CodeBadRequest, "the preference code must be a status from 200 to 599")
		}
		for _, key := range []string{code, code[:1] + "XX", "default"} {
			if r := op.Responses[key]; r != nil {
				return status, r, nil
			}
		}
		return 0, nil, problem.New(problem.CodeBadRequest, "the document has no response of that status; it has %s",
			strings.Join(slices.Sorted(maps.Keys(op.Responses)), ", "))
	}
	keys := slices.Sorted(maps.Keys(op.Responses))
	slices.SortStableFunc(keys, func(a, b string) int { return rank(a) - rank(b) })
	for _, key := range keys {
		r := op.Responses[key]
		if status, err := strconv.Atoi(key); err == nil && status >= 200 {
			return status, r, nil
		}
		if len(key) == 3 && strings.HasSuffix(key, "XX") && key[0] >= '2' && key[0] <= '5' {
			return int(key[0]-'0') * 100, r, nil
		}
		if key == "default" {
			return 200, r, nil
		}
	}
	return 200, &openapi.Response{}, nil
}

// rank orders the responses of a document: successful ones first.
func rank(key string) int {
	switch {
	case strings.HasPrefix(key, "2"):
		return 0
	case key == "default":
		return 1
	}
	return 2
}

// negotiate returns the media type that the client likes best (RFC 9110 section
// 12.5.1), nil where the response has none.
func negotiate(h *policy.Header, content []openapi.Media) (*openapi.Media, error) {
	if len(content) == 0 {
		return nil, nil
	}
	ordered := make([]*openapi.Media, len(content))
	for i := range content {
		ordered[i] = &content[i]
	}
	slices.SortStableFunc(ordered, func(a, b *openapi.Media) int { // JSON first
		return boolRank(policy.IsJSON(b.Type)) - boolRank(policy.IsJSON(a.Type))
	})
	if !h.Has("Accept") {
		return ordered[0], nil
	}
	var best *openapi.Media
	bestWeight := 0
	for _, m := range ordered {
		weight, exact := 0, -1
		for r, q := range h.Preferences("Accept") {
			r = strings.ToLower(r)
			if specific := specificity(r); policy.MatchMedia(r, m.Type) && specific > exact {
				weight, exact = q, specific
			}
		}
		if weight > bestWeight {
			best, bestWeight = m, weight
		}
	}
	if best == nil {
		names := make([]string, len(ordered))
		for i, m := range ordered {
			names[i] = m.Type
		}
		return nil, problem.New(problem.CodeNotAcceptable, "the operation answers with %s", strings.Join(names, ", "))
	}
	return best, nil
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func specificity(mediaRange string) int {
	switch {
	case mediaRange == "*/*":
		return 0
	case strings.Contains(mediaRange, "*"):
		return 1
	}
	return 2
}

// body returns the named example, any example, or a value made from the schema.
func (p *documentMock) body(op *openapi.Operation, status int, m *openapi.Media, example string) ([]byte, error) {
	if _, ok := m.Examples[example]; !ok {
		if example != "" && example != p.config.Example {
			return nil, problem.New(problem.CodeBadRequest, "the document has no such example for this response; it has: %s",
				strings.Join(slices.Sorted(maps.Keys(m.Examples)), ", "))
		}
		example = ""
	}
	key := bodyKey{m, example}
	if b, ok := p.bodies.Load(key); ok {
		body, _ := b.([]byte)
		return body, nil
	}
	var value any
	switch {
	case example != "":
		value = m.Examples[example]
	case m.HasExample:
		value = m.Example
	case len(m.Examples) > 0:
		value = m.Examples[slices.Sorted(maps.Keys(m.Examples))[0]]
	case m.Schema != nil:
		g := newGenerator(p.document, p.config.Seed, op.Method+op.Path+strconv.Itoa(status)+m.Type)
		value = g.value(m.Schema.Node, 0)
	}
	body, err := encode(value, m.Type)
	if err != nil {
		return nil, problem.New(problem.CodePolicyFailed, "the example cannot be written").Because(err)
	}
	p.bodies.Store(key, body)
	return body, nil
}

// encode writes a value as its media type has it. An example that is a text
// stands for itself, unless the media type is JSON and it is no JSON text.
func encode(value any, media string) ([]byte, error) {
	s, isText := value.(string)
	if !policy.IsJSON(media) {
		if isText {
			return []byte(s), nil
		}
		if value == nil {
			return nil, nil
		}
		return json.Marshal(value)
	}
	if isText && len(s) > 0 && (s[0] == '{' || s[0] == '[') && json.Valid([]byte(s)) {
		return []byte(s), nil
	}
	return json.Marshal(value)
}

// text returns a value as a header has it.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = text(e)
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v)
}
