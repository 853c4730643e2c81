// Package logcontrol is the policy type log-control: it says what is recorded of
// an exchange in the access log and in traffic records. It writes nothing
// itself, and never reveals what is redacted.
package logcontrol

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type log-control.
type Config struct {
	// CEL expression; where it is true, the exchange is recorded nowhere but in the
	// metrics. "true" for always.
	Skip string `json:"skip,omitempty" schema:"minLength=1"`
	// Share of the exchanges to record, between 0 and 1. Errors of the gateway are
	// decided like others. 0 = as configured for the gateway.
	Sample float64 `json:"sample,omitempty" schema:"min=0,max=1"`
	// CEL expression; where it is true, the exchange is recorded whatever sample
	// says, such as "response.status >= 500".
	Always string `json:"always,omitempty" schema:"minLength=1"`
	// Request header fields to record. Fields that bear secrets are redacted.
	RequestHeaders []string `json:"requestHeaders,omitempty" schema:"unique,minLength=1"`
	// Response header fields to record.
	ResponseHeaders []string `json:"responseHeaders,omitempty" schema:"unique,minLength=1"`
	// How many bytes of the request body to record.
	RequestBody schema.Bytes `json:"requestBody,omitempty" schema:"max=64KiB"`
	// How many bytes of the response body to record.
	ResponseBody schema.Bytes `json:"responseBody,omitempty" schema:"max=64KiB"`
	// Further facts to record, by name. Values are templates, evaluated when the
	// answer is known, and cut at 1,024 bytes; one that cannot be made is left out.
	Attributes map[string]string `json:"attributes,omitempty" schema:"maxItems=20"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("log-control", "Log control", Config{}, compile, schemaDoc)
	d.Doc = "Says what is recorded of an exchange: nothing, a sample, header fields, the beginning of bodies, and attributes " +
		"of your own. Secrets stay redacted."
	d.Example = `skip: request.path == "/health" && response.status < 400
sample: 0.1
always: response.status >= 500
requestHeaders: [User-Agent, X-Tenant]
attributes: {tenant: "${request.headers['x-tenant']}"}
`
	return d
}

type attribute struct {
	name  string
	value policy.Template
}

type control struct {
	id              string
	skip, always    policy.Expression
	sample          float64
	requestHeaders  []string
	responseHeaders []string
	requestBody     int
	responseBody    int
	attributes      []attribute
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &control{
		id: env.ID, sample: c.Sample, requestBody: c.RequestBody.Int(), responseBody: c.ResponseBody.Int(),
		// Without room behind them, so that appending to them copies.
		requestHeaders: slices.Clip(slices.Clone(c.RequestHeaders)), responseHeaders: slices.Clip(slices.Clone(c.ResponseHeaders)),
	}
	if c.Always != "" && c.Sample == 0 {
		return policy.Hooks{}, policy.Invalid("/always", "everything is recorded already; set sample too")
	}
	for at, names := range map[string][]string{"/requestHeaders/": c.RequestHeaders, "/responseHeaders/": c.ResponseHeaders} {
		for i, n := range names {
			if !policy.ValidName(n) {
				return policy.Hooks{}, policy.Invalid(at+strconv.Itoa(i), "%q is not a field name", n)
			}
		}
	}
	for _, e := range []struct {
		at, text string
		to       *policy.Expression
	}{{"/skip", c.Skip, &p.skip}, {"/always", c.Always, &p.always}} {
		if e.text == "" {
			continue
		}
		var err error
		if *e.to, err = env.Expression(e.text); err != nil {
			return policy.Hooks{}, policy.Invalid(e.at, "%v", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		t, err := env.Template(c.Attributes[name])
		if err != nil {
			return policy.Hooks{}, policy.Invalid("/attributes/"+schema.Escape(name), "%v", err)
		}
		p.attributes = append(p.attributes, attribute{name, t})
	}
	h := policy.Hooks{Final: p.final}
	if p.requestBody+p.responseBody > 0 {
		h.Inbound = p.inbound
	}
	return h, nil
}

// inbound says how much of the bodies to keep, before they go by.
func (p *control) inbound(ex *policy.Exchange) error {
	ex.Log.RequestBody = max(ex.Log.RequestBody, p.requestBody)
	ex.Log.ResponseBody = max(ex.Log.ResponseBody, p.responseBody)
	return nil
}

// final decides the rest: by then everything is known, and refused requests are
// treated alike.
func (p *control) final(ex *policy.Exchange) {
	l := &ex.Log
	if p.skip != nil && p.holds(ex, p.skip, "skip") {
		l.Skip = true
		return
	}
	if p.sample > 0 && (p.always == nil || !p.holds(ex, p.always, "always")) {
		l.Sample = p.sample
	}
	l.RequestHeaders = merge(l.RequestHeaders, p.requestHeaders)
	l.ResponseHeaders = merge(l.ResponseHeaders, p.responseHeaders)
	l.ResponseBody = max(l.ResponseBody, p.responseBody)
	for _, a := range p.attributes {
		v, err := a.value.Text(ex)
		if err != nil {
			ex.Note(p.id, "attribute "+a.name, "could not be made")
			continue
		}
		if l.Attributes == nil {
			l.Attributes = make(map[string]string, len(p.attributes))
		}
		l.Attributes[a.name] = cut(v)
	}
}

// holds reports whether an expression is true. One that cannot be evaluated
// decides for recording.
func (p *control) holds(ex *policy.Exchange, e policy.Expression, what string) bool {
	ok, err := e.Bool(ex)
	if err != nil {
		ex.Note(p.id, what, "could not be evaluated: the exchange is recorded")
		return what == "always"
	}
	return ok
}

func merge(have, more []string) []string {
	if len(have) == 0 {
		return more
	}
	return append(slices.Clip(have), more...)
}

const maxAttribute = 1024

func cut(s string) string {
	if len(s) <= maxAttribute {
		return s
	}
	n := maxAttribute
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
