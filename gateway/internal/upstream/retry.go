package upstream

import (
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

func (r *reading) retries(s *settings) {
	c := r.cfg.Retries
	if c == nil {
		s.retry = policy.Retry{Attempts: 1, ConnectErrors: true, Backoff: defaultBackoff, MaxBackoff: defaultMaxBackoff}
		s.budget = budgetRule{percent: defaultBudget, least: defaultBudgetMin}
		return
	}
	s.retry = policy.Retry{
		Attempts:      r.number("/retries/attempts", c.Attempts, maxAttempts, 1),
		NonIdempotent: c.NonIdempotent,
		PerTry:        r.duration("/retries/perTry", c.PerTry, 0),
		Backoff:       r.duration("/retries/backoff", c.Backoff, defaultBackoff),
	}
	s.retry.MaxBackoff = r.duration("/retries/maxBackoff", c.MaxBackoff, max(defaultMaxBackoff, s.retry.Backoff))
	if s.retry.MaxBackoff < s.retry.Backoff {
		r.bad("/retries/maxBackoff", "minimum", "must be at least backoff, which is "+s.retry.Backoff.String())
	}
	s.budget = budgetRule{
		percent: int64(r.number("/retries/budgetPercent", c.BudgetPercent, 100, defaultBudget)),
		least:   int64(r.number("/retries/budgetMin", c.BudgetMin, 0, defaultBudgetMin)),
	}
	s.retry.ConnectErrors = len(c.On) == 0
	for i, on := range c.On {
		switch on {
		case "connect":
			s.retry.ConnectErrors = true
		case "reset":
			s.retry.ResetErrors = true
		case "timeout":
			s.retry.Timeouts = true
		default:
			n, err := strconv.Atoi(on)
			if err != nil || n < 300 || n > 599 {
				r.bad("/retries/on/"+itoa(i), "enum", "use connect, reset, timeout, or a status from 300 to 599 such as 503")
				continue
			}
			s.retry.Statuses = append(s.retry.Statuses, n)
		}
	}
}

// idempotent reports whether sending a request twice is as good as once (RFC
// 9110 section 9.2.2).
func idempotent(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// mayRetry says whether the outcome of an attempt may be followed by another
// (R17.4): never where the body is spent, and where the target may have acted
// on the request only if doing so twice does no harm.
func mayRetry(rule *policy.Retry, ex *policy.Exchange, call *transport.Call, failure transport.Failure) bool {
	if call.BodyRead && !ex.Request.Body.Buffered() {
		return false
	}
	safe := rule.NonIdempotent || idempotent(ex.Request.Method)
	switch failure {
	case 0:
		return safe && ex.Request.Upgrade == "" && slices.Contains(rule.Statuses, ex.Response.Status)
	case transport.FailedConnect, transport.FailedExhausted:
		return rule.ConnectErrors
	case transport.FailedReset:
		// A kept connection that the target has closed meanwhile is no more than
		// a failed attempt to connect.
		if !call.Wrote || call.Reused && safe {
			return rule.ConnectErrors || rule.ResetErrors
		}
		return rule.ResetErrors && safe
	case transport.FailedTimeout:
		if !call.Wrote {
			return rule.ConnectErrors || rule.Timeouts
		}
		return rule.Timeouts && safe
	default:
		return false
	}
}

// backoff returns a uniform pause up to Backoff doubled for each retry before,
// at most MaxBackoff.
func backoff(rule *policy.Retry, retries int, random uint64) time.Duration {
	if rule.Backoff <= 0 {
		return 0
	}
	limit := rule.Backoff << min(retries, maxAttempts)
	if rule.MaxBackoff > 0 {
		limit = min(limit, rule.MaxBackoff)
	}
	return time.Duration(random % uint64(limit+1))
}

// budgetRule bounds the retries of an upstream within a sliding second: to
// percent of its requests, or least where that is more.
type budgetRule struct{ percent, least int64 }

// budget counts requests and retries by seconds. The counts of two goroutines
// that meet at the turn of a second may be off by one; the bound is no exact
// science.
type budget struct {
	second                        atomic.Int64
	requests, retries             atomic.Int64
	requestsBefore, retriesBefore atomic.Int64
}

// turn begins a new second where it is time for one.
func (b *budget) turn(now instant) {
	sec := int64(now) / int64(time.Second)
	old := b.second.Load()
	if sec <= old || !b.second.CompareAndSwap(old, sec) {
		return
	}
	requests, retries := b.requests.Swap(0), b.retries.Swap(0)
	if sec-old > 1 {
		requests, retries = 0, 0
	}
	b.requestsBefore.Store(requests)
	b.retriesBefore.Store(retries)
}

// request counts one request.
func (b *budget) request(now instant) {
	b.turn(now)
	b.requests.Add(1)
}

// retry counts one retry where the rule allows it.
func (b *budget) retry(rule budgetRule, now instant) bool {
	b.turn(now)
	left := int64(time.Second) - int64(now)%int64(time.Second) // of the second before
	share := func(before int64) int64 { return before * (left / int64(time.Millisecond)) / 1000 }
	allowed := max(rule.least, rule.percent*(b.requests.Load()+share(b.requestsBefore.Load()))/100)
	if b.retries.Add(1)+share(b.retriesBefore.Load()) > allowed {
		b.retries.Add(-1)
		return false
	}
	return true
}
