package authn

import (
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// Scope is where something is done. An empty field says that the thing is not
// below one: the scope of an organization's settings is the empty one, that of a
// deployment names project, API and environment.
type Scope struct {
	Project, API, Environment string
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

func (s Scope) who() string {
	if s.Project != "" {
		return "the project or the organization"
	}
	return "the organization"
}

// Decision is whether something is allowed, and by what.
type Decision struct {
	Allowed bool
	// Role is the name of a role that allows it.
	Role string
}

// grant is a grant made ready to be compared.
type grant struct {
	role     string
	scope    Scope
	until    time.Time // zero = for ever
	all      bool
	exact    map[string]struct{}
	prefixes []string // "api:" of "api:*"
	suffixes []string // ":read" of "*:read"
}

func compile(in []tenant.Grant) []grant {
	out := make([]grant, 0, len(in))
	for _, g := range in {
		c := grant{role: g.Role, scope: Scope{g.Project, g.API, g.Environment}, until: g.ExpiresAt, exact: make(map[string]struct{}, len(g.Permissions))}
		for _, p := range g.Permissions {
			kind, verb, _ := strings.Cut(p, ":")
			switch {
			case p == "*":
				c.all = true
			case verb == "*" && kind != "*":
				c.prefixes = append(c.prefixes, kind+":")
			case kind == "*" && verb != "*":
				c.suffixes = append(c.suffixes, ":"+verb)
			default:
				c.exact[p] = struct{}{}
			}
		}
		out = append(out, c)
	}
	return out
}

func (g *grant) has(permission string) bool {
	if g.all {
		return true
	}
	if _, ok := g.exact[permission]; ok {
		return true
	}
	for _, p := range g.prefixes {
		if strings.HasPrefix(permission, p) {
			return true
		}
	}
	for _, s := range g.suffixes {
		if strings.HasSuffix(permission, s) {
			return true
		}
	}
	return false
}

func (g *grant) ended(now time.Time) bool { return !g.until.IsZero() && !now.Before(g.until) }

// covers reports whether the grant holds in a scope: each of its fields is empty
// or the same.
func (g *grant) covers(s Scope) bool {
	return (g.scope.Project == "" || g.scope.Project == s.Project) &&
		(g.scope.API == "" || g.scope.API == s.API) &&
		(g.scope.Environment == "" || g.scope.Environment == s.Environment)
}

func decide(grants []grant, permission string, s Scope, now time.Time) Decision {
	for i := range grants {
		if g := &grants[i]; g.covers(s) && g.has(permission) && !g.ended(now) {
			return Decision{Allowed: true, Role: g.role}
		}
	}
	return Decision{}
}

func scopesOf(grants []grant, permission string, now time.Time) []Scope {
	var out []Scope
	for i := range grants {
		g := &grants[i]
		switch {
		case !g.has(permission) || g.ended(now):
		case g.scope == Scope{}:
			return []Scope{{}}
		case !slices.Contains(out, g.scope):
			out = append(out, g.scope)
		}
	}
	return out
}
