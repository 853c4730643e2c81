package upstream

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// sick answers 503 at the addresses in bad.
type sick struct {
	mu  sync.Mutex
	bad map[string]bool
}

func (s *sick) set(address string, bad bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad == nil {
		s.bad = map[string]bool{}
	}
	s.bad[address] = bad
}

func (s *sick) answer(st *stub, ex *policy.Exchange, _ *transport.Call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ex.Response.Status = 200
	if s.bad[st.options.Target.Address] {
		ex.Response.Status = 503
	}
	return nil
}

func conditions(u *Upstream) (cs []Condition) {
	for _, e := range u.Status().Endpoints {
		cs = append(cs, e.Condition)
	}
	return cs
}

func send(t *testing.T, u *Upstream, n int) {
	t.Helper()
	for range n {
		require.NoError(t, u.Do(get("/")))
	}
}

func passively(n int, p unit.PassiveHealth) unit.Upstream {
	return unit.Upstream{Targets: many(n), Health: unit.Health{Passive: &p}}
}

// R18.1
func TestEjectionTrialAndRecovery(t *testing.T) {
	t.Parallel()
	s, clock := &sick{}, newClock()
	k := &stubs{answer: s.answer}
	u := newUpstream(t, passively(3, unit.PassiveHealth{MaxEjection: unit.Duration(time.Minute)}), stubEnv(k, clock))
	s.set(many1(1), true)
	send(t, u, 12)
	require.Equal(t, []Condition{Healthy, Healthy, Healthy}, conditions(u), "four failures are not five")
	send(t, u, 3)
	require.Equal(t, []Condition{Healthy, Ejected, Healthy}, conditions(u))
	before := k.at(many1(1)).calls.Load()
	send(t, u, 30)
	require.Equal(t, before, k.at(many1(1)).calls.Load(), "it rests")
	// Each failed trial doubles the rest, up to the bound, and costs one request.
	for _, rest := range []time.Duration{10, 20, 40, 60, 60} {
		require.Equal(t, rest*time.Second, u.Status().Endpoints[1].Rest)
		clock.advance(rest*time.Second - 1)
		send(t, u, 5)
		require.Equal(t, before, k.at(many1(1)).calls.Load())
		clock.advance(1)
		require.Equal(t, Trial, u.Status().Endpoints[1].Condition)
		send(t, u, 10)
		before++
		require.Equal(t, before, k.at(many1(1)).calls.Load())
		require.Equal(t, Ejected, u.Status().Endpoints[1].Condition)
	}
	s.set(many1(1), false)
	clock.advance(time.Minute)
	send(t, u, 31)
	require.Equal(t, []Condition{Healthy, Healthy, Healthy}, conditions(u))
	require.Greater(t, k.at(many1(1)).calls.Load(), before+9, "and serves its share again")
	// After a long time in health the rest is short again.
	clock.advance(2 * time.Minute)
	s.set(many1(1), true)
	send(t, u, 30)
	require.Equal(t, 10*time.Second, u.Status().Endpoints[1].Rest)
}

func TestOnlyOneRequestAtATimeMakesATrial(t *testing.T) {
	t.Parallel()
	s, clock := &sick{}, newClock()
	inTrial, release := make(chan struct{}, 9), make(chan struct{})
	hang := atomic.Bool{}
	k := &stubs{answer: func(st *stub, ex *policy.Exchange, c *transport.Call) error {
		if hang.Load() && st.options.Target.Address == many1(0) {
			inTrial <- struct{}{}
			<-release
		}
		return s.answer(st, ex, c)
	}}
	u := newUpstream(t, passively(2, unit.PassiveHealth{}), stubEnv(k, clock))
	s.set(many1(0), true)
	send(t, u, 10)
	require.Equal(t, []Condition{Ejected, Healthy}, conditions(u))
	hang.Store(true)
	clock.advance(10 * time.Second)
	var wg sync.WaitGroup
	wg.Go(func() { _ = u.Do(get("/")) })
	<-inTrial
	send(t, u, 20)
	require.Empty(t, inTrial)
	// A trial that hangs keeps no target out of service.
	clock.advance(trialLease)
	wg.Go(func() { _ = u.Do(get("/")) })
	<-inTrial
	s.set(many1(0), false)
	close(release)
	wg.Wait()
	require.Equal(t, []Condition{Healthy, Healthy}, conditions(u))
}

