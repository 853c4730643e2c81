package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/preferences"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Preferences are somebody's own, go with them, and are written one after the other.
func testPreferences(t *testing.T, s *store.Store) {
	ctx := t.Context()
	org, other := organization(t, s, "prefers"), organization(t, s, "prefers-other")
	ada, bob := store.User{Name: "Ada", Email: "ada@prefers.example"}, store.User{Name: "Bob", Email: "bob@prefers.example"}
	tx(t, s, org, func(tx *store.Tx) error {
		require.NoError(t, tx.CreateUser(ctx, &ada))
		return tx.CreateUser(ctx, &bob)
	})
	write := func(org, user string, version int64, change func(*preferences.Document)) (out store.Preferences, err error) {
		err = s.Tx(ctx, org, user, func(tx *store.Tx) error {
			was, err := tx.LockPreferences(ctx, user)
			if err != nil {
				return err
			}
			d := preferences.Document{Theme: was.Document.Theme, Lists: map[string]preferences.List{}}
			for name, l := range was.Document.Lists {
				d.Lists[name] = l
			}
			change(&d)
			out, err = tx.SavePreferences(ctx, user, was, version, d)
			return err
		})
		return out, err
	}
	dark := func(d *preferences.Document) { d.Theme = "dark" }
	none, err := s.For(org).Preferences(ctx, ada.ID)
	require.NoError(t, err)
	require.Equal(t, int64(1), none.Version)
	first, err := write(org, ada.ID, 1, dark)
	require.NoError(t, err)
	require.Equal(t, int64(2), first.Version)
	_, err = write(org, ada.ID, 1, dark)
	require.True(t, problem.Is(err, problem.CodePreconditionFailed), "%v", err)

	// Two browsers that change different things at the same time both have their way.
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() {
			_, errs[i] = write(org, bob.ID, db.AnyVersion, func(d *preferences.Document) {
				d.Lists[fmt.Sprintf("list-%d", i)] = preferences.List{Columns: []string{"name"}}
			})
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	bobs, err := s.For(org).Preferences(ctx, bob.ID)
	require.NoError(t, err)
	require.Len(t, bobs.Document.Lists, len(errs))
	require.Empty(t, bobs.Document.Theme, "those of others are others'")

	_, err = write(other, ada.ID, db.AnyVersion, dark)
	require.ErrorIs(t, err, db.ErrNotFound)
	strange, err := s.For(other).Preferences(ctx, ada.ID)
	require.NoError(t, err)
	require.Empty(t, strange.Document.Theme)

	gone, err := s.For(org).User(ctx, ada.ID)
	require.NoError(t, err)
	tx(t, s, org, func(tx *store.Tx) error { return tx.EraseUser(ctx, &gone) })
	after, err := s.For(org).Preferences(ctx, ada.ID)
	require.NoError(t, err)
	require.Empty(t, after.ID)
}
