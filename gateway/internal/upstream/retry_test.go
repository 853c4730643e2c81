package upstream

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// R17.4
func TestRetriesOnlyWhereSafe(t *testing.T) {
	t.Parallel()
	type outcome struct {
		failure             transport.Failure
		status              int
		wrote, reused, read bool // read: of a streamed body
	}
	all := []string{"connect", "reset", "timeout", "503"}
	for name, c := range map[string]struct {
		method string
		body   string // "", "buffered" or "stream"
		rules  *unit.Retries
		outcome
		attempts int
	}{
		"connect, by default":          {"GET", "", nil, outcome{failure: transport.FailedConnect}, 2},
		"connect, POST":                {"POST", "buffered", nil, outcome{failure: transport.FailedConnect}, 2},
		"connect, POST, stream":        {"POST", "stream", nil, outcome{failure: transport.FailedConnect}, 2},
		"connect, stream begun":        {"PUT", "stream", nil, outcome{failure: transport.FailedConnect, read: true}, 1},
		"connect not wanted":           {"GET", "", &unit.Retries{On: []string{"reset"}}, outcome{failure: transport.FailedConnect}, 1},
		"reset, by default":            {"GET", "", nil, outcome{failure: transport.FailedReset, wrote: true}, 1},
		"reset of a kept connection":   {"GET", "", nil, outcome{failure: transport.FailedReset, wrote: true, reused: true}, 2},
		"the same, POST":               {"POST", "buffered", nil, outcome{failure: transport.FailedReset, wrote: true, reused: true}, 1},
		"the same, POST, nothing sent": {"POST", "buffered", nil, outcome{failure: transport.FailedReset, reused: true}, 2},
		"reset, GET":                   {"GET", "", &unit.Retries{On: all}, outcome{failure: transport.FailedReset, wrote: true}, 2},
		"reset, DELETE":                {"DELETE", "", &unit.Retries{On: all}, outcome{failure: transport.FailedReset, wrote: true}, 2},
		"reset, POST":                  {"POST", "buffered", &unit.Retries{On: all}, outcome{failure: transport.FailedReset, wrote: true}, 1},
		"reset, PATCH":                 {"PATCH", "", &unit.Retries{On: all}, outcome{failure: transport.FailedReset, wrote: true}, 1},
		"reset, POST, allowed":         {"POST", "buffered", &unit.Retries{On: all, NonIdempotent: true}, outcome{failure: transport.FailedReset, wrote: true}, 2},
		"the same, stream begun":       {"POST", "stream", &unit.Retries{On: all, NonIdempotent: true}, outcome{failure: transport.FailedReset, wrote: true, read: true}, 1},
		"timeout, GET":                 {"GET", "", &unit.Retries{On: all}, outcome{failure: transport.FailedTimeout, wrote: true}, 2},
		"timeout, POST":                {"POST", "", &unit.Retries{On: all}, outcome{failure: transport.FailedTimeout, wrote: true}, 1},
		"timeout, by default":          {"GET", "", nil, outcome{failure: transport.FailedTimeout, wrote: true}, 1},
		"connect timeout, by default":  {"POST", "", nil, outcome{failure: transport.FailedTimeout}, 2},
		"status, GET":                  {"GET", "", &unit.Retries{On: all}, outcome{status: 503}, 2},
		"status, PUT":                  {"PUT", "buffered", &unit.Retries{On: all}, outcome{status: 503}, 2},
		"status, POST":                 {"POST", "buffered", &unit.Retries{On: all}, outcome{status: 503}, 1},
		"another status":               {"GET", "", &unit.Retries{On: all}, outcome{status: 502}, 1},
		"three more":                   {"GET", "", &unit.Retries{On: all, Attempts: 3}, outcome{status: 503}, 4},
		"invalid answer":               {"GET", "", &unit.Retries{On: all}, outcome{failure: transport.FailedInvalid, wrote: true}, 1},
		"client left":                  {"GET", "", &unit.Retries{On: all}, outcome{failure: transport.FailedCanceled}, 1},
		"client's body":                {"PUT", "stream", &unit.Retries{On: all}, outcome{failure: transport.FailedBody}, 1},
		"exhausted":                    {"GET", "", nil, outcome{failure: transport.FailedExhausted}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &stubs{answer: func(_ *stub, ex *policy.Exchange, call *transport.Call) error {
				call.Wrote, call.Reused, call.BodyRead = c.wrote, c.reused, c.read
				if c.failure != 0 {
					return fails(c.failure)
				}
				require.Zero(t, ex.Response.Header.Len(), "an attempt leaves nothing behind")
				ex.Response.Status = c.status
				ex.Response.Header.Add("X-A", "b")
				return nil
			}}
			clock := newClock()
			clock.auto = true
			u := newUpstream(t, unit.Upstream{Targets: many(5), Retries: c.rules}, stubEnv(k, clock))
			ex := get("/")
			ex.Request.Method = c.method
			switch c.body {
			case "buffered":
				ex.Request.Body.SetBytes([]byte("x"))
			case "stream":
				ex.Request.Body.SetStream(strings.NewReader("x"), 1)
			}
			err := u.Do(ex)
			require.Equal(t, c.failure != 0, err != nil)
			require.Len(t, ex.Outcome.Attempts, c.attempts)
			require.Equal(t, c.status, ex.Response.Status, "the last answer is passed on")
			targets := map[string]bool{}
			for _, a := range ex.Outcome.Attempts {
				targets[a.Target] = true
				require.Equal(t, c.reused, a.Reused)
			}
			require.Len(t, targets, c.attempts, "each attempt at another target")
		})
	}
}

