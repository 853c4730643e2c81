package policies_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	gatewaypolicies "github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/catalogue"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
)

func types(t *testing.T) *catalogue.Catalogue {
	t.Helper()
	registry, err := policy.NewRegistry(gatewaypolicies.All()...)
	require.NoError(t, err)
	v, err := gateway.NewValidator(registry)
	require.NoError(t, err)
	c, err := catalogue.New(registry, v)
	require.NoError(t, err)
	return c
}

func TestAListTakesThePlaceOfAnother(t *testing.T) {
	t.Parallel()
	c := types(t)
	before := []policies.Policy{
		{ID: "1", Type: "jwt", Name: "jwt", Config: json.RawMessage(`{"secret":"sesame"}`)},
		{ID: "2", Type: "rate-limit", Name: "rate-limit"},
		{ID: "3", Set: "baseline"},
	}
	got, fields := policies.Take([]policies.Policy{
		{Type: "rate-limit"}, // new
		{ID: "1", Type: "jwt", Name: "jwt", Config: json.RawMessage(`{"secret":"***"}`)},
		{ID: "2", Type: "rate-limit", Name: "rate-limit"},
		{ID: "2", Type: "rate-limit"},     // copied
		{ID: "alien", Type: "rate-limit"}, // from elsewhere
		{ID: "3", Set: "baseline"},
		{ID: "9", Type: "jwt", Config: json.RawMessage(`{"secret":"***"}`)},
	}, before, c, "/api", "jwt-2")
	require.Empty(t, fields)
	names := make([]string, len(got))
	ids := map[string]bool{}
	for i, p := range got {
		names[i] = p.Name
		ids[p.ID] = true
	}
	require.Equal(t, []string{"rate-limit-2", "jwt", "rate-limit", "rate-limit-3", "rate-limit-4", "", "jwt-3"}, names, "those that had a name keep it")
	require.Len(t, ids, len(got), "every id is one policy's")
	require.Equal(t, []string{"1", "2", "3"}, []string{got[1].ID, got[2].ID, got[5].ID})
	require.NotEqual(t, "alien", got[4].ID)
	require.JSONEq(t, `{"secret":"sesame"}`, string(got[1].Config))
	require.JSONEq(t, `{"secret":"***"}`, string(got[6].Config), "nobody gets another's secret: the form refuses the mask")
	require.Equal(t, []string{"baseline"}, policies.Sets(got, got))

	long := make([]policies.Policy, policies.MaxList+1)
	_, fields = policies.Take(long, nil, c, "/api")
	require.Equal(t, "/api maxItems", fields[0].Pointer+" "+fields[0].Code)
}

func TestASecretDoesNotMoveToAnotherType(t *testing.T) {
	t.Parallel()
	before := []policies.Policy{{ID: "1", Type: "jwt", Name: "a", Config: json.RawMessage(`{"secret":"sesame"}`)}}
	got, fields := policies.Take([]policies.Policy{{ID: "1", Type: "oauth2-introspection", Config: json.RawMessage(`{"clientSecret":"***"}`)}}, before, types(t), "/api")
	require.Empty(t, fields)
	require.JSONEq(t, `{"clientSecret":"***"}`, string(got[0].Config))
}

func TestGatewaysGetWhatIsEnabled(t *testing.T) {
	t.Parallel()
	list := []policies.Policy{
		{ID: "1", Type: "cors", Name: "cors", When: "true", Config: json.RawMessage(`{}`)},
		{ID: "2", Type: "cache", Name: "cache", Disabled: true},
		{ID: "3", Set: "baseline"},
	}
	require.Equal(t, []unit.Policy{{Type: "cors", Name: "cors", When: "true", Config: unit.Raw(`{}`)}, {Set: "baseline"}}, policies.Units(list, false))
	require.Len(t, policies.Units(list, true), 3)
}

func TestListsSayWhereTheyStand(t *testing.T) {
	t.Parallel()
	of := policies.OfAPI{Operations: map[string][]policies.Policy{"b/~": nil, "a": nil}}
	var at []string
	for _, l := range of.Lists() {
		at = append(at, l.At)
	}
	require.Equal(t, []string{"/api", "/operations/a", "/operations/b~1~0"}, at)
}
