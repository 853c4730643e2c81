package concurrencylimit_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/concurrencylimit"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestConcurrencyLimit(t *testing.T) {
	t.Parallel()
	policytest.Run(t, concurrencylimit.Definition(),
		policytest.Case{
			Name: "header fields", Config: "{limit: 10}",
			Want: policytest.Want{Header: map[string]string{
				"RateLimit-Policy": `"concurrency-limit";q=10;qu="concurrent-requests"`, "RateLimit": `"concurrency-limit";r=9`,
			}},
		},
		policytest.Case{
			Name: "without header fields", Config: "{limit: 10, headers: false}",
			Want: policytest.Want{Header: map[string]string{"RateLimit": ""}},
		},
	)
}

// While one request is under way another is refused; however the first ends, it
// gives its place back.
func TestPlacesAreGivenBack(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ex *policy.Exchange) error{
		"answer": func(ex *policy.Exchange) error { ex.Response.Status = 200; return nil },
		"error":  func(*policy.Exchange) error { return errors.New("broken") },
		"panic":  func(*policy.Exchange) error { panic("broken") },
		"client gone": func(ex *policy.Exchange) error {
			ex.Outcome.ClientGone = true
			return context.Canceled
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, concurrencylimit.Definition(), "{limit: 1, key: ip}")
			for range 3 {
				h.Do(policytest.Request{}, policytest.Upstream{Func: func(ex *policy.Exchange) error {
					h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{
						Status: 429, Code: problem.CodeConcurrencyLimited, NotSent: true,
						Detail: "1 at once for each client address, on each gateway",
						Header: map[string]string{"Retry-After": "1", "RateLimit": `"concurrency-limit";r=0`},
					})
					h.Do(policytest.Request{Client: "192.0.2.77"}, policytest.Upstream{}).Check(policytest.Want{})
					return end(ex)
				}})
			}
		})
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, concurrencylimit.Definition(), "{limit: 2, maxDelay: 1m}")
	var now, most, passed atomic.Int64
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			r := h.Do(policytest.Request{}, policytest.Upstream{Func: func(ex *policy.Exchange) error {
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				now.Add(-1)
				ex.Response.Status = 200
				return nil
			}})
			if r.Status == 200 {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 40, passed.Load())
	require.LessOrEqual(t, most.Load(), int64(2))
}

func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		config string
		edit   func(*policy.Exchange)
		status int
	}{
		{"{limit: 1, maxDelay: 5ms}", nil, 429},
		{"{limit: 1, maxDelay: 1m}", func(ex *policy.Exchange) { ex.SetContext(ctx) }, 499},
	} {
		h := policytest.New(t, concurrencylimit.Definition(), c.config)
		h.Do(policytest.Request{}, policytest.Upstream{Func: func(ex *policy.Exchange) error {
			require.Equal(t, c.status, h.Do(policytest.Request{Edit: c.edit}, policytest.Upstream{}).Status)
			ex.Response.Status = 200
			return nil
		}}).Check(policytest.Want{})
		h.Do(policytest.Request{}, policytest.Upstream{}).Check(policytest.Want{})
	}
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, concurrencylimit.Definition(), "{limit: 1, maxDelay: 1m, maxWaiting: 1}")
	var wg sync.WaitGroup
	statuses := make(chan int, 2)
	h.Do(policytest.Request{}, policytest.Upstream{Func: func(ex *policy.Exchange) error {
		for range 2 {
			wg.Go(func() { statuses <- h.Do(policytest.Request{}, policytest.Upstream{}).Status })
		}
		require.Equal(t, 429, <-statuses, "the second to wait is refused while the first waits")
		ex.Response.Status = 200
		return nil
	}})
	wg.Wait()
	require.Equal(t, 200, <-statuses)
}

func TestInboundDoesNotAllocate(t *testing.T) {
	var hooks policy.Hooks
	def := concurrencylimit.Definition()
	compile := def.Compile
	def.Compile = func(raw json.RawMessage, env policy.Env) (policy.Hooks, error) {
		var err error
		hooks, err = compile(raw, env)
		return hooks, err
	}
	policytest.New(t, def, "{limit: 5}")
	ex := &policy.Exchange{}
	run := func() {
		_ = hooks.Inbound(ex)
		hooks.Final(ex)
		hooks.Done(ex)
		ex.Response.Header.Reset()
	}
	run()
	// The value of RateLimit has no reset, so that it is one of those kept.
	require.Zero(t, testing.AllocsPerRun(500, run))
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{}":                             "/limit",
		"{limit: 0}":                     "/limit",
		"{limit: 1, key: planet}":        "/key",
		"{limit: 1, maxDelay: 2m}":       "/maxDelay",
		"{limit: 1, mode: exact}":        "/mode",
		"{limit: 1, retryAfter: 1ms}":    "/retryAfter",
		"{limit: 1, name: 'a \"name\"'}": "/name",
	} {
		_, err := policytest.Compile(t, concurrencylimit.Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}
