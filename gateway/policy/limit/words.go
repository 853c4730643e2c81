package limit

import (
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Count returns a number as text.
func Count(n int64) string { return strconv.FormatInt(n, 10) }

// Span returns a length of time in words, such as "minute" or "90 seconds".
func Span(d time.Duration) string {
	for _, u := range []struct {
		d    time.Duration
		name string
	}{
		{7 * 24 * time.Hour, "week"},
		{24 * time.Hour, "day"},
		{time.Hour, "hour"},
		{time.Minute, "minute"},
		{time.Second, "second"},
		{time.Millisecond, "millisecond"},
	} {
		switch n := d / u.d; {
		case n == 0 || d%u.d != 0:
		case n == 1:
			return u.name
		default:
			return Count(int64(n)) + " " + u.name + "s"
		}
	}
	return d.String()
}

// Sentence says in words what is limited: "10 per minute for each
// subscription, over all gateways". What is the unit, "" for requests.
func Sentence(rules []policy.Rule, what string, key *Key, where string) string {
	var b strings.Builder
	for i, r := range rules {
		if i > 0 {
			b.WriteString(" and ")
		}
		b.WriteString(Count(r.Limit))
		if what != "" {
			b.WriteString(" " + what)
		}
		switch r.Algorithm {
		case policy.Concurrent:
			b.WriteString(" at once")
		case policy.Calendar:
			b.WriteString(" per calendar " + r.Period)
			if r.Location != nil && r.Location != time.UTC {
				b.WriteString(" (" + r.Location.String() + ")")
			}
		default:
			b.WriteString(" per " + Span(r.Window))
			if r.Burst > 0 && r.Burst != r.Limit {
				b.WriteString(" (at most " + Count(r.Burst) + " at once)")
			}
		}
	}
	b.WriteString(" for " + key.Words() + ", " + where)
	return b.String()
}
