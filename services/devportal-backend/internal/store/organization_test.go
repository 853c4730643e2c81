package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/libs/tenancy/tenancytest"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
)

func TestLimitsHoldWhoeverIsFaster(t *testing.T) { //nolint:paralleltest // everywhere is
	everywhere(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		require.NoError(t, tenancy.Keep(ctx, d, tenant.Organization{ID: acme, Version: 1, Quotas: tenant.Quotas{tenant.ResourceApplications: 3}}))
		var made, full atomic.Int64
		var all sync.WaitGroup
		for n := range 12 {
			all.Go(func() {
				err := d.Tx(ctx, func(tx *db.Tx) error {
					if err := store.Room(ctx, tx, acme); err != nil {
						return err
					}
					return store.CreateApplication(ctx, tx.For(acme), &store.Application{ID: fmt.Sprint("a", n), Name: "A", OwnerID: "o", Version: 1, CreatedAt: d.Now(), UpdatedAt: d.Now()})
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
		counts, err := store.Holdings(ctx, d.For(acme))
		require.NoError(t, err)
		require.Equal(t, tenant.Counts{Counts: map[tenant.Resource]int64{tenant.ResourceApplications: 3}}, counts)
	})
}

func TestTheEndOfAnOrganizationLeavesNothing(t *testing.T) { //nolint:paralleltest // everywhere is
	everywhere(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		for _, id := range []string{tenancytest.Mine, tenancytest.Theirs} {
			require.NoError(t, store.AddOrganization(ctx, d, store.Organization{ID: id, Slug: id, Name: id}))
		}
		tenancytest.Purge(t, d, []string{"organizations"}, func(id string) error {
			return tenancy.TakeAway(ctx, d, []tenant.Organization{{ID: id}}, true, func(ctx context.Context, o tenant.Organization) error {
				return store.ForgetOrganization(ctx, d, o.ID)
			})
		})
		_, err := store.OrganizationByID(ctx, d, tenancytest.Mine)
		require.ErrorIs(t, err, db.ErrNotFound)
		_, err = store.OrganizationByID(ctx, d, tenancytest.Theirs)
		require.NoError(t, err)
		if d.Dialect() == db.SQLite {
			tenancytest.Columns(t, store.Exporter(d))
		}
	})
}
