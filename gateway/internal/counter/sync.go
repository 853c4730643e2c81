package counter

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	syncTick  = 20 * time.Millisecond
	batchSize = 256
	retryIn   = 50_000 // microseconds
)

// ErrorBound returns by how many units fast mode may exceed a limit: gateways
// that each admit up to rate units a second learn of the others' consumption
// after at most two syncs, and of their own at once.
func ErrorBound(gateways int, syncEvery time.Duration, rate float64) int64 {
	if gateways < 2 {
		return 0
	}
	stale := 2 * (syncEvery + syncTick).Seconds()
	return int64(math.Ceil(float64(gateways) * rate * stale))
}

// dirty is an entry with something to tell Redis.
type dirty struct {
	entry *entry
	shard *shard
	due   int64
}

// queue has the entry synced after so many microseconds. Its shard is locked.
func (s *store) queue(e *entry, sh *shard, after int64) {
	if e.shared().queued {
		return
	}
	e.share.queued = true
	due := s.set.clock.real() + after
	s.queueMu.Lock()
	s.queued = append(s.queued, dirty{entry: e, shard: sh, due: due})
	s.queueMu.Unlock()
}

func (s *store) unsynced() int {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	return len(s.queued) + s.sending
}

// run syncs and says that this gateway is alive, until the set is closed.
func (s *store) run() {
	tick, beat := time.NewTicker(syncTick), time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	defer beat.Stop()
	s.heartbeat()
	for {
		select {
		case <-s.done:
			return
		case <-beat.C:
			s.heartbeat()
		case <-tick.C:
			if s.cluster != nil || !s.main.open.Load() {
				_ = s.flush(flushDue, nil) // tried again
			}
		}
	}
}

// heartbeat counts the gateways and reads the clock of Redis.
func (s *store) heartbeat() {
	if s.main.open.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.syncLimit)
	defer cancel()
	before := s.set.clock.real()
	v, err := s.alive.Run(ctx, s.client, []string{s.prefix + "gateways"}, s.node, aliveSeconds).Slice()
	if err == nil && len(v) != 2 {
		err = errAnswer
	}
	if err != nil {
		// Of a cluster only one server is asked, of which the others are no worse.
		if s.cluster == nil {
			s.failed(&s.main, 1, err)
		}
		return
	}
	text, _ := v[0].(string)
	now, _ := strconv.ParseInt(text, 10, 64)
	n, _ := v[1].(int64)
	s.compare(before, now)
	s.known.Store(n)
}

// What flush tells.
type flushing uint8

const (
	flushDue flushing = iota // what is due, of the servers that answer
	flushOf                  // all of one server
	flushAll
)

var errAnswer = errors.New("redis answered the gateways script in another form")

// flush tells Redis what entries have counted. What could not be told stays
// queued.
func (s *store) flush(what flushing, of *breaker) error {
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	s.queueMu.Lock()
	all := s.queued
	s.queued, s.sending = nil, len(all)
	s.queueMu.Unlock()
	if len(all) == 0 {
		return nil
	}
	now := s.set.clock.real()
	var later, batch []dirty
	var err error
	for _, d := range all {
		if err != nil || !s.wanted(what, of, d, now) {
			later = append(later, d)
			continue
		}
		if batch = append(batch, d); len(batch) == batchSize {
			rest, e := s.send(batch)
			later, batch, err = append(later, rest...), batch[:0], e
		}
	}
	if err == nil && len(batch) > 0 {
		batch, err = s.send(batch)
	}
	later = append(later, batch...)
	s.queueMu.Lock()
	s.queued, s.sending = append(s.queued, later...), 0
	s.queueMu.Unlock()
	return err
}

func (s *store) wanted(what flushing, of *breaker, d dirty, now int64) bool {
	switch what {
	case flushDue:
		return d.due <= now && s.breaker(d.entry.owner, d.entry.key) != nil
	case flushOf:
		return of == &s.main || s.homeOf(d.entry.owner, d.entry.key) == of
	default:
		return true
	}
}

// send tells Redis one batch, and returns what it has not confirmed.
func (s *store) send(batch []dirty) ([]dirty, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.syncLimit)
	defer cancel()
	before := s.set.clock.real()
	pipe := s.client.Pipeline()
	var sent []dirty
	var calls []*redis.Cmd
	var seqs []int64
	for _, d := range batch {
		args, seq := s.prepare(d)
		if seq != 0 {
			key := d.entry.owner.redis + d.entry.key
			calls = append(calls, pipe.EvalSha(ctx, s.count.Hash(), []string{key}, args...))
			sent, seqs = append(sent, d), append(seqs, seq)
		}
	}
	if len(sent) == 0 {
		return nil, nil
	}
	_, _ = pipe.Exec(ctx) // each call has its own error
	var later []dirty
	var failed error
	for i, d := range sent {
		v, err := calls[i].Result()
		if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
			v, err = s.again(ctx, calls[i])
		}
		var r reply
		if err == nil {
			r, err = d.entry.owner.parse(v)
		}
		if err != nil {
			s.failed(s.homeOf(d.entry.owner, d.entry.key), tripAfter, err)
			failed = errors.Join(failed, err)
			d.due = s.set.clock.real() + retryIn
			later = append(later, d)
			continue
		}
		if i == 0 {
			s.compare(before, r.now)
		}
		if s.confirm(d, r, seqs[i]) {
			later = append(later, dirty{entry: d.entry, shard: d.shard, due: d.due + int64(s.syncEvery/time.Microsecond)})
		}
	}
	return later, failed
}

// prepare puts what is pending under a number, unless a number is still
// unconfirmed: then that is told again, and counts once.
func (s *store) prepare(d dirty) (args []any, seq int64) {
	e := d.entry
	d.shard.mu.Lock()
	defer d.shard.mu.Unlock()
	sh := e.share
	if !sh.waiting() {
		sh.queued = false
		return nil, 0
	}
	if sh.seq == 0 {
		sh.seq = s.seq.Add(1)
		copy(sh.sent, sh.pend)
		for i := range sh.pend {
			sh.pend[i].count, sh.pend[i].prev = 0, 0
		}
	}
	return s.args(e.owner, opAdd, sh.seq, sh.base, func(i int) (int64, int64, int64) {
		return sh.sent[i].count, sh.sent[i].prev, sh.sent[i].start
	}), sh.seq
}

// confirm takes over an answer and reports whether there is more to tell.
func (s *store) confirm(d dirty, r reply, seq int64) bool {
	d.shard.mu.Lock()
	defer d.shard.mu.Unlock()
	d.entry.learn(r.cells, r.now, seq)
	d.entry.share.queued = d.entry.share.waiting()
	return d.entry.share.queued
}

// again runs a call with the script itself, for a server that does not have it.
func (s *store) again(ctx context.Context, call *redis.Cmd) (any, error) {
	a := call.Args() // evalsha, digest, number of keys, key, arguments
	key, _ := a[3].(string)
	return s.count.Eval(ctx, s.client, []string{key}, a[4:]...).Result()
}

// close tells Redis what is left, within a bound, and that this gateway goes.
func (s *store) close() {
	if s.reachable() {
		_ = s.flush(flushAll, nil) // what is left is saved
		ctx, cancel := context.WithTimeout(s.ctx, s.syncLimit)
		_ = s.client.ZRem(ctx, s.prefix+"gateways", s.node).Err() // it runs out by itself
		cancel()
	}
	s.stop()
	s.wg.Wait()
}
