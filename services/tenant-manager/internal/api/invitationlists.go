package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/roster"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ResendInvitations makes new links for several invitations.
func (h *Handlers) ResendInvitations(ctx context.Context, r ResendInvitationsRequestObject) (ResendInvitationsResponseObject, error) {
	if err := authn.RequireAnywhere(ctx, "invitation:create"); err != nil {
		return nil, err
	}
	g, err := h.giving(ctx, h.mine(ctx))
	if err != nil {
		return nil, err
	}
	out := InvitationResults{Items: make([]InvitationResult, len(r.Body.Invitations))}
	for i, id := range r.Body.Invitations {
		row, err := g.org.Invitation(ctx, id)
		if err != nil && !store.IsNotFound(err) {
			return nil, err
		}
		res, err := h.invited(ctx, row.Email, func(tx *store.Tx) (InvitationCreated, error) { return h.resend(ctx, tx, g, id, db.AnyVersion) })
		if err != nil {
			return nil, err
		}
		res.Invitation = new(id)
		out.Items[i] = res
	}
	return ResendInvitations200JSONResponse(out), nil
}

// invited runs one of several invitations in a transaction of its own, and says what
// became of it.
func (h *Handlers) invited(ctx context.Context, email string, fn func(tx *store.Tx) (InvitationCreated, error)) (InvitationResult, error) {
	res := InvitationResult{Email: email, Outcome: InvitationResultOutcomeInvited}
	var made InvitationCreated
	err := h.change(ctx, func(tx *store.Tx) (err error) {
		made, err = fn(tx)
		return err
	})
	var p *problem.Problem
	switch {
	case err == nil:
		res.Invitation, res.Mailed, res.ExpiresAt = ptr(made.Id), new(deref(made.Mailed)), &made.ExpiresAt
		if !deref(made.Mailed) {
			res.Url = ptr(made.Url)
		}
	case store.IsNotFound(err):
		res.Outcome, res.Code, res.Detail = InvitationResultOutcomeRefused, ptr(string(problem.CodeNotFound)), new("there is no such invitation any more")
	case isRefusal(err) && errors.As(err, &p):
		res.Outcome, res.Code, res.Detail = InvitationResultOutcomeRefused, ptr(string(p.Code)), ptr(p.Detail)
	default:
		return res, err
	}
	return res, nil
}

// CreateInvitations invites several people.
func (h *Handlers) CreateInvitations(ctx context.Context, r CreateInvitationsRequestObject) (CreateInvitationsResponseObject, error) {
	if err := authn.RequireAnywhere(ctx, "invitation:create"); err != nil {
		return nil, err
	}
	g, err := h.giving(ctx, h.mine(ctx))
	if err != nil {
		return nil, err
	}
	emails := make([]string, len(r.Body.Items))
	for i, item := range r.Body.Items {
		emails[i] = item.Email
	}
	known, err := g.org.KnownByEmail(ctx, emails)
	if err != nil {
		return nil, err
	}
	out := InvitationResults{Items: make([]InvitationResult, len(r.Body.Items))}
	for i, item := range r.Body.Items {
		key := store.FoldEmail(item.Email)
		switch {
		case known.Users[key]:
			out.Items[i] = InvitationResult{Email: item.Email, Outcome: InvitationResultOutcomeExists, Detail: new("they are a user already")}
			continue
		case known.Invited[key]:
			out.Items[i] = InvitationResult{Email: item.Email, Outcome: InvitationResultOutcomePending, Detail: new("they are invited already, and have not come yet: send that again")}
			continue
		}
		out.Items[i], err = h.invited(ctx, item.Email, func(tx *store.Tx) (InvitationCreated, error) {
			row, err := h.planned(ctx, g, item)
			if err != nil {
				return InvitationCreated{}, err
			}
			return h.inviteTo(ctx, tx, g, &row, string(deref(r.Body.To)))
		})
		if err != nil {
			return nil, err
		}
		known.Invited[key] = out.Items[i].Outcome == InvitationResultOutcomeInvited
	}
	return CreateInvitations200JSONResponse(out), nil
}

// planned returns the invitation of one of several.
func (h *Handlers) planned(ctx context.Context, g *giving, item InvitationItem) (row store.Invitation, err error) {
	if len(deref(item.Roles))+len(deref(item.Groups)) == 0 {
		return row, invalid("/roles", "required", "name a role or a group: without one they could do nothing")
	}
	if len(deref(item.Roles)) == 0 {
		if err := authn.Require(ctx, "invitation:create", authn.Scope{}); err != nil {
			return row, err
		}
	}
	for _, invited := range deref(item.Roles) {
		if err := authn.Require(ctx, "invitation:create", authn.Scope{Project: deref(invited.Project)}); err != nil {
			return row, err
		}
	}
	row = store.Invitation{Email: item.Email, Name: strings.TrimSpace(deref(item.Name))}
	if row.Roles, err = g.rolesAsked(deref(item.Roles)); err != nil {
		return row, err
	}
	row.GroupIDs, err = g.groupsAsked(ctx, deref(item.Groups))
	return row, err
}

