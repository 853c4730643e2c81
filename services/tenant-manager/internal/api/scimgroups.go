package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/rights"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/scim"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// groups are the groups of a directory.
type groups struct{ *scimCall }

func (groups) kind() string     { return store.KindGroup }
func (groups) about() scim.Type { return scim.Group() }

// groupStated is what a directory says of a group, as it stands here now.
func groupStated(r store.SCIMResource, g store.Group) map[string]any {
	out := map[string]any{}
	_ = json.Unmarshal([]byte(r.Attributes), &out) // of what was written by us
	if nameIn(out) != g.Name {
		out["displayName"] = g.Name
	}
	if r.ExternalID != "" {
		out["externalId"] = r.ExternalID
	}
	return out
}

func (c *scimCall) membersStated(rows []store.GroupMember) []any {
	out := make([]any, 0, len(rows))
	for _, m := range rows {
		kind, endpoint := "User", "/Users/"
		if m.MemberKind == store.KindGroup {
			kind, endpoint = "Group", "/Groups/"
		}
		out = append(out, map[string]any{"value": m.MemberID, "type": kind, "$ref": c.base + endpoint + m.MemberID})
	}
	return out
}

func (k groups) represent(ctx context.Context, rows []store.SCIMResource) ([]map[string]any, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ResourceID
	}
	list, err := k.org.GroupsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	in := map[string][]store.GroupMember{}
	if k.sel.Wants("members") {
		if in, err = k.org.MembersOf(ctx, ids...); err != nil {
			return nil, err
		}
	}
	t, out := k.about(), make([]map[string]any, 0, len(rows))
	for _, r := range rows {
		at := slices.IndexFunc(list, func(g store.Group) bool { return g.ID == r.ResourceID })
		if at < 0 {
			continue
		}
		g := list[at]
		one := groupStated(r, g)
		one["id"], one["schemas"], one["meta"] = g.ID, t.Schemas(one), k.meta(t, g.Stored, r.CreatedAt)
		if members := k.membersStated(in[g.ID]); len(members) > 0 {
			one["members"] = members
		}
		out = append(out, one)
	}
	return out, nil
}

