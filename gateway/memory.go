package gateway

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"runtime/metrics"
)

// smallHeap is the heap up to which memory is traded for processor time.
const smallHeap = 16 << 20

// apart is by how much the heap of this process grows more or less than that of
// others before it is collected. Gateways of a group make the same garbage at the same
// time, from the same changes: those that share a machine would all collect it at once.
var apart = 0.75 + 0.5*rand.Float64()

// tuneMemory lets a small heap grow to several times its size before it is
// collected: most of what a request allocates dies with it, and a gateway that
// lives on a few megabytes would otherwise collect hundreds of times a second.
// A large heap is collected as usual. GOGC in the environment wins.
//
// The setting is changed only where that makes a difference to what it is now,
// which is returned: changing it waits for a collection under way to end.
func tuneMemory(now int) int {
	if os.Getenv("GOGC") != "" {
		return now
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := 400
	if l := live[0].Value.Uint64(); l > smallHeap {
		percent = min(400, max(50, int(apart*float64(400*smallHeap/l))))
	}
	if now == 0 || percent < now*4/5 || percent > now*5/4 {
		debug.SetGCPercent(percent)
		return percent
	}
	return now
}
