// Package rights reads what somebody may do: the roles that they were given,
// resolved to permissions, and whether their account and session stand. It is
// what tenant-manager answers to others, and what it asks itself.
package rights

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Group is the kind of a group. Nobody signs in as one; roles are given to it.
const Group authn.Kind = store.KindGroup

// Principal is a user, a service account or a group.
type Principal struct {
	Kind     authn.Kind
	ID, Name string
	// Active is false for one that may not sign in.
	Active bool
}

// Find returns the user, service account or group of the id. The error is
// db.ErrNotFound where there is none.
func Find(ctx context.Context, o *store.Org, id string) (Principal, error) {
	u, err := o.User(ctx, id)
	if err == nil {
		return Principal{Kind: authn.User, ID: u.ID, Name: u.Name, Active: u.Status == store.Active}, nil
	}
	if !store.IsNotFound(err) {
		return Principal{}, err
	}
	a, err := o.ServiceAccount(ctx, id)
	if store.IsNotFound(err) {
		g, err := o.Group(ctx, id)
		return Principal{Kind: Group, ID: g.ID, Name: g.Name, Active: true}, err
	}
	if err != nil {
		return Principal{}, err
	}
	return Principal{Kind: authn.ServiceAccount, ID: a.ID, Name: a.Name, Active: a.Status == store.Active}, nil
}

// FindAll returns users and service accounts by id.
func FindAll(ctx context.Context, o *store.Org, ids ...string) (map[string]Principal, error) {
	out := make(map[string]Principal, len(ids))
	users, err := o.UsersByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		out[u.ID] = Principal{Kind: authn.User, ID: u.ID, Name: u.Name, Active: u.Status == store.Active}
	}
	accounts, err := o.ServiceAccountsByID(ctx, ids)
	for _, a := range accounts {
		out[a.ID] = Principal{Kind: authn.ServiceAccount, ID: a.ID, Name: a.Name, Active: a.Status == store.Active}
	}
	return out, err
}

// Roles returns all roles of the organization, by id.
func Roles(ctx context.Context, o *store.Org) (map[string]access.Role, error) {
	custom, err := o.Roles(ctx)
	return withBuiltIn(custom), err
}

// RolesCalled returns, by id, the roles that are built in and those of the
// organization that have one of the ids or names; there may be thousands of others.
func RolesCalled(ctx context.Context, o *store.Org, called ...string) (map[string]access.Role, error) {
	out := withBuiltIn(nil)
	slices.Sort(called)
	called = slices.DeleteFunc(slices.Compact(called), func(c string) bool {
		_, builtIn := out[c]
		return builtIn || c == ""
	})
	if len(called) == 0 {
		return out, nil
	}
	custom, err := o.RolesCalled(ctx, called)
	return withBuiltIn(custom), err
}

func withBuiltIn(custom []store.Role) map[string]access.Role {
	out := make(map[string]access.Role, len(custom)+8)
	for _, r := range append(access.BuiltIn(), access.OfPlatform()...) {
		out[r.ID] = r
	}
	for _, r := range custom {
		out[r.ID] = access.Role{ID: r.ID, Name: r.Name, Title: r.Title, Description: r.Description, Permissions: r.Permissions}
	}
	return out
}

// Keys publishes the keys of access tokens.
type Keys interface {
	KeySet(ctx context.Context) (tenant.KeySet, error)
}

// Source answers who may do what out of the store. It is an authn.Source.
type Source struct {
	store *store.Store
	keys  Keys
	// Over, if it is not nil, is told of sessions in which somebody may no longer act as
	// a user, and why. It is called whenever one is asked about, and does not wait.
	Over func(session store.Session, why string)
}

// NewSource returns a source.
func NewSource(s *store.Store, keys Keys) *Source { return &Source{store: s, keys: keys} }

// Keys returns the public keys of access tokens.
func (s *Source) Keys(ctx context.Context) (tenant.KeySet, error) { return s.keys.KeySet(ctx) }

