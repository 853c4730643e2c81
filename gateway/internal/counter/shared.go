package counter

import (
	"math"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// shared is what this gateway knows of a shared count besides its own view of
// it, which are the entry's cells.
type shared struct {
	base []cell // as Redis last said
	pend []cell // counted here and not yet sent; of a bucket count is in units
	sent []cell // sent under number seq and not yet acknowledged
	own  []cell // counted here and not in base, for the share of this gateway
	seq  int64  // 0 = nothing is sent
	// queued says that the entry waits in the store's queue.
	queued bool
}

func (e *entry) shared() *shared {
	if e.share == nil {
		n := len(e.cells)
		all := make([]cell, 4*n)
		e.share = &shared{base: all[:n:n], pend: all[n : 2*n : 2*n], sent: all[2*n : 3*n : 3*n], own: all[3*n:]}
	}
	return e.share
}

// note remembers cost for Redis. The view has been advanced, and counts it.
func (e *entry) note(cost, now int64) {
	sh := e.shared()
	for i := range e.owner.rules {
		r := &e.owner.rules[i]
		sh.follow(r, i, e.cells[i].start)
		sh.pend[i].count = min(MaxUnits, sh.pend[i].count+cost)
		r.advance(&sh.own[i], now)
		r.add(&sh.own[i], cost, now)
	}
}

// follow brings what is pending to the view's window.
func (sh *shared) follow(r *rule, i int, start int64) {
	p := &sh.pend[i]
	if r.kind == bucket || p.start == start {
		return
	}
	if r.kind == sliding && start == p.start+r.window {
		p.prev, p.count = p.count, 0
	} else {
		p.prev, p.count = 0, 0
	}
	p.start = start
}

// waiting reports whether Redis is to be told something.
func (sh *shared) waiting() bool {
	if sh.seq != 0 {
		return true
	}
	for i := range sh.pend {
		if sh.pend[i].count != 0 || sh.pend[i].prev != 0 {
			return true
		}
	}
	return false
}

// learn takes over what Redis said. Ack is the number of the addition that it
// has confirmed, or 0.
func (e *entry) learn(cells []cell, now, ack int64) {
	sh := e.shared()
	if ack != 0 && ack == sh.seq {
		sh.seq = 0
		clear(sh.sent)
	}
	for i := range e.owner.rules {
		r := &e.owner.rules[i]
		r.merge(&sh.base[i], &cells[i])
		view := sh.base[i]
		if sh.seq != 0 {
			r.apply(&view, &sh.sent[i], now)
		}
		r.apply(&view, &sh.pend[i], now)
		e.cells[i] = view
		if ack != 0 {
			sh.own[i] = sh.pend[i]
			if r.kind == bucket {
				sh.own[i] = cell{start: now}
				sh.own[i].setLevel(float64(sh.pend[i].count))
			}
		}
	}
}

// merge keeps the higher of two states of the same count.
func (r *rule) merge(c, o *cell) {
	switch {
	case r.kind == bucket:
		if o.start > c.start || o.start == c.start && o.level() > c.level() {
			*c = *o
		}
	case o.start > c.start:
		*c = *o
	case o.start == c.start:
		c.count, c.prev = max(c.count, o.count), max(c.prev, o.prev)
	}
}

// apply counts what is pending on top of a state.
func (r *rule) apply(c, p *cell, now int64) {
	switch {
	case p.count == 0 && p.prev == 0:
	case r.kind == bucket:
		r.advance(c, now)
		r.add(c, p.count, now)
	case r.kind == rolling:
		if c.start == 0 || p.start-c.start >= r.window {
			*c = cell{start: p.start}
		}
		c.count = min(MaxUnits, c.count+p.count)
	case p.start == c.start:
		c.count, c.prev = min(MaxUnits, c.count+p.count), min(MaxUnits, c.prev+p.prev)
	case p.start > c.start:
		n := cell{start: p.start, count: p.count, prev: p.prev}
		if r.kind == sliding && p.start == c.start+r.window {
			n.prev = min(MaxUnits, n.prev+c.count)
		}
		*c = n
	case r.kind == sliding && p.start == c.start-r.window:
		c.prev = min(MaxUnits, c.prev+p.count)
	}
}

// portion returns the rule for this gateway alone, one of n: the n-th part of
// what Redis last said was left.
func (r *rule) portion(base cell, n, now int64) rule {
	r.advance(&base, now)
	p := *r
	left := int64(math.Ceil(max(0, float64(r.capacity())-r.used(&base, now)) / float64(n)))
	if r.kind == bucket {
		p.burst, p.window = left, r.window*n
	} else {
		p.limit = left
	}
	return p
}

// takeAlone takes while Redis is away, from the share of one of n gateways.
func (e *entry) takeAlone(cost, n, now int64) policy.Decision {
	rules, sh := e.owner.rules, e.shared()
	var mine [maxRules]rule
	viewFits, ownFits := true, true
	for i := range rules {
		r := &rules[i]
		mine[i] = r.portion(sh.base[i], n, now)
		r.advance(&e.cells[i], now)
		r.advance(&sh.own[i], now)
		viewFits = viewFits && r.fits(&e.cells[i], cost, now)
		ownFits = ownFits && mine[i].fits(&sh.own[i], cost, now)
	}
	own := mine[:len(rules)]
	var d policy.Decision
	switch {
	case !viewFits:
		d = refusal(rules, e.cells, cost, now)
	case !ownFits:
		d = refusal(own, sh.own, cost, now)
	default:
		for i := range rules {
			rules[i].add(&e.cells[i], cost, now)
		}
		e.note(cost, now)
		d = standing(rules, e.cells, now)
	}
	for i := range own {
		d.Remaining = min(d.Remaining, own[i].remaining(&sh.own[i], now))
	}
	d.Limit, d.Estimated = rules[d.Rule].capacity(), true
	return d
}

// takeAnyway counts while Redis is away, and lets pass.
func (e *entry) takeAnyway(cost, now int64) policy.Decision {
	for i := range e.owner.rules {
		r := &e.owner.rules[i]
		r.advance(&e.cells[i], now)
		r.add(&e.cells[i], cost, now)
	}
	e.note(cost, now)
	d := standing(e.owner.rules, e.cells, now)
	d.Estimated = true
	return d
}

// sharedLimiter counts over all gateways.
type sharedLimiter struct {
	local
	store  *store
	fast   bool
	every  int64 // microseconds
	onLoss policy.StoreFailure
}

// Take implements [policy.Limiter].
func (l *sharedLimiter) Take(key string, cost int64) (policy.Decision, error) {
	cost = clamp(cost)
	if len(key) > maxKey {
		key = shortKey(key)
	}
	if l.fast && l.store.reachable() {
		return l.takeFast(key, cost), nil
	}
	b := l.store.breaker(l.count, key)
	if b == nil {
		return l.alone(key, cost)
	}
	if l.fast {
		return l.takeFast(key, cost), nil
	}
	d, err := l.ask(b, opTake, key, cost)
	if err != nil {
		return l.alone(key, cost)
	}
	return d, nil
}

func (l *sharedLimiter) takeFast(key string, cost int64) policy.Decision {
	c, now := l.count, l.store.now()
	p := l.set.table.spot(c, key)
	p.shard.mu.Lock()
	e := p.lookup(c, key)
	if e == nil {
		e = p.insert(c, key, now, l.set.maxKeys)
	}
	if e == nil {
		p.shard.mu.Unlock()
		return l.crowdedFast(cost, now)
	}
	d := take(c.rules, e.cells, cost, now)
	if d.Allowed && cost > 0 {
		e.note(cost, now)
		l.store.queue(e, p.shard, l.every)
	}
	p.shard.mu.Unlock()
	return d
}

// crowdedFast counts the keys there is no room for as one key, over all
// gateways.
func (l *sharedLimiter) crowdedFast(cost, now int64) policy.Decision {
	first, e := &l.set.table.shards[0], l.count.overflow
	first.mu.Lock()
	defer first.mu.Unlock()
	d := take(l.count.rules, e.cells, cost, now)
	if d.Allowed && cost > 0 {
		e.note(cost, now)
		l.store.queue(e, first, l.every)
	}
	return d
}

// ask makes the one round trip of exact mode.
func (l *sharedLimiter) ask(b *breaker, op, key string, cost int64) (policy.Decision, error) {
	var seen [maxRules]cell
	rules := l.count.rules
	l.set.with(l.count, key, func(e *entry) {
		if e != l.count.overflow {
			copy(seen[:], e.shared().base)
		}
	})
	r, err := l.store.call(b, l.count, op, key, cost, seen[:len(rules)])
	if err != nil {
		return policy.Decision{}, err
	}
	l.set.with(l.count, key, func(e *entry) {
		if e != l.count.overflow {
			e.learn(r.cells, r.now, 0)
		}
	})
	if !r.allowed {
		return refusal(rules, r.cells, cost, r.now), nil
	}
	return standing(rules, r.cells, r.now), nil
}

// alone decides without Redis.
func (l *sharedLimiter) alone(key string, cost int64) (d policy.Decision, err error) {
	if l.onLoss == policy.FailDeny {
		return policy.Decision{}, l.store.unavailable()
	}
	now := l.store.now()
	l.set.withShard(l.count, key, func(e *entry, sh *shard) {
		if l.onLoss == policy.FailAllow {
			d = e.takeAnyway(cost, now)
		} else {
			d = e.takeAlone(cost, int64(l.store.gateways()), now)
		}
		if d.Allowed && cost > 0 {
			l.store.queue(e, sh, 0)
		}
	})
	return d, nil
}

// Add implements [policy.Limiter]. Redis learns of it in the background.
func (l *sharedLimiter) Add(key string, cost int64) {
	now, cost := l.store.now(), clamp(cost)
	if cost == 0 {
		return
	}
	l.set.withShard(l.count, key, func(e *entry, sh *shard) {
		for i := range l.count.rules {
			l.count.rules[i].advance(&e.cells[i], now)
			l.count.rules[i].add(&e.cells[i], cost, now)
		}
		e.note(cost, now)
		l.store.queue(e, sh, l.every)
	})
}

// Peek implements [policy.Limiter].
func (l *sharedLimiter) Peek(key string) (d policy.Decision, err error) {
	key = shortKey(key)
	b := l.store.breaker(l.count, key)
	lost := b == nil
	if !lost && !l.fast {
		if d, err = l.ask(b, opPeek, key, 0); err == nil {
			return d, nil
		}
		lost = true
	}
	if lost && l.onLoss == policy.FailDeny {
		return policy.Decision{}, l.store.unavailable()
	}
	now := l.store.now()
	l.set.with(l.count, key, func(e *entry) { d = peek(l.count.rules, e.cells, now) })
	d.Estimated = lost
	return d, nil
}

// unavailable is the answer where a limit is not to be passed unchecked.
func (s *store) unavailable() error {
	return problem.New(problem.CodeDependencyDown, "the limits of this API cannot be checked at the moment").
		WithRetryAfter(max(s.probeEvery, minRetry))
}
