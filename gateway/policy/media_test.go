package policy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

func TestMatchMedia(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, media string
		want           bool
	}{
		{"application/json", "application/json", true},
		{"text/*", "text/html", true},
		{"text/*", "application/text", false},
		{"*/*", "image/png", true},
		{"*/*+json", "application/problem+json", true},
		{"*/*+json", "application/json", false},
		{"application/*+xml", "application/soap+xml", true},
		{"application/*", "", false},
	} {
		require.Equal(t, c.want, policy.MatchMedia(c.pattern, c.media), "%s %s", c.pattern, c.media)
	}
	require.Equal(t, "text/html", policy.MediaType(" Text/HTML ; charset=utf-8"))
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	var h policy.Header
	h.Add("Accept-Encoding", "gzip;q=0.5, br; Q=0.25;x=1,, zstd")
	h.Add("accept-encoding", "identity;q=0, *;q=1.0, x;q=2, y;q=0.1234, z;q=,w;q=0.x")
	got := map[string]int{}
	for v, q := range h.Preferences("Accept-Encoding") {
		got[v] = q
	}
	require.Equal(t, map[string]int{
		"gzip": 500, "br": 250, "zstd": 1000, "identity": 0, "*": 1000, "x": 0, "y": 0, "z": 0, "w": 0,
	}, got)
}

func TestAddVary(t *testing.T) {
	t.Parallel()
	var h policy.Header
	policy.AddVary(&h, "Origin")
	policy.AddVary(&h, "origin")
	policy.AddVary(&h, "Accept")
	require.Equal(t, "Origin, Accept", h.Joined("Vary"))
	h.Set("Vary", "*")
	policy.AddVary(&h, "Origin")
	require.Equal(t, "*", h.Joined("Vary"))
}
