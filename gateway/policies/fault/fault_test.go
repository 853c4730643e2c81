package fault

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// draws returns a definition whose draws are those given.
func draws(numbers ...float64) policy.Definition {
	return definition(func() float64 {
		n := numbers[0]
		numbers = numbers[1:]
		return n
	})
}

func TestAbort(t *testing.T) {
	t.Parallel()
	policytest.Run(t, Definition(),
		policytest.Case{
			Name: "all", Config: "{abort: {}}",
			Want: policytest.Want{Status: 503, Code: problem.CodeFaultInjected, Detail: "a fault was injected", NotSent: true},
		},
		policytest.Case{
			Name: "status and text", Config: "{abort: {status: 418, detail: no tea today}}",
			Want: policytest.Want{Status: 418, Code: problem.CodeFaultInjected, Detail: "no tea today", NotSent: true},
		},
		policytest.Case{Name: "none", Config: "{abort: {percent: 0}}"},
	)
	h := policytest.New(t, draws(0.049, 0.05, 0.99, 0), "{abort: {percent: 5}}")
	for _, status := range []int{503, 200, 200, 503} {
		require.Equal(t, status, h.Do(policytest.Request{}, policytest.Upstream{}).Status)
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config string
		draws  []float64
		want   time.Duration
		status int
	}{
		{"{delay: {fixed: 250ms}}", []float64{0.9}, 250 * time.Millisecond, 200},
		{"{delay: {percent: 50, fixed: 1s}}", []float64{0.5}, 0, 200},
		{"{delay: {min: 1s, max: 3s}}", []float64{0, 0.25}, 1500 * time.Millisecond, 200},
		{"{delay: {max: 1m}, abort: {percent: 10}}", []float64{0, 0.5, 0.05}, 30 * time.Second, 503},
	} {
		synctest.Test(t, func(t *testing.T) {
			hooks, err := draws(c.draws...).Compile(policytest.JSON(t, c.config), policy.Env{})
			require.NoError(t, err)
			begin := time.Now()
			err = hooks.Inbound(&policy.Exchange{})
			require.Equal(t, c.want, time.Since(begin), c.config)
			require.Equal(t, c.status == 503, problem.Is(err, problem.CodeFaultInjected), c.config)
		})
	}
}

func TestClientLeavesDuringDelay(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h := policytest.New(t, Definition(), "{delay: {fixed: 5m}}")
	h.Do(policytest.Request{Edit: func(ex *policy.Exchange) { ex.SetContext(ctx) }}, policytest.Upstream{}).
		Check(policytest.Want{Status: 499, Code: problem.CodeClientClosed, NotSent: true})
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{}":                                 "",
		"{delay: {}}":                        "/delay/fixed",
		"{delay: {fixed: 1s, max: 2s}}":      "/delay/fixed",
		"{delay: {min: 3s, max: 2s}}":        "/delay/max",
		"{delay: {percent: 101, fixed: 1s}}": "/delay/percent",
		"{abort: {status: 200}}":             "/abort/status",
	} {
		_, err := policytest.Compile(t, Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	hooks, err := Definition().Compile([]byte(`{"abort":{"percent":0.0000001},"delay":{"percent":0,"fixed":"1s"}}`), policy.Env{})
	require.NoError(t, err)
	ex := &policy.Exchange{}
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = hooks.Inbound(ex) }))
}
