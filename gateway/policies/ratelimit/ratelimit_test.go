package ratelimit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/ratelimit"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func app(id string) policy.Caller {
	return policy.Caller{
		Kind: policy.KindAPIKey, Credential: "cred-of-" + id, Subscription: "sub-of-" + id,
		Application: &policy.Application{ID: id, Attributes: map[string]string{"limit": "3"}},
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	policytest.Run(t, ratelimit.Definition(),
		policytest.Case{
			Name: "header fields", Config: "{limit: 100, window: 1s, key: application}",
			Request: policytest.Request{Caller: app("a")},
			Want: policytest.Want{Header: map[string]string{
				"RateLimit-Policy": `"rate-limit";q=100;w=1`, "RateLimit": `"rate-limit";r=99;t=1`,
			}},
		},
		policytest.Case{
			Name: "cost above the limit", Config: "{limit: 5, window: 1m, cost: '6'}",
			Want: policytest.Want{
				Status: 429, Code: problem.CodeRateLimited, NotSent: true, Detail: "5 per minute for each credential, on each gateway",
				Header: map[string]string{"Retry-After": "", "RateLimit": `"rate-limit";r=5;t=60`},
			},
		},
		policytest.Case{
			Name: "cost below nothing is refused", Config: "{limit: 5, window: 1m, cost: '-1'}",
			Want: policytest.Want{Status: 500, Code: problem.CodePolicyFailed, NotSent: true},
		},
		policytest.Case{
			Name: "failed key expression is refused", Config: `{limit: 5, window: 1m, key: 'expression: request.headers["x"]'}`,
			Want: policytest.Want{Status: 500, Code: problem.CodePolicyFailed, NotSent: true},
		},
		policytest.Case{
			Name: "without header fields", Config: "{limit: 5, window: 1m, headers: false}",
			Want: policytest.Want{Header: map[string]string{"RateLimit": "", "RateLimit-Policy": ""}},
		},
		policytest.Case{
			Name: "on errors of the upstream", Config: "{limit: 5, window: 1m}",
			Upstream: policytest.Upstream{Err: errors.New("broken")},
			Want:     policytest.Want{Status: 500, Code: problem.CodeInternal, Header: map[string]string{"RateLimit": `"rate-limit";r=4;t=60`}},
		},
		policytest.Case{
			Name: "several rules", Config: "{rules: [{limit: 10, window: 1s}, {limit: 20, window: 1h, algorithm: token-bucket, burst: 5}], name: mine}",
			Want: policytest.Want{Header: map[string]string{
				"RateLimit-Policy": `"mine-1";q=10;w=1, "mine-2";q=5;w=900`, "RateLimit": `"mine-2";r=4;t=180`,
			}},
		},
	)
}

// R7.3: true header fields on every response, and waiting as told is enough.
func TestUsedUp(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"fixed-window", "sliding-window", "token-bucket"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, ratelimit.Definition(), "{limit: 3, window: 1m, key: application, algorithm: "+algorithm+"}")
			a := policytest.Request{Caller: app("a")}
			for i := 2; i >= 0; i-- {
				r := h.Do(a, policytest.Upstream{})
				require.Equal(t, 200, r.Status)
				require.Contains(t, r.Header["Ratelimit"], fmt.Sprintf(`"rate-limit";r=%d;t=`, i))
			}
			r := h.Do(a, policytest.Upstream{})
			r.Check(policytest.Want{Status: 429, Code: problem.CodeRateLimited, NotSent: true})
			require.Contains(t, r.Header["Ratelimit"], `"rate-limit";r=0`)
			wait, err := time.ParseDuration(r.Header["Retry-After"] + "s")
			require.NoError(t, err)
			h.Do(policytest.Request{Caller: app("b")}, policytest.Upstream{}).Check(policytest.Want{})
			h.Clock.Advance(wait)
			h.Do(a, policytest.Upstream{}).Check(policytest.Want{})
		})
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	from := func(ip string, c policy.Caller, header string) policytest.Request {
		r := policytest.Request{Client: ip, Caller: c}
		if header != "" {
			r.Header = map[string]string{"X-Tenant": header}
		}
		return r
	}
	nobody := policy.Caller{}
	for _, c := range []struct {
		name, key string
		one, two  policytest.Request
		together  bool
	}{
		{"application", "application", from("192.0.2.1", app("a"), ""), from("192.0.2.2", app("a"), ""), true},
		{"applications", "application", from("192.0.2.1", app("a"), ""), from("192.0.2.1", app("b"), ""), false},
		{"credential", "credential", from("192.0.2.1", app("a"), ""), from("192.0.2.1", app("b"), ""), false},
		{"subscription", "subscription", from("192.0.2.1", app("a"), ""), from("192.0.2.9", app("a"), ""), true},
		{"api", "api", from("192.0.2.1", app("a"), ""), from("192.0.2.9", nobody, ""), true},
		{"ip", "ip", from("192.0.2.1", app("a"), ""), from("192.0.2.1", nobody, ""), true},
		{"ips", "ip", from("192.0.2.1", app("a"), ""), from("192.0.2.2", app("a"), ""), false},
		{"mapped ip", "ip", from("::ffff:192.0.2.1", nobody, ""), from("192.0.2.1", nobody, ""), true},
		{"same /64", "ip", from("2001:db8:0:1::1", nobody, ""), from("2001:db8:0:1:ffff::2", nobody, ""), true},
		{"other /64", "ip", from("2001:db8:0:1::1", nobody, ""), from("2001:db8:0:2::1", nobody, ""), false},
		{"header", "header:X-Tenant", from("192.0.2.1", nobody, "x"), from("192.0.2.2", nobody, "x"), true},
		{"headers", "header:X-Tenant", from("192.0.2.1", nobody, "x"), from("192.0.2.1", nobody, "y"), false},
		{"nobody is counted by address", "application", from("192.0.2.1", nobody, ""), from("192.0.2.1", nobody, ""), true},
		{"nobody at two addresses", "application", from("192.0.2.1", nobody, ""), from("192.0.2.2", nobody, ""), false},
		{"a header cannot name an address", "header:X-Tenant", from("192.0.2.1", nobody, ""), from("192.0.2.2", nobody, "192.0.2.1"), false},
		{"expression", "expression:request.path", from("192.0.2.1", nobody, ""), from("192.0.2.2", nobody, ""), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, ratelimit.Definition(), "{limit: 1, window: 1m, key: '"+c.key+"'}")
			require.Equal(t, 200, h.Do(c.one, policytest.Upstream{}).Status)
			r := h.Do(c.two, policytest.Upstream{})
			require.Equal(t, c.together, r.Status == 429, "%d", r.Status)
		})
	}
}

