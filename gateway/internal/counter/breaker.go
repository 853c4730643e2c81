package counter

import (
	"context"
	"sync/atomic"
	"time"
)

// tripAfter is how many calls must fail in a row.
const tripAfter = 3

// breaker keeps calls away from a server that does not answer.
type breaker struct {
	name  string
	fails atomic.Int32
	open  atomic.Bool
}

func (b *breaker) ok() {
	if b.fails.Load() != 0 {
		b.fails.Store(0)
	}
}

// fail counts failures and reports whether the breaker has just opened.
func (b *breaker) fail(weight int32) bool {
	return b.fails.Add(weight) >= tripAfter && b.open.CompareAndSwap(false, true)
}

// failed notes that a call of the server failed.
func (s *store) failed(b *breaker, weight int32, err error) {
	if s.ctx.Err() != nil || !b.fail(weight) {
		return
	}
	s.lost.Add(1)
	s.set.log.Warn("redis is lost: limits are counted as configured for its absence",
		"dependency", "redis", "server", b.name, "error", err)
	s.wg.Go(func() { s.revive(b) })
}

// revive waits until the server answers again, tells it what was counted in the
// meantime, and closes the breaker.
func (s *store) revive(b *breaker) {
	since := time.Now()
	tick := time.NewTicker(s.probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		gone, err := s.probe(b)
		if err != nil {
			continue
		}
		if !gone && s.flush(flushOf, b) != nil {
			continue
		}
		b.fails.Store(0)
		b.open.Store(false)
		s.lost.Add(-1)
		s.set.log.Info("redis is back: limits are shared again",
			"dependency", "redis", "server", b.name, "after", time.Since(since).Round(time.Millisecond))
		return
	}
}

// probe asks the server something small. It reports gone where the server is no
// longer a primary of the cluster.
func (s *store) probe(b *breaker) (gone bool, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.syncLimit)
	defer cancel()
	if s.cluster == nil || b == &s.main {
		// A write, so that a replica or a full server does not pass.
		return false, s.client.Set(ctx, s.prefix+"probe", s.node, time.Second).Err()
	}
	s.cluster.ReloadState(ctx)
	found := false
	if err := s.eachPrimary(ctx, func(ctx context.Context, addr string, ping func(context.Context) error) error {
		if addr != b.name {
			return nil
		}
		found = true
		return ping(ctx)
	}); err != nil {
		return false, err
	}
	return !found, nil
}
