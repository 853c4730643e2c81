package counter_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/internal/counter/countertest"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// R7.5: a restart does not reset a monthly quota.
func TestCountsOutliveARestart(t *testing.T) {
	t.Parallel()
	clock := countertest.NewClock(time.Date(2026, 5, 5, 5, 5, 5, 0, time.UTC))
	o := counter.Options{Path: filepath.Join(t.TempDir(), "counts"), Now: clock.Now}
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	specs := []policy.LimiterSpec{
		{Name: "quota", Rules: []policy.Rule{{Algorithm: policy.Calendar, Limit: 10, Period: "month", Location: zone}}},
		{Name: "rolling", Rules: []policy.Rule{{Algorithm: policy.Rolling, Limit: 10, Window: time.Hour}}},
		{Name: "bucket", Rules: []policy.Rule{{Algorithm: policy.TokenBucket, Limit: 10, Window: time.Hour}}},
	}
	for round := range 3 {
		s, err := counter.New(o)
		require.NoError(t, err)
		for _, spec := range specs {
			l, err := s.Limiter(spec)
			require.NoError(t, err)
			d, err := l.Take("key", 2)
			require.NoError(t, err)
			require.EqualValues(t, 8-2*round, d.Remaining, spec.Name)
		}
		require.NoError(t, s.Close())
		clock.Advance(time.Second)
	}
	clock.Advance(31 * 24 * time.Hour)
	s := newSet(t, o)
	l, err := s.Limiter(specs[0])
	require.NoError(t, err)
	d, err := l.Take("key", 2)
	require.NoError(t, err)
	require.EqualValues(t, 8, d.Remaining, "a month later it begins anew")
}

func TestDamagedFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "counts")
	s, err := counter.New(counter.Options{Path: path})
	require.NoError(t, err)
	l, err := s.Limiter(policy.LimiterSpec{Name: "n", Rules: []policy.Rule{hourly}})
	require.NoError(t, err)
	_, err = l.Take("k", 1)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range whole {
		bad := append([]byte(nil), whole...)
		bad[i] ^= 0x40
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		_, err = counter.New(counter.Options{Path: path})
		require.ErrorIs(t, err, counter.ErrDamaged)
	}
	require.NoError(t, os.WriteFile(path, whole[:len(whole)-1], 0o600))
	_, err = counter.New(counter.Options{Path: path})
	require.ErrorIs(t, err, counter.ErrDamaged)
}

// What Redis had not been told before a restart is told after it.
func TestUnsyncedCountsOutliveARestart(t *testing.T) {
	t.Parallel()
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	path := filepath.Join(t.TempDir(), "counts")
	s, err := counter.New(counter.Options{Redis: single(t, server), Path: path})
	require.NoError(t, err)
	l := sharedLimiter(t, s, false, policy.FailLocal, hourly)
	server.Kill()
	lose(t, s, l)
	_, err = l.Take("k", 30)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	server.Restart()
	s = newSet(t, counter.Options{Redis: single(t, server), Path: path, Budget: patient})
	l = sharedLimiter(t, s, false, policy.FailLocal, hourly)
	require.Eventually(t, func() bool { d, err := l.Peek("k"); return err == nil && d.Remaining == 70 },
		30*time.Second, 5*time.Millisecond)
}

