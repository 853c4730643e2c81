package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/libs/tenancy/tenancytest"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

func TestLimitsHoldWhoeverIsFaster(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		require.NoError(t, tenancy.Keep(t.Context(), s.DB(), tenant.Organization{ID: "acme", Version: 1, Quotas: tenant.Quotas{tenant.ResourcePolicySets: 3}}))
		var made, full atomic.Int64
		var all sync.WaitGroup
		for n := range 12 {
			all.Go(func() {
				err := change(t, s, "acme", func(ctx context.Context, o *store.Organization) error {
					if err := o.Room(ctx); err != nil {
						return err
					}
					return o.CreateSet(ctx, &store.Set{Slug: fmt.Sprint("s", n), Name: "S"})
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
		counts, err := s.For("acme").Holdings(t.Context())
		require.NoError(t, err)
		require.Equal(t, tenant.Counts{Counts: map[tenant.Resource]int64{tenant.ResourcePolicySets: 3}}, counts)
		require.Error(t, s.For("acme").Room(t.Context()), "it is for transactions")
	})
}

func exporter(s *store.Store) *tenancy.Exporter {
	return s.Exporter(func(list []policies.Policy) []policies.Policy {
		for i := range list {
			list[i].Config = json.RawMessage(`{"masked":true}`)
		}
		return list
	}, func(string, json.RawMessage) json.RawMessage { return json.RawMessage(`{}`) })
}

func TestTheEndOfAnOrganizationLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		tenancytest.Purge(t, s.DB(), nil, func(id string) error { return tenancy.Purge(t.Context(), s.DB(), id) })
		if s.DB().Dialect() == db.SQLite {
			tenancytest.Columns(t, exporter(s))
		}
	})
}

func TestExport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		require.NoError(t, change(t, s, "acme", func(ctx context.Context, o *store.Organization) error {
			return o.CreateSet(ctx, &store.Set{Slug: "guard", Name: "Guard", Policies: []policies.Policy{limit(`{"secret":"hidden"}`)}})
		}))
		got := ""
		for ask := (tenant.Portion{Organization: "acme"}); ; {
			out, err := exporter(s).Portion(t.Context(), ask)
			require.NoError(t, err)
			got += string(out.Rows)
			if ask.Cursor = out.Next; ask.Cursor == "" {
				break
			}
		}
		require.Contains(t, got, `"slug":"guard"`)
		require.Contains(t, got, `"config":{"masked":true}`)
		require.NotContains(t, got, "hidden")
	})
}
