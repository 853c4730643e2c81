package gateway

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

// percent returns the setting as it is.
func percent() int {
	p := debug.SetGCPercent(100)
	debug.SetGCPercent(p)
	return p
}

func TestASmallHeapMayGrowALargeOneLess(t *testing.T) {
	old := percent()
	t.Cleanup(func() { debug.SetGCPercent(old) })
	t.Setenv("GOGC", "")
	runtime.GC()
	now := tuneMemory(0)
	small := percent()
	require.Equal(t, small, now)
	require.Equal(t, now, tuneMemory(now), "it stays")
	require.LessOrEqual(t, small, 400)
	large := make([]byte, 256<<20)
	runtime.GC()
	runtime.GC() // what is live is known after a whole one
	tuneMemory(now)
	require.Less(t, percent(), small)
	require.GreaterOrEqual(t, percent(), 50)
	runtime.KeepAlive(large)

	debug.SetGCPercent(123)
	t.Setenv("GOGC", "123")
	tuneMemory(0)
	require.Equal(t, 123, percent(), "what the operator says is left alone")
}
