package counter_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

var benchRules = map[string][]policy.Rule{
	"fixed":      {{Algorithm: policy.FixedWindow, Limit: 1 << 50, Window: time.Second}},
	"sliding":    {{Algorithm: policy.SlidingWindow, Limit: 1 << 50, Window: time.Second}},
	"bucket":     {{Algorithm: policy.TokenBucket, Limit: 1 << 50, Window: time.Second}},
	"calendar":   {{Algorithm: policy.Calendar, Limit: 1 << 50, Period: "month"}},
	"rolling":    {{Algorithm: policy.Rolling, Limit: 1 << 50, Window: time.Second}},
	"concurrent": {{Algorithm: policy.Concurrent, Limit: 1 << 50}},
	"two rules": {
		{Algorithm: policy.FixedWindow, Limit: 1 << 50, Window: time.Second},
		{Algorithm: policy.FixedWindow, Limit: 1 << 50, Window: time.Hour},
	},
}

func BenchmarkTakeLocal(b *testing.B) {
	s, err := counter.New(counter.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close() })
	for name, rules := range benchRules {
		l, err := s.Limiter(policy.LimiterSpec{Name: name, Rules: rules})
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = l.Take("0192f0c1-application", 1)
			}
		})
	}
	l, err := s.Limiter(policy.LimiterSpec{Name: "parallel", Rules: benchRules["fixed"]})
	require.NoError(b, err)
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			key := strconv.Itoa(int(time.Now().UnixNano()))
			for pb.Next() {
				_, _ = l.Take(key, 1)
			}
		})
	})
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = "key-" + strconv.Itoa(i)
	}
	b.Run("100,000 keys", func(b *testing.B) {
		i := 0
		for b.Loop() {
			_, _ = l.Take(keys[i%len(keys)], 1)
			i += 7919
		}
	})
}

func TestTakeDoesNotAllocate(t *testing.T) {
	s := newSet(t, counter.Options{})
	for name, rules := range benchRules {
		l, err := s.Limiter(policy.LimiterSpec{Name: name, Rules: rules})
		require.NoError(t, err)
		_, _ = l.Take("k", 1)
		require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = l.Take("k", 1) }), name)
	}
}

func TestFastTakeDoesNotAllocate(t *testing.T) {
	server := testkit.Redis(t, testkit.RedisOptions{Control: true})
	s := newSet(t, counter.Options{Redis: single(t, server), SyncEvery: time.Minute})
	for name, rules := range benchRules {
		if name == "concurrent" {
			continue
		}
		l, err := s.Limiter(policy.LimiterSpec{Name: name, Rules: rules, Shared: true, Fast: true})
		require.NoError(t, err)
		_, _ = l.Take("k", 1)
		require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = l.Take("k", 1) }), name)
	}
}

func BenchmarkTakeShared(b *testing.B) {
	server := testkit.Redis(b, testkit.RedisOptions{Control: true})
	client := counter.Connect(counter.Connection{Addresses: []string{server.Addr}})
	s, err := counter.New(counter.Options{Redis: client, Budget: patient})
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close(); _ = client.Close() })
	for _, fast := range []bool{false, true} {
		l, err := s.Limiter(policy.LimiterSpec{Name: "n", Rules: benchRules["fixed"], Shared: true, Fast: fast})
		require.NoError(b, err)
		b.Run(map[bool]string{false: "exact", true: "fast"}[fast], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = l.Take("0192f0c1-application", 1)
			}
		})
	}
}
