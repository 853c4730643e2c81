package counter

import "github.com/gatehouse/gatehouse/gateway/policy"

// local counts on this gateway.
type local struct {
	set   *Set
	count *count
}

// Take implements [policy.Limiter].
func (l *local) Take(key string, cost int64) (policy.Decision, error) {
	if len(key) > maxKey {
		key = shortKey(key)
	}
	c, now := l.count, l.set.clock.now()
	cost = clamp(cost)
	p := l.set.table.spot(c, key)
	p.shard.mu.Lock()
	e := p.lookup(c, key)
	if e == nil {
		e = p.insert(c, key, now, l.set.maxKeys)
	}
	if e == nil {
		p.shard.mu.Unlock()
		return l.crowded(cost, now), nil
	}
	d := take(c.rules, e.cells, cost, now)
	p.shard.mu.Unlock()
	return d, nil
}

// crowded takes for a key that there is no room for.
func (l *local) crowded(cost, now int64) policy.Decision {
	sh := &l.set.table.shards[0]
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return take(l.count.rules, l.count.overflow.cells, cost, now)
}

// Add implements [policy.Limiter].
func (l *local) Add(key string, cost int64) {
	now := l.set.clock.now()
	l.set.with(l.count, key, func(e *entry) {
		for i := range l.count.rules {
			l.count.rules[i].advance(&e.cells[i], now)
			l.count.rules[i].add(&e.cells[i], clamp(cost), now)
		}
	})
}

// Peek implements [policy.Limiter].
func (l *local) Peek(key string) (policy.Decision, error) {
	key = shortKey(key)
	c, now := l.count, l.set.clock.now()
	p := l.set.table.spot(c, key)
	p.shard.mu.Lock()
	if e := p.lookup(c, key); e != nil {
		d := peek(c.rules, e.cells, now)
		p.shard.mu.Unlock()
		return d, nil
	}
	p.shard.mu.Unlock()
	if c.keys.Load() >= l.set.maxKeys {
		sh := &l.set.table.shards[0]
		sh.mu.Lock()
		defer sh.mu.Unlock()
		return peek(c.rules, c.overflow.cells, now), nil
	}
	var cells [maxRules]cell
	return peek(c.rules, cells[:len(c.rules)], now), nil
}

// Give implements [policy.Limiter].
func (l *local) Give(key string, cost int64) {
	key, cost = shortKey(key), clamp(cost)
	p := l.set.table.spot(l.count, key)
	p.shard.mu.Lock()
	if e := p.lookup(l.count, key); e != nil {
		cost = l.count.give(e, cost)
	}
	p.shard.mu.Unlock()
	if cost == 0 {
		return
	}
	// It was taken when there was no room for the key.
	sh := &l.set.table.shards[0]
	sh.mu.Lock()
	l.count.give(l.count.overflow, cost)
	sh.mu.Unlock()
}

// give returns what there was not to give back.
func (c *count) give(e *entry, cost int64) int64 {
	rest := int64(0)
	for i := range c.rules {
		if c.rules[i].kind == concurrent {
			n := min(cost, e.cells[i].count)
			e.cells[i].count -= n
			rest = max(rest, cost-n)
		}
	}
	return rest
}

// Close implements [policy.Limiter].
func (l *local) Close() { l.set.release(l.count) }
