package api

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/gatehouse/gatehouse/libs/problem"
)

const (
	// wrongRate is how many tickets that are not right an address may show in a
	// second, and wrongBurst how many at once.
	wrongRate  = 1
	wrongBurst = 20
	// mostAddresses bounds what is kept in memory.
	mostAddresses = 10_000
)

// guesses hold tickets that are not right against the address that they come from.
// Tickets are 256 random bits that live for a minute: what is bound here is the
// work that somebody can cause, for which each instance counts by itself.
type guesses struct {
	now func() time.Time

	mu    sync.Mutex
	known map[string]*rate.Limiter
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, known: map[string]*rate.Limiter{}}
}

// check returns a problem 429 where an address has to wait.
func (g *guesses) check(ip string) error {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.known[ip]
	if b == nil {
		return nil
	}
	wait := time.Duration((1 - b.TokensAt(now)) / wrongRate * float64(time.Second))
	if wait <= 0 {
		return nil
	}
	wait = (wait + time.Second - 1).Truncate(time.Second)
	return problem.New(problem.CodeRateLimited, "too many tickets that were not right: try again in %s", wait).WithRetryAfter(wait)
}

// wrong holds a ticket against an address.
func (g *guesses) wrong(ip string) {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.known[ip]
	if b == nil {
		if len(g.known) >= mostAddresses {
			for k, v := range g.known {
				if v.TokensAt(now) >= wrongBurst { // nothing is forgotten with it
					delete(g.known, k)
				}
			}
		}
		b = rate.NewLimiter(wrongRate, wrongBurst)
		g.known[ip] = b
	}
	b.AllowN(now, 1)
}
