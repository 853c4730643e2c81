package plan_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/plan"
	"github.com/gatehouse/gatehouse/services/policy-manager/internal/policies"
)

func limit(n int64, window string) *plan.Limit { return &plan.Limit{Limit: n, Window: window} }

// What gateways and other services get of each kind of plan.
func TestAPlanBecomesAUnit(t *testing.T) {
	t.Parallel()
	own := []policies.Policy{{ID: "1", Type: "request-id", Name: "request-id"}, {ID: "2", Type: "cors", Name: "cors", Disabled: true}, {ID: "3", Set: "baseline"}}
	for name, p := range map[string]plan.Plan{
		"keyless":      {Security: plan.Keyless, Limits: plan.Limits{RateLimit: limit(10, "1m")}},
		"api-key":      {Security: plan.APIKey, Limits: plan.Limits{RateLimit: limit(100, "1m"), Quota: limit(5000, "month")}, Policies: own},
		"own-header":   {Security: plan.APIKey, SecurityConfig: json.RawMessage(`{"header":"X-Pets-Key"}`), When: `request.headers["x-tenant"] == "a"`},
		"jwt":          {Security: plan.JWT, SecurityConfig: json.RawMessage(`{"jwksUrl":"https://issuer.example.com/keys"}`), Limits: plan.Limits{Quota: limit(1, "30d")}},
		"oauth2":       {Security: plan.OAuth2, SecurityConfig: json.RawMessage(`{"endpoint":"https://issuer.example.com/introspect"}`)},
		"basic":        {Security: plan.Basic, Limits: plan.Limits{RateLimit: &plan.Limit{Limit: 5, Window: "1s", Mode: "exact"}}},
		"mtls":         {Security: plan.MTLS},
		"no-subscript": {Security: plan.APIKey, Status: plan.Deprecated, Approval: plan.Manual},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.ID, p.API, p.Slug, p.Name = "plan-id", "api-id", name, "Plan "+name
			b, err := json.MarshalIndent(p.Contract("local"), "", "  ")
			require.NoError(t, err)
			testkit.Golden(t, "unit-"+name+".json", append(b, '\n'))
		})
	}
}

func TestLimitsAreToldInWords(t *testing.T) {
	t.Parallel()
	for want, l := range map[string]*plan.Limit{
		"1 request per second":              limit(1, "1s"),
		"100 requests per minute":           limit(100, "1m"),
		"100 requests per 10 minutes":       limit(100, "10m"),
		"1,000 requests per 90 seconds":     limit(1000, "90s"),
		"1,234,567 requests per hour":       limit(1234567, "60m"),
		"5 requests per 30 days":            limit(5, "30d"),
		"5 requests per calendar month":     limit(5, "month"),
		"5 requests per 250 milliseconds":   limit(5, "250ms"),
		"5 requests per 10us":               limit(5, "10us"),
		"999 requests per day":              limit(999, "24h"),
		"5 requests per what was not meant": limit(5, "what was not meant"),
	} {
		require.Equal(t, []string{want}, plan.Limits{Quota: l}.Sentences())
	}
	require.Equal(t, []string{}, plan.Limits{}.Sentences())
}

func TestLimitsAreChecked(t *testing.T) {
	t.Parallel()
	pointers := func(l plan.Limits) (out []string) {
		for _, f := range l.Check() {
			out = append(out, f.Pointer+" "+f.Code)
		}
		return out
	}
	require.Empty(t, pointers(plan.Limits{RateLimit: limit(1, "1m"), Quota: limit(1, "month")}))
	require.Equal(t, []string{"/limits/rateLimit/window format"}, pointers(plan.Limits{RateLimit: limit(1, "month")}), "a rate limit has no calendar")
	require.Equal(t, []string{"/limits/quota/limit required", "/limits/quota/window format"}, pointers(plan.Limits{Quota: limit(0, "")}))
	require.Equal(t, []string{"/limits/quota/window format"}, pointers(plan.Limits{Quota: limit(1, "0s")}))
}

func TestMistakesOfTheUnitPointIntoThePlan(t *testing.T) {
	t.Parallel()
	both := plan.Plan{Limits: plan.Limits{RateLimit: limit(1, "1m"), Quota: limit(1, "day")}}
	none := plan.Plan{}
	for _, c := range []struct {
		plan     *plan.Plan
		in, want string
	}{
		{&both, "/security/config/header", "/security/config/header"},
		{&both, "/when", "/when"},
		{&both, "/policies/0/config/limit", "/limits/rateLimit/limit"},
		{&both, "/policies/0/config/mode", "/limits/rateLimit/mode"},
		{&both, "/policies/0/config/key", "/limits/rateLimit"},
		{&both, "/policies/1/config/calls", "/limits/quota/limit"},
		{&both, "/policies/1/config/period", "/limits/quota/window"},
		{&both, "/policies/2/config/x/0", "/policies/0/config/x/0"},
		{&both, "/policies/3", "/policies/1"},
		{&none, "/policies/0/when", "/policies/0/when"},
	} {
		require.Equal(t, c.want, c.plan.Place(c.in), c.in)
	}
}

