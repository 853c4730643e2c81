// Package authn says who calls a service, and what they may do. It verifies the
// access tokens that tenant-manager issues ([Verifier]) and keeps in memory what
// tenant-manager says that somebody may do ([Access]).
//
// It never fails open: what it cannot find out is refused, as a problem that
// says so. It knows nothing of HTTP beyond what a problem carries, nor of any
// service but what package tenant of the contract says of tenant-manager.
package authn

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Kind tells people from programs.
type Kind string

// The kinds.
const (
	User           Kind = "user"
	ServiceAccount Kind = "service-account"
)

// Principal is who calls: a user or service account of one organization.
type Principal struct {
	// Organization and OrganizationSlug are the id and the short name of the
	// organization that the token is for.
	Organization, OrganizationSlug string
	// Subject is the id of the user or service account.
	Subject string
	Kind    Kind
	// Session is the id of the session, or of the token by which they came, which
	// can be revoked apart from the principal.
	Session string
	// Token is the name of that token; "" where they signed in.
	Token string
	// Name and Email are for people to read.
	Name, Email string
	// ImpersonatorID is the id of the user who acts as this one, and ImpersonatorName
	// their name; "" where they are themselves.
	ImpersonatorID, ImpersonatorName string
}

// Actor returns the principal as audit trails and bus.Metadata name it:
// "user:<id>" or "service-account:<id>".
func (p Principal) Actor() string { return string(p.Kind) + ":" + p.Subject }

// Source is where keys and grants come from: tenant-manager, asked over the bus
// (see [FromBus]), or what it keeps itself. An error that is not a problem of the
// caller means that tenant-manager is away.
type Source interface {
	Keys(ctx context.Context) (tenant.KeySet, error)
	Grants(ctx context.Context, ask tenant.Grants) (tenant.Granted, error)
}

type identityKey struct{}

// identity is what a context carries.
type identity struct {
	principal Principal
	access    *Access
}

// With returns a context whose caller is p, with the rights that access knows.
func With(ctx context.Context, p Principal, access *Access) context.Context {
	return context.WithValue(ctx, identityKey{}, &identity{p, access})
}

// From returns who calls. ok is false where nobody signed in.
func From(ctx context.Context) (p Principal, ok bool) {
	if id, _ := ctx.Value(identityKey{}).(*identity); id != nil {
		return id.principal, true
	}
	return Principal{}, false
}

// Allow reports whether the caller has a permission in a scope. The error is a
// problem: 401 where nobody signed in or the session has ended, 503 where it
// cannot be found out.
func Allow(ctx context.Context, permission string, s Scope) (Decision, error) {
	id, _ := ctx.Value(identityKey{}).(*identity)
	if id == nil {
		return Decision{}, Missing()
	}
	return id.access.allow(ctx, &id.principal, permission, &s)
}

// Require returns nil where the caller has a permission in a scope, else a
// problem: 403 that names the permission, the scope and whom to ask, or that of
// [Allow].
func Require(ctx context.Context, permission string, s Scope) error {
	d, err := Allow(ctx, permission, s)
	switch {
	case err != nil || d.Allowed:
		return err
	case d.DeniedBy == tenant.Impersonation:
		if err := InPerson(ctx); err != nil {
			return err
		}
		return Denied(permission, s)
	case d.DeniedBy != "":
		return problem.New(problem.CodeAccessDenied, "the permission %s %s is denied to you by the role %s, which wins over others: ask an administrator of %s to take that away", permission, s.in(), d.DeniedBy, s.who()).
			WithAccess(s.lacks(permission, problem.LackDenied, d.DeniedBy))
	case d.Token != "":
		return problem.New(problem.CodeAccessDenied, "the token %s is not made for the permission %s %s: use one that is, or sign in", d.Token, permission, s.in()).
			WithAccess(s.lacks(permission, problem.LackToken, d.Token))
	case d.Boundary != "":
		return problem.New(problem.CodeAccessDenied, "the permission %s %s is outside your boundary, the role %s: ask an administrator of the organization for a wider one", permission, s.in(), d.Boundary).
			WithAccess(s.lacks(permission, problem.LackBoundary, d.Boundary))
	}
	return Denied(permission, s)
}

// RequireAnywhere returns nil where the caller has a permission in some scope.
// What it may touch must then be narrowed by [Reaches], [Scopes] or [Require].
func RequireAnywhere(ctx context.Context, permission string) error {
	r, err := Reaches(ctx, permission)
	if err != nil || len(r.In) > 0 {
		return err
	}
	if err := Require(ctx, permission, Scope{}); err != nil { // it says why
		return err
	}
	return Denied(permission, Scope{})
}

// Reaches returns where the caller has a permission, with the exceptions. Lists
// are filtered by it.
func Reaches(ctx context.Context, permission string) (Reach, error) {
	id, _ := ctx.Value(identityKey{}).(*identity)
	if id == nil {
		return Reach{}, Missing()
	}
	return id.access.reach(ctx, &id.principal, permission)
}

// Scopes returns where the caller has a permission: one empty scope where it has
// it everywhere, none where nowhere. It is for lists that cannot be filtered by
// all that [Reaches] says: it leaves out scopes in a part of which the permission
// is denied, and environments that are known by their slug only.
func Scopes(ctx context.Context, permission string) ([]Scope, error) {
	r, err := Reaches(ctx, permission)
	return r.scopes(), err
}

// CheckSession returns nil where the caller's session has not ended, else the
// problem of [Allow].
func CheckSession(ctx context.Context) error {
	id, _ := ctx.Value(identityKey{}).(*identity)
	if id == nil {
		return Missing()
	}
	_, err := id.access.load(ctx, &id.principal)
	return err
}

// InPerson returns a problem where somebody acts as the caller: for what is the
// caller's alone to do, such as making credentials, factors, tokens and sessions.
func InPerson(ctx context.Context) error {
	if p, _ := From(ctx); p.ImpersonatorID != "" {
		return problem.New(problem.CodeAccessDenied, "you act as %s, and this is theirs alone to do: stop acting as them first", p.Name)
	}
	return nil
}

// Missing is the problem of a request without a credential.
func Missing() *problem.Problem {
	return problem.New(problem.CodeCredentialMissing, "sign in, and send the access token as Authorization: Bearer …").
		WithChallenge(`Bearer realm="gatehouse"`)
}

// Denied is the problem of a caller without a permission, which it names for
// programs as well.
func Denied(permission string, s Scope) *problem.Problem {
	return problem.New(problem.CodeAccessDenied, "this needs the permission %s %s: ask an administrator of %s for a role that has it", permission, s.in(), s.who()).
		WithAccess(s.lacks(permission, problem.LackNone, ""))
}

func invalid(why string) *problem.Problem {
	return problem.New(problem.CodeCredentialInvalid, "the access token is not valid: %s; sign in again", why).
		WithChallenge(`Bearer realm="gatehouse", error="invalid_token"`)
}

func expired(why string) *problem.Problem {
	return problem.New(problem.CodeCredentialExpired, "%s; sign in again", why).
		WithChallenge(`Bearer realm="gatehouse", error="invalid_token"`)
}
