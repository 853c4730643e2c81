// Package requestid is the policy type request-id: it names requests in header
// fields of one's own choice, for the upstream and for the client.
package requestid

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Config is the configuration of the policy type request-id.
type Config struct {
	// Header fields that carry the id, besides the X-Request-Id that every request
	// and answer has.
	Headers []string `json:"headers" schema:"unique,minItems=1,minLength=1"`
	// Whether an id that the client sends in one of the fields is taken, where it
	// is well formed. Without it, and for requests without one, the id is the one
	// that the gateway gave the request.
	Accept bool `json:"accept,omitempty"`
	// How long an id of the client may be, in characters.
	MaxLength int `json:"maxLength" schema:"min=1,max=512"`
	// Whether the id of the client also becomes the request's own: that of logs,
	// traffic records and X-Request-Id. Clients can then give several requests the
	// same id. Otherwise it is recorded as the attribute correlationId.
	Adopt bool `json:"adopt,omitempty"`
	// Whether the upstream gets the id in the fields. Without it the fields go on
	// as the client sent them.
	Forward bool `json:"forward"`
	// Whether the answer carries the fields.
	Echo bool `json:"echo"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("request-id", "Request id", Config{
		Headers: []string{"X-Correlation-Id"}, MaxLength: 128, Forward: true, Echo: true,
	}, compile, schemaDoc)
	d.Doc = "Carries the id of a request in header fields of your choice, to the upstream and back to the client, and " +
		"takes over well-formed ids that clients send."
	d.Example = "headers: [X-Correlation-Id]\naccept: true\n"
	return d
}

// requestID is one configured policy.
type requestID struct{ Config }

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	for i, n := range c.Headers {
		at := "/headers/" + strconv.Itoa(i)
		if !policy.ValidName(n) {
			return policy.Hooks{}, policy.Invalid(at, "%q is not a field name; use letters, digits and hyphens", n)
		}
		if policy.HopByHop(n) || strings.EqualFold(n, "Cookie") || strings.EqualFold(n, "Authorization") {
			return policy.Hooks{}, policy.Invalid(at, "%s has a meaning of its own; choose another name", n)
		}
	}
	if c.Adopt && !c.Accept {
		return policy.Hooks{}, policy.Invalid("/adopt", "there is nothing to adopt; set accept too")
	}
	p := &requestID{Config: c}
	h := policy.Hooks{Inbound: p.inbound}
	if c.Echo {
		h.Final = p.final
	}
	return h, nil
}

// id returns the id to use: that of the client where it is to be taken.
func (p *requestID) id(ex *policy.Exchange) (id string, client bool) {
	if p.Accept {
		for _, n := range p.Headers {
			if v := ex.Request.Header.Get(n); p.wellFormed(v) {
				return v, v != ex.ID
			}
		}
	}
	return ex.ID, false
}

// wellFormed reports whether an id may stand in headers and logs: visible ASCII
// without quotes, commas and backslashes.
func (p *requestID) wellFormed(s string) bool {
	if s == "" || len(s) > p.MaxLength {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == '\\' || c == ';' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

func (p *requestID) inbound(ex *policy.Exchange) error {
	id, client := p.id(ex)
	if client && p.Adopt {
		ex.ID = id
		ex.Request.Header.Set("X-Request-Id", id)
	} else if client {
		if ex.Log.Attributes == nil {
			ex.Log.Attributes = map[string]string{}
		}
		ex.Log.Attributes["correlationId"] = id
	}
	for _, n := range p.Headers {
		if p.Forward {
			ex.Request.Header.Set(n, id)
		}
	}
	return nil
}

// final also runs where Inbound was not reached: the id is found as there.
func (p *requestID) final(ex *policy.Exchange) {
	id, _ := p.id(ex)
	if !policy.ValidValue(id) {
		return
	}
	for _, n := range p.Headers {
		ex.Response.Header.Set(n, id)
	}
}
