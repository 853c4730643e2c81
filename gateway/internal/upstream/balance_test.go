package upstream

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func hashing(n int, on string) unit.Upstream {
	return unit.Upstream{Targets: many(n), Balance: unit.Balance{Algorithm: "hash", HashOn: on}}
}

func TestRoundRobinIsSmoothAndWeighted(t *testing.T) {
	t.Parallel()
	var order []string
	k := &stubs{answer: func(s *stub, ex *policy.Exchange, _ *transport.Call) error {
		order = append(order, s.options.Target.Address)
		ex.Response.Status = 200
		return nil
	}}
	ts := many(4)
	ts[0].Weight, ts[1].Weight, ts[2].Weight, ts[3].Weight = 5, 1, 1, -1
	u := newUpstream(t, unit.Upstream{Targets: ts}, stubEnv(k, newClock()))
	for range 70 {
		require.NoError(t, u.Do(get("/")))
	}
	require.Equal(t, map[string]int{many1(0): 50, many1(1): 10, many1(2): 10, many1(3): 0}, k.counts())
	for i := range len(order) - 4 { // a a b a c a a, over and over: never five in a row
		run := order[i : i+5]
		require.NotEqual(t, 1, len(slices.Compact(slices.Clone(run))), "%v", run)
	}
}

func TestWeightsBelongToTargetsNotAddresses(t *testing.T) {
	t.Parallel()
	k := &stubs{}
	env := stubEnv(k, newClock())
	env.Resolver = resolverFunc(func(string) (Answer, error) {
		return Answer{Addrs: []netip.Addr{addr("10.1.0.1"), addr("10.1.0.2"), addr("10.1.0.3")}, TTL: time.Hour}, nil
	})
	u := newUpstream(t, unit.Upstream{Targets: urls("http://three:8080", "http://10.0.0.1:8080")}, env)
	for range 600 {
		require.NoError(t, u.Do(get("/")))
	}
	require.Equal(t, map[string]int{
		"10.1.0.1:8080": 100, "10.1.0.2:8080": 100, "10.1.0.3:8080": 100, "10.0.0.1:8080": 300,
	}, k.counts())
}

func TestRandomFollowsWeights(t *testing.T) {
	t.Parallel()
	k := &stubs{}
	ts := many(2)
	ts[0].Weight = 3
	u := newUpstream(t, unit.Upstream{Targets: ts, Balance: unit.Balance{Algorithm: "random"}}, stubEnv(k, newClock()))
	for range 4000 {
		require.NoError(t, u.Do(get("/")))
	}
	require.InDelta(t, 3000, k.counts()[many1(0)], 150)
}

func TestLeastConnectionsTakesTheIdleOneForItsWeight(t *testing.T) {
	t.Parallel()
	k := &stubs{answer: func(s *stub, ex *policy.Exchange, _ *transport.Call) error {
		s.busy.Add(1) // never ends
		ex.Response.Status = 200
		return nil
	}}
	ts := many(3)
	ts[0].Weight = 2
	u := newUpstream(t, unit.Upstream{Targets: ts, Balance: unit.Balance{Algorithm: "least-connections"}}, stubEnv(k, newClock()))
	for range 400 {
		require.NoError(t, u.Do(get("/")))
	}
	got := k.counts()
	require.InDelta(t, 200, got[many1(0)], 2)
	require.InDelta(t, 100, got[many1(1)], 2)
	require.InDelta(t, 100, got[many1(2)], 2)
}

func TestP2CAvoidsTheSlowAndTheFailing(t *testing.T) {
	t.Parallel()
	clock := newClock()
	clock.auto = true
	k := &stubs{answer: func(s *stub, ex *policy.Exchange, _ *transport.Call) error {
		switch s.options.Target.Address {
		case many1(0):
			clock.advance(200 * time.Millisecond)
		case many1(1): // fails at once: must not look fast
			return fails(transport.FailedConnect)
		default:
			clock.advance(5 * time.Millisecond)
		}
		ex.Response.Status = 200
		return nil
	}}
	u := newUpstream(t, unit.Upstream{Targets: many(5), Balance: unit.Balance{Algorithm: "p2c"}}, stubEnv(k, clock))
	for range 500 {
		require.NoError(t, u.Do(get("/")))
	}
	got := k.counts()
	require.Less(t, got[many1(0)], 60, "%v", got)
	require.Less(t, got[many1(1)], 40, "%v", got)
	for i := 2; i < 5; i++ {
		require.Greater(t, got[many1(i)], 100, "%v", got)
	}
}

func hashEx(i int) *policy.Exchange {
	ex := get("/")
	ex.Request.Header.Add("X-Session", fmt.Sprintf("session-%d", i))
	return ex
}

