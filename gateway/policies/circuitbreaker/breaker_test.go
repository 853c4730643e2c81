package circuitbreaker

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func zero() float64 { return 0 }

var base = rules{
	window: 10 * time.Second, minimum: 4, failureRate: 0.5, slowRate: 1, open: 10 * time.Second,
	maxOpen: 35 * time.Second, growth: 2, probes: 3,
}

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func calls(b *breaker, now time.Time, rs ...result) {
	for _, r := range rs {
		if p, _ := b.enter(now); p != nil {
			b.leave(p, r, now)
		}
	}
}

func TestOpens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		rules func(*rules)
		calls []result
		want  state
	}{
		{"below the minimum", nil, []result{failure, failure, failure}, closed},
		{"failure rate", nil, []result{success, failure, success, failure}, open},
		{"a success completes the minimum", nil, []result{failure, failure, failure, success}, open},
		{"below the rate", nil, []result{success, success, failure, success, failure}, closed},
		{"neutral calls do not count", nil, []result{failure, failure, failure, neutral, neutral}, closed},
		{"in a row", func(r *rules) { r.consecutive = 2 }, []result{failure, failure}, open},
		{"not in a row", func(r *rules) { r.consecutive = 2 }, []result{failure, success, failure}, closed},
		{"slow", nil, []result{slowCall, slowCall, slowCall, slowCall}, open},
		{"not all slow", nil, []result{slowCall, slowCall, slowCall, success, slowCall}, closed},
		{"latest calls", func(r *rules) { r.windowCalls = 4 }, []result{failure, success, success, success, failure, success}, closed},
		{"latest calls fail", func(r *rules) { r.windowCalls = 4 }, []result{success, success, success, success, failure, failure}, open},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := base
			if c.rules != nil {
				c.rules(&r)
			}
			b := newBreaker(r, zero)
			calls(b, begin, c.calls...)
			require.Equal(t, c.want, b.phase.Load().state)
		})
	}
}

func TestWindowMovesOn(t *testing.T) {
	t.Parallel()
	b := newBreaker(base, zero)
	calls(b, begin, failure, failure, failure)
	calls(b, begin.Add(11*time.Second), success, failure, success)
	require.Equal(t, closed, b.phase.Load().state, "the failures are too long ago")
	calls(b, begin.Add(15*time.Second), failure)
	require.Equal(t, open, b.phase.Load().state)
}

func TestRecovers(t *testing.T) {
	t.Parallel()
	b := newBreaker(base, zero)
	calls(b, begin, failure, failure, failure, failure)
	now := begin
	for _, rest := range []time.Duration{10, 20, 35, 35} { // grows up to the longest
		p, wait := b.enter(now)
		require.Nil(t, p)
		require.Equal(t, rest*time.Second, wait)
		now = now.Add(wait - 1)
		p, _ = b.enter(now)
		require.Nil(t, p)
		now = now.Add(1)
		calls(b, now, success, failure)
		require.Equal(t, open, b.phase.Load().state, "one failed probe is enough")
	}
	now = now.Add(35 * time.Second)
	calls(b, now, success, neutral, success)
	require.Equal(t, halfOpen, b.phase.Load().state, "a neutral probe gives its place back")
	calls(b, now, success)
	require.Equal(t, closed, b.phase.Load().state)
	calls(b, now, failure, failure, failure, failure)
	_, wait := b.enter(now)
	require.Equal(t, 10*time.Second, wait, "the rest is short again")
}

func TestLostProbesDoNotBlock(t *testing.T) {
	t.Parallel()
	b := newBreaker(base, zero)
	calls(b, begin, failure, failure, failure, failure)
	now := begin.Add(10 * time.Second)
	for range 3 {
		p, _ := b.enter(now)
		require.NotNil(t, p)
	}
	p, wait := b.enter(now)
	require.Nil(t, p)
	require.Positive(t, wait)
	p, _ = b.enter(now.Add(time.Minute))
	require.NotNil(t, p, "new probes are sent")
}

func TestLateResultsCountNoMore(t *testing.T) {
	t.Parallel()
	b := newBreaker(base, zero)
	late, _ := b.enter(begin)
	calls(b, begin, failure, failure, failure, failure)
	now := begin.Add(10 * time.Second)
	calls(b, now, success, success)
	b.leave(late, failure, now)
	require.Equal(t, halfOpen, b.phase.Load().state, "a call from before is no probe")
	calls(b, now, success)
	require.Equal(t, closed, b.phase.Load().state)
}

// Many at once: never more than the probes get through half open.
func TestProbesAreCounted(t *testing.T) {
	t.Parallel()
	b := newBreaker(base, zero)
	calls(b, begin, failure, failure, failure, failure)
	now := begin.Add(10 * time.Second)
	var admitted atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if p, _ := b.enter(now); p != nil {
				admitted.Add(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, base.probes, admitted.Load())
}

// Whatever happens, a breaker lets calls through again within its longest rest
// (and the wait for lost probes), and closes once the upstream is well.
func TestNeverStuck(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		ru := base
		ru.consecutive, ru.windowCalls = r.Int64N(4), r.IntN(2)*8
		b := newBreaker(ru, r.Float64)
		now := begin
		var flying []*phase
		for range 400 {
			now = now.Add(time.Duration(r.Int64N(int64(3 * time.Second))))
			if p, wait := b.enter(now); p != nil {
				flying = append(flying, p)
			} else {
				require.Positive(t, wait)
				require.LessOrEqual(t, wait, ru.maxOpen+ru.maxOpen/10)
			}
			p := b.phase.Load()
			require.LessOrEqual(t, p.admitted.Load(), ru.probes)
			if n := len(flying); n > 0 && r.IntN(3) > 0 {
				i := r.IntN(n)
				b.leave(flying[i], result(r.IntN(5)), now)
				flying = append(flying[:i], flying[i+1:]...)
			}
		}
		for range 20 { // what was flying is lost, and the upstream is well
			now = now.Add(time.Minute)
			calls(b, now, success, success, success)
		}
		require.Equal(t, closed, b.phase.Load().state, "seed %d", seed)
	}
}

func TestTimeWindowUnderLoad(t *testing.T) {
	t.Parallel()
	w := newTimeWindow(10 * time.Second)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 5000 {
				w.add(result(i%2), begin)
			}
		})
	}
	wg.Wait()
	require.Equal(t, tally{calls: 20001, failed: 10000}, w.add(success, begin.Add(9*time.Second)))
	require.Equal(t, tally{calls: 2}, w.add(success, begin.Add(15*time.Second)))
}

func BenchmarkCall(b *testing.B) {
	br := newBreaker(base, zero)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p, _ := br.enter(begin)
			br.leave(p, success, begin)
		}
	})
}
