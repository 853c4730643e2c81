package effective_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/effective"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/store"
)

func golden(t *testing.T, name string, v any) {
	t.Helper()
	b, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	testkit.Golden(t, name, append(b, '\n'))
}

func example() (policies.OfAPI, []plan.Plan, []store.Set) {
	of := policies.OfAPI{
		API: []policies.Policy{
			{ID: "1", Type: "cors", Name: "cors", Config: json.RawMessage(`{"origins":["*"]}`)},
			{ID: "2", Type: "cache", Name: "cache", Disabled: true},
			{ID: "3", Set: "baseline"},
		},
		Operations: map[string][]policies.Policy{
			"listPets": {{ID: "4", Type: "cache", Name: "cache", When: `request.method == "GET"`}},
			"addPet":   {{ID: "5", Type: "cache", Name: "cache", Disabled: true}},
		},
	}
	plans := []plan.Plan{
		{ID: "p1", API: "a", Slug: "gold", Name: "Gold", Security: plan.APIKey, Approval: plan.Manual, Status: plan.Published, Limits: plan.Limits{RateLimit: &plan.Limit{Limit: 100, Window: "1m"}}, Policies: []policies.Policy{{ID: "6", Set: "partners"}}},
		{ID: "p2", API: "a", Slug: "old", Name: "Old", Security: plan.JWT, Approval: plan.Automatic, Status: plan.Closed},
		{ID: "p3", API: "a", Slug: "open", Name: "Open", Security: plan.Keyless, Approval: plan.Automatic, Status: plan.Draft},
	}
	sets := []store.Set{{Slug: "baseline", SetVersion: 3, Policies: []policies.Policy{{ID: "7", Type: "request-id", Name: "request-id"}}}, {Slug: "partners", SetVersion: 1}}
	return of, plans, sets
}

// What is put into a revision.
func TestAllThatAppliesToAnAPI(t *testing.T) {
	t.Parallel()
	of, plans, sets := example()
	got, err := effective.API(of, plans, sets, "fast")
	require.NoError(t, err)
	golden(t, "api.json", got)
	require.Equal(t, []string{"baseline", "partners"}, effective.Slugs(of, plans))

	nothing, err := effective.API(policies.OfAPI{}, nil, nil, "local")
	require.NoError(t, err)
	golden(t, "nothing.json", nothing)
}

// The version tells whether gateways would get anything else.
func TestTheVersionFollowsWhatGatewaysGet(t *testing.T) {
	t.Parallel()
	version := func(change func(of *policies.OfAPI, plans []plan.Plan, sets []store.Set)) string {
		of, plans, sets := example()
		change(&of, plans, sets)
		got, err := effective.API(of, plans, sets, "local")
		require.NoError(t, err)
		return got.Version
	}
	before := version(func(*policies.OfAPI, []plan.Plan, []store.Set) {})
	for name, c := range map[string]struct {
		change func(of *policies.OfAPI, plans []plan.Plan, sets []store.Set)
		same   bool
	}{
		"a description":      {func(_ *policies.OfAPI, p []plan.Plan, _ []store.Set) { p[0].Description = "For all." }, true},
		"how it is approved": {func(_ *policies.OfAPI, p []plan.Plan, _ []store.Set) { p[0].Approval = plan.Automatic }, true},
		"deprecated":         {func(_ *policies.OfAPI, p []plan.Plan, _ []store.Set) { p[0].Status = plan.Deprecated }, true},
		"how JSON is written": {func(o *policies.OfAPI, _ []plan.Plan, _ []store.Set) {
			o.API[0].Config = json.RawMessage(` { "origins" : [ "*" ] } `)
		}, true},
		"what is disabled": {func(o *policies.OfAPI, _ []plan.Plan, _ []store.Set) {
			o.API[1].Config = json.RawMessage(`{"ttl":"1m"}`)
		}, true},
		"a configuration":     {func(o *policies.OfAPI, _ []plan.Plan, _ []store.Set) { o.API[0].Config = json.RawMessage(`{}`) }, false},
		"a limit":             {func(_ *policies.OfAPI, p []plan.Plan, _ []store.Set) { p[0].Limits.RateLimit.Limit = 1 }, false},
		"a set":               {func(_ *policies.OfAPI, _ []plan.Plan, s []store.Set) { s[0].SetVersion++ }, false},
		"a plan is published": {func(_ *policies.OfAPI, p []plan.Plan, _ []store.Set) { p[2].Status = plan.Published }, false},
	} {
		require.Equal(t, c.same, version(c.change) == before, name)
	}
}

func TestWhatAllAPIsShare(t *testing.T) {
	t.Parallel()
	of, _, sets := example()
	of.Operations = nil
	golden(t, "shared.json", effective.Shared([]store.List{
		{At: store.Place{Level: store.Platform}, Of: of},
		{At: store.Place{Level: store.Project, Project: "p"}, Of: policies.OfAPI{API: of.API[:1]}},
		{At: store.Place{Level: store.Project, Project: "q"}, Of: policies.OfAPI{API: of.API[1:2]}},
	}, sets[:1]))
}
