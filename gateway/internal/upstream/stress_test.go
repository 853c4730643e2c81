package upstream

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// Requests, failures, time, status and new configurations all at once: nobody is
// left without a target, and in the end all targets serve. R18.1
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	s, clock := &sick{}, newClock()
	k := &stubs{answer: func(st *stub, ex *policy.Exchange, c *transport.Call) error {
		st.busy.Add(1)
		defer st.busy.Add(-1)
		return s.answer(st, ex, c)
	}}
	cfg := passively(5, unit.PassiveHealth{Consecutive: 2, FailurePercent: 50, MaxEjection: unit.Duration(time.Minute)})
	cfg.Balance.Algorithm = "p2c"
	first, err := New(cfg, stubEnv(k, clock))
	require.NoError(t, err)
	var mu sync.RWMutex
	u := first
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				mu.RLock()
				ex := get("/")
				if err := u.Do(ex); err != nil {
					t.Error(err)
				}
				mu.RUnlock()
			}
		})
	}
	wg.Go(func() {
		random := seeded()
		for range 300 {
			s.set(many1(int(random()%5)), random()%2 == 0)
			clock.advance(time.Duration(random()%20) * time.Second)
			mu.RLock()
			rest := 0
			u.Status()
			u.family.mu.Lock() // no ejection while counting
			for _, m := range u.view.Load().layout.all {
				if ejected, trial := m.health.resting(); ejected || trial {
					rest++
				}
			}
			u.family.mu.Unlock()
			mu.RUnlock()
			if rest > 2 {
				t.Errorf("%d of 5 rest, though half may", rest)
			}
		}
	})
	wg.Go(func() {
		for range 30 {
			mu.RLock()
			old := u
			mu.RUnlock()
			next, err := New(cfg, stubEnv(k, clock), WithPrevious(old))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			u = next
			mu.Unlock()
			old.Close()
		}
	})
	wg.Wait()
	for i := range 5 {
		s.set(many1(i), false)
	}
	clock.advance(2 * time.Minute)
	send(t, u, 50)
	for _, e := range u.Status().Endpoints {
		require.Equal(t, Healthy, e.Condition)
		require.True(t, e.Serving)
	}
	u.Close()
}
