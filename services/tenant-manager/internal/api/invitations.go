package api

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/brand"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/factor"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// ListInvitations returns a page of invitations.
func (h *Handlers) ListInvitations(ctx context.Context, r ListInvitationsRequestObject) (ListInvitationsResponseObject, error) {
	if err := authn.Require(ctx, "invitation:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	p := httpx.Page(r.Params.Cursor, r.Params.Limit, (*string)(nil))
	p.Descending = true
	page, err := org.Invitations(ctx, deref(r.Params.Q), string(deref(r.Params.Status)), p)
	if err != nil {
		return nil, err
	}
	roles, err := invitedRoles(ctx, org, page.Items...)
	if err != nil {
		return nil, err
	}
	groups, err := groupNames(ctx, org, page.Items...)
	if err != nil {
		return nil, err
	}
	out := InvitationList{Items: make([]Invitation, len(page.Items)), Next: ptr(page.Next)}
	for i, row := range page.Items {
		out.Items[i] = invitationOf(row, roles, groups, h.store.Now())
	}
	return ListInvitations200JSONResponse(out), nil
}

// invitedRoles returns the roles that invitations give, and those that are built in.
func invitedRoles(ctx context.Context, org *store.Org, rows ...store.Invitation) (map[string]access.Role, error) {
	var given []string
	for _, row := range rows {
		for _, r := range row.Roles {
			given = append(given, r.Role)
		}
	}
	return rights.RolesCalled(ctx, org, given...)
}

// GetInvitation returns an invitation.
func (h *Handlers) GetInvitation(ctx context.Context, r GetInvitationRequestObject) (GetInvitationResponseObject, error) {
	if err := authn.Require(ctx, "invitation:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org := h.mine(ctx)
	row, err := org.Invitation(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	roles, err := invitedRoles(ctx, org, row)
	if err != nil {
		return nil, err
	}
	groups, err := groupNames(ctx, org, row)
	return GetInvitation200JSONResponse{Body: invitationOf(row, roles, groups, h.store.Now()), Headers: GetInvitation200ResponseHeaders{ETag: etag(row.Version)}}, err
}

// CreateInvitation invites somebody by a link.
func (h *Handlers) CreateInvitation(ctx context.Context, r CreateInvitationRequestObject) (CreateInvitationResponseObject, error) {
	for _, invited := range r.Body.Roles {
		if err := authn.Require(ctx, "invitation:create", authn.Scope{Project: deref(invited.Project)}); err != nil {
			return nil, err
		}
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "createInvitation", r.Body, func(tx *store.Tx) (InvitationCreated, error) {
		// Who may not see the users is not told that there is one: the link leads whoever
		// has the address to signing in.
		if _, err := tx.UserByEmail(ctx, r.Body.Email); err == nil && authn.Require(ctx, "user:read", authn.Scope{}) == nil {
			return InvitationCreated{}, problem.New(problem.CodeConflict, "somebody with this e-mail address is a user already: give them roles at /grants")
		} else if store.IgnoreNotFound(err) != nil {
			return InvitationCreated{}, err
		}
		g, err := h.giving(ctx, tx.Org)
		if err != nil {
			return InvitationCreated{}, err
		}
		row := store.Invitation{Email: r.Body.Email, Name: strings.TrimSpace(deref(r.Body.Name))}
		if deref(r.Body.Language) != "" {
			if row.Language, err = brand.Language(*r.Body.Language); err != nil {
				return InvitationCreated{}, invalid("/language", "format", "%s", err)
			}
		}
		if row.Roles, err = g.rolesAsked(r.Body.Roles); err != nil {
			return InvitationCreated{}, err
		}
		if row.GroupIDs, err = g.groupsAsked(ctx, deref(r.Body.Groups)); err != nil {
			return InvitationCreated{}, err
		}
		return h.inviteTo(ctx, tx, g, &row, string(deref(r.Body.To)))
	})
	return CreateInvitation201JSONResponse{Body: made, Headers: CreateInvitation201ResponseHeaders{ETag: etag(made.Version), Location: location("invitations", made.Id)}}, err
}

// home returns where somebody with the roles is at home: in the portal who only
// uses APIs, in the console everybody else.
func (h *Handlers) home(roles []string) string {
	if h.isConsumer(roles) {
		return h.opt.PortalURL
	}
	return h.opt.ConsoleURL
}

// isConsumer reports whether somebody with the roles uses APIs and runs none.
func (h *Handlers) isConsumer(roles []string) bool {
	return len(roles) > 0 && !slices.ContainsFunc(roles, func(r string) bool { return r != access.Consumer })
}

// DeleteInvitation takes an invitation back.
func (h *Handlers) DeleteInvitation(ctx context.Context, r DeleteInvitationRequestObject) (DeleteInvitationResponseObject, error) {
	if err := authn.Require(ctx, "invitation:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		row, err := tx.Invitation(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := tx.DeleteInvitation(ctx, row.ID, version); err != nil {
			return err
		}
		roles, err := rights.Roles(ctx, tx.Org)
		if err != nil {
			return err
		}
		return h.record(ctx, tx, "invitation.deleted", "invitation", row.ID, row.Email, invitationOf(row, roles, nil, h.store.Now()), nil)
	})
	return DeleteInvitation204Response{}, err
}

var errNoInvitation = problem.New(problem.CodeNotFound, "this invitation does not exist, has run out, was taken back or used: ask for a new one")

// openInvitation returns the invitation of a link that can still be accepted.
func (h *Handlers) openInvitation(ctx context.Context, secret string) (store.Invitation, store.Organization, error) {
	row, err := h.store.InvitationByToken(ctx, token.Hash(secret))
	if store.IsNotFound(err) || err == nil && row.Status(h.store.Now()) != store.Pending {
		return row, store.Organization{}, errNoInvitation
	}
	if err != nil {
		return row, store.Organization{}, err
	}
	org := h.store.For(row.OrganizationID)
	o, err := org.Organization(ctx)
	if err == nil && o.Suspended {
		err = errNoInvitation
	}
	if err != nil {
		return row, o, err
	}
	why, err := h.lapsedInvitation(ctx, org, row)
	if err == nil && why != "" {
		h.closed(ctx, o.ID, "invitation.refused", audit.Target{Kind: "invitation", ID: row.ID, Name: row.Email}, why)
		err = errNoInvitation
	}
	return row, o, err
}

// OpenInvitation says what an invitation link is for.
func (h *Handlers) OpenInvitation(ctx context.Context, r OpenInvitationRequestObject) (OpenInvitationResponseObject, error) {
	row, o, err := h.openInvitation(ctx, r.Token)
	if err != nil {
		return nil, err
	}
	roles, err := rights.Roles(ctx, h.store.For(o.ID))
	if err != nil {
		return nil, err
	}
	out := OpenInvitation200JSONResponse{
		Organization: organizationName(o), Email: row.Email, Name: ptr(row.Name), Roles: invitationRoles(row.Roles, roles), ExpiresAt: row.ExpiresAt.UTC(),
	}
	if out.PasswordMinLength, err = shortestPassword(ctx, h.store.For(o.ID)); err != nil {
		return nil, err
	}
	out.Connection, err = h.invitedBySSO(ctx, row)
	return out, err
}

// invitedBySSO returns the connection by which alone who is invited will sign in, nil
// where they choose a password.
func (h *Handlers) invitedBySSO(ctx context.Context, row store.Invitation) (*SsoConnectionName, error) {
	rule, err := h.ruleOf(ctx, row.Email, row.OrganizationID)
	if err != nil || rule.ID == "" || len(rule.SSOGroups) > 0 { // who is new is in no group
		return nil, err
	}
	c, err := h.connectionName(ctx, rule)
	return &c, err
}

// AcceptInvitation makes the invited a user, and signs them in, unless they come by
// single sign-on alone.
func (h *Handlers) AcceptInvitation(ctx context.Context, r AcceptInvitationRequestObject) (AcceptInvitationResponseObject, error) {
	row, o, err := h.openInvitation(ctx, r.Token)
	if err != nil {
		return nil, err
	}
	alone, err := h.invitedBySSO(ctx, row)
	if err != nil {
		return nil, err
	}
	hash := ""
	switch {
	case alone != nil && r.Body.Password != nil:
		return nil, invalid("/password", "invalid", "you will sign in by %s alone: leave the password out", alone.Name)
	case alone == nil && r.Body.Password == nil:
		return nil, invalid("/password", "required", "choose a password")
	case alone == nil:
		if hash, err = h.newPassword(ctx, o.ID, "/password", *r.Body.Password, row.Email, r.Body.Name); err != nil {
			return nil, err
		}
	}
	var (
		u store.User
		s store.Session
	)
	err = h.store.Tx(ctx, o.ID, row.CreatedBy, func(tx *store.Tx) error {
		u = store.User{Name: r.Body.Name, Email: row.Email, PasswordHash: hash, Language: row.Language}
		if err := tx.CreateUser(ctx, &u); err != nil {
			if errors.Is(err, db.ErrDuplicate) {
				return problem.New(problem.CodeConflict, "you are a user already: sign in")
			}
			return err
		}
		if why, err := h.lapsedInvitation(ctx, tx.Org, row); err != nil || why != "" {
			return cmp.Or(err, error(errNoInvitation))
		}
		first, err := tx.AcceptInvitation(ctx, row.ID, u.ID)
		if err != nil {
			return err
		}
		if !first {
			return errNoInvitation
		}
		if err := h.giveInvited(ctx, tx, u, row); err != nil {
			return err
		}
		if err := h.recordUser(ctx, tx, "invitation.accepted", u, false); err != nil {
			return err
		}
		if alone != nil {
			return nil
		}
		s, err = h.openSession(ctx, tx, u, factor.Methods("").With(factor.ByLink), "")
		return err
	})
	if problem.Is(err, problem.CodeConflict) {
		h.closed(ctx, o.ID, "invitation.refused", audit.Target{Kind: "invitation", ID: row.ID, Name: row.Email}, "somebody with the e-mail address is a user already")
	}
	if err != nil {
		return nil, err
	}
	if alone != nil {
		return AcceptInvitation202JSONResponse{Connection: alone, SingleSignOn: ptr(SignInRuleRequired)}, nil
	}
	pair, err := h.pair(ctx, o, u, s)
	return AcceptInvitation200JSONResponse(pair), err
}

// giveInvited gives a new user the roles of the invitation, and puts them into its
// groups, as far as these are still there.
func (h *Handlers) giveInvited(ctx context.Context, tx *store.Tx, u store.User, invitation store.Invitation) error {
	roles, err := rights.Roles(ctx, tx.Org)
	if err != nil {
		return err
	}
	given := map[store.InvitedRole]bool{}
	for _, i := range invitation.Roles {
		if _, ok := roles[i.Role]; !ok || given[i] {
			continue
		}
		given[i] = true
		if err := tx.CreateGrant(ctx, &store.Grant{PrincipalID: u.ID, PrincipalKind: string(authn.User), RoleID: i.Role, ProjectID: i.Project}); err != nil {
			return err
		}
	}
	groups, err := tx.GroupsByID(ctx, invitation.GroupIDs)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := tx.AddMember(ctx, &store.GroupMember{GroupID: g.ID, MemberID: u.ID, MemberKind: store.KindUser}); err != nil {
			return err
		}
	}
	return nil
}
