// Package queryparams is the policy type query-params: it changes the query of
// the request that the upstream gets. What it does not change stays byte for
// byte as the client wrote it.
package queryparams

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Config is the configuration of the policy type query-params. Operations are
// done in the order keep, remove, rename, set, add, within each in the order of
// the names. Names are written decoded and compared exactly.
type Config struct {
	// Names of the parameters to keep; all others are removed.
	Keep []string `json:"keep,omitempty" schema:"unique,minLength=1"`
	// Names of parameters to remove.
	Remove []string `json:"remove,omitempty" schema:"unique,minLength=1"`
	// New names by old ones. A parameter that bears the new name already is
	// replaced where the old one is there.
	Rename map[string]string `json:"rename,omitempty"`
	// Values by name that replace what is there. Values are templates.
	Set map[string]string `json:"set,omitempty"`
	// Values by name for parameters that are not there yet. Values are templates.
	Add map[string]string `json:"add,omitempty"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("query-params", "Change query parameters", Config{}, compile, schemaDoc)
	d.Doc = "Keeps, removes, renames, sets and adds query parameters before the request is sent to the upstream, in that " +
		"order. Values are templates: ${CEL} is replaced by the value of the expression, encoded."
	d.Example = `remove: [debug]
rename: {q: query}
set: {tenant: "${application.id}"}
add: {limit: "50"}
`
	return d
}

type value struct {
	name     string // decoded
	encoded  string // name and equals sign
	constant string // encoded
	template policy.Template
}

type rename struct{ from, to, encoded string }

type params struct {
	keep, remove []string
	rename       []rename
	set, add     []value
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	p := &params{keep: c.Keep, remove: c.Remove}
	for _, from := range slices.Sorted(maps.Keys(c.Rename)) {
		to := c.Rename[from]
		if from == "" || to == "" || from == to {
			return policy.Hooks{}, policy.Invalid("/rename/"+schema.Escape(from), "give an old and another new name")
		}
		p.rename = append(p.rename, rename{from, to, escape(to)})
	}
	var err error
	if p.set, err = values(c.Set, "/set", env); err != nil {
		return policy.Hooks{}, err
	}
	if p.add, err = values(c.Add, "/add", env); err != nil {
		return policy.Hooks{}, err
	}
	if len(p.keep)+len(p.remove)+len(p.rename)+len(p.set)+len(p.add) == 0 {
		return policy.Hooks{}, nil
	}
	return policy.Hooks{Inbound: p.inbound}, nil
}

func values(m map[string]string, at string, env policy.Env) ([]value, error) {
	var vs []value
	for _, name := range slices.Sorted(maps.Keys(m)) {
		at := at + "/" + schema.Escape(name)
		if name == "" {
			return nil, policy.Invalid(at, "a parameter needs a name")
		}
		t, err := env.Template(m[name])
		if err != nil {
			return nil, policy.Invalid(at, "%v", err)
		}
		v := value{name: name, encoded: escape(name) + "=", template: t}
		if t.Constant() {
			s, err := t.Text(nil)
			if err != nil {
				return nil, policy.Invalid(at, "%v", err)
			}
			v.constant, v.template = escape(s), nil
		}
		vs = append(vs, v)
	}
	return vs, nil
}

// escape encodes with %20 for a space, which every decoder of queries takes for
// one.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func (p *params) inbound(ex *policy.Exchange) error {
	q := ex.Request.Query
	if len(p.keep) > 0 {
		q = filter(q, func(name string) bool { return slices.Contains(p.keep, name) })
	}
	if len(p.remove) > 0 {
		q = filter(q, func(name string) bool { return !slices.Contains(p.remove, name) })
	}
	for i := range p.rename {
		q = p.rename[i].apply(q)
	}
	for i := range p.set {
		v, err := p.set[i].text(ex)
		if err != nil {
			return err
		}
		q = set(q, &p.set[i], v)
	}
	for i := range p.add {
		if has(q, p.add[i].name) {
			continue
		}
		v, err := p.add[i].text(ex)
		if err != nil {
			return err
		}
		q = join(q, p.add[i].encoded+v)
	}
	ex.Request.Query = q
	return nil
}

// text returns the encoded value.
func (v *value) text(ex *policy.Exchange) (string, error) {
	if v.template == nil {
		return v.constant, nil
	}
	s, err := v.template.Text(ex)
	if err != nil {
		return "", problem.New(problem.CodePolicyFailed, "the value of the query parameter %s could not be made", v.name).Because(err)
	}
	return escape(s), nil
}

// nameOf returns the decoded name of a pair such as "a%20b=c". A name that
// cannot be decoded is taken as it is.
func nameOf(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	if strings.ContainsAny(name, "%+") {
		if d, err := url.QueryUnescape(name); err == nil {
			return d
		}
	}
	return name
}

// filter keeps the pairs whose name passes. It returns q itself where all do.
func filter(q string, pass func(name string) bool) string {
	if q == "" {
		return q
	}
	all := true
	for pair := range strings.SplitSeq(q, "&") {
		if pair != "" && !pass(nameOf(pair)) {
			all = false
			break
		}
	}
	if all {
		return q
	}
	var b strings.Builder
	b.Grow(len(q))
	for pair := range strings.SplitSeq(q, "&") {
		if pair != "" && !pass(nameOf(pair)) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pair)
	}
	return b.String()
}

func has(q, name string) bool {
	for pair := range strings.SplitSeq(q, "&") {
		if pair != "" && nameOf(pair) == name {
			return true
		}
	}
	return false
}

func join(q, pair string) string {
	if q == "" {
		return pair
	}
	return q + "&" + pair
}

func (r *rename) apply(q string) string {
	if !has(q, r.from) {
		return q
	}
	q = filter(q, func(name string) bool { return name != r.to })
	var b strings.Builder
	first := true
	for pair := range strings.SplitSeq(q, "&") {
		if !first {
			b.WriteByte('&')
		}
		first = false
		if pair == "" || nameOf(pair) != r.from {
			b.WriteString(pair)
			continue
		}
		b.WriteString(r.encoded)
		if i := strings.IndexByte(pair, '='); i >= 0 {
			b.WriteString(pair[i:])
		}
	}
	return b.String()
}

// set puts the value in the place of the first pair of that name and removes
// the others, or appends it.
func set(q string, v *value, encoded string) string {
	if !has(q, v.name) {
		return join(q, v.encoded+encoded)
	}
	var b strings.Builder
	done, first := false, true
	for pair := range strings.SplitSeq(q, "&") {
		ours := pair != "" && nameOf(pair) == v.name
		if ours && done {
			continue
		}
		if !first {
			b.WriteByte('&')
		}
		first = false
		if ours {
			b.WriteString(v.encoded)
			b.WriteString(encoded)
			done = true
			continue
		}
		b.WriteString(pair)
	}
	return b.String()
}
