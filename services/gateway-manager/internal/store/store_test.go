package store_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/document"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/revision"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/gateway-manager/migrations"
)

// run runs a test on every dialect with two organizations.
func run(t *testing.T, test func(t *testing.T, ctx context.Context, s *store.Store)) {
	t.Helper()
	t.Parallel()
	ring, err := secret.ParseKeyring(secret.NewKey("k"))
	require.NoError(t, err)
	dbtest.Run(t, migrations.Files, func(t *testing.T, d *db.DB) {
		ctx := secret.With(t.Context(), ring)
		s := store.New(d)
		t.Cleanup(s.Close)
		for _, o := range []string{"one", "two"} {
			require.NoError(t, s.KnowOrganization(ctx, tenant.Organization{ID: "id-" + o, Slug: o, Name: o}, "user", "http://gw."+o))
		}
		test(t, ctx, s)
	})
}

func draft(base string) *revision.Draft {
	return &revision.Draft{
		Name: "API " + base, APIVersion: "1", BasePath: base, Upstreams: []unit.Upstream{{Name: "default", Targets: []unit.Target{{URL: "http://u:1"}}}},
		Operations: []document.Operation{{ID: "get", Method: "GET", Path: "/x", Tags: []string{"a"}}},
	}
}

func makeAPI(t *testing.T, ctx context.Context, o *store.Org, base string) *store.API {
	t.Helper()
	projects, err := o.AllProjects(ctx)
	require.NoError(t, err)
	a := &store.API{ProjectID: projects[0].ID, Slug: "api" + strings.ReplaceAll(base, "/", "-")}
	require.NoError(t, o.CreateAPI(ctx, a, draft(base), "user"))
	return a
}

func TestAnOrganizationBeginsWithSomething(t *testing.T) { //nolint:paralleltest // run is
	run(t, func(t *testing.T, ctx context.Context, s *store.Store) {
		require.NoError(t, s.KnowOrganization(ctx, tenant.Organization{ID: "id-one", Slug: "one", Name: "One & Co"}, "", ""), "again")
		row, err := s.OrganizationBySlug(ctx, "one")
		require.NoError(t, err)
		require.Equal(t, "One & Co", row.Name)
		o := s.For("id-one")
		envs, err := o.AllEnvironments(ctx)
		require.NoError(t, err)
		require.Len(t, envs, 3)
		require.Equal(t, []string{"DEV", "STG", "PRD"}, []string{envs[0].Name, envs[1].Name, envs[2].Name})
		require.True(t, envs[2].Production)
		groups, err := o.GroupsOf(ctx)
		require.NoError(t, err)
		require.Len(t, groups, 1)
		require.Equal(t, envs[0].ID, groups[0].EnvironmentID)
		require.NotEmpty(t, groups[0].Epoch)
		keys, err := o.SigningKeys(ctx)
		require.NoError(t, err)
		require.Len(t, keys, 1)
		others, err := s.For("id-two").SigningKeys(ctx)
		require.NoError(t, err)
		require.NotEqual(t, keys, others)
	})
}

