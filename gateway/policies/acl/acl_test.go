package acl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/acl"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestACL(t *testing.T) {
	t.Parallel()
	denied := policytest.Want{Status: 403, Code: problem.CodeAccessDenied, NotSent: true}
	unknown := policytest.Want{Status: 401, Code: problem.CodeCredentialMissing, NotSent: true}
	caller := policy.Caller{
		Kind: policy.KindJWT, Subject: "alice", Issuer: "https://idp.example", Plan: "gold", Scopes: []string{"read", "write"},
		Application: &policy.Application{ID: "a1", Name: "Storefront", Groups: []string{"partners", "eu"}},
		Claims: map[string]any{
			"tier": "1", "admin": true, "level": float64(3), "id": int64(9007199254740993), "a.b": "dotted",
			"realm_access": map[string]any{"roles": []any{"user", "auditor"}},
		},
	}
	bare := policy.Caller{Kind: policy.KindJWT}
	for _, c := range []struct {
		name, config string
		caller       policy.Caller
		method       string
		want         policytest.Want
	}{
		{"application by id", `allow: [{applications: [x, a1]}]`, caller, "", policytest.Want{}},
		{"application by name", `allow: [{applications: [Storefront]}]`, caller, "", policytest.Want{}},
		{"another application", `allow: [{applications: [b]}]`, caller, "", denied},
		{"no application", `allow: [{applications: [""]}]`, bare, "", policytest.Want{}},
		{"group", `allow: [{groups: [eu]}]`, caller, "", policytest.Want{}},
		{"another group", `allow: [{groups: [us]}]`, caller, "", denied},
		{"group of nobody", `allow: [{groups: [eu]}]`, bare, "", denied},
		{"plan", `allow: [{plans: [gold]}]`, caller, "", policytest.Want{}},
		{"another plan", `allow: [{plans: [silver]}]`, caller, "", denied},
		{"scope", `allow: [{scopes: [write]}]`, caller, "", policytest.Want{}},
		{"another scope", `allow: [{scopes: [delete]}]`, caller, "", denied},
		{"subject", `allow: [{subjects: [alice]}]`, caller, "", policytest.Want{}},
		{"another subject", `allow: [{subjects: [bob]}]`, caller, "", denied},
		{"issuer", `allow: [{issuers: ["https://idp.example"]}]`, caller, "", policytest.Want{}},
		{"claim", `allow: [{claims: {tier: ["1", "2"]}}]`, caller, "", policytest.Want{}},
		{"claim that is a flag", `allow: [{claims: {admin: ["true"]}}]`, caller, "", policytest.Want{}},
		{"claim that is a number", `allow: [{claims: {level: ["3"]}}]`, caller, "", policytest.Want{}},
		{"claim that is a large number", `allow: [{claims: {id: ["9007199254740993"]}}]`, caller, "", policytest.Want{}},
		{"claim with a dot in its name", `allow: [{claims: {a.b: [dotted]}}]`, caller, "", policytest.Want{}},
		{"nested claim in a list", `allow: [{claims: {realm_access.roles: [auditor]}}]`, caller, "", policytest.Want{}},
		{"path through a text", `allow: [{claims: {tier.x: ["1"]}}]`, caller, "", denied},
		{"claim that is an object", `allow: [{claims: {realm_access: [roles]}}]`, caller, "", denied},
		{"no claims", `allow: [{claims: {tier: ["1"]}}]`, bare, "", denied},
		{"all of a rule", `allow: [{groups: [eu], scopes: [delete]}]`, caller, "", denied},
		{"one of the rules", `allow: [{groups: [us]}, {scopes: [read]}]`, caller, "", policytest.Want{}},
		{"deny wins", `{allow: [{groups: [eu]}], deny: [{subjects: [alice]}]}`, caller, "", denied},
		{"deny of others", `deny: [{subjects: [bob]}]`, caller, "", policytest.Want{}},
		{"method", `allow: [{methods: [GET], groups: [eu]}]`, caller, "GET", policytest.Want{}},
		{"another method", `allow: [{methods: [GET], groups: [eu]}]`, caller, "DELETE", denied},
		{"nobody", `allow: [{groups: [eu]}]`, policy.Caller{}, "", unknown},
		{"nobody, deny only", `deny: [{groups: [eu]}]`, policy.Caller{}, "", unknown},
		{"nobody, allowed", `{deny: [{groups: [eu]}], anonymous: true}`, policy.Caller{}, "", policytest.Want{}},
		{"nobody, allow rules", `{allow: [{methods: [GET]}], anonymous: true}`, policy.Caller{}, "", unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.name == "no application" { // an empty name is refused, or it would fit whoever has none
				_, err := policytest.Compile(t, acl.Definition(), c.config)
				require.Error(t, err)
				return
			}
			policytest.New(t, acl.Definition(), c.config).
				Do(policytest.Request{Caller: c.caller, Method: c.method}, policytest.Upstream{}).Check(c.want)
		})
	}
	policytest.Contract(t, acl.Definition())
	for _, c := range []string{`{}`, `allow: []`, `allow: [{}]`, `allow: [{claims: {x: []}}]`, `allow: [{methods: [get]}]`, `allow: [{group: [a]}]`} {
		_, err := policytest.Compile(t, acl.Definition(), c)
		require.Error(t, err, c)
	}
}
