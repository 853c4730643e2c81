package counter_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// logged is a log that a test may read while it is written.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

var hourly = policy.Rule{Algorithm: policy.FixedWindow, Limit: 100, Window: 1000 * time.Hour}

func sharedLimiter(t *testing.T, s *counter.Set, fast bool, f policy.StoreFailure, r policy.Rule) policy.Limiter {
	t.Helper()
	l, err := s.Limiter(policy.LimiterSpec{
		Name: "api/policies/0", Rules: []policy.Rule{r}, Shared: true, Fast: fast,
		SyncEvery: 20 * time.Millisecond, OnStoreFailure: f,
	})
	require.NoError(t, err)
	return l
}

// lose calls until the breaker is open.
func lose(t *testing.T, s *counter.Set, l policy.Limiter) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, _ = l.Peek("nobody")
		return !s.Status().Reachable
	}, 30*time.Second, time.Millisecond)
}

func recovered(t *testing.T, s *counter.Set) {
	t.Helper()
	require.Eventually(t, func() bool { st := s.Status(); return st.Reachable && st.Unsynced == 0 },
		30*time.Second, 5*time.Millisecond)
}

// R6.1, R6.3, R6.5: each behaviour, in both modes, with Redis killed and frozen.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	for _, frozen := range []bool{false, true} {
		for _, fast := range []bool{false, true} {
			name := map[bool]string{false: "killed", true: "frozen"}[frozen] + map[bool]string{false: " exact", true: " fast"}[fast]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				redisAway(t, frozen, fast)
			})
		}
	}
}

func redisAway(t *testing.T, frozen, fast bool) {
	t.Helper()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	var log logged
	set := newSet(t, counter.Options{
		Redis: single(t, server), Log: slog.New(slog.NewTextHandler(&log, nil)), ProbeEvery: 20 * time.Millisecond,
	})
	local := sharedLimiter(t, set, fast, policy.FailLocal, hourly)
	allow := sharedLimiter(t, set, fast, policy.FailAllow, hourly)
	deny := sharedLimiter(t, set, fast, policy.FailDeny, hourly)
	taken := 0
	for range 40 {
		d, err := local.Take("k", 1)
		require.NoError(t, err)
		require.True(t, d.Allowed)
		taken++
	}
	require.Eventually(t, func() bool { return set.Status().Unsynced == 0 }, 30*time.Second, time.Millisecond)
	if frozen {
		server.Pause()
	} else {
		server.Kill()
	}
	lose(t, set, local)

	// What was left goes on being counted, from where it stood.
	for range 80 {
		d, err := local.Take("k", 1)
		require.NoError(t, err)
		require.True(t, d.Estimated)
		if d.Allowed {
			taken++
		}
	}
	require.Equal(t, 100, taken)
	d, err := allow.Take("k", 1)
	require.NoError(t, err)
	require.True(t, d.Allowed)
	require.True(t, d.Estimated)
	_, err = deny.Take("k", 1)
	require.True(t, problem.Is(err, problem.CodeDependencyDown))
	p := problem.From(err)
	require.Equal(t, http.StatusServiceUnavailable, p.Status)
	require.NotEmpty(t, p.RetryAfterSeconds())

	// It is back, empty where it was killed: the count is as it was.
	if frozen {
		server.Resume()
	} else {
		server.Restart()
	}
	recovered(t, set)
	d, err = deny.Take("k", 1)
	require.NoError(t, err)
	require.False(t, d.Allowed)
	require.False(t, d.Estimated)
	other := newSet(t, counter.Options{Redis: single(t, server), Budget: patient})
	d, err = sharedLimiter(t, other, false, policy.FailDeny, hourly).Peek("k")
	require.NoError(t, err)
	require.Zero(t, d.Remaining, "another gateway sees what was counted meanwhile")
	require.Equal(t, 1, log.count("redis is lost"))
	require.Equal(t, 1, log.count("redis is back"))
	require.Contains(t, log.b.String(), "dependency=redis")
}

