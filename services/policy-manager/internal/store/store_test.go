package store_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/policy-manager/migrations"
)

// each runs a test on every dialect.
func each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	dbtest.Run(t, migrations.Files, func(t *testing.T, d *db.DB) {
		ring, err := secret.ParseKeyring(secret.NewKey("k1"))
		require.NoError(t, err)
		test(t, store.New(d, ring))
	})
}

func change(t *testing.T, s *store.Store, org string, fn func(ctx context.Context, o *store.Organization) error) error {
	t.Helper()
	return s.Change(t.Context(), org, func(o *store.Organization) error { return fn(t.Context(), o) })
}

// subjects are the events told so far.
func subjects(t *testing.T, s *store.Store) []string {
	t.Helper()
	var out []string
	require.NoError(t, s.DB().Unscoped(t.Context(), "the outbox is no organization's").Table("outbox").Order("id").Pluck("body", &out).Error)
	return out
}

func limit(config string) policies.Policy {
	return policies.Policy{ID: "p1", Type: "rate-limit", Name: "rate-limit", Config: json.RawMessage(config)}
}

func TestListsAreReplacedByVersion(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		at := store.Place{Level: store.API, Project: "pr", API: "a"}
		l, err := s.For("o1").List(t.Context(), at)
		require.NoError(t, err)
		require.Equal(t, store.List{At: at, Version: store.NeverSet}, l)

		set := func(org string, version int64, config string) (store.List, error) {
			l := store.List{At: at, Version: version, Of: policies.OfAPI{
				API: []policies.Policy{limit(config), {ID: "p2", Set: "baseline"}}, Operations: map[string][]policies.Policy{"list": {{ID: "p3", Set: "baseline"}}},
			}}
			err := change(t, s, org, func(ctx context.Context, o *store.Organization) error { return o.SetList(ctx, &l, "user:u") })
			return l, err
		}
		_, err = set("o1", 7, `{}`)
		require.True(t, problem.Is(err, problem.CodePreconditionFailed), err)
		l, err = set("o1", store.NeverSet, `{"secret":"sesame"}`)
		require.NoError(t, err)
		require.EqualValues(t, 2, l.Version)
		_, err = set("o1", store.NeverSet, `{}`)
		require.True(t, problem.Is(err, problem.CodePreconditionFailed), err)
		l, err = set("o1", 2, `{"secret":"other"}`)
		require.NoError(t, err)
		require.EqualValues(t, 3, l.Version)
		_, err = set("o1", db.AnyVersion, `{"secret":"other"}`)
		require.NoError(t, err)

		got, err := s.For("o1").List(t.Context(), at)
		require.NoError(t, err)
		require.EqualValues(t, 4, got.Version)
		require.JSONEq(t, `{"secret":"other"}`, string(got.Of.API[0].Config))
		require.Len(t, got.Of.Operations["list"], 1)

		other, err := s.For("o2").List(t.Context(), at)
		require.NoError(t, err)
		require.EqualValues(t, store.NeverSet, other.Version, "it is another organization's")

		uses, err := s.For("o1").Uses(t.Context(), "baseline")
		require.NoError(t, err)
		require.ElementsMatch(t, []store.Use{
			{Slug: "baseline", Level: "api", Project: "pr", API: "a"}, {Slug: "baseline", Level: "operation", Project: "pr", API: "a", Operation: "list"},
		}, uses)
		uses, err = s.For("o2").Uses(t.Context(), "baseline")
		require.NoError(t, err)
		require.Empty(t, uses)

		var raw []string
		require.NoError(t, s.DB().Unscoped(t.Context(), "what is really stored").Table("policy_lists").Pluck("policies", &raw).Error)
		require.NotContains(t, raw[0], "other", "it is encrypted")
		require.Equal(t, []string{
			`{"organization":"o1","level":"api","project":"pr","api":"a"}`, `{"organization":"o1","level":"api","project":"pr","api":"a"}`, `{"organization":"o1","level":"api","project":"pr","api":"a"}`,
		}, subjects(t, s), "what failed told nobody")
	})
}