// mostInSheet bounds the people of a list.
const mostInSheet = 5000

// PreviewInvitations says what a list of people would come to.
func (h *Handlers) PreviewInvitations(ctx context.Context, r PreviewInvitationsRequestObject) (PreviewInvitationsResponseObject, error) {
	if err := authn.RequireAnywhere(ctx, "invitation:create"); err != nil {
		return nil, err
	}
	sheet, err := roster.Read(r.Body.Csv, mostInSheet)
	if err != nil {
		return nil, invalid("/csv", "invalid", "%s", err)
	}
	g, err := h.giving(ctx, h.mine(ctx))
	if err != nil {
		return nil, err
	}
	emails := make([]string, 0, len(sheet.People))
	for _, p := range sheet.People {
		emails = append(emails, p.Email)
	}
	known, err := g.org.KnownByEmail(ctx, emails)
	if err != nil {
		return nil, err
	}
	out := InvitationPreview{Lines: make([]InvitationLine, len(sheet.People)), Unused: append([]string{}, sheet.Unused...)}
	seen := map[string]int{}
	for i, p := range sheet.People {
		item := InvitationItem{Email: p.Email, Name: ptr(p.Name), Groups: some(p.Groups), Roles: some(rolesIn(p.Roles))}
		if len(p.Roles)+len(p.Groups) == 0 {
			item.Roles, item.Groups = r.Body.Roles, r.Body.Groups
		}
		line, err := h.previewed(ctx, g, p, item)
		if err != nil {
			return nil, err
		}
		key := store.FoldEmail(p.Email)
		first, twice := seen[key]
		switch {
		case len(line.Errors) > 0:
		case twice:
			line.Outcome = InvitationLineOutcomeDuplicate
			line.Errors = append(line.Errors, InvitationFault{Field: ptr(InvitationFaultField(roster.Email)), Detail: fmt.Sprintf("the address stands in line %d already", first)})
		case known.Users[key]:
			line.Outcome = InvitationLineOutcomeExists
		case known.Invited[key]:
			line.Outcome = InvitationLineOutcomePending
		}
		if !twice && key != "" {
			seen[key] = p.Line
		}
		out.Lines[i] = line
	}
	return PreviewInvitations200JSONResponse(out), nil
}

// rolesIn reads roles as lists have them: "viewer", or "publisher@project".
func rolesIn(called []string) []InvitedRole {
	var out []InvitedRole
	for _, c := range called {
		role, project, _ := strings.Cut(c, "@")
		out = append(out, InvitedRole{Role: strings.TrimSpace(role), Project: ptr(strings.TrimSpace(project))})
	}
	return out
}

// previewed says what a line would come to, as far as that is for itself to say.
func (h *Handlers) previewed(ctx context.Context, g *giving, p roster.Person, item InvitationItem) (InvitationLine, error) {
	line := InvitationLine{
		Line: p.Line, Email: p.Email, Name: ptr(p.Name), Roles: []InvitationRole{}, Groups: []GroupName{},
		Outcome: InvitationLineOutcomeInvite, Errors: []InvitationFault{},
	}
	for _, f := range p.Faults {
		line.Errors = append(line.Errors, InvitationFault{Field: ptr(InvitationFaultField(f.Field)), Detail: f.Detail})
	}
	fault := func(field string, err error) error {
		var refused *problem.Problem
		if !isRefusal(err) || !errors.As(err, &refused) {
			return err
		}
		line.Errors = append(line.Errors, InvitationFault{Field: ptr(InvitationFaultField(field)), Detail: refused.Detail})
		return nil
	}
	for _, asked := range deref(item.Roles) {
		err := authn.Require(ctx, "invitation:create", authn.Scope{Project: deref(asked.Project)})
		var role store.InvitedRole
		if err == nil {
			role, err = g.role(asked, "")
		}
		if err != nil {
			if err := fault(roster.Roles, err); err != nil {
				return line, err
			}
			continue
		}
		line.Roles = append(line.Roles, invitationRoles([]store.InvitedRole{role}, g.roles)...)
	}
	for _, called := range deref(item.Groups) {
		group, err := g.group(ctx, called, "")
		if err != nil {
			if err := fault(roster.Groups, err); err != nil {
				return line, err
			}
			continue
		}
		line.Groups = append(line.Groups, GroupName{Id: group.ID, Name: group.Name})
	}
	switch asked := len(deref(item.Roles)) + len(deref(item.Groups)); {
	case asked == 0:
		line.Errors = append(line.Errors, InvitationFault{Field: ptr(InvitationFaultField(roster.Roles)), Detail: "name a role or a group: without one they could do nothing"})
	case len(deref(item.Roles)) == 0:
		if err := authn.Require(ctx, "invitation:create", authn.Scope{}); err != nil {
			if err := fault(roster.Groups, err); err != nil {
				return line, err
			}
		}
	}
	if len(line.Errors) > 0 {
		line.Outcome = InvitationLineOutcomeInvalid
	}
	return line, nil
}
