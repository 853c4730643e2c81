package quota_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/policies/quota"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestQuota(t *testing.T) {
	t.Parallel()
	policytest.Run(t, quota.Definition(),
		policytest.Case{ // the clock stands at the beginning of January
			Name: "header fields", Config: "{calls: 100, period: month, key: ip}",
			Want: policytest.Want{Header: map[string]string{
				"RateLimit-Policy": `"quota";q=100;w=2592000`, "RateLimit": `"quota";r=99;t=2678400`,
			}},
		},
		policytest.Case{
			Name: "of bytes", Config: "{bytes: 1KiB, period: day, key: ip}",
			Want: policytest.Want{Header: map[string]string{
				"RateLimit-Policy": `"quota";q=1024;qu="content-bytes";w=86400`, "RateLimit": `"quota";r=1024;t=86400`,
			}},
		},
		policytest.Case{
			Name: "cost above the quota", Config: "{calls: 5, window: 30d, key: ip, cost: '6'}",
			Want: policytest.Want{
				Status: 429, Code: problem.CodeQuotaExceeded, NotSent: true,
				Detail: "5 per 30 days for each client address, on each gateway", Header: map[string]string{"Retry-After": ""},
			},
		},
	)
}

func TestCallsAreRenewedByTheCalendar(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, quota.Definition(), "{calls: 2, period: month, timezone: America/New_York, key: ip}")
	do := func() *policytest.Result { return h.Do(policytest.Request{}, policytest.Upstream{}) }
	require.Equal(t, `"quota";r=1;t=18000`, do().Header["Ratelimit"]) // it is still December there, for five hours
	require.Equal(t, 200, do().Status)
	r := do()
	r.Check(policytest.Want{
		Status: 429, Code: problem.CodeQuotaExceeded, Detail: "2 per calendar month (America/New_York)",
		Header: map[string]string{"Retry-After": "18000", "RateLimit": `"quota";r=0;t=18000`},
	})
	h.Clock.Advance(5*time.Hour - time.Second)
	require.Equal(t, 429, do().Status)
	h.Clock.Advance(time.Second)
	require.Equal(t, 200, do().Status)
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for direction, want := range map[string]int{"request": 2, "response": 4, "both": 1} {
		h := policytest.New(t, quota.Definition(), "{bytes: 10B, window: 1h, key: ip, direction: "+direction+"}")
		passed := 0
		for range 6 {
			r := h.Do(policytest.Request{
				Body: "request", Edit: func(ex *policy.Exchange) { ex.Outcome.RequestBytes = 7 },
			}, policytest.Upstream{Body: "abc"})
			if r.Status != 200 {
				r.Check(policytest.Want{Status: 429, Code: problem.CodeQuotaExceeded, NotSent: true, Header: map[string]string{"Retry-After": "3600"}})
				continue
			}
			passed++
		}
		require.Equal(t, want, passed, direction)
	}
}

func TestSharedCounter(t *testing.T) {
	t.Parallel()
	clock := policytest.NewClock()
	set, err := counter.New(counter.Options{Now: clock.Now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, set.Close()) })
	open := func(id, config string) *policytest.Harness {
		return policytest.New(t, quota.Definition(), config, policytest.WithCounters(set),
			func(e *policy.Env) { e.ID = id })
	}
	status := func(h *policytest.Harness) int { return h.Do(policytest.Request{}, policytest.Upstream{}).Status }
	one := open("a/policies/0", "{calls: 1, period: day, key: ip, counter: trial}")
	two := open("b/policies/0", "{calls: 1, period: day, key: ip, counter: trial}")
	alone := open("c/policies/0", "{calls: 1, period: day, key: ip}")
	require.Equal(t, 200, status(one))
	require.Equal(t, 429, status(two))
	require.Equal(t, 200, status(alone))
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{}":                                          "/calls",
		"{calls: 1, bytes: 1, period: day}":           "/calls",
		"{calls: 1}":                                  "/period",
		"{calls: 1, period: day, window: 1h}":         "/period",
		"{calls: 1, period: fortnight}":               "/period",
		"{calls: 1, period: day, timezone: Atlantis}": "/timezone",
		"{calls: 1, period: day, timezone: Local}":    "/timezone",
		"{bytes: 1, period: day, cost: '2'}":          "/cost",
		"{calls: 1, period: day, cost: ')'}":          "/cost",
		"{calls: 1, period: day, key: planet}":        "/key",
		"{calls: 1, period: day, mode: fast}":         "/mode",
	} {
		_, err := policytest.Compile(t, quota.Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.NotEmpty(t, p.Errors, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}
