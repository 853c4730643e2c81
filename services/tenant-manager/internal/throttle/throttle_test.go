package throttle_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

func TestWaitsDouble(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	limit := throttle.Limit{Free: 3, First: time.Second, Longest: 10 * time.Second, Forget: time.Hour}
	var s throttle.State
	for i, want := range []time.Duration{0, 0, 1, 2, 4, 8, 10, 10} {
		s = limit.Attempt(s, now)
		require.Equal(t, want*time.Second, s.Wait(now), "after failure %d", i+1)
		now = s.BlockedUntil
		require.Zero(t, s.Wait(now))
	}
	require.Equal(t, 8, s.Failures)
	require.Equal(t, 7, s.Succeed(now).Failures)
	require.Zero(t, throttle.State{}.Succeed(now).Failures)

	now = now.Add(time.Hour)
	s = limit.Attempt(s, now)
	require.Equal(t, 1, s.Failures, "an hour later all is forgotten")
	require.Zero(t, s.Wait(now))
}

func TestManyFailuresWaitNoLongerThanTheLongest(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := throttle.State{Failures: 1 << 30, LastAt: now}
	require.Equal(t, throttle.Account.Longest, throttle.Account.Attempt(s, now).Wait(now))
}
