package counter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Options are how a [Set] counts. The zero value counts here only and keeps
// nothing over a restart.
type Options struct {
	// Log gets one line when Redis is lost and one when it is back.
	Log *slog.Logger
	// Now is the clock, for tests; nil = the system clock. With it, Redis is
	// told the time instead of using its own.
	Now func() time.Time

	// Redis serves shared counts; nil = there are none. [Connect] makes a client
	// with fitting limits. It belongs to the caller.
	Redis redis.UniversalClient
	// Prefix begins every key in Redis. Default "gatehouse:count:". Gateways
	// share counts only under the same prefix.
	Prefix string
	// Budget is the longest that a call waits for Redis. Default 20 ms.
	Budget time.Duration
	// ProbeEvery is the pause between attempts to reach a lost Redis. Default
	// 500 ms.
	ProbeEvery time.Duration
	// SyncEvery is how often fast counts are synced where the limiter says
	// nothing. Default 100 ms.
	SyncEvery time.Duration
	// Gateways is how many gateways are assumed to share the limits while Redis
	// is away. Default 0 = as many as Redis last knew of.
	Gateways int

	// MaxKeys bounds the keys of one limiter. Default 1,000,000.
	MaxKeys int
	// Path is the file that keeps counts over a restart; "" = none.
	Path string
	// SaveEvery is how often it is written. Default 10 s.
	SaveEvery time.Duration
}

// Set makes limiters and owns their counts. It implements [policy.Counters].
type Set struct {
	log     *slog.Logger
	clock   *clock
	table   *table
	maxKeys int64
	path    string
	store   *store // nil without Redis

	mu     sync.Mutex
	counts map[string]*count

	saveMu sync.Mutex
	stop   context.CancelFunc
	wg     sync.WaitGroup
	once   sync.Once
	err    error
}

var _ policy.Counters = (*Set)(nil)

// New returns a set, with the counts of the file at Options.Path where there is
// one. A damaged file is an error that wraps [ErrDamaged]; nothing is counted
// then. Close it.
func New(o Options) (*Set, error) {
	ctx, stop := context.WithCancel(context.Background())
	s := &Set{
		log:     cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		clock:   newClock(o.Now),
		table:   newTable(),
		maxKeys: int64(cmp.Or(o.MaxKeys, 1_000_000)),
		path:    o.Path,
		counts:  map[string]*count{},
		stop:    stop,
	}
	if o.Redis != nil {
		s.store = newStore(ctx, s, o)
	}
	if o.Path != "" {
		if err := s.Load(o.Path); err != nil {
			stop()
			return nil, err
		}
	}
	s.wg.Go(func() { s.tidy(ctx) })
	if o.Path != "" {
		s.wg.Go(func() { s.saveEvery(ctx, cmp.Or(o.SaveEvery, 10*time.Second)) })
	}
	if s.store != nil {
		s.wg.Go(s.store.run)
	}
	return s, nil
}

// Limiter implements [policy.Counters].
func (s *Set) Limiter(spec policy.LimiterSpec) (policy.Limiter, error) {
	rules, err := compile(spec.Rules)
	if err != nil {
		return nil, err
	}
	if spec.Shared {
		if s.store == nil {
			return nil, problem.Invalid("a shared limit needs Redis, and none is configured: "+
				"configure redis for the gateway, or let the limit count on each gateway",
				problem.Field{Pointer: "/mode", Code: "unavailable", Detail: "use mode local, or configure redis"})
		}
		for i := range rules {
			if rules[i].kind == concurrent {
				return nil, problem.Invalid("what is in flight is counted on each gateway and cannot be shared")
			}
		}
	}
	switch spec.OnStoreFailure {
	case "", policy.FailLocal, policy.FailAllow, policy.FailDeny:
	default:
		return nil, problem.Invalid(fmt.Sprintf("store failure behaviour %q is not one of local, allow, deny",
			spec.OnStoreFailure))
	}
	id := identity(spec.Name, rules, spec.Shared)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts[id]
	if c == nil {
		c = newCount(spec.Name, id, rules)
		s.counts[id] = c
	}
	if spec.Shared && c.redis == "" {
		c.bind(s.store)
		if c.keys.Load() > 0 {
			s.resume(c)
		}
	}
	c.refs++
	l := local{set: s, count: c}
	if !spec.Shared {
		return &l, nil
	}
	return &sharedLimiter{
		local: l, store: s.store, fast: spec.Fast,
		every:  int64(cmp.Or(spec.SyncEvery, s.store.syncEvery) / time.Microsecond),
		onLoss: cmp.Or(spec.OnStoreFailure, policy.FailLocal),
	}, nil
}

func identity(name string, rules []rule, isShared bool) string {
	where := "here"
	if isShared {
		where = "redis"
	}
	return name + "\x00" + digest(rules) + "\x00" + where
}

// resume queues what a file has kept of a shared count and Redis has not got.
func (s *Set) resume(c *count) {
	for i := range s.table.shards {
		sh := &s.table.shards[i]
		sh.mu.Lock()
		for _, t := range sh.slots.all {
			for e := t.entry; e != nil; e = e.next {
				if e.owner == c && e.share != nil && e.share.waiting() {
					s.store.queue(e, sh, 0)
				}
			}
		}
		sh.mu.Unlock()
	}
}

// release is the Close of a limiter.
func (s *Set) release(c *count) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.refs--
}

// tidy forgets what is over, a part at a time.
func (s *Set) tidy(ctx context.Context) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i = (i + 1) % 16 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.clock.adjust()
		for j := i; j < shardCount; j += 16 {
			s.sweepShard(j)
		}
		if i == 0 {
			s.forget()
		}
	}
}

func (s *Set) sweepShard(i int) {
	sh := &s.table.shards[i]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.sweep(s.clock.now())
}

// forget drops counts that no limiter and no key refers to.
func (s *Set) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, c := range s.counts {
		if c.refs <= 0 && c.keys.Load() == 0 {
			delete(s.counts, id)
		}
	}
}

// Status is how a set is doing, for metrics and readiness.
type Status struct {
	// Limiters and Keys are how many there are.
	Limiters, Keys int
	// Shared says that there is a Redis; Reachable that it is answering.
	Shared, Reachable bool
	// Unsynced is the number of keys with counts that Redis does not have yet.
	Unsynced int
	// Gateways is the number of gateways that share the counts, as last known.
	Gateways int
}

// Status returns how the set is doing.
func (s *Set) Status() Status {
	s.mu.Lock()
	st := Status{Limiters: len(s.counts)}
	for _, c := range s.counts {
		st.Keys += int(c.keys.Load())
	}
	s.mu.Unlock()
	if s.store != nil {
		st.Shared, st.Reachable = true, s.store.reachable()
		st.Unsynced, st.Gateways = s.store.unsynced(), s.store.gateways()
	}
	return st
}

// Close syncs and saves what is not synced and saved, and stops. Limiters must
// not be used after.
func (s *Set) Close() error {
	s.once.Do(func() {
		s.stop()
		s.wg.Wait()
		if s.store != nil {
			s.store.close()
		}
		if s.path != "" {
			s.err = errors.Join(s.err, s.Save(s.path))
		}
	})
	return s.err
}
