package api

import (
	"context"
	"errors"
	"slices"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// errPreviewed takes a change back that was made to see what it does.
var errPreviewed = errors.New("this was a preview")

// moved is what the audit trail says of where a group is.
type moved struct {
	Within *access.Group `json:"within,omitempty"`
}

// MoveGroup takes a group out of one group and puts it into another. A preview does
// the same and takes it back, so that it is refused as the move would be.
func (h *Handlers) MoveGroup(ctx context.Context, r MoveGroupRequestObject) (MoveGroupResponseObject, error) {
	if err := authn.Require(ctx, "group:update", authn.Scope{}); err != nil {
		return nil, err
	}
	var out GroupMove
	err := h.change(ctx, func(tx *store.Tx) error {
		g, err := tx.Group(ctx, r.Id)
		if err != nil {
			return err
		}
		before, err := rights.Of(ctx, tx.Org, g.ID)
		if err != nil {
			return err
		}
		if out, err = h.moveGroup(ctx, tx, g, deref(r.Body.From), deref(r.Body.To)); err != nil {
			return err
		}
		after, err := rights.Of(ctx, tx.Org, g.ID)
		if err != nil {
			return err
		}
		inside, err := tx.Inside(ctx, g.ID)
		if err != nil {
			return err
		}
		out.Affected, out.Gained, out.Lost = len(inside), h.without(after, before), h.without(before, after)
		if deref(r.Body.Preview) {
			return errPreviewed
		}
		out.Moved = true
		return h.record(ctx, tx, "group.moved", "group", g.ID, g.Name, movedOf(out.From), movedOf(out.To))
	})
	if errors.Is(err, errPreviewed) {
		err = nil
	}
	return MoveGroup200JSONResponse(out), err
}

func movedOf(g *GroupName) moved {
	if g == nil {
		return moved{}
	}
	return moved{&access.Group{ID: g.Id, Name: g.Name}}
}

func (h *Handlers) moveGroup(ctx context.Context, tx *store.Tx, g store.Group, from, to string) (GroupMove, error) {
	var out GroupMove
	in, err := tx.Memberships(ctx, g.ID)
	if err != nil {
		return out, err
	}
	switch {
	case from == "" && len(in) == 1:
		from = in[0].GroupID
	case from == "" && len(in) > 1:
		return out, invalid("/from", "required", "%s is in %d groups: say which of them it leaves", g.Name, len(in))
	case from != "" && !slices.ContainsFunc(in, func(m store.GroupMember) bool { return m.GroupID == from }):
		return out, invalid("/from", "reference", "%s is not in that group itself", g.Name)
	case from == "" && to == "":
		return out, problem.New(problem.CodeConflict, "%s is at the top already", g.Name)
	}
	self := rights.Principal{Kind: rights.Group, ID: g.ID, Name: g.Name}
	if from != "" {
		was, err := tx.Group(ctx, from)
		if err != nil {
			return out, err
		}
		if err := byHand(ctx, tx, was); err != nil {
			return out, err
		}
		m, err := tx.Member(ctx, was.ID, g.ID)
		if err != nil {
			return out, err
		}
		if err := h.passOn(ctx, tx, was, self, func() error { return tx.RemoveMember(ctx, m) }); err != nil {
			return out, err
		}
		out.From = &GroupName{Id: was.ID, Name: was.Name}
	}
	if to == "" {
		return out, nil
	}
	into, err := tx.Group(ctx, to)
	if store.IsNotFound(err) {
		return out, invalid("/to", "reference", "there is no such group")
	}
	if err != nil {
		return out, err
	}
	if slices.ContainsFunc(in, func(m store.GroupMember) bool { return m.GroupID == into.ID }) {
		return out, problem.New(problem.CodeConflict, "%s is in the group %s already", g.Name, into.Name)
	}
	out.To = &GroupName{Id: into.ID, Name: into.Name}
	_, err = h.join(ctx, tx, into, self, "/to")
	return out, err
}

// without returns what a holding of a group has and another has not.
func (h *Handlers) without(have, not access.Holding) []GroupMoveRole {
	out, there := []GroupMoveRole{}, h.byGroups(not)
	for _, r := range h.byGroups(have) {
		if !slices.ContainsFunc(there, r.is) {
			out = append(out, r.GroupMoveRole)
		}
	}
	return out
}

// groupRole is what a group has, and by which grant.
type groupRole struct {
	GroupMoveRole
	grant string
}

func (r groupRole) is(o groupRole) bool {
	return r.grant == o.grant && r.Kind == o.Kind && r.Role == o.Role && r.Group.Id == o.Group.Id
}

// byGroups returns what a holding has by groups.
func (h *Handlers) byGroups(of access.Holding) []groupRole {
	var out []groupRole
	by := func(via []access.Group) GroupName {
		last := via[len(via)-1]
		return GroupName{Id: last.ID, Name: last.Name}
	}
	for _, g := range of.Grants {
		if len(g.Via) == 0 || g.Ended(h.store.Now()) {
			continue
		}
		kind := GroupMoveRoleKindGiven
		if g.Deny {
			kind = GroupMoveRoleKindDenied
		}
		r := GroupMoveRole{
			Kind: kind, Role: g.Role, Group: by(g.Via),
			Project: ptr(g.Scope.Project), Api: ptr(g.Scope.API), Environment: ptr(g.Scope.Environment),
		}
		out = append(out, groupRole{r, g.ID})
	}
	for _, b := range of.Boundaries {
		if len(b.Via) > 0 {
			out = append(out, groupRole{GroupMoveRole{Kind: GroupMoveRoleKindBounding, Role: b.Role, Group: by(b.Via)}, ""})
		}
	}
	return out
}
