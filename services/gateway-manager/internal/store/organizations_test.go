package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/tenancy"
	"github.com/gatehouse/gatehouse/libs/tenancy/tenancytest"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/gateway-manager/migrations"
)

func TestLimitsHoldWhoeverIsFaster(t *testing.T) { //nolint:paralleltest // run is
	run(t, func(t *testing.T, ctx context.Context, s *store.Store) {
		known := tenant.Organization{ID: "id-one", Slug: "one", Name: "one", Version: 2, Quotas: tenant.Quotas{tenant.ResourceProjects: 4, tenant.ResourceAPIs: 1}}
		require.NoError(t, s.KnowOrganization(ctx, known, "", ""))
		var made, full atomic.Int64
		var all sync.WaitGroup
		for n := range 12 {
			all.Go(func() {
				err := s.Tx(ctx, func(tx *db.Tx) error {
					o := s.In(tx, "id-one")
					if err := o.Room(ctx, tx, tenant.ResourceProjects); err != nil {
						return err
					}
					_, err := o.CreateProject(ctx, store.Project{Slug: fmt.Sprint("p", n), Name: "P"}, "user")
					return err
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
		require.EqualValues(t, 3, made.Load(), "beside the one it begins with")
		require.EqualValues(t, 9, full.Load())
		makeAPI(t, ctx, s.For("id-one"), "/a")
		counts, err := s.For("id-one").Holdings(ctx)
		require.NoError(t, err)
		require.Equal(t, tenant.Counts{Counts: map[tenant.Resource]int64{
			tenant.ResourceProjects: 4, tenant.ResourceAPIs: 1, tenant.ResourceEnvironments: 3, tenant.ResourceGatewayGroups: 1,
		}}, counts)
		for r, refused := range map[tenant.Resource]bool{tenant.ResourceAPIs: true, tenant.ResourceEnvironments: false, tenant.ResourceGatewayGroups: false} {
			err := s.Tx(ctx, func(tx *db.Tx) error { return s.In(tx, "id-one").Room(ctx, tx, r) })
			require.Equal(t, refused, tenancy.IsFull(err), "%s: %v", r, err)
		}
	})
}

// Who deletes an organization has all its groups published anew, and who restores
// it too; other changes do not.
func TestDeletedOrganizationsArePublished(t *testing.T) { //nolint:paralleltest // run is
	run(t, func(t *testing.T, ctx context.Context, s *store.Store) {
		wanted := func() int64 {
			groups, err := s.For("id-one").GroupsOf(ctx)
			require.NoError(t, err)
			return groups[0].Wanted
		}
		before, o := wanted(), tenant.Organization{ID: "id-one", Slug: "one", Name: "one", Version: 2}
		for _, step := range []struct {
			deleted bool
			more    int64
		}{{true, 1}, {true, 1}, {false, 2}, {false, 2}} {
			o.Deleted, o.Version = step.deleted, o.Version+1
			require.NoError(t, s.KnowOrganization(ctx, o, "", ""))
			want := before + step.more
			require.Equal(t, want, wanted())
			deleted, err := s.Deleted(ctx, "id-one")
			require.NoError(t, err)
			require.Equal(t, step.deleted, deleted)
		}
	})
}

func TestTheEndOfAnOrganizationLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations.Files, func(t *testing.T, d *db.DB) {
		s := store.New(d)
		t.Cleanup(s.Close)
		for _, id := range []string{tenancytest.Mine, tenancytest.Theirs} {
			require.NoError(t, d.Unscoped(t.Context(), "a test").Exec("INSERT INTO organizations (id, slug, name, suspended, settings, settings_wanted, settings_done, units_epoch, created_at) VALUES (?, ?, ?, ?, '', 1, 0, '', ?)", id, id, id, false, d.Now()).Error)
		}
		tenancytest.Purge(t, d, []string{"organizations"}, func(id string) error {
			return tenancy.TakeAway(t.Context(), d, []tenant.Organization{{ID: id}}, true, func(ctx context.Context, o tenant.Organization) error { return s.ForgetOrganization(ctx, o.ID) })
		})
		_, err := s.Organization(t.Context(), tenancytest.Mine)
		require.ErrorIs(t, err, db.ErrNotFound)
		_, err = s.Organization(t.Context(), tenancytest.Theirs)
		require.NoError(t, err)
	})
}

func TestExport(t *testing.T) { //nolint:paralleltest // run is
	run(t, func(t *testing.T, ctx context.Context, s *store.Store) {
		o := s.For("id-one")
		projects, err := o.AllProjects(ctx)
		require.NoError(t, err)
		d := draft("/a")
		d.Upstreams[0].TLS = &unit.TLS{Certificate: "the certificate", Key: "hidden-key"}
		a := &store.API{ProjectID: projects[0].ID, Slug: "a"}
		require.NoError(t, o.CreateAPI(ctx, a, d, "user"))
		makeAPI(t, ctx, s.For("id-two"), "/of-two")
		e := s.Exporter()
		got := map[string]string{}
		for ask := (tenant.Portion{Organization: "id-one"}); ; {
			out, err := e.Portion(ctx, ask)
			require.NoError(t, err)
			got[out.Kind] += string(out.Rows)
			if ask.Cursor = out.Next; ask.Cursor == "" {
				break
			}
		}
		var row struct {
			Name      string          `json:"name"`
			Upstreams []unit.Upstream `json:"upstreams"`
		}
		require.NoError(t, json.Unmarshal([]byte(got["apis"]), &row))
		require.Equal(t, "the certificate", row.Upstreams[0].TLS.Certificate)
		require.Equal(t, 3, strings.Count(got["environments"], "\n"))
		for kind, text := range got {
			require.NotContains(t, text, "hidden", kind)
			require.NotContains(t, text, "of-two", kind)
		}
		if s.DB().Dialect() == db.SQLite {
			tenancytest.Columns(t, e)
		}
	})
}
