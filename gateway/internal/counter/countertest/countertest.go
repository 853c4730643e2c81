// Package countertest is the contract that every way of counting must keep. It
// is for tests only.
package countertest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Clock is a clock that a test moves.
type Clock struct{ at atomic.Int64 }

// NewClock returns a clock that stands at t.
func NewClock(t time.Time) *Clock {
	c := &Clock{}
	c.at.Store(t.UnixNano())
	return c
}

// Now returns the time.
func (c *Clock) Now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) { c.at.Add(int64(d)) }

// Subject is a way of counting under test.
type Subject struct {
	Counters policy.Counters
	Clock    *Clock
	// Shared and Fast are put into each spec.
	Shared, Fast bool
}

// start is in the middle of nothing: no window of the tests begins there.
var start = time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)

// Run checks the contract. The factory is called once for each check, with the
// options that it must use besides its own.
func Run(t *testing.T, factory func(t *testing.T, o counter.Options) Subject) {
	checks := map[string]func(*testing.T, *bench){
		"counts down and refuses":             countsDown,
		"retry after is true":                 retryAfterIsTrue,
		"refused call takes from no rule":     refusedTakesNone,
		"names do not share":                  namesDoNotShare,
		"successor continues":                 successorContinues,
		"many at once take no more":           manyAtOnce,
		"large limits do not overflow":        largeLimits,
		"costs of nothing and less":           costs,
		"strange keys":                        strangeKeys,
		"add counts past the limit":           addCounts,
		"calendar period":                     calendarPeriod,
		"sliding window weighs":               slidingWeighs,
		"bucket refills evenly":               bucketRefills,
		"rolling window begins with a call":   rollingBegins,
		"random calls keep within the limits": randomCalls,
		"clock that goes back opens nothing":  clockGoesBack,
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			clock := NewClock(start)
			s := factory(t, counter.Options{Now: clock.Now})
			s.Clock = clock
			check(t, &bench{t: t, Subject: s})
		})
	}
}

type bench struct {
	Subject
	t *testing.T
	n int
}

func (b *bench) named(name string, rules ...policy.Rule) policy.Limiter {
	b.t.Helper()
	l, err := b.Counters.Limiter(policy.LimiterSpec{Name: name, Rules: rules, Shared: b.Shared, Fast: b.Fast})
	require.NoError(b.t, err)
	return l
}

func (b *bench) limiter(rules ...policy.Rule) policy.Limiter {
	b.t.Helper()
	b.n++
	return b.named(fmt.Sprintf("api/policies/%d", b.n), rules...)
}

func (b *bench) take(l policy.Limiter, key string, cost int64) policy.Decision {
	b.t.Helper()
	d, err := l.Take(key, cost)
	require.NoError(b.t, err)
	require.False(b.t, d.Estimated, "the store must answer")
	return d
}

var algorithms = []policy.Rule{
	{Algorithm: policy.FixedWindow, Limit: 5, Window: time.Minute},
	{Algorithm: policy.SlidingWindow, Limit: 5, Window: time.Minute},
	{Algorithm: policy.TokenBucket, Limit: 5, Window: time.Minute},
	{Algorithm: policy.Calendar, Limit: 5, Period: "hour"},
	{Algorithm: policy.Rolling, Limit: 5, Window: time.Minute},
}

func countsDown(t *testing.T, b *bench) {
	for _, r := range algorithms {
		l := b.limiter(r)
		for i := int64(4); i >= 0; i-- { // R7.3
			d := b.take(l, "k", 1)
			require.True(t, d.Allowed, r.Algorithm)
			require.Equal(t, i, d.Remaining, r.Algorithm)
			require.EqualValues(t, 5, d.Limit)
			require.Positive(t, d.Reset)
		}
		for range 3 {
			d := b.take(l, "k", 1)
			require.False(t, d.Allowed, r.Algorithm)
			require.Zero(t, d.Remaining)
			require.Positive(t, d.RetryAfter)
		}
		require.True(t, b.take(l, "other", 1).Allowed, "keys are apart")
		d, err := l.Peek("k")
		require.NoError(t, err)
		require.Zero(t, d.Remaining)
		d, err = l.Peek("never seen")
		require.NoError(t, err)
		require.EqualValues(t, 5, d.Remaining)
	}
}

