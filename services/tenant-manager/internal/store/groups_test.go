package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func group(t *testing.T, s *store.Store, organization, name string) store.Group {
	t.Helper()
	g := store.Group{Name: name}
	tx(t, s, organization, func(tx *store.Tx) error { return tx.CreateGroup(t.Context(), &g) })
	return g
}

func testGroups(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "groups-a"), organization(t, s, "groups-b")
	staff, team, idle := group(t, s, a, "Staff"), group(t, s, a, "team_1"), group(t, s, a, "Idle")
	err := s.Tx(ctx, a, by, func(tx *store.Tx) error { return tx.CreateGroup(ctx, &store.Group{Name: " STAFF"}) })
	require.ErrorIs(t, err, db.ErrDuplicate)
	group(t, s, b, "Staff") // names are free elsewhere
	_, err = s.For(b).Group(ctx, staff.ID)
	require.ErrorIs(t, err, db.ErrNotFound)

	ada := user(t, s, a, "ada", "ada@groups")
	add := func(group, member, kind string) error {
		return s.Tx(ctx, a, by, func(tx *store.Tx) error {
			return tx.AddMember(ctx, &store.GroupMember{GroupID: group, MemberID: member, MemberKind: kind})
		})
	}
	require.NoError(t, add(staff.ID, team.ID, store.KindGroup))
	require.NoError(t, add(team.ID, ada.ID, store.KindUser))
	require.NoError(t, add(staff.ID, "ci", store.KindServiceAccount))
	require.ErrorIs(t, add(team.ID, ada.ID, store.KindUser), db.ErrDuplicate)

	list := func(f store.GroupFilter) (names []string) {
		p, err := s.For(a).Groups(ctx, f, db.PageRequest{Sort: "name"})
		require.NoError(t, err)
		for _, g := range p.Items {
			names = append(names, g.Name)
		}
		return names
	}
	require.Equal(t, []string{"Idle", "Staff", "team_1"}, list(store.GroupFilter{}))
	require.Equal(t, []string{"Idle", "Staff"}, list(store.GroupFilter{Top: true}))
	require.Equal(t, []string{"team_1"}, list(store.GroupFilter{Parent: staff.ID}))
	require.Equal(t, []string{"team_1"}, list(store.GroupFilter{Member: ada.ID}))
	require.Equal(t, []string{"team_1"}, list(store.GroupFilter{Search: "M_"}))
	counts, err := s.For(a).MemberCounts(ctx, []string{staff.ID, team.ID, idle.ID})
	require.NoError(t, err)
	require.Equal(t, map[string]int64{staff.ID: 2, team.ID: 1}, counts)

	members, err := s.For(a).Members(ctx, staff.ID, store.MemberFilter{}, db.PageRequest{})
	require.NoError(t, err)
	require.Len(t, members.Items, 2)
	members, err = s.For(a).Members(ctx, staff.ID, store.MemberFilter{Kind: store.KindGroup}, db.PageRequest{})
	require.NoError(t, err)
	require.Len(t, members.Items, 1)
	called := func(group string, f store.MemberFilter) (ids []string) {
		p, err := s.For(a).Members(ctx, group, f, db.PageRequest{})
		require.NoError(t, err)
		for _, m := range p.Items {
			ids = append(ids, m.MemberID)
		}
		return ids
	}
	require.Equal(t, []string{team.ID}, called(staff.ID, store.MemberFilter{Search: "EAM_"}))
	require.Empty(t, called(staff.ID, store.MemberFilter{Search: "team_", Kind: store.KindUser}))
	require.Empty(t, called(staff.ID, store.MemberFilter{Search: "ada"}), "she is in the team")
	require.Equal(t, []string{ada.ID}, called(team.ID, store.MemberFilter{Search: "ada@"}))
	require.Equal(t, []string{ada.ID}, called(team.ID, store.MemberFilter{Search: "ada", Kind: store.KindUser}))
	require.Empty(t, called(team.ID, store.MemberFilter{Search: "adam"}))

	inside, err := s.For(a).Inside(ctx, staff.ID)
	require.NoError(t, err)
	require.Len(t, inside, 2, "ada by the team, and the service account")
	told := changes(ctx, s, func(tx *store.Tx) error { return tx.PrincipalChanged(ctx, store.KindGroup, staff.ID) }, a)
	require.ElementsMatch(t, []string{ada.ID, "ci"}, told)
	for i := range 101 {
		require.NoError(t, add(idle.ID, fmt.Sprintf("u%d", i), store.KindUser))
	}
	require.Equal(t, []string{""}, changes(ctx, s, func(tx *store.Tx) error { return tx.PrincipalChanged(ctx, store.KindGroup, idle.ID) }, a), "everybody, where they are many")

	team.Description = "The first team"
	tx(t, s, a, func(tx *store.Tx) error { return tx.SaveGroup(ctx, &team) })
	stale := team
	stale.Version = 1
	require.True(t, problem.Is(s.Tx(ctx, a, by, func(tx *store.Tx) error { return tx.SaveGroup(ctx, &stale) }), problem.CodePreconditionFailed))

	grant(t, s, a, store.Grant{PrincipalID: staff.ID, RoleID: "viewer"})
	require.ErrorIs(t, s.Tx(ctx, b, by, func(tx *store.Tx) error { return tx.DeleteGroup(ctx, staff.ID, db.AnyVersion) }), db.ErrNotFound)
	tx(t, s, a, func(tx *store.Tx) error { return tx.DeleteGroup(ctx, staff.ID, 1) })
	left, err := s.For(a).GrantsOf(ctx, staff.ID)
	require.NoError(t, err)
	require.Empty(t, left)
	require.Equal(t, []string{"Idle", "team_1"}, list(store.GroupFilter{Top: true}), "what was in it is in none now")

	tx(t, s, a, func(tx *store.Tx) error { return tx.EraseUser(ctx, &ada) })
	in, err := s.For(a).Memberships(ctx, ada.ID)
	require.NoError(t, err)
	require.Empty(t, in)
}

