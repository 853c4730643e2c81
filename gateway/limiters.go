package gateway

import (
	"sync"

	"github.com/gatehouse/gatehouse/gateway/internal/metrics"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// meteredCounters counts what limiters decide.
type meteredCounters struct {
	policy.Counters
	metrics *metrics.Metrics

	mu    sync.Mutex
	users map[string]int // limiters of one name, which follow each other
}

// Limiter returns a limiter whose decisions are counted.
func (c *meteredCounters) Limiter(spec policy.LimiterSpec) (policy.Limiter, error) {
	l, err := c.Counters.Limiter(spec)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		c.users = map[string]int{}
	}
	c.users[spec.Name]++
	return &meteredLimiter{Limiter: l, counters: c, name: spec.Name, decided: c.metrics.Limiter(spec.Name)}, nil
}

func (c *meteredCounters) gone(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users[name]--; c.users[name] == 0 {
		delete(c.users, name)
		c.metrics.LimiterGone(name)
	}
}

type meteredLimiter struct {
	policy.Limiter
	counters *meteredCounters
	name     string
	decided  func(allowed, estimated bool)
}

// Take takes and counts.
func (l *meteredLimiter) Take(key string, cost int64) (policy.Decision, error) {
	d, err := l.Limiter.Take(key, cost)
	l.decided(d.Allowed && err == nil, d.Estimated)
	return d, err
}

// Close gives the limiter up.
func (l *meteredLimiter) Close() {
	l.Limiter.Close()
	l.counters.gone(l.name)
}
