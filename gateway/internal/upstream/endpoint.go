package upstream

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
)

// instant is a time in nanoseconds since an upstream was first made. It follows
// the monotonic clock.
type instant int64

const never = instant(math.MaxInt64)

// endpoint is one address of a target and what is known of its condition. It
// outlives changes of configuration.
type endpoint struct {
	key    string // of target and address
	target string // URL as configured
	label  string // for people
	hash   uint64

	health   health
	latency  ewma
	requests atomic.Uint64
	failures atomic.Uint64
	lastErr  atomic.Pointer[lastError]
}

type lastError struct {
	at   time.Time
	text string
}

// failed counts a failure and keeps its cause for the status.
func (e *endpoint) failed(at time.Time, err error) {
	e.failures.Add(1)
	e.lastErr.Store(&lastError{at: at, text: err.Error()})
}

// link is a client for an endpoint. The owner holds one reference and each call
// one more until the response header is there, so that a client is never closed
// between being chosen and being used.
type link struct {
	client   transport.Client
	settings string
	refs     atomic.Int64
	closed   atomic.Bool
}

// acquire takes a reference; false where the client is closed.
func (l *link) acquire() bool {
	if l.refs.Add(1) > 1 {
		return true
	}
	l.refs.Add(-1)
	return false
}

func (l *link) release() {
	if l.refs.Add(-1) == 0 && l.closed.CompareAndSwap(false, true) {
		l.client.Close()
	}
}

// member is an endpoint with its place in one configuration.
type member struct {
	*endpoint
	link      *link
	target    *target
	address   string
	authority string // to send
	weight    int    // share of the schedule, 0 = draining
	priority  int
}

// decay is the time in which an old latency loses 63 % of its weight.
const decay = 10 * time.Second

// failurePenalty is the least latency that a failure counts as, so that a target
// which fails fast does not look like a fast one.
const failurePenalty = time.Second

// ewma is the exponentially weighted moving average of latency that rises at
// once and falls slowly ("peak EWMA", from Finagle). Updates that meet may lose
// one another, which an average can bear.
type ewma struct {
	value atomic.Uint64 // float64 bits, nanoseconds
	at    atomic.Int64
}

func (e *ewma) observe(took time.Duration, now instant) {
	old := math.Float64frombits(e.value.Load())
	sample := float64(took)
	if sample < old {
		w := math.Exp(-float64(int64(now)-e.at.Load()) / float64(decay))
		sample = old*w + sample*(1-w)
	}
	e.value.Store(math.Float64bits(sample))
	e.at.Store(int64(now))
}

// cost is what p2c compares: the latency as remembered, times the requests that
// wait for it. An endpoint of unknown latency is tried by one request first.
func (m *member) cost(now instant) float64 {
	busy := float64(m.link.client.InFlight())
	v := math.Float64frombits(m.latency.value.Load())
	if v == 0 {
		if busy == 0 {
			return 0
		}
		return float64(failurePenalty) * (busy + 1)
	}
	return v * math.Exp(-float64(int64(now)-m.latency.at.Load())/float64(decay)) * (busy + 1)
}
