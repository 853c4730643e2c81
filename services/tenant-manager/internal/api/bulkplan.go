package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/roster"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// planBulk returns a job as it was asked for, with its rows as they are now. The
// error is a problem of a field.
func (h *Handlers) planBulk(ctx context.Context, in BulkJobInput) (store.BulkJob, []store.BulkRow, error) {
	j := store.BulkJob{Action: string(in.Action), Name: strings.TrimSpace(deref(in.Name)), AskedRoles: []store.InvitedRole{}, AskedGroups: []string{}, Unused: []string{}}
	h.onBehalf(ctx, &j)
	if err := fits(in); err != nil {
		return j, nil, err
	}
	org := h.mine(ctx)
	var (
		rows []store.BulkRow
		err  error
	)
	switch {
	case in.Action == BulkJobActionInvite:
		rows, err = h.planInvitations(ctx, org, in, &j)
	case in.Users != nil:
		rows = rowsOf(*in.Users)
	case in.Invitations != nil:
		rows = rowsOf(*in.Invitations)
	case in.Action == BulkJobActionResendInvitation:
		j.Asked = store.BulkFilter{All: true, Search: deref(in.Filter.Q)}
		rows, err = h.openInvitations(ctx, org, j.Asked.Search)
	default:
		rows, err = h.matchingUsers(ctx, org, *in.Filter, &j)
	}
	if err != nil {
		return j, nil, err
	}
	if len(rows) == 0 {
		return j, nil, problem.New(problem.CodeConflict, "there is nobody to do this to: nobody matches")
	}
	if in.Group != nil {
		g, err := org.Group(ctx, *in.Group)
		if store.IsNotFound(err) {
			return j, nil, invalid("/group", "reference", "there is no such group: see /groups")
		}
		if err != nil {
			return j, nil, err
		}
		j.GroupID = g.ID
	}
	return j, rows, nil
}

// fits returns a problem of the first field that the action needs, or has no use for.
func fits(in BulkJobInput) error {
	invites, resends := in.Action == BulkJobActionInvite, in.Action == BulkJobActionResendInvitation
	grouped := in.Action == BulkJobActionAddToGroup || in.Action == BulkJobActionRemoveFromGroup
	of := string(in.Action)
	for _, f := range []struct {
		pointer   string
		is, may   bool
		must      bool
		otherwise string
	}{
		{"/csv", in.Csv != nil, invites, invites, "send the list of people"},
		{"/columns", in.Columns != nil, invites, false, ""},
		{"/roles", in.Roles != nil, invites, false, ""},
		{"/groups", in.Groups != nil, invites, false, ""},
		{"/to", in.To != nil, invites, false, ""},
		{"/group", in.Group != nil, grouped, grouped, "name the group"},
		{"/invitations", in.Invitations != nil, resends, resends && in.Filter == nil, "name the invitations, or filter them"},
		{"/users", in.Users != nil, !invites && !resends, !invites && !resends && in.Filter == nil, "name the users, or filter them"},
		{"/filter", in.Filter != nil, !invites && in.Users == nil && in.Invitations == nil, false, ""},
	} {
		if f.must && !f.is {
			return invalid(f.pointer, "required", "%s: %s needs it", f.otherwise, of)
		}
		if f.is && !f.may {
			return invalid(f.pointer, "unknown", "%s has no use for it here: leave it out", of)
		}
	}
	if f := in.Filter; resends && f != nil && *f != (BulkJobFilter{Q: f.Q}) {
		return invalid("/filter", "unknown", "invitations are filtered by q alone")
	}
	return nil
}

// rowsOf returns a row for each of the ids, each once.
func rowsOf(ids []string) []store.BulkRow {
	seen := make(map[string]bool, len(ids))
	out := make([]store.BulkRow, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, store.BulkRow{TargetID: id, Faults: []store.BulkFault{}})
		}
	}
	return out
}

func tooMany(what string) error {
	return problem.New(problem.CodeConflict, "more than %d %s match: narrow the filter, and do the rest with another job", mostInBulk, what)
}

// matchingUsers returns the users that a filter has now.
func (h *Handlers) matchingUsers(ctx context.Context, org *store.Org, in BulkJobFilter, j *store.BulkJob) ([]store.BulkRow, error) {
	if err := authn.Require(ctx, "user:read", authn.Scope{}); err != nil {
		return nil, err
	}
	j.Asked = store.BulkFilter{
		All: true, Search: deref(in.Q), Status: string(deref(in.Status)), Source: deref(in.Source), SecondFactor: in.SecondFactor,
		NeverSignedIn: deref(in.NeverSignedIn), SignedInBefore: utc(in.SignedInBefore), Role: deref(in.Role), Group: deref(in.Group),
	}
	filter, _, err := h.userFilter(ctx, org, narrowed{
		search: j.Asked.Search, status: j.Asked.Status, source: j.Asked.Source, factor: in.SecondFactor, never: j.Asked.NeverSignedIn,
		before: deref(in.SignedInBefore), role: j.Asked.Role, group: j.Asked.Group,
	})
	if err != nil {
		return nil, belowFilter(err)
	}
	n, err := org.CountUsers(ctx, filter)
	if err == nil && n > mostInBulk {
		err = tooMany("users")
	}
	if err != nil {
		return nil, err
	}
	return everyRow(func(cursor string) ([]string, string, error) {
		page, err := org.Users(ctx, filter, db.PageRequest{Cursor: cursor, Limit: db.MaxLimit})
		ids := make([]string, len(page.Items))
		for i, u := range page.Items {
			ids[i] = u.ID
		}
		return ids, page.Next, err
	}, "users")
}