// R6.2: with Redis frozen no call takes longer than the budget, and with the
// breaker open calls cost nothing to speak of.
func TestBudgetWhileRedisIsFrozen(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	set := newSet(t, counter.Options{Redis: single(t, server), ProbeEvery: 50 * time.Millisecond})
	l := sharedLimiter(t, set, false, policy.FailLocal, hourly)
	_, err := l.Take("k", 1)
	require.NoError(t, err)
	server.Pause()
	defer server.Resume()
	var slowest time.Duration
	for set.Status().Reachable {
		begin := time.Now()
		_, err := l.Take("k", 0)
		slowest = max(slowest, time.Since(begin))
		require.NoError(t, err)
	}
	require.Less(t, slowest, 10*budget, "the budget, and what a busy machine adds")
	const calls = 2000
	begin := time.Now()
	for range calls {
		d, err := l.Take("k", 0)
		require.NoError(t, err)
		require.True(t, d.Estimated)
	}
	all := time.Since(begin)
	require.Less(t, all, calls*budget/20, "Redis is not waited for")
	t.Logf("slowest before the breaker opened: %s; each after: %s", slowest, all/calls)
}

func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	primary, client := sentinel(t)
	set := newSet(t, counter.Options{Redis: client, ProbeEvery: 50 * time.Millisecond})
	l := sharedLimiter(t, set, false, policy.FailLocal, hourly)
	for range 60 {
		d, err := l.Take("k", 1)
		require.NoError(t, err)
		require.True(t, d.Allowed)
	}
	primary.Kill()
	lose(t, set, l)
	recovered(t, set)
	taken := 60
	for range 60 {
		if d, err := l.Take("k", 1); err == nil && d.Allowed {
			taken++
		}
	}
	require.Equal(t, 100, taken)
}

func TestOneServerOfAClusterIsLost(t *testing.T) {
	t.Parallel()
	servers, client := cluster(t)
	set := newSet(t, counter.Options{Redis: client, ProbeEvery: 50 * time.Millisecond})
	l := sharedLimiter(t, set, false, policy.FailLocal, hourly)
	keys := strings.Split("abcdefghijklmnop", "")
	for _, k := range keys {
		_, err := l.Take(k, 50)
		require.NoError(t, err)
	}
	servers[1].Pause()
	estimated := func() (n int) {
		for _, k := range keys {
			d, err := l.Peek(k)
			require.NoError(t, err)
			if d.Estimated {
				n++
			}
			require.EqualValues(t, 50, d.Remaining)
		}
		return n
	}
	require.Eventually(t, func() bool { estimated(); return !set.Status().Reachable }, 30*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { n := estimated(); return n > 0 && n < len(keys) }, 30*time.Second, time.Millisecond,
		"the keys of the other servers go on being counted exactly")
	servers[1].Resume()
	require.Eventually(t, func() bool { return estimated() == 0 }, 30*time.Second, 20*time.Millisecond)
}

// While Redis is away each gateway admits its part of what was left.
func TestShareOfEachGateway(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	var sets []*counter.Set
	var limiters []policy.Limiter
	for range 4 {
		s := newSet(t, counter.Options{Redis: single(t, server), Gateways: 4, ProbeEvery: 20 * time.Millisecond})
		sets = append(sets, s)
		limiters = append(limiters, sharedLimiter(t, s, false, policy.FailLocal, hourly))
	}
	for i := range 20 {
		d, err := limiters[i%4].Take("k", 1)
		require.NoError(t, err)
		require.False(t, d.Estimated)
	}
	server.Pause()
	for i := range sets {
		lose(t, sets[i], limiters[i])
	}
	taken := 20
	for _, l := range limiters {
		for range 100 {
			if d, _ := l.Take("k", 1); d.Allowed {
				taken++
			}
		}
	}
	server.Resume()
	require.InDelta(t, 100, taken, 4)
	for _, s := range sets {
		recovered(t, s)
	}
	d, err := limiters[0].Peek("k")
	require.NoError(t, err)
	require.InDelta(t, 100-taken, d.Remaining, 4)
}