// Grants returns what a principal may do, and whether account and session stand.
func (s *Source) Grants(ctx context.Context, ask tenant.Grants) (tenant.Granted, error) {
	if ask.Organization == "" || ask.Principal == "" {
		return tenant.Granted{}, nil
	}
	o := s.store.For(ask.Organization)
	stands, err := s.standing(ctx, o, ask)
	if err != nil || !stands.active {
		return tenant.Granted{Ended: stands.ended}, err
	}
	if stands.pending {
		return tenant.Granted{Active: true, Grants: []tenant.Grant{}}, nil
	}
	held, err := Of(ctx, o, ask.Principal)
	if err != nil {
		return tenant.Granted{}, err
	}
	now := s.store.Now()
	out := tenant.Granted{Active: true, Grants: make([]tenant.Grant, 0, len(held.Grants))}
	for _, g := range held.Grants {
		if g.Ended(now) {
			continue
		}
		said := tenant.Grant{
			Role: g.Role, Permissions: g.Permissions, Project: g.Scope.Project, API: g.Scope.API, Environment: g.Scope.Environment, ExpiresAt: g.ExpiresAt,
		}
		if g.Deny {
			out.Denies = append(out.Denies, said)
		} else {
			out.Grants = append(out.Grants, said)
		}
	}
	for _, b := range held.Boundaries {
		out.Boundaries = append(out.Boundaries, tenant.Boundary{Role: b.Role, Permissions: b.Permissions})
	}
	if stands.impersonated {
		out = until(out, stands.until)
		out.Denies = append(out.Denies, tenant.Grant{Role: tenant.Impersonation, Permissions: NotAsSomebodyElse()})
	}
	if stands.token != nil {
		if e := stands.token.ExpiresAt; e != nil {
			out = until(out, *e)
		}
		if b, ok := stands.token.Boundary(); ok {
			out.Boundaries = append(out.Boundaries, tenant.Boundary{
				Token: stands.token.Name, Permissions: b.Permissions, Project: b.Scope.Project, Environment: b.Scope.Environment,
			})
		}
	}
	return out, nil
}

// standing is whether somebody may do anything.
type standing struct {
	// active is whether the organization, the account and the session, or the
	// token, stand; pending is true of a session that is not good for anything yet.
	active, pending bool
	// impersonated is true where somebody acts as the principal, which they may until a
	// time; zero = it is not known when they may no longer.
	impersonated bool
	until        time.Time
	// ended is why it does not stand, as a sentence; "" where there is nothing to say.
	ended string
	// token is that by which they came, nil for a session.
	token *store.Token
}

func (s *Source) standing(ctx context.Context, o *store.Org, ask tenant.Grants) (standing, error) {
	org, err := o.Organization(ctx)
	if err != nil || org.Suspended {
		return standing{}, store.IgnoreNotFound(err)
	}
	p, err := Find(ctx, o, ask.Principal)
	if err != nil || !p.Active {
		return standing{}, store.IgnoreNotFound(err)
	}
	if ask.Session == "" {
		return standing{active: true}, nil
	}
	now := s.store.Now()
	if p.Kind == authn.User {
		session, err := o.Session(ctx, ask.Session)
		if err == nil || !store.IsNotFound(err) {
			out := standing{active: session.UserID == p.ID && session.Open(now), pending: session.Pending != "", impersonated: session.ImpersonatorID != ""}
			if err != nil || session.UserID != p.ID || !out.impersonated || !now.Before(session.ExpiresAt) {
				return out, err
			}
			return s.acting(ctx, o, p, session, out)
		}
	}
	k, why, err := ended(ctx, o, p.Kind, p.ID, ask.Session)
	if err != nil || k == nil {
		return standing{ended: why}, err
	}
	return standing{active: true, token: k}, nil
}

