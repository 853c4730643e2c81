package limit_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/limit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Second: "second", 90 * time.Second: "90 seconds", time.Minute: "minute", 10 * time.Minute: "10 minutes",
		24 * time.Hour: "day", 36 * time.Hour: "36 hours", 14 * 24 * time.Hour: "2 weeks", 250 * time.Millisecond: "250 milliseconds",
		1500 * time.Microsecond: "1.5ms",
	} {
		require.Equal(t, want, limit.Span(d))
	}
}

// R7.1.
func TestSentence(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	key, err := limit.NewKey("subscription", "/key", policy.Env{})
	require.NoError(t, err)
	shared := limit.Sharing{Mode: "exact"}
	minute := policy.Rule{Algorithm: policy.FixedWindow, Limit: 10, Window: time.Minute}
	for want, rules := range map[string][]policy.Rule{
		"10 per minute for each subscription, over all gateways": {minute},
		"10 per minute and 5 per second (at most 2 at once) for each subscription, over all gateways": {
			minute, {Algorithm: policy.TokenBucket, Limit: 5, Window: time.Second, Burst: 2},
		},
		"7 per calendar month (Europe/Berlin) for each subscription, over all gateways": {
			{Algorithm: policy.Calendar, Limit: 7, Period: "month", Location: berlin},
		},
		"3 at once for each subscription, over all gateways": {{Algorithm: policy.Concurrent, Limit: 3}},
	} {
		require.Equal(t, want, limit.Sentence(rules, "", key, shared.Words()))
	}
}

func TestFieldsStayWithinStructuredFields(t *testing.T) {
	t.Parallel()
	rules := []policy.Rule{{Algorithm: policy.Calendar, Limit: 1 << 53, Period: "year"}}
	var h policy.Header
	limit.NewFields("big", rules, limit.Bytes).Set(&h, policy.Decision{Remaining: 1 << 53, Reset: 1500 * time.Millisecond})
	require.Equal(t, `"big";q=999999999999999;qu="content-bytes";w=31536000`, h.Get("RateLimit-Policy"))
	require.Equal(t, `"big";r=999999999999999;t=2`, h.Get("RateLimit"))
}

// A value kept for one reset is not said for another.
func TestFieldsAreTrueWhenSaidAgain(t *testing.T) {
	t.Parallel()
	f := limit.NewFields("n", []policy.Rule{{Algorithm: policy.FixedWindow, Limit: 10, Window: time.Minute}}, limit.Requests)
	for _, reset := range []time.Duration{time.Second, 5 * time.Second, time.Second, 0, time.Second} {
		for _, left := range []int64{0, 10, 3, 2000} {
			var h policy.Header
			f.Set(&h, policy.Decision{Remaining: left, Reset: reset})
			want := `"n";r=` + limit.Count(left)
			if reset > 0 {
				want += ";t=" + limit.Count(int64(reset/time.Second))
			}
			require.Equal(t, want, h.Get("RateLimit"))
		}
	}
}

func TestKnownAddressCostsNoMemory(t *testing.T) {
	key, err := limit.NewKey("ip", "/key", policy.Env{})
	require.NoError(t, err)
	for addr, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64",
	} {
		ex := &policy.Exchange{}
		ex.Request.Client = netip.MustParseAddr(addr)
		got, byAddress, err := key.Of(ex)
		require.NoError(t, err)
		require.True(t, byAddress)
		require.Equal(t, want, got)
		require.Zero(t, testing.AllocsPerRun(100, func() { _, _, _ = key.Of(ex) }))
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	p := limit.Refused(problem.CodeRateLimited, "1 per second", policy.Decision{RetryAfter: 1200 * time.Millisecond})
	require.Equal(t, "2", p.RetryAfterSeconds())
	require.Empty(t, limit.Refused(problem.CodeRateLimited, "1 per second", policy.Decision{}).RetryAfterSeconds())
}
