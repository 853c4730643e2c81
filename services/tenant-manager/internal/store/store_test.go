package store_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/migrations"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func TestTheDialectsHaveTheSameSchema(t *testing.T) {
	t.Parallel()
	dbtest.CompareSchemas(t, migrations.Files)
}

func TestStore(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations.Files, func(t *testing.T, d *db.DB) {
		ring, err := secret.ParseKeyring(secret.NewKey("k"))
		require.NoError(t, err)
		s := store.New(d, ring, nil)
		for name, test := range map[string]func(*testing.T, *store.Store){
			"organizations":    testOrganizations,
			"users":            testUsers,
			"owners":           testOwners,
			"sessions":         testSessions,
			"one-time codes":   testCodes,
			"roles and grants": testGrants,
			"groups":           testGroups,
			"who was given":    testGivenAt,
			"user list":        testUserList,
			"preferences":      testPreferences,
			"boundaries":       testBoundaries,
			"access requests":  testAccessRequests,
			"invitations":      testInvitations,
			"service accounts": testServiceAccounts,
			"attempts":         testAttempts,
			"domains":          testDomains,
			"factors":          testFactors,
			"signing keys":     testKeys,
			"audit trail":      testTrail,
			"audit receivers":  testReceivers,
			"audit retention":  testRetention,
			"once":             testOnce,
			"limits":           testLimits,
			"delegations":      testDelegations,
			"deletion":         testDeletion,
		} {
			t.Run(name, func(t *testing.T) { test(t, s) })
		}
	})
}

const by = "actor"

// organization makes one, named by the test.
func organization(t *testing.T, s *store.Store, slug string) string {
	t.Helper()
	id := store.NewID()
	tx(t, s, id, func(tx *store.Tx) error {
		_, err := tx.CreateOrganization(t.Context(), slug, "Name of "+slug)
		return err
	})
	return id
}

func tx(t *testing.T, s *store.Store, organization string, fn func(tx *store.Tx) error) {
	t.Helper()
	require.NoError(t, s.Tx(t.Context(), organization, by, fn))
}

func user(t *testing.T, s *store.Store, organization, name, email string) store.User {
	t.Helper()
	u := store.User{Name: name, Email: email, PasswordHash: "hash"}
	tx(t, s, organization, func(tx *store.Tx) error { return tx.CreateUser(t.Context(), &u) })
	return u
}

func testOrganizations(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a := organization(t, s, "org-a")
	b := organization(t, s, "org-b")
	err := s.Tx(ctx, store.NewID(), by, func(tx *store.Tx) error {
		_, err := tx.CreateOrganization(ctx, "org-a", "again")
		return err
	})
	require.ErrorIs(t, err, db.ErrDuplicate)
	got, err := s.For(a).Organization(ctx)
	require.NoError(t, err)
	require.Equal(t, "org-a", got.Slug)
	got.Name = "New name"
	tx(t, s, a, func(tx *store.Tx) error { return tx.SaveOrganization(ctx, &got) })
	require.EqualValues(t, 2, got.Version)
	err = s.Tx(ctx, b, by, func(tx *store.Tx) error { return tx.SaveOrganization(ctx, &got) })
	require.ErrorIs(t, err, db.ErrNotFound, "another organization's cannot be written")
	list, err := s.Organizations(ctx, b, "none")
	require.NoError(t, err)
	require.Len(t, list, 1)
	list, err = s.Organizations(ctx)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(list), 2)
	bySlug, err := s.OrganizationBySlug(ctx, "org-a")
	require.NoError(t, err)
	require.Equal(t, "New name", bySlug.Name)
	_, err = s.OrganizationBySlug(ctx, "org-c")
	require.True(t, store.IsNotFound(err))
}

func grant(t *testing.T, s *store.Store, organization string, g store.Grant) store.Grant {
	t.Helper()
	g.PrincipalKind = "user"
	tx(t, s, organization, func(tx *store.Tx) error { return tx.CreateGrant(t.Context(), &g) })
	return g
}

