package upstream

import (
	"sync/atomic"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// maxSchedule bounds the length of a weighted order; finer weights are rounded.
const maxSchedule = 2048

// schedule returns the order of smooth weighted round-robin (as nginx has it):
// each member as often as its weight says, spread as evenly as can be. A
// request then only takes the next one.
func schedule(members []*member) []*member {
	if len(members) < 2 {
		return members
	}
	weights := make([]int, len(members))
	div, sum := 0, 0
	for i, m := range members {
		weights[i] = m.weight
		div = gcd(div, m.weight)
	}
	for i := range weights {
		weights[i] /= div
		sum += weights[i]
	}
	if limit := max(maxSchedule, len(members)); sum > limit {
		total := 0
		for i := range weights {
			weights[i] = max(1, (weights[i]*limit+sum/2)/sum)
			total += weights[i]
		}
		sum = total
	}
	if sum == len(members) {
		return members
	}
	order := make([]*member, 0, sum)
	current := make([]int, len(members))
	for range sum {
		best := 0
		for i, w := range weights {
			current[i] += w
			if current[i] > current[best] {
				best = i
			}
		}
		current[best] -= sum
		order = append(order, members[best])
	}
	return order
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// choice is what choosing a member needs to know.
type choice struct {
	now    instant
	random func() uint64
	tried  [maxAttempts + 1]*endpoint
	count  int
}

// fresh reports whether m was not tried for this request.
func (c *choice) fresh(m *member) bool {
	for _, e := range c.tried[:c.count] {
		if e == m.endpoint {
			return false
		}
	}
	return true
}

// balancer chooses among the members of a view. It returns one that was not
// tried yet where there is one, and nil only for a view without usable members.
// It may be called at the same time.
type balancer interface {
	pick(v *view, c *choice, ex *policy.Exchange) *member
}

func newBalancer(s *settings, random func() uint64) balancer {
	switch s.algorithm {
	case "least-connections":
		return leastConnections{}
	case "p2c":
		return p2c{}
	case "hash":
		return hashed{on: s.hash}
	case "random":
		return randomly{}
	default:
		r := &roundRobin{}
		r.next.Store(random() >> 1) // so that gateways do not march in step
		return r
	}
}

// other returns a member that was not tried, or first where all were.
func other(v *view, c *choice, first *member) *member {
	if c.count == 0 || c.fresh(first) {
		return first
	}
	n := uint64(len(v.usable))
	start := c.random() % n
	for i := range n {
		if m := v.usable[(start+i)%n]; c.fresh(m) {
			return m
		}
	}
	return first
}

type roundRobin struct{ next atomic.Uint64 }

func (r *roundRobin) pick(v *view, c *choice, _ *policy.Exchange) *member {
	if len(v.schedule) == 0 {
		return nil
	}
	return other(v, c, v.schedule[r.next.Add(1)%uint64(len(v.schedule))])
}

type randomly struct{}

func (randomly) pick(v *view, c *choice, _ *policy.Exchange) *member {
	if len(v.schedule) == 0 {
		return nil
	}
	return other(v, c, v.schedule[c.random()%uint64(len(v.schedule))])
}

// leastConnections takes the member with the fewest requests under way for its
// weight. It starts anywhere, so that equal ones share evenly.
type leastConnections struct{}

func (leastConnections) pick(v *view, c *choice, _ *policy.Exchange) *member {
	n := uint64(len(v.schedule))
	if n == 0 {
		return nil
	}
	// The first candidate comes from the weighted order: ties follow weight.
	best := other(v, c, v.schedule[c.random()%n])
	load := best.link.client.InFlight() + 1
	for _, m := range v.usable {
		if c.count > 0 && !c.fresh(m) {
			continue
		}
		// a/wa < b/wb, without division
		if l := m.link.client.InFlight() + 1; l*best.weight < load*m.weight {
			best, load = m, l
		}
	}
	return best
}

// p2c takes the better of two at random ("The power of two choices in
// randomized load balancing", Mitzenmacher 2001).
type p2c struct{}

func (p2c) pick(v *view, c *choice, _ *policy.Exchange) *member {
	n := uint64(len(v.schedule))
	if n == 0 {
		return nil
	}
	r := c.random()
	a := other(v, c, v.schedule[(r>>32)%n])
	if len(v.usable) == 1 {
		return a
	}
	b := v.schedule[(r&0xffffffff)%n]
	if a == b {
		b = v.usable[(r>>16)%uint64(len(v.usable))]
	}
	if a == b || c.count > 0 && !c.fresh(b) || a.cost(c.now) <= b.cost(c.now) {
		return a
	}
	return b
}