// Kong/kong#14995: a time to live in the wrong unit.
func TestKeysInRedisRunOut(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	client := single(t, server)
	set := newSet(t, counter.Options{Redis: client, Budget: patient, Prefix: "p:"})
	rules := map[string]policy.Rule{
		"fixed":    {Algorithm: policy.FixedWindow, Limit: 9, Window: 10 * time.Second},
		"sliding":  {Algorithm: policy.SlidingWindow, Limit: 9, Window: 10 * time.Second},
		"bucket":   {Algorithm: policy.TokenBucket, Limit: 9, Window: 10 * time.Second},
		"rolling":  {Algorithm: policy.Rolling, Limit: 9, Window: 10 * time.Second},
		"calendar": {Algorithm: policy.Calendar, Limit: 9, Period: "hour"},
	}
	for name, r := range rules {
		l, err := set.Limiter(policy.LimiterSpec{Name: name, Rules: []policy.Rule{r}, Shared: true})
		require.NoError(t, err)
		_, err = l.Take("k", 9)
		require.NoError(t, err)
		keys, err := client.Keys(context.Background(), "p:"+name+":*").Result()
		require.NoError(t, err)
		require.Len(t, keys, 1)
		ttl, err := client.PTTL(context.Background(), keys[0]).Result()
		require.NoError(t, err)
		most := map[string]time.Duration{"sliding": 21 * time.Second, "calendar": time.Hour + time.Second}[name]
		require.LessOrEqual(t, ttl, max(most, 11*time.Second+time.Millisecond), name)
		require.Positive(t, ttl, name)
	}
}

// A gateway that starts while Redis is away waits for nothing.
func TestStartWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	server.Kill()
	for name, c := range map[string]counter.Connection{
		"single":   {Addresses: []string{server.Addr}},
		"cluster":  {Addresses: []string{server.Addr}, Cluster: true},
		"sentinel": {Addresses: []string{server.Addr}, Primary: "main"},
	} {
		set := newSet(t, counter.Options{Redis: closing(t, counter.Connect(c)), ProbeEvery: 20 * time.Millisecond})
		l := sharedLimiter(t, set, false, policy.FailLocal, hourly)
		for range 10 {
			begin := time.Now()
			d, err := l.Take("k", 1)
			require.NoError(t, err)
			require.True(t, d.Allowed && d.Estimated)
			require.Less(t, time.Since(begin), 10*budget, name)
		}
		require.Eventually(t, func() bool { _, _ = l.Peek("k"); return !set.Status().Reachable }, 30*time.Second, time.Millisecond, name)
	}
	late := newSet(t, counter.Options{Redis: single(t, server), ProbeEvery: 20 * time.Millisecond})
	l := sharedLimiter(t, late, true, policy.FailLocal, hourly)
	_, err := l.Take("k", 30)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return !late.Status().Reachable }, 30*time.Second, time.Millisecond)
	server.Restart()
	recovered(t, late)
	other := newSet(t, counter.Options{Redis: single(t, server), Budget: patient})
	check := sharedLimiter(t, other, false, policy.FailLocal, hourly)
	require.Eventually(t, func() bool { d, err := check.Peek("k"); return err == nil && d.Remaining == 60 },
		30*time.Second, 5*time.Millisecond, "the 30, and the 10 that the first gateway has counted")
}

// Exact mode asks once for each call, whatever the number of rules.
func TestOneRoundTrip(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	client := single(t, server)
	set := newSet(t, counter.Options{Redis: client, Budget: patient})
	l, err := set.Limiter(policy.LimiterSpec{Name: "n", Shared: true, Rules: []policy.Rule{
		hourly, {Algorithm: policy.TokenBucket, Limit: 1000, Window: time.Hour}, {Algorithm: policy.Calendar, Limit: 1000, Period: "month"},
	}})
	require.NoError(t, err)
	_, err = l.Take("k", 1) // brings the script
	require.NoError(t, err)
	calls := func() int {
		info, err := client.Info(context.Background(), "commandstats").Result()
		require.NoError(t, err)
		_, after, _ := strings.Cut(info, "cmdstat_evalsha:calls=")
		n, _, _ := strings.Cut(after, ",")
		i, err := strconv.Atoi(n)
		require.NoError(t, err)
		return i
	}
	before := calls()
	for range 90 {
		_, err := l.Take("k", 1)
		require.NoError(t, err)
	}
	require.InDelta(t, before+90, calls(), 2, "but for the sign of life now and then")
}
