package counter

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed count.lua
var countScript string

//go:embed gateways.lua
var gatewaysScript string

// Operations of the count script.
const (
	opTake = "take"
	opAdd  = "add"
	opPeek = "peek"
)

const (
	minRetry       = time.Second
	heartbeatEvery = 2 * time.Second
	aliveSeconds   = 10
	maxCalls       = 1024 // at the same time
)

// store is Redis: the calls to it, and what is to be told to it.
type store struct {
	set     *Set
	ctx     context.Context //nolint:containedctx // ends what runs in the background
	stop    context.CancelFunc
	client  redis.UniversalClient
	cluster *redis.ClusterClient // nil where it is none
	count   *redis.Script
	alive   *redis.Script

	prefix     string
	node       string // this process
	own        bool   // the gateway tells the time
	budget     time.Duration
	syncLimit  time.Duration // for one batch in the background
	syncEvery  time.Duration
	probeEvery time.Duration
	assumed    int

	main  breaker
	nodes sync.Map // address -> *breaker, of a cluster
	lost  atomic.Int32
	calls chan struct{}
	done  <-chan struct{} // closed when run shall end

	skew  atomic.Int64 // microseconds that the clock of Redis is ahead
	known atomic.Int64 // gateways
	seq   atomic.Int64

	queueMu sync.Mutex
	queued  []dirty
	sending int // taken out of queued and not yet confirmed
	flushMu sync.Mutex
	wg      sync.WaitGroup
}

func newStore(ctx context.Context, s *Set, o Options) *store {
	var id [8]byte
	_, _ = rand.Read(id[:])                                       // never fails
	alive, stop := context.WithCancel(context.WithoutCancel(ctx)) // for the last sync
	st := &store{
		set: s, ctx: alive, stop: stop, done: ctx.Done(), client: o.Redis,
		count: redis.NewScript(countScript), alive: redis.NewScript(gatewaysScript),
		prefix:     cmp.Or(o.Prefix, "gatehouse:count:"),
		node:       hex.EncodeToString(id[:]),
		own:        o.Now != nil,
		budget:     cmp.Or(o.Budget, 20*time.Millisecond),
		syncEvery:  cmp.Or(o.SyncEvery, 100*time.Millisecond),
		probeEvery: cmp.Or(o.ProbeEvery, 500*time.Millisecond),
		assumed:    o.Gateways,
		calls:      make(chan struct{}, maxCalls),
	}
	st.main.name = "redis"
	st.syncLimit = max(10*st.budget, 200*time.Millisecond)
	st.cluster, _ = o.Redis.(*redis.ClusterClient)
	// Numbers rise over restarts of a process too, though its id is new then.
	st.seq.Store(time.Now().UnixMicro())
	return st
}

// now is the time by the clock of Redis, as far as it is known.
func (s *store) now() int64 { return s.set.clock.now() + s.skew.Load() }

func (s *store) reachable() bool { return s.lost.Load() == 0 }

// gateways is how many share the counts, at least 1.
func (s *store) gateways() int {
	if s.assumed > 0 {
		return s.assumed
	}
	return int(max(1, s.known.Load()))
}

// bind makes a count ready for Redis.
func (c *count) bind(s *store) {
	c.redis = s.prefix + c.name + ":" + digest(c.rules) + ":"
	for i := range c.rules {
		r := &c.rules[i]
		c.args = append(c.args, [4]any{int(r.kind), r.limit, r.window, r.burst})
	}
}

// breaker returns the breaker of the server that has the key, nil where no
// server can be asked.
func (s *store) breaker(c *count, key string) *breaker {
	if s.main.open.Load() {
		return nil
	}
	if s.cluster == nil {
		return &s.main
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.budget)
	defer cancel()
	client, err := s.cluster.MasterForKey(ctx, c.redis+key)
	if err != nil { // the layout of the cluster is not known
		s.failed(&s.main, 1, err)
		return nil
	}
	addr := client.Options().Addr
	b, ok := s.nodes.Load(addr)
	if !ok {
		b, _ = s.nodes.LoadOrStore(addr, &breaker{name: addr})
	}
	if b.(*breaker).open.Load() { //nolint:forcetypeassert // only breakers are stored
		return nil
	}
	return b.(*breaker) //nolint:forcetypeassert // only breakers are stored
}

