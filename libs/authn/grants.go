package authn

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Scope is where something is done. An empty field says that the thing is not
// below one: the scope of an organization's settings is the empty one, that of a
// deployment names project, API and environment.
type Scope struct {
	Project, API, Environment string
	// EnvironmentSlug is the short name of the environment, for permissions that
	// name one, such as "deployment:deploy:prd". Without it those do not allow, and
	// where they forbid, they do.
	EnvironmentSlug string
}

func (s Scope) in() string {
	var parts []string
	for _, p := range [...]struct{ what, id string }{{"project", s.Project}, {"API", s.API}, {"environment", s.Environment}} {
		if p.id != "" {
			parts = append(parts, p.what+" "+p.id)
		}
	}
	if len(parts) == 0 {
		return "in this organization"
	}
	return "in " + strings.Join(parts, ", ")
}

// lacks returns what a caller lacks in the scope.
func (s Scope) lacks(permission, reason, by string) problem.Access {
	return problem.Access{Permission: permission, Project: s.Project, API: s.API, Environment: s.Environment, Reason: reason, By: by}
}

func (s Scope) who() string {
	if s.Project != "" {
		return "the project or the organization"
	}
	return "the organization"
}

// contains reports whether everything in o is in s. The slug is that of a
// permission, not of the place, and is looked at apart.
func (s *Scope) contains(o *Scope) bool {
	return (s.Project == "" || s.Project == o.Project) &&
		(s.API == "" || s.API == o.API) &&
		(s.Environment == "" || s.Environment == o.Environment)
}

// overlaps reports whether something can be in both.
func (s *Scope) overlaps(o *Scope) bool {
	return same(s.Project, o.Project) && same(s.API, o.API) && same(s.Environment, o.Environment) && same(s.EnvironmentSlug, o.EnvironmentSlug)
}

func same(a, b string) bool { return a == "" || b == "" || a == b }

// Decision is whether something is allowed, and by what.
type Decision struct {
	Allowed bool
	// Role is the name of a role that allows it.
	Role string
	// DeniedBy is the name of the role that forbids it, Boundary that of the
	// boundary that leaves it out. Where one is set, no other role helps.
	DeniedBy, Boundary string
	// Token is the name of the token by which they came, where that is not made
	// for it.
	Token string
}

// rule is the part of a grant that is for all environments, or for one that its
// permissions name.
type rule struct {
	role  string
	scope Scope // with the slug of the permissions' environment
	until time.Time
}

func (r *rule) ended(now time.Time) bool { return !r.until.IsZero() && !now.Before(r.until) }

// reaches reports whether the rule holds in a scope. Where the environment's slug
// is not known it is taken as another one, or, if it forbids, as the same.
func (r *rule) reaches(s *Scope, forbids bool) bool {
	if !r.scope.contains(s) {
		return false
	}
	switch slug := r.scope.EnvironmentSlug; {
	case slug == "" || slug == s.EnvironmentSlug:
		return true
	default:
		return forbids && s.EnvironmentSlug == "" && s.Environment != ""
	}
}

// index finds the rules that are about a permission, by how their patterns are
// written. It does not change once it is made.
type index struct {
	all    []rule            // "*"
	exact  map[string][]rule // "api:read"
	prefix map[string][]rule // "api" of "api:*"
	suffix map[string][]rule // "read" of "*:read"
}

func (x *index) add(patterns []string, r rule) {
	slugs := map[string]rule{}
	put := func(m *map[string][]rule, key string, r rule) {
		if *m == nil {
			*m = map[string][]rule{}
		}
		if had := (*m)[key]; len(had) == 0 || had[len(had)-1] != r {
			(*m)[key] = append(had, r)
		}
	}
	for _, p := range patterns {
		kind, rest, _ := strings.Cut(p, ":")
		verb, slug, named := strings.Cut(rest, ":")
		if named && slug == "" {
			continue // means nothing
		}
		here, ok := slugs[slug]
		if !ok {
			here = r
			here.scope.EnvironmentSlug = slug
			slugs[slug] = here
		}
		switch {
		case p == "*", named && kind == "*" && verb == "*":
			x.all = append(x.all, here)
		case kind == "*" && verb == "*", verb == "", kind == "":
			// means nothing
		case verb == "*":
			put(&x.prefix, kind, here)
		case kind == "*":
			put(&x.suffix, verb, here)
		default:
			put(&x.exact, kind+":"+verb, here)
		}
	}
}

// about returns the rules of a permission. It allocates nothing.
func (x *index) about(permission string) [4][]rule {
	kind, verb, _ := strings.Cut(permission, ":")
	if permission == "user:impersonate" { // only its name and "*" mean it
		return [4][]rule{x.all, x.exact[permission], nil, nil}
	}
	if kind == "platform" { // what is above organizations is only meant by its name
		return [4][]rule{nil, x.exact[permission], x.prefix[kind], nil}
	}
	return [4][]rule{x.all, x.exact[permission], x.prefix[kind], x.suffix[verb]}
}

