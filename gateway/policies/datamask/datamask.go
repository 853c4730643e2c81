// Package datamask is the policy type data-mask: it hides parts of bodies and
// headers, in what passes and in what is recorded, each by its own rules. What it
// cannot look into it withholds, it never lets it pass by mistake.
package datamask

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type data-mask.
type Config struct {
	// What to hide, and where. Rules are applied in order.
	Rules []Rule `json:"rules" schema:"required,minItems=1"`
	// Largest body that is looked into, in bytes, where a rule changes it. Larger
	// requests are refused with 413, larger responses with 502.
	MaxBody schema.Bytes `json:"maxBody" schema:"min=1,max=100MiB"`
	// Key for hash: HMAC-SHA-256 (RFC 2104). The same value then has the same
	// hash, which nobody can compute who does not have the key.
	HashKey schema.Secret `json:"hashKey,omitzero"`
}

// Rule hides one kind of value. It has one of path, pattern, header, field.
type Rule struct {
	// JSON path of the values, such as "$.card.number", "$.users[*].email",
	// "$.list[0]" or "$..password". Names are compared exactly. An object or a list
	// is replaced as a whole.
	Path string `json:"path,omitempty" schema:"oneof=what,minLength=2"`
	// Regular expression (RE2) over text: in bodies of the media types of text, and
	// within the texts and numbers of JSON, not its names. Where it has a group, only what the first group
	// has matched is hidden.
	Pattern schema.Regexp `json:"pattern,omitzero" schema:"oneof=what"`
	// Name of a header field.
	Header string `json:"header,omitempty" schema:"oneof=what,minLength=1"`
	// Name of a form field (application/x-www-form-urlencoded) or, in the log, of a
	// query parameter.
	Field string `json:"field,omitempty" schema:"oneof=what,minLength=1"`
	// Where: request changes what the upstream gets, response what the client gets,
	// log what is recorded of both.
	In []string `json:"in,omitempty" schema:"unique,enum=request|response|log"`
	// How: full replaces the value by the replacement, partial keeps its last
	// characters, hash puts a keyed hash in its place.
	How string `json:"how,omitempty" schema:"enum=full|partial|hash"`
	// What to write in place of a value, for full.
	Replacement string `json:"replacement,omitempty" schema:"maxLength=100"`
	// How many characters partial keeps, at most half of the value. 0 = 4.
	Keep int `json:"keep,omitempty" schema:"min=0,max=64"`
}

// SetDefaults gives the values of fields that are left out.
func (r *Rule) SetDefaults() {
	r.In, r.How, r.Replacement = []string{"response", "log"}, "full", "***"
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("data-mask", "Data masking", Config{MaxBody: 1 << 20}, compile, schemaDoc)
	d.Doc = "Hides values in JSON, text and form bodies and in headers: fully, but for the last characters, or by a keyed hash; " +
		"in what the upstream gets, in what the client gets and in what is recorded, independently."
	d.Example = `rules:
  - {path: $.customer.email}
  - {path: $..cardNumber, how: partial, keep: 4}
  - {pattern: '\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b', in: [log]}
  - {header: X-Session, in: [log]}
`
	return d
}

// set is the rules for one place.
type set struct {
	paths   []pathRule
	texts   []textRule
	headers []namedRule
	fields  []namedRule
}

type pathRule struct {
	steps []step
	mask  masker
}

type namedRule struct {
	name string
	mask masker
}

func (s *set) empty() bool {
	return len(s.paths)+len(s.texts)+len(s.headers)+len(s.fields) == 0
}

// body reports whether bodies are looked into.
func (s *set) body() bool { return len(s.paths)+len(s.texts)+len(s.fields) > 0 }

type mask struct {
	request, response, log set
	max                    int64
	masks                  []func(field, value string) string
	slot                   policy.Slot
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &mask{max: int64(c.MaxBody)}
	key := []byte(c.HashKey.Reveal())
	if c.HashKey.IsSet() && len(key) == 0 {
		return policy.Hooks{}, policy.Invalid("/hashKey", "the key is empty; give it a value")
	}
	for i := range c.Rules {
		if err := p.add(&c.Rules[i], key, "/rules/"+strconv.Itoa(i)); err != nil {
			return policy.Hooks{}, err
		}
	}
	var h policy.Hooks
	if !p.log.empty() {
		p.masks = []func(field, value string) string{p.record}
		p.slot = env.Slot()
	}
	if !p.request.empty() || !p.log.empty() {
		h.Inbound = p.inbound
	}
	if !p.log.empty() {
		h.Final = p.final
	}
	if !p.response.empty() {
		h.Outbound = p.outbound
	}
	return h, nil
}

