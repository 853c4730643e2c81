package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/db"
)

// The kinds of members of groups, and of those to whom roles are given.
const (
	KindUser           = "user"
	KindServiceAccount = "service-account"
	KindGroup          = "group"
)

func (g *Group) fold() {
	g.Name = strings.TrimSpace(g.Name)
	g.NameKey = Fold(g.Name)
}

// CreateGroup makes a group, empty. The error is [db.ErrDuplicate] where the name
// is taken.
func (t *Tx) CreateGroup(ctx context.Context, g *Group) error {
	g.Stored = t.stored()
	g.fold()
	return db.Create(ctx, t.scope, g)
}

// Group returns a group.
func (o *Org) Group(ctx context.Context, id string) (Group, error) {
	return db.From[Group](o.scope).Get(ctx, id)
}

// GroupCalled returns the group of an id or a name.
func (o *Org) GroupCalled(ctx context.Context, idOrName string) (Group, error) {
	g, err := o.Group(ctx, idOrName)
	if !IsNotFound(err) {
		return g, err
	}
	return db.From[Group](o.scope).Where("name_key = ?", Fold(idOrName)).First(ctx)
}

// GroupsByID returns groups.
func (o *Org) GroupsByID(ctx context.Context, ids []string) ([]Group, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return db.From[Group](o.scope).Where("id IN ?", ids).All(ctx)
}

// GroupFilter narrows a list of groups.
type GroupFilter struct {
	// Search is text in the name; "" = any.
	Search string
	// Top leaves those that are in no other group.
	Top bool
	// Member and Parent leave those that have it as a member, and those that are in
	// it.
	Member, Parent string
	// Path is parts of names with a slash between them: those of a group, of one in
	// it, and so on, up to those that are looked for. With a slash in front the first
	// is in no other; "" = any.
	Path string
}

// Groups returns a page of groups, sortable by name and creation.
func (o *Org) Groups(ctx context.Context, f GroupFilter, p db.PageRequest) (db.Page[Group], error) {
	q := db.From[Group](o.scope)
	if strings.TrimSpace(f.Search) != "" {
		q = q.Where("name_key LIKE ? ESCAPE '!'", like(f.Search))
	}
	if f.Top {
		q = q.Where("parents = ?", 0)
	}
	if f.Member != "" {
		q = q.In("id", db.From[GroupMember](o.scope).Where("member_id = ?", f.Member).Column("group_id"))
	}
	if f.Parent != "" {
		q = q.In("id", db.From[GroupMember](o.scope).Where("group_id = ?", f.Parent).Column("member_id"))
	}
	if f.Path != "" {
		q = o.below(q, f.Path)
	}
	if p.Sort == "name" {
		p.Sort = "name_key"
	}
	return q.Page(ctx, p, "name_key", "created_at")
}

// mostParts bounds how deep a path is looked into: no group is deeper.
const mostParts = 8

// below narrows groups to those at the end of a path.
func (o *Org) below(q db.Query[Group], path string) db.Query[Group] {
	path, fromTop := strings.CutPrefix(strings.TrimSpace(path), "/")
	parts := strings.Split(path, "/")
	if len(parts) > mostParts {
		return q.Where("id = ''")
	}
	var above db.Query[Group]
	for i, part := range parts {
		at := db.From[Group](o.scope)
		if i == len(parts)-1 {
			at = q
		}
		if strings.TrimSpace(part) != "" {
			at = at.Where("name_key LIKE ? ESCAPE '!'", like(part))
		}
		switch {
		case i > 0:
			at = at.In("id", db.From[GroupMember](o.scope).In("group_id", above.Column("id")).Column("member_id"))
		case fromTop:
			at = at.Where("parents = ?", 0)
		}
		above = at
	}
	return above
}

// SaveGroup writes a group's name and description, if the row has the version
// that is in g.
func (t *Tx) SaveGroup(ctx context.Context, g *Group) error {
	g.fold()
	return db.Save(ctx, t.scope, g, "name", "name_key", "description")
}

// DeleteGroup deletes a group of a version, with what it was given, and tells
// everybody who was in it. What is in it stays.
func (t *Tx) DeleteGroup(ctx context.Context, id string, version int64) error {
	if err := t.PrincipalChanged(ctx, KindGroup, id); err != nil {
		return err
	}
	inside, err := db.From[GroupMember](t.scope).Where("group_id = ? AND member_kind = ?", id, KindGroup).All(ctx)
	if err != nil {
		return err
	}
	for _, m := range inside {
		if err := t.countParents(ctx, m.MemberID, -1); err != nil {
			return err
		}
	}
	if _, err := db.From[GroupMember](t.scope).Where("group_id = ? OR member_id = ?", id, id).Delete(ctx); err != nil {
		return fmt.Errorf("deleting members: %w", err)
	}
	if _, err := db.From[Grant](t.scope).Where("principal_id = ?", id).Delete(ctx); err != nil {
		return fmt.Errorf("deleting grants: %w", err)
	}
	if _, err := db.From[Boundary](t.scope).Where("principal_id = ?", id).Delete(ctx); err != nil {
		return fmt.Errorf("deleting the boundary: %w", err)
	}
	if err := t.DropSCIMResource(ctx, id); err != nil {
		return fmt.Errorf("taking the group from its directory: %w", err)
	}
	return db.Remove[Group](ctx, t.scope, id, version)
}

