package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// matched is whom a person at a provider is here.
type matched struct {
	// user is zero where one is to be made.
	user store.User
	// identity is zero where they are not linked yet.
	identity store.SSOIdentity
	// refused says why nobody is signed in, for administrators.
	refused string
}

func (m matched) outcome() SsoTestOutcome {
	switch {
	case m.refused != "":
		return SsoTestOutcomeRefused
	case m.identity.ID != "":
		return SsoTestOutcomeKnown
	case m.user.ID != "":
		return SsoTestOutcomeLinked
	}
	return SsoTestOutcomeMade
}

// owns reports whether a connection may speak for a person's e-mail address: it
// has the domain, and the provider has verified the address.
func owns(c store.SSOConnection, p sso.Person) (verified bool, why string) {
	switch {
	case p.Email == "":
		return false, "the claim " + c.EmailClaim + " has no e-mail address"
	case p.Verified != nil && !*p.Verified:
		return false, "the provider says that the e-mail address is not verified"
	case p.Verified == nil && !c.TrustEmail:
		return false, "the provider does not say that the e-mail address is verified, and the connection does not take that for granted"
	case !slices.Contains(c.Domains, sso.Domain(p.Email)):
		return false, "the e-mail address is of none of the connection's domains"
	case !slices.Contains(c.Verified, sso.Domain(p.Email)):
		return false, "the domain of the e-mail address is not verified"
	}
	return true, ""
}

// match finds whom a person is here. Who is linked is found by the connection and
// the subject; an e-mail address says who somebody is only where the connection
// owns its domain. Neither lets anybody into an account that may do more than
// whoever saved the connection.
func (h *Handlers) match(ctx context.Context, org *store.Org, c store.SSOConnection, p sso.Person) (m matched, err error) {
	if p.Subject == "" {
		m.refused = cmp.Or(p.Why, "the provider names no subject")
		return m, nil
	}
	if p.Overage != "" && len(c.GroupRoles) > 0 {
		m.refused = "nothing can be said of the roles by group: " + p.Overage
		return m, nil
	}
	m.identity, err = org.SSOIdentity(ctx, c.ID, token.Hash(p.Subject))
	if err == nil {
		m.user, err = org.User(ctx, m.identity.UserID)
		if store.IsNotFound(err) || err == nil && m.user.Status != store.Active {
			m.refused, err = "the account is disabled", nil
		}
		if err != nil || m.refused != "" {
			return m, err
		}
		m.refused, err = h.beyond(ctx, org, c, m.user)
		return m, err
	}
	if !store.IsNotFound(err) {
		return m, err
	}
	verified, why := owns(c, p)
	if !verified {
		m.refused = "nobody is linked to this identity, and " + why
		return m, nil
	}
	m.user, err = org.UserByEmail(ctx, p.Email)
	switch {
	case store.IsNotFound(err):
		if !c.Provision {
			m.refused = "there is no user with this e-mail address, and the connection makes none"
		}
		return m, nil
	case err != nil:
		return m, err
	case m.user.Status != store.Active:
		m.refused = "the account is disabled"
		return m, nil
	}
	m.refused, err = h.beyond(ctx, org, c, m.user)
	return m, err
}