func (p *mask) add(r *Rule, key []byte, at string) error {
	m := masker{how: r.How, replacement: r.Replacement, keep: r.Keep, key: key}
	if m.keep == 0 {
		m.keep = 4
	}
	if r.How == "hash" && len(key) < 16 {
		return policy.Invalid("/hashKey", "hash needs a key of at least 16 bytes: short values could be guessed from their plain hash")
	}
	if len(r.In) == 0 {
		return policy.Invalid(at+"/in", "say where: request, response or log")
	}
	if !policy.ValidValue(r.Replacement) {
		return policy.Invalid(at+"/replacement", "it may have neither control characters nor spaces at its ends")
	}
	var steps []step
	if r.Path != "" {
		var err error
		if steps, err = parsePath(r.Path); err != nil {
			return policy.Invalid(at+"/path", "%v", err)
		}
	}
	if r.Header != "" && (!policy.ValidName(r.Header) || policy.HopByHop(r.Header)) {
		return policy.Invalid(at+"/header", "%q is not the name of a field that can be changed", r.Header)
	}
	for where, s := range map[string]*set{"request": &p.request, "response": &p.response, "log": &p.log} {
		if !slices.Contains(r.In, where) {
			continue
		}
		switch {
		case steps != nil:
			s.paths = append(s.paths, pathRule{steps, m})
		case r.Pattern.IsSet():
			s.texts = append(s.texts, textRule{r.Pattern.Regexp(), m})
		case r.Header != "":
			s.headers = append(s.headers, namedRule{r.Header, m})
		default:
			s.fields = append(s.fields, namedRule{r.Field, m})
		}
	}
	return nil
}

func (p *mask) inbound(ex *policy.Exchange) error {
	p.final(ex)
	if p.request.empty() {
		return nil
	}
	p.request.mask(&ex.Request.Header)
	if !p.request.body() || ex.Request.GRPC || ex.Request.Upgrade != "" {
		return nil
	}
	switch err := p.change(&p.request, &ex.Request.Header, &ex.Request.Body); {
	case err == nil:
		return nil
	case isTooLarge(err):
		return problem.New(problem.CodeBodyTooLarge, "the body may have at most %d bytes", p.max)
	case isProblem(err):
		return err
	default:
		return problem.New(problem.CodeBadRequest, "the body cannot be looked into: %s", reason(err)).Because(err)
	}
}

func (p *mask) outbound(ex *policy.Exchange) error {
	p.response.mask(&ex.Response.Header)
	if !p.response.body() || ex.Response.Tunnel != nil || ex.Request.GRPC {
		return nil
	}
	switch err := p.change(&p.response, &ex.Response.Header, &ex.Response.Body); {
	case err == nil:
		return nil
	case isTooLarge(err):
		return problem.New(problem.CodeUpstreamTooLarge, "the response exceeds the %d bytes that can be looked into", p.max)
	default:
		return problem.New(problem.CodeUpstreamInvalid, "the response cannot be looked into: %s", reason(err)).Because(err)
	}
}

// final sees to what is recorded, also where this policy was not reached.
func (p *mask) final(ex *policy.Exchange) {
	if len(p.masks) == 0 || ex.Get(p.slot) == p {
		return
	}
	ex.Put(p.slot, p)
	if len(ex.Log.Masks) == 0 {
		ex.Log.Masks = slices.Clip(p.masks)
		return
	}
	ex.Log.Masks = append(slices.Clip(ex.Log.Masks), p.masks...)
}

// mask changes the fields of a header.
func (s *set) mask(h *policy.Header) {
	for i := range s.headers {
		fields := h.Fields()
		for j := range fields {
			if policy.EqualName(fields[j].Name, s.headers[i].name) {
				fields[j].Value = s.headers[i].mask.apply(fields[j].Value)
			}
		}
	}
}

// record changes a value that is recorded.
func (p *mask) record(field, value string) string {
	s := &p.log
	switch {
	case strings.HasSuffix(field, ".body"):
		return s.recordBody(value)
	case field == "request.query":
		if v, ok := s.form(value); ok {
			value = v
		}
		return s.text(value)
	}
	if i := strings.LastIndex(field, ".header."); i >= 0 {
		name := field[i+len(".header."):]
		for j := range s.headers {
			if policy.EqualName(s.headers[j].name, name) {
				value = s.headers[j].mask.apply(value)
			}
		}
	}
	return s.text(value)
}