func (t *Tx) countParents(ctx context.Context, group string, by int64) error {
	_, err := db.From[Group](t.scope).Where("id = ?", group).Update(ctx, db.Changes{"parents": db.Increment(by)})
	return err
}

// MemberFilter narrows a list of members.
type MemberFilter struct {
	// Kind is that of the members; "" = any.
	Kind string
	// Search leaves those whose name or e-mail address has this text in it.
	Search string
}

// Members returns a page of those in a group itself, by when they came.
func (o *Org) Members(ctx context.Context, group string, f MemberFilter, p db.PageRequest) (db.Page[GroupMember], error) {
	q := db.From[GroupMember](o.scope).Where("group_id = ?", group)
	if f.Kind != "" {
		q = q.Where("member_kind = ?", f.Kind)
	}
	if f.Search != "" {
		// They are fewer than all users, and looked at one after the other.
		l, called := like(f.Search), []db.Subquery{}
		if f.Kind == "" || f.Kind == KindUser {
			called = append(called, db.From[User](o.scope).Where("status <> ? AND (name_key LIKE ? ESCAPE '!' OR email_key LIKE ? ESCAPE '!')", Deleted, l, l).Column("id"))
		}
		if f.Kind == "" || f.Kind == KindServiceAccount {
			called = append(called, db.From[ServiceAccount](o.scope).Where("name_key LIKE ? ESCAPE '!'", l).Column("id"))
		}
		if f.Kind == "" || f.Kind == KindGroup {
			called = append(called, db.From[Group](o.scope).Where("name_key LIKE ? ESCAPE '!'", l).Column("id"))
		}
		q = q.HasAny("member_id", called...)
	}
	return q.Page(ctx, p, "created_at")
}

// MemberCounts returns how many are in each of the groups itself.
func (o *Org) MemberCounts(ctx context.Context, groups []string) (map[string]int64, error) {
	out := map[string]int64{}
	if len(groups) == 0 {
		return out, nil
	}
	var rows []struct {
		GroupID string
		N       int64
	}
	err := db.From[GroupMember](o.scope).Where("group_id IN ?", groups).Aggregate(ctx, &rows, "group_id, count(*) AS n", "group_id")
	for _, r := range rows {
		out[r.GroupID] = r.N
	}
	return out, err
}

// Memberships returns in which groups the principals are themselves.
func (o *Org) Memberships(ctx context.Context, principals ...string) ([]GroupMember, error) {
	if len(principals) == 0 {
		return nil, nil
	}
	return db.From[GroupMember](o.scope).Where("member_id IN ?", principals).Order("created_at", false).Order("id", false).All(ctx)
}

// Nesting returns which groups are in which.
func (o *Org) Nesting(ctx context.Context) ([]GroupMember, error) {
	return db.From[GroupMember](o.scope).Where("member_kind = ?", KindGroup).Order("created_at", false).Order("id", false).All(ctx)
}

// AddMember puts somebody into a group, and tells everybody. The error is
// [db.ErrDuplicate] where they are in it.
func (t *Tx) AddMember(ctx context.Context, m *GroupMember) error {
	m.ID, m.CreatedAt, m.CreatedBy = NewID(), t.store.Now(), t.by
	if err := db.Create(ctx, t.scope, m); err != nil {
		return err
	}
	if m.MemberKind == KindGroup {
		if err := t.countParents(ctx, m.MemberID, 1); err != nil {
			return err
		}
	}
	return t.PrincipalChanged(ctx, m.MemberKind, m.MemberID)
}

// Member returns somebody in a group itself.
func (o *Org) Member(ctx context.Context, group, member string) (GroupMember, error) {
	return db.From[GroupMember](o.scope).Where("group_id = ? AND member_id = ?", group, member).First(ctx)
}

// RemoveMember takes somebody out of a group, and tells everybody.
func (t *Tx) RemoveMember(ctx context.Context, m GroupMember) error {
	if _, err := db.From[GroupMember](t.scope).Where("id = ?", m.ID).Delete(ctx); err != nil {
		return err
	}
	if m.MemberKind == KindGroup {
		if err := t.countParents(ctx, m.MemberID, -1); err != nil {
			return err
		}
	}
	return t.PrincipalChanged(ctx, m.MemberKind, m.MemberID)
}

