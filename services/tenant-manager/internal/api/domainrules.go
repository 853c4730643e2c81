package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// domainFields is what people may change of a domain.
type domainFields struct {
	Connection   string   `json:"connection"`
	SingleSignOn string   `json:"singleSignOn"`
	Groups       []string `json:"groups"`
}

// mergeDomain returns a domain as the body changes it, with the connection that it
// leads to then. The error is a problem of the field.
func mergeDomain(ctx context.Context, org *store.Org, d store.Domain) (store.Domain, store.SSOConnection, error) {
	var c store.SSOConnection
	f, err := httpx.Merge(ctx, domainFields{d.ConnectionID, d.SingleSignOn, notNil(d.SSOGroups)})
	if err != nil {
		return d, c, err
	}
	if f.Connection != "" {
		if c, err = org.SSOConnection(ctx, f.Connection); store.IsNotFound(err) {
			return d, c, invalid("/connection", "reference", "there is no such single sign-on")
		}
		if err != nil {
			return d, c, err
		}
	}
	found, err := org.GroupsByID(ctx, f.Groups)
	if err != nil {
		return d, c, err
	}
	groups := []string{}
	for i, id := range f.Groups {
		if !slices.ContainsFunc(found, func(g store.Group) bool { return g.ID == id }) {
			return d, c, invalid(fmt.Sprintf("/groups/%d", i), "reference", "there is no such group")
		}
		if !slices.Contains(groups, id) {
			groups = append(groups, id)
		}
	}
	if f.SingleSignOn == "" { // null = the default
		f.SingleSignOn = store.SSOPreferred
	}
	d.ConnectionID, d.SingleSignOn, d.SSOGroups = f.Connection, f.SingleSignOn, groups
	return d, c, nil
}

