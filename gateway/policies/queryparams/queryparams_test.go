package queryparams_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/queryparams"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestQueryParams(t *testing.T) {
	t.Parallel()
	c := func(name, config, in, out string) policytest.Case {
		return policytest.Case{
			Name: name, Config: config, Request: policytest.Request{Path: "/p?" + in, Header: map[string]string{"X": "a b&c"}},
			Want: policytest.Want{Sent: &policytest.Sent{Query: out}},
		}
	}
	policytest.Run(t, queryparams.Definition(),
		c("what is not named stays byte for byte", `{remove: [x]}`, "a=%7e+b&&=c&d&x=1&e=%2f", "a=%7e+b&&=c&d&e=%2f"),
		c("encoded names are recognized", `{remove: ["a b"]}`, "a+b=1&a%20b=2&c=3", "c=3"),
		c("keep", `{keep: [a]}`, "a=1&b=2&a=3", "a=1&a=3"),
		c("rename", `{rename: {a: "n m"}}`, "a=1&b=2&a=3&n+m=0&a", "n%20m=1&b=2&n%20m=3&n%20m"),
		c("set replaces the first and removes the others", `{set: {a: new}}`, "a=1&b=2&a=3", "a=new&b=2"),
		c("set appends", `{set: {a: "1&2=3 ü"}}`, "b=2", "b=2&a=1%262%3D3%20%C3%BC"),
		c("set from an expression", `{set: {a: "${request.headers['x']}"}}`, "b=2", "b=2&a=a%20b%26c"),
		c("add keeps what is there", `{add: {a: new, c: new}}`, "a=1", "a=1&c=new"),
		c("the documented order", `{keep: [a, b], remove: [b], rename: {a: c}, set: {c: "2"}, add: {b: "3"}}`, "a=1&b=1&z=1", "c=2&b=3"),
		policytest.Case{
			Name: "an expression that fails refuses", Config: `{set: {a: "${request.headers['none']}"}}`,
			Want: policytest.Want{Status: 500, Code: problem.CodePolicyFailed, NotSent: true},
		},
	)
	h := policytest.New(t, queryparams.Definition(), `{keep: [a]}`)
	require.Empty(t, h.Do(policytest.Request{Path: "/?b=1"}, policytest.Upstream{}).Sent.Query)
}

func TestRefusedConfigurations(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{rename: {a: a}}`: "/rename/a",
		`{set: {"": a}}`:   "/set/",
		`{add: {a: "${"}}`: "/add/a",
	} {
		_, err := policytest.Compile(t, queryparams.Definition(), config)
		require.ErrorContains(t, err, want, config)
	}
}

func TestUntouchedQueryAllocatesNothing(t *testing.T) {
	hooks, err := queryparams.Definition().Compile([]byte(`{"remove":["x"],"keep":["a","b"],"rename":{"y":"z"}}`), policy.Env{})
	require.NoError(t, err)
	var ex policy.Exchange
	ex.Request.Query = "a=1&b=2"
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := hooks.Inbound(&ex); err != nil {
			t.Error(err)
		}
	}))
}

func FuzzQuery(f *testing.F) {
	hooks, err := queryparams.Definition().Compile([]byte(`{"remove":["x"],"rename":{"y":"z"}}`), policy.Env{})
	require.NoError(f, err)
	f.Add("a=1&x=2&y=3")
	f.Fuzz(func(t *testing.T, q string) {
		var ex policy.Exchange
		ex.Request.Query = q
		require.NoError(t, hooks.Inbound(&ex))
		v, err := url.ParseQuery(ex.Request.Query)
		if err == nil {
			require.False(t, v.Has("x"))
			require.False(t, v.Has("y"))
		}
	})
}
