// Package mock is the policy type mock: it answers instead of the upstream, with
// a fixed response, with an example of the OpenAPI document, or with one made
// from its schemas.
package mock

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/openapi"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type mock.
type Config struct {
	// Whether the answer is taken from the OpenAPI document of the API: an example,
	// or where there is none, one made from the schema. Without it, it is the
	// response given here.
	Document bool `json:"document,omitempty"`
	// Status of the answer. 0 = 200, or with document the first successful one that
	// it names.
	Status int `json:"status,omitempty" schema:"max=599"`
	// Header fields of the answer. Values are templates.
	Headers map[string]string `json:"headers,omitempty"`
	// Media type of body.
	ContentType string `json:"contentType,omitempty"`
	// Body of the answer: a template. ${CEL} is replaced by the value of the
	// expression.
	Body string `json:"body,omitempty"`
	// Name of the example to prefer.
	Example string `json:"example,omitempty"`
	// Whether clients may choose with Prefer: code=404, example=name (RFC 7240).
	Prefer bool `json:"prefer"`
	// What made answers depend on: the same seed always gives the same.
	Seed uint64 `json:"seed,omitempty"`
	// How long the answer takes.
	Delay schema.Duration `json:"delay,omitempty" schema:"max=1m"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("mock", "Mock", Config{Prefer: true}, compile, schemaDoc)
	d.Doc = "Answers instead of the upstream: with a fixed response, or from the API's OpenAPI document with an example or " +
		"with an answer made from the schema. Clients may ask for a status or an example with the Prefer header."
	d.Example = `status: 200
contentType: application/json
body: '{"id": "${request.params["id"]}"}'
delay: 50ms
`
	return d
}

type header struct {
	name  string
	value policy.Template
}

type mock struct {
	config   Config
	headers  []header
	body     policy.Template
	fixed    []byte // body, where it is constant
	document *documentMock
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &mock{config: c}
	if c.Status != 0 && c.Status < 200 {
		return policy.Hooks{}, policy.Invalid("/status", "want a status from 200 to 599")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		at := "/headers/" + schema.Escape(name)
		if !policy.ValidName(name) || policy.HopByHop(name) {
			return policy.Hooks{}, policy.Invalid(at, "%q is not the name of a field that can be set", name)
		}
		t, err := env.Template(c.Headers[name])
		if err != nil {
			return policy.Hooks{}, policy.Invalid(at, "%v", err)
		}
		p.headers = append(p.headers, header{name, t})
	}
	if c.Document {
		if c.Body != "" || c.ContentType != "" {
			return policy.Hooks{}, policy.Invalid("/document", "the body comes from the document; remove body and contentType")
		}
		d, err := openapi.Load(env)
		if err != nil {
			return policy.Hooks{}, policy.Invalid("/document", "%v", err)
		}
		p.document = &documentMock{config: c, document: d}
		return policy.Hooks{Inbound: p.inbound}, nil
	}
	if c.Example != "" || c.Seed != 0 {
		return policy.Hooks{}, policy.Invalid("/document", "example and seed are for answers from the document; set document")
	}
	if !policy.ValidValue(c.ContentType) {
		return policy.Hooks{}, policy.Invalid("/contentType", "want a media type such as application/json")
	}
	if p.config.Status == 0 {
		p.config.Status = 200
	}
	if p.config.ContentType == "" && c.Body != "" {
		p.config.ContentType = "text/plain; charset=utf-8"
		if strings.HasPrefix(c.Body, "{") || strings.HasPrefix(c.Body, "[") {
			p.config.ContentType = "application/json"
		}
	}
	t, err := env.Template(c.Body)
	if err != nil {
		return policy.Hooks{}, policy.Invalid("/body", "%v", err)
	}
	if p.body = t; t.Constant() {
		s, err := t.Text(nil)
		if err != nil {
			return policy.Hooks{}, policy.Invalid("/body", "%v", err)
		}
		p.fixed, p.body = []byte(s), nil
	}
	return policy.Hooks{Inbound: p.inbound}, nil
}

func (p *mock) inbound(ex *policy.Exchange) error {
	if d := p.config.Delay.Std(); d > 0 {
		if err := wait(ex.Context(), d); err != nil {
			return err
		}
	}
	if p.document != nil {
		if err := p.document.answer(ex); err != nil {
			return err
		}
	} else {
		body := p.fixed
		if p.body != nil {
			s, err := p.body.Text(ex)
			if err != nil {
				return problem.New(problem.CodePolicyFailed, "the body of the mock could not be made").Because(err)
			}
			body = []byte(s)
		}
		ex.Respond(p.config.Status, p.config.ContentType, body)
	}
	for i := range p.headers {
		v, err := p.headers[i].value.Text(ex)
		if err != nil || !policy.ValidValue(v) {
			return problem.New(problem.CodePolicyFailed, "the header %s of the mock could not be made", p.headers[i].name).Because(err)
		}
		ex.Response.Header.Set(p.headers[i].name, v)
	}
	return nil
}

// wait waits, but not longer than the client does.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return problem.New(problem.CodeClientClosed, "").Because(context.Cause(ctx))
	}
}
