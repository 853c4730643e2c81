package circuitbreaker

import (
	"sync/atomic"
	"time"
)

// tally is what a window has counted.
type tally struct{ calls, failed, slow int64 }

// window counts the calls of late.
type window interface {
	// add counts a call and returns the sums with it.
	add(r result, now time.Time) tally
}

// countWindow has the latest calls, in a ring.
type countWindow struct {
	next         atomic.Uint64
	ring         []atomic.Uint32 // result+1; 0 = no call yet
	failed, slow atomic.Int64
}

func newCountWindow(n int) *countWindow { return &countWindow{ring: make([]atomic.Uint32, n)} }

func (w *countWindow) add(r result, _ time.Time) tally {
	n := w.next.Add(1)
	old := w.ring[(n-1)%uint64(len(w.ring))].Swap(uint32(r) + 1)
	was := success
	if old > 0 {
		was = result(old - 1)
	}
	return tally{
		calls:  int64(min(n, uint64(len(w.ring)))),
		failed: w.failed.Add(int64(r&failure) - int64(was&failure)),
		slow:   w.slow.Add(int64(r&slowCall>>1) - int64(was&slowCall>>1)),
	}
}

const buckets = 10

// timeWindow has the calls of the latest time, in buckets that are used again.
type timeWindow struct {
	width int64 // of a bucket, in nanoseconds
	ring  [buckets]bucket
}

// bucket counts in words that hold the low bits of the time they are for, so
// that a word is begun anew and added to in one step.
type bucket struct{ calls, failed, slow atomic.Uint64 }

// A word is 24 bits of time and 40 bits of count.
const countBits = 40

func newTimeWindow(d time.Duration) *timeWindow { return &timeWindow{width: max(int64(d)/buckets, 1)} }

func (w *timeWindow) add(r result, now time.Time) tally {
	at := uint64(now.UnixNano() / w.width)
	b := &w.ring[at%buckets]
	count(&b.calls, at)
	if r&failure != 0 {
		count(&b.failed, at)
	}
	if r&slowCall != 0 {
		count(&b.slow, at)
	}
	var t tally
	for i := range w.ring {
		b := &w.ring[i]
		t.calls += recent(&b.calls, at)
		t.failed += recent(&b.failed, at)
		t.slow += recent(&b.slow, at)
	}
	return t
}

// count adds one to a word for the time at.
func count(word *atomic.Uint64, at uint64) {
	for {
		old := word.Load()
		next := at<<countBits | 1
		if old>>countBits == at&(1<<24-1) {
			next = old + 1
		}
		if word.CompareAndSwap(old, next) {
			return
		}
	}
}

// recent returns the count of a word, 0 where it is for a time before the
// window.
func recent(word *atomic.Uint64, at uint64) int64 {
	v := word.Load()
	if age := (at - v>>countBits) & (1<<24 - 1); age >= buckets {
		return 0
	}
	return int64(v & (1<<countBits - 1))
}