func TestLimitByExpression(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, ratelimit.Definition(),
		`{limitExpression: 'int(request.headers["x-limit"])', window: 1m, key: api}`)
	do := func(n string) *policytest.Result {
		return h.Do(policytest.Request{Header: map[string]string{"X-Limit": n}}, policytest.Upstream{})
	}
	require.Equal(t, `"rate-limit";r=1;t=60`, do("2").Header["Ratelimit"])
	require.Equal(t, 200, do("2").Status)
	require.Equal(t, 429, do("2").Status)
	require.Equal(t, `"rate-limit";r=9;t=60`, do("10").Header["Ratelimit"])
	require.Equal(t, 500, do("0").Status)
	require.Equal(t, 500, do("many").Status)
	for i := range 200 {
		do(fmt.Sprint(i + 20))
	}
	require.Equal(t, 500, do("1000").Status, "the number of limits is bounded")
}

func TestNotesSayTheLimit(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, ratelimit.Definition(), "{limit: 10, window: 1m, key: subscription}") // R7.1
	ex := h.Do(policytest.Request{}, policytest.Upstream{}).Exchange()
	require.Contains(t, ex.Notes(), policy.Note{
		Policy: "api/policies/0", Key: "limit", Value: "10 per minute for each subscription, on each gateway",
	})
	require.Contains(t, fmt.Sprint(ex.Notes()), "counted by client address")
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{}":                     "/limit",
		"{limit: 1}":             "/window",
		"{limit: 0, window: 1s}": "/limit",
		"{limit: 1, window: 1s, limitExpression: '2'}":            "/limit",
		"{limit: 1, window: 1s, rules: [{limit: 1, window: 1s}]}": "/rules",
		"{limit: 1, window: 1s, burst: 2}":                        "/burst",
		"{limit: 1, window: 1s, key: planet}":                     "/key",
		"{limit: 1, window: 1s, key: 'header:a b'}":               "/key",
		"{limit: 1, window: 1s, key: 'expression:)'}":             "/key",
		"{limit: 1, window: 1s, cost: ')'}":                       "/cost",
		"{limit: 1, window: 1s, mode: exact}":                     "/mode", // no Redis here
		"{limit: 1, window: 1s, onStoreFailure: panic}":           "/onStoreFailure",
	} {
		_, err := policytest.Compile(t, ratelimit.Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.NotEmpty(t, p.Errors, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}

func TestInboundDoesNotAllocate(t *testing.T) {
	for config, most := range map[string]float64{
		"{limit: 1000000, window: 1s, key: application}":                       1, // the value of RateLimit
		"{limit: 1000000, window: 1s, key: ip, headers: false}":                0,
		"{limit: 1000000, window: 1s, key: 'header:X-Tenant', headers: false}": 0,
		"{limit: 1000000, window: 1s, key: application, headers: false}":       0,
	} {
		hooks := hooksOf(t, config)
		ex := &policy.Exchange{Caller: app("a")}
		ex.Request.Header.Add("X-Tenant", "t")
		run := func() {
			if err := hooks.Inbound(ex); err != nil {
				t.Fatal(err)
			}
			if hooks.Final != nil {
				hooks.Final(ex)
			}
			hooks.Done(ex)
			ex.Response.Header.Reset()
		}
		run()
		require.LessOrEqual(t, testing.AllocsPerRun(500, run), most, config)
	}
}

func hooksOf(t *testing.T, config string) (hooks policy.Hooks) {
	t.Helper()
	def := ratelimit.Definition()
	compile := def.Compile
	def.Compile = func(raw json.RawMessage, env policy.Env) (policy.Hooks, error) {
		var err error
		hooks, err = compile(raw, env)
		return hooks, err
	}
	policytest.New(t, def, config)
	return hooks
}
