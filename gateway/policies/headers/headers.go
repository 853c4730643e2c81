// Package headers is the policy type headers: it changes the header fields of
// requests and responses. It refuses the fields that belong to the transport,
// and checks every value that it makes.
package headers

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type headers.
type Config struct {
	// What is done to the header of the request, before it is sent to the upstream.
	Request Operations `json:"request,omitzero"`
	// What is done to the header of the response, before it is sent to the client.
	Response Operations `json:"response,omitzero"`
	// Whether errors that the gateway answers are treated like other responses.
	Errors bool `json:"errors,omitempty"`
}

// Operations are done in the order keep, remove, rename, set, add, append,
// within each in the order of the list or of the names.
type Operations struct {
	// Names of the fields to keep; all others are removed. A star at the end
	// stands for anything. Kept in any case are the fields that describe the
	// content (Content-*) and those that the gateway itself sets for the upstream
	// (Via, X-Forwarded-*, X-Request-Id, X-Gatehouse-*, traceparent, tracestate).
	Keep []string `json:"keep,omitempty" schema:"unique,minLength=1"`
	// Names of fields to remove. A star at the end stands for anything.
	Remove []string `json:"remove,omitempty" schema:"unique,minLength=1"`
	// New names by old ones. Values stay as they are; a field that bears the new
	// name already is replaced.
	Rename map[string]string `json:"rename,omitempty"`
	// Values by name that replace what is there. Values are templates; an empty
	// value removes the field.
	Set map[string]string `json:"set,omitempty"`
	// Values by name for fields that are not there yet. Values are templates; an
	// empty value adds nothing.
	Add map[string]string `json:"add,omitempty"`
	// Values by name to append to the comma-separated list that is there, or to
	// begin it. Values are templates; an empty value appends nothing.
	Append map[string]string `json:"append,omitempty"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("headers", "Change headers", Config{}, compile, schemaDoc)
	d.Doc = "Keeps, removes, renames, sets, adds and appends header fields of requests and responses, in that order. " +
		"Values are templates: ${CEL} is replaced by the value of the expression."
	d.Example = `request:
  remove: [X-Debug, "X-Internal-*"]
  rename: {X-Old-Tenant: X-Tenant}
  set: {X-Application: "${application.id}"}
response:
  remove: [Server, X-Powered-By]
  add: {Strict-Transport-Security: max-age=31536000}
  append: {Cache-Control: no-transform}
`
	return d
}

// names is a set of field names and of prefixes of them.
type names struct{ exact, prefixes []string }

func (n *names) empty() bool { return len(n.exact)+len(n.prefixes) == 0 }

func (n *names) has(name string) bool {
	for _, e := range n.exact {
		if policy.EqualName(e, name) {
			return true
		}
	}
	for _, p := range n.prefixes {
		if len(name) >= len(p) && policy.EqualName(name[:len(p)], p) {
			return true
		}
	}
	return false
}

type rename struct{ from, to string }

type value struct {
	name     string
	constant string
	template policy.Template // nil for a constant
}

// operations are what is done to one header, compiled.
type operations struct {
	keep, remove     names
	rename           []rename
	set, add, append []value
	// code is that of the problem when a value cannot be made.
	code problem.Code
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	request, err := c.Request.compile("/request", env, problem.CodeBadRequest)
	if err != nil {
		return policy.Hooks{}, err
	}
	response, err := c.Response.compile("/response", env, problem.CodePolicyFailed)
	if err != nil {
		return policy.Hooks{}, err
	}
	var h policy.Hooks
	if request != nil {
		h.Inbound = func(ex *policy.Exchange) error { return request.apply(ex, &ex.Request.Header) }
	}
	if response == nil {
		if c.Errors {
			return h, policy.Invalid("/errors", "there is nothing to do on responses; add response or leave errors out")
		}
		return h, nil
	}
	h.Outbound = func(ex *policy.Exchange) error { return response.apply(ex, &ex.Response.Header) }
	if c.Errors {
		h.Final = func(ex *policy.Exchange) {
			if ex.Response.Source == policy.SourceError {
				// A value that cannot be made leaves its field out: the error must be
				// answered all the same.
				_ = response.apply(ex, &ex.Response.Header)
			}
		}
	}
	return h, nil
}

// kept are the fields that an allow-list keeps in any case.
var kept = []string{"Content-*", "Via", "X-Forwarded-*", "X-Request-Id", "X-Gatehouse-*", "traceparent", "tracestate"}

func (o *Operations) compile(at string, env policy.Env, code problem.Code) (*operations, error) {
	c := &operations{code: code}
	var err error
	if len(o.Keep) > 0 {
		if c.keep, err = compileNames(o.Keep, at+"/keep"); err != nil {
			return nil, err
		}
		always, err := compileNames(kept, "")
		if err != nil {
			return nil, err
		}
		c.keep.exact = append(c.keep.exact, always.exact...)
		c.keep.prefixes = append(c.keep.prefixes, always.prefixes...)
	}
	if c.remove, err = compileNames(o.Remove, at+"/remove"); err != nil {
		return nil, err
	}
	for _, from := range slices.Sorted(maps.Keys(o.Rename)) {
		to := o.Rename[from]
		for _, n := range []string{from, to} {
			if err := check(n, at+"/rename/"+schema.Escape(from)); err != nil {
				return nil, err
			}
		}
		if policy.EqualName(from, to) {
			return nil, policy.Invalid(at+"/rename/"+schema.Escape(from), "old and new name are the same")
		}
		c.rename = append(c.rename, rename{from, to})
	}
	for _, v := range []struct {
		key  string
		from map[string]string
		to   *[]value
	}{{"/set", o.Set, &c.set}, {"/add", o.Add, &c.add}, {"/append", o.Append, &c.append}} {
		if *v.to, err = compileValues(v.from, at+v.key, env); err != nil {
			return nil, err
		}
	}
	if c.keep.empty() && c.remove.empty() && len(c.rename)+len(c.set)+len(c.add)+len(c.append) == 0 {
		return nil, nil
	}
	return c, nil
}

func check(name, at string) error {
	if !policy.ValidName(name) {
		return policy.Invalid(at, "%q is not a field name; use letters, digits and hyphens", name)
	}
	if policy.HopByHop(name) {
		return policy.Invalid(at, "%s belongs to the transport, which writes it for each connection; leave it out", name)
	}
	return nil
}

func compileNames(list []string, at string) (names, error) {
	var n names
	for i, name := range list {
		prefix, star := strings.CutSuffix(name, "*")
		if star && prefix == "" {
			return n, policy.Invalid(at+"/"+strconv.Itoa(i), "a star needs the beginning of a name before it")
		}
		if err := check(prefix, at+"/"+strconv.Itoa(i)); err != nil {
			return n, err
		}
		if star {
			n.prefixes = append(n.prefixes, prefix)
		} else {
			n.exact = append(n.exact, name)
		}
	}
	return n, nil
}

func compileValues(m map[string]string, at string, env policy.Env) ([]value, error) {
	var vs []value
	for _, name := range slices.Sorted(maps.Keys(m)) {
		at := at + "/" + schema.Escape(name)
		if err := check(name, at); err != nil {
			return nil, err
		}
		t, err := env.Template(m[name])
		if err != nil {
			return nil, policy.Invalid(at, "%v", err)
		}
		v := value{name: name, template: t}
		if t.Constant() {
			if v.constant, err = t.Text(nil); err != nil {
				return nil, policy.Invalid(at, "%v", err)
			}
			if !policy.ValidValue(v.constant) {
				return nil, policy.Invalid(at, "a value has no control characters and no spaces at its ends")
			}
			v.template = nil
		}
		vs = append(vs, v)
	}
	return vs, nil
}

// apply changes the header. It returns the first error, after all has been done
// that could be.
func (o *operations) apply(ex *policy.Exchange, h *policy.Header) error {
	if !o.keep.empty() {
		h.DelFunc(func(name, _ string) bool { return !o.keep.has(name) })
	}
	if !o.remove.empty() {
		h.DelFunc(func(name, _ string) bool { return o.remove.has(name) })
	}
	for _, r := range o.rename {
		if !h.Has(r.from) {
			continue
		}
		h.Del(r.to)
		fields := h.Fields()
		for i := range fields {
			if policy.EqualName(fields[i].Name, r.from) {
				fields[i].Name = r.to
			}
		}
	}
	var first error
	for i := range o.set {
		v, err := o.set[i].text(ex, o.code)
		switch {
		case err != nil:
			first = keep(first, err)
		case v == "":
			h.Del(o.set[i].name)
		default:
			h.Set(o.set[i].name, v)
		}
	}
	for i := range o.add {
		if h.Has(o.add[i].name) {
			continue
		}
		v, err := o.add[i].text(ex, o.code)
		if err != nil {
			first = keep(first, err)
		} else if v != "" {
			h.Add(o.add[i].name, v)
		}
	}
	for i := range o.append {
		v, err := o.append[i].text(ex, o.code)
		if err != nil {
			first = keep(first, err)
			continue
		}
		if v == "" {
			continue
		}
		if list := h.Joined(o.append[i].name); list != "" {
			v = list + ", " + v
		}
		h.Set(o.append[i].name, v)
	}
	return first
}

func keep(first, err error) error {
	if first != nil {
		return first
	}
	return err
}

func (v *value) text(ex *policy.Exchange, code problem.Code) (string, error) {
	if v.template == nil {
		return v.constant, nil
	}
	s, err := v.template.Text(ex)
	if err != nil {
		return "", problem.New(problem.CodePolicyFailed, "the value of the header %s could not be made", v.name).Because(err)
	}
	s = strings.Trim(s, " \t")
	if !policy.ValidValue(s) {
		return "", problem.New(code, "the value for the header %s would hold control characters", v.name)
	}
	return s, nil
}
