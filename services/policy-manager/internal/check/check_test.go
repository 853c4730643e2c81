package check_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	gatewaypolicies "github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/catalogue"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/check"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
)

func newChecker(t *testing.T) *check.Checker {
	t.Helper()
	registry, err := policy.NewRegistry(gatewaypolicies.All()...)
	require.NoError(t, err)
	v, err := gateway.NewValidator(registry)
	require.NoError(t, err)
	types, err := catalogue.New(registry, v)
	require.NoError(t, err)
	return check.New(v, types)
}

func pointers(fields []problem.Field) []string {
	out := []string{}
	for _, f := range fields {
		out = append(out, f.Pointer+" "+f.Code)
	}
	return out
}

func of(kind, config string) policies.Policy {
	return policies.Policy{Type: kind, Name: kind, Config: json.RawMessage(config)}
}

// A draft that does not compile by itself does not keep its policies from being
// worked on; only what they add to it is told.
func TestABrokenDraftIsNotThePoliciesFault(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	draft := unit.API{
		ID: "pets", Name: "Pets", BasePath: "/pets", Upstreams: []unit.Upstream{{Targets: []unit.Target{{URL: "ftp://nowhere"}}}},
		Policies: []unit.Policy{{Type: "gone"}}, Operations: []unit.Operation{{ID: "list", Method: "GET", Path: "/", Policies: []unit.Policy{{Type: "gone"}}}},
	}
	require.Empty(t, c.API(draft, policies.OfAPI{API: []policies.Policy{of("request-id", `{}`)}}, nil))
	require.Equal(t, []string{"/api/0/when invalid"}, pointers(c.API(draft, policies.OfAPI{API: []policies.Policy{{Type: "request-id", When: "nothing"}}}, nil)))
	require.Empty(t, c.Plan(draft, plan.Plan{ID: "p", Name: "Gold", Security: plan.APIKey}, nil))
}

func TestSetsAreCheckedWhereTheyAreUsed(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	split := unit.PolicySet{Name: "split", Version: 1, Policies: []unit.Policy{{Type: "traffic-split", Config: unit.Raw(`{"variants":[{"name":"a","upstream":"other","weight":1}]}`)}}}
	use := []policies.Policy{{Set: "split"}}
	draft := check.Probe("shop", nil)
	require.Equal(t, []string{"/api/0/set invalid"}, pointers(c.API(draft, policies.OfAPI{API: use}, []unit.PolicySet{split})))
	draft.Upstreams = append(draft.Upstreams, unit.Upstream{Name: "other", Targets: draft.Upstreams[0].Targets})
	require.Empty(t, c.API(draft, policies.OfAPI{API: use}, []unit.PolicySet{split}))
	require.Equal(t, []string{"/policies/0/set reference"}, pointers(c.Plan(draft, plan.Plan{ID: "p", Security: plan.APIKey, Policies: use}, nil)))
	require.Equal(t, []string{"/policies/0/set invalid"}, pointers(c.Set(use)))
}

func TestEveryLevelHasItsPointers(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	bad := []policies.Policy{of("request-id", `{}`), of("redirect", `{"to":"${request.nothing}"}`)}
	require.Equal(t, []string{"/policies/1/config/to invalid"}, pointers(c.Platform(bad, nil)))
	require.Equal(t, []string{"/policies/1/config/to invalid"}, pointers(c.Project("shop", bad, nil)))
	require.Equal(t, []string{"/policies/1/config/to invalid"}, pointers(c.Set(bad)))
	require.Equal(t, []string{"/api/1/config/to invalid"}, pointers(c.API(check.Probe("shop", nil), policies.OfAPI{API: bad}, nil)))
	p := plan.Plan{ID: "p", Security: plan.APIKey, SecurityConfig: json.RawMessage(`{"header":"a b"}`), Policies: bad, When: "nothing", Limits: plan.Limits{RateLimit: &plan.Limit{Limit: 1, Window: "1m"}}}
	require.ElementsMatch(t, []string{"/security/config/header invalid", "/policies/1/config/to invalid", "/when invalid"}, pointers(c.Plan(check.Probe("shop", nil), p, nil)))
	p = plan.Plan{ID: "p", Security: plan.APIKey, Limits: plan.Limits{Quota: &plan.Limit{Limit: 1, Window: "9000d"}}}
	require.Equal(t, []string{"/limits/quota/window maximum"}, pointers(c.Plan(check.Probe("shop", nil), p, nil)))
	require.Equal(t, []string{"/operations/x reference"}, pointers(c.API(check.Probe("shop", nil), policies.OfAPI{Operations: map[string][]policies.Policy{"x": bad}}, nil)))
}

// A secret by reference is the gateway's to follow, and no mistake here.
func TestReferencesToSecretsAreTaken(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	p := plan.Plan{ID: "p", Security: plan.JWT, SecurityConfig: json.RawMessage(`{"secret":"env:KEY"}`)}
	require.Empty(t, c.Plan(check.Probe("shop", nil), p, nil))
	p.SecurityConfig = json.RawMessage(`{"secret":"***"}`)
	require.Equal(t, []string{"/security/config/secret format"}, pointers(c.Plan(check.Probe("shop", nil), p, nil)))
}
