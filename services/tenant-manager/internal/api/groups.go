package api

import (
	"context"
	"errors"
	"strings"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// ListGroups returns a page of groups.
func (h *Handlers) ListGroups(ctx context.Context, r ListGroupsRequestObject) (ListGroupsResponseObject, error) {
	if err := authn.Require(ctx, "group:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org, p := h.mine(ctx), r.Params
	filter := store.GroupFilter{Search: deref(p.Q), Top: deref(p.Top), Parent: deref(p.Parent), Member: deref(p.Member), Path: deref(p.Path)}
	page, err := org.Groups(ctx, filter, httpx.Page(p.Cursor, p.Limit, p.Sort))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(page.Items))
	for i, g := range page.Items {
		ids[i] = g.ID
	}
	counts, err := org.MemberCounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	kept, err := org.ProvisionedBy(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var chains map[string][][]access.Group
	searched := filter.Search != "" || filter.Path != ""
	if searched {
		if chains, err = rights.Chains(ctx, org, ids...); err != nil {
			return nil, err
		}
	}
	out := GroupList{Items: make([]Group, len(page.Items)), Next: ptr(page.Next)}
	for i, g := range page.Items {
		out.Items[i] = groupOf(g, counts[g.ID])
		out.Items[i].Directory = directoryName(kept, g.ID)
		if searched {
			out.Items[i].Within = withinOf(chains[g.ID])
		}
	}
	return ListGroups200JSONResponse(out), nil
}

// GetGroup returns a group, with the groups that it is in.
func (h *Handlers) GetGroup(ctx context.Context, r GetGroupRequestObject) (GetGroupResponseObject, error) {
	if err := authn.Require(ctx, "group:read", authn.Scope{}); err != nil {
		return nil, err
	}
	g, err := h.group(ctx, h.mine(ctx), r.Id)
	return GetGroup200JSONResponse{Body: g, Headers: GetGroup200ResponseHeaders{ETag: etag(g.Version)}}, err
}

func (h *Handlers) group(ctx context.Context, org *store.Org, id string) (Group, error) {
	g, err := org.Group(ctx, id)
	if err != nil {
		return Group{}, err
	}
	counts, err := org.MemberCounts(ctx, []string{id})
	if err != nil {
		return Group{}, err
	}
	chains, err := rights.Chains(ctx, org, id)
	if err != nil {
		return Group{}, err
	}
	kept, err := org.ProvisionedBy(ctx, id)
	if err != nil {
		return Group{}, err
	}
	out := groupOf(g, counts[id])
	out.Directory = directoryName(kept, id)
	out.Within = withinOf(chains[id])
	return out, nil
}

// withinOf says how a group is in others.
func withinOf(chains [][]access.Group) *[]GroupChain {
	within := []GroupChain{}
	for _, c := range chains {
		within = append(within, *chainOf(c))
	}
	return &within
}

// directoryName returns which directory keeps a group, nil where people do.
func directoryName(kept map[string]store.SCIMDirectory, group string) *GroupName {
	d, ok := kept[group]
	if !ok {
		return nil
	}
	return &GroupName{Id: d.ID, Name: d.Name}
}

func groupNameTaken(err error, name string) error {
	if errors.Is(err, db.ErrDuplicate) {
		return problem.New(problem.CodeConflict, "there is a group named %s already", name)
	}
	return err
}

// CreateGroup makes a group.
func (h *Handlers) CreateGroup(ctx context.Context, r CreateGroupRequestObject) (CreateGroupResponseObject, error) {
	if err := authn.Require(ctx, "group:create", authn.Scope{}); err != nil {
		return nil, err
	}
	made, err := create(ctx, h, func(tx *store.Tx) (Group, error) {
		g := store.Group{Name: r.Body.Name, Description: strings.TrimSpace(deref(r.Body.Description))}
		if err := tx.CreateGroup(ctx, &g); err != nil {
			return Group{}, groupNameTaken(err, g.Name)
		}
		out := groupOf(g, 0)
		return out, h.record(ctx, tx, "group.created", "group", g.ID, g.Name, nil, out)
	})
	return CreateGroup201JSONResponse{Body: made, Headers: CreateGroup201ResponseHeaders{ETag: etag(made.Version), Location: location("groups", made.Id)}}, err
}

// groupFields is what people may change of a group.
type groupFields struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// UpdateGroup renames a group.
func (h *Handlers) UpdateGroup(ctx context.Context, r UpdateGroupRequestObject) (UpdateGroupResponseObject, error) {
	if err := authn.Require(ctx, "group:update", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		g, err := tx.Group(ctx, r.Id)
		if err != nil {
			return err
		}
		before := groupOf(g, 0)
		fields, err := httpx.Merge(ctx, groupFields{g.Name, g.Description})
		if err != nil {
			return err
		}
		if fields.Name != g.Name {
			if err := byHand(ctx, tx, g); err != nil {
				return err
			}
			if err := mayBind(ctx, tx.Org, g); err != nil {
				return err
			}
		}
		g.Name, g.Description, g.Version = fields.Name, strings.TrimSpace(fields.Description), version
		if err := tx.SaveGroup(ctx, &g); err != nil {
			return groupNameTaken(err, g.Name)
		}
		return h.record(ctx, tx, "group.updated", "group", g.ID, g.Name, before, groupOf(g, 0))
	})
	if err != nil {
		return nil, err
	}
	g, err := h.group(ctx, h.mine(ctx), r.Id)
	return UpdateGroup200JSONResponse{Body: g, Headers: UpdateGroup200ResponseHeaders{ETag: etag(g.Version)}}, err
}

// passOn makes a change of who has what a group has. The caller must have all
// that the group gives, by itself and by those that it is in; where it denies or
// bounds something, the change must be one that they may make of all who are
// affected; and where a domain's rule of sign-in binds who is in it, they must be
// allowed to change that.
func (h *Handlers) passOn(ctx context.Context, tx *store.Tx, group store.Group, to rights.Principal, change func() error) error {
	if err := tx.LockOrganization(ctx); err != nil { // others would change what groups are in which
		return err
	}
	if err := mayBind(ctx, tx.Org, group); err != nil {
		return err
	}
	gives, err := rights.Of(ctx, tx.Org, group.ID)
	if err != nil {
		return err
	}
	now, restricts := h.store.Now(), len(gives.Boundaries) > 0
	for _, g := range gives.Grants {
		switch {
		case g.Ended(now):
		case g.Deny:
			restricts = true
		default:
			if err := h.handsOn(ctx, tx, g.Permissions, g.Scope, g.ExpiresAt); err != nil {
				return err
			}
		}
	}
	if restricts {
		return h.restrict(ctx, tx, to, change)
	}
	return change()
}

// DeleteGroup deletes a group with what was given to it.
func (h *Handlers) DeleteGroup(ctx context.Context, r DeleteGroupRequestObject) (DeleteGroupResponseObject, error) {
	if err := authn.Require(ctx, "group:delete", authn.Scope{}); err != nil {
		return nil, err
	}
	version, err := httpx.IfMatch(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, func(tx *store.Tx) error {
		g, err := tx.Group(ctx, r.Id)
		if err != nil {
			return err
		}
		if err := byHand(ctx, tx, g); err != nil {
			return err
		}
		err = h.passOn(ctx, tx, g, rights.Principal{Kind: rights.Group, ID: g.ID}, func() error { return tx.DeleteGroup(ctx, g.ID, version) })
		if err != nil {
			return err
		}
		return h.record(ctx, tx, "group.deleted", "group", g.ID, g.Name, groupOf(g, 0), nil)
	})
	return DeleteGroup204Response{}, err
}

// ListGroupMembers returns a page of those in a group itself.
func (h *Handlers) ListGroupMembers(ctx context.Context, r ListGroupMembersRequestObject) (ListGroupMembersResponseObject, error) {
	if err := authn.Require(ctx, "group:read", authn.Scope{}); err != nil {
		return nil, err
	}
	org, p := h.mine(ctx), r.Params
	if _, err := org.Group(ctx, r.Id); err != nil {
		return nil, err
	}
	filter := store.MemberFilter{Kind: string(deref(p.Kind)), Search: strings.TrimSpace(deref(p.Q))}
	page, err := org.Members(ctx, r.Id, filter, httpx.Page(p.Cursor, p.Limit, (*string)(nil)))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(page.Items))
	for i, m := range page.Items {
		ids[i] = m.MemberID
	}
	called, err := names(ctx, org, ids)
	if err != nil {
		return nil, err
	}
	out := GroupMemberList{Items: make([]GroupMember, len(page.Items)), Next: ptr(page.Next)}
	for i, m := range page.Items {
		out.Items[i] = memberOf(m, called[m.MemberID])
	}
	return ListGroupMembers200JSONResponse(out), nil
}