// R7.3: waiting as long as told is enough, and less is not.
func retryAfterIsTrue(t *testing.T, b *bench) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, r := range algorithms {
		r.Limit = 3 + rnd.Int64N(40)
		if r.Window > 0 {
			r.Window = time.Duration(1+rnd.Int64N(100000)) * time.Millisecond
		}
		l := b.limiter(r)
		for range 25 {
			b.waitOut(l, "k", 1+rnd.Int64N(r.Limit))
			b.Clock.Advance(time.Duration(rnd.Int64N(int64(time.Second))))
		}
	}
}

func (b *bench) waitOut(l policy.Limiter, key string, cost int64) {
	b.t.Helper()
	var d policy.Decision
	for d = b.take(l, key, cost); d.Allowed; d = b.take(l, key, cost) {
	}
	require.Positive(b.t, d.RetryAfter)
	b.Clock.Advance(d.RetryAfter - time.Microsecond)
	require.False(b.t, b.take(l, key, cost).Allowed, "less than %s must not do", d.RetryAfter)
	b.Clock.Advance(time.Microsecond)
	require.True(b.t, b.take(l, key, cost).Allowed, "%s must do", d.RetryAfter)
}

// R7.4.
func refusedTakesNone(t *testing.T, b *bench) {
	l := b.limiter(
		policy.Rule{Algorithm: policy.FixedWindow, Limit: 2, Window: time.Second},
		policy.Rule{Algorithm: policy.TokenBucket, Limit: 100, Window: time.Hour},
		policy.Rule{Algorithm: policy.Rolling, Limit: 4, Window: time.Hour},
		policy.Rule{Algorithm: policy.SlidingWindow, Limit: 50, Window: time.Hour},
	)
	for range 2 {
		require.True(t, b.take(l, "k", 1).Allowed)
	}
	for range 20 {
		d := b.take(l, "k", 1)
		require.False(t, d.Allowed)
		require.Zero(t, d.Rule)
	}
	b.Clock.Advance(time.Second)
	require.EqualValues(t, 1, b.take(l, "k", 1).Remaining)
	d := b.take(l, "k", 1)
	require.True(t, d.Allowed, "refused calls have taken nothing from the hour")
	require.Zero(t, d.Remaining)
	b.Clock.Advance(time.Second)
	d = b.take(l, "k", 1)
	require.False(t, d.Allowed)
	require.Equal(t, 2, d.Rule)
}

// R7.1.
func namesDoNotShare(t *testing.T, b *bench) {
	r := policy.Rule{Algorithm: policy.FixedWindow, Limit: 1, Window: time.Minute}
	one, two := b.limiter(r), b.limiter(r)
	require.True(t, b.take(one, "k", 1).Allowed)
	require.True(t, b.take(two, "k", 1).Allowed)
	require.False(t, b.take(one, "k", 1).Allowed)
}

func successorContinues(t *testing.T, b *bench) {
	r := policy.Rule{Algorithm: policy.FixedWindow, Limit: 3, Window: time.Minute}
	old := b.named("x", r)
	require.True(t, b.take(old, "k", 2).Allowed)
	next := b.named("x", r)
	require.True(t, b.take(next, "k", 1).Allowed)
	old.Close()
	require.False(t, b.take(next, "k", 1).Allowed, "the old one's count goes on")
	next.Close()
	require.False(t, b.take(b.named("x", r), "k", 1).Allowed, "also when there was none for a while")
	r.Limit = 4
	require.True(t, b.take(b.named("x", r), "k", 4).Allowed, "other rules start anew")
}

