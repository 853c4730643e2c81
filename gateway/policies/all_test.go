package policies_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// The names are a promise: configurations hold them. One that disappears or
// changes breaks its users.
func TestNamesNeverChange(t *testing.T) {
	t.Parallel()
	r, err := policy.NewRegistry(policies.All()...)
	require.NoError(t, err)
	require.Equal(t, strings.Fields(names), r.Names())
}

const names = `acl api-key basic-auth body-limit cache circuit-breaker compress concurrency-limit cors
	data-mask deprecation fault headers hmac-signature injection-filter ip-filter json-threat jwt
	log-control maintenance mirror mock mtls oauth2-introspection openapi-validation path-rewrite
	query-params quota rate-limit redirect request-id retry spike-arrest timeout traffic-split`

// document is for the policies that cannot be without one.
const document = `{openapi: 3.0.3, info: {title: t, version: "1"}, paths: {/: {get: {operationId: op, responses: {"200": {description: ok}}}}}}`

func TestEveryTypeHoldsToTheContract(t *testing.T) {
	t.Parallel()
	for _, d := range policies.All() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			policytest.Contract(t, d, policytest.WithDocument(t, document))
		})
	}
}

// Whatever stands in a configuration, compiling it does not panic, and what was
// accepted serves requests without a panic.
func FuzzPolicyConfig(f *testing.F) {
	all := policies.All()
	for i, d := range all {
		f.Add(uint8(i), d.Example, "/a/b?c=d", "body")
		f.Add(uint8(i), "{}", "/", "")
	}
	f.Fuzz(func(t *testing.T, which uint8, config, path, body string) {
		if len(config) > 4096 || !strings.HasPrefix(path, "/") {
			return
		}
		d := all[int(which)%len(all)]
		raw, ok := policytest.TryJSON(config)
		if !ok {
			return
		}
		if len(d.Check(raw)) > 0 {
			return
		}
		h, err := policytest.Compile(t, d, config, policytest.WithDocument(t, document))
		if err != nil {
			var p *problem.Problem
			if !errors.As(err, &p) {
				t.Fatalf("%s: %s: refused without naming the field: %v", d.Name, config, err)
			}
			return
		}
		r := h.Do(policytest.Request{Method: "POST", Path: path, Body: body}, policytest.Upstream{Body: body})
		for _, v := range r.Verdicts {
			if v.Outcome == chain.Refused && v.Err != nil && strings.HasPrefix(v.Err.Error(), "panic:") {
				t.Fatalf("%s: %s: %v", d.Name, config, v.Err)
			}
		}
	})
}
