package upstream

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// run is the state of one Do, pooled.
type run struct {
	call     transport.Call
	choice   choice
	start    time.Time
	deadline time.Time // of the whole exchange with the upstream
}

// Do gets an answer for ex.Request from one of the targets and sets ex.Response
// up to its body, which streams. It records every attempt in ex.Outcome. Where
// ex.Forward says something it holds instead of the configuration. The error is
// a *problem.Problem, see the package comment. Nothing is allocated here on the
// way to a first answer, unless a target has a base path.
func (u *Upstream) Do(ex *policy.Exchange) error {
	r, _ := u.runs.Get().(*run)
	if r.start = ex.Recent(); r.start.IsZero() || !u.system {
		r.start = u.env.Clock.Now()
	}
	r.choice.random = u.env.Random
	err := u.do(ex, r)
	*r = run{}
	u.runs.Put(r)
	return err
}

func (u *Upstream) do(ex *policy.Exchange, r *run) error {
	r.deadline = u.deadline(ex, r.start)
	rule := &u.s.retry
	if ex.Forward.Retry != nil {
		rule = ex.Forward.Retry
	}
	began := r.start
	u.family.budget.request(u.at(began))
	for {
		m, trial, err := u.choose(ex, r, u.at(began))
		if err != nil {
			ex.Outcome.UpstreamTime = u.env.Clock.Now().Sub(r.start)
			return err
		}
		ended, failure, err := u.attempt(ex, r, m, trial, rule, began)
		ex.Outcome.UpstreamTime = ended.Sub(r.start)
		if r.choice.count > min(rule.Attempts, maxAttempts) || !mayRetry(rule, ex, &r.call, failure) ||
			failure == transport.FailedExhausted && !u.another(r) || !u.again(ex, r, rule, ended) {
			if failure == 0 {
				ex.Response.Source = policy.SourceUpstream
				return nil
			}
			return u.explain(ex, failure, err)
		}
		discard(ex)
		ex.SetRecent(time.Time{})
		began = u.env.Clock.Now()
	}
}

// deadline returns when the exchange must be over; zero = never.
func (u *Upstream) deadline(ex *policy.Exchange, start time.Time) time.Time {
	var d time.Time
	if total := either(ex.Forward.Total, u.s.total); total > 0 {
		d = start.Add(total)
	}
	if c, ok := ex.Context().Deadline(); ok && (d.IsZero() || c.Before(d)) {
		d = c
	}
	return d
}

func either(a, b time.Duration) time.Duration {
	if a > 0 {
		return a
	}
	return b
}

// choose returns a member with a reference to its link.
func (u *Upstream) choose(ex *policy.Exchange, r *run, now instant) (m *member, trial bool, err error) {
	v := u.current(now)
	if now >= v.soft || now >= v.hard {
		v = u.refresh(ex.Context(), now, either(ex.Forward.Connect, u.s.connect))
	}
	for {
		r.choice.now = now
		m, trial = nil, false
		for _, t := range v.trials {
			if r.choice.fresh(t) && t.health.claim(now) {
				m, trial = t, true
				break
			}
		}
		if m == nil {
			m = u.balance.pick(v, &r.choice, ex)
		}
		if m == nil {
			return nil, false, u.nobody(ex, v, now)
		}
		if m.link.acquire() {
			return m, trial, nil
		}
		if trial {
			m.health.lease.Store(0)
		}
		// The client was closed since the view was made: there is a newer view.
		u.mu.Lock()
		v = u.renew(now)
		u.mu.Unlock()
	}
}

