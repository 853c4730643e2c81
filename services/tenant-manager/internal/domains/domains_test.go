package domains_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/domains"
)

func TestWhenToLook(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	s := domains.State{ClaimedAt: now}
	var waits []time.Duration
	for range 12 {
		n := domains.After(s, domains.Missing, now)
		require.False(t, n.Verified)
		waits = append(waits, n.At.Sub(now).Round(time.Minute))
		s = n.State
	}
	require.Equal(t, []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360}, minutes(waits))
	require.Nil(t, domains.After(s, domains.Missing, now.Add(domains.Patience)).At, "nobody publishes it any more")

	n := domains.After(s, domains.Found, now)
	require.True(t, n.Verified)
	require.Equal(t, 24*time.Hour, n.At.Sub(now))
	require.Zero(t, n.Attempts)
	s = n.State

	// Silence says nothing about it, however long.
	n = domains.After(s, domains.Unanswered, now.Add(100*24*time.Hour))
	require.True(t, n.Verified)
	require.Nil(t, n.LostAt)

	// A record that is gone is waited for.
	n = domains.After(s, domains.Missing, now)
	require.True(t, n.Verified)
	require.True(t, n.Failing)
	require.Equal(t, now, *n.LostAt)
	later := now.Add(domains.Grace - time.Second)
	n = domains.After(n.State, domains.Other, later)
	require.True(t, n.Verified)
	require.False(t, n.Failing, "it is told once")
	back := domains.After(n.State, domains.Found, later)
	require.Nil(t, back.LostAt)
	n = domains.After(n.State, domains.Missing, now.Add(domains.Grace))
	require.False(t, n.Verified)
	require.True(t, n.Lost)
	require.NotNil(t, n.At, "it may come back")
	require.True(t, domains.After(n.State, domains.Found, now.Add(2*domains.Grace)).Verified)
}

func minutes(in []time.Duration) []time.Duration {
	out := make([]time.Duration, len(in))
	for i, d := range in {
		out[i] = d / time.Minute
	}
	return out
}

func TestDomainsThatCanHaveTheRecord(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"acme.example": true, "a.b.c.example": true, "xn--bcher-kva.example": true, "acme": false, "ACME.example": false, "acme.example.": false,
		"*.example": false, "_x.example": false, "": false, long(250): false,
	} {
		require.Equal(t, want, domains.IsDomain(name), name)
	}
	require.Equal(t, "_gatehouse-verification.acme.example", domains.RecordName("acme.example"))
}

func long(n int) string {
	b := make([]byte, 0, n)
	for len(b) < n-8 {
		b = append(b, "abc."...)
	}
	return string(append(b, "example"...))
}

func FuzzDomains(f *testing.F) {
	f.Add("acme.example")
	f.Add("a..b")
	f.Fuzz(func(t *testing.T, s string) {
		if domains.IsDomain(s) {
			require.LessOrEqual(t, len(domains.RecordName(s)), 253)
			require.NotContains(t, s, "..")
		}
	})
}
