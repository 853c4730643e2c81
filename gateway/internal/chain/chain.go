// Package chain runs the policies of one request: in order, in conditions, with
// their verdicts kept for the decision record, and failing closed. It knows
// what a policy is and nothing of routes, units or transports.
package chain

import (
	"slices"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// Step is one configured policy, compiled.
type Step struct {
	// ID is the instance id of the policy, Type its type.
	ID, Type string
	Level    policy.Level
	policy.Hooks
	// When, where set, must be true for the policy to act.
	When policy.Expression
}

// Plan is a plan, compiled.
type Plan struct {
	ID, Name string
	// Security establishes the caller; nil = keyless. Plans with the same
	// security share the step, which is then tried once.
	Security *Step
	When     policy.Expression
	// Steps are the plan's policies, followed by the operation's.
	Steps []*Step
}

// Chain is all that a request of one operation goes through. It never changes
// once made.
type Chain struct {
	// API is the id under which subscriptions are looked up.
	API string
	// Steps are the policies of platform, project and API and, for an API
	// without plans, of the operation.
	Steps []*Step
	Plans []*Plan

	preflight []*Step
	finals    []*Step // of Steps, in the order to run
	planFinal [][]*Step
}

// New returns the chain of the given steps and plans.
func New(api string, steps []*Step, plans []*Plan) *Chain {
	c := &Chain{API: api, Steps: steps, Plans: plans}
	for _, s := range steps {
		if s.Preflight != nil {
			c.preflight = append(c.preflight, s)
		}
	}
	c.finals = finalsOf(steps)
	for _, p := range plans {
		all := p.Steps
		if p.Security != nil {
			all = append([]*Step{p.Security}, p.Steps...)
		}
		for _, s := range all {
			if s.Preflight != nil {
				c.preflight = append(c.preflight, s)
			}
		}
		c.planFinal = append(c.planFinal, finalsOf(all))
	}
	return c
}

func finalsOf(steps []*Step) []*Step {
	var fs []*Step
	for i := len(steps) - 1; i >= 0; i-- {
		if steps[i].Final != nil {
			fs = append(fs, steps[i])
		}
	}
	return fs
}

// Has reports whether a policy of one of the types is in the chain.
func (c *Chain) Has(types ...string) bool {
	for _, s := range c.Steps {
		if slices.Contains(types, s.Type) {
			return true
		}
	}
	for _, p := range c.Plans {
		for _, s := range p.Steps {
			if slices.Contains(types, s.Type) {
				return true
			}
		}
	}
	return false
}

// Outcome is what became of one policy in one exchange.
type Outcome uint8

// The outcomes.
const (
	Passed   Outcome = iota // let the request go on
	Answered                // set a response
	Refused                 // returned an error
	Skipped                 // its condition was false
	Ignored                 // a plan's security that found nothing for it
)

// String returns the word used in decision records.
func (o Outcome) String() string {
	return [...]string{"pass", "answer", "refuse", "skip", "ignore"}[o]
}

// Verdict is the outcome of one policy with its reason.
type Verdict struct {
	Step     *Step
	Outcome  Outcome
	Err      error
	Duration time.Duration
}

// State is the work on one exchange. It is pooled by the engine; its zero value
// is ready.
type State struct {
	verdicts []Verdict
	chain    *Chain
	plan     int // index, -1 = none chosen
	current  *Step
	// answeredErr is the policy that refused or answered.
	by *Step
}

// Reset makes the state ready for another exchange and keeps its memory.
func (s *State) Reset() {
	clear(s.verdicts)
	*s = State{verdicts: s.verdicts[:0], plan: -1}
}

// Verdicts are the outcomes so far, in the order in which policies acted.
func (s *State) Verdicts() []Verdict { return s.verdicts }

// By returns the policy that refused or answered, or nil.
func (s *State) By() *Step { return s.by }

// Plan returns the plan that was chosen, or nil.
func (s *State) Plan() *Plan {
	if s.chain == nil || s.plan < 0 {
		return nil
	}
	return s.chain.Plans[s.plan]
}