// attempt makes one call and draws conclusions about the member.
func (u *Upstream) attempt(
	ex *policy.Exchange, r *run, m *member, trial bool, rule *policy.Retry, began time.Time,
) (ended time.Time, failure transport.Failure, err error) {
	r.call = transport.Call{
		Authority: u.authority(ex, m), Path: pathOf(ex),
		ConnectTimeout: either(ex.Forward.Connect, u.s.connect),
		HeaderTimeout:  either(ex.Forward.Header, u.s.header),
		Deadline:       r.deadline,
	}
	if u.system {
		r.call.Start = began
	}
	if m.target.basePath != "" {
		r.call.Path = m.target.basePath + r.call.Path
	}
	if rule.PerTry > 0 {
		r.call.ConnectTimeout = min(r.call.ConnectTimeout, rule.PerTry)
		r.call.HeaderTimeout = min(r.call.HeaderTimeout, rule.PerTry)
	}
	if n := r.choice.count; n < len(r.choice.tried) {
		r.choice.tried[n] = m.endpoint
		r.choice.count++
	}
	err = m.link.client.RoundTrip(ex, &r.call)
	m.link.release()
	if ended = r.call.Answered; ended.IsZero() || !u.system {
		ended = u.env.Clock.Now()
	}
	if u.system {
		ex.SetRecent(ended)
	}
	took := ended.Sub(began)
	a := policy.Attempt{
		Target: m.label, Start: began.Sub(ex.Start), Duration: took,
		Reused: r.call.Reused, Status: ex.Response.Status,
	}
	if err != nil {
		if failure = transport.FailureOf(err); failure == 0 {
			failure = transport.FailedReset
		}
		if ctx := ex.Context(); ctx.Err() != nil && failure != transport.FailedBody {
			failure = transport.FailedCanceled
			if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				failure = transport.FailedTimeout
			}
		}
		a.Status, a.Error = 0, err.Error()
	}
	ex.Outcome.Attempts = append(ex.Outcome.Attempts, a)
	u.env.Metrics.Attempted(u.s.name, m.endpoint.target, a.Status, failure, took)
	u.judge(m, r, trial, a.Status, failure, err, ended, took)
	return ended, failure, err
}

func (u *Upstream) authority(ex *policy.Exchange, m *member) string {
	switch {
	case ex.Forward.Authority != "":
		return ex.Forward.Authority
	case u.s.hostClient && ex.Request.Authority != "":
		return ex.Request.Authority
	default:
		return m.authority
	}
}

func pathOf(ex *policy.Exchange) string {
	if ex.Forward.Path != "" {
		return ex.Forward.Path
	}
	return ex.Request.Path
}

// again decides about a further attempt that the rules allow, and waits for its
// time. It says no where the time would not be enough, the budget is used up, or
// the client has left.
func (u *Upstream) again(ex *policy.Exchange, r *run, rule *policy.Retry, now time.Time) bool {
	ctx := ex.Context()
	if ctx.Err() != nil {
		return false
	}
	pause := backoff(rule, r.choice.count-1, u.env.Random())
	if !r.deadline.IsZero() && !now.Add(pause).Before(r.deadline) {
		ex.Note("", "retry", "no time is left for another attempt")
		return false
	}
	if !u.family.budget.retry(u.s.budget, u.at(now)) {
		u.env.Metrics.Retried(u.s.name, true)
		ex.Note("", "retry", "the retry budget of the upstream is used up")
		return false
	}
	if pause > 0 {
		c, stop := u.env.Clock.After(pause)
		defer stop()
		select {
		case <-c:
		case <-ctx.Done():
			return false
		}
	}
	u.env.Metrics.Retried(u.s.name, false)
	return true
}

// another reports whether there is a target that was not tried yet.
func (u *Upstream) another(r *run) bool {
	return slices.ContainsFunc(u.view.Load().usable, r.choice.fresh)
}

// discard drops the response of a failed attempt. The client knows what of the
// body has arrived already, and so whether the connection can be kept.
func discard(ex *policy.Exchange) {
	_ = ex.Response.Body.Close() // nobody will read it
	if t := ex.Response.Tunnel; t != nil {
		_ = t.Close()
	}
	ex.Response.Header.Reset()
	ex.Response.Trailer.Reset()
	ex.Response.Body.Reset()
	ex.Response.Status, ex.Response.Tunnel = 0, nil
}

// nobody explains that there is no target to call.
func (u *Upstream) nobody(ex *policy.Exchange, v *view, now instant) error {
	if ctx := ex.Context(); ctx.Err() != nil {
		return u.explain(ex, transport.FailedCanceled, context.Cause(ctx))
	}
	u.mu.Lock()
	var cause error
	for _, n := range u.names {
		if n.err != nil {
			cause = n.err
		}
	}
	resolved, closed := len(u.layout.all) > 0, u.closed
	u.mu.Unlock()
	switch {
	case closed:
		return problem.New(problem.CodeUpstreamUnavailable, "the upstream's configuration was replaced; try again").
			WithStatus(503).WithRetryAfter(time.Second)
	case !resolved && cause == nil:
		return problem.New(problem.CodeUpstreamTimeout, "the upstream's name could not be resolved in time")
	case !resolved:
		return problem.New(problem.CodeUpstreamUnavailable, "the upstream's name does not resolve").Because(cause)
	}
	wait := time.Second
	if v.wake != never {
		wait = min(max(wait, time.Duration(v.wake-now)), time.Minute)
	}
	return problem.New(problem.CodeUpstreamUnavailable, "no target of the upstream is in service").
		WithStatus(503).WithRetryAfter(wait)
}
