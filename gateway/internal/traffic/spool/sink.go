package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/traffic/buffer"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// Shipper delivers batches. An error means that the batch is to be sent again,
// unless it wraps [ErrRejected]. Receivers get a batch more than once where an
// answer was lost; its id tells.
type Shipper interface {
	Ship(ctx context.Context, b Batch) error
}

// ErrRejected says that a receiver will never take a batch: it is counted as
// lost, so that it does not hold up the others.
var ErrRejected = errors.New("batch was rejected")

// RetryAfter is an error that says when to try again.
type RetryAfter struct {
	After time.Duration
	Err   error
}

// Error returns the cause.
func (e *RetryAfter) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryAfter) Unwrap() error { return e.Err }

// Options are what a sink is made of. All are to be set but Backoff.
type Options struct {
	Dir                   string
	MaxBytes, Buffer      int64
	FlushEvery, SyncEvery time.Duration
	Shipper               Shipper
	Log                   *slog.Logger
	// Backoff is the pause after a first failure; it doubles up to MaxBackoff.
	// The defaults are 250ms and 30s.
	Backoff, MaxBackoff time.Duration
	// Drain is how long delivery goes on after the end of Run's context; the
	// default is 3s. What is left is delivered after the next start.
	Drain time.Duration
}

// Sink takes records, keeps them on disk and delivers them.
type Sink struct {
	o       Options
	buffer  *buffer.Buffer
	queue   atomic.Pointer[Queue]
	refused atomic.Int64
	errs    atomic.Int64
	failing bool
}

// Name returns "spool".
func (s *Sink) Name() string { return "spool" }

// NewSink returns a sink. The directory is opened by [Sink.Run], so that a new
// process can begin while an old one still empties its memory into it.
func NewSink(o Options) (*Sink, error) {
	if o.Backoff <= 0 {
		o.Backoff = 250 * time.Millisecond
	}
	if o.MaxBackoff <= 0 {
		o.MaxBackoff = 30 * time.Second
	}
	if o.Drain <= 0 {
		o.Drain = 3 * time.Second
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return nil, fmt.Errorf("opening spool: %w", err)
	}
	return &Sink{o: o, buffer: buffer.New(buffer.Options{
		Shards: runtime.GOMAXPROCS(0), MaxBytes: int(o.Buffer), FlushBytes: 256 << 10, FlushEvery: o.FlushEvery,
	})}, nil
}

// Add takes a copy of one line.
func (s *Sink) Add(hint uint32, line []byte, now int64) { s.buffer.Add(hint, line, now) }

// Flush waits until all that was added before is on disk.
func (s *Sink) Flush() { s.buffer.Flush() }

// Counts returns the records that were written to disk, those that were dropped
// before, and the number of failed writes and deliveries.
func (s *Sink) Counts() (records, dropped, errs int64) {
	n, lost := s.buffer.Stats()
	refused := s.refused.Load()
	return n - refused, lost + refused, s.errs.Load()
}

// Spooled returns what happened to records on disk.
func (s *Sink) Spooled() Stats {
	if q := s.queue.Load(); q != nil {
		return q.Stats()
	}
	return Stats{}
}

// Lost returns what was lost and not yet reported to the receiver.
func (s *Sink) Lost() []traffic.Loss {
	if q := s.queue.Load(); q != nil {
		return q.Lost()
	}
	return nil
}

// Run writes and delivers until ctx ends; then what is in memory is written, and
// delivery goes on for a short time.
func (s *Sink) Run(ctx context.Context) error {
	q, err := s.open(ctx)
	if err != nil {
		return err
	}
	s.queue.Store(q)
	shipCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	shipped, draining := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(shipped)
		s.ship(shipCtx, q, draining)
	}()
	synced := make(chan struct{})
	go func() {
		defer close(synced)
		s.sync(ctx, q)
	}()
	s.buffer.Run(ctx, func(c buffer.Chunk) {
		if err := q.Append(c.Lines, c.Records, time.Unix(0, c.First), time.Unix(0, c.Last)); err != nil {
			s.refused.Add(c.Records)
			s.fail("writing records to the spool", err)
		}
	})
	<-synced
	close(draining)
	timer := time.NewTimer(s.o.Drain)
	defer timer.Stop()
	select {
	case <-shipped:
	case <-timer.C:
		stop()
		<-shipped
	}
	return q.Close()
}

// open waits for the process that has the directory to end.
func (s *Sink) open(ctx context.Context) (*Queue, error) {
	for said := false; ; {
		q, err := Open(s.o.Dir, s.o.MaxBytes)
		if !errors.Is(err, ErrLocked) {
			return q, err
		}
		if !said {
			said = true
			s.o.Log.Info("waiting for another process to leave the spool", "dir", s.o.Dir)
		}
		if !pause(ctx, nil, 200*time.Millisecond) {
			return nil, err
		}
	}
}

func (s *Sink) sync(ctx context.Context, q *Queue) {
	for pause(ctx, nil, s.o.SyncEvery) {
		if err := q.Sync(); err != nil {
			s.fail("forcing the spool to disk", err)
		}
	}
}

// ship delivers until ctx ends, or, once draining is closed, until nothing is
// left or a delivery fails.
func (s *Sink) ship(ctx context.Context, q *Queue, draining <-chan struct{}) {
	backoff := s.o.Backoff
	for ctx.Err() == nil {
		last := closed(draining)
		b, ok, err := q.Next()
		if err == nil && !ok {
			if last {
				return
			}
			select {
			case <-ctx.Done():
			case <-draining:
			case <-q.added:
			}
			continue
		}
		if err == nil {
			err = s.o.Shipper.Ship(ctx, b)
			reason := ""
			if errors.Is(err, ErrRejected) {
				reason = "rejected"
				s.fail("delivering records", err)
				err = nil
			}
			if err == nil {
				err = q.Done(b, reason)
			}
		}
		if err == nil {
			backoff = s.o.Backoff
			if s.failing {
				s.failing = false
				s.o.Log.Info("records are delivered again")
			}
			continue
		}
		if !s.failing { // once, not for each try
			s.failing = true
			s.fail("delivering records; they stay in the spool", err)
		} else {
			s.errs.Add(1)
		}
		if last {
			return
		}
		wait := backoff/2 + rand.N(backoff/2+1)
		var later *RetryAfter
		if errors.As(err, &later) {
			wait = max(wait, min(later.After, s.o.MaxBackoff))
		}
		pause(ctx, draining, wait)
		backoff = min(2*backoff, s.o.MaxBackoff)
	}
}

func (s *Sink) fail(what string, err error) {
	s.errs.Add(1)
	s.o.Log.Error("the spool failed", "while", what, "dir", s.o.Dir, "err", err)
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// pause waits; it returns false where ctx ended first.
func pause(ctx context.Context, sooner <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-sooner:
	case <-t.C:
	}
	return true
}