func TestDraftsAndRevisionsComeBack(t *testing.T) { //nolint:paralleltest // run is
	run(t, func(t *testing.T, ctx context.Context, s *store.Store) {
		o := s.For("id-one")
		a := makeAPI(t, ctx, o, "/pets")
		got, err := o.API(ctx, a.ID)
		require.NoError(t, err)
		d, err := o.Draft(ctx, &got)
		require.NoError(t, err)
		require.Equal(t, draft("/pets"), &d)
		require.True(t, got.Changed())

		hash := unit.HashOf([]byte(`{"a":1}`))
		require.NoError(t, o.PutDocument(ctx, hash, []byte(`{"a":1}`)))
		require.NoError(t, o.PutDocument(ctx, hash, []byte(`{"a":1}`)), "again")
		d.Document, d.Hosts, d.Paths.MergeSlashes = hash, []string{"x.example.com"}, true
		require.NoError(t, o.SaveAPI(ctx, &got, &d))
		require.Equal(t, int64(2), got.Version)
		stale := got
		stale.Version = 1
		require.True(t, problem.Is(o.SaveAPI(ctx, &stale, &d), problem.CodePreconditionFailed))

		c := &revision.Content{Draft: d, Effective: policy.EffectiveSet{Version: "e1", API: []unit.Policy{{Type: "cors", Config: unit.Raw(`{"x":1}`)}}}}
		require.NoError(t, s.Tx(ctx, func(tx *db.Tx) error {
			o := s.In(tx, "id-one")
			a, err := o.LockAPI(ctx, got.ID)
			if err != nil {
				return err
			}
			_, err = o.CreateRevision(ctx, &a, c, "first", "user")
			return err
		}))
		r, err := o.Revision(ctx, got.ID, 1)
		require.NoError(t, err)
		state, err := o.State(ctx, &r)
		require.NoError(t, err)
		require.Equal(t, *c, state.Content)
		require.JSONEq(t, `{"a":1}`, string(state.OpenAPI))
		got, err = o.API(ctx, got.ID)
		require.NoError(t, err)
		require.False(t, got.Changed())
		require.NoError(t, o.SetEffective(ctx, got.ID, "e2"))
		got, err = o.API(ctx, got.ID)
		require.NoError(t, err)
		require.True(t, got.Changed())

		_, err = s.For("id-two").API(ctx, got.ID)
		require.ErrorIs(t, err, db.ErrNotFound)
		_, err = s.For("id-two").Revision(ctx, got.ID, 1)
		require.ErrorIs(t, err, db.ErrNotFound)
		n, err := s.ForgetDocuments(ctx, time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Zero(t, n, "a revision has it")
		require.NoError(t, o.RemoveAPI(ctx, got.ID, db.AnyVersion))
		n, err = s.ForgetDocuments(ctx, time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Equal(t, int64(1), n)
	})
}

func deploy(ctx context.Context, s *store.Store, a *store.API, env string, number int64) (d store.Deployment, groups []store.Group, err error) {
	routes := draft(a.BasePath).Routes()
	err = s.Tx(ctx, func(tx *db.Tx) error {
		d, groups, err = s.In(tx, a.OrganizationID).Deploy(ctx, store.Deploy{API: a, Environment: env, Revision: number, Routes: routes, Hash: unit.Hash("h" + strconv.FormatInt(number, 10)), By: "user"})
		return err
	})
	return d, groups, err
}

func TestDeployments(t *testing.T) { //nolint:paralleltest // run is
	run(t, func(t *testing.T, ctx context.Context, s *store.Store) {
		o := s.For("id-one")
		envs, err := o.AllEnvironments(ctx)
		require.NoError(t, err)
		dev := envs[0].ID
		a, b := makeAPI(t, ctx, o, "/pets"), makeAPI(t, ctx, o, "/other")
		first, groups, err := deploy(ctx, s, a, dev, 1)
		require.NoError(t, err)
		require.Len(t, groups, 1)
		require.Equal(t, store.Publishing, first.State)

		waiting, err := s.Waiting(ctx)
		require.NoError(t, err)
		require.Len(t, waiting, 2, "both organizations' groups are new")
		g := waiting[0]
		rows, err := o.DeployedSince(ctx, dev, 0)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Equal(t, "h1", rows[0].UnitHash)
		none, err := o.DeployedSince(ctx, dev, rows[0].Sequence)
		require.NoError(t, err)
		require.Empty(t, none)
		v, err := o.Reserve(ctx, &g)
		require.NoError(t, err)
		require.Equal(t, int64(1), v)
		old := g
		old.ManifestVersion = 0
		_, err = o.Reserve(ctx, &old)
		require.ErrorIs(t, err, db.ErrNotFound, "a version is given out once")
		behind, err := o.Published(ctx, &old)
		require.NoError(t, err)
		require.Empty(t, behind, "another worker is ahead")
		in, err := o.Published(ctx, &g)
		require.NoError(t, err)
		require.Len(t, in, 1)
		require.Equal(t, first.ID, in[0].ID)
		again, err := o.Published(ctx, &g)
		require.NoError(t, err)
		require.Empty(t, again)

		second, _, err := deploy(ctx, s, a, dev, 2)
		require.NoError(t, err)
		require.Equal(t, int64(1), second.PreviousRevision)
		was, err := o.Deployment(ctx, first.ID)
		require.NoError(t, err)
		require.Equal(t, store.Superseded, was.State)
		changed, err := o.SetState(ctx, &first, store.Live, "")
		require.NoError(t, err)
		require.False(t, changed, "what is superseded stays so")

		clash := *b
		clash.BasePath = "/pets"
		_, _, err = deploy(ctx, s, &clash, dev, 1)
		require.True(t, problem.Is(err, problem.CodeConflict), "%v", err)
		require.ErrorContains(t, err, `"API /pets"`)
		_, _, err = deploy(ctx, s, b, envs[1].ID, 1)
		require.ErrorContains(t, err, "no gateway group of STG")
		require.ErrorIs(t, o.RemoveAPI(ctx, a.ID, db.AnyVersion), db.ErrReference)

		gone, _, err := deploy(ctx, s, a, dev, 0)
		require.NoError(t, err)
		require.Equal(t, store.ActionUndeploy, gone.Action)
		require.Equal(t, int64(2), gone.Revision)
		_, _, err = deploy(ctx, s, a, dev, 0)
		require.True(t, problem.Is(err, problem.CodeConflict))
		_, _, err = deploy(ctx, s, &clash, dev, 1)
		require.NoError(t, err, "the path is free again")
		got, err := o.API(ctx, a.ID)
		require.NoError(t, err)
		require.Zero(t, got.DeployedCount)
		page, err := o.Deployments(ctx, store.DeploymentFilter{See: store.Scopes{All: true}, API: a.ID}, db.PageRequest{})
		require.NoError(t, err)
		require.Len(t, page.Items, 3)
		page, err = s.For("id-two").Deployments(ctx, store.DeploymentFilter{See: store.Scopes{All: true}}, db.PageRequest{})
		require.NoError(t, err)
		require.Empty(t, page.Items)
		n, err := s.ForgetTaken(ctx, time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.Zero(t, n, "it is not published yet")
	})
}

func TestListsAreNarrowed(t *testing.T) { //nolint:paralleltest // run is
	run(t, func(t *testing.T, ctx context.Context, s *store.Store) {
		o := s.For("id-one")
		a := makeAPI(t, ctx, o, "/a_b")
		makeAPI(t, ctx, o, "/aXb")
		list := func(f store.APIFilter) int {
			page, err := o.APIs(ctx, f, db.PageRequest{})
			require.NoError(t, err)
			return len(page.Items)
		}
		all := store.Scopes{All: true}
		require.Equal(t, 2, list(store.APIFilter{See: all}))
		require.Equal(t, 1, list(store.APIFilter{See: all, Q: "A_B"}), "_ is a character, not a pattern")
		require.Equal(t, 0, list(store.APIFilter{}), "who may see nothing sees nothing")
		require.Equal(t, 1, list(store.APIFilter{See: store.Scopes{APIs: []string{a.ID}}}))
		require.Equal(t, 2, list(store.APIFilter{See: store.Scopes{Projects: []string{a.ProjectID}}}))
		require.Equal(t, 0, list(store.APIFilter{See: all, Status: "published"}))
		require.Equal(t, 2, list(store.APIFilter{See: all, Status: "undeployed"}))
		n, err := o.APICounts(ctx, []string{a.ProjectID})
		require.NoError(t, err)
		require.Equal(t, int64(2), n[a.ProjectID])

		groups, err := o.Groups(ctx, nil, "", "defaul", db.PageRequest{Limit: 10})
		require.NoError(t, err)
		require.Len(t, groups.Items, 1, "a new gateway group is found")
	})
}

func TestGateways(t *testing.T) { //nolint:paralleltest // run is
	run(t, func(t *testing.T, ctx context.Context, s *store.Store) {
		o := s.For("id-one")
		groups, err := o.GroupsOf(ctx)
		require.NoError(t, err)
		group := groups[0].ID
		now := s.DB().Now()
		for name, g := range map[string]store.Gateway{
			"a": {LastSeenAt: now}, "b": {LastSeenAt: now.Add(-40 * time.Second)},
			"c": {LastSeenAt: now.Add(-2 * time.Minute)}, "d": {LastSeenAt: now, Stopped: true},
		} {
			g.GroupID, g.Name, g.Announced, g.CreatedAt, g.StartedAt = group, name, store.Healthy, now, now
			require.NoError(t, o.CreateGateway(ctx, &g))
		}
		for state, want := range map[string]string{store.Healthy: "a", store.Stale: "b", store.Lost: "c", store.Offline: "d"} {
			page, err := o.Gateways(ctx, []string{group}, state, "", db.PageRequest{})
			require.NoError(t, err)
			require.Len(t, page.Items, 1, state)
			require.Equal(t, want, page.Items[0].Name)
			require.Equal(t, state, page.Items[0].State(now))
		}
		quiet, err := s.Quiet(ctx, now)
		require.NoError(t, err)
		require.Len(t, quiet, 2)
		g, err := o.GatewayNamed(ctx, group, "a")
		require.NoError(t, err)
		g.AppliedVersion, g.APIs, g.Memory = 4, 3, 1<<40
		require.NoError(t, o.ReportGateway(ctx, &g))
		got, err := o.Gateway(ctx, g.ID)
		require.NoError(t, err)
		require.Equal(t, g, got)
		require.ErrorIs(t, s.For("id-two").ReportGateway(ctx, &g), db.ErrNotFound)
		_, err = o.CreateJoinToken(ctx, store.JoinToken{GroupID: group, Name: "t", Hash: "h", Last4: "wxyz", CreatedBy: "user"})
		require.NoError(t, err)
		_, err = o.JoinToken(ctx, group, "h")
		require.NoError(t, err)
		_, err = s.For("id-two").JoinToken(ctx, group, "h")
		require.ErrorIs(t, err, db.ErrNotFound)
		require.NoError(t, o.RemoveGroup(ctx, group, db.AnyVersion))
		_, err = o.Gateway(ctx, g.ID)
		require.ErrorIs(t, err, db.ErrNotFound)
	})
}

func TestSettingsAreKept(t *testing.T) { //nolint:paralleltest // run is
	run(t, func(t *testing.T, ctx context.Context, s *store.Store) {
		_, err := s.WantSettings(ctx, "id-one")
		require.NoError(t, err)
		o, err := s.Organization(ctx, "id-one")
		require.NoError(t, err)
		require.Equal(t, int64(2), o.SettingsWanted)
		_, ok, err := o.SharedPolicies()
		require.NoError(t, err)
		require.False(t, ok)
		set := policy.SharedSet{Platform: []unit.Policy{{Type: "cors"}}}
		require.NoError(t, s.KeepSettings(ctx, "id-one", set, o.SettingsWanted))
		require.NoError(t, s.KeepUnitsEpoch(ctx, "id-one", "e"))
		o, err = s.Organization(ctx, "id-one")
		require.NoError(t, err)
		got, ok, err := o.SharedPolicies()
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, set, got)
		require.Equal(t, o.SettingsWanted, o.SettingsDone)
		_, err = s.Organization(ctx, "nobody")
		require.ErrorIs(t, err, db.ErrNotFound)
	})
}