func TestATrialThatSaysNothingIsMadeAgain(t *testing.T) {
	t.Parallel()
	s, clock := &sick{}, newClock()
	var leave atomic.Bool
	k := &stubs{answer: func(st *stub, ex *policy.Exchange, c *transport.Call) error {
		if leave.Load() && st.options.Target.Address == many1(0) {
			return fails(transport.FailedCanceled)
		}
		return s.answer(st, ex, c)
	}}
	u := newUpstream(t, passively(2, unit.PassiveHealth{}), stubEnv(k, clock))
	s.set(many1(0), true)
	send(t, u, 10)
	s.set(many1(0), false)
	leave.Store(true)
	clock.advance(10 * time.Second)
	requireProblem(t, u.Do(get("/")), "client-closed-request", 499)
	require.Equal(t, []Condition{Trial, Healthy}, conditions(u))
	leave.Store(false)
	send(t, u, 1)
	require.Equal(t, []Condition{Healthy, Healthy}, conditions(u))
}

func TestFailurePercentInAWindow(t *testing.T) {
	t.Parallel()
	clock := newClock()
	var n atomic.Int64
	k := &stubs{answer: func(st *stub, ex *policy.Exchange, _ *transport.Call) error {
		ex.Response.Status = 200
		if st.options.Target.Address == many1(0) && n.Add(1)%2 == 0 {
			ex.Response.Status = 500
		}
		return nil
	}}
	u := newUpstream(t, passively(2, unit.PassiveHealth{
		FailurePercent: 40, MinRequests: 10, Window: unit.Duration(10 * time.Second), Statuses: []int{500},
	}), stubEnv(k, clock))
	for range 5 { // too few in any one window
		send(t, u, 16)
		require.Equal(t, []Condition{Healthy, Healthy}, conditions(u))
		clock.advance(10 * time.Second)
	}
	send(t, u, 20)
	require.Equal(t, []Condition{Ejected, Healthy}, conditions(u))
}

func TestEjectionIsCapped(t *testing.T) {
	t.Parallel()
	for percent, want := range map[int]int{0: 2, 20: 1, 60: 3, 100: 4, 19: 0} {
		s := &sick{}
		u := newUpstream(t, passively(5, unit.PassiveHealth{MaxEjectedPercent: percent}), stubEnv(&stubs{answer: s.answer}, newClock()))
		for i := range 5 {
			s.set(many1(i), true)
		}
		send(t, u, 300)
		ejected := 0
		for _, c := range conditions(u) {
			if c == Ejected {
				ejected++
			}
		}
		require.Equal(t, want, ejected, "%d %%", percent)
	}
}

// From any state that requests, probes, time and changes of configuration can
// lead to, there is always a target while any is configured, no more are ejected
// than may be, and once all targets are well they all serve within a bound.
// R18.1
func TestRecoveryAlways(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "targets")
		cfg := passively(n, unit.PassiveHealth{
			Consecutive:       rapid.IntRange(1, 3).Draw(t, "consecutive"),
			FailurePercent:    rapid.SampledFrom([]int{0, 30}).Draw(t, "percent"),
			MinRequests:       2,
			MaxEjectedPercent: rapid.SampledFrom([]int{0, 30, 100}).Draw(t, "cap"),
			MaxEjection:       unit.Duration(time.Minute),
		})
		cfg.Health.Active = &unit.ActiveHealth{Path: "/"}
		cfg.Health.PanicThreshold = rapid.SampledFrom([]int{0, -1, 100}).Draw(t, "panic")
		cfg.Balance.Algorithm = rapid.SampledFrom([]string{"round-robin", "least-connections", "p2c", "random"}).Draw(t, "algorithm")
		for i := range cfg.Targets {
			cfg.Targets[i].Priority = rapid.IntRange(0, 1).Draw(t, "priority")
		}
		s, clock := &sick{}, newClock()
		k := &stubs{answer: s.answer}
		u, err := New(cfg, stubEnv(k, clock))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { u.Close() }()
		probesFail := make([]bool, n)
		probe := func(i int) {
			m := u.view.Load().layout.all[i]
			if m.health.probed(u.s.active, !probesFail[i], clock.Now()) {
				u.changed(m, Unhealthy)
			}
		}
		request := func() {
			switch err := u.Do(get("/")); {
			case err == nil:
			case cfg.Health.PanicThreshold >= 0:
				t.Fatalf("no target, though panic is allowed: %v", err)
			default:
				for _, e := range u.Status().Endpoints {
					if e.Condition != Unhealthy {
						t.Fatalf("no target, though probes accept one: %v", err)
					}
				}
			}
			resting, serving := 0, 0
			for _, m := range u.view.Load().layout.all {
				if ejected, trial := m.health.resting(); ejected || trial {
					resting++
				}
			}
			for _, e := range u.Status().Endpoints {
				if e.Serving {
					serving++
				}
			}
			if resting*100 > u.s.passive.maxEjected*n || resting == n {
				t.Fatalf("%d of %d rest", resting, n)
			}
			if serving == 0 && cfg.Health.PanicThreshold >= 0 {
				t.Fatal("the pool is empty")
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"request": func(*rapid.T) { request() },
			"requests": func(*rapid.T) {
				for range 20 {
					request()
				}
			},
			"health": func(t *rapid.T) {
				s.set(many1(rapid.IntRange(0, n-1).Draw(t, "i")), rapid.Bool().Draw(t, "bad"))
			},
			"probe": func(t *rapid.T) {
				i := rapid.IntRange(0, n-1).Draw(t, "i")
				probesFail[i] = rapid.Bool().Draw(t, "fail")
				for range 3 {
					probe(i)
				}
			},
			"time": func(t *rapid.T) {
				clock.advance(time.Duration(rapid.IntRange(1, 90).Draw(t, "s")) * time.Second)
			},
			"configuration": func(t *rapid.T) {
				next, err := New(cfg, stubEnv(k, clock), WithPrevious(u))
				if err != nil {
					t.Fatal(err)
				}
				u.Close()
				u = next
			},
		})
		for i := range n {
			s.set(many1(i), false)
			probesFail[i] = false
			probe(i)
		}
		// Groups behind the serving one get their trials when they serve; it is
		// enough that the serving group is whole and everything else accepted.
		clock.advance(time.Minute)
		for range 3 * n {
			request()
		}
		for _, e := range u.Status().Endpoints {
			if e.Priority == u.Status().Priority && e.Condition != Healthy || e.Condition == Ejected || e.Condition == Unhealthy {
				t.Fatalf("target is still %s: %+v", e.Condition, u.Status())
			}
		}
	})
}

