package trafficsplit

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const two = "variants: [{name: a, weight: 90}, {name: b, upstream: other, weight: 10}]\n"

func TestRules(t *testing.T) {
	t.Parallel()
	policytest.Run(t, Definition(),
		policytest.Case{
			Name: "condition before weight",
			Config: `
variants:
  - {name: a, weight: 1}
  - {name: b, upstream: other, when: "request.headers['x-beta'] == 'yes'"}
requestHeader: X-Sent
responseHeader: X-Variant`,
			Request: policytest.Request{Header: map[string]string{"X-Beta": "yes", "X-Sent": "forged"}},
			Want: policytest.Want{
				Header: map[string]string{"X-Variant": "b"},
				Sent:   &policytest.Sent{Header: map[string]string{"X-Sent": "b"}},
			},
		},
		policytest.Case{
			Name:   "a variant without weight is for its condition only",
			Config: "{variants: [{name: a, weight: 1}, {name: b, when: 'false'}], responseHeader: V}",
			Want:   policytest.Want{Header: map[string]string{"V": "a"}},
		},
		policytest.Case{
			Name:    "a condition that fails refuses",
			Config:  "{variants: [{name: a, weight: 1}, {name: b, when: \"int(request.headers['x-n']) > 1\"}]}",
			Request: policytest.Request{Header: map[string]string{"X-N": "many"}},
			Want:    policytest.Want{Status: 500, Code: problem.CodePolicyFailed, Detail: "variant b", NotSent: true},
		},
		policytest.Case{
			Name: "errors tell the variant too", Config: "{variants: [{name: a, weight: 1}], responseHeader: V}",
			Upstream: policytest.Upstream{Err: problem.New(problem.CodeUpstreamTimeout, "slow")},
			Want:     policytest.Want{Status: 504, Code: problem.CodeUpstreamTimeout, Header: map[string]string{"V": "a"}},
		},
	)
}

func TestWeights(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	h := policytest.New(t, definition(r.Float64, r.Uint64), two)
	n := map[string]int{}
	for range 10000 {
		ex := h.Do(policytest.Request{}, policytest.Upstream{}).Exchange()
		n[ex.Forward.Upstream]++
		require.Contains(t, []string{"a", "b"}, ex.Log.Attributes["variant"])
	}
	require.InDelta(t, 9000, n[""], 200)
	require.InDelta(t, 1000, n["other"], 200)
}

// Keys keep their variant, and change it only when the shares say so.
func TestStickiness(t *testing.T) {
	t.Parallel()
	const keys = 4000
	place := func(config string) []string {
		h := policytest.New(t, Definition(), config+"\nsticky: {by: header, name: X-User}")
		out := make([]string, keys)
		for i := range out {
			do := func() string {
				r := h.Do(policytest.Request{Header: map[string]string{"X-User": fmt.Sprint("user-", i)}}, policytest.Upstream{})
				return r.Exchange().Log.Attributes["variant"]
			}
			out[i] = do()
			require.Equal(t, out[i], do())
		}
		return out
	}
	before := place("variants: [{name: a, weight: 60}, {name: b, weight: 30}, {name: c, weight: 10}]")
	after := place("variants: [{name: c, weight: 20}, {name: b, weight: 30}, {name: a, weight: 60}]")
	share, moved := 0, 0
	for i := range before {
		if before[i] == "c" {
			share++
			require.Equal(t, "c", after[i], "none leaves a variant that grows")
		}
		if before[i] != after[i] {
			moved++
			require.Equal(t, "c", after[i], "only to the variant that grows")
		}
	}
	require.InDelta(t, 0.1, float64(share)/keys, 0.02)
	require.InDelta(t, 20.0/110-0.1, float64(moved)/keys, 0.02)
}

