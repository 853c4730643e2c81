package circuitbreaker_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/circuitbreaker"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const three = "consecutiveFailures: 3\nprobes: 1\n"

func trip(h *policytest.Harness, u policytest.Upstream) {
	for range 3 {
		h.Do(policytest.Request{}, u)
	}
}

func TestAnswersWhileOpen(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, circuitbreaker.Definition())
	bad := policytest.Upstream{Status: 503}
	h := policytest.New(t, circuitbreaker.Definition(), three)
	trip(h, bad)
	r := h.Do(policytest.Request{}, policytest.Upstream{})
	r.Check(policytest.Want{Status: 503, Code: problem.CodeCircuitOpen, NotSent: true})
	require.Contains(t, []string{"10", "11"}, r.Header["Retry-After"])
	h.Clock.Advance(11 * time.Second)
	h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{})
	h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{})

	h = policytest.New(t, circuitbreaker.Definition(), three+"fallback: {status: 200, body: '[]'}")
	trip(h, bad)
	h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{
		Body: "[]", NotSent: true, Header: map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"},
	})

	h = policytest.New(t, circuitbreaker.Definition(), three+"fallbackUpstream: other")
	trip(h, bad)
	r = h.Do(policytest.Request{}, policytest.Upstream{})
	r.Check(policytest.Want{})
	require.Equal(t, "other", r.Exchange().Forward.Upstream)
}

func TestWhoIsToBlame(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		up   policytest.Upstream
		open bool
	}{
		"status":            {policytest.Upstream{Status: 500}, true},
		"other status":      {policytest.Upstream{Status: 501}, false},
		"client's fault":    {policytest.Upstream{Status: 404}, false},
		"timeout":           {policytest.Upstream{Err: problem.New(problem.CodeUpstreamTimeout, "slow")}, true},
		"unreachable":       {policytest.Upstream{Err: problem.New(problem.CodeUpstreamUnavailable, "down")}, true},
		"client left":       {policytest.Upstream{Err: problem.New(problem.CodeClientClosed, "gone")}, false},
		"large body":        {policytest.Upstream{Err: problem.New(problem.CodeBodyTooLarge, "large")}, false},
		"gateway's fault":   {policytest.Upstream{Err: errors.New("oops")}, false}, //nolint:err113 // any error
		"answered by other": {policytest.Upstream{Func: func(ex *policy.Exchange) error { ex.Respond(503, "", nil); return nil }}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, circuitbreaker.Definition(), three)
			trip(h, c.up)
			r := h.Do(policytest.Request{}, policytest.Upstream{})
			require.Equal(t, c.open, r.Status == 503)
		})
	}
}

func TestSlowCalls(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, circuitbreaker.Definition(), "{slowCall: 2s, slowRate: 50, minimumCalls: 2}")
	slow := policytest.Upstream{Func: func(ex *policy.Exchange) error {
		ex.Response.Status, ex.Response.Source = 200, policy.SourceUpstream
		ex.Outcome.UpstreamTime = 2 * time.Second
		return nil
	}}
	h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{})
	h.Do(policytest.Request{}, slow).Check(policytest.Want{})
	h.Do(policytest.Request{}, slow).Check(policytest.Want{Status: 503, Code: problem.CodeCircuitOpen})
}

func TestUpstreamsApart(t *testing.T) {
	t.Parallel()
	to := func(name string) policytest.Request {
		return policytest.Request{Edit: func(ex *policy.Exchange) { ex.Forward.Upstream = name }}
	}
	for per, others := range map[string]int{"upstream": 200, "policy": 503} {
		h := policytest.New(t, circuitbreaker.Definition(), three+"per: "+per)
		trip(h, policytest.Upstream{Status: 502})
		require.Equal(t, 503, h.Do(to("default"), policytest.Upstream{}).Status, "the default by its name")
		require.Equal(t, others, h.Do(to("other"), policytest.Upstream{}).Status)
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{failureRate: 0}":                        "/failureRate",
		"{windowCalls: 10, minimumCalls: 11}":     "/minimumCalls",
		"{open: 1m, maxOpen: 30s}":                "/maxOpen",
		"{fallbackUpstream: nowhere}":             "/fallbackUpstream",
		"{fallbackUpstream: other, fallback: {}}": "/fallback",
		"{fallback: {contentType: \"a\\nb\"}}":    "/fallback/contentType",
		"{statuses: [404]}":                       "/statuses/0",
		"{growth: 0.5}":                           "/growth",
	} {
		_, err := policytest.Compile(t, circuitbreaker.Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	if raceEnabled {
		t.Skip("pools forget at random")
	}
	hooks, err := circuitbreaker.Definition().Compile([]byte(`{"slowCall":"1s"}`), policy.Env{
		Slot: func() policy.Slot { return 0 }, Now: time.Now, Log: slog.New(slog.DiscardHandler), Upstreams: []string{"a", "b"},
	})
	require.NoError(t, err)
	ex := &policy.Exchange{}
	ex.SetContext(context.Background())
	ex.Response.Source, ex.Response.Status = policy.SourceUpstream, 200
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = hooks.Inbound(ex)
		_ = hooks.Outbound(ex)
		hooks.Done(ex)
	}))
}
