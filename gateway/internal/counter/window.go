package counter

import (
	"math"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// never is the wait for a cost that cannot pass.
const never = math.MaxInt64

// cell is the state of one rule for one key. For a bucket count holds the bits
// of the level: the units taken and not yet refilled, as of start (the
// continuous-state leaky bucket of ITU-T I.371, the same as GCRA).
type cell struct {
	start int64 // of the window, microseconds; of a rolling window 0 = not begun
	count int64
	prev  int64 // count of the window before, for sliding
}

func (c *cell) level() float64     { return math.Float64frombits(uint64(c.count)) }
func (c *cell) setLevel(l float64) { c.count = int64(math.Float64bits(l)) }

// advance brings the cell to the window that now is in. A window that begins
// after now stays: a clock that goes back opens nothing again.
func (r *rule) advance(c *cell, now int64) {
	switch r.kind {
	case fixed, sliding:
		if d := now - c.start; uint64(d) >= uint64(r.window) {
			r.turn(c, now)
		}
	case calendar:
		if s := r.period.at(now); s.start != c.start && (s.start > c.start || c.start >= s.end+s.end-s.start) {
			*c = cell{start: s.start}
		}
	case rolling:
		if c.start != 0 && (now-c.start >= r.window || c.start-now > r.window) {
			*c = cell{}
		}
	case bucket:
		if c.start-now > r.window {
			c.start = now
		}
	case concurrent:
	}
}

// turn opens a new aligned window.
func (r *rule) turn(c *cell, now int64) {
	start := now - now%r.window
	switch {
	case start == c.start+r.window && r.kind == sliding:
		c.prev, c.count = c.count, 0
	case c.start > now && c.start-now <= r.window:
		return
	default:
		c.prev, c.count = 0, 0
	}
	c.start = start
}

// used returns what counts against the limit now. The cell is advanced.
func (r *rule) used(c *cell, now int64) float64 {
	switch r.kind {
	case bucket:
		l := c.level()
		if d := now - c.start; d > 0 {
			l -= float64(float64(d)*float64(r.limit)) / float64(r.window)
		}
		return max(0, l)
	case sliding:
		left := min(r.window, max(0, c.start+r.window-now))
		return float64(float64(c.prev)*float64(left))/float64(r.window) + float64(c.count)
	default:
		return float64(c.count)
	}
}

// fits reports whether cost can be taken now. The cell is advanced. The cost is
// compared with a difference, since a sum could be past what a double can hold.
func (r *rule) fits(c *cell, cost, now int64) bool {
	switch r.kind {
	case bucket:
		return float64(cost) <= float64(r.burst)-r.used(c, now)
	case sliding:
		if c.prev == 0 {
			return cost <= r.limit-c.count
		}
		return float64(cost) <= float64(r.limit)-r.used(c, now)
	default:
		return cost <= r.limit-c.count
	}
}

// add counts cost. The cell is advanced.
func (r *rule) add(c *cell, cost, now int64) {
	switch r.kind {
	case bucket:
		c.setLevel(min(MaxUnits, r.used(c, now)+float64(cost)))
		c.start = max(c.start, now)
		return
	case rolling:
		if c.start == 0 {
			c.start = now
		}
	default:
	}
	c.count = min(MaxUnits, c.count+cost)
}

// remaining returns the whole units left now.
func (r *rule) remaining(c *cell, now int64) int64 {
	if r.kind != bucket && (r.kind != sliding || c.prev == 0) {
		return max(0, r.limit-c.count)
	}
	return max(0, int64(math.Floor(float64(r.capacity())-r.used(c, now))))
}

// reset returns the microseconds until the window ends or the bucket is full.
func (r *rule) reset(c *cell, now int64) int64 {
	switch r.kind {
	case bucket:
		return int64(min(math.MaxInt64/4, math.Ceil(r.used(c, now)*float64(r.window)/float64(r.limit))))
	case calendar:
		return max(0, r.period.at(max(c.start, now)).end-now)
	case concurrent:
		return 0
	case rolling:
		if c.start == 0 {
			return r.window
		}
	default:
	}
	return max(0, c.start+r.window-now)
}

// wait returns the microseconds after which cost will fit, if nothing else is
// taken, or never.
func (r *rule) wait(c *cell, cost, now int64) int64 {
	if cost > r.capacity() || r.kind == concurrent {
		return never
	}
	switch r.kind {
	case bucket:
		over := r.used(c, now) + float64(cost) - float64(r.burst)
		return r.settle(c, cost, now, over*float64(r.window)/float64(r.limit))
	case sliding:
		left := c.start + r.window - now
		w := float64(r.window)
		if room := float64(r.limit - c.count - cost); room >= 0 {
			return r.settle(c, cost, now, float64(left)-w*room/float64(c.prev))
		}
		next := w * (1 - float64(r.limit-cost)/float64(c.count))
		return r.settle(c, cost, now, float64(left)+max(0, next))
	default:
		return r.reset(c, now)
	}
}

// settle makes the computed wait exact to the microsecond in spite of rounding.
func (r *rule) settle(c *cell, cost, now int64, guess float64) int64 {
	fits := func(d int64) bool {
		t := *c
		r.advance(&t, now+d)
		return r.fits(&t, cost, now+d)
	}
	if guess >= math.MaxInt64/4 {
		return never
	}
	hi := int64(max(1, math.Ceil(guess)))
	for step := int64(1); !fits(hi); step *= 2 {
		if hi > math.MaxInt64/4 {
			return never
		}
		hi += step
	}
	lo := hi - 1
	for step := int64(1); lo > 0 && fits(lo); step *= 2 {
		hi, lo = lo, max(0, lo-step)
	}
	for lo+1 < hi {
		if mid := lo + (hi-lo)/2; fits(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// over reports whether the cell says nothing any more that a new one would not.
func (r *rule) over(c *cell, now int64) bool {
	switch r.kind {
	case bucket:
		return r.used(c, now) == 0
	case sliding:
		return now-c.start >= 2*r.window
	case concurrent:
		return c.count <= 0
	case calendar:
		return c.start < r.period.at(now).start
	default:
		return now-c.start >= r.window
	}
}

// take takes cost from all cells or from none, and says how it stands.
func take(rules []rule, cells []cell, cost, now int64) (d policy.Decision) {
	if len(rules) == 1 { // the usual case, for speed
		r, c := &rules[0], &cells[0]
		r.advance(c, now)
		if r.fits(c, cost, now) {
			r.add(c, cost, now)
			d.Allowed, d.Limit, d.Remaining = true, r.capacity(), r.remaining(c, now)
			d.Reset = micros(r.reset(c, now))
			return d
		}
		return refusal(rules, cells, cost, now)
	}
	ok := true
	for i := range rules {
		rules[i].advance(&cells[i], now)
		ok = ok && rules[i].fits(&cells[i], cost, now)
	}
	if !ok {
		return refusal(rules, cells, cost, now)
	}
	for i := range rules {
		rules[i].add(&cells[i], cost, now)
	}
	return standing(rules, cells, now)
}

// standing speaks of the rule with the least left.
func standing(rules []rule, cells []cell, now int64) policy.Decision {
	best, left := 0, rules[0].remaining(&cells[0], now)
	for i := 1; i < len(rules); i++ {
		if l := rules[i].remaining(&cells[i], now); l < left {
			best, left = i, l
		}
	}
	return policy.Decision{
		Allowed: true, Rule: best, Limit: rules[best].capacity(), Remaining: left,
		Reset: micros(rules[best].reset(&cells[best], now)),
	}
}

// refusal speaks of the rule that must be waited for longest, so that the wait
// is true for all.
func refusal(rules []rule, cells []cell, cost, now int64) policy.Decision {
	best, longest := 0, int64(-1)
	for i := range rules {
		if rules[i].fits(&cells[i], cost, now) {
			continue
		}
		if w := rules[i].wait(&cells[i], cost, now); w > longest {
			best, longest = i, w
		}
	}
	d := policy.Decision{
		Rule: best, Limit: rules[best].capacity(), Remaining: rules[best].remaining(&cells[best], now),
		Reset: micros(rules[best].reset(&cells[best], now)),
	}
	if longest != never {
		d.RetryAfter = micros(longest)
	}
	return d
}

// peek says how it stands; the cells are advanced, nothing is taken.
func peek(rules []rule, cells []cell, now int64) policy.Decision {
	for i := range rules {
		rules[i].advance(&cells[i], now)
	}
	return standing(rules, cells, now)
}

func micros(us int64) time.Duration {
	if us > math.MaxInt64/int64(time.Microsecond) {
		return math.MaxInt64
	}
	return time.Duration(us) * time.Microsecond
}
