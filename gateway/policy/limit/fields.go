package limit

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Fields makes the header fields RateLimit-Policy and RateLimit of
// draft-ietf-httpapi-ratelimit-headers-10, which are structured fields (RFC
// 9651). Both are lists, to which several policies may add.
type Fields struct {
	policy string
	rules  []string // `"name";r=` of each rule
	recent recent
}

// Units of what is limited, as the draft registers them.
const (
	Requests   = ""
	Bytes      = "content-bytes"
	Concurrent = "concurrent-requests"
)

// NewFields returns the fields for rules. The name must be a token; several
// rules are told apart by a number.
func NewFields(name string, rules []policy.Rule, unit string) *Fields {
	f := &Fields{}
	for i, r := range rules {
		n := `"` + name
		if len(rules) > 1 {
			n += "-" + strconv.Itoa(i+1)
		}
		n += `"`
		q := r.Limit
		if r.Algorithm == policy.TokenBucket && r.Burst > 0 {
			q = r.Burst
		}
		p := n + ";q=" + sfInt(q)
		if unit != Requests {
			p += `;qu="` + unit + `"`
		}
		if w := window(r); w > 0 {
			p += ";w=" + sfInt(w)
		}
		if i > 0 {
			f.policy += ", "
		}
		f.policy += p
		f.rules = append(f.rules, n+";r=")
	}
	if len(rules) == 1 {
		f.recent.size = min(rules[0].Limit, 1023) + 1
	}
	return f
}

// maxInt is the largest integer of a structured field (RFC 9651 section 3.3.1).
const maxInt = 999_999_999_999_999

func sfInt(n int64) string { return strconv.FormatInt(min(n, maxInt), 10) }

// window is the length of a rule's window in whole seconds, 0 where it cannot
// be said so. That of a calendar period is its usual one.
func window(r policy.Rule) int64 {
	w := r.Window
	switch r.Algorithm {
	case policy.Calendar:
		w = map[string]time.Duration{
			"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour,
			"month": 30 * 24 * time.Hour, "year": 365 * 24 * time.Hour,
		}[r.Period]
	case policy.Concurrent:
		return 0
	case policy.TokenBucket:
		if r.Burst > 0 {
			w = time.Duration(float64(r.Window) / float64(r.Limit) * float64(r.Burst))
		}
	default:
	}
	if w%time.Second != 0 {
		return 0
	}
	return int64(w / time.Second)
}

// Set adds the fields to a response. It allocates one string, or none where
// the same was said recently: always so for windows of a second.
func (f *Fields) Set(h *policy.Header, d policy.Decision) {
	h.Add("RateLimit-Policy", f.policy)
	h.Add("RateLimit", f.value(d))
}

func (f *Fields) value(d policy.Decision) string {
	reset := int64((d.Reset + time.Second - 1) / time.Second)
	if t := f.recent.get(d.Remaining, reset); t != "" {
		return t
	}
	var buf [96]byte
	b := append(buf[:0], f.rules[d.Rule]...)
	b = strconv.AppendInt(b, min(d.Remaining, maxInt), 10)
	if reset > 0 {
		b = append(b, ";t="...)
		b = strconv.AppendInt(b, reset, 10)
	}
	t := string(b)
	f.recent.put(d.Remaining, reset, t)
	return t
}

// recent keeps the last value said for each number remaining.
type recent struct {
	size int64
	once sync.Once
	kept []atomic.Pointer[said]
}

type said struct {
	reset int64
	text  string
}

func (r *recent) get(remaining, reset int64) string {
	if remaining >= r.size {
		return ""
	}
	r.once.Do(func() { r.kept = make([]atomic.Pointer[said], r.size) })
	if s := r.kept[remaining].Load(); s != nil && s.reset == reset {
		return s.text
	}
	return ""
}

// put keeps values of the shortest reset, which are the ones said again.
func (r *recent) put(remaining, reset int64, text string) {
	if remaining < r.size && reset <= 1 {
		r.kept[remaining].Store(&said{reset: reset, text: text})
	}
}

// Refused returns the problem to answer when a limit is used up.
func Refused(code problem.Code, sentence string, d policy.Decision) *problem.Problem {
	if d.RetryAfter <= 0 {
		return problem.New(code, "the limit is %s; this request costs more than that", sentence)
	}
	return problem.New(code, "the limit is %s", sentence).WithRetryAfter(d.RetryAfter)
}