func TestKeys(t *testing.T) {
	t.Parallel()
	app := &policy.Application{ID: "app-1"}
	for _, c := range []struct {
		name, sticky string
		a, b         policytest.Request // must get the same
	}{
		{"ip", "{by: ip}", policytest.Request{Client: "192.0.2.7"}, policytest.Request{Client: "192.0.2.7", Path: "/other"}},
		{
			"application", "{by: caller}",
			policytest.Request{Caller: policy.Caller{Kind: policy.KindAPIKey, Credential: "c1", Application: app}, Client: "192.0.2.1"},
			policytest.Request{Caller: policy.Caller{Kind: policy.KindAPIKey, Credential: "c2", Application: app}, Client: "192.0.2.2"},
		},
		{
			"cookie", "{by: cookie, name: who}",
			policytest.Request{Header: map[string]string{"Cookie": "x=1; who=me"}, Client: "192.0.2.3"},
			policytest.Request{Header: map[string]string{"Cookie": "who=me"}, Client: "192.0.2.4"},
		},
		{
			"expression", `{by: expression, expression: "request.query['tenant']"}`,
			policytest.Request{Path: "/?tenant=t1&x=1"},
			policytest.Request{Path: "/y?tenant=t1"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			never := func() float64 { t.Error("a key must not be drawn"); return 0 }
			h := policytest.New(t, definition(never, nil), two+"sticky: "+c.sticky)
			of := func(r policytest.Request) string {
				return h.Do(r, policytest.Upstream{}).Exchange().Log.Attributes["variant"]
			}
			require.Equal(t, of(c.a), of(c.b))
		})
	}
}

func TestCookieIsSet(t *testing.T) {
	t.Parallel()
	ids := uint64(0)
	id := func() uint64 { ids++; return ids }
	h := policytest.New(t, definition(nil, id), two+
		"sticky: {by: cookie, name: lane, cookie: {maxAge: 1h, path: /x}}\nresponseHeader: V")
	first := h.Do(policytest.Request{Scheme: "https"}, policytest.Upstream{})
	first.Check(policytest.Want{Header: map[string]string{
		"Set-Cookie": "lane=00000000000000010000000000000002; Path=/x; Max-Age=3600; HttpOnly; SameSite=Lax; Secure",
	}})
	second := h.Do(policytest.Request{Header: map[string]string{"Cookie": "lane=00000000000000010000000000000002"}}, policytest.Upstream{})
	second.Check(policytest.Want{Header: map[string]string{"Set-Cookie": "", "V": first.Header["V"]}})
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{}":                      "/variants",
		"{variants: [{name: a}]}": "/variants",
		"{variants: [{name: a, weight: 1, upstream: nowhere}]}":                              "/variants/0/upstream",
		"{variants: [{name: a, weight: 1}, {name: a}]}":                                      "/variants/1/name",
		"{variants: [{name: a, weight: 1, when: 'not CEL ('}]}":                              "/variants/0/when",
		"{variants: [{name: a, weight: 1, when: 'response.status == 200'}]}":                 "/variants/0/when",
		"{variants: [{name: a, weight: -1}]}":                                                "/variants/0/weight",
		"{variants: [{name: a, weight: 1}], responseHeader: 'a b'}":                          "/responseHeader",
		"{variants: [{name: a, weight: 1}], sticky: {by: header}}":                           "/sticky/name",
		"{variants: [{name: a, weight: 1}], sticky: {by: ip, name: x}}":                      "/sticky/name",
		"{variants: [{name: a, weight: 1}], sticky: {by: ip, cookie: {}}}":                   "/sticky/cookie",
		"{variants: [{name: a, weight: 1}], sticky: {by: expression}}":                       "/sticky/expression",
		"{variants: [{name: a, weight: 1}], sticky: {by: ip, expression: 'request.method'}}": "/sticky/expression",
	} {
		_, err := policytest.Compile(t, Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("pools forget at random")
	}
	slots := policy.Slot(0)
	hooks, err := Definition().Compile(policytest.JSON(t, two+
		"attribute: ''\nsticky: {by: header, name: X}\nresponseHeader: V"), policy.Env{
		Slot: func() policy.Slot { slots++; return slots }, Upstreams: []string{"default", "other"},
	})
	require.NoError(t, err)
	ex := &policy.Exchange{}
	ex.Request.Header.Add("X", "someone")
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = hooks.Inbound(ex)
		hooks.Final(ex)
		hooks.Done(ex)
	}))
}

func FuzzCookieValue(f *testing.F) {
	f.Add("a=b; c=d")
	f.Add(";=;a==;")
	f.Fuzz(func(t *testing.T, line string) {
		var h policy.Header
		h.Add("Cookie", line)

		require.LessOrEqual(t, len(cookieValue(&h, "a")), len(line))
	})
}