func manyAtOnce(t *testing.T, b *bench) {
	l := b.limiter(policy.Rule{Algorithm: policy.FixedWindow, Limit: 100, Window: time.Hour})
	var taken atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 25 {
				if d, err := l.Take("k", 1); err == nil && d.Allowed && !d.Estimated {
					taken.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 100, taken.Load())
}

func largeLimits(t *testing.T, b *bench) {
	for _, r := range algorithms {
		r.Limit = counter.MaxUnits
		l := b.limiter(r)
		require.True(t, b.take(l, "k", counter.MaxUnits-1).Allowed, r.Algorithm)
		require.True(t, b.take(l, "k", 1).Allowed, r.Algorithm)
		require.False(t, b.take(l, "k", 1).Allowed, r.Algorithm)
		require.False(t, b.take(l, "k", 1<<62).Allowed, r.Algorithm)
		for range 3 {
			l.Add("k", 1<<62)
		}
		require.False(t, b.take(l, "k", 1).Allowed, r.Algorithm)
	}
	l := b.limiter(policy.Rule{
		Algorithm: policy.TokenBucket, Limit: 1, Window: 10_000 * time.Hour, Burst: counter.MaxUnits,
	})
	require.Positive(t, b.take(l, "k", counter.MaxUnits).Reset, "longer than anything can be said to be")
	require.False(t, b.take(l, "k", counter.MaxUnits).Allowed)
}

func costs(t *testing.T, b *bench) {
	for _, r := range algorithms {
		l := b.limiter(r)
		require.EqualValues(t, 3, b.take(l, "k", 2).Remaining)
		require.EqualValues(t, 3, b.take(l, "k", 0).Remaining)
		require.EqualValues(t, 3, b.take(l, "k", -7).Remaining, "a cost below nothing gives nothing")
		d := b.take(l, "k", 6)
		require.False(t, d.Allowed)
		require.Zero(t, d.RetryAfter, "waiting does not help where the cost is above the limit")
	}
}

func strangeKeys(t *testing.T, b *bench) {
	l := b.limiter(policy.Rule{Algorithm: policy.FixedWindow, Limit: 1, Window: time.Minute})
	long := strings.Repeat("k", 10_000)
	for _, k := range []string{"", " ", "{", "}", "{}", "a{b}c", "a\x00b", "a", "ключ", "\xff\xfe", long, long + "k"} {
		require.True(t, b.take(l, k, 1).Allowed, "%q", k)
		require.False(t, b.take(l, k, 1).Allowed, "%q", k)
	}
}

func addCounts(t *testing.T, b *bench) {
	l := b.limiter(policy.Rule{Algorithm: policy.FixedWindow, Limit: 10, Window: time.Minute})
	require.True(t, b.take(l, "k", 1).Allowed)
	l.Add("k", 25)
	require.Eventually(t, func() bool {
		d, err := l.Peek("k")
		return err == nil && d.Remaining == 0
	}, 5*time.Second, 5*time.Millisecond)
	require.Eventually(t, func() bool { return !b.take(l, "k", 1).Allowed }, 5*time.Second, 5*time.Millisecond)
	b.Clock.Advance(time.Minute)
	require.EqualValues(t, 9, b.take(l, "k", 1).Remaining)
}

func calendarPeriod(t *testing.T, b *bench) {
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	l := b.limiter(policy.Rule{Algorithm: policy.Calendar, Limit: 2, Period: "month", Location: zone})
	require.True(t, b.take(l, "k", 2).Allowed)
	d := b.take(l, "k", 1)
	require.False(t, d.Allowed)
	require.Equal(t, time.Date(2026, 4, 1, 0, 0, 0, 0, zone).Sub(start), d.RetryAfter)
	b.waitOut(l, "k", 1)
}

func slidingWeighs(t *testing.T, b *bench) {
	l := b.limiter(policy.Rule{Algorithm: policy.SlidingWindow, Limit: 100, Window: time.Minute})
	b.Clock.Advance(time.Date(2026, 3, 14, 15, 10, 6, 0, time.UTC).Sub(start))
	require.True(t, b.take(l, "k", 80).Allowed)
	b.Clock.Advance(time.Minute + 9*time.Second) // 15:11:15, three quarters of the minute before count
	d, err := l.Peek("k")
	require.NoError(t, err)
	require.EqualValues(t, 40, d.Remaining)
	require.True(t, b.take(l, "k", 40).Allowed)
	require.False(t, b.take(l, "k", 1).Allowed)
	b.Clock.Advance(15 * time.Second)
	require.EqualValues(t, 19, b.take(l, "k", 1).Remaining)
}

func bucketRefills(t *testing.T, b *bench) {
	l := b.limiter(policy.Rule{Algorithm: policy.TokenBucket, Limit: 10, Window: time.Second, Burst: 3})
	for range 3 {
		require.True(t, b.take(l, "k", 1).Allowed)
	}
	d := b.take(l, "k", 1)
	require.False(t, d.Allowed)
	require.Equal(t, 100*time.Millisecond, d.RetryAfter)
	require.Equal(t, 300*time.Millisecond, d.Reset)
	for range 30 {
		b.Clock.Advance(100 * time.Millisecond)
		require.True(t, b.take(l, "k", 1).Allowed)
		require.False(t, b.take(l, "k", 1).Allowed)
	}
	b.Clock.Advance(time.Hour)
	require.EqualValues(t, 2, b.take(l, "k", 1).Remaining, "a bucket holds no more than the burst")
}

func rollingBegins(t *testing.T, b *bench) {
	l := b.limiter(policy.Rule{Algorithm: policy.Rolling, Limit: 2, Window: time.Minute})
	require.Equal(t, time.Minute, b.take(l, "k", 1).Reset)
	b.Clock.Advance(59 * time.Second)
	require.True(t, b.take(l, "k", 1).Allowed)
	d := b.take(l, "k", 1)
	require.False(t, d.Allowed)
	require.Equal(t, time.Second, d.RetryAfter)
	b.Clock.Advance(90 * time.Second)
	require.Equal(t, time.Minute, b.take(l, "k", 1).Reset)
}

// randomCalls compares each algorithm with what it promises over a long run.
func randomCalls(t *testing.T, b *bench) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, r := range algorithms {
		l := b.limiter(r)
		type taken struct {
			at   time.Time
			cost int64
		}
		var log []taken
		for range 120 {
			b.Clock.Advance(time.Duration(rnd.Int64N(int64(12 * time.Second))))
			cost := 1 + rnd.Int64N(3)
			d := b.take(l, "k", cost)
			if d.Allowed {
				log = append(log, taken{b.Clock.Now(), cost})
			}
			require.LessOrEqual(t, d.Remaining, r.Limit)
		}
		// No window of the length holds more than twice the limit, and none that
		// is aligned more than the limit; the others are stricter.
		aligned := map[int64]int64{}
		for i, x := range log {
			sum := int64(0)
			for _, y := range log[i:] {
				if y.at.Sub(x.at) < r.Window {
					sum += y.cost
				}
			}
			require.LessOrEqual(t, sum, 2*r.Limit)
			if r.Algorithm == policy.FixedWindow {
				aligned[x.at.UnixNano()/int64(r.Window)] += x.cost
			}
		}
		for _, sum := range aligned {
			require.LessOrEqual(t, sum, r.Limit)
		}
		require.NotEmpty(t, log)
	}
}

func clockGoesBack(t *testing.T, b *bench) {
	for _, r := range algorithms {
		l := b.limiter(r)
		b.Clock.Advance(time.Duration(60-b.Clock.Now().Second()) * time.Second)
		require.True(t, b.take(l, "k", 5).Allowed)
		b.Clock.Advance(-3 * time.Second)
		require.False(t, b.take(l, "k", 3).Allowed, r.Algorithm)
		b.Clock.Advance(3 * time.Second)
		require.False(t, b.take(l, "k", 3).Allowed, r.Algorithm)
	}
}