func TestRetriesGoToAnotherTargetWithEveryAlgorithm(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"round-robin", "least-connections", "p2c", "random", "hash"} {
		k := &stubs{answer: func(*stub, *policy.Exchange, *transport.Call) error { return fails(transport.FailedConnect) }}
		cfg := unit.Upstream{Targets: many(3), Retries: &unit.Retries{Attempts: 2, BudgetMin: 100}, Balance: unit.Balance{Algorithm: algorithm}}
		if algorithm == "hash" {
			cfg.Balance.HashOn = "header:X-Session"
		}
		clock := newClock()
		clock.auto = true
		u := newUpstream(t, cfg, stubEnv(k, clock))
		for i := range 3 {
			require.Error(t, u.Do(hashEx(i)))
		}
		require.Equal(t, map[string]int{many1(0): 3, many1(1): 3, many1(2): 3}, k.counts(), algorithm)
	}
}

type closing struct {
	io.Reader
	closed *atomic.Int64
}

func (c closing) Close() error { c.closed.Add(1); return nil }

func TestBodyOfAFailedAttemptIsClosed(t *testing.T) {
	t.Parallel()
	var closed atomic.Int64
	n := 0
	k := &stubs{answer: func(_ *stub, ex *policy.Exchange, _ *transport.Call) error {
		n++
		ex.Response.Status = 503
		if n == 2 {
			ex.Response.Status = 200
		}
		ex.Response.Body.SetStream(closing{strings.NewReader("body"), &closed}, 4)
		return nil
	}}
	clock := newClock()
	clock.auto = true
	u := newUpstream(t, unit.Upstream{Targets: many(1), Retries: &unit.Retries{On: []string{"503"}}}, stubEnv(k, clock))
	ex := get("/")
	require.NoError(t, u.Do(ex))
	require.EqualValues(t, 1, closed.Load())
	require.Equal(t, "body", content(t, ex))
	require.Equal(t, []int{503, 200}, []int{ex.Outcome.Attempts[0].Status, ex.Outcome.Attempts[1].Status})
	require.LessOrEqual(t, clock.waits[0], defaultBackoff)
}

func TestPolicyReplacesTheRules(t *testing.T) {
	t.Parallel()
	k := &stubs{answer: func(*stub, *policy.Exchange, *transport.Call) error { return fails(transport.FailedConnect) }}
	u := newUpstream(t, unit.Upstream{Targets: many(9)}, stubEnv(k, newClock()))
	for attempts, want := range []int{1, 2, 3, 4} {
		ex := get("/")
		ex.Forward.Retry = &policy.Retry{Attempts: attempts, ConnectErrors: true}
		u.family.budget = budget{}
		require.Error(t, u.Do(ex))
		require.Len(t, ex.Outcome.Attempts, want)
	}
}

func TestBackoffIsBoundedByTheDeadlineAndTheClient(t *testing.T) {
	t.Parallel()
	clock := newClock()
	env := stubEnv(&stubs{answer: func(*stub, *policy.Exchange, *transport.Call) error { return fails(transport.FailedConnect) }}, clock)
	env.Random = func() uint64 { return uint64(40 * time.Millisecond) }
	u := newUpstream(t, unit.Upstream{Targets: many(2), Retries: &unit.Retries{Backoff: unit.Duration(time.Second), MaxBackoff: unit.Duration(time.Second)}}, env)
	ex := get("/")
	ex.Forward.Total = 40 * time.Millisecond
	require.Error(t, u.Do(ex))
	require.Len(t, ex.Outcome.Attempts, 1, "no time is left")

	ctx, leave := context.WithCancel(t.Context())
	ex = get("/")
	ex.SetContext(ctx)
	result := make(chan error, 1)
	go func() { result <- u.Do(ex) }()
	require.Eventually(t, func() bool { return clock.waiters() == 1 }, 30*time.Second, time.Millisecond)
	leave()
	require.Error(t, <-result)
	require.Len(t, ex.Outcome.Attempts, 1)

	rule := &policy.Retry{Backoff: 10, MaxBackoff: 35}
	for retries, limit := range []time.Duration{10, 20, 35, 35} {
		most := time.Duration(0)
		for r := range uint64(200) {
			most = max(most, backoff(rule, retries, r))
		}
		require.Equal(t, limit, most)
	}
}

// R17.4
func TestRetryBudget(t *testing.T) {
	t.Parallel()
	clock := newClock()
	k := &stubs{answer: func(*stub, *policy.Exchange, *transport.Call) error { return fails(transport.FailedConnect) }}
	u := newUpstream(t, unit.Upstream{Targets: many(2)}, stubEnv(k, clock))
	rule := &policy.Retry{Attempts: 1, ConnectErrors: true}
	second := func(requests int) (retries int) {
		for range requests {
			ex := get("/")
			ex.Forward.Retry = rule
			require.Error(t, u.Do(ex))
			retries += len(ex.Outcome.Attempts) - 1
		}
		clock.advance(2 * time.Second)
		return retries
	}
	require.Equal(t, 3, second(20), "at least three a second")
	require.Equal(t, 100, second(1000), "ten percent")
	require.Equal(t, 1, second(1))
	// A configuration that follows does not begin a new budget.
	require.Equal(t, 3, second(3))
	clock.advance(-2 * time.Second)
	next := newUpstream(t, unit.Upstream{Targets: many(2)}, stubEnv(k, clock), WithPrevious(u))
	u = next
	require.Equal(t, 0, second(3))
}
