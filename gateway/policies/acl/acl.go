// Package acl is the policy type acl: it lets callers pass or refuses them by
// what earlier policies have established of them. It authenticates nobody.
package acl

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc

// Config is the configuration of an acl policy.
type Config struct {
	// Allow are the rules of which one must apply. Where there are none, every
	// known caller may pass that is not denied.
	Allow []Rule `json:"allow,omitempty" schema:"anyof=rules,minItems=1,maxItems=500"`
	// Deny are the rules of which none may apply. They win over allow.
	Deny []Rule `json:"deny,omitempty" schema:"anyof=rules,minItems=1,maxItems=500"`
	// Anonymous lets callers pass that nothing is known of, where no allow rules
	// are given. The default is false: they are answered 401.
	Anonymous bool `json:"anonymous,omitempty"`
	// Detail is the text of the refusal.
	Detail string `json:"detail,omitempty" schema:"maxLength=500"`
}

// Rule applies to a caller that fits each of the fields that are set, each with
// one of its values.
type Rule struct {
	// Methods are the request methods that the rule is for; none = all.
	Methods []string `json:"methods,omitempty" schema:"pattern=^[A-Z]+$"`
	// Applications are ids or names of applications.
	Applications []string `json:"applications,omitempty" schema:"minLength=1"`
	// Groups are groups of applications.
	Groups []string `json:"groups,omitempty" schema:"minLength=1"`
	// Plans are ids of plans, for policies of an operation.
	Plans []string `json:"plans,omitempty" schema:"minLength=1"`
	// Scopes are scopes of a token.
	Scopes []string `json:"scopes,omitempty" schema:"minLength=1"`
	// Subjects are subjects of tokens.
	Subjects []string `json:"subjects,omitempty" schema:"minLength=1"`
	// Issuers are issuers of tokens.
	Issuers []string `json:"issuers,omitempty" schema:"minLength=1"`
	// Claims are claims of a token and the values they may have, by name or by
	// the path within nested claims ("realm_access.roles"). A claim that is a list
	// fits where one element does.
	Claims map[string][]string `json:"claims,omitempty"`
}

// Definition returns the policy type.
func Definition() policy.Definition {
	d := policy.Define("acl", "Access list", Config{Detail: "the caller may not use this"}, compile, schemaDoc)
	d.Doc = "Lets authenticated callers pass by application, group, plan, scope, subject or claim, for all methods or some. " +
		"A deny rule wins over an allow rule. Who is not authenticated is answered 401, who may not pass 403."
	d.Example = "allow:\n  - groups: [partners]\n  - methods: [GET]\n    scopes: [\"orders:read\"]\ndeny:\n  - applications: [old-app]"
	return d
}

func compile(c Config, env policy.Env) (policy.Hooks, error) {
	if len(c.Allow) == 0 && len(c.Deny) == 0 {
		return policy.Hooks{}, policy.Invalid("/allow", "neither allow nor deny has a rule; add one")
	}
	allow, err := compileRules("/allow", c.Allow)
	if err != nil {
		return policy.Hooks{}, err
	}
	deny, err := compileRules("/deny", c.Deny)
	if err != nil {
		return policy.Hooks{}, err
	}
	unknown := problem.New(problem.CodeCredentialMissing, "the caller is not known; put an authentication policy before this one, or send a credential")
	refused := problem.New(problem.CodeAccessDenied, "%s", c.Detail)
	anonymous := c.Anonymous && len(allow) == 0
	return policy.Hooks{Inbound: func(ex *policy.Exchange) error {
		if !ex.Caller.Authenticated() {
			if anonymous {
				return nil
			}
			return unknown
		}
		if i := match(deny, ex); i >= 0 {
			if ex.Noting() {
				ex.Note(env.ID, "rule", fmt.Sprintf("/deny/%d", i))
			}
			return refused
		}
		if len(allow) == 0 {
			return nil
		}
		i := match(allow, ex)
		if i < 0 {
			return refused
		}
		if ex.Noting() {
			ex.Note(env.ID, "rule", fmt.Sprintf("/allow/%d", i))
		}
		return nil
	}}, nil
}

// rule is a Rule, compiled.
type rule struct {
	Rule
	claims []claim
}

type claim struct {
	path   []string // the whole name first
	values []string
}

func compileRules(at string, rs []Rule) ([]rule, error) {
	out := make([]rule, 0, len(rs))
	for i, r := range rs {
		if len(r.Applications)+len(r.Groups)+len(r.Plans)+len(r.Scopes)+len(r.Subjects)+len(r.Issuers)+len(r.Claims)+len(r.Methods) == 0 {
			return nil, policy.Invalid(fmt.Sprintf("%s/%d", at, i), "the rule names nothing and would fit everybody; name what it is for")
		}
		c := rule{Rule: r}
		for name, values := range r.Claims {
			if name == "" || len(values) == 0 {
				return nil, policy.Invalid(fmt.Sprintf("%s/%d/claims", at, i), "a claim needs a name and at least one value")
			}
			c.claims = append(c.claims, claim{path: append([]string{name}, strings.Split(name, ".")...), values: values})
		}
		slices.SortFunc(c.claims, func(a, b claim) int { return strings.Compare(a.path[0], b.path[0]) })
		out = append(out, c)
	}
	return out, nil
}

// match returns the first rule that applies, or -1.
func match(rs []rule, ex *policy.Exchange) int {
	for i := range rs {
		if rs[i].applies(ex) {
			return i
		}
	}
	return -1
}

func (r *rule) applies(ex *policy.Exchange) bool {
	c := &ex.Caller
	app := c.Application
	switch {
	case len(r.Methods) > 0 && !slices.Contains(r.Methods, ex.Request.Method),
		len(r.Applications) > 0 && (app == nil || !slices.Contains(r.Applications, app.ID) && !slices.Contains(r.Applications, app.Name)),
		len(r.Groups) > 0 && (app == nil || !overlap(r.Groups, app.Groups)),
		len(r.Plans) > 0 && !slices.Contains(r.Plans, c.Plan),
		len(r.Scopes) > 0 && !overlap(r.Scopes, c.Scopes),
		len(r.Subjects) > 0 && (c.Subject == "" || !slices.Contains(r.Subjects, c.Subject)),
		len(r.Issuers) > 0 && !slices.Contains(r.Issuers, c.Issuer):
		return false
	}
	for i := range r.claims {
		if !r.claims[i].fits(c.Claims) {
			return false
		}
	}
	return true
}

func overlap(a, b []string) bool {
	for _, x := range a {
		if slices.Contains(b, x) {
			return true
		}
	}
	return false
}

// fits looks the claim up by its whole name, because names may have dots in
// them, and then by the path.
func (c *claim) fits(claims map[string]any) bool {
	v, ok := claims[c.path[0]]
	if !ok {
		v = claims
		for _, name := range c.path[1:] {
			m, isMap := v.(map[string]any)
			if !isMap {
				return false
			}
			if v, ok = m[name]; !ok {
				return false
			}
		}
	}
	if list, isList := v.([]any); isList {
		for _, e := range list {
			if c.has(e) {
				return true
			}
		}
		return false
	}
	return c.has(v)
}

func (c *claim) has(v any) bool {
	switch v := v.(type) {
	case string:
		return slices.Contains(c.values, v)
	case float64:
		return slices.Contains(c.values, strconv.FormatFloat(v, 'f', -1, 64))
	case bool, int64:
		return slices.Contains(c.values, fmt.Sprint(v))
	}
	return false
}
