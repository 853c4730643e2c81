package chain

import (
	"errors"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// choosePlan tries the plans in their order and takes the first whose security
// accepts the caller, whose condition holds, and to which the caller's
// application has an active subscription.
//
// A keyless plan is only for requests that carry no credential: a credential
// that was refused is never treated as if it had not been sent. Where no plan
// fits, the answer is the error that tells most: a dependency that is down, a
// credential that was refused, a subscription that is missing, a credential
// that is missing; with the challenges of all plans.
func (s *State) choosePlan(ex *policy.Exchange) error {
	var t tried
	for i, p := range s.chain.Plans {
		err := s.tryPlan(ex, p, &t)
		if err == nil {
			s.plan = i
			ex.Caller.Plan = p.ID
			return nil
		}
		t.keep(err)
	}
	return t.answer()
}

var (
	errCondition = errors.New("the plan's condition is false")
	errCarries   = errors.New("the request carries a credential")
)

func (s *State) tryPlan(ex *policy.Exchange, p *Plan, t *tried) error {
	if p.Security == nil {
		if t.refused {
			return errCarries
		}
		ex.Caller = policy.Caller{}
		return holds(p, ex)
	}
	err := t.err
	if t.last != p.Security {
		err = s.authenticate(ex, p.Security)
		t.last, t.err, t.caller = p.Security, err, ex.Caller
	}
	if err != nil {
		ex.Caller = policy.Caller{}
		return err
	}
	ex.Caller = t.caller
	if err := s.subscribed(ex, p); err != nil {
		ex.Caller = policy.Caller{}
		return err
	}
	return holds(p, ex)
}

// authenticate runs a plan's security and records what it said.
func (s *State) authenticate(ex *policy.Exchange, st *Step) error {
	s.current = st
	start := ex.Tick()
	err := enter(st, ex)
	v := Verdict{Step: st, Err: err, Duration: ex.Tick().Sub(start)}
	switch {
	case errors.Is(err, policy.ErrNoCredential):
		v.Outcome = Ignored
	case err != nil:
		v.Outcome = Refused
	}
	s.verdicts = append(s.verdicts, v)
	return err
}

func holds(p *Plan, ex *policy.Exchange) error {
	if p.When == nil {
		return nil
	}
	ok, err := p.When.Bool(ex)
	if err != nil {
		return problem.New(problem.CodePolicyFailed, "the condition of plan %s could not be evaluated", p.Name).Because(err)
	}
	if !ok {
		return errCondition
	}
	return nil
}

func (s *State) subscribed(ex *policy.Exchange, p *Plan) error {
	// A credential may be bound to one plan; the security policy says so here.
	if bound := ex.Caller.Plan; bound != "" && bound != p.ID {
		return errSubscription(p)
	}
	if app := ex.Caller.Application; app != nil {
		subs := app.Subscriptions[s.chain.API]
		for i := range subs {
			sub := &subs[i]
			if sub.Plan == p.ID && sub.Active && (sub.ExpiresAt.IsZero() || ex.Start.Before(sub.ExpiresAt)) {
				ex.Caller.Subscription = sub.ID
				return nil
			}
		}
	}
	return errSubscription(p)
}

func errSubscription(p *Plan) error {
	return problem.New(problem.CodeSubscriptionMissing,
		"the application has no active subscription to the plan %s", p.Name)
}

// tried is what was learned from the plans that did not fit.
type tried struct {
	last       *Step // the security tried last, with what it said
	err        error
	caller     policy.Caller
	refused    bool // a credential was there and not accepted
	best       *problem.Problem
	bestRank   int
	challenges []string
}

// keep remembers the error that tells most.
func (t *tried) keep(err error) {
	if errors.Is(err, errCondition) || errors.Is(err, errCarries) {
		if t.best == nil {
			t.best = problem.New(problem.CodeAccessDenied, "no plan of this API fits the request")
		}
		return
	}
	p := problem.From(err)
	rank := 1
	switch {
	case errors.Is(err, policy.ErrNoCredential):
		t.challenges = append(t.challenges, p.Challenges...)
	case p.Status >= 500:
		rank, t.refused = 4, true
	case p.Code == problem.CodeSubscriptionMissing:
		rank, t.refused = 2, true
	default:
		rank, t.refused = 3, true
		t.challenges = append(t.challenges, p.Challenges...)
	}
	if t.best == nil || rank > t.bestRank {
		t.best, t.bestRank = p, rank
	}
}

// answer returns the problem for a request that no plan fits.
func (t *tried) answer() error {
	if t.best.Status != 401 {
		return t.best
	}
	p := *t.best // the security's own problem may be shared
	p.Challenges = nil
	for _, c := range t.challenges {
		seen := false
		for _, have := range p.Challenges {
			seen = seen || have == c
		}
		if !seen {
			p.Challenges = append(p.Challenges, c)
		}
	}
	return &p
}
