package signing_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/signing"
)

// turn does what the plan says.
func turn(t *testing.T, keys []signing.Key, now time.Time) []signing.Key {
	t.Helper()
	p := signing.Rotate(keys, now)
	keys = slices.DeleteFunc(keys, func(k signing.Key) bool { return slices.Contains(p.Drop, k.ID) })
	var last int64
	for _, k := range keys {
		last = max(last, k.Number)
	}
	for i, from := range p.Make {
		k, err := signing.New(last+1+int64(i), from)
		require.NoError(t, err)
		keys = append(keys, k)
	}
	require.Zero(t, signing.Rotate(keys, now), "once is enough")
	return keys
}

func TestRotation(t *testing.T) {
	t.Parallel()
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	var keys []signing.Key
	published := map[string]time.Time{} // when each was first seen
	signed := map[string]time.Time{}    // when each signed last
	for now := start; now.Before(start.Add(200 * 24 * time.Hour)); now = now.Add(time.Hour) {
		keys = turn(t, keys, now)
		require.LessOrEqual(t, len(keys), 3, "previous, current, next")
		require.GreaterOrEqual(t, len(keys), 2)
		current, ok := signing.Current(keys, now)
		require.True(t, ok)
		for _, k := range keys {
			if _, seen := published[k.ID]; !seen {
				published[k.ID] = now
			}
		}
		if _, before := signed[current.ID]; !before && !published[current.ID].Equal(start) {
			require.Greater(t, now.Sub(published[current.ID]), 29*24*time.Hour, "it was published long before it signs")
		}
		signed[current.ID] = now
		for id, last := range signed {
			if now.Sub(last) < 23*time.Hour {
				require.True(t, slices.ContainsFunc(keys, func(k signing.Key) bool { return k.ID == id }), "what it signed can still be verified")
			}
		}
	}
	require.Len(t, signed, 7)
}

func TestAfterALongPauseTheNextKeyIsPublishedFirst(t *testing.T) {
	t.Parallel()
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	keys := turn(t, nil, start)
	later := start.Add(400 * 24 * time.Hour)
	keys = turn(t, keys, later)
	current, _ := signing.Current(keys, later)
	require.EqualValues(t, 2, current.Number, "the one that was published before the pause")
	require.Len(t, keys, 2)
	require.True(t, keys[len(keys)-1].ActiveFrom.Equal(later.Add(signing.Overlap)))
	require.Len(t, current.Public(), 32)
}