// MembersOf returns all who are in each of the groups itself, by when they came.
func (o *Org) MembersOf(ctx context.Context, groups ...string) (map[string][]GroupMember, error) {
	out := map[string][]GroupMember{}
	if len(groups) == 0 {
		return out, nil
	}
	rows, err := db.From[GroupMember](o.scope).Where("group_id IN ?", groups).Order("created_at", false).Order("id", false).All(ctx)
	for _, m := range rows {
		out[m.GroupID] = append(out[m.GroupID], m)
	}
	return out, err
}

// ChangeMembers puts some into a group and takes others out, and tells everybody. The
// error is [db.ErrDuplicate] where one is in it.
func (t *Tx) ChangeMembers(ctx context.Context, group string, add, remove []GroupMember) error {
	for some := range slices.Chunk(add, mostIn) {
		rows := make([]*GroupMember, len(some))
		for i := range some {
			m := some[i]
			m.ID, m.GroupID, m.CreatedAt, m.CreatedBy = NewID(), group, t.store.Now(), t.by
			rows[i] = &m
		}
		if err := db.Create(ctx, t.scope, rows...); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(remove, mostIn) {
		ids := make([]string, len(some))
		for i, m := range some {
			ids[i] = m.ID
		}
		if _, err := db.From[GroupMember](t.scope).Where("id IN ?", ids).Delete(ctx); err != nil {
			return err
		}
	}
	for by, list := range map[int64][]GroupMember{1: add, -1: remove} {
		for _, m := range list {
			if m.MemberKind != KindGroup {
				continue
			}
			if err := t.countParents(ctx, m.MemberID, by); err != nil {
				return err
			}
		}
	}
	if len(add)+len(remove) > mostTold {
		return t.AccessChanged("", "")
	}
	for _, m := range slices.Concat(add, remove) {
		if err := t.PrincipalChanged(ctx, m.MemberKind, m.MemberID); err != nil {
			return err
		}
	}
	return nil
}

// leave takes somebody out of all groups, and their boundary away: they are
// deleted.
func (t *Tx) leave(ctx context.Context, principal string) error {
	if _, err := db.From[GroupMember](t.scope).Where("member_id = ?", principal).Delete(ctx); err != nil {
		return fmt.Errorf("leaving groups: %w", err)
	}
	if _, err := db.From[Boundary](t.scope).Where("principal_id = ?", principal).Delete(ctx); err != nil {
		return fmt.Errorf("deleting the boundary: %w", err)
	}
	return nil
}

// Inside returns all users and service accounts in a group and in the groups in
// it, each once.
func (o *Org) Inside(ctx context.Context, groups ...string) ([]GroupMember, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	all, err := o.withNested(ctx, groups)
	if err != nil {
		return nil, err
	}
	rows, err := db.From[GroupMember](o.scope).Where("group_id IN ? AND member_kind <> ?", all, KindGroup).Order("member_id", false).All(ctx)
	if err != nil {
		return nil, err
	}
	out, known := rows[:0], map[string]bool{}
	for _, m := range rows {
		if !known[m.MemberID] {
			known[m.MemberID] = true
			out = append(out, m)
		}
	}
	return out, nil
}

// withNested returns groups and those that are in them, each once.
func (o *Org) withNested(ctx context.Context, groups []string) ([]string, error) {
	nesting, err := o.Nesting(ctx)
	if err != nil {
		return nil, err
	}
	children := map[string][]string{}
	for _, m := range nesting {
		children[m.GroupID] = append(children[m.GroupID], m.MemberID)
	}
	seen, all := map[string]bool{}, []string{}
	for queue := groups; len(queue) > 0; queue = queue[1:] {
		if g := queue[0]; !seen[g] {
			seen[g] = true
			all = append(all, g)
			queue = append(queue, children[g]...)
		}
	}
	return all, nil
}

// mostTold is up to how many people are told of one by one; more of them are
// everybody.
const mostTold = 100

// PrincipalChanged tells everybody that what somebody may do has changed: of all
// in it, where it is a group.
func (t *Tx) PrincipalChanged(ctx context.Context, kind, id string) error {
	if kind != KindGroup {
		return t.AccessChanged(id, "")
	}
	inside, err := t.Inside(ctx, id)
	if err != nil {
		return err
	}
	if len(inside) > mostTold {
		return t.AccessChanged("", "")
	}
	for _, m := range inside {
		if err := t.AccessChanged(m.MemberID, ""); err != nil {
			return err
		}
	}
	return nil
}
