// Package check says what gateways would find wrong with policies and plans,
// before they are stored: it puts them into a unit, has the gateway's own
// compile look at it, and points at the fields of what was handed in.
package check

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/catalogue"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
)

// Checker checks what is to be stored. It is safe for concurrent use.
type Checker struct {
	validator *gateway.Validator
	types     *catalogue.Catalogue
}

// New returns a checker.
func New(v *gateway.Validator, types *catalogue.Catalogue) *Checker {
	return &Checker{validator: v, types: types}
}

// place is a pointer of the unit, and where that stands in what was handed in.
type place struct{ unit, body string }

// API checks the policies of an API on its draft. sets are those that they refer
// to. Pointers are into a document with "api" and "operations".
func (c *Checker) API(draft unit.API, of policies.OfAPI, sets []unit.PolicySet) []problem.Field {
	a := bare(draft)
	a.Policies = policies.Units(of.API, true)
	fields := c.forms("/api", of.API)
	places := []place{{"/policies", "/api"}}
	for _, l := range of.Lists()[1:] {
		i := slices.IndexFunc(a.Operations, func(o unit.Operation) bool { return o.ID == l.Operation })
		if i < 0 {
			fields = append(fields, problem.Field{Pointer: l.At, Code: "reference", Detail: "the API has no operation " + strconv.Quote(l.Operation) + operationHint(l.Operation, a.Operations)})
			continue
		}
		fields = append(fields, c.forms(l.At, l.List)...)
		a.Operations[i].Policies = policies.Units(l.List, true)
		places = append(places, place{"/operations/" + strconv.Itoa(i) + "/policies", l.At})
	}
	if len(fields) > 0 {
		return fields
	}
	return c.compiled(a, draft, sets, unit.Settings{}, places, nil)
}

// operationHint suggests an operation id.
func operationHint(id string, operations []unit.Operation) string {
	ids := make([]string, len(operations))
	for i := range operations {
		ids[i] = operations[i].ID
	}
	return schema.Suggest(id, ids)
}

// Platform checks the policies of the platform; pointers begin with "/policies".
func (c *Checker) Platform(list []policies.Policy, sets []unit.PolicySet) []problem.Field {
	if fields := c.forms("/policies", list); len(fields) > 0 {
		return fields
	}
	settings := unit.Settings{Platform: policies.Units(list, true)}
	return c.compiled(Probe("", nil), unit.API{}, sets, settings, []place{{"/platform", "/policies"}}, nil)
}

// Project checks the policies of a project; pointers begin with "/policies".
func (c *Checker) Project(project string, list []policies.Policy, sets []unit.PolicySet) []problem.Field {
	if fields := c.forms("/policies", list); len(fields) > 0 {
		return fields
	}
	settings := unit.Settings{Projects: map[string][]unit.Policy{project: policies.Units(list, true)}}
	at := "/projects/" + schema.Escape(project)
	return c.compiled(Probe(project, nil), unit.API{}, sets, settings, []place{{at, "/policies"}}, nil)
}

// Set checks the policies of a policy set, as an API that has a document would
// meet them; pointers begin with "/policies".
func (c *Checker) Set(list []policies.Policy) []problem.Field {
	fields := c.forms("/policies", list)
	for i, p := range list {
		if p.Set != "" {
			fields = append(fields, problem.Field{Pointer: "/policies/" + strconv.Itoa(i) + "/set", Code: "invalid", Detail: "a policy set cannot refer to another; put the policies themselves here"})
		}
	}
	if len(fields) > 0 {
		return fields
	}
	a := Probe("", nil)
	a.Document = unit.Raw(`{"openapi":"3.0.3","info":{"title":"probe","version":"1"},"paths":{}}`)
	base := bare(a)
	a.Policies = policies.Units(list, true)
	return c.compiled(a, base, nil, unit.Settings{}, []place{{"/policies", "/policies"}}, nil)
}

