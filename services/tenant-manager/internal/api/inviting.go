package api

import (
	"context"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/mail"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

// groupNames returns the names of the groups of invitations, by their ids.
func groupNames(ctx context.Context, org *store.Org, rows ...store.Invitation) (map[string]string, error) {
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.GroupIDs...)
	}
	slices.Sort(ids)
	groups, err := org.GroupsByID(ctx, slices.Compact(ids))
	out := make(map[string]string, len(groups))
	for _, g := range groups {
		out[g.ID] = g.Name
	}
	return out, err
}

// inviteTo keeps an invitation that is new, or makes a new link for one, and sends
// it. to is where the link leads: "console", "portal", or "" for where they are at
// home.
func (h *Handlers) inviteTo(ctx context.Context, tx *store.Tx, g *giving, row *store.Invitation, to string) (InvitationCreated, error) {
	if err := tx.Room(ctx, tenant.ResourceUsers); err != nil {
		return InvitationCreated{}, err // nobody could accept it
	}
	secret, expires := token.OneTime(), h.store.Now().Add(h.opt.InvitationLifetime)
	action, before := "invitation.created", any(nil)
	groups, err := groupNames(ctx, tx.Org, *row)
	if err != nil {
		return InvitationCreated{}, err
	}
	if row.ID == "" {
		row.TokenHash, row.ExpiresAt = token.Hash(secret), expires
		err = tx.CreateInvitation(ctx, row)
	} else {
		action, before = "invitation.resent", invitationOf(*row, g.roles, groups, h.store.Now())
		err = tx.RenewInvitation(ctx, row, token.Hash(secret), expires)
	}
	if err != nil {
		return InvitationCreated{}, err
	}
	given := make([]string, len(row.Roles))
	for i, r := range row.Roles {
		given[i] = r.Role
	}
	base := h.home(given)
	switch InvitedTo(to) {
	case Console:
		base = h.opt.ConsoleURL
	case Portal:
		base = h.opt.PortalURL
	}
	i := invitationOf(*row, g.roles, groups, h.store.Now())
	out := InvitationCreated{
		Id: i.Id, Version: i.Version, Email: i.Email, Name: i.Name, Roles: i.Roles, Groups: i.Groups, Status: i.Status, ExpiresAt: i.ExpiresAt,
		CreatedAt: i.CreatedAt, CreatedBy: i.CreatedBy, UpdatedAt: i.UpdatedAt,
		Url: strings.TrimRight(base, "/") + "/invite#token=" + secret, Token: secret,
	}
	mailed, err := h.post(ctx, tx, mail.Invitation, i.Email, false, mail.Data{Name: deref(i.Name), Link: out.Url, Until: row.ExpiresAt.UTC(), Language: row.Language})
	if err != nil {
		return out, err
	}
	out.Mailed = ptr(mailed)
	return out, h.record(ctx, tx, action, "invitation", i.Id, i.Email, before, i)
}

// ResendInvitation makes a new link for an invitation.
func (h *Handlers) ResendInvitation(ctx context.Context, r ResendInvitationRequestObject) (ResendInvitationResponseObject, error) {
	if err := authn.RequireAnywhere(ctx, "invitation:create"); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatchOptional(deref(r.Params.IfMatch))
	if err != nil {
		return nil, err
	}
	made, err := createSecret(ctx, h, r.Params.IdempotencyKey, "resendInvitation", r.Id, func(tx *store.Tx) (InvitationCreated, error) {
		g, err := h.giving(ctx, tx.Org)
		if err != nil {
			return InvitationCreated{}, err
		}
		return h.resend(ctx, tx, g, r.Id, version)
	})
	return ResendInvitation201JSONResponse{Body: made, Headers: ResendInvitation201ResponseHeaders{ETag: etag(made.Version)}}, err
}

func (h *Handlers) resend(ctx context.Context, tx *store.Tx, g *giving, id string, version int64) (InvitationCreated, error) {
	row, err := tx.LockInvitation(ctx, id)
	if err != nil {
		return InvitationCreated{}, err
	}
	if err := db.Expect(row.Version, version); err != nil {
		return InvitationCreated{}, err
	}
	if row.AcceptedAt != nil {
		return InvitationCreated{}, problem.New(problem.CodeConflict, "%s has accepted the invitation: there is nothing to send again", row.Email)
	}
	if len(row.Roles) == 0 { // elsewhere each role says where it is given
		if err := authn.Require(ctx, "invitation:create", authn.Scope{}); err != nil {
			return InvitationCreated{}, err
		}
	}
	// Whoever makes the link could take it themselves, so that it is as if they
	// invited: roles and groups that are gone are no longer given.
	for _, r := range row.Roles {
		if err := authn.Require(ctx, "invitation:create", authn.Scope{Project: r.Project}); err != nil {
			return InvitationCreated{}, err
		}
		if _, ok := g.roles[r.Role]; !ok {
			continue
		}
		if _, err := g.role(InvitedRole{Role: r.Role, Project: ptr(r.Project)}, ""); err != nil {
			return InvitationCreated{}, err
		}
	}
	groups, err := tx.GroupsByID(ctx, row.GroupIDs)
	if err != nil {
		return InvitationCreated{}, err
	}
	for _, group := range groups {
		if _, err := g.group(ctx, group.ID, ""); err != nil {
			return InvitationCreated{}, err
		}
	}
	return h.inviteTo(ctx, tx, g, &row, "")
}
