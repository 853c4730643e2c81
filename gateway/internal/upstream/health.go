package upstream

import (
	"sync"
	"sync/atomic"
	"time"
)

// Condition is what is thought of an endpoint.
type Condition string

// The conditions.
const (
	// Healthy endpoints get requests.
	Healthy Condition = "healthy"
	// Ejected ones rest, after real requests failed.
	Ejected Condition = "ejected"
	// Trial: the rest is over, and the outcome of one request decides.
	Trial Condition = "trial"
	// Unhealthy ones fail their probes, which go on.
	Unhealthy Condition = "unhealthy"
	// Draining ones get no new requests, since their weight is negative.
	Draining Condition = "draining"
)

// trialLease bounds how long a trial may be undecided before another request
// may make one: recovery must not hang on a request that hangs.
const trialLease = 30 * time.Second

// passive are the rules of passive checks.
type passive struct {
	consecutive           int
	percent, minRequests  int
	window                time.Duration
	statuses              []int
	ejection, maxEjection time.Duration
	maxEjected            int // percent
}

// health is the condition of one endpoint. Two things are judged apart: real
// requests (healthy, ejected, trial, healthy or ejected again) and probes
// (passing or not). Passive states only ever end by time and requests, and
// probes go on for ever, so that no state is final.
//
// What each request touches is atomic; changes of state take the lock.
type health struct {
	fails  atomic.Int32 // in a row
	window atomic.Int64 // when the counts began
	seen   atomic.Int32
	bad    atomic.Int32
	lease  atomic.Int64 // no new trial before

	mu        sync.Mutex
	state     Condition // Healthy (also ""), Ejected or Trial
	until     instant   // of the ejection
	returned  instant   // end of the last ejection
	ejections int       // in a row
	last      time.Duration
	since     time.Time
	down      bool // by probes
	hits      int  // probes in a row that contradict down
}

// condition returns what holds at now, turning an ejection whose time is over
// into a trial, and when that will be.
func (h *health) condition(now instant) (c Condition, until instant) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == Ejected && now >= h.until {
		h.state = Trial
		h.lease.Store(0)
	}
	switch {
	case h.down:
		c = Unhealthy
	case h.state == "":
		c = Healthy
	default:
		c = h.state
	}
	if h.state == Ejected {
		return c, h.until
	}
	return c, never
}

// passiveOnly reports whether passive checks alone keep the endpoint from
// serving.
func (h *health) passiveOnly() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.down
}

// claim takes the trial. Only one request at a time gets it.
func (h *health) claim(now instant) bool {
	lease := h.lease.Load()
	return int64(now) >= lease && h.lease.CompareAndSwap(lease, int64(now)+int64(trialLease))
}

// good notes a request that went well.
func (h *health) good(p *passive, now instant) {
	if h.fails.Load() != 0 {
		h.fails.Store(0)
	}
	if p.percent > 0 {
		h.count(p, now)
	}
}

// failed notes a request that failed, and reports whether the endpoint should be
// ejected for it.
func (h *health) failed(p *passive, now instant) bool {
	eject := int(h.fails.Add(1)) >= p.consecutive
	if p.percent > 0 {
		seen := h.count(p, now)
		bad := h.bad.Add(1)
		eject = eject || int(seen) >= p.minRequests && int(bad)*100 >= p.percent*int(seen)
	}
	return eject
}

// count adds a request to the window and returns how many there are.
func (h *health) count(p *passive, now instant) int32 {
	began := h.window.Load()
	if int64(now)-began >= int64(p.window) && h.window.CompareAndSwap(began, int64(now)) {
		h.seen.Store(0)
		h.bad.Store(0)
	}
	return h.seen.Add(1)
}

// eject rests the endpoint. The time doubles where the last rest ended less than
// its own length ago.
func (h *health) eject(p *passive, now instant, at time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != Trial && now-h.returned >= instant(h.last) {
		h.ejections = 0
	}
	rest := p.ejection
	for range min(h.ejections, 64) {
		if rest *= 2; rest >= p.maxEjection {
			rest = p.maxEjection
			break
		}
	}
	h.ejections++
	h.state, h.until, h.last, h.since = Ejected, now+instant(rest), rest, at
	h.clear()
	return rest
}

// restore ends a trial that went well; false where there is none.
func (h *health) restore(now instant, at time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != Trial {
		return false
	}
	h.state, h.returned, h.since = Healthy, now, at
	h.clear()
	return true
}

// resting reports whether the endpoint is ejected or on trial.
func (h *health) resting() (ejected, trial bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state == Ejected, h.state == Trial
}

func (h *health) clear() {
	h.fails.Store(0)
	h.seen.Store(0)
	h.bad.Store(0)
}

// probed notes the outcome of a probe, and reports whether that changed the
// condition.
func (h *health) probed(a *active, ok bool, at time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ok != h.down { // as expected
		h.hits = 0
		return false
	}
	h.hits++
	if need := map[bool]int{true: a.healthy, false: a.unhealthy}[ok]; h.hits < need {
		return false
	}
	h.hits, h.down, h.since = 0, !ok, at
	return true
}

// forget drops what checks say that are no longer configured.
func (h *health) forget(keepActive, keepPassive bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !keepActive {
		h.down, h.hits = false, 0
	}
	if !keepPassive {
		h.state, h.ejections = Healthy, 0
		h.clear()
	}
}
