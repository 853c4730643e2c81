package upstream

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// explain turns the failure of the last attempt into what the client is told.
func (u *Upstream) explain(ex *policy.Exchange, failure transport.Failure, err error) error {
	var timeout net.Error
	switch failure {
	case transport.FailedConnect:
		if errors.As(err, &timeout) && timeout.Timeout() {
			return problem.New(problem.CodeUpstreamTimeout, "the upstream took no connection in time").Because(err)
		}
		return problem.New(problem.CodeUpstreamUnavailable, "no connection to the upstream").Because(err)
	case transport.FailedTimeout:
		return problem.New(problem.CodeUpstreamTimeout, "the upstream did not answer in time").Because(err)
	case transport.FailedInvalid:
		return problem.New(problem.CodeUpstreamInvalid, "the upstream's answer is not valid HTTP").Because(err)
	case transport.FailedTooLarge:
		return problem.New(problem.CodeUpstreamTooLarge, "the header of the upstream's answer is too large").Because(err)
	case transport.FailedExhausted:
		return problem.New(problem.CodeUpstreamUnavailable, "all connections to the upstream are in use").
			WithStatus(503).WithRetryAfter(time.Second).Because(err)
	case transport.FailedCanceled:
		if errors.Is(err, context.DeadlineExceeded) {
			return problem.New(problem.CodeUpstreamTimeout, "the upstream did not answer in time").Because(err)
		}
		return problem.New(problem.CodeClientClosed, "").Because(err)
	case transport.FailedBody:
		var p *problem.Problem
		if errors.As(err, &p) {
			return p
		}
		if ex.Context().Err() != nil {
			return problem.New(problem.CodeClientClosed, "").Because(err)
		}
		return problem.New(problem.CodeBadRequest, "the request body could not be read").Because(err)
	default:
		return problem.New(problem.CodeUpstreamUnavailable, "the upstream closed the connection without an answer").Because(err)
	}
}

// judge notes the outcome of an attempt with its endpoint.
func (u *Upstream) judge(
	m *member, r *run, trial bool, status int, failure transport.Failure, err error, at time.Time, took time.Duration,
) {
	m.requests.Add(1)
	now := u.at(at)
	neutral, bad := false, false
	switch failure {
	case 0:
		bad = u.s.passive != nil && slices.Contains(u.s.passive.statuses, status)
	case transport.FailedCanceled, transport.FailedBody, transport.FailedExhausted, transport.FailedTooLarge:
		neutral = true // says nothing of the target's health
	case transport.FailedReset:
		// A kept connection may have been closed for a good reason. If the target
		// is down, the next, new connection will tell.
		neutral = r.call.Reused
		bad = !neutral
	default:
		bad = true
	}
	switch {
	case failure == transport.FailedCanceled || failure == transport.FailedBody:
	case failure != 0:
		m.failed(at, err)
	case bad:
		m.failed(at, statusError(status))
	}
	switch {
	case bad:
		m.latency.observe(max(took, failurePenalty), now)
	case !neutral:
		m.latency.observe(took, now)
	}
	p := u.s.passive
	switch {
	case p == nil:
	case neutral:
		if trial {
			m.health.lease.Store(0)
		}
	case !bad && !trial:
		m.health.good(p, now)
	case !bad:
		if m.health.restore(now, at) {
			u.changed(m, Healthy, "reason", "trial request succeeded")
		}
	case m.health.failed(p, now) || trial:
		u.eject(m, trial, now, at)
	}
}

// eject rests a member, unless too many rest already. The last healthy one stays
// in service whatever it does: a poor answer is better than none.
func (u *Upstream) eject(m *member, trial bool, now instant, at time.Time) {
	u.family.mu.Lock()
	ejected, onTrial := m.health.resting()
	if ejected || onTrial != trial || !trial && !u.mayEject(m, now) {
		u.family.mu.Unlock()
		return
	}
	rest := m.health.eject(u.s.passive, now, at)
	u.family.mu.Unlock()
	u.changed(m, Ejected, "rest", rest)
}

func (u *Upstream) mayEject(m *member, now instant) bool {
	total, resting, others := 0, 1, 0
	for _, g := range u.view.Load().layout.groups {
		for _, o := range g.members {
			total++
			if ejected, trial := o.health.resting(); ejected || trial {
				resting++
			}
			if c, _ := o.health.condition(now); c == Healthy && o.endpoint != m.endpoint {
				others++
			}
		}
	}
	return others > 0 && resting*100 <= u.s.passive.maxEjected*total
}

// changed makes a new condition known.
func (u *Upstream) changed(m *member, c Condition, attrs ...any) {
	u.family.epoch.Add(1)
	u.env.Metrics.Changed(u.s.name, m.endpoint.target, c)
	u.env.Log.Info("target changed", append([]any{"target", m.label, "condition", string(c)}, attrs...)...)
}
