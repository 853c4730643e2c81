package access

import (
	"fmt"
	"strings"
	"time"
)

// Code says what a grant came to.
type Code string

// The codes.
const (
	Granted         Code = "granted"
	NotInRole       Code = "not-in-role"
	OtherScope      Code = "other-scope"
	Expired         Code = "expired"
	Disabled        Code = "disabled"
	NoGrants        Code = "no-grants"
	DeniedBy        Code = "denied"
	OutsideBoundary Code = "outside-boundary"
)

// Reason is why something is allowed, or what did not allow it.
type Reason struct {
	Code Code
	// Detail is a sentence for people.
	Detail string
	// Grant is the id of the grant, Role the name of its role; empty where it is
	// about none.
	Grant, Role string
	// Via is the chain of groups by which they come to it; empty = their own.
	Via []Group
	// Scope is where the grant holds, and ExpiresAt when it ends; zero = never.
	Scope     Scope
	ExpiresAt time.Time
}

// Decide says whether somebody may do something, with a reason for every grant
// that they have, each one that forbids it, and each boundary that leaves it out.
// active is false for who may not sign in. A permission can name an environment;
// environment is the slug of that of the scope, where the permission names none.
func Decide(active bool, h Holding, permission, environment string, scope Scope, now time.Time) (allowed bool, because []Reason) {
	if !active {
		return false, []Reason{{Code: Disabled, Detail: "the account is disabled or deleted, so that it may do nothing"}}
	}
	base, named := SplitEnvironment(permission)
	if named == "" && environment != "" {
		named = environment
	}
	full := base
	if named != "" {
		full += ":" + named
	}
	var refused []Reason
	for _, g := range h.Grants {
		r, ok := look(g, full, scope, now)
		switch {
		case !ok:
		case r.Code == DeniedBy:
			refused = append(refused, r)
		default:
			allowed = allowed || r.Code == Granted
			because = append(because, r)
		}
	}
	for _, b := range h.Boundaries {
		if !hasOne(b.Permissions, full) {
			refused = append(refused, Reason{
				Code: OutsideBoundary, Role: b.Role, Via: b.Via,
				Detail: fmt.Sprintf("the boundary %s%s does not have %s, whatever else is given", b.Role, through(b.Via), full),
			})
		}
	}
	if len(because) == 0 {
		because = []Reason{{Code: NoGrants, Detail: "no role has been given"}}
	}
	return allowed && len(refused) == 0, append(refused, because...)
}

// look says what a grant comes to. ok is false for one that forbids something
// else.
func look(g Grant, permission string, scope Scope, now time.Time) (r Reason, ok bool) {
	r = Reason{Grant: g.ID, Role: g.Role, Via: g.Via, Scope: g.Scope, ExpiresAt: g.ExpiresAt}
	via := through(g.Via)
	if g.Deny {
		r.Code, r.Detail = DeniedBy, fmt.Sprintf("the role %s is denied%s in %s, and it has %s: that wins over whatever allows it", g.Role, via, g.Scope, permission)
		return r, !g.Ended(now) && scope.within(g.Scope) && g.has(permission)
	}
	switch {
	case g.Ended(now):
		r.Code, r.Detail = Expired, fmt.Sprintf("the role %s was given%s until %s", g.Role, via, g.ExpiresAt.UTC().Format(time.RFC3339))
	case !g.has(permission):
		r.Code, r.Detail = NotInRole, fmt.Sprintf("the role %s%s does not have %s", g.Role, via, permission)
	case !scope.within(g.Scope):
		r.Code, r.Detail = OtherScope, fmt.Sprintf("the role %s%s has %s, but only in %s", g.Role, via, permission, g.Scope)
	default:
		r.Code, r.Detail = Granted, fmt.Sprintf("the role %s%s has %s in %s", g.Role, via, permission, g.Scope)
	}
	return r, true
}

// through says by which groups, in the middle of a sentence.
func through(via []Group) string {
	if len(via) == 0 {
		return ""
	}
	names := make([]string, len(via))
	for i, g := range via {
		names[i] = g.Name
	}
	return " through the group " + strings.Join(names, ", which is in ")
}
