package api

import (
	"context"
	"slices"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/sso"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ruleOf returns the domain of an e-mail address, where some of its people are let
// in by single sign-on alone; the zero value where none are. Who signs in at another
// organization is not asked about it.
func (h *Handlers) ruleOf(ctx context.Context, email, organization string) (store.Domain, error) {
	d, err := h.store.VerifiedDomain(ctx, sso.Domain(email))
	if store.IsNotFound(err) || err == nil && (!d.Required() || organization != "" && d.OrganizationID != organization) {
		return store.Domain{}, nil
	}
	return d, err
}

// binds reports whether a rule lets a user in by single sign-on alone: one of the
// people of the domain, in the groups that it is tried on, and no break-glass
// account.
func (h *Handlers) binds(ctx context.Context, d store.Domain, u store.User) (bool, error) {
	if !d.Required() || u.OrganizationID != d.OrganizationID || u.SetupPending || sso.Domain(u.Email) != d.Domain {
		return false, nil
	}
	org := h.store.For(d.OrganizationID)
	if spared, err := h.breakGlass(ctx, org, u); err != nil || spared {
		return false, err
	}
	return inGroups(ctx, org, d.SSOGroups, u.ID)
}

// inGroups reports whether a user is in one of the groups, or a group in it; no
// groups are everybody.
func inGroups(ctx context.Context, org *store.Org, groups []string, user string) (bool, error) {
	if len(groups) == 0 {
		return true, nil
	}
	chains, err := rights.Chains(ctx, org, user)
	for _, chain := range chains[user] {
		if slices.Contains(groups, chain[len(chain)-1].ID) {
			return true, err
		}
	}
	return false, err
}

// ruleBinding returns the rule that lets a user in by single sign-on alone, the zero
// value where none does.
func (h *Handlers) ruleBinding(ctx context.Context, u store.User) (store.Domain, error) {
	d, err := h.ruleOf(ctx, u.Email, u.OrganizationID)
	if err != nil || d.ID == "" {
		return store.Domain{}, err
	}
	is, err := h.binds(ctx, d, u)
	if err != nil || !is {
		return store.Domain{}, err
	}
	return d, nil
}

// connectionName returns what people know the connection of a rule by.
func (h *Handlers) connectionName(ctx context.Context, d store.Domain) (SsoConnectionName, error) {
	c, err := h.store.For(d.OrganizationID).SSOConnection(ctx, d.ConnectionID)
	return connectionNameOf(c), store.IgnoreNotFound(err)
}

// ssoAlone is the problem of who has shown who they are otherwise, and has to come by
// single sign-on.
func (h *Handlers) ssoAlone(ctx context.Context, d store.Domain) error {
	c, err := h.connectionName(ctx, d)
	if err != nil {
		return err
	}
	return problem.New(problem.CodeAccessDenied, "people of %s sign in by %s alone: begin there", d.Domain, c.Name)
}

// ruleRefusal is the one answer to every sign-in by a password that is not let in,
// at an address of a domain with a rule: it is the same whether there is such an
// account, whether the password was right, and whom the rule binds.
func (h *Handlers) ruleRefusal(ctx context.Context, d store.Domain) error {
	if d.ID == "" {
		return refused(signInRefusal)
	}
	c, err := h.connectionName(ctx, d)
	if err != nil {
		return err
	}
	if len(d.SSOGroups) > 0 {
		return refused(signInRefusal + ", and some people of " + d.Domain + " sign in by " + c.Name + " alone")
	}
	return refused("people of " + d.Domain + " sign in by " + c.Name + " alone")
}

// bySSO reports whether a session may go on under a rule: it began by the rule's
// connection, or, before that was kept, by any.
func bySSO(s store.Session, d store.Domain) bool {
	if s.SSOConnectionID == "" {
		return slices.Contains(factor.Methods(s.AMR).List(), factor.ByFederation)
	}
	return s.SSOConnectionID == d.ConnectionID
}

// signInRule returns what the sign-in page is told of a domain: a rule that is tried
// on some shows as one that leads there.
func signInRule(d store.Domain) SignInRule {
	if d.SingleSignOn == store.SSORequired && len(d.SSOGroups) > 0 {
		return SignInRulePreferred
	}
	return SignInRule(d.SingleSignOn)
}

// passwordRule returns the rule of who signs in with a password, and whether it binds
// the user, who may be nobody.
func (h *Handlers) passwordRule(ctx context.Context, in SignInInput, u store.User, o store.Organization) (rule store.Domain, bound bool, err error) {
	organization := o.ID
	if deref(in.Organization) == "" {
		organization = ""
	} else if organization == "" {
		return rule, false, nil // there is no such organization
	}
	if rule, err = h.ruleOf(ctx, in.Email, organization); err != nil || rule.ID == "" {
		return rule, false, err
	}
	if u.ID == "" { // so that it takes as long
		_, err = inGroups(ctx, h.store.For(rule.OrganizationID), rule.SSOGroups, "nobody")
		return rule, false, err
	}
	bound, err = h.binds(ctx, rule, u)
	return rule, bound, err
}

// cameBySSO returns a problem where a rule binds the caller, and their session began
// before it.
func (h *Handlers) cameBySSO(ctx context.Context, org *store.Org, u store.User) error {
	rule, err := h.ruleBinding(ctx, u)
	if err != nil || rule.ID == "" {
		return err
	}
	s, err := org.Session(ctx, caller(ctx).Session)
	if err != nil {
		return err
	}
	if !bySSO(s, rule) {
		return h.ssoAlone(ctx, rule)
	}
	return nil
}
