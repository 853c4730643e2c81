package spikearrest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/spikearrest"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestSpikeArrest(t *testing.T) {
	t.Parallel()
	policytest.Run(t, spikearrest.Definition(),
		policytest.Case{
			Name: "header fields", Config: "{limit: 60, window: 1m, burst: 10}",
			Want: policytest.Want{Header: map[string]string{
				"RateLimit-Policy": `"spike-arrest";q=10;w=10`, "RateLimit": `"spike-arrest";r=9;t=1`,
			}},
		},
	)
}

func TestEvenPace(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, spikearrest.Definition(), "{limit: 600, window: 1m}")
	do := func() *policytest.Result { return h.Do(policytest.Request{}, policytest.Upstream{}) }
	for range 5 {
		require.Equal(t, 200, do().Status)
		do().Check(policytest.Want{
			Status: 429, Code: problem.CodeSpikeArrested, NotSent: true,
			Detail: "600 per minute (at most 1 at once) for all callers together, on each gateway",
			Header: map[string]string{"Retry-After": "1"},
		})
		h.Clock.Advance(99 * time.Millisecond)
		require.Equal(t, 429, do().Status)
		h.Clock.Advance(time.Millisecond)
	}
}

// Requests that are held back pass in turn; the clock stands still, so that
// each place booked is later than the one before.
func TestHeldBack(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, spikearrest.Definition(), "{limit: 200, window: 1s, maxDelay: 12ms}")
	do := func(edit func(*policy.Exchange)) (int, time.Duration) {
		begin := time.Now()
		r := h.Do(policytest.Request{Edit: edit}, policytest.Upstream{})
		return r.Status, time.Since(begin)
	}
	for i := range 3 {
		status, took := do(nil)
		require.Equal(t, 200, status)
		require.GreaterOrEqual(t, took, time.Duration(i)*5*time.Millisecond)
	}
	status, _ := do(nil)
	require.Equal(t, 429, status, "15 ms would be longer than the longest delay")

	h.Clock.Advance(5 * time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	status, _ = do(func(ex *policy.Exchange) { ex.SetContext(ctx) })
	require.Equal(t, 499, status, "the client has left")
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{window: 1s}":                           "/limit",
		"{limit: 1}":                             "/window",
		"{limit: 1, window: 1s, burst: 0}":       "/burst",
		"{limit: 1, window: 1s, key: 'header:'}": "/key",
		"{limit: 1, window: 1s, mode: fast}":     "/mode",
		"{limit: 1, window: 1s, maxDelay: 1h}":   "/maxDelay",
	} {
		_, err := policytest.Compile(t, spikearrest.Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}
