// Package throttle is the rules of how fast somebody may guess: how long an
// account or an address waits after so many failures. It keeps nothing; whoever
// uses it keeps a [State] for each.
package throttle

import "time"

// Limit says how failures are held against something.
type Limit struct {
	// Free is how many failures cost nothing.
	Free int
	// First is the wait after the first failure past that; each further one
	// doubles it.
	First time.Duration
	// Longest bounds the wait.
	Longest time.Duration
	// Forget is after how long without a failure all is forgotten.
	Forget time.Duration
}

// The limits of signing in.
var (
	// Account holds failures against an account, whether there is one or not.
	Account = Limit{Free: 5, First: time.Second, Longest: 15 * time.Minute, Forget: 24 * time.Hour}
	// Address holds failures against an IP address, behind which there may be
	// many people.
	Address = Limit{Free: 50, First: time.Second, Longest: 15 * time.Minute, Forget: time.Hour}
	// Asking holds against an IP address what takes no secret, and costs us
	// something: every request counts, right or wrong.
	Asking = Limit{Free: 120, First: time.Second, Longest: time.Minute, Forget: 10 * time.Minute}
	// Looking holds what looks something up elsewhere for somebody who is signed in
	// against what is looked up.
	Looking = Limit{Free: 20, First: time.Second, Longest: time.Minute, Forget: 10 * time.Minute}
	// Polling holds the questions of a device that waits against it, whatever the
	// answer was: one in each interval of two seconds, with some leeway for clocks and
	// networks.
	Polling = Limit{Free: 1, First: 1500 * time.Millisecond, Longest: 1500 * time.Millisecond, Forget: time.Hour}
	// Telling holds what the audit trail tells of a token that is good for nothing against
	// the token, which whatever was left with it may send every second.
	Telling = Limit{Free: 1, First: time.Minute, Longest: 24 * time.Hour, Forget: 48 * time.Hour}
	// AskingFor holds requests for a new password against the e-mail address, so
	// that nobody is swamped with them.
	AskingFor = Limit{Free: 5, First: time.Minute, Longest: time.Hour, Forget: 24 * time.Hour}
)

// State is what is known of one account or address. The zero value is that of
// one without failures.
type State struct {
	// Failures counts those that are held against it.
	Failures int
	// LastAt is when the last one was.
	LastAt time.Time
	// BlockedUntil is when the next attempt may be made.
	BlockedUntil time.Time
}

// Wait returns how long until the next attempt may be made; 0 = now.
func (s State) Wait(now time.Time) time.Duration { return max(s.BlockedUntil.Sub(now), 0) }

// Attempt returns the state after an attempt, which counts as a failure until
// [State.Succeed] says otherwise: so attempts made at the same time count too.
func (l Limit) Attempt(s State, now time.Time) State {
	if now.Sub(s.LastAt) >= l.Forget {
		s = State{}
	}
	s.Failures++
	s.LastAt, s.BlockedUntil = now, now
	if over := s.Failures - l.Free; over >= 0 {
		wait := l.First
		for range min(over, 32) {
			wait = min(2*wait, l.Longest)
		}
		s.BlockedUntil = now.Add(min(wait, l.Longest))
	}
	return s
}

// Succeed returns the state of an address after one of its attempts was right:
// that one is not held against it.
func (s State) Succeed(now time.Time) State {
	s.Failures = max(s.Failures-1, 0)
	s.BlockedUntil = now
	return s
}
