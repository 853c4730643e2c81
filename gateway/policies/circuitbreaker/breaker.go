package circuitbreaker

import (
	"sync/atomic"
	"time"
)

// state is one of the three states of a breaker.
type state uint8

const (
	closed state = iota
	open
	halfOpen
)

func (s state) String() string { return [...]string{"closed", "open", "half-open"}[s] }

// result is what became of a call, as a set of bits.
type result uint8

const (
	success  result = 0
	failure  result = 1
	slowCall result = 2
	// neutral calls never reached the upstream, or the client left.
	neutral result = 4
)

// rules say when a breaker changes. Rates are from 0 to 1.
type rules struct {
	window                time.Duration
	windowCalls, minimum  int
	failureRate, slowRate float64
	slowCall              time.Duration
	consecutive           int64
	open, maxOpen         time.Duration
	growth                float64
	probes                int64
}

// breaker judges the calls of one upstream. Nothing in it locks: what is
// counted belongs to a phase, a change of state swaps the phase, and what
// arrives for an old phase counts no more.
type breaker struct {
	rules   rules
	random  func() float64
	changed func(to state, why string)
	phase   atomic.Pointer[phase]
}

// phase is the time between two changes of state.
type phase struct {
	state state
	// until is when an open phase ends, and when a half-open one gives up waiting
	// for its probes, in Unix nanoseconds.
	until int64
	rest  time.Duration // how long the open phase is, or the latest was

	window      window       // closed
	consecutive atomic.Int64 // closed: failures in a row

	admitted  atomic.Int64 // half-open
	succeeded atomic.Int64 // half-open
}

func newBreaker(r rules, random func() float64) *breaker {
	b := &breaker{rules: r, random: random, changed: func(state, string) {}}
	b.phase.Store(b.newClosed())
	return b
}

func (b *breaker) newClosed() *phase {
	p := &phase{state: closed}
	if b.rules.windowCalls > 0 {
		p.window = newCountWindow(b.rules.windowCalls)
	} else {
		p.window = newTimeWindow(b.rules.window)
	}
	return p
}

// enter admits a call, and returns the phase to hand to leave; or nil and how
// long to wait.
func (b *breaker) enter(now time.Time) (*phase, time.Duration) {
	for {
		p := b.phase.Load()
		switch p.state {
		case closed:
			return p, 0
		case open:
			if wait := p.until - now.UnixNano(); wait > 0 {
				return nil, time.Duration(wait)
			}
			b.probe(p, now, "the rest is over")
		case halfOpen:
			if p.admit(b.rules.probes) {
				return p, 0
			}
			wait := p.until - now.UnixNano()
			if wait > 0 {
				return nil, min(time.Duration(wait), b.rules.open)
			}
			b.probe(p, now, "no probe has come back") // so that it is never stuck
		}
	}
}

// probe begins a half-open phase after p.
func (b *breaker) probe(p *phase, now time.Time, why string) {
	next := &phase{state: halfOpen, rest: p.rest, until: now.Add(max(b.rules.open, time.Minute)).UnixNano()}
	if b.phase.CompareAndSwap(p, next) {
		b.changed(halfOpen, why)
	}
}

// admit takes one of n places.
func (p *phase) admit(n int64) bool {
	for {
		have := p.admitted.Load()
		if have >= n {
			return false
		}
		if p.admitted.CompareAndSwap(have, have+1) {
			return true
		}
	}
}

// leave tells what became of a call that p admitted.
func (b *breaker) leave(p *phase, r result, now time.Time) {
	if b.phase.Load() != p {
		return // its time is over
	}
	switch p.state {
	case closed:
		if r&neutral == 0 {
			b.judge(p, r, now)
		}
	case halfOpen:
		switch {
		case r&neutral != 0:
			p.admitted.Add(-1) // another may try
		case r&failure != 0:
			b.trip(p, now, "a probe failed")
		case r&slowCall != 0 && b.rules.slowRate > 0:
			b.trip(p, now, "a probe was slow")
		case p.succeeded.Add(1) == b.rules.probes:
			if b.phase.CompareAndSwap(p, b.newClosed()) {
				b.changed(closed, "the probes succeeded")
			}
		}
	case open: // admits no call
	}
}

func (b *breaker) judge(p *phase, r result, now time.Time) {
	if r&failure == 0 {
		if p.consecutive.Load() != 0 { // most often nothing is to be written
			p.consecutive.Store(0)
		}
	} else if n := p.consecutive.Add(1); b.rules.consecutive > 0 && n >= b.rules.consecutive {
		b.trip(p, now, "failures in a row")
		return
	}
	t := p.window.add(r, now)
	if t.failed == 0 && t.slow == 0 || t.calls < int64(b.rules.minimum) {
		return
	}
	switch {
	case b.rules.failureRate > 0 && float64(t.failed) >= b.rules.failureRate*float64(t.calls):
		b.trip(p, now, "failure rate")
	case b.rules.slowRate > 0 && t.slow > 0 && float64(t.slow) >= b.rules.slowRate*float64(t.calls):
		b.trip(p, now, "rate of slow calls")
	}
}

// trip opens the breaker after p. A rest after failed probes is longer than the
// one before. A tenth is added at random, so that gateways do not probe all at
// once.
func (b *breaker) trip(p *phase, now time.Time, why string) {
	rest := b.rules.open
	if p.state == halfOpen {
		rest = min(time.Duration(float64(p.rest)*b.rules.growth), b.rules.maxOpen)
	}
	jitter := time.Duration(b.random() * float64(rest) / 10)
	next := &phase{state: open, rest: rest, until: now.Add(rest + jitter).UnixNano()}
	if b.phase.CompareAndSwap(p, next) {
		b.changed(open, why)
	}
}