// memberIDs returns who is to be in a group, each once.
func memberIDs(in map[string]any) ([]string, error) {
	list, _ := in["members"].([]any)
	out, seen := make([]string, 0, len(list)), map[string]bool{}
	for _, x := range list {
		o, _ := x.(map[string]any)
		id := textOf(o, "value")
		if id == "" {
			return nil, scim.Fail(http.StatusBadRequest, scim.InvalidValue, "a member has a value, which is the id of a user or group")
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out, nil
}

// recordedGroup is what the audit trail says of a group of a directory.
type recordedGroup struct {
	Name       string   `json:"name"`
	ExternalID string   `json:"externalId,omitempty"`
	Added      []string `json:"added,omitempty"`
	Removed    []string `json:"removed,omitempty"`
}

func (k groups) create(ctx context.Context, in map[string]any) (string, error) {
	s, err := saidOf(in)
	if err != nil {
		return "", err
	}
	want, err := memberIDs(in)
	if err != nil {
		return "", err
	}
	if s.name == "" {
		return "", scim.Fail(http.StatusBadRequest, scim.InvalidValue, "displayName is required")
	}
	var id string
	err = k.tx(ctx, func(tx *store.Tx) error {
		g := store.Group{Name: s.name}
		if err := tx.CreateGroup(ctx, &g); err != nil {
			return groupTaken(err, s.name)
		}
		id = g.ID
		r := store.SCIMResource{DirectoryID: k.dir.ID, Kind: store.KindGroup, ResourceID: g.ID, ExternalID: s.externalID, Active: true, Made: true, Attributes: s.rest}
		if err := tx.CreateSCIMResource(ctx, &r); err != nil {
			return err
		}
		added, _, err := k.setMembers(ctx, tx, g, want)
		if err != nil {
			return err
		}
		return k.record(ctx, tx, "group.created", "group", g.ID, g.Name, nil, recordedGroup{g.Name, s.externalID, added, nil})
	})
	return id, err
}

func groupTaken(err error, name string) error {
	if errors.Is(err, db.ErrDuplicate) {
		return taken("there is a group named %s already, which is not this directory's to fill: rename one of them", name)
	}
	return err
}

func (k groups) find(ctx context.Context, tx *store.Tx, id string) (store.SCIMResource, store.Group, error) {
	r, err := tx.SCIMResource(ctx, k.dir.ID, store.KindGroup, id)
	if err != nil {
		return r, store.Group{}, err
	}
	g, err := tx.Group(ctx, id)
	if err != nil {
		return r, g, err
	}
	return r, g, k.matches(g.Version)
}

func (k groups) update(ctx context.Context, id string, change func(map[string]any) (map[string]any, error)) error {
	return k.tx(ctx, func(tx *store.Tx) error {
		r, g, err := k.find(ctx, tx, id)
		if err != nil {
			return err
		}
		in, err := tx.MembersOf(ctx, g.ID)
		if err != nil {
			return err
		}
		now := groupStated(r, g)
		if list := k.membersStated(in[g.ID]); len(list) > 0 {
			now["members"] = list
		}
		next, err := change(now)
		if err != nil {
			return err
		}
		s, err := saidOf(next)
		if err != nil {
			return err
		}
		want, err := memberIDs(next)
		if err != nil {
			return err
		}
		if s.name == "" {
			return scim.Fail(http.StatusBadRequest, scim.InvalidValue, "displayName is required")
		}
		return k.apply(ctx, tx, r, g, s, want)
	})
}

// apply changes a group to what the directory says now.
func (k groups) apply(ctx context.Context, tx *store.Tx, r store.SCIMResource, g store.Group, s said, want []string) error {
	before := recordedGroup{Name: g.Name, ExternalID: r.ExternalID}
	added, removed, err := k.setMembers(ctx, tx, g, want)
	if err != nil {
		return err
	}
	if len(added)+len(removed) == 0 && s.name == g.Name && s.externalID == r.ExternalID && s.rest == r.Attributes {
		return nil
	}
	if s.name != g.Name {
		if err := k.mayBind(ctx, tx.Org, g); err != nil {
			return err
		}
	}
	g.Name, r.ExternalID, r.Attributes = s.name, s.externalID, s.rest
	if err := tx.SaveGroup(ctx, &g); err != nil {
		return groupTaken(err, s.name)
	}
	if err := tx.SaveSCIMResource(ctx, r); err != nil {
		return err
	}
	action := "group.updated"
	if len(added)+len(removed) > 0 {
		action = "group.members-changed"
	}
	return k.record(ctx, tx, action, "group", g.ID, g.Name, before, recordedGroup{g.Name, s.externalID, added, removed})
}

// setMembers makes a group have these members, and returns who came and who went.
func (k groups) setMembers(ctx context.Context, tx *store.Tx, g store.Group, want []string) (added, removed []string, err error) {
	in, err := tx.MembersOf(ctx, g.ID)
	if err != nil {
		return nil, nil, err
	}
	have := map[string]store.GroupMember{}
	for _, m := range in[g.ID] {
		have[m.MemberID] = m
	}
	var add, remove []store.GroupMember
	for _, id := range want {
		if _, there := have[id]; !there {
			added = append(added, id)
		}
		delete(have, id)
	}
	for _, m := range in[g.ID] {
		if _, gone := have[m.MemberID]; gone {
			remove, removed = append(remove, m), append(removed, m.MemberID)
		}
	}
	if len(added)+len(removed) == 0 {
		return nil, nil, nil
	}
	ours, err := tx.SCIMResourcesOf(ctx, k.dir.ID, added...)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range added {
		r, ok := ours[id]
		if !ok {
			return nil, nil, scim.Fail(http.StatusBadRequest, scim.InvalidValue, "there is no user or group %s in this directory", id)
		}
		if r.Kind == store.KindGroup {
			if why, err := rights.Nests(ctx, tx.Org, g.ID, id); err != nil {
				return nil, nil, err
			} else if why != "" {
				return nil, nil, scim.Fail(http.StatusBadRequest, scim.InvalidValue, "%s", why)
			}
		}
		add = append(add, store.GroupMember{MemberID: id, MemberKind: r.Kind})
	}
	err = k.passOn(ctx, tx, g, len(add) > 0, slices.Concat(add, remove), func() error { return tx.ChangeMembers(ctx, g.ID, add, remove) })
	return added, removed, err
}

// passOn makes a change of who is in a group. A directory gives by it no more than
// whoever saved it could, and never who owns the organization; where the group denies
// or bounds something, nobody is affected who may do more than they, and where a rule of
// sign-in binds who is in it, they may change that.
func (k groups) passOn(ctx context.Context, tx *store.Tx, g store.Group, more bool, affected []store.GroupMember, change func() error) error {
	if err := k.mayBind(ctx, tx.Org, g); err != nil {
		return err
	}
	gives, err := rights.Of(ctx, tx.Org, g.ID)
	if err != nil {
		return err
	}
	if len(gives.Grants)+len(gives.Boundaries) == 0 {
		return change()
	}
	held, err := rights.Of(ctx, tx.Org, k.dir.SavedBy)
	if err != nil {
		return err
	}
	now, restricts := k.h.store.Now(), len(gives.Boundaries) > 0
	for _, grant := range gives.Grants {
		switch {
		case grant.Ended(now):
		case grant.Deny:
			restricts = true
		case !more:
		case access.ByHandAlone(grant.Permissions):
			return refuseSCIM(http.StatusForbidden, g.Name, "the group gives the role %s, which is given by hand alone, so that no identity provider decides who has it", grant.Role)
		default:
			if missing := access.Missing(held, grant.Permissions, grant.Scope, grant.ExpiresAt, now); missing != "" {
				return refuseSCIM(http.StatusForbidden, g.Name, "the group gives %s in %s, which whoever saved the directory does not have: somebody who has it saves it again", missing, grant.Scope)
			}
		}
	}
	if !restricts {
		return change()
	}
	var ids, inside []string
	for _, m := range affected {
		if m.MemberKind == store.KindGroup {
			inside = append(inside, m.MemberID)
		} else {
			ids = append(ids, m.MemberID)
		}
	}
	deeper, err := tx.Inside(ctx, inside...)
	if err != nil {
		return err
	}
	for _, m := range deeper {
		ids = append(ids, m.MemberID)
	}
	all, err := rights.Holdings(ctx, tx.Org, ids...)
	if err != nil {
		return err
	}
	if noneAbove(all, ids, held, now) != nil {
		return refuseSCIM(http.StatusForbidden, g.Name, "the group denies or bounds something, and somebody whom the change affects may do more than whoever saved the directory")
	}
	err = guardOwner(ctx, tx, change)
	if errors.Is(err, errLastOwner) {
		return refuseSCIM(http.StatusConflict, g.Name, "%s", errLastOwner.Detail)
	}
	return err
}

func (k groups) remove(ctx context.Context, id string) error {
	return k.tx(ctx, func(tx *store.Tx) error {
		r, g, err := k.find(ctx, tx, id)
		if err != nil {
			return err
		}
		in, err := tx.MembersOf(ctx, g.ID)
		if err != nil {
			return err
		}
		if err := k.passOn(ctx, tx, g, false, in[g.ID], func() error { return tx.DeleteGroup(ctx, g.ID, db.AnyVersion) }); err != nil {
			return err
		}
		return k.record(ctx, tx, "group.deleted", "group", g.ID, g.Name, recordedGroup{Name: g.Name, ExternalID: r.ExternalID}, nil)
	})
}