// homeOf returns the breaker of the server that has the key, open or not.
func (s *store) homeOf(c *count, key string) *breaker {
	if s.cluster == nil {
		return &s.main
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.budget)
	defer cancel()
	if client, err := s.cluster.MasterForKey(ctx, c.redis+key); err == nil {
		if b, ok := s.nodes.Load(client.Options().Addr); ok {
			return b.(*breaker) //nolint:forcetypeassert // only breakers are stored
		}
	}
	return &s.main
}

// eachPrimary calls f for every primary of the cluster, one at a time.
func (s *store) eachPrimary(
	ctx context.Context, f func(ctx context.Context, addr string, ping func(context.Context) error) error,
) error {
	var mu sync.Mutex
	return s.cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		return f(ctx, c.Options().Addr, func(ctx context.Context) error { return c.Ping(ctx).Err() })
	})
}

// reply is what the count script answers.
type reply struct {
	allowed bool
	now     int64
	cells   []cell
}

var errBusy = errors.New("too many calls wait for redis")

// call runs the script once, within the budget whatever the client does.
func (s *store) call(b *breaker, c *count, op, key string, cost int64, seen []cell) (reply, error) {
	select {
	case s.calls <- struct{}{}:
	default:
		s.failed(b, 1, errBusy)
		return reply{}, errBusy
	}
	type result struct {
		r   reply
		err error
	}
	done := make(chan result, 1)
	args := s.args(c, op, 0, seen, func(int) (int64, int64, int64) { return cost, 0, 0 })
	ctx, cancel := context.WithTimeout(s.ctx, s.budget)
	defer cancel()
	s.wg.Go(func() {
		defer func() { <-s.calls }()
		before := s.set.clock.real()
		v, err := s.count.Run(ctx, s.client, []string{c.redis + key}, args...).Result()
		var res result
		if res.err = err; err == nil {
			res.r, res.err = c.parse(v)
			s.compare(before, res.r.now)
		}
		done <- res
	})
	select {
	case res := <-done:
		if res.err != nil {
			s.failed(b, 1, res.err)
			return reply{}, res.err
		}
		b.ok()
		return res.r, nil
	case <-ctx.Done():
		s.failed(b, 1, ctx.Err())
		return reply{}, ctx.Err()
	}
}

// compare learns by how much the clock of Redis is ahead.
func (s *store) compare(before, redisNow int64) {
	if s.own || redisNow == 0 {
		return
	}
	after := s.set.clock.real()
	skew := redisNow - (before + (after-before)/2)
	if d := skew - s.skew.Load(); d > 2000 || d < -2000 {
		s.skew.Store(skew)
	}
}

// args builds the arguments of the script. What gives the amount to count, the
// amount in the window before, and the start of the window.
func (s *store) args(c *count, op string, seq int64, seen []cell, what func(i int) (n, before, at int64)) []any {
	now := s.now()
	told := int64(0)
	if s.own {
		told = now
	}
	args := make([]any, 0, 5+12*len(c.rules))
	args = append(args, told, op, s.node, seq, len(c.rules))
	for i := range c.rules {
		r := &c.rules[i]
		var sp span
		if r.kind == calendar {
			sp = r.period.at(now)
		}
		var saw any = seen[i].count
		if r.kind == bucket {
			saw = strconv.FormatFloat(seen[i].level(), 'g', 17, 64)
		}
		n, before, at := what(i)
		args = append(args, c.args[i][:]...)
		args = append(args, n, before, at, sp.start, sp.end, seen[i].start, saw, seen[i].prev)
	}
	return args
}

// parse reads the answer of the script.
func (c *count) parse(v any) (reply, error) {
	list, ok := v.([]any)
	if !ok || len(list) != 2+3*len(c.rules) {
		return reply{}, fmt.Errorf("redis answered the count script with %T of another form", v)
	}
	r := reply{cells: make([]cell, len(c.rules))}
	n, _ := list[0].(int64)
	r.allowed = n == 1
	var err error
	number := func(i int) float64 {
		text, _ := list[i].(string)
		f, e := strconv.ParseFloat(text, 64)
		err = errors.Join(err, e)
		return f
	}
	r.now = int64(number(1))
	for i := range c.rules {
		cl := &r.cells[i]
		cl.start, cl.prev = int64(number(2+3*i)), int64(number(4+3*i))
		if f := number(3 + 3*i); c.rules[i].kind == bucket {
			cl.setLevel(f)
		} else {
			cl.count = int64(f)
		}
	}
	if err != nil {
		return reply{}, fmt.Errorf("reading the answer of the count script: %w", err)
	}
	return r, nil
}
