// Package openapivalidation is the policy type openapi-validation: it holds
// requests and responses to the OpenAPI document of the API. It reports every
// violation with its place and rule, and reveals no values.
package openapivalidation

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/openapi"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type openapi-validation.
type Config struct {
	// What is done about requests that do not match: block refuses them with 400,
	// report records the violations only, off checks nothing.
	Request string `json:"request" schema:"enum=block|report|off"`
	// What is done about responses that do not match: block answers 502 instead,
	// report records the violations only, off checks nothing.
	Response string `json:"response" schema:"enum=block|report|off"`
	// Whether the answer lists every violation with JSON pointer and rule.
	Details bool `json:"details"`
	// Whether query parameters that the document does not name are violations.
	RefuseUnknownQuery bool `json:"refuseUnknownQuery,omitempty"`
	// Whether properties that are readOnly in the document may be in requests, as
	// clients send them that change what they have read. The upstream must ignore
	// them.
	AllowReadOnly bool `json:"allowReadOnly,omitempty"`
	// Largest body that is held in memory to be checked, in bytes. With block,
	// larger requests are refused with 413, larger responses with 502. Bodies of
	// media types that cannot be checked (neither JSON nor form nor text) stream.
	MaxBody schema.Bytes `json:"maxBody" schema:"min=1,max=100MiB"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("openapi-validation", "OpenAPI validation", Config{
		Request: "block", Response: "off", Details: true, MaxBody: 1 << 20,
	}, compile, schemaDoc)
	d.Doc = "Checks requests and responses against the OpenAPI document of the API (3.0 and 3.1): path, query, header and " +
		"cookie parameters, media types and bodies. Violations are refused or only recorded."
	d.Example = "request: block\nresponse: report\n"
	return d
}

// validation is one configured policy.
type validation struct {
	id         string
	config     Config
	document   *openapi.Document
	operations map[*openapi.Operation]*operation
	keys       []string // query parameters of security schemes
}

// operation is what is checked of one operation, compiled.
type operation struct {
	parameters []parameter
	query      map[string]bool
	body       *openapi.Body
	media      []media
	responses  map[string]*response
}

type parameter struct {
	openapi.Parameter
	checker *openapi.Checker
	kinds   kinds
	shape   *shape
}

type media struct {
	name    string
	checker *openapi.Checker
	shape   *shape
}

type response struct {
	media   []media
	headers []parameter
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	if c.Request == "off" && c.Response == "off" {
		return policy.Hooks{}, policy.Invalid("/request", "nothing is checked; set request or response to block or report")
	}
	d, err := openapi.Load(env)
	if len(env.Document) == 0 && env.Scope.API == "" {
		return policy.Hooks{}, policy.Invalid("", "the policy needs an OpenAPI document: put it on an API that has one")
	}
	if err != nil {
		return policy.Hooks{}, policy.Invalid("", "%v", err)
	}
	v := &validation{id: env.ID, config: c, document: d, operations: map[*openapi.Operation]*operation{}, keys: d.KeyParameters()}
	for _, op := range d.Operations() {
		if v.operations[op], err = v.compile(op); err != nil {
			return policy.Hooks{}, policy.Invalid("", "the OpenAPI document cannot be used: %s %s: %v", op.Method, op.Path, err)
		}
	}
	var h policy.Hooks
	if c.Request != "off" {
		h.Inbound = v.inbound
	}
	if c.Response != "off" {
		h.Outbound = v.outbound
	}
	return h, nil
}

func (v *validation) compile(op *openapi.Operation) (*operation, error) {
	o := &operation{query: map[string]bool{}, body: op.Body, responses: map[string]*response{}}
	var err error
	if v.config.Request != "off" {
		// Responses may have what is readOnly.
		dir := openapi.InRequest
		if v.config.AllowReadOnly {
			dir = openapi.Both
		}
		if o.parameters, err = v.parameters(op.Parameters, dir); err != nil {
			return nil, err
		}
		for _, p := range op.Parameters {
			if p.In == "query" {
				o.query[p.Name] = true
			}
		}
		if op.Body != nil {
			if o.media, err = v.media(op.Body.Content, dir); err != nil {
				return nil, err
			}
		}
	}
	if v.config.Response == "off" {
		return o, nil
	}
	for status, r := range op.Responses {
		n := &response{}
		if n.media, err = v.media(r.Content, openapi.InResponse); err != nil {
			return nil, err
		}
		if n.headers, err = v.parameters(r.Headers, openapi.InResponse); err != nil {
			return nil, err
		}
		o.responses[status] = n
	}
	return o, nil
}

func (v *validation) parameters(in []openapi.Parameter, dir openapi.Direction) ([]parameter, error) {
	ps := make([]parameter, len(in))
	for i, p := range in {
		c, err := v.document.Compile(p.Schema, dir)
		if err != nil {
			return nil, err
		}
		ps[i] = parameter{Parameter: p, checker: c}
		if p.Schema != nil {
			ps[i].shape = shapeOf(v.document, p.Schema.Node, 0)
			ps[i].kinds = ps[i].shape.kinds
		}
	}
	return ps, nil
}

func (v *validation) media(in []openapi.Media, dir openapi.Direction) ([]media, error) {
	ms := make([]media, len(in))
	for i, m := range in {
		c, err := v.document.Compile(m.Schema, dir)
		if err != nil {
			return nil, err
		}
		ms[i] = media{name: m.Type, checker: c}
		if m.Schema != nil {
			ms[i].shape = shapeOf(v.document, m.Schema.Node, 0)
		}
	}
	return ms, nil
}

// find returns what the document says of a media type, the most exact first.
func find(ms []media, name string) *media {
	for _, pattern := range []func(string) bool{
		func(m string) bool { return m == name },
		func(m string) bool { return !strings.HasPrefix(m, "*") && policy.MatchMedia(m, name) },
		func(m string) bool { return policy.MatchMedia(m, name) },
	} {
		for i := range ms {
			if pattern(ms[i].name) {
				return &ms[i]
			}
		}
	}
	return nil
}

// operation returns what to check for a request; nil where the document does not
// know it.
func (v *validation) operation(ex *policy.Exchange) *operation {
	op := v.document.Find(ex.Route)
	if op == nil {
		return nil
	}
	return v.operations[op]
}

func (v *validation) inbound(ex *policy.Exchange) error {
	op := v.operation(ex)
	if op == nil {
		// Also what the API serves besides its document, and what it does not serve:
		// the answer to that is the router's.
		if ex.Noting() {
			ex.Note(v.id, "request", "the document does not have the operation")
		}
		return nil
	}
	var found []problem.Field
	found = v.checkParameters(ex, op, found)
	body, err := v.checkBody(ex, op)
	if err != nil {
		if v.config.Request == "block" || !problem.Is(err, problem.CodeUnsupportedMediaType) {
			return err
		}
		body = append(body, problem.Field{Pointer: "/header/content-type", Code: "content", Detail: problem.From(err).Detail})
	}
	found = append(found, body...)
	if len(found) == 0 {
		return nil
	}
	v.report(ex, "request", found)
	if v.config.Request != "block" {
		return nil
	}
	return v.problem(problem.New(problem.CodeValidationFailed, "the request does not match the document of the API"), found)
}

func (v *validation) outbound(ex *policy.Exchange) error {
	op := v.operation(ex)
	if op == nil || ex.Response.Tunnel != nil || ex.Response.Status < 200 {
		return nil
	}
	found, err := v.checkResponse(ex, op)
	if err != nil || len(found) == 0 {
		return err
	}
	v.report(ex, "response", found)
	if v.config.Response != "block" {
		return nil
	}
	return v.problem(problem.New(problem.CodeResponseInvalid, "the upstream's response does not match the document of the API"), found)
}

func (v *validation) problem(p *problem.Problem, found []problem.Field) error {
	if v.config.Details {
		p.Errors = found[:min(len(found), openapi.MaxViolations)]
	}
	return p
}

// report puts the violations into the record.
func (v *validation) report(ex *policy.Exchange, what string, found []problem.Field) {
	var b strings.Builder
	for i, f := range found {
		if i == 10 {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.Pointer + " " + f.Code)
	}
	if ex.Noting() {
		ex.Note(v.id, what, b.String())
	}
	if ex.Log.Attributes == nil {
		ex.Log.Attributes = map[string]string{}
	}
	ex.Log.Attributes[what+"Violations"] = b.String()
}

// response returns what the document says of a status, the most exact first.
func (o *operation) response(status string) *response {
	for _, key := range []string{status, status[:1] + "XX", "default"} {
		if r := o.responses[key]; r != nil {
			return r
		}
	}
	return nil
}

// hasKey reports whether a query parameter carries a credential.
func (v *validation) hasKey(name string) bool { return slices.Contains(v.keys, name) }