func TestTheKeyIsSentWhereTheConfigurationSays(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		``:                                 "X-API-Key",
		`{}`:                               "X-API-Key",
		`{"hide":false}`:                   "X-API-Key",
		`{"header":"X-Key"}`:               "X-Key",
		`{"scheme":"ApiKey"}`:              "Authorization",
		`{"query":"key"}`:                  "",
		`{"cookie":"key"}`:                 "",
		`{"query":"key","header":"X-Key"}`: "X-Key",
		`{"sources":[{"in":"query","name":"k"},{"in":"header","name":"X-K"}]}`: "X-K",
		`{"sources":[{"in":"query","name":"k"}]}`:                              "",
	} {
		p := plan.Plan{Security: plan.APIKey, SecurityConfig: json.RawMessage(config)}
		require.Equal(t, want, p.KeyHeader(), config)
	}
	require.Empty(t, (&plan.Plan{Security: plan.JWT}).KeyHeader())
}

// The ways from draft to closed, and those that there are not.
func TestTheLifeOfAPlan(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)
	steps := map[string]func(p *plan.Plan) (bool, error){
		"publish":          func(p *plan.Plan) (bool, error) { return p.Publish(now) },
		"deprecate":        func(p *plan.Plan) (bool, error) { return p.Deprecate() },
		"close":            func(p *plan.Plan) (bool, error) { return p.Close(now, 0) },
		"close a used one": func(p *plan.Plan) (bool, error) { return p.Close(now, 1) },
	}
	for _, c := range []struct{ from, step, to string }{ // "" = refused
		{plan.Draft, "publish", plan.Published},
		{plan.Draft, "deprecate", ""},
		{plan.Draft, "close", plan.Closed},
		{plan.Published, "publish", plan.Published},
		{plan.Published, "deprecate", plan.Deprecated},
		{plan.Published, "close", plan.Closed},
		{plan.Published, "close a used one", ""},
		{plan.Deprecated, "publish", plan.Published},
		{plan.Deprecated, "deprecate", plan.Deprecated},
		{plan.Deprecated, "close", plan.Closed},
		{plan.Deprecated, "close a used one", ""},
		{plan.Closed, "publish", ""},
		{plan.Closed, "deprecate", ""},
		{plan.Closed, "close", plan.Closed},
	} {
		p := plan.Plan{Status: c.from}
		changed, err := steps[c.step](&p)
		if c.to == "" {
			require.True(t, problem.Is(err, problem.CodeConflict), "%s %s: %v", c.step, c.from, err)
			require.Equal(t, c.from, p.Status)
			continue
		}
		require.NoError(t, err, "%s %s", c.step, c.from)
		require.Equal(t, c.to, p.Status)
		require.Equal(t, c.from != c.to, changed, "%s %s", c.step, c.from)
	}
}

// An API must never become open because of what its plans are not any more, or
// not yet.
func TestGatewaysGetThePlansThatKeepTheAPIClosed(t *testing.T) {
	t.Parallel()
	of := func(security, status string) plan.Plan {
		return plan.Plan{ID: security + "-" + status, Security: security, Status: status}
	}
	ids := func(list []plan.Plan) (out []string) {
		for _, p := range list {
			id := p.ID
			if p.When == "false" {
				require.Equal(t, plan.APIKey, p.Security)
				id += " for nobody"
			}
			out = append(out, id)
		}
		return out
	}
	for _, c := range []struct {
		all  []plan.Plan
		want []string
	}{
		{nil, nil},
		{[]plan.Plan{of(plan.APIKey, plan.Draft), of(plan.Keyless, plan.Draft)}, []string{"api-key-draft"}},
		{[]plan.Plan{of(plan.Keyless, plan.Published), of(plan.JWT, plan.Deprecated), of(plan.JWT, plan.Closed)}, []string{"keyless-published", "jwt-deprecated"}},
		{[]plan.Plan{of(plan.Keyless, plan.Draft)}, []string{"keyless-draft for nobody"}},
		{[]plan.Plan{of(plan.APIKey, plan.Closed), of(plan.Keyless, plan.Closed)}, []string{"keyless-closed for nobody"}},
	} {
		require.Equal(t, c.want, ids(plan.ForGateways(c.all)))
	}
}

func TestAnOrderNamesEachPlanOnce(t *testing.T) {
	t.Parallel()
	all := []plan.Plan{{ID: "a", Name: "A"}, {ID: "b", Name: "B"}}
	got, err := plan.Order(all, []string{"b", "a"})
	require.NoError(t, err)
	require.Equal(t, "b", got[0].ID)
	for want, ids := range map[string][]string{
		"missing: B (b)":                   {"a"},
		"the plan is named before":         {"a", "b", "a"},
		"the API has no plan with this id": {"a", "b", "c"},
	} {
		_, err := plan.Order(all, ids)
		var p *problem.Problem
		require.ErrorAs(t, err, &p)
		require.Contains(t, p.Errors[0].Detail, want)
	}
}