// obstacles returns what is in the way of a rule.
func (h *Handlers) obstacles(ctx context.Context, org *store.Org, d store.Domain, c store.SSOConnection) ([]DomainObstacle, error) {
	out := []DomainObstacle{}
	add := func(pointer, format string, args ...any) {
		out = append(out, DomainObstacle{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
	switch d.SingleSignOn {
	case store.SSOOff, store.SSOPreferred:
		return out, nil
	}
	if d.Verified == nil {
		add("/singleSignOn", "%s is not verified: publish its record first", d.Domain)
	}
	switch {
	case c.ID == "":
		add("/connection", "choose the single sign-on that lets people in")
	case !c.Enabled:
		add("/connection", "%s is switched off: switch it on first", c.Name)
	default:
		used, err := org.SSOUsers(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		if len(used) == 0 {
			add("/connection", "nobody has signed in by %s yet: do so once, so that it is known to work", c.Name)
		}
	}
	spared, err := h.spared(ctx, org)
	if err == nil && spared == 0 {
		add("/singleSignOn", "there is no break-glass account with a password: mark an owner as one, or nobody could sign in when the provider is away")
	}
	return out, err
}

// spared returns how many break-glass accounts can sign in by a password.
func (h *Handlers) spared(ctx context.Context, org *store.Org) (int, error) {
	users, err := org.BreakGlass(ctx)
	n := 0
	for _, u := range users {
		if u.PasswordHash == "" {
			continue
		}
		is, err := h.breakGlass(ctx, org, u)
		if err != nil {
			return n, err
		}
		if is {
			n++
		}
	}
	return n, err
}

// UpdateDomain changes how the people of a domain sign in.
func (h *Handlers) UpdateDomain(ctx context.Context, r UpdateDomainRequestObject) (UpdateDomainResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		if err := tx.LockOrganization(ctx); err != nil {
			return err
		}
		was, err := tx.Domain(ctx, r.Id)
		if err != nil {
			return err
		}
		d, c, err := mergeDomain(ctx, tx.Org, was)
		if err != nil {
			return err
		}
		found, err := h.obstacles(ctx, tx.Org, d, c)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			fields := make([]problem.Field, len(found))
			for i, o := range found {
				fields[i] = problem.Field{Pointer: o.Pointer, Code: "invalid", Detail: o.Detail}
			}
			return problem.Invalid("this rule cannot be switched on yet", fields...)
		}
		if d.SingleSignOn != store.SSORequired {
			d.SSOGroups = []string{}
		}
		d.Version = version
		if err := tx.SaveDomain(ctx, &d); err != nil {
			return err
		}
		if was.ConnectionID != d.ConnectionID {
			if err := h.moveDomain(ctx, tx, d.Domain, was.ConnectionID, c); err != nil {
				return err
			}
		}
		return h.record(ctx, tx, "domain.updated", "domain", d.ID, d.Domain, recordedDomainOf(was), recordedDomainOf(d))
	})
	if err != nil {
		return nil, err
	}
	out, err := h.domain(ctx, h.mine(ctx), r.Id)
	return UpdateDomain200JSONResponse{Body: out, Headers: UpdateDomain200ResponseHeaders{ETag: etag(out.Version)}}, err
}

// moveDomain takes a domain from one connection to another, which the caller vouches
// for by that: no account that may do more than they is linked by its addresses.
func (h *Handlers) moveDomain(ctx context.Context, tx *store.Tx, name, from string, to store.SSOConnection) error {
	if from != "" {
		c, err := tx.SSOConnection(ctx, from)
		if err != nil {
			return err
		}
		before := recordedConnectionOf(c)
		c.Domains = slices.DeleteFunc(slices.Clone(c.Domains), func(d string) bool { return d == name })
		if err := h.saveMoved(ctx, tx, c, before); err != nil {
			return err
		}
	}
	if to.ID == "" {
		return nil
	}
	before := recordedConnectionOf(to)
	to.Domains = append(slices.Clone(to.Domains), name)
	slices.Sort(to.Domains)
	return h.saveMoved(ctx, tx, to, before)
}

func (h *Handlers) saveMoved(ctx context.Context, tx *store.Tx, c store.SSOConnection, before recordedConnection) error {
	if err := tx.SaveSSOConnection(ctx, &c); err != nil {
		return connectionTaken(err, c.Name)
	}
	return h.record(ctx, tx, "sso-connection.updated", "sso-connection", c.ID, c.Name, before, recordedConnectionOf(c))
}

const (
	// mostCounted bounds the users that are looked at to say whom a rule binds.
	mostCounted = 20_000
	// mostNamed bounds the administrators that are named.
	mostNamed = 100
)

// PreviewDomain says whom rules of sign-in would bind.
func (h *Handlers) PreviewDomain(ctx context.Context, r PreviewDomainRequestObject) (PreviewDomainResponseObject, error) {
	if err := authn.Require(ctx, "sso-connection:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	was, err := org.Domain(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	d, c, err := mergeDomain(ctx, org, was)
	if err != nil {
		return nil, err
	}
	out := DomainPreview{Administrators: []DomainPreviewUser{}}
	if out.Obstacles, err = h.obstacles(ctx, org, d, c); err != nil {
		return nil, err
	}
	if out.BreakGlassUsers, err = h.spared(ctx, org); err != nil {
		return nil, err
	}
	if d.SingleSignOn == store.SSORequired {
		err = h.countBound(ctx, org, d, &out)
	}
	return PreviewDomain200JSONResponse(out), err
}

// countBound counts whom a rule binds, whether the domain is verified yet or not.
func (h *Handlers) countBound(ctx context.Context, org *store.Org, d store.Domain, out *DomainPreview) error {
	users, err := h.boundUsers(ctx, org, d)
	if err != nil {
		return err
	}
	used, err := org.SSOUsers(ctx, d.ConnectionID)
	if err != nil {
		return err
	}
	administrators, err := rights.Administrators(ctx, org)
	if err != nil {
		return err
	}
	bound := make(map[string]bool, len(users))
	for _, u := range users {
		bound[u.ID] = true
		if !used[u.ID] {
			out.NeverSignedIn++
		}
		if _, is := administrators[u.ID]; is && len(out.Administrators) < mostNamed {
			out.Administrators = append(out.Administrators, DomainPreviewUser{Id: u.ID, Name: u.Name, Email: u.Email, SignedIn: used[u.ID]})
		}
	}
	out.Users = len(users)
	policy, err := org.SecurityPolicy(ctx)
	if err != nil {
		return err
	}
	if out.PersonalTokens, err = org.PersonalTokensOf(ctx, bound, policy); err != nil {
		return err
	}
	sessions, err := org.LiveSessions(ctx, mostSessions)
	for _, s := range sessions {
		if bound[s.UserID] && !bySSO(s, d) {
			out.Sessions++
		}
	}
	return err
}

// boundUsers returns the active users whom a rule binds.
func (h *Handlers) boundUsers(ctx context.Context, org *store.Org, d store.Domain) ([]store.User, error) {
	users, err := org.UsersOfDomain(ctx, d.Domain, mostCounted)
	if err != nil {
		return nil, err
	}
	inside := map[string]bool{}
	members, err := org.Inside(ctx, d.SSOGroups...)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		inside[m.MemberID] = true
	}
	var out []store.User
	for _, u := range users {
		if len(d.SSOGroups) > 0 && !inside[u.ID] {
			continue
		}
		spared, err := h.breakGlass(ctx, org, u)
		if err != nil {
			return nil, err
		}
		if !spared && !u.SetupPending {
			out = append(out, u)
		}
	}
	return out, nil
}

// keepsBreakGlass returns a problem where a rule lets people in by single sign-on
// alone, and no break-glass account is left after a change.
func (h *Handlers) keepsBreakGlass(ctx context.Context, tx *store.Tx) error {
	rules, err := tx.RequiredDomains(ctx)
	if err != nil || len(rules) == 0 {
		return err
	}
	n, err := h.spared(ctx, tx.Org)
	if err == nil && n == 0 {
		err = problem.New(problem.CodeConflict, "people of %s are let in by single sign-on alone, and this was the last break-glass account with a password: mark another owner first, or change the rule of the domain", rules[0].Domain)
	}
	return err
}