func TestPolicySetsHaveVersionsAndTellTheirUsers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		set := store.Set{Slug: "baseline", Name: "Base_line 100%", Policies: []policies.Policy{limit(`{"limit":1}`)}, CreatedBy: "user:u"}
		create := func(org string) error {
			return change(t, s, org, func(ctx context.Context, o *store.Organization) error {
				c := set
				c.ID = ""
				return o.CreateSet(ctx, &c)
			})
		}
		require.NoError(t, create("o1"))
		require.ErrorIs(t, create("o1"), db.ErrDuplicate)
		require.NoError(t, create("o2"))

		page, err := s.For("o1").Sets(t.Context(), "e_LINE 100%", db.PageRequest{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		set = page.Items[0]
		page, err = s.For("o1").Sets(t.Context(), "bas%line", db.PageRequest{})
		require.NoError(t, err)
		require.Empty(t, page.Items, "a percent sign stands for itself")

		for _, at := range []store.Place{{Level: store.Platform}, {Level: store.Project, Project: "pr"}, {Level: store.API, Project: "pr", API: "a"}} {
			l := store.List{At: at, Of: policies.OfAPI{API: []policies.Policy{{ID: "x", Set: "baseline"}}, Operations: map[string][]policies.Policy{}}}
			if at.Level == store.API {
				l.Of.Operations["list"] = []policies.Policy{{ID: "y", Set: "baseline"}}
			}
			require.NoError(t, change(t, s, "o1", func(ctx context.Context, o *store.Organization) error { return o.SetList(ctx, &l, "user:u") }))
		}
		before := len(subjects(t, s))
		set.Name = "Baseline"
		require.NoError(t, change(t, s, "o1", func(ctx context.Context, o *store.Organization) error { return o.SaveSet(ctx, &set, false, "user:u") }))
		require.Len(t, subjects(t, s), before, "its name concerns nobody")
		set.Policies = []policies.Policy{limit(`{"limit":2}`)}
		require.NoError(t, change(t, s, "o1", func(ctx context.Context, o *store.Organization) error { return o.SaveSet(ctx, &set, true, "user:v") }))
		require.EqualValues(t, 2, set.SetVersion)
		require.EqualValues(t, 3, set.Version)
		require.ElementsMatch(t, []string{
			`{"organization":"o1","level":"platform"}`, `{"organization":"o1","level":"project","project":"pr"}`, `{"organization":"o1","level":"api","project":"pr","api":"a"}`,
		}, subjects(t, s)[before:], "each place is told once")

		stale := set
		stale.Version = 1
		err = change(t, s, "o1", func(ctx context.Context, o *store.Organization) error { return o.SaveSet(ctx, &stale, true, "user:v") })
		require.True(t, problem.Is(err, problem.CodePreconditionFailed), err)
		err = change(t, s, "o2", func(ctx context.Context, o *store.Organization) error { return o.SaveSet(ctx, &set, true, "user:v") })
		require.ErrorIs(t, err, db.ErrNotFound, "it is another organization's")

		versions, err := s.For("o1").SetVersions(t.Context(), set.ID, db.PageRequest{Limit: 1})
		require.NoError(t, err)
		require.EqualValues(t, 2, versions.Items[0].SetVersion)
		require.NotEmpty(t, versions.Next)
		versions, err = s.For("o1").SetVersions(t.Context(), set.ID, db.PageRequest{Limit: 1, Cursor: versions.Next})
		require.NoError(t, err)
		require.JSONEq(t, `{"limit":1}`, string(versions.Items[0].Policies[0].Config))
		versions, err = s.For("o2").SetVersions(t.Context(), set.ID, db.PageRequest{})
		require.NoError(t, err)
		require.Empty(t, versions.Items)

		found, err := s.For("o1").SetsBySlug(t.Context(), []string{"baseline", "other"})
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.ErrorIs(t, change(t, s, "o2", func(ctx context.Context, o *store.Organization) error { return o.DeleteSet(ctx, set.ID, db.AnyVersion) }), db.ErrNotFound)
		require.NoError(t, change(t, s, "o1", func(ctx context.Context, o *store.Organization) error { return o.DeleteSet(ctx, set.ID, 3) }))
		_, err = s.For("o1").Set(t.Context(), set.ID)
		require.ErrorIs(t, err, db.ErrNotFound)
	})
}

func TestPlansAreKeptInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		create := func(org, slug string) (plan.Plan, error) {
			p := plan.Plan{
				API: "a", Project: "pr", Slug: slug, Name: slug, Security: plan.JWT, SecurityConfig: json.RawMessage(`{"secret":"sesame"}`),
				Approval: plan.Automatic, Status: plan.Draft, Limits: plan.Limits{RateLimit: &plan.Limit{Limit: 5, Window: "1m"}},
				Policies: []policies.Policy{{ID: "x", Set: "baseline"}}, CreatedBy: "user:u",
			}
			err := change(t, s, org, func(ctx context.Context, o *store.Organization) error { return o.CreatePlan(ctx, &p) })
			return p, err
		}
		gold, err := create("o1", "gold")
		require.NoError(t, err)
		silver, err := create("o1", "silver")
		require.NoError(t, err)
		_, err = create("o1", "gold")
		require.ErrorIs(t, err, db.ErrDuplicate)
		foreign, err := create("o2", "gold")
		require.NoError(t, err)
		require.Equal(t, []int64{1, 2, 1}, []int64{gold.Position, silver.Position, foreign.Position})

		require.NoError(t, change(t, s, "o1", func(ctx context.Context, o *store.Organization) error {
			return o.OrderPlans(ctx, []plan.Plan{silver, gold})
		}))
		all, err := s.For("o1").Plans(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, []string{silver.ID, gold.ID}, []string{all[0].ID, all[1].ID})
		require.JSONEq(t, `{"secret":"sesame"}`, string(all[1].SecurityConfig))
		require.Equal(t, gold.Limits, all[1].Limits)
		require.Equal(t, gold.Policies, all[1].Policies)

		gold = all[1]
		gold.Name, gold.Policies = "Gold", nil
		require.NoError(t, change(t, s, "o1", func(ctx context.Context, o *store.Organization) error { return o.SavePlan(ctx, &gold) }))
		require.EqualValues(t, 2, gold.Version)
		stale := gold
		stale.Version = 1
		err = change(t, s, "o1", func(ctx context.Context, o *store.Organization) error { return o.SavePlan(ctx, &stale) })
		require.True(t, problem.Is(err, problem.CodePreconditionFailed), err)
		uses, err := s.For("o1").Uses(t.Context(), "baseline")
		require.NoError(t, err)
		require.Equal(t, []store.Use{{Slug: "baseline", Level: "plan", Project: "pr", API: "a", Plan: silver.ID}}, uses)

		_, err = s.For("o2").Plan(t.Context(), gold.ID)
		require.ErrorIs(t, err, db.ErrNotFound, "it is another organization's")
		byID, err := s.For("o1").PlansByID(t.Context(), []string{gold.ID, foreign.ID})
		require.NoError(t, err)
		require.Len(t, byID, 1)
		require.Equal(t, "Gold", byID[0].Name)

		require.ErrorIs(t, change(t, s, "o2", func(ctx context.Context, o *store.Organization) error { return o.DeletePlan(ctx, &gold, db.AnyVersion) }), db.ErrNotFound)
		require.NoError(t, change(t, s, "o1", func(ctx context.Context, o *store.Organization) error { return o.DeletePlan(ctx, &gold, 2) }))
		require.NoError(t, change(t, s, "o1", func(ctx context.Context, o *store.Organization) error {
			had, err := o.ForgetAPI(ctx, "a")
			require.True(t, had)
			return err
		}))
		all, err = s.For("o1").Plans(t.Context(), "a")
		require.NoError(t, err)
		require.Empty(t, all)
		all, err = s.For("o2").Plans(t.Context(), "a")
		require.NoError(t, err)
		require.Len(t, all, 1, "the other organization's API of the same id is untouched")
	})
}