func memberOf(m store.GroupMember, name string) GroupMember {
	return GroupMember{Kind: PrincipalKind(m.MemberKind), Id: m.MemberID, Name: name, CreatedAt: m.CreatedAt.UTC(), CreatedBy: m.CreatedBy}
}

// membership is what the audit trail says of a member.
type membership struct {
	Member access.Group `json:"member"`
	Kind   string       `json:"kind"`
}

// AddGroupMember puts somebody into a group.
func (h *Handlers) AddGroupMember(ctx context.Context, r AddGroupMemberRequestObject) (AddGroupMemberResponseObject, error) {
	if err := authn.Require(ctx, "group:update", authn.Scope{}); err != nil {
		return nil, err
	}
	made, err := create(ctx, h, func(tx *store.Tx) (GroupMember, error) {
		g, err := tx.Group(ctx, r.Id)
		if err != nil {
			return GroupMember{}, err
		}
		to, err := rights.Find(ctx, tx.Org, r.Body.Member)
		if store.IsNotFound(err) {
			return GroupMember{}, invalid("/member", "reference", "there is no such user, service account or group")
		}
		if err != nil {
			return GroupMember{}, err
		}
		return h.putInto(ctx, tx, g, to)
	})
	return AddGroupMember201JSONResponse(made), err
}

