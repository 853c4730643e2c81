package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/libs/tenancy/tenancytest"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/migrations"
)

func limited(t *testing.T, s *store.Store, id string, version int64, q tenant.Quotas) {
	t.Helper()
	tx(t, s, id, func(tx *store.Tx) error {
		o, err := tx.Organization(t.Context())
		if err != nil {
			return err
		}
		o.Version = version
		return tx.KeepQuotas(t.Context(), o, q)
	})
}

// However many come in at the same time, no more become users than there may be.
func testLimits(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a, b := organization(t, s, "limits-a"), organization(t, s, "limits-b")
	limited(t, s, a, 2, tenant.Quotas{tenant.ResourceUsers: 3, tenant.ResourceServiceAccounts: 1})
	var made, full atomic.Int64
	var all sync.WaitGroup
	for n := range 12 {
		all.Go(func() {
			err := s.Tx(ctx, a, by, func(tx *store.Tx) error {
				return tx.CreateUser(ctx, &store.User{Email: fmt.Sprintf("u%d@limits.example", n)})
			})
			switch {
			case err == nil:
				made.Add(1)
			case tenancy.IsFull(err):
				full.Add(1)
			default:
				t.Errorf("neither made nor full: %v", err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 3, made.Load())
	require.EqualValues(t, 9, full.Load())
	tx(t, s, b, func(tx *store.Tx) error { return tx.CreateUser(ctx, &store.User{Email: "u@b.example"}) })
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateServiceAccount(ctx, &store.ServiceAccount{Name: "one"}) })
	require.True(t, tenancy.IsFull(s.Tx(ctx, a, by, func(tx *store.Tx) error {
		return tx.CreateServiceAccount(ctx, &store.ServiceAccount{Name: "two"})
	})))

	// Who is deleted makes room, who is disabled does not.
	users, err := s.For(a).Users(ctx, store.UserFilter{}, db.PageRequest{Limit: 10})
	require.NoError(t, err)
	tx(t, s, a, func(tx *store.Tx) error { return tx.EraseUser(ctx, &users.Items[0]) })
	tx(t, s, a, func(tx *store.Tx) error { return tx.CreateUser(ctx, &store.User{Email: "again@limits.example"}) })

	counts, err := s.For(a).Holdings(ctx)
	require.NoError(t, err)
	require.Equal(t, map[tenant.Resource]int64{tenant.ResourceUsers: 3, tenant.ResourceServiceAccounts: 1}, counts.Counts)
	quotas, err := s.Quotas(ctx, a, b)
	require.NoError(t, err)
	require.EqualValues(t, 3, quotas[a][tenant.ResourceUsers])
	require.Empty(t, quotas[b])
}

func testDeletion(t *testing.T, s *store.Store) {
	ctx := t.Context()
	a := organization(t, s, "deletion-a")
	now := s.Now()
	end := now.Add(time.Hour)
	ends := func(deleted, purge *time.Time) {
		tx(t, s, a, func(tx *store.Tx) error {
			o, err := tx.Organization(ctx)
			require.NoError(t, err)
			o.DeletedAt, o.PurgeAt = deleted, purge
			return tx.SaveOrganization(ctx, &o)
		})
	}
	done := 0
	purge := func() {
		require.NoError(t, s.Purge(ctx, a, func(_ *store.Tx, o store.Organization) error {
			done++
			require.Equal(t, "deletion-a", o.Slug)
			return nil
		}))
	}
	purge() // it is not deleted
	ends(&now, &end)
	purge() // it is not time
	due, err := s.DueForPurge(ctx)
	require.NoError(t, err)
	require.NotContains(t, due, a)
	require.Zero(t, done)
	ends(&now, &now)
	due, err = s.DueForPurge(ctx)
	require.NoError(t, err)
	require.Contains(t, due, a)
	purge()
	purge()
	require.Equal(t, 1, done)
	_, err = s.For(a).Organization(ctx)
	require.ErrorIs(t, err, db.ErrNotFound)
	over, err := s.Purged(ctx, a, "x")
	require.NoError(t, err)
	require.Equal(t, []tenant.Organization{{ID: a, Slug: "deletion-a"}}, over)
	tx(t, s, store.NewID(), func(tx *store.Tx) error {
		used, err := tx.SlugWasUsed(ctx, "deletion-a")
		require.True(t, used)
		return err
	})
}

func TestTheEndOfAnOrganizationLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations.Files, func(t *testing.T, d *db.DB) {
		ring, err := secret.ParseKeyring(secret.NewKey("k"))
		require.NoError(t, err)
		s := store.New(d, ring, nil)
		// Failures to sign in, what lives for minutes, and what is the installation's.
		nobodys := []string{"sign_in_attempts", "oauth_entries", "signing_keys", "mail_settings", "purged_organizations"}
		// What the end is decided by has to be true, and is not when all is made up.
		due := func(id string) {
			require.NoError(t, d.Unscoped(t.Context(), "a test").Exec("UPDATE organizations SET purge_at = ? WHERE id = ?", d.Now(), id).Error)
		}
		tenancytest.Purge(t, d, nobodys, func(id string) error {
			due(id)
			return s.Purge(t.Context(), id, func(*store.Tx, store.Organization) error { return nil })
		})
		if d.Dialect() == db.SQLite {
			tenancytest.Columns(t, s.Exporter())
		}
	})
}
