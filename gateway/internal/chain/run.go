package chain

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Forward sends the request to the upstream and fills the response.
type Forward func(*policy.Exchange) error

// Run takes the exchange through the chain. Afterwards it has a response, made
// by the upstream, by a policy or from an error.
func (s *State) Run(ex *policy.Exchange, c *Chain, forward Forward) {
	s.chain, s.plan = c, -1
	if err := s.way(ex, forward); err != nil {
		s.Fail(ex, err)
	}
	s.final(ex)
}

// way is the way forward and back. A panic of a policy ends it like an error.
func (s *State) way(ex *policy.Exchange, forward Forward) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = s.panicked(r)
		}
	}()
	if len(s.chain.preflight) > 0 && isPreflight(&ex.Request) {
		if err := s.runPreflight(ex); err != nil || ex.Responded() {
			return err
		}
	}
	if err := s.inbound(ex, s.chain.Steps); err != nil {
		return err
	}
	if len(s.chain.Plans) > 0 && !ex.Responded() {
		if err := s.choosePlan(ex); err != nil {
			return err
		}
		if err := s.inbound(ex, s.chain.Plans[s.plan].Steps); err != nil {
			return err
		}
	}
	s.current = nil
	if !ex.Responded() {
		if err := forward(ex); err != nil {
			return err
		}
	}
	return s.outbound(ex)
}

func (s *State) panicked(r any) error {
	cause := fmt.Errorf("panic: %v\n%s", r, debug.Stack()) //nolint:err113 // a panic has no sentinel
	if s.current == nil {
		return problem.New(problem.CodeInternal, "").Because(cause)
	}
	s.verdicts = append(s.verdicts, Verdict{Step: s.current, Outcome: Refused, Err: cause})
	s.by = s.current
	return problem.New(problem.CodePolicyFailed, "the policy %s failed", s.current.ID).Because(cause)
}

// isPreflight follows the Fetch standard's CORS-preflight request.
func isPreflight(r *policy.Request) bool {
	return r.Method == "OPTIONS" && r.Header.Has("Origin") && r.Header.Has("Access-Control-Request-Method")
}

func (s *State) runPreflight(ex *policy.Exchange) error {
	for _, st := range s.chain.preflight {
		s.current = st
		if err := st.Preflight(ex); err != nil || ex.Responded() {
			s.record(st, ex, err, 0)
			return err
		}
	}
	s.current = nil
	return nil
}

// inbound runs the steps in order until one refuses or answers.
func (s *State) inbound(ex *policy.Exchange, steps []*Step) error {
	if len(steps) == 0 {
		return nil
	}
	// A request that was read just now has cost a microsecond at most: that is
	// taken for the first policy's, rather than the clock read once more.
	last := ex.Recent()
	if last.IsZero() || last != ex.Start {
		last = ex.Tick()
	}
	for _, st := range steps {
		s.current = st
		if st.When != nil && !st.When.NeedsResponse() {
			ok, err := st.When.Bool(ex)
			if err != nil {
				err = problem.New(problem.CodePolicyFailed, "the condition of policy %s could not be evaluated", st.ID).Because(err)
				s.record(st, ex, err, 0)
				return err
			}
			if !ok {
				s.verdicts = append(s.verdicts, Verdict{Step: st, Outcome: Skipped})
				continue
			}
		}
		err := enter(st, ex)
		now := ex.Tick()
		s.record(st, ex, err, now.Sub(last))
		last = now
		if err != nil || ex.Responded() {
			return err
		}
	}
	return nil
}

// enter runs one Inbound hook, with the body in memory where it is needed.
func enter(st *Step, ex *policy.Exchange) error {
	if st.BufferRequest > 0 && !ex.Request.Body.Buffered() && ex.Request.Upgrade == "" && !ex.Request.GRPC {
		if _, err := ex.Request.Body.Buffer(st.BufferRequest); err != nil {
			return bodyProblem(err, st.BufferRequest)
		}
	}
	if st.Inbound == nil {
		return nil
	}
	return st.Inbound(ex)
}

func bodyProblem(err error, limit int64) error {
	if errors.Is(err, policy.ErrBodyTooLarge) {
		return problem.New(problem.CodeBodyTooLarge, "the body exceeds %d bytes", limit)
	}
	var p *problem.Problem
	if errors.As(err, &p) {
		return p
	}
	return problem.New(problem.CodeBadRequest, "the request body could not be read").Because(err)
}

func (s *State) record(st *Step, ex *policy.Exchange, err error, d time.Duration) {
	v := Verdict{Step: st, Err: err, Duration: d}
	switch {
	case err != nil:
		v.Outcome = Refused
		s.by = st
	case ex.Responded():
		v.Outcome = Answered
		s.by = st
	}
	s.verdicts = append(s.verdicts, v)
}