// settle makes or links the user of a person, and gives and takes the roles of
// their groups.
func (h *Handlers) settle(ctx context.Context, tx *store.Tx, c store.SSOConnection, p sso.Person, m matched) (store.User, error) {
	roles, err := rights.Roles(ctx, tx.Org)
	if err != nil {
		return m.user, err
	}
	if m.user.ID == "" {
		m.user = store.User{Name: cmp.Or(p.Name, p.Email), Email: p.Email}
		if err := tx.CreateUser(ctx, &m.user); err != nil {
			return m.user, signedInTwice(err)
		}
		for _, id := range c.Roles {
			if _, ok := roles[id]; !ok {
				continue
			}
			if err := tx.CreateGrant(ctx, &store.Grant{PrincipalID: m.user.ID, PrincipalKind: string(authn.User), RoleID: id}); err != nil {
				return m.user, err
			}
		}
		if err := h.recordUserChange(ctx, tx, "user.provisioned", m.user, nil, byConnection{c.ID, c.Name, c.Roles}); err != nil {
			return m.user, err
		}
	}
	if m.identity.ID == "" {
		m.identity = store.SSOIdentity{ConnectionID: c.ID, UserID: m.user.ID, Subject: token.Hash(p.Subject), Granted: map[string]string{}}
		if err := tx.CreateSSOIdentity(ctx, &m.identity); err != nil {
			return m.user, signedInTwice(err)
		}
		if err := h.recordUserChange(ctx, tx, "user.identity-linked", m.user, nil, byConnection{c.ID, c.Name, nil}); err != nil {
			return m.user, err
		}
	}
	return m.user, h.giveGroupRoles(ctx, tx, c, p, m, func(id string) bool { _, ok := roles[id]; return ok })
}

// byConnection is what the audit trail tells of what a connection did.
type byConnection struct {
	Connection string   `json:"connection"`
	Name       string   `json:"name"`
	Roles      []string `json:"roles,omitempty"`
}

func signedInTwice(err error) error {
	if errors.Is(err, db.ErrDuplicate) {
		return problem.New(problem.CodeConflict, "you signed in twice at the same time: begin again")
	}
	return err
}

// groupRoles returns the roles that a person's groups have, sorted.
func groupRoles(c store.SSOConnection, p sso.Person) []string { return groupRolesOf(c, p.Groups) }

// groupPlan is what the roles of somebody's groups come to at a sign-in.
type groupPlan struct {
	// stay are the grants that groups gave and give, by role, give the roles to give,
	// and drop the grants to take, by role.
	stay map[string]string
	give []string
	drop map[string]string
}

// planGroupRoles decides what roles of groups, which are sorted, come to for somebody
// with these grants, of which groups gave had, by role. What was given by hand stays.
//
// A grant by hand that ends does not stand for that of a group, which would be missing
// afterwards: the two are there side by side.
func planGroupRoles(want []string, grants []store.Grant, had map[string]string) groupPlan {
	there := map[string]string{} // lasting grants of whole roles, by role; those of groups first
	for _, g := range grants {
		if g.Effect == store.Allow && g.ProjectID == "" && g.APIID == "" && g.EnvironmentID == "" && g.ExpiresAt == nil && (there[g.RoleID] == "" || had[g.RoleID] == g.ID) {
			there[g.RoleID] = g.ID
		}
	}
	out := groupPlan{stay: map[string]string{}, drop: map[string]string{}}
	for _, role := range want {
		switch id := there[role]; {
		case id == "":
			out.give = append(out.give, role)
		case had[role] == id:
			out.stay[role] = id
		}
	}
	for role, id := range had {
		if out.stay[role] == "" {
			out.drop[role] = id
		}
	}
	return out
}

// giveGroupRoles gives the roles of a person's groups, and takes those that groups
// gave before and do not any more. Which groups they are in is kept, so that a change
// of the roles of groups can be looked at before it is made.
func (h *Handlers) giveGroupRoles(ctx context.Context, tx *store.Tx, c store.SSOConnection, p sso.Person, m matched, exists func(role string) bool) error {
	want := slices.DeleteFunc(groupRoles(c, p), func(id string) bool { return !exists(id) })
	grants, err := tx.GrantsOf(ctx, m.user.ID)
	if err != nil {
		return err
	}
	plan := planGroupRoles(want, grants, m.identity.Granted)
	granted := plan.stay
	for _, id := range plan.drop {
		if err := tx.DropGrant(ctx, m.user.ID, id); err != nil {
			return err
		}
	}
	for _, role := range plan.give {
		g := store.Grant{PrincipalID: m.user.ID, PrincipalKind: string(authn.User), RoleID: role, SSOConnectionID: c.ID}
		if err := tx.CreateGrant(ctx, &g); err != nil {
			return err
		}
		granted[role] = g.ID
	}
	before, after := slices.Sorted(maps.Keys(m.identity.Granted)), slices.Sorted(maps.Keys(granted))
	m.identity.Granted, m.identity.Received = granted, store.ReceivedGroups(p.Groups)
	if err := tx.UsedSSOIdentity(ctx, m.identity); err != nil {
		return err
	}
	if slices.Equal(before, after) {
		return nil
	}
	return h.recordUserChange(ctx, tx, "user.group-roles-changed", m.user, byConnection{c.ID, c.Name, before}, byConnection{c.ID, c.Name, after})
}

