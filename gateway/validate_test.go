package gateway_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func newValidator(t testing.TB) *gateway.Validator {
	t.Helper()
	registry, err := policy.NewRegistry(policies.All()...)
	require.NoError(t, err)
	v, err := gateway.NewValidator(registry)
	require.NoError(t, err)
	return v
}

func TestAValidatorPointsIntoTheUnit(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	set := unit.PolicySet{Name: "baseline", Version: 1, Policies: []unit.Policy{
		{Type: "request-id"}, {Type: "rate-limit", Config: unit.Raw(`{"limit":-1,"window":"1m"}`)},
	}}
	whole := func(f func(*unit.API)) []byte {
		a := unit.API{ID: "orders", Name: "Orders", BasePath: "/orders", Upstreams: []unit.Upstream{{Targets: []unit.Target{{URL: "http://orders:8080"}}}}}
		f(&a)
		doc, _, err := unit.Encode(a)
		require.NoError(t, err)
		return doc
	}
	limit := func(config string) unit.Policy { return unit.Policy{Type: "rate-limit", Config: unit.Raw(config)} }
	for name, c := range map[string]struct {
		document []byte
		sets     []unit.PolicySet
		settings unit.Settings
		want     []string // pointers and codes
	}{
		"fine": {document: whole(func(a *unit.API) {
			a.Policies = []unit.Policy{limit(`{"limit":1,"window":"1m"}`), {Type: "jwt", Config: unit.Raw(`{"jwksUrl":"https://issuer.example.com/keys"}`)}}
		})},
		"a reference to a secret is the gateway's to follow": {document: whole(func(a *unit.API) {
			a.Policies = []unit.Policy{{Type: "jwt", Config: unit.Raw(`{"secret":"env:KEY"}`)}}
		})},
		"a field of a configuration": {document: whole(func(a *unit.API) {
			a.Policies = []unit.Policy{{Type: "request-id"}, limit(`{"limit":0,"window":"1m","modus":"fast"}`)}
		}), want: []string{"/policies/1/config/modus unknown", "/policies/1/config/limit minimum"}},
		"an unknown type": {document: whole(func(a *unit.API) { a.Policies = []unit.Policy{{Type: "rate-limits"}} }), want: []string{"/policies/0 unknown"}},
		"a condition":     {document: whole(func(a *unit.API) { a.Policies = []unit.Policy{{Type: "request-id", When: "request."}} }), want: []string{"/policies/0/when invalid"}},
		"an operation's": {document: whole(func(a *unit.API) {
			a.Operations = []unit.Operation{{ID: "list", Method: "GET", Path: "/", Policies: []unit.Policy{limit(`{}`)}}}
		}), want: []string{"/operations/0/policies/0/config/limit invalid"}},
		"a plan's": {document: whole(func(a *unit.API) {
			a.Plans = []unit.Plan{{ID: "gold", Name: "Gold", Security: &unit.Policy{Type: "api-key", Config: unit.Raw(`{"headers":"X"}`)}, Policies: []unit.Policy{limit(`{"limit":"x","window":"1m"}`)}}}
		}), want: []string{"/plans/0/security/config/headers unknown", "/plans/0/policies/0/config/limit type"}},
		"a set":            {document: whole(func(a *unit.API) { a.Policies = []unit.Policy{{Set: "baseline"}} }), sets: []unit.PolicySet{set}, want: []string{"/policies/0/set minimum"}},
		"no such set":      {document: whole(func(a *unit.API) { a.Policies = []unit.Policy{{Set: "other"}} }), want: []string{"/policies/0/set reference"}},
		"the settings":     {document: whole(func(*unit.API) {}), settings: unit.Settings{Platform: []unit.Policy{limit(`{"limit":1}`)}}, want: []string{"/platform/0/config/window invalid"}},
		"an upstream":      {document: whole(func(a *unit.API) { a.Upstreams[0].Targets[0].URL = "ftp://x" }), want: []string{"/upstreams/0/targets/0/url format"}},
		"no JSON":          {document: []byte("{"), want: []string{" format"}},
		"no id":            {document: []byte("{}"), want: []string{"/id required"}},
		"an unknown field": {document: []byte(`{"id":"a","name":"a","basePath":"/","policy":[]}`), want: []string{" invalid"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range v.Unit(c.document, c.sets, c.settings) {
				require.NotEmpty(t, f.Detail)
				got = append(got, f.Pointer+" "+f.Code)
			}
			require.ElementsMatch(t, c.want, got)
		})
	}
}

func TestAValidatorSaysWhatEveryTypeDoes(t *testing.T) {
	t.Parallel()
	v := newValidator(t)
	security := map[string]bool{"api-key": true, "basic-auth": true, "hmac-signature": true, "jwt": true, "mtls": true, "oauth2-introspection": true}
	for _, d := range policies.All() {
		var example any
		require.NoError(t, yaml.Unmarshal([]byte(d.Example), &example), d.Name)
		raw, err := json.Marshal(example)
		require.NoError(t, err)
		phases, authenticates, err := v.Acts(d.Name, raw)
		require.NoError(t, err, d.Name)
		require.NotEmpty(t, phases, d.Name)
		require.Equal(t, security[d.Name], authenticates, d.Name)
	}
	_, _, err := v.Acts("rate-limit", json.RawMessage(`{"limit":0,"window":"1m"}`))
	require.ErrorContains(t, err, "rate-limit is invalid")
}

func BenchmarkValidator(b *testing.B) {
	v := newValidator(b)
	doc, _, err := unit.Encode(unit.API{ID: "orders", Name: "Orders", BasePath: "/orders", Policies: []unit.Policy{{Type: "rate-limit", Config: unit.Raw(`{"limit":1,"window":"1m"}`)}}})
	require.NoError(b, err)
	for b.Loop() {
		require.Empty(b, v.Unit(doc, nil, unit.Settings{}))
	}
}
