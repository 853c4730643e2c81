package openapivalidation

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

func field(pointer, rule, detail string) problem.Field {
	return problem.Field{Pointer: pointer, Code: rule, Detail: detail}
}

func (v *validation) checkParameters(ex *policy.Exchange, op *operation, found []problem.Field) []problem.Field {
	q, err := parseQuery(ex.Request.Query)
	if err != nil {
		return append(found, field("/query", "syntax", "the query cannot be decoded"))
	}
	var cookies map[string]string
	for i := range op.parameters {
		p := &op.parameters[i]
		var value any
		var ok bool
		var wrong string
		switch p.In {
		case "path":
			text := ex.Param(p.Name)
			value, wrong = p.decodeSimple(text)
			ok = text != ""
		case "query":
			value, ok, wrong = p.decodeQuery(q)
		case "header":
			if ok = ex.Request.Header.Has(p.Name); ok {
				value, wrong = p.decodeSimple(ex.Request.Header.Joined(p.Name))
			}
		case "cookie":
			if cookies == nil {
				cookies = parseCookies(&ex.Request.Header)
			}
			var text string
			if text, ok = cookies[p.Name]; ok {
				value, wrong = p.decodeSimple(text)
			}
		}
		found = p.check(value, ok, wrong, "/"+p.In+"/"+schema.Escape(p.Name), found)
	}
	if v.config.RefuseUnknownQuery {
		for _, name := range q.names {
			base, _, _ := strings.Cut(name, "[")
			if !op.query[name] && !op.query[base] && !v.hasKey(name) && !op.spreads() {
				found = append(found, field("/query/"+schema.Escape(name), "unknown", "there is no parameter of that name"))
			}
		}
	}
	return found
}

// spreads reports whether an object's properties stand as parameters of their
// own.
func (o *operation) spreads() bool {
	for i := range o.parameters {
		p := &o.parameters[i]
		if p.In == "query" && p.Content == "" && p.Explode && p.Style == "form" && p.kinds&isObject != 0 {
			return true
		}
	}
	return false
}

func (p *parameter) check(value any, ok bool, wrong, at string, found []problem.Field) []problem.Field {
	switch {
	case !ok && p.Required:
		return append(found, field(at, "required", "it is missing"))
	case !ok:
		return found
	case wrong != "":
		return append(found, field(at, "syntax", wrong))
	}
	return append(found, p.checker.Check(value, at)...)
}

// checkBody returns the violations of the body, or a problem where its media
// type is not one of the operation's.
func (v *validation) checkBody(ex *policy.Exchange, op *operation) ([]problem.Field, *problem.Problem) {
	body := &ex.Request.Body
	if op.body == nil {
		return nil, nil
	}
	if body.Empty() {
		if op.body.Required {
			return []problem.Field{field("/body", "required", "a body is missing")}, nil
		}
		return nil, nil
	}
	contentType := ex.Request.Header.Get("Content-Type")
	m := find(op.media, policy.MediaType(contentType))
	if m == nil {
		names := make([]string, len(op.media))
		for i := range op.media {
			names[i] = op.media[i].name
		}
		list := strings.Join(names, ", ")
		return nil, problem.New(problem.CodeUnsupportedMediaType, "the media type of the body is not one of the operation's: %s", list).
			WithHeader("Accept", list)
	}
	return m.check(body, contentType, ex.Request.Header.Has("Content-Encoding")), nil
}

func (v *validation) checkResponse(ex *policy.Exchange, op *operation) []problem.Field {
	resp := &ex.Response
	r := op.response(strconv.Itoa(resp.Status))
	if r == nil {
		return []problem.Field{field("/status", "status", "the document has no response of status "+strconv.Itoa(resp.Status))}
	}
	var found []problem.Field
	for i := range r.headers {
		h := &r.headers[i]
		ok := resp.Header.Has(h.Name)
		var value any
		var wrong string
		if ok {
			value, wrong = h.decodeSimple(resp.Header.Joined(h.Name))
		}
		found = h.check(value, ok, wrong, "/header/"+schema.Escape(h.Name), found)
	}
	if len(r.media) == 0 || resp.Body.Empty() || resp.Status == 204 || resp.Status == 304 || ex.Request.Method == "HEAD" {
		return found
	}
	contentType := resp.Header.Get("Content-Type")
	m := find(r.media, policy.MediaType(contentType))
	if m == nil {
		return append(found, field("/header/content-type", "content", "the document has no such media type for this status"))
	}
	return append(found, m.check(&resp.Body, contentType, resp.Header.Has("Content-Encoding"))...)
}