// homes returns where each of n keys goes.
func homes(t *testing.T, u *Upstream, n int) []string {
	t.Helper()
	at := make([]string, n)
	for i := range n {
		ex := hashEx(i)
		require.NoError(t, u.Do(ex))
		at[i] = ex.Outcome.Attempts[0].Target
	}
	return at
}

func TestHashSpreadsAndMovesLittle(t *testing.T) {
	t.Parallel()
	const keys = 20000
	u := newUpstream(t, hashing(10, "header:X-Session"), stubEnv(&stubs{}, newClock()))
	before := homes(t, u, keys)
	require.Equal(t, before, homes(t, u, keys), "a key stays where it is")
	spread := map[string]int{}
	for _, h := range before {
		spread[h]++
	}
	for h, n := range spread {
		require.InDelta(t, keys/10, n, keys/10*0.12, h)
	}
	// Another gateway, with the targets in another order, hashes alike.
	cfg := hashing(10, "header:X-Session")
	cfg.Targets[0], cfg.Targets[9] = cfg.Targets[9], cfg.Targets[0]
	require.Equal(t, before, homes(t, newUpstream(t, cfg, stubEnv(&stubs{}, newClock())), keys))
	// One target of ten is removed: its tenth moves, and hardly any other key.
	cfg = hashing(9, "header:X-Session")
	after := homes(t, newUpstream(t, cfg, stubEnv(&stubs{}, newClock())), keys)
	gone, moved := 0, 0
	for i := range keys {
		switch {
		case before[i] == many1(9):
			gone++
		case before[i] != after[i]:
			moved++
		}
	}
	t.Logf("of %d keys %d had the removed target, %d others moved", keys, gone, moved)
	require.Less(t, moved, keys*5/100)
}

func TestHashMovesNoOtherKeyWhenATargetIsIll(t *testing.T) {
	t.Parallel()
	const keys = 5000
	cfg := hashing(10, "header:X-Session")
	cfg.Health.Passive = &unit.PassiveHealth{}
	u := newUpstream(t, cfg, stubEnv(&stubs{}, newClock()))
	before := homes(t, u, keys)
	ill := u.layout.all[3]
	u.eject(ill, false, u.at(u.env.Clock.Now()), u.env.Clock.Now())
	after := homes(t, u, keys)
	spread := map[string]int{}
	for i := range keys {
		if before[i] == ill.label {
			require.NotEqual(t, ill.label, after[i])
			spread[after[i]]++
		} else {
			require.Equal(t, before[i], after[i])
		}
	}
	require.Len(t, spread, 9, "its keys go to all others, not to one")
}

func TestHashFollowsWeights(t *testing.T) {
	t.Parallel()
	cfg := hashing(3, "header:X-Session")
	cfg.Targets[0].Weight = 2
	u := newUpstream(t, cfg, stubEnv(&stubs{}, newClock()))
	n := 0
	for _, h := range homes(t, u, 8000) {
		if h == many1(0) {
			n++
		}
	}
	require.InDelta(t, 4000, n, 400)
}

func TestHashKeys(t *testing.T) {
	for on, change := range map[string]func(ex *policy.Exchange, v string){
		"header:X-Session": func(ex *policy.Exchange, v string) { ex.Request.Header.Set("x-session", v) },
		"cookie:sid":       func(ex *policy.Exchange, v string) { ex.Request.Header.Set("Cookie", "a=b; sid="+v+"; c=d") },
		"query:user":       func(ex *policy.Exchange, v string) { ex.Request.Query = "a=b&user=" + v },
		"path":             func(ex *policy.Exchange, v string) { ex.Forward.Path = "/" + v },
		"ip": func(ex *policy.Exchange, v string) {
			ex.Request.Client = netip.AddrFrom4([4]byte{10, v[0], v[1], v[2]})
		},
	} {
		t.Run(on, func(t *testing.T) {
			h, ok := parseHashOn(on)
			require.True(t, ok)
			ex := get("/")
			change(ex, "abc")
			a, ok := h.key(ex)
			require.True(t, ok)
			change(ex, "abd")
			b, _ := h.key(ex)
			require.NotEqual(t, a, b)
			change(ex, "abc")
			again, _ := h.key(ex)
			require.Equal(t, a, again)
			ex.Forward.HashKey = "policy"
			p, _ := h.key(ex)
			require.NotEqual(t, a, p, "a policy's key wins")
			require.Zero(t, testing.AllocsPerRun(100, func() { h.key(ex) }))
			ex.Forward.HashKey = ""
			require.Zero(t, testing.AllocsPerRun(100, func() { h.key(ex) }))
		})
	}
	h, _ := parseHashOn("header:None")
	_, ok := h.key(get("/"))
	require.False(t, ok)
}