// Plan checks a plan on its API's draft; pointers are into the plan.
func (c *Checker) Plan(draft unit.API, p plan.Plan, sets []unit.PolicySet) []problem.Field {
	fields := append(p.Limits.Check(), c.forms("/policies", p.Policies)...)
	if kind := plan.SecurityPolicy(p.Security); kind == "" && len(p.SecurityConfig) > 0 && !emptyObject(p.SecurityConfig) {
		fields = append(fields, problem.Field{Pointer: "/security/config", Code: "invalid", Detail: "a keyless plan has no configuration of its security; leave config out"})
	} else if kind != "" {
		fields = append(fields, c.form("/security", policies.Policy{Type: kind, Config: p.SecurityConfig})...)
	}
	if len(fields) > 0 {
		return fields
	}
	a := bare(draft)
	a.Plans = []unit.Plan{p.Unit("", true)}
	return c.compiled(a, draft, sets, unit.Settings{}, []place{{"/plans/0", ""}}, p.Place)
}

func emptyObject(raw json.RawMessage) bool {
	s := string(bytes.TrimSpace(raw))
	return s == "null" || s == "{}"
}

// Unit checks a whole unit; pointers are within it.
func (c *Checker) Unit(document []byte, sets []unit.PolicySet) []problem.Field {
	return c.validator.Unit(document, sets, unit.Settings{})
}

// forms checks the form of configurations alone, all of them, which tells more
// than a compile that ends with the first.
func (c *Checker) forms(at string, list []policies.Policy) []problem.Field {
	var fields []problem.Field
	for i, p := range list {
		if p.Set == "" {
			fields = append(fields, c.form(at+"/"+strconv.Itoa(i), p)...)
		}
	}
	return fields
}

func (c *Checker) form(at string, p policies.Policy) []problem.Field {
	t, ok := c.types.Get(p.Type)
	if !ok {
		return []problem.Field{{Pointer: at + "/type", Code: "unknown", Detail: "there is no policy type " + strconv.Quote(p.Type) + schema.Suggest(p.Type, c.types.Names())}}
	}
	fields := t.Check(p.Config)
	for i := range fields {
		fields[i].Pointer = at + "/config" + fields[i].Pointer
	}
	return fields
}

// compiled compiles a unit and returns what is wrong with the places. The rest
// is reported at the top, unless it is wrong with the base, without them, too.
func (c *Checker) compiled(a, base unit.API, sets []unit.PolicySet, settings unit.Settings, places []place, then func(string) string) []problem.Field {
	var out, rest []problem.Field
	for _, f := range c.compile(a, sets, settings) {
		if at, ok := within(f, places); ok {
			if then != nil {
				at = then(at)
			}
			f.Pointer = at
			// The platform's are compiled alone and with an API; once is enough.
			if !slices.ContainsFunc(out, func(o problem.Field) bool { return o.Pointer == f.Pointer && o.Code == f.Code }) {
				out = append(out, f)
			}
			continue
		}
		rest = append(rest, f)
	}
	if len(rest) == 0 || base.ID == "" {
		return append(out, rest...)
	}
	known := c.compile(bare(base), nil, unit.Settings{})
	for _, f := range rest {
		if !slices.Contains(known, f) {
			f.Pointer = ""
			out = append(out, f)
		}
	}
	return out
}

func (c *Checker) compile(a unit.API, sets []unit.PolicySet, settings unit.Settings) []problem.Field {
	document, _, err := unit.Encode(a)
	if err != nil {
		return []problem.Field{{Code: "invalid", Detail: err.Error()}}
	}
	return c.validator.Unit(document, sets, settings)
}

// within returns where a field stands in what was handed in.
func within(f problem.Field, places []place) (string, bool) {
	for _, p := range places {
		rest, ok := strings.CutPrefix(f.Pointer, p.unit)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		return p.body + rest, true
	}
	return "", false
}

// bare returns an API's unit without policies and plans.
func bare(a unit.API) unit.API {
	a.Policies, a.Plans = nil, nil
	a.Operations = slices.Clone(a.Operations)
	for i := range a.Operations {
		a.Operations[i].Policies = nil
	}
	return a
}

// Probe returns a unit that stands for an API of which no draft is known.
func Probe(project string, operations []unit.Operation) unit.API {
	return unit.API{
		ID: "probe", Name: "probe", Project: project, BasePath: "/", Operations: operations,
		Upstreams: []unit.Upstream{{Name: "default", Targets: []unit.Target{{URL: "http://127.0.0.1:1"}}}},
	}
}
