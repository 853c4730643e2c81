package counter_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// R7.2: four gateways, uneven load, one limit of 1000.
func TestAccuracyOverFourGateways(t *testing.T) {
	t.Parallel()
	for _, fast := range []bool{false, true} {
		t.Run(map[bool]string{false: "exact", true: "fast"}[fast], func(t *testing.T) {
			t.Parallel()
			accuracy(t, fast)
		})
	}
}

func accuracy(t *testing.T, fast bool) {
	t.Helper()
	const syncEvery, pace = 100 * time.Millisecond, 10 * time.Millisecond
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	r := policy.Rule{Algorithm: policy.FixedWindow, Limit: 1000, Window: 1000 * time.Hour}
	var accepted, tried atomic.Int64
	var wg sync.WaitGroup
	begin := time.Now()
	for _, load := range []int{1, 2, 4, 9} { // calls each tick
		set := newSet(t, counter.Options{Redis: single(t, server), Budget: patient})
		l, err := set.Limiter(policy.LimiterSpec{
			Name: "n", Rules: []policy.Rule{r}, Shared: true, Fast: fast, SyncEvery: syncEvery,
		})
		require.NoError(t, err)
		wg.Go(func() {
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for range 150 {
				<-tick.C
				for range load {
					tried.Add(1)
					if d, err := l.Take("k", 1); err == nil && d.Allowed {
						accepted.Add(1)
					}
				}
			}
		})
	}
	wg.Wait()
	require.Greater(t, tried.Load(), int64(1500))
	if !fast {
		require.EqualValues(t, 1000, accepted.Load())
		return
	}
	// A mean rate per gateway; the pauses of a busy test machine count as delay.
	rate := float64(tried.Load()) / 4 / time.Since(begin).Seconds()
	bound := counter.ErrorBound(4, syncEvery, rate)
	t.Logf("accepted %d of %d tried, bound %d", accepted.Load(), tried.Load(), 1000+bound)
	require.GreaterOrEqual(t, accepted.Load(), int64(1000))
	require.LessOrEqual(t, accepted.Load(), 1000+bound)
}

// Nothing that was admitted gets lost on the way to Redis.
func TestFastCountsArrive(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	r := policy.Rule{Algorithm: policy.FixedWindow, Limit: 1 << 40, Window: 1000 * time.Hour}
	spec := policy.LimiterSpec{Name: "n", Rules: []policy.Rule{r}, Shared: true, Fast: true, SyncEvery: 5 * time.Millisecond}
	one := newSet(t, counter.Options{Redis: single(t, server), ProbeEvery: 10 * time.Millisecond})
	l, err := one.Limiter(spec)
	require.NoError(t, err)
	for i := range 20_000 {
		_, err := l.Take("k", 1)
		require.NoError(t, err)
		switch i {
		case 5_000, 15_000:
			server.Pause()
			lose(t, one, sharedLimiter(t, one, false, policy.FailLocal, hourly))
		case 10_000:
			server.Resume()
		}
	}
	server.Resume()
	recovered(t, one)
	two := newSet(t, counter.Options{Redis: single(t, server), Budget: patient})
	spec.Fast = false
	check, err := two.Limiter(spec)
	require.NoError(t, err)
	d, err := check.Peek("k")
	require.NoError(t, err)
	require.EqualValues(t, 20_000, d.Limit-d.Remaining, "a batch that is told twice counts once")
}

// After a sync each gateway knows what the others have counted, by every
// algorithm.
func TestFastGatewaysAgree(t *testing.T) {
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		t.Parallel()
		agree(t, single(t, testkit.Redis(t, testkit.RedisOptions{Control: true})))
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		_, client := cluster(t)
		agree(t, client)
	})
}

func agree(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	rules := []policy.Rule{
		{Algorithm: policy.FixedWindow, Limit: 100, Window: 1000 * time.Hour},
		{Algorithm: policy.SlidingWindow, Limit: 100, Window: 1000 * time.Hour},
		{Algorithm: policy.TokenBucket, Limit: 100, Window: 1000 * time.Hour},
		{Algorithm: policy.Calendar, Limit: 100, Period: "year"},
		{Algorithm: policy.Rolling, Limit: 100, Window: 1000 * time.Hour},
	}
	var sets []*counter.Set
	for range 3 {
		sets = append(sets, newSet(t, counter.Options{Redis: client}))
	}
	for _, r := range rules {
		var ls []policy.Limiter
		for _, s := range sets {
			l, err := s.Limiter(policy.LimiterSpec{
				Name: string(r.Algorithm), Rules: []policy.Rule{r}, Shared: true, Fast: true, SyncEvery: 5 * time.Millisecond,
			})
			require.NoError(t, err)
			ls = append(ls, l)
		}
		used := int64(0)
		for round := range 5 {
			for i, l := range ls {
				d, err := l.Take("k", int64(i+1))
				require.NoError(t, err)
				require.True(t, d.Allowed)
				used += int64(i + 1)
				recovered(t, sets[i])
			}
			d, err := ls[2].Peek("k") // the last one to sync
			require.NoError(t, err)
			require.Equal(t, 100-used, d.Remaining, "%s, round %d", r.Algorithm, round)
		}
	}
}