func TestFailoverGroups(t *testing.T) {
	t.Parallel()
	k := &stubs{}
	clock := newClock()
	ts := many(6)
	for i := 4; i < 6; i++ {
		ts[i].Priority = 7
	}
	u := newUpstream(t, unit.Upstream{Targets: ts, Health: unit.Health{Active: &unit.ActiveHealth{Path: "/"}}}, stubEnv(k, clock))
	down := func(i int, on bool) {
		m := u.layout.all[i]
		for range 3 {
			if m.health.probed(u.s.active, !on, clock.Now()) {
				u.changed(m, Unhealthy)
			}
		}
	}
	served := func() map[string]bool {
		got := map[string]bool{}
		for range 50 {
			ex := get("/")
			require.NoError(t, u.Do(ex))
			got[ex.Outcome.Attempts[0].Target] = true
		}
		return got
	}
	set := func(is ...int) map[string]bool {
		m := map[string]bool{}
		for _, i := range is {
			m[many1(i)] = true
		}
		return m
	}
	require.Equal(t, set(0, 1, 2, 3), served(), "the lowest number serves alone")
	down(0, true)
	down(1, true)
	require.Equal(t, set(2, 3), served(), "half of them is enough")
	down(2, true)
	require.Equal(t, set(4, 5), served(), "a quarter is not")
	require.Equal(t, 7, u.Status().Priority)
	down(4, true)
	require.Equal(t, set(5), served())
	down(5, true)
	require.Equal(t, set(0, 1, 2, 3), served(), "panic: the best group, all of it")
	require.True(t, u.Status().Panic)
	down(3, true)
	require.Equal(t, set(0, 1, 2, 3, 4, 5), served(), "nothing is healthy: everything is tried")
	down(0, false)
	down(1, false)
	require.Equal(t, set(0, 1), served(), "and back")
}

func TestWithoutPanicOnlyTheHealthyServe(t *testing.T) {
	t.Parallel()
	clock := newClock()
	u := newUpstream(t, unit.Upstream{
		Targets: many(2), Health: unit.Health{PanicThreshold: -1, Active: &unit.ActiveHealth{Path: "/", Unhealthy: 1}},
	}, stubEnv(&stubs{}, clock))
	for i, m := range u.layout.all {
		require.True(t, m.health.probed(u.s.active, false, clock.Now()))
		u.changed(m, Unhealthy)
		err := u.Do(get("/"))
		if i == 0 {
			require.NoError(t, err)
			continue
		}
		p := requireProblem(t, err, "upstream-unavailable", 503)
		require.Positive(t, p.RetryAfter)
	}
}

func TestAllDraining(t *testing.T) {
	t.Parallel()
	u := newUpstream(t, unit.Upstream{Targets: []unit.Target{{URL: "http://10.0.0.1", Weight: -1}}}, stubEnv(&stubs{}, newClock()))
	requireProblem(t, u.Do(get("/")), "upstream-unavailable", 503)
	require.Equal(t, Draining, u.Status().Endpoints[0].Condition)
}

func TestNoAllocations(t *testing.T) {
	for _, n := range []int{1, 10} {
		for _, algorithm := range []string{"round-robin", "least-connections", "p2c", "random", "hash"} {
			cfg := unit.Upstream{Targets: many(n), Balance: unit.Balance{Algorithm: algorithm}}
			if algorithm == "hash" {
				cfg.Balance.HashOn = "header:X-Session"
			}
			cfg.Health.Passive = &unit.PassiveHealth{FailurePercent: 50}
			env := stubEnv(&stubs{}, systemClock{})
			u := newUpstream(t, cfg, env)
			ex := hashEx(1)
			got := testing.AllocsPerRun(1000, func() {
				ex.Outcome.Attempts = ex.Outcome.Attempts[:0]
				if u.Do(ex) != nil {
					t.Fatal("no answer")
				}
			})
			require.Zero(t, got, "%s of %d", algorithm, n)
		}
	}
}

func BenchmarkDo(b *testing.B) {
	for _, n := range []int{1, 10} {
		for _, algorithm := range []string{"round-robin", "least-connections", "p2c", "random", "hash"} {
			b.Run(fmt.Sprintf("%s/%d", algorithm, n), func(b *testing.B) {
				cfg := unit.Upstream{Targets: many(n), Balance: unit.Balance{Algorithm: algorithm}}
				if algorithm == "hash" {
					cfg.Balance.HashOn = "header:X-Session"
				}
				cfg.Health.Passive = &unit.PassiveHealth{}
				env := stubEnv(&stubs{}, systemClock{})
				env.Random = nil
				u, err := New(cfg, env)
				require.NoError(b, err)
				defer u.Close()
				ex := hashEx(1)
				b.ReportAllocs()
				for b.Loop() {
					ex.Outcome.Attempts = ex.Outcome.Attempts[:0]
					if u.Do(ex) != nil {
						b.Fatal("no answer")
					}
				}
			})
		}
	}
}
