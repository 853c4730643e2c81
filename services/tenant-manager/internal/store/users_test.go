package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func testUsers(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "users-a"), organization(t, s, "users-b")
	ada := user(t, s, a, " Ada Lovelace ", " Ada@Example.com ")
	bob := user(t, s, a, "bob", "bob_b@example.com")
	other := user(t, s, b, "Ada elsewhere", "ada@example.com")
	require.Equal(t, "Ada Lovelace", ada.Name)
	require.Equal(t, "actor", ada.CreatedBy)
	err := s.Tx(ctx, a, by, func(tx *store.Tx) error { return tx.CreateUser(ctx, &store.User{Email: "ADA@example.COM"}) })
	require.ErrorIs(t, err, db.ErrDuplicate, "whatever the case")

	_, err = s.For(a).User(ctx, other.ID)
	require.ErrorIs(t, err, db.ErrNotFound)
	got, err := s.For(a).UserByEmail(ctx, "ada@EXAMPLE.com")
	require.NoError(t, err)
	require.Equal(t, ada.ID, got.ID)
	both, err := s.UsersWithEmail(ctx, "ada@example.com")
	require.NoError(t, err)
	require.Len(t, both, 2)

	search := func(q, status string) []string {
		p, err := s.For(a).Users(ctx, store.UserFilter{Search: q, Status: status}, db.PageRequest{Sort: "name"})
		require.NoError(t, err)
		names := []string{}
		for _, u := range p.Items {
			names = append(names, u.Name)
		}
		return names
	}
	require.Equal(t, []string{"Ada Lovelace", "bob"}, search("", ""))
	require.Equal(t, []string{"Ada Lovelace"}, search("LOVE", ""))
	require.Equal(t, []string{"bob"}, search("b_b", ""), "a sign of LIKE stands for itself")
	require.Empty(t, search("%", ""))
	require.Empty(t, search("", store.Disabled))

	bob.Status = store.Disabled
	tx(t, s, a, func(tx *store.Tx) error { return tx.SaveUser(ctx, &bob) })
	require.Equal(t, []string{"bob"}, search("", store.Disabled))
	stale := bob
	stale.Version = 1
	err = s.Tx(ctx, a, by, func(tx *store.Tx) error { return tx.SaveUser(ctx, &stale) })
	require.True(t, problem.Is(err, problem.CodePreconditionFailed))
	tx(t, s, a, func(tx *store.Tx) error { return tx.SignedIn(ctx, bob.ID, s.Now()) })
	tx(t, s, a, func(tx *store.Tx) error { return tx.Rehash(ctx, bob.ID, "hash", "hash2") })
	tx(t, s, a, func(tx *store.Tx) error { return tx.Rehash(ctx, bob.ID, "hash", "hash3") })
	got, err = s.For(a).User(ctx, bob.ID)
	require.NoError(t, err)
	require.Equal(t, "hash2", got.PasswordHash)
	require.NotNil(t, got.LastSignInAt)
	require.EqualValues(t, 2, got.Version, "signing in changes no version")

	session := store.Session{UserID: bob.ID, RefreshKey: secret.NewText("x"), RotatedAt: s.Now(), CreatedAt: s.Now(), LastUsedAt: s.Now(), ExpiresAt: s.Now().Add(time.Hour)}
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateSession(ctx, &session) })
	tx(t, s, a, func(tx *store.Tx) error { return tx.EraseUser(ctx, &got) })
	_, err = s.For(a).User(ctx, bob.ID)
	require.ErrorIs(t, err, db.ErrNotFound)
	gone, err := s.For(a).UsersByID(ctx, []string{bob.ID, other.ID})
	require.NoError(t, err)
	require.Len(t, gone, 1)
	require.Equal(t, "Deleted user", gone[0].Name)
	require.Empty(t, gone[0].Email+gone[0].PasswordHash)
	_, err = s.For(a).Session(ctx, session.ID)
	require.ErrorIs(t, err, db.ErrNotFound)
	user(t, s, a, "bob again", "bob_b@example.com") // the address is free
}

func testOwners(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a := organization(t, s, "owners-a")
	ada, bob, eve := user(t, s, a, "ada", "a@x"), user(t, s, a, "bob", "b@x"), user(t, s, a, "eve", "e@x")
	first := grant(t, s, a, store.Grant{PrincipalID: ada.ID, RoleID: "owner"})
	soon := s.Now().Add(time.Hour)
	grant(t, s, a, store.Grant{PrincipalID: eve.ID, RoleID: "owner", ExpiresAt: &soon})
	grant(t, s, a, store.Grant{PrincipalID: eve.ID, RoleID: "owner", ProjectID: "p"})
	grant(t, s, a, store.Grant{PrincipalID: eve.ID, RoleID: "owner", Effect: store.Deny})
	owners := func(user, grant string) (ids []string) {
		tx(t, s, a, func(tx *store.Tx) error {
			require.NoError(t, tx.LockOrganization(ctx))
			var err error
			ids, err = tx.Owners(ctx, user, grant)
			return err
		})
		return ids
	}
	require.Equal(t, []string{ada.ID}, owners("", ""))
	require.Empty(t, owners(ada.ID, ""), "neither one with an end, nor one of a project, nor one who is denied it counts")
	require.Empty(t, owners("", first.ID))
	grant(t, s, a, store.Grant{PrincipalID: bob.ID, RoleID: "owner"})
	require.Equal(t, []string{bob.ID}, owners(ada.ID, ""))
	bob.Status = store.Disabled
	tx(t, s, a, func(tx *store.Tx) error { return tx.SaveUser(ctx, &bob) })
	require.Empty(t, owners(ada.ID, ""), "nor does one who is disabled")
}