// belowFilter moves the fields of a problem of parameters to where the body has them.
func belowFilter(err error) error {
	var p *problem.Problem
	if errors.As(err, &p) {
		for i := range p.Errors {
			p.Errors[i].Pointer = "/filter" + p.Errors[i].Pointer
		}
	}
	return err
}

// openInvitations returns the invitations that nobody accepted.
func (h *Handlers) openInvitations(ctx context.Context, org *store.Org, search string) ([]store.BulkRow, error) {
	if err := authn.Require(ctx, "invitation:read", authn.Scope{}); err != nil {
		return nil, err
	}
	return everyRow(func(cursor string) ([]string, string, error) {
		page, err := org.Invitations(ctx, search, "", db.PageRequest{Cursor: cursor, Limit: db.MaxLimit})
		var ids []string
		for _, i := range page.Items {
			if i.AcceptedAt == nil {
				ids = append(ids, i.ID)
			}
		}
		return ids, page.Next, err
	}, "invitations")
}

// everyRow reads page after page.
func everyRow(page func(cursor string) (ids []string, next string, err error), what string) ([]store.BulkRow, error) {
	var ids []string
	for cursor := ""; ; {
		some, next, err := page(cursor)
		if err != nil {
			return nil, err
		}
		if ids = append(ids, some...); len(ids) > mostInBulk {
			return nil, tooMany(what)
		}
		if cursor = next; cursor == "" {
			return rowsOf(ids), nil
		}
	}
}

// planInvitations returns a row for each person of a list. Lines that are not right
// stay so, with what is wrong in each field.
func (h *Handlers) planInvitations(ctx context.Context, org *store.Org, in BulkJobInput, j *store.BulkJob) ([]store.BulkRow, error) {
	named := roster.Columns{}
	if c := in.Columns; c != nil {
		for field, as := range map[string]*string{roster.Email: c.Email, roster.Name: c.Name, roster.Roles: c.Roles, roster.Groups: c.Groups} {
			if deref(as) != "" {
				named[field] = *as
			}
		}
	}
	sheet, err := roster.ReadAs(*in.Csv, mostInBulk, named)
	if err != nil {
		var at *roster.Error
		if errors.As(err, &at) && at.Column != "" {
			return nil, invalid("/columns/"+at.Column, "reference", "%s", at.Detail)
		}
		return nil, invalid("/csv", "invalid", "%s", err)
	}
	j.Unused, j.LeadsTo = append(j.Unused, sheet.Unused...), string(deref(in.To))
	for _, r := range deref(in.Roles) {
		j.AskedRoles = append(j.AskedRoles, store.InvitedRole{Role: r.Role, Project: deref(r.Project)})
	}
	j.AskedGroups = append(j.AskedGroups, deref(in.Groups)...)
	g, err := h.giving(ctx, org)
	if err != nil {
		return nil, err
	}
	rows, seen := make([]store.BulkRow, len(sheet.People)), map[string]int{}
	for i, p := range sheet.People {
		row := store.BulkRow{Line: int64(p.Line), Email: short(p.Email, 254), Name: short(p.Name, 120), Gives: store.BulkGives{Roles: p.Roles, Groups: p.Groups}, Faults: []store.BulkFault{}}
		line, err := h.previewed(ctx, g, p, itemOf(*j, row))
		if err != nil {
			return nil, err
		}
		key := store.FoldEmail(p.Email)
		if first, twice := seen[key]; twice && len(line.Errors) == 0 {
			line.Errors = append(line.Errors, InvitationFault{Field: ptr(InvitationFaultField(roster.Email)), Detail: fmt.Sprintf("the address stands in line %d already", first)})
		} else if !twice && key != "" {
			seen[key] = p.Line
		}
		if row.Faulty = len(line.Errors) > 0; row.Faulty {
			row.Outcome, row.Code = store.RowRefused, string(problem.CodeInvalidInput)
			var said []string
			for _, e := range line.Errors {
				row.Faults = append(row.Faults, store.BulkFault{Field: string(deref(e.Field)), Detail: e.Detail})
				said = append(said, strings.TrimPrefix(string(deref(e.Field))+": "+e.Detail, ": "))
			}
			row.Detail = strings.Join(said, "; ")
			// What is too much of is shown in part.
			row.Gives.Roles, row.Gives.Groups = atMost(row.Gives.Roles), atMost(row.Gives.Groups)
		}
		rows[i] = row
	}
	return rows, nil
}

// itemOf returns the person of a row, with what those get whose line gives nothing.
func itemOf(j store.BulkJob, row store.BulkRow) InvitationItem {
	item := InvitationItem{Email: row.Email, Name: ptr(row.Name), Roles: some(rolesIn(row.Gives.Roles)), Groups: some(row.Gives.Groups)}
	if len(row.Gives.Roles)+len(row.Gives.Groups) == 0 {
		var roles []InvitedRole
		for _, r := range j.AskedRoles {
			roles = append(roles, InvitedRole{Role: r.Role, Project: ptr(r.Project)})
		}
		item.Roles, item.Groups = some(roles), some(slices.Clone(j.AskedGroups))
	}
	return item
}

// short returns the beginning of a text of at most so many characters.
func short(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}

// atMost bounds what is shown of what a faulty line gives.
func atMost(called []string) []string {
	const shown = 20
	out := slices.Clone(called[:min(len(called), shown)])
	for i, c := range out {
		out[i] = short(c, 120)
	}
	return out
}
