package access

import (
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

// overlaps reports whether something can be in both scopes.
func (s Scope) overlaps(o Scope) bool {
	same := func(a, b string) bool { return a == "" || b == "" || a == b }
	return same(s.Project, o.Project) && same(s.API, o.API) && same(s.Environment, o.Environment)
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

// Group names a group.
type Group struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Grant is a role that somebody has, or, where Deny is set, one whose permissions
// are forbidden to them.
type Grant struct {
	// ID is the grant's, RoleID that of the role, Role the name of the role.
	ID, RoleID, Role string
	// Permissions are those of the role.
	Permissions []string
	Scope       Scope
	// ExpiresAt ends it; zero = never.
	ExpiresAt time.Time
	// Deny makes it forbid.
	Deny bool
	// Via is how they come to it: the group that they are in, the one that this is
	// in, up to the one that has the grant. It is empty for their own.
	Via []Group
}

// Ended reports whether the grant's time is over.
func (g Grant) Ended(now time.Time) bool { return !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt) }

func (g Grant) has(permission string) bool { return hasOne(g.Permissions, permission) }

func hasOne(patterns []string, permission string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, permission) })
}

// Boundary is a role that somebody can never exceed, whatever they are given, or
// what the token by which they came is made for.
type Boundary struct {
	// Role is the name of the role, Permissions are its.
	Role        string
	Permissions []string
	// Scope narrows it; only that of a token is not empty.
	Scope Scope
	// Via is as that of a grant.
	Via []Group
}

// Holding is all that bears on what somebody may do: what is allowed and
// forbidden to them, by themselves and by the groups that they are in, and their
// boundaries. What they may do is what one grant allows, none forbids, and every
// boundary has.
type Holding struct {
	Grants     []Grant
	Boundaries []Boundary
}

// bounded reports whether a boundary leaves a permission out in a part of a
// scope, or, if all is set, everywhere in it.
func (h Holding) bounded(permission string, scope Scope, all bool) bool {
	return slices.ContainsFunc(h.Boundaries, func(b Boundary) bool {
		within := scope.within(b.Scope)
		if all {
			within = scope.overlaps(b.Scope)
		}
		return !within || !hasOne(b.Permissions, permission)
	})
}

// Narrowed returns what is left of it through a boundary more.
func (h Holding) Narrowed(by Boundary) Holding {
	h.Boundaries = append(slices.Clone(h.Boundaries), by)
	return h
}

// forbids reports whether a permission is forbidden somewhere in a scope, or, if
// all is set, everywhere in it.
func (h Holding) forbids(permission string, scope Scope, all bool, now time.Time) bool {
	return slices.ContainsFunc(h.Grants, func(g Grant) bool {
		switch {
		case !g.Deny || g.Ended(now):
			return false
		case all:
			return scope.within(g.Scope) && g.has(permission)
		default:
			return scope.overlaps(g.Scope) && slices.ContainsFunc(g.Permissions, func(p string) bool { return touches(p, permission) })
		}
	})
}

// holds reports whether somebody may do something everywhere in a scope, until a
// time.
func (h Holding) holds(permission string, scope Scope, until, now time.Time) bool {
	if h.bounded(permission, scope, false) || h.forbids(permission, scope, false, now) {
		return false
	}
	return slices.ContainsFunc(h.Grants, func(g Grant) bool {
		lasts := g.ExpiresAt.IsZero() || !until.IsZero() && !until.After(g.ExpiresAt)
		return !g.Deny && !g.Ended(now) && lasts && scope.within(g.Scope) && g.has(permission)
	})
}

// Missing returns the first permission that somebody would hand on without
// having it themselves: of the permissions in the scope, what the grants do not
// cover, or what is forbidden to them in a part of it, or outside a boundary. It
// returns "" where they have all. A grant that ends earlier than what is handed
// on does not count; until is zero for what never ends.
func Missing(held Holding, permissions []string, scope Scope, until, now time.Time) string {
	for _, pattern := range permissions {
		for _, p := range Expand([]string{pattern}) {
			if !held.holds(p, scope, until, now) {
				return p
			}
		}
	}
	return ""
}

// Above returns a permission that somebody has and the other one has not, and
// where; "" where there is none.
func Above(theirs, held Holding, now time.Time) (permission string, scope Scope) {
	for _, g := range theirs.Grants {
		if g.Deny || g.Ended(now) {
			continue
		}
		for _, p := range Expand(g.Permissions) {
			if theirs.bounded(p, g.Scope, true) || theirs.forbids(p, g.Scope, true, now) {
				continue
			}
			if !held.holds(p, g.Scope, g.ExpiresAt, now) {
				return p, g.Scope
			}
		}
	}
	return "", Scope{}
}

// IsOwner reports whether somebody may do everything everywhere for good.
func IsOwner(h Holding, now time.Time) bool {
	return Missing(h, []string{"*"}, Scope{}, time.Time{}, now) == "" && !slices.ContainsFunc(h.Grants, func(g Grant) bool {
		return g.Deny && !g.Ended(now) && len(Expand(g.Permissions)) > 0
	})
}

// All returns every permission that somebody has somewhere, in the order of
// [Permissions]; one that is given for one environment counts as the permission.
func All(h Holding, now time.Time) []string {
	have := map[string]bool{}
	for _, g := range h.Grants {
		if g.Deny || g.Ended(now) {
			continue
		}
		for _, p := range Expand(g.Permissions) {
			base, _ := SplitEnvironment(p)
			if !have[base] && !h.bounded(p, g.Scope, true) && !h.forbids(p, g.Scope, true, now) {
				have[base] = true
			}
		}
	}
	out := []string{}
	for _, p := range Permissions() {
		if have[p.Name] {
			out = append(out, p.Name)
		}
	}
	return out
}