// putInto puts somebody into a group.
func (h *Handlers) putInto(ctx context.Context, tx *store.Tx, g store.Group, to rights.Principal) (GroupMember, error) {
	m, err := h.join(ctx, tx, g, to, "/member")
	if err != nil {
		return GroupMember{}, err
	}
	said := membership{access.Group{ID: to.ID, Name: to.Name}, m.MemberKind}
	return memberOf(m, to.Name), h.record(ctx, tx, "group.member-added", "group", g.ID, g.Name, nil, said)
}

// join is as putInto, for a change that is recorded otherwise. pointer is the field
// that says what goes where.
func (h *Handlers) join(ctx context.Context, tx *store.Tx, g store.Group, to rights.Principal, pointer string) (store.GroupMember, error) {
	m := store.GroupMember{GroupID: g.ID, MemberID: to.ID, MemberKind: string(to.Kind)}
	if err := byHand(ctx, tx, g); err != nil {
		return m, err
	}
	err := h.passOn(ctx, tx, g, to, func() error {
		if to.Kind == rights.Group {
			if why, err := rights.Nests(ctx, tx.Org, g.ID, to.ID); err != nil {
				return err
			} else if why != "" {
				return invalid(pointer, "nesting", "%s", why)
			}
		}
		return tx.AddMember(ctx, &m)
	})
	if errors.Is(err, db.ErrDuplicate) {
		return m, problem.New(problem.CodeConflict, "%s is in the group %s already", to.Name, g.Name)
	}
	return m, err
}

// RemoveGroupMember takes somebody out of a group.
func (h *Handlers) RemoveGroupMember(ctx context.Context, r RemoveGroupMemberRequestObject) (RemoveGroupMemberResponseObject, error) {
	if err := authn.Require(ctx, "group:update", authn.Scope{}); err != nil {
		return nil, err
	}
	err := h.change(ctx, func(tx *store.Tx) error {
		g, err := tx.Group(ctx, r.Id)
		if err != nil {
			return err
		}
		return h.takeOut(ctx, tx, g, r.Member)
	})
	return RemoveGroupMember204Response{}, err
}

// takeOut takes somebody out of a group.
func (h *Handlers) takeOut(ctx context.Context, tx *store.Tx, g store.Group, member string) error {
	if err := byHand(ctx, tx, g); err != nil {
		return err
	}
	m, err := tx.Member(ctx, g.ID, member)
	if err != nil {
		return err
	}
	to, err := rights.Find(ctx, tx.Org, m.MemberID)
	if err != nil {
		return err
	}
	if err := h.passOn(ctx, tx, g, to, func() error { return tx.RemoveMember(ctx, m) }); err != nil {
		return err
	}
	said := membership{access.Group{ID: to.ID, Name: to.Name}, m.MemberKind}
	return h.record(ctx, tx, "group.member-removed", "group", g.ID, g.Name, said, nil)
}