func testSessions(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "sessions-a"), organization(t, s, "sessions-b")
	now := s.Now()
	make1 := func(expires time.Duration) store.Session {
		row := store.Session{
			UserID: "u", RefreshKey: secret.NewText("key of refresh"), Generation: 1, RotatedAt: now, IP: "::1", UserAgent: "agent\n",
			CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(expires),
		}
		tx(t, s, a, func(tx *store.Tx) error { return tx.CreateSession(ctx, &row) })
		return row
	}
	one, two, old := make1(time.Hour), make1(time.Hour), make1(-time.Second)
	got, err := s.For(a).Session(ctx, one.ID)
	require.NoError(t, err)
	require.Equal(t, "key of refresh", got.RefreshKey.Reveal())
	require.Equal(t, "agent", got.UserAgent)
	var raw []string
	require.NoError(t, s.DB().Unscoped(ctx, "reading what is on the disk").Table("sessions").Pluck("refresh_key", &raw).Error)
	require.NotContains(t, raw, "key of refresh", "it is encrypted")
	_, err = s.For(b).Session(ctx, one.ID)
	require.ErrorIs(t, err, db.ErrNotFound)
	of, err := s.SessionOrganization(ctx, one.ID)
	require.NoError(t, err)
	require.Equal(t, a, of)

	open, err := s.For(a).OpenSessions(ctx, "u")
	require.NoError(t, err)
	require.Len(t, open, 2)
	require.False(t, old.Open(now))
	got.Generation, got.LastUsedAt = 2, now.Add(time.Minute)
	tx(t, s, a, func(tx *store.Tx) error { return tx.RotateSession(ctx, got) })
	tx(t, s, b, func(tx *store.Tx) error {
		ids, err := tx.EndSessions(ctx, "u", one.ID, "")
		require.Empty(t, ids)
		return err
	})
	tx(t, s, a, func(tx *store.Tx) error {
		locked, err := tx.LockSession(ctx, one.ID)
		require.EqualValues(t, 2, locked.Generation)
		require.NoError(t, err)
		ids, err := tx.EndSessions(ctx, "u", "", two.ID)
		require.Contains(t, ids, one.ID)
		require.NotContains(t, ids, two.ID)
		return err
	})
	got, err = s.For(a).Session(ctx, one.ID)
	require.NoError(t, err)
	require.False(t, got.Open(now))
	n, err := s.ForgetSessions(ctx, s.Now().Add(time.Minute))
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, int64(2))
	_, err = s.For(a).Session(ctx, two.ID)
	require.NoError(t, err)
}

func testCodes(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a := organization(t, s, "codes-a")
	u := store.User{Name: "Owner", SetupPending: true}
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateUser(ctx, &u) })
	pending, err := s.PendingOwners(ctx)
	require.NoError(t, err)
	require.Len(t, pending, 1)
	tx(t, s, a, func(tx *store.Tx) error {
		require.NoError(t, tx.AddOneTimeCode(ctx, u.ID, store.ForSetup, "hash1", s.Now().Add(-time.Second)))
		return tx.AddOneTimeCode(ctx, u.ID, store.ForSetup, "hash2", s.Now().Add(time.Hour))
	})
	_, err = s.OneTimeCode(ctx, store.ForSetup, "hash1")
	require.True(t, store.IsNotFound(err), "it has run out")
	_, err = s.OneTimeCode(ctx, store.ForPassword, "hash2")
	require.True(t, store.IsNotFound(err), "it is for something else")
	c, err := s.OneTimeCode(ctx, store.ForSetup, "hash2")
	require.NoError(t, err)
	for _, want := range []bool{true, false} {
		tx(t, s, a, func(tx *store.Tx) error {
			used, err := tx.UseOneTimeCode(ctx, c.ID)
			require.Equal(t, want, used)
			return err
		})
	}
	tx(t, s, a, func(tx *store.Tx) error { return tx.DropOneTimeCodes(ctx, u.ID) })
}

