package openapivalidation

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strconv"
	"strings"

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
func (v *validation) checkBody(ex *policy.Exchange, op *operation) ([]problem.Field, error) {
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
	found, err := m.check(body, contentType, ex.Request.Header.Has("Content-Encoding"), int64(v.config.MaxBody))
	switch {
	case errors.Is(err, policy.ErrBodyTooLarge) && v.config.Request == "block":
		return nil, problem.New(problem.CodeBodyTooLarge, "the body may have at most %d bytes", v.config.MaxBody)
	case errors.Is(err, policy.ErrBodyTooLarge):
		return []problem.Field{field("/body", "size", "the body is too large to be checked")}, nil
	case err != nil && !errors.As(err, new(*problem.Problem)):
		return nil, problem.New(problem.CodeBadRequest, "the request body could not be read").Because(err)
	}
	return found, err
}

func (v *validation) checkResponse(ex *policy.Exchange, op *operation) ([]problem.Field, error) {
	resp := &ex.Response
	r := op.response(strconv.Itoa(resp.Status))
	if r == nil {
		return []problem.Field{field("/status", "status", "the document has no response of status "+strconv.Itoa(resp.Status))}, nil
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
		return found, nil
	}
	contentType := resp.Header.Get("Content-Type")
	m := find(r.media, policy.MediaType(contentType))
	if m == nil {
		return append(found, field("/header/content-type", "content", "the document has no such media type for this status")), nil
	}
	more, err := m.check(&resp.Body, contentType, resp.Header.Has("Content-Encoding"), int64(v.config.MaxBody))
	switch {
	case errors.Is(err, policy.ErrBodyTooLarge) && v.config.Response == "block":
		return nil, problem.New(problem.CodeUpstreamTooLarge, "the response exceeds the %d bytes that are checked", v.config.MaxBody)
	case errors.Is(err, policy.ErrBodyTooLarge):
		return append(found, field("/body", "size", "the body is too large to be checked")), nil
	case err != nil:
		return nil, problem.New(problem.CodeUpstreamInvalid, "the response body could not be read").Because(err)
	}
	return append(found, more...), nil
}

// readable reports whether a body of a media type can be looked into. Streams
// cannot: they would be held back.
func readable(name string) bool {
	switch name {
	case "application/x-www-form-urlencoded", "multipart/form-data":
		return true
	case "application/json-seq", "application/stream+json", "text/event-stream":
		return false
	}
	return policy.IsJSON(name) || strings.HasPrefix(name, "text/") && !strings.HasSuffix(name, "xml")
}

// check reads a body into memory and checks it. Media types that it cannot read
// are passed on as they stream.
func (m *media) check(body *policy.Body, contentType string, encoded bool, limit int64) ([]problem.Field, error) {
	name := policy.MediaType(contentType)
	if m.checker == nil || !readable(name) {
		return nil, nil
	}
	if encoded {
		return []problem.Field{field("/body", "encoding", "a compressed body cannot be checked; decompress it before, with the policy compress")}, nil
	}
	raw, err := body.Buffer(limit)
	if err != nil {
		return nil, err
	}
	value, wrong := m.read(raw, name, contentType)
	if wrong != "" {
		return []problem.Field{field("/body", "syntax", wrong)}, nil
	}
	return m.checker.Check(value, "/body"), nil
}

// read returns the value that a body stands for.
func (m *media) read(raw []byte, name, contentType string) (value any, wrong string) {
	switch {
	case policy.IsJSON(name):
		return parseJSON(raw)
	case name == "application/x-www-form-urlencoded":
		q, err := parseQuery(string(raw))
		if err != nil {
			return nil, "the form cannot be decoded"
		}
		return m.shape.form(q), ""
	case name == "multipart/form-data":
		value, ok := m.shape.multipart(raw, contentType)
		if !ok {
			return nil, "the form cannot be read"
		}
		return value, ""
	}
	return m.shape.read(string(raw)), ""
}

// parseJSON reads one JSON text. Numbers whose exponent is huge are refused:
// comparing them exactly would take memory without bound.
func parseJSON(raw []byte) (value any, wrong string) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, "it is not JSON"
	}
	if _, err := d.Token(); err != io.EOF {
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

// parseQuery is as url.ParseQuery, but it keeps the order, and a semicolon is a
// character like others.
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
