// Package load sends HTTP/1.1 requests over a fixed number of kept connections,
// checks every answer to the last byte, and measures how long each took. It does
// not know what it is sending to, nor what that costs there.
package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/histogram"
)

// Options say whom a session sends what.
type Options struct {
	Address     string
	TLS         *tls.Config // nil = clear text
	Connections int
	// Requests are whole requests without a body. For each to be sent one is
	// drawn at random, by a generator that starts the same way in every session.
	Requests [][]byte
	Want     Answer
	// KeepGoing counts failed requests and opens the connection anew, instead of
	// ending the run at the first.
	KeepGoing bool
}

// Run says how much to send.
type Run struct {
	// Count is the number of requests; 0 = as many as Duration allows.
	Count int64
	// Duration ends a run without Count. With Count it is ignored.
	Duration time.Duration
	// Rate is the number of requests that fall due each second; 0 = each
	// connection sends the next request when it has the answer to the last.
	Rate float64
	// Limit ends a run, with an error, that takes too long; 0 = one minute.
	Limit time.Duration
}

// Result is what a run measured.
type Result struct {
	Requests int64 // answered as they should be
	Elapsed  time.Duration
	Latency  *histogram.Histogram
	// Failed and Failures are the number of failed requests and the first few
	// reasons. Always empty without KeepGoing.
	Failed   int64
	Failures []error
	// Reopened counts connections that the other side closed in an orderly way,
	// after an answer that said so.
	Reopened int64
}

// Rate returns the answered requests per second.
func (r Result) Rate() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// ErrSlow says that a run did not end within its limit.
var ErrSlow = errors.New("run took longer than its limit")

const maxFailures = 5

// Session holds the connections. Its runs come one after the other.
type Session struct {
	opt   Options
	conns []*connection
}

// Open makes the connections, TLS handshakes included.
func Open(ctx context.Context, opt Options) (*Session, error) {
	if opt.Connections < 1 || len(opt.Requests) == 0 {
		return nil, errors.New("opening a session: at least one connection and one request are needed")
	}
	s := &Session{opt: opt}
	for i := range opt.Connections {
		c := &connection{opt: &s.opt, rng: rand.New(rand.NewPCG(uint64(i), 0))}
		if err := c.open(ctx); err != nil {
			s.Close()
			return nil, fmt.Errorf("opening connection %d: %w", i+1, err)
		}
		s.conns = append(s.conns, c)
	}
	return s, nil
}

// Close closes the connections.
func (s *Session) Close() {
	for _, c := range s.conns {
		_ = c.conn.Close() // nothing is under way
	}
}

// Do sends what r says and waits for all answers. Without KeepGoing the first
// request that fails ends the run and is the error, and the session is of no
// further use.
func (s *Session) Do(ctx context.Context, r Run) (Result, error) {
	if r.Limit == 0 {
		r.Limit = time.Minute
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.Limit, ErrSlow)
	defer cancel()

	t := &ticket{run: r, start: time.Now()}
	for _, c := range s.conns {
		c.begin()
	}
	var wg sync.WaitGroup
	for _, c := range s.conns {
		wg.Go(func() {
			if err := c.work(ctx, t); err != nil {
				c.fatal = err
				t.stop.Store(true)
			}
		})
	}
	// A connection that waits for an answer is woken by closing it.
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-ctx.Done():
			t.stop.Store(true)
			for _, c := range s.conns {
				c.interrupt()
			}
		case <-done:
		}
	})
	wg.Wait()
	elapsed := time.Since(t.start)
	close(done)
	watch.Wait()

	res := Result{Elapsed: elapsed, Latency: new(histogram.Histogram)}
	var first error
	for _, c := range s.conns {
		res.Latency.Add(&c.latency)
		res.Failed += c.failed
		res.Reopened += c.reopened
		res.Failures = append(res.Failures, c.failures...)
		if first == nil {
			first = c.fatal
		}
	}
	res.Failures = res.Failures[:min(len(res.Failures), maxFailures)]
	res.Requests = int64(res.Latency.Count())
	if err := context.Cause(ctx); err != nil {
		return res, err
	}
	return res, first
}

// ticket hands out the requests of a run to its connections.
type ticket struct {
	run   Run
	start time.Time
	taken atomic.Int64
	stop  atomic.Bool
}

// next returns when the next request falls due, or false where there is none.
func (t *ticket) next() (due time.Time, ok bool) {
	if t.stop.Load() {
		return time.Time{}, false
	}
	n := t.taken.Add(1) - 1
	if t.run.Count > 0 && n >= t.run.Count {
		return time.Time{}, false
	}
	if t.run.Rate > 0 {
		due = t.start.Add(time.Duration(float64(n) / t.run.Rate * float64(time.Second)))
	} else {
		due = time.Now()
	}
	if t.run.Count == 0 && due.Sub(t.start) >= t.run.Duration {
		return time.Time{}, false
	}
	return due, true
}

type connection struct {
	opt     *Options
	rng     *rand.Rand
	answers *answerReader

	mu          sync.Mutex // guards conn against interrupt
	conn        net.Conn
	interrupted bool

	latency  histogram.Histogram
	failed   int64
	failures []error
	reopened int64
	fatal    error
}

func (c *connection) begin() {
	c.latency = histogram.Histogram{}
	c.failed, c.failures, c.reopened, c.fatal = 0, nil, 0, nil
}

func (c *connection) open(ctx context.Context) error {
	d := net.Dialer{Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", c.opt.Address)
	if err != nil {
		return err
	}
	if c.opt.TLS != nil {
		t := tls.Client(conn, c.opt.TLS)
		if err := t.HandshakeContext(ctx); err != nil {
			return errors.Join(err, conn.Close())
		}
		conn = t
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interrupted {
		return errors.Join(net.ErrClosed, conn.Close())
	}
	c.conn = conn
	if c.answers == nil {
		c.answers = newAnswerReader(conn)
	} else {
		c.answers.src, c.answers.r, c.answers.w = conn, 0, 0
	}
	return nil
}

func (c *connection) interrupt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.interrupted = true
	_ = c.conn.Close() // ends what is under way on it
}

// work sends requests until there are none left.
func (c *connection) work(ctx context.Context, t *ticket) error {
	for {
		due, ok := t.next()
		if !ok {
			return nil
		}
		if wait := time.Until(due); wait > 0 {
			time.Sleep(wait)
			// What the timer is late is not the other side's fault. A request that
			// waits for a free connection is, and counts from when it was due.
			due = time.Now()
		}
		last, err := c.exchange()
		if err == nil {
			c.latency.Record(time.Since(due))
			if !last {
				continue
			}
			if c.opt.KeepGoing {
				c.reopened++
			} else {
				err = fmt.Errorf("%w: it closes the connection", ErrAnswer)
			}
		}
		if err != nil {
			if !c.opt.KeepGoing || ctx.Err() != nil {
				return err
			}
			c.failed++
			if len(c.failures) < maxFailures {
				c.failures = append(c.failures, err)
			}
		}
		_ = c.conn.Close() // what went wrong with it has been counted
		if err := c.open(ctx); err != nil {
			return fmt.Errorf("opening a connection anew: %w", err)
		}
	}
}

func (c *connection) exchange() (last bool, err error) {
	request := c.opt.Requests[0]
	if n := len(c.opt.Requests); n > 1 {
		request = c.opt.Requests[c.rng.IntN(n)]
	}
	if _, err := c.conn.Write(request); err != nil {
		return false, fmt.Errorf("sending: %w", err)
	}
	return c.answers.read(&c.opt.Want)
}