// mostClaims bounds the claims that a test keeps, in bytes.
const mostClaims = 32 << 10

// keepTest keeps what a test sign-in received, for whoever began it.
func (h *Handlers) keepTest(ctx context.Context, by string, c store.SSOConnection, claims map[string]any, failed *sso.FailedError) (string, error) {
	return h.keepTestOf(ctx, by, c, personOf(c, claims), claims, failed)
}

// keepTestOf is as keepTest, of a person who was read already.
func (h *Handlers) keepTestOf(ctx context.Context, by string, c store.SSOConnection, p sso.Person, claims map[string]any, failed *sso.FailedError) (string, error) {
	out := SsoTest{
		Connection: connectionNameOf(c), Claims: claims, Subject: ptr(p.Subject), Email: ptr(p.Email), Name: ptr(p.Name),
		Groups: notNil(p.Groups), Roles: notNil(groupRoles(c, p)),
	}
	if failed != nil {
		out.Outcome, out.Detail, out.Claims = SsoTestOutcomeFailed, failed.Reason, map[string]any{}
	} else {
		org := h.store.For(c.OrganizationID)
		m, err := h.match(ctx, org, c, p)
		if err != nil {
			return "", err
		}
		out.Outcome = m.outcome()
		verified, why := owns(c, p)
		out.EmailVerified = &verified
		switch out.Outcome {
		case SsoTestOutcomeRefused:
			out.Detail = m.refused
		case SsoTestOutcomeMade:
			out.Roles = append(out.Roles, c.Roles...)
		default:
			out.Detail = why
		}
		slices.Sort(out.Roles)
		out.Roles = notNil(slices.Compact(out.Roles))
	}
	if b, err := json.Marshal(out.Claims); err != nil || len(b) > mostClaims {
		out.Claims = map[string]any{}
		out.Detail = "there are more claims than can be shown. " + out.Detail
	}
	data, err := json.Marshal(out)
	if err != nil {
		return "", err
	}
	kept := store.Challenge{
		OrganizationID: c.OrganizationID, UserID: by, Purpose: ssoTested, Hash: token.Hash(token.OneTime()), Data: string(data),
		ExpiresAt: h.store.Now().Add(ssoTestKept),
	}
	err = h.store.Tx(ctx, c.OrganizationID, by, func(tx *store.Tx) error { return h.store.SealedChallenge(ctx, tx, &kept) })
	return kept.ID, err
}

// GetSsoTest returns what a test sign-in of the caller received.
func (h *Handlers) GetSsoTest(ctx context.Context, r GetSsoTestRequestObject) (GetSsoTestResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:read", authn.Scope{}); err != nil {
		return nil, err
	}
	c, err := h.mine(ctx).OpenChallenge(ctx, ssoTested, caller(ctx).Subject, r.Id)
	if err != nil {
		return nil, err
	}
	var out SsoTest
	if err := json.Unmarshal([]byte(c.Data), &out); err != nil {
		return nil, err
	}
	out.Id = c.ID
	return GetSsoTest200JSONResponse(out), nil
}