func testGrants(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "grants-a"), organization(t, s, "grants-b")
	role := store.Role{Name: "support", Title: "Support", Permissions: []string{"api:read", "user:*"}}
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateRole(ctx, &role) })
	err := s.Tx(ctx, a, by, func(tx *store.Tx) error {
		return tx.CreateRole(ctx, &store.Role{Name: "support", Permissions: []string{"api:read"}})
	})
	require.ErrorIs(t, err, db.ErrDuplicate)
	got, err := s.For(a).RoleByName(ctx, "support")
	require.NoError(t, err)
	require.Equal(t, role.Permissions, got.Permissions)
	_, err = s.For(b).Role(ctx, role.ID)
	require.ErrorIs(t, err, db.ErrNotFound)
	got.Permissions = []string{"api:read"}
	tx(t, s, a, func(tx *store.Tx) error { return tx.SaveRole(ctx, &got) })
	all, err := s.For(a).Roles(ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, []string{"api:read"}, all[0].Permissions)

	ended := s.Now().Add(-time.Second)
	g := store.Grant{PrincipalID: "u", RoleID: role.ID, ProjectID: "p", APIID: "api"}
	withEnd := g
	withEnd.ExpiresAt = &ended
	grant(t, s, a, withEnd)
	g = grant(t, s, a, g) // takes the place of the ended one
	err = s.Tx(ctx, a, by, func(tx *store.Tx) error {
		again := g
		return tx.CreateGrant(ctx, &again)
	})
	require.ErrorIs(t, err, db.ErrDuplicate)
	rows, err := s.For(a).GrantsOf(ctx, "u")
	require.NoError(t, err)
	require.Len(t, rows, 1)
	require.Equal(t, "api", rows[0].APIID)
	page, err := s.For(a).Grants(ctx, store.GrantFilter{Principal: "u", Project: "p", Role: role.ID}, db.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	n, err := s.For(a).RoleUses(ctx, role.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	err = s.Tx(ctx, b, by, func(tx *store.Tx) error { return tx.DeleteGrant(ctx, g, db.AnyVersion) })
	require.ErrorIs(t, err, db.ErrNotFound)
	tx(t, s, a, func(tx *store.Tx) error { return tx.DeleteGrant(ctx, g, 1) })
	tx(t, s, a, func(tx *store.Tx) error { return tx.DeleteRole(ctx, role.ID, 2) })
}

func testInvitations(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "invitations-a"), organization(t, s, "invitations-b")
	invite := func(email string, lasts time.Duration) store.Invitation {
		i := store.Invitation{Email: email, Roles: []store.InvitedRole{{Role: "viewer", Project: "p"}}, TokenHash: "hash of " + email, ExpiresAt: s.Now().Add(lasts)}
		tx(t, s, a, func(tx *store.Tx) error { return tx.CreateInvitation(ctx, &i) })
		return i
	}
	ada := invite("Ada@x.org", time.Hour)
	invite("late@x.org", -time.Second)
	got, err := s.InvitationByToken(ctx, "hash of Ada@x.org")
	require.NoError(t, err)
	require.Equal(t, ada.Roles, got.Roles)
	require.Equal(t, store.Pending, got.Status(s.Now()))
	_, err = s.For(b).Invitation(ctx, ada.ID)
	require.ErrorIs(t, err, db.ErrNotFound)
	for _, want := range []bool{true, false} {
		tx(t, s, a, func(tx *store.Tx) error {
			first, err := tx.AcceptInvitation(ctx, ada.ID, "u")
			require.Equal(t, want, first)
			return err
		})
	}
	for status, want := range map[string]int{store.Accepted: 1, store.Expired: 1, store.Pending: 0, "": 2} {
		p, err := s.For(a).Invitations(ctx, "X.ORG", status, db.PageRequest{Descending: true})
		require.NoError(t, err)
		require.Len(t, p.Items, want, status)
	}
	tx(t, s, a, func(tx *store.Tx) error { return tx.DeleteInvitation(ctx, ada.ID, 2) })
}

func testServiceAccounts(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "service-accounts-a"), organization(t, s, "service-accounts-b")
	acc := store.ServiceAccount{Name: "CI"}
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateServiceAccount(ctx, &acc) })
	k := store.ServiceToken{ServiceAccountID: acc.ID, Token: store.Token{Name: "t", Hash: "h", Hint: "ght_…"}}
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateServiceToken(ctx, &k) })
	grant(t, s, a, store.Grant{PrincipalID: acc.ID, RoleID: "viewer"})
	found, err := s.ServiceTokenByHash(ctx, "h")
	require.NoError(t, err)
	require.NoError(t, s.For(a).UsedServiceToken(ctx, found, "192.0.2.7"))
	list, err := s.For(a).ServiceTokens(ctx, acc.ID)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NotNil(t, list[0].LastUsedAt)
	require.Equal(t, "192.0.2.7", list[0].LastUsedFrom)
	require.Empty(t, list[0].Permissions)
	_, err = s.For(b).ServiceToken(ctx, acc.ID, k.ID)
	require.ErrorIs(t, err, db.ErrNotFound)
	err = s.Tx(ctx, a, by, func(tx *store.Tx) error { return tx.DeleteServiceToken(ctx, "other", k.ID) })
	require.ErrorIs(t, err, db.ErrNotFound)
	page, err := s.For(a).ServiceAccounts(ctx, "ci", db.PageRequest{Sort: "name"})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	acc.Status = store.Disabled
	tx(t, s, a, func(tx *store.Tx) error { return tx.SaveServiceAccount(ctx, &acc) })
	tx(t, s, a, func(tx *store.Tx) error { return tx.DeleteServiceAccount(ctx, acc.ID, acc.Version) })
	left, err := s.For(a).GrantsOf(ctx, acc.ID)
	require.NoError(t, err)
	require.Empty(t, left)
}