// check reads a body and checks it. Media types that it cannot read are not
// looked into; so are streams.
func (m *media) check(body *policy.Body, contentType string, encoded bool) []problem.Field {
	if m.checker == nil || !body.Buffered() {
		return nil
	}
	name := policy.MediaType(contentType)
	readable := policy.IsJSON(name) || name == "application/x-www-form-urlencoded" || name == "multipart/form-data" || strings.HasPrefix(name, "text/")
	if encoded && readable {
		return []problem.Field{field("/body", "encoding", "a compressed body cannot be checked; decompress it before, with the policy compress")}
	}
	raw := body.Bytes()
	var value any
	switch {
	case policy.IsJSON(name):
		var wrong string
		if value, wrong = parseJSON(raw); wrong != "" {
			return []problem.Field{field("/body", "syntax", wrong)}
		}
	case name == "application/x-www-form-urlencoded":
		q, err := parseQuery(string(raw))
		if err != nil {
			return []problem.Field{field("/body", "syntax", "the form cannot be decoded")}
		}
		value = m.shape.form(q)
	case name == "multipart/form-data":
		var ok bool
		if value, ok = m.shape.multipart(raw, contentType); !ok {
			return []problem.Field{field("/body", "syntax", "the form cannot be read")}
		}
	case strings.HasPrefix(name, "text/") && !strings.HasSuffix(name, "xml"):
		if !utf8.Valid(raw) {
			return nil
		}
		value = m.shape.read(string(raw))
	default:
		return nil
	}
	return m.checker.Check(value, "/body")
}

// parseJSON reads one JSON text. Numbers whose exponent is huge are refused:
// comparing them exactly would take memory without bound.
func parseJSON(raw []byte) (value any, wrong string) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, "it is not JSON"
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // the decoder returns it bare
		return nil, "something follows the JSON text"
	}
	if !computable(value) {
		return nil, "a number has too many digits"
	}
	return value, ""
}

func computable(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			if !computable(e) {
				return false
			}
		}
	case []any:
		for _, e := range v {
			if !computable(e) {
				return false
			}
		}
	case json.Number:
		return len(v) <= 1000 && !hugeExponent(string(v))
	}
	return true
}

// query is a decoded query or form.
type query struct {
	values map[string][]string
	names  []string // in order, each once
}

// has as url.ParseQuery, but it keeps the order, and a semicolon is a character.
func parseQuery(raw string) (query, error) {
	q := query{values: map[string][]string{}}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return q, err
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return q, err
		}
		if _, ok := q.values[name]; !ok {
			q.names = append(q.names, name)
		}
		q.values[name] = append(q.values[name], value)
	}
	return q, nil
}

func parseCookies(h *policy.Header) map[string]string {
	m := map[string]string{}
	for line := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if _, seen := m[name]; ok && !seen {
				m[name] = strings.Trim(value, `"`)
			}
		}
	}
	return m
}

// form makes an object of a form (OpenAPI 3.1.0, Encoding Object: style form,
// exploded).
func (s *shape) form(q query) any {
	o := make(map[string]any, len(q.names))
	for _, name := range q.names {
		values := q.values[name]
		p := s.property(name)
		if p != nil && p.kinds&isArray != 0 {
			list := make([]any, len(values))
			for i, v := range values {
				list[i] = p.items.read(v)
			}
			o[name] = list
			continue
		}
		if p != nil && p.kinds&isObject != 0 {
			if v, wrong := parseJSON([]byte(values[0])); wrong == "" {
				o[name] = v
				continue
			}
		}
		o[name] = p.read(values[0])
	}
	return o
}

const maxParts = 1000

// multipart makes an object of a multipart form (RFC 7578).
func (s *shape) multipart(raw []byte, contentType string) (any, bool) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, false
	}
	r := multipart.NewReader(bytes.NewReader(raw), params["boundary"])
	o := map[string]any{}
	for range maxParts {
		part, err := r.NextPart()
		if err == io.EOF { //nolint:errorlint // the reader returns it bare
			return o, true
		}
		if err != nil {
			return nil, false
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, false
		}
		name := part.FormName()
		p := s.property(name)
		target := p
		if p != nil && p.kinds&isArray != 0 {
			target = p.items
		}
		value := target.read(string(content))
		if policy.IsJSON(policy.MediaType(part.Header.Get("Content-Type"))) || target != nil && target.kinds&isObject != 0 {
			if v, wrong := parseJSON(content); wrong == "" {
				value = v
			}
		}
		if p != nil && p.kinds&isArray != 0 {
			list, _ := o[name].([]any)
			o[name] = append(list, value)
		} else {
			o[name] = value
		}
	}
	return nil, false
}