// changes returns whose access a transaction says has changed.
func changes(ctx context.Context, s *store.Store, fn func(tx *store.Tx) error, organization string) (principals []string) {
	listening := store.New(s.DB(), nil, func(e tenant.AccessChanged) { principals = append(principals, e.Principal) })
	if err := listening.Tx(ctx, organization, by, fn); err != nil {
		return []string{err.Error()}
	}
	return principals
}

func testBoundaries(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "boundaries-a"), organization(t, s, "boundaries-b")
	bound := store.Boundary{PrincipalID: "u", PrincipalKind: store.KindUser, RoleID: "viewer"}
	tx(t, s, a, func(tx *store.Tx) error { return tx.SetBoundary(ctx, &bound) })
	again := store.Boundary{PrincipalID: "u", PrincipalKind: store.KindUser, RoleID: "auditor"}
	tx(t, s, a, func(tx *store.Tx) error { return tx.SetBoundary(ctx, &again) })
	require.Equal(t, bound.ID, again.ID, "it takes the place of the one before")
	rows, err := s.For(a).BoundariesOf(ctx, "u", "v")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, "auditor", rows[0].RoleID)
	page, err := s.For(a).Boundaries(ctx, "auditor", db.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	n, err := s.For(a).RoleUses(ctx, "auditor")
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	_, err = s.For(b).Boundary(ctx, "u")
	require.ErrorIs(t, err, db.ErrNotFound)
	tx(t, s, a, func(tx *store.Tx) error { return tx.DeleteBoundary(ctx, again) })
	_, err = s.For(a).Boundary(ctx, "u")
	require.ErrorIs(t, err, db.ErrNotFound)
}

func testAccessRequests(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "requests-a"), organization(t, s, "requests-b")
	r := store.AccessRequest{PrincipalID: "u", PrincipalKind: store.KindUser, RoleID: "publisher", ProjectID: "p", Reason: "the release", Minutes: 60}
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateAccessRequest(ctx, &r) })
	_, err := s.For(b).AccessRequest(ctx, r.ID)
	require.ErrorIs(t, err, db.ErrNotFound)
	n, err := s.For(a).PendingAccessRequests(ctx, "u")
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	tx(t, s, a, func(tx *store.Tx) error {
		locked, err := tx.LockAccessRequest(ctx, r.ID)
		require.NoError(t, err)
		now := s.Now()
		locked.Status, locked.DecidedBy, locked.DecidedAt, locked.Note, locked.GrantID = store.Approved, "boss", &now, "go", "g"
		return tx.DecideAccessRequest(ctx, &locked)
	})
	page, err := s.For(a).AccessRequests(ctx, store.AccessRequestFilter{Principal: "u", Status: store.Approved, Project: "p"}, db.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, "boss", page.Items[0].DecidedBy)
	require.EqualValues(t, 60, page.Items[0].Minutes)
	page, err = s.For(a).AccessRequests(ctx, store.AccessRequestFilter{Status: store.Pending}, db.PageRequest{})
	require.NoError(t, err)
	require.Empty(t, page.Items)
}
