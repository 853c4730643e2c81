package counter

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// MaxUnits is the largest limit and the largest count: 2^53, up to which a
// double of the Redis script is exact. Counts stop there and do not overflow.
const MaxUnits = 1 << 53

// maxRules bounds the rules of one limiter, so that a call needs no memory.
const maxRules = 8

// maxKey is the length in bytes from which a key is replaced by its digest.
const maxKey = 128

type kind uint8

// The numbers are known to the Redis script and to saved counts.
const (
	fixed kind = iota + 1
	sliding
	bucket
	calendar
	rolling
	concurrent
)

var kinds = map[policy.Algorithm]kind{
	policy.FixedWindow:   fixed,
	policy.SlidingWindow: sliding,
	policy.TokenBucket:   bucket,
	policy.Calendar:      calendar,
	policy.Rolling:       rolling,
	policy.Concurrent:    concurrent,
}

// rule is a policy.Rule made ready for counting.
type rule struct {
	kind   kind
	limit  int64
	window int64 // microseconds
	burst  int64 // of a bucket
	period *period
}

// compile checks the rules and makes them ready.
func compile(rules []policy.Rule) ([]rule, error) {
	if len(rules) == 0 || len(rules) > maxRules {
		return nil, problem.Invalid(fmt.Sprintf("a limiter needs 1 to %d rules, not %d", maxRules, len(rules)))
	}
	out := make([]rule, len(rules))
	for i, p := range rules {
		r, code, detail := compileRule(p)
		if detail != "" {
			return nil, problem.Invalid("a limit cannot be served", problem.Field{
				Pointer: "/rules/" + strconv.Itoa(i), Code: code, Detail: detail,
			})
		}
		out[i] = r
	}
	return out, nil
}

func compileRule(p policy.Rule) (r rule, code, detail string) {
	r = rule{kind: kinds[p.Algorithm], limit: p.Limit, burst: p.Burst}
	switch {
	case r.kind == 0:
		return r, "enum", fmt.Sprintf("algorithm %q is not known", p.Algorithm)
	case p.Limit < 1 || p.Limit > MaxUnits:
		return r, "range", fmt.Sprintf("limit must be from 1 to %d, not %d", int64(MaxUnits), p.Limit)
	case p.Burst < 0 || p.Burst > MaxUnits:
		return r, "range", fmt.Sprintf("burst must be from 0 to %d, not %d", int64(MaxUnits), p.Burst)
	}
	switch r.kind {
	case concurrent:
		return r, "", ""
	case calendar:
		span, err := newPeriod(p.Period, p.Location)
		if err != nil {
			return r, "enum", err.Error()
		}
		r.period = span
		return r, "", ""
	default:
		if p.Window < time.Millisecond || p.Window%time.Microsecond != 0 {
			return r, "range", fmt.Sprintf("window must be at least 1ms, in whole microseconds, not %s", p.Window)
		}
		r.window = int64(p.Window / time.Microsecond)
		if r.kind == bucket && r.burst == 0 {
			r.burst = r.limit
		}
		return r, "", ""
	}
}

// text is the identity of the rule: equal texts mean equal counting.
func (r *rule) text() string {
	s := fmt.Sprintf("%d/%d/%d/%d", r.kind, r.limit, r.window, r.burst)
	if r.period != nil {
		s += "/" + r.period.name + "/" + r.period.loc.String()
	}
	return s
}

// capacity is the largest cost that can ever pass.
func (r *rule) capacity() int64 {
	if r.kind == bucket {
		return r.burst
	}
	return r.limit
}

// digest identifies a list of rules in a few characters.
func digest(rules []rule) string {
	h := sha256.New()
	for i := range rules {
		h.Write([]byte(rules[i].text()))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// lasting reports whether the counts are worth keeping over a restart.
func lasting(rules []rule) bool {
	for i := range rules {
		if k := rules[i].kind; k == calendar || k != concurrent && rules[i].window >= int64(time.Minute/time.Microsecond) {
			return true
		}
	}
	return false
}

// shortKey bounds the memory that a key can take.
func shortKey(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// cost clamps a cost to what can be counted.
func clamp(cost int64) int64 { return max(0, min(cost, MaxUnits)) }