// R18.1
func TestProbesTakeOutAndBring(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	status.Store(200)
	probed := make(chan *http.Request, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		probed <- r
		w.WriteHeader(int(status.Load()))
	}))
	defer server.Close()
	clock := newClock()
	env := stubEnv(&stubs{}, clock)
	u := newUpstream(t, unit.Upstream{Targets: urls(server.URL + "/base"), Health: unit.Health{Active: &unit.ActiveHealth{
		Path: "/healthz?full=1", Method: "HEAD", Host: "probe.example", Healthy: 2,
	}}}, env)
	tick := func() {
		require.Eventually(t, func() bool { return clock.waiters() == 1 }, 30*time.Second, time.Millisecond)
		clock.advance(11 * time.Second)
		r := <-probed
		require.Equal(t, "/healthz?full=1", r.URL.String())
		require.Equal(t, "HEAD", r.Method)
		require.Equal(t, "probe.example", r.Host)
		require.Eventually(t, func() bool { return clock.waiters() == 1 }, 30*time.Second, time.Millisecond)
	}
	tick()
	require.Equal(t, []Condition{Healthy}, conditions(u))
	status.Store(302)
	tick()
	require.Equal(t, []Condition{Healthy}, conditions(u), "a redirect is an answer, and is not followed")
	status.Store(500)
	tick()
	tick()
	require.Equal(t, []Condition{Healthy}, conditions(u))
	tick()
	require.Equal(t, []Condition{Unhealthy}, conditions(u))
	require.Contains(t, u.Status().Endpoints[0].LastError, "answered 500")
	require.NoError(t, u.Do(get("/")), "panic: the only target is tried all the same")
	status.Store(200)
	tick()
	require.Equal(t, []Condition{Unhealthy}, conditions(u))
	tick()
	require.Equal(t, []Condition{Healthy}, conditions(u))
}

func TestProbesAreJitteredAndFollowAddresses(t *testing.T) {
	t.Parallel()
	clock := newClock()
	u := newUpstream(t, unit.Upstream{Targets: many(20), Health: unit.Health{Active: &unit.ActiveHealth{Path: "/"}}}, stubEnv(&stubs{}, clock))
	require.Eventually(t, func() bool { return clock.waiters() == 20 }, 30*time.Second, time.Millisecond)
	early := 0
	clock.mu.Lock()
	for _, w := range clock.waits {
		require.Less(t, w, 10*time.Second)
		if w < 5*time.Second {
			early++
		}
	}
	clock.mu.Unlock()
	require.InDelta(t, 10, early, 7)
	next := newUpstream(t, unit.Upstream{Targets: many(3), Health: unit.Health{Active: &unit.ActiveHealth{Path: "/"}}},
		stubEnv(&stubs{}, clock), WithPrevious(u))
	u.Close()
	require.Eventually(t, func() bool { return clock.waiters() == 3 }, 30*time.Second, time.Millisecond)
	next.Close()
	require.Eventually(t, func() bool { return clock.waiters() == 0 }, 30*time.Second, time.Millisecond)
}
