package oauth

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

const (
	// addressRate is how often an address may do in a second what needs no
	// credential, and addressBurst how often at once.
	addressRate  = 5
	addressBurst = 50
	// waitingBurst is how many requests an address may have waiting for somebody to
	// sign in; they are kept for as long as that may take.
	waitingBurst = 200
)

// guesses holds wrong secrets of a client against an address: others are not
// kept out by somebody who guesses.
var guesses = throttle.Limit{Free: 10, First: time.Second, Longest: 15 * time.Minute, Forget: time.Hour}

// limits bound how fast somebody may ask. Wrong secrets are counted in the
// database for all instances; how long somebody waits for it is known here, so
// that who is right costs no query.
type limits struct {
	store *store.Store
	now   func() time.Time
	rate  int

	mu      sync.Mutex
	blocked map[string]time.Time
	buckets map[string]*rate.Limiter
}

func newLimits(s *store.Store, now func() time.Time, tokenRate int) *limits {
	return &limits{store: s, now: now, rate: tokenRate, blocked: map[string]time.Time{}, buckets: map[string]*rate.Limiter{}}
}

// bucket takes one from the bucket of a name, and returns how long to wait where
// it is empty.
func (l *limits) bucket(name string, perSecond rate.Limit, burst int) time.Duration {
	if perSecond <= 0 {
		return 0
	}
	now := l.now()
	l.mu.Lock()
	b := l.buckets[name]
	if b == nil {
		if len(l.buckets) >= mostKnown {
			for k, v := range l.buckets {
				if v.TokensAt(now) >= float64(v.Burst()) { // nothing is forgotten with it
					delete(l.buckets, k)
				}
			}
		}
		b = rate.NewLimiter(perSecond, burst)
		l.buckets[name] = b
	}
	l.mu.Unlock()
	r := b.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// client returns how long a client has to wait for its next token, which has
// proven who it is: nobody else takes from its bucket.
func (l *limits) client(id string) time.Duration {
	return l.bucket("client "+id, rate.Limit(l.rate), 2*l.rate)
}

// named returns how long somebody has to wait at an address who names a client,
// and has proven nothing yet: whoever knows its id holds up nobody elsewhere.
func (l *limits) named(client, ip string) time.Duration {
	return l.bucket("client "+client+" from "+ip, rate.Limit(l.rate), 2*l.rate)
}

// address returns how long an address has to wait that shows no credential.
func (l *limits) address(kind, ip string) time.Duration {
	return l.bucket(kind+" "+ip, addressRate, addressBurst)
}

// waiting returns how long an address has to wait whose requests wait for somebody to
// sign in: more are not kept at a time.
func (l *limits) waiting(ip string) time.Duration {
	return l.bucket("waiting "+ip, waitingBurst/rate.Limit(pendingLifetime.Seconds()), waitingBurst)
}

// spent returns how long an address has to wait that has shown too many tokens of a
// kind that were not good. Those that are good cost nothing.
func (l *limits) spent(kind, ip string) time.Duration {
	now := l.now()
	l.mu.Lock()
	b := l.buckets[kind+" "+ip]
	l.mu.Unlock()
	if b == nil {
		return 0
	}
	lacks := 1 - b.TokensAt(now)
	return max(time.Duration(lacks/addressRate*float64(time.Second)), 0)
}

// throttledError says how long a client has to wait.
type throttledError struct{ wait time.Duration }

func (e *throttledError) Error() string { return "too many requests of the client" }

func guess(client, ip string) store.Limited {
	return store.Limited{Name: "oauth client " + client + " from " + ip, Limit: guesses}
}

// waits returns how long a client has to wait at an address for wrong secrets.
func (l *limits) waits(client, ip string) time.Duration {
	name := guess(client, ip).Name
	l.mu.Lock()
	defer l.mu.Unlock()
	until, ok := l.blocked[name]
	if !ok {
		return 0
	}
	wait := until.Sub(l.now())
	if wait <= 0 {
		delete(l.blocked, name)
	}
	return max(wait, 0)
}

// wrong counts a wrong secret, also against the address.
func (l *limits) wrong(ctx context.Context, client, ip string) error {
	g := guess(client, ip)
	wait, err := l.store.Attempt(ctx, g, store.Limited{Name: "address " + ip, Limit: throttle.Address})
	if err != nil || wait == 0 {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.blocked) >= mostKnown {
		clear(l.blocked)
	}
	l.blocked[g.Name] = l.now().Add(wait)
	return nil
}