// find returns a rule that is about a permission and holds in a scope, or nil.
func (x *index) find(permission string, s *Scope, forbids bool, now time.Time) *rule {
	of := x.about(permission)
	for i := range of {
		for j := range of[i] {
			if r := &of[i][j]; r.reaches(s, forbids) && !r.ended(now) {
				return r
			}
		}
	}
	return nil
}

// boundary is a boundary made ready to be compared.
type boundary struct {
	role, token string
	has         index
}

// rights is all that somebody may do, made ready to be asked.
type rights struct {
	allow, deny index
	boundaries  []boundary
}

func compile(in *tenant.Granted) *rights {
	out := &rights{}
	add := func(x *index, grants []tenant.Grant) {
		for _, g := range grants {
			x.add(g.Permissions, rule{role: g.Role, scope: Scope{Project: g.Project, API: g.API, Environment: g.Environment}, until: g.ExpiresAt})
		}
	}
	add(&out.allow, in.Grants)
	add(&out.deny, in.Denies)
	for _, b := range in.Boundaries {
		c := boundary{role: b.Role, token: b.Token}
		c.has.add(b.Permissions, rule{role: b.Role, scope: Scope{Project: b.Project, Environment: b.Environment}})
		out.boundaries = append(out.boundaries, c)
	}
	return out
}

// decide allocates nothing.
func (r *rights) decide(permission string, s *Scope, now time.Time) Decision {
	if d := r.deny.find(permission, s, true, now); d != nil {
		return Decision{DeniedBy: d.role}
	}
	for i := range r.boundaries {
		if b := &r.boundaries[i]; b.has.find(permission, s, false, now) == nil {
			return Decision{Boundary: b.role, Token: b.token}
		}
	}
	if a := r.allow.find(permission, s, false, now); a != nil {
		return Decision{Allowed: true, Role: a.role}
	}
	return Decision{}
}

// Reach is where somebody has a permission: in the scopes of In, but in none of
// Except. A scope with an EnvironmentSlug is in that environment only.
type Reach struct {
	In, Except []Scope
}

// reach returns where somebody has a permission.
func (r *rights) reach(permission string, now time.Time) Reach {
	var out Reach
	for _, list := range r.deny.about(permission) {
		for i := range list {
			if d := &list[i]; !d.ended(now) && !slices.Contains(out.Except, d.scope) {
				out.Except = append(out.Except, d.scope)
			}
		}
	}
	for _, list := range r.allow.about(permission) {
		for i := range list {
			a := &list[i]
			if a.ended(now) {
				continue
			}
			for _, s := range r.bounded(permission, a.scope) {
				covered := slices.ContainsFunc(out.Except, func(d Scope) bool {
					return d.contains(&s) && (d.EnvironmentSlug == "" || d.EnvironmentSlug == s.EnvironmentSlug)
				})
				if !covered && !slices.Contains(out.In, s) {
					out.In = append(out.In, s)
				}
			}
		}
	}
	if slices.Contains(out.In, Scope{}) {
		out.In = []Scope{{}}
	}
	out.Except = slices.DeleteFunc(out.Except, func(d Scope) bool {
		return !slices.ContainsFunc(out.In, func(s Scope) bool { return d.overlaps(&s) })
	})
	return out
}

// bounded returns what is left of a scope in all boundaries: the scope itself,
// nothing, or it in the project and the environments that the boundaries name.
func (r *rights) bounded(permission string, s Scope) []Scope {
	left := []Scope{s}
	for i := range r.boundaries {
		var next []Scope
		for _, list := range r.boundaries[i].has.about(permission) {
			for _, b := range list {
				for _, l := range left {
					if !b.scope.overlaps(&l) {
						continue
					}
					l.Project, l.Environment = cmp.Or(l.Project, b.scope.Project), cmp.Or(l.Environment, b.scope.Environment)
					l.EnvironmentSlug = cmp.Or(l.EnvironmentSlug, b.scope.EnvironmentSlug)
					if !slices.Contains(next, l) {
						next = append(next, l)
					}
				}
			}
		}
		left = next
	}
	return left
}

// Environment reports whether something of an environment is within reach,
// whatever project it is of.
func (r Reach) Environment(id, slug string) bool {
	has := func(s Scope) bool {
		return (s.Environment == "" || s.Environment == id) && (s.EnvironmentSlug == "" || s.EnvironmentSlug == slug)
	}
	return slices.ContainsFunc(r.In, has) &&
		!slices.ContainsFunc(r.Except, func(d Scope) bool { return d.Project == "" && d.API == "" && has(d) })
}

// scopes returns the parts of a reach that are said by their ids alone: neither
// those that have an exception in them, nor those in an environment that is known
// by its slug only. Who can tell more uses the reach.
func (r Reach) scopes() []Scope {
	var out []Scope
	for _, s := range r.In {
		holed := slices.ContainsFunc(r.Except, func(d Scope) bool { return d.overlaps(&s) })
		if s.EnvironmentSlug == "" && !holed {
			out = append(out, s)
		}
	}
	return out
}
