package counter

import (
	"sync/atomic"
	"time"
)

// clock reads the time in microseconds since the epoch. It follows the
// monotonic clock, which is cheaper to read and does not step back, and is set
// right by adjust.
type clock struct {
	base  time.Time
	shift atomic.Int64 // microseconds to add to the monotonic time since base
	fake  func() time.Time
}

func newClock(fake func() time.Time) *clock {
	c := &clock{base: time.Now(), fake: fake}
	c.adjust()
	return c
}

func (c *clock) now() int64 {
	if c.fake != nil {
		return c.fake().UnixMicro()
	}
	return c.real()
}

// real is the time even where a test moves the clock: for what happens in the
// background.
func (c *clock) real() int64 {
	return int64(time.Since(c.base)/time.Microsecond) + c.shift.Load()
}

// adjust follows the system clock where it was set.
func (c *clock) adjust() {
	now := time.Now()
	want := now.UnixMicro() - int64(now.Sub(c.base)/time.Microsecond)
	if diff := want - c.shift.Load(); diff > 1000 || diff < -1000 {
		c.shift.Store(want)
	}
}
