package router

import (
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What 10,000 APIs with ten operations cost beside their own definitions.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	var apis []API
	for i := range 10_000 {
		apis = append(apis, benchAPI(i, false))
	}
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	before := heap()
	x, _ := Build(slices.Clip(compileAll(t, apis)))
	grown := heap() - before
	runtime.KeepAlive(x)
	runtime.KeepAlive(apis)
	t.Logf("%d bytes for an API of ten operations", grown/10_000)
	require.Less(t, grown/10_000, uint64(2048))
}