// Somebody who invents keys can neither reset nor use up another's count.
func TestInventedKeys(t *testing.T) {
	t.Parallel()
	clock := countertest.NewClock(time.Date(2026, 5, 5, 5, 5, 5, 0, time.UTC))
	s := newSet(t, counter.Options{MaxKeys: 50, Now: clock.Now})
	l, err := s.Limiter(policy.LimiterSpec{Name: "n", Rules: []policy.Rule{
		{Algorithm: policy.FixedWindow, Limit: 10, Window: time.Minute},
	}})
	require.NoError(t, err)
	take := func(key string, cost int64) bool {
		d, err := l.Take(key, cost)
		require.NoError(t, err)
		return d.Allowed
	}
	require.True(t, take("known", 9))
	passed := 0
	for i := range 5000 {
		if take("invented-"+strconv.Itoa(i), 1) {
			passed++
		}
	}
	require.Equal(t, 49+10, passed, "the keys beyond the bound share one count")
	require.LessOrEqual(t, s.Status().Keys, 50)
	require.True(t, take("known", 1))
	require.False(t, take("known", 1), "its count was kept")
	clock.Advance(2 * time.Minute)
	require.Eventually(t, func() bool { return s.Status().Keys == 0 }, 30*time.Second, 20*time.Millisecond,
		"keys are forgotten when their window is over")
	require.True(t, take("another", 10))
}

func TestLimiterRefusesWhatItCannotServe(t *testing.T) {
	t.Parallel()
	s := newSet(t, counter.Options{})
	ok := policy.Rule{Algorithm: policy.FixedWindow, Limit: 1, Window: time.Second}
	for name, spec := range map[string]policy.LimiterSpec{
		"no rules":       {},
		"too many rules": {Rules: []policy.Rule{ok, ok, ok, ok, ok, ok, ok, ok, ok}},
		"algorithm":      {Rules: []policy.Rule{{Algorithm: "guess", Limit: 1}}},
		"limit":          {Rules: []policy.Rule{{Algorithm: policy.FixedWindow, Window: time.Second}}},
		"large limit":    {Rules: []policy.Rule{{Algorithm: policy.FixedWindow, Limit: counter.MaxUnits + 1, Window: time.Second}}},
		"burst":          {Rules: []policy.Rule{{Algorithm: policy.TokenBucket, Limit: 1, Burst: -1, Window: time.Second}}},
		"window":         {Rules: []policy.Rule{{Algorithm: policy.FixedWindow, Limit: 1, Window: time.Microsecond}}},
		"period":         {Rules: []policy.Rule{{Algorithm: policy.Calendar, Limit: 1, Period: "fortnight"}}},
		"no redis":       {Rules: []policy.Rule{ok}, Shared: true},
		"failure":        {Rules: []policy.Rule{ok}, OnStoreFailure: "panic"},
	} {
		_, err := s.Limiter(spec)
		require.Error(t, err, name)
	}
}

func TestConcurrentGivesBack(t *testing.T) {
	t.Parallel()
	s := newSet(t, counter.Options{MaxKeys: 1})
	l, err := s.Limiter(policy.LimiterSpec{Name: "n", Rules: []policy.Rule{{Algorithm: policy.Concurrent, Limit: 2}}})
	require.NoError(t, err)
	for range 3 {
		for _, key := range []string{"a", "b"} { // b finds no room, and is counted all the same
			for _, want := range []bool{true, true, false} {
				d, err := l.Take(key, 1)
				require.NoError(t, err)
				require.Equal(t, want, d.Allowed)
			}
		}
		for range 2 {
			l.Give("a", 1)
			l.Give("b", 1)
		}
		l.Give("a", 1) // one too many gives nothing
	}
}

// A process that is killed finds what the last save has kept.
func TestCountsAreSavedNowAndThen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "counts")
	s := newSet(t, counter.Options{Path: path, SaveEvery: 5 * time.Millisecond})
	l, err := s.Limiter(policy.LimiterSpec{Name: "n", Rules: []policy.Rule{hourly}})
	require.NoError(t, err)
	_, err = l.Take("k", 7)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		next, err := counter.New(counter.Options{})
		require.NoError(t, err)
		defer func() { require.NoError(t, next.Close()) }()
		require.NoError(t, next.Load(path))
		l, err := next.Limiter(policy.LimiterSpec{Name: "n", Rules: []policy.Rule{hourly}})
		require.NoError(t, err)
		d, err := l.Peek("k")
		return err == nil && d.Remaining == 93
	}, 30*time.Second, 5*time.Millisecond)
}