// acting adds to the standing of a session in which somebody acts as the principal
// whether they still may. One that has ended by that is told why, too.
func (s *Source) acting(ctx context.Context, o *store.Org, p Principal, session store.Session, out standing) (standing, error) {
	a, err := ActingIn(ctx, o, session)
	if err != nil {
		return standing{}, err
	}
	if a.Over == "" {
		out.until = a.Until
		return out, nil
	}
	if s.Over != nil && out.active {
		s.Over(session, a.Over)
	}
	return standing{ended: fmt.Sprintf("you act as %s no longer: %s", p.Name, a.Over)}, nil
}

// until returns what was granted with nothing that is allowed after a time, and with
// nothing that is no longer forbidden before it is asked for again: what is answered to
// somebody who acts as another was held against what they may do now.
func until(g tenant.Granted, at time.Time) tenant.Granted {
	for i := range g.Grants {
		if e := &g.Grants[i].ExpiresAt; !at.IsZero() && (e.IsZero() || at.Before(*e)) {
			*e = at.UTC()
		}
	}
	for i := range g.Denies {
		g.Denies[i].ExpiresAt = time.Time{}
	}
	return g
}

// NotAsSomebodyElse returns the permissions that nobody has while they act as
// somebody else: those on what lets in, whatever the other may do.
func NotAsSomebodyElse() []string {
	return []string{
		"user:impersonate", "credential:create", "credential:update", "credential:delete",
		"sso-connection:create", "sso-connection:update", "sso-connection:delete", "scim:create", "scim:update", "scim:delete",
		"oauth-client:create", "oauth-client:update", "oauth-client:delete", "oauth-key:update",
	}
}

// Token returns a token of a user or service account, as far as it has not ended and
// the policy lets them have any; nil where there is none. What an application does in the
// name of a user is one as well.
func Token(ctx context.Context, o *store.Org, kind authn.Kind, principal, id string) (*store.Token, error) {
	k, _, err := ended(ctx, o, kind, principal, id)
	return k, err
}

// ended is as [Token], and says why there is none; "" where there is nothing to say.
func ended(ctx context.Context, o *store.Org, kind authn.Kind, principal, id string) (token *store.Token, why string, err error) {
	policy, err := o.SecurityPolicy(ctx)
	if err != nil {
		return nil, "", err
	}
	if kind == authn.ServiceAccount {
		if !policy.ServiceTokens {
			return nil, "", nil
		}
		k, err := o.ServiceToken(ctx, principal, id)
		if err != nil || k.ExpiresAt != nil && !o.Now().Before(*k.ExpiresAt) {
			return nil, "", store.IgnoreNotFound(err)
		}
		return &k.Token, "", nil
	}
	k, err := o.PersonalToken(ctx, principal, id)
	if store.IsNotFound(err) {
		return Delegation(ctx, o, policy, principal, id)
	}
	if err != nil || !o.Now().Before(k.Ends(policy)) {
		return nil, "", err
	}
	return &k.Token, "", nil
}

// Narrowed returns what somebody holds, as the token narrows it by which they
// came; nothing where somebody acts as them who no longer may.
func Narrowed(ctx context.Context, o *store.Org, p authn.Principal, held access.Holding) (access.Holding, error) {
	if p.ImpersonatorID != "" {
		s, err := o.Session(ctx, p.Session)
		if err != nil {
			return access.Holding{}, store.IgnoreNotFound(err)
		}
		if a, err := ActingIn(ctx, o, s); err != nil || a.Over != "" {
			return access.Holding{}, err
		}
	}
	if p.Token == "" {
		return held, nil
	}
	k, err := Token(ctx, o, p.Kind, p.Subject, p.Session)
	if err != nil {
		return access.Holding{}, err
	}
	if k == nil { // revoked in the meantime
		return access.Holding{}, nil
	}
	if b, ok := k.Boundary(); ok {
		held = held.Narrowed(b)
	}
	return held, nil
}
