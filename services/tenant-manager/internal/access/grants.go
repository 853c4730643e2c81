package access

import (
	"fmt"
	"slices"
	"time"
)

// Scope narrows a grant, by ids; an empty field narrows nothing.
type Scope struct {
	Project, API, Environment string
}

// within reports whether everything in s is in the outer scope.
func (s Scope) within(outer Scope) bool {
	return (outer.Project == "" || outer.Project == s.Project) &&
		(outer.API == "" || outer.API == s.API) &&
		(outer.Environment == "" || outer.Environment == s.Environment)
}

// String says where, as the end of a sentence.
func (s Scope) String() string {
	out := ""
	for _, p := range [...]struct{ what, id string }{{"project", s.Project}, {"API", s.API}, {"environment", s.Environment}} {
		if p.id == "" {
			continue
		}
		if out != "" {
			out += ", "
		}
		out += p.what + " " + p.id
	}
	if out == "" {
		return "the whole organization"
	}
	return out
}

// Grant is a role that somebody has.
type Grant struct {
	// ID is the grant's, Role the name of the role.
	ID, Role string
	// Permissions are those of the role.
	Permissions []string
	Scope       Scope
	// ExpiresAt ends it; zero = never.
	ExpiresAt time.Time
}

// Ended reports whether the grant's time is over.
func (g Grant) Ended(now time.Time) bool { return !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt) }

func (g Grant) has(permission string) bool {
	return slices.ContainsFunc(g.Permissions, func(p string) bool { return matches(p, permission) })
}

// Missing returns the first permission that somebody would hand on without
// having it themselves: of the permissions in the scope, what the grants do not
// cover. It returns "" where they cover all. A grant that ends earlier than what
// is handed on does not count; until is zero for what never ends.
func Missing(held []Grant, permissions []string, scope Scope, until, now time.Time) string {
	for _, pattern := range permissions {
		for _, p := range Expand([]string{pattern}) {
			covered := slices.ContainsFunc(held, func(g Grant) bool {
				lasts := g.ExpiresAt.IsZero() || !until.IsZero() && !until.After(g.ExpiresAt)
				return !g.Ended(now) && lasts && scope.within(g.Scope) && g.has(p)
			})
			if !covered {
				return p
			}
		}
	}
	return ""
}

// Code says what a grant came to.
type Code string

// The codes.
const (
	Granted    Code = "granted"
	NotInRole  Code = "not-in-role"
	OtherScope Code = "other-scope"
	Expired    Code = "expired"
	Disabled   Code = "disabled"
	NoGrants   Code = "no-grants"
)

// Reason is why something is allowed, or what did not allow it.
type Reason struct {
	Code Code
	// Detail is a sentence for people.
	Detail string
	// Grant is the id of the grant, Role the name of its role; empty where it is
	// about none.
	Grant, Role string
}

// Decide says whether somebody may do something, with a reason for every grant
// that they have. active is false for who may not sign in.
func Decide(active bool, grants []Grant, permission string, scope Scope, now time.Time) (allowed bool, because []Reason) {
	if !active {
		return false, []Reason{{Code: Disabled, Detail: "the account is disabled or deleted, so that it may do nothing"}}
	}
	if len(grants) == 0 {
		return false, []Reason{{Code: NoGrants, Detail: "no role has been given"}}
	}
	for _, g := range grants {
		r := Reason{Grant: g.ID, Role: g.Role}
		switch {
		case g.Ended(now):
			r.Code, r.Detail = Expired, fmt.Sprintf("the role %s was given until %s", g.Role, g.ExpiresAt.UTC().Format(time.RFC3339))
		case !g.has(permission):
			r.Code, r.Detail = NotInRole, fmt.Sprintf("the role %s does not have %s", g.Role, permission)
		case !scope.within(g.Scope):
			r.Code, r.Detail = OtherScope, fmt.Sprintf("the role %s has %s, but only in %s", g.Role, permission, g.Scope)
		default:
			r.Code, r.Detail = Granted, fmt.Sprintf("the role %s has %s in %s", g.Role, permission, g.Scope)
			allowed = true
		}
		because = append(because, r)
	}
	return allowed, because
}

// All returns every permission that the grants have somewhere, in the order of
// [Permissions].
func All(grants []Grant, now time.Time) []string {
	var patterns []string
	for _, g := range grants {
		if !g.Ended(now) {
			patterns = append(patterns, g.Permissions...)
		}
	}
	return Expand(patterns)
}
