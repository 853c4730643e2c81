package upstream

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
)

// Env is what an upstream uses of its surroundings. Only NewClient is required.
type Env struct {
	// NewClient makes the client for one address. The protocol is "http1", "h2",
	// "h2c" or "auto", as in unit.Upstream; ALPN names are already in the
	// target's TLS configuration.
	NewClient func(protocol string, o transport.ClientOptions) transport.Client
	// Resolver finds addresses; nil = a new [SystemResolver].
	Resolver Resolver
	// Clock tells the time; nil = the system's.
	Clock Clock
	// Log gets changes of condition; nil = nowhere.
	Log *slog.Logger
	// Metrics is told what happens; nil = nobody.
	Metrics Metrics
	// Random returns uniform bits and may be called at the same time; nil =
	// math/rand/v2.
	Random func() uint64
	// Allow returns an error for addresses that must not be called. It is asked
	// for literal addresses when configuration is loaded and for every address
	// when a connection is made; nil = the [Guard] without an admin address.
	Allow func(netip.AddrPort) error
	// MaxHeaderBytes bounds response headers; 0 = 64 KiB.
	MaxHeaderBytes int
}

// Resolver finds the addresses of a host name.
type Resolver interface {
	// Resolve returns all addresses of host. It may be called at the same time.
	Resolve(ctx context.Context, host string) (Answer, error)
}

// Answer is what a [Resolver] found.
type Answer struct {
	// Addrs has at least one address and no duplicates.
	Addrs []netip.Addr
	// TTL is how long the answer holds; negative = unknown.
	TTL time.Duration
}

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	// After returns a channel that receives once d has passed, and a function
	// that gives the wait up.
	After(d time.Duration) (c <-chan time.Time, stop func() bool)
}

// Metrics is told what happens. Calls must be quick and may come at the same
// time. Names of upstreams and targets are those of the configuration.
type Metrics interface {
	// Attempted is called once per attempt; failure is 0 where there was an
	// answer.
	Attempted(upstream, target string, status int, failure transport.Failure, took time.Duration)
	// Retried is called for each further attempt that was made, or that the
	// retry budget denied.
	Retried(upstream string, denied bool)
	// Changed is called when an endpoint's condition changes.
	Changed(upstream, target string, condition Condition)
	// Resolved is called after each resolution of a name.
	Resolved(upstream, host string, err error)
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) After(d time.Duration) (<-chan time.Time, func() bool) {
	t := time.NewTimer(d)
	return t.C, t.Stop
}

type noMetrics struct{}

func (noMetrics) Attempted(string, string, int, transport.Failure, time.Duration) {}
func (noMetrics) Retried(string, bool)                                            {}
func (noMetrics) Changed(string, string, Condition)                               {}
func (noMetrics) Resolved(string, string, error)                                  {}

// filled returns e with defaults for what is not set.
func (e Env) filled() Env {
	if e.Resolver == nil {
		e.Resolver = NewSystemResolver()
	}
	if e.Clock == nil {
		e.Clock = systemClock{}
	}
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	if e.Metrics == nil {
		e.Metrics = noMetrics{}
	}
	if e.Random == nil {
		e.Random = rand.Uint64
	}
	if e.Allow == nil {
		e.Allow = NewGuard(nil, nil).Check
	}
	if e.MaxHeaderBytes == 0 {
		e.MaxHeaderBytes = 64 << 10
	}
	return e
}