// outbound runs the Outbound hooks of the policies entered, in reverse order.
func (s *State) outbound(ex *policy.Exchange) error {
	for i := len(s.verdicts) - 1; i >= 0; i-- {
		st := s.verdicts[i].Step
		if st.Outbound == nil || s.verdicts[i].Outcome == Skipped || s.verdicts[i].Outcome == Ignored {
			continue
		}
		s.current = st
		if st.When != nil && st.When.NeedsResponse() {
			ok, err := st.When.Bool(ex)
			if err != nil {
				return s.refuse(st, problem.New(problem.CodePolicyFailed,
					"the condition of policy %s could not be evaluated", st.ID).Because(err))
			}
			if !ok {
				continue
			}
		}
		if st.BufferResponse > 0 && bufferable(ex) {
			if _, err := ex.Response.Body.Buffer(st.BufferResponse); err != nil {
				return s.refuse(st, upstreamBodyProblem(err, st.BufferResponse))
			}
		}
		start := ex.Tick()
		err := st.Outbound(ex)
		s.verdicts[i].Duration += ex.Tick().Sub(start)
		if err != nil {
			return s.refuse(st, err)
		}
	}
	s.current = nil
	return nil
}

func (s *State) refuse(st *Step, err error) error {
	s.by = st
	s.verdicts = append(s.verdicts, Verdict{Step: st, Outcome: Refused, Err: err})
	return err
}

// bufferable reports whether a response may be held back until it is whole.
func bufferable(ex *policy.Exchange) bool {
	if ex.Response.Body.Buffered() || ex.Response.Tunnel != nil || ex.Request.GRPC {
		return false
	}
	ct := ex.Response.Header.Get("Content-Type")
	const stream = "text/event-stream"
	return len(ct) < len(stream) || !policy.EqualName(ct[:len(stream)], stream)
}

func upstreamBodyProblem(err error, limit int64) error {
	if errors.Is(err, policy.ErrBodyTooLarge) {
		return problem.New(problem.CodeUpstreamTooLarge,
			"the response exceeds the %d bytes that a policy may hold in memory", limit)
	}
	return problem.New(problem.CodeUpstreamInvalid, "the response body could not be read").Because(err)
}

// Fail answers err: the policies entered may handle it, and what remains becomes
// a problem document.
func (s *State) Fail(ex *policy.Exchange, err error) {
	discard(ex)
	by := s.by
	for i := len(s.verdicts) - 1; i >= 0; i-- {
		st := s.verdicts[i].Step
		if st.OnError == nil || s.verdicts[i].Outcome == Skipped || s.verdicts[i].Outcome == Ignored {
			continue
		}
		if err = s.onError(st, ex, err); err == nil {
			s.by = st
			return
		}
	}
	s.by = by
	Answer(ex, err)
	if by != nil {
		ex.Outcome.Policy = by.ID
	}
}

func (s *State) onError(st *Step, ex *policy.Exchange, err error) (out error) {
	defer func() {
		if r := recover(); r != nil {
			s.current = st
			out = s.panicked(r)
		}
	}()
	out = st.OnError(ex, err)
	ex.SetRecent(time.Time{})          // it may have waited
	if out == nil && !ex.Responded() { // handled without an answer is not handled
		return err
	}
	return out
}

// discard drops a response that will not be sent.
func discard(ex *policy.Exchange) {
	_ = ex.Response.Body.Close() // the error, if any, is the upstream's affair
	if ex.Response.Tunnel != nil {
		_ = ex.Response.Tunnel.Close()
	}
	header := ex.Response.Header
	header.Reset()
	ex.Response = policy.Response{Header: header}
}

// Answer makes err the response: the problem it is, or an internal one.
func Answer(ex *policy.Exchange, err error) {
	p := problem.From(err)
	shown := *p
	shown.Instance = ex.ID
	discard(ex)
	r := &ex.Response
	r.Status, r.Source = shown.Status, policy.SourceError
	for _, c := range shown.Challenges {
		r.Header.Add("WWW-Authenticate", c)
	}
	for i := 0; i+1 < len(shown.Header); i += 2 {
		r.Header.Set(shown.Header[i], shown.Header[i+1])
	}
	if v := shown.RetryAfterSeconds(); v != "" {
		r.Header.Set("Retry-After", v)
	}
	r.Header.Set("Content-Type", problem.ContentType)
	r.Header.Set("Cache-Control", "no-store")
	r.Body.SetBytes(shown.JSON())
	ex.Outcome.Err = err
}

// final runs the Final hooks of all policies of the chain, reached or not, but
// for those whose condition is false.
func (s *State) final(ex *policy.Exchange) {
	if s.plan >= 0 {
		s.runFinals(ex, s.chain.planFinal[s.plan])
	}
	s.runFinals(ex, s.chain.finals)
}

func (s *State) runFinals(ex *policy.Exchange, steps []*Step) {
	for _, st := range steps {
		if st.When != nil {
			if ok, err := st.When.Bool(ex); err != nil || !ok {
				continue
			}
		}
		s.guard(st, func() { st.Final(ex) })
	}
}

// Done runs the Done hooks of the policies entered, in reverse order.
func (s *State) Done(ex *policy.Exchange) {
	for i := len(s.verdicts) - 1; i >= 0; i-- {
		v := &s.verdicts[i]
		if v.Step.Done != nil && (v.Outcome == Passed || v.Outcome == Answered) {
			s.guard(v.Step, func() { v.Step.Done(ex) })
		}
	}
}

// guard keeps a panic from the answer: it is noted as the policy's failure.
func (s *State) guard(st *Step, f func()) {
	defer func() {
		if r := recover(); r != nil {
			s.current = st
			_ = s.panicked(r) // recorded; the answer stands
		}
	}()
	f()
}
