// Package subscription is the life of a subscription: in which states it can
// be, what may be done with it in each, and by which side. It does no I/O and
// knows neither HTTP nor tables.
package subscription

import (
	"slices"
	"strings"
	"time"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Status is the state of a subscription.
type Status string

// The states. Rejected and closed ones stay as they are for good.
const (
	Pending  Status = "pending"  // somebody has to decide
	Active   Status = "active"   // calls pass
	Paused   Status = "paused"   // calls are refused until it is resumed
	Rejected Status = "rejected" // it was never active
	Closed   Status = "closed"   // it is over
)

// Statuses lists every state.
func Statuses() []Status { return []Status{Pending, Active, Paused, Rejected, Closed} }

// Open reports whether the subscription may still, or again, let calls pass.
func (s Status) Open() bool { return s == Pending || s == Active || s == Paused }

// Action is something that is done with a subscription.
type Action string

// The actions.
const (
	Approve Action = "approve"
	Reject  Action = "reject"
	Pause   Action = "pause"
	Resume  Action = "resume"
	Close   Action = "close"
)

// Actions lists every action.
func Actions() []Action { return []Action{Approve, Reject, Pause, Resume, Close} }

// Permission returns what a publisher needs, in the API's project.
func (a Action) Permission() string {
	switch a {
	case Approve, Reject:
		return "subscription:approve"
	case Close:
		return "subscription:delete"
	default:
		return "subscription:update"
	}
}

// Past returns the action as the word for something that was done.
func (a Action) Past() string {
	switch a {
	case Approve:
		return "approved"
	case Reject:
		return "rejected"
	case Pause:
		return "paused"
	case Resume:
		return "resumed"
	default:
		return "closed"
	}
}

// steps says where each action leads.
var steps = map[Action]struct {
	from []Status
	to   Status
}{
	Approve: {[]Status{Pending}, Active},
	Reject:  {[]Status{Pending}, Rejected},
	Pause:   {[]Status{Active}, Paused},
	Resume:  {[]Status{Paused}, Active},
	Close:   {[]Status{Pending, Active, Paused}, Closed},
}

// Next returns the state that an action leads to. The error is a problem 409
// that says what is possible instead.
func Next(s Status, a Action) (Status, error) {
	step, ok := steps[a]
	if !ok {
		return s, problem.New(problem.CodeInternal, "")
	}
	if slices.Contains(step.from, s) {
		return step.to, nil
	}
	can := Possible(s)
	if len(can) == 0 {
		return s, problem.New(problem.CodeConflict, "the subscription is %s, which is its last state: subscribe again instead", s)
	}
	names := make([]string, len(can))
	for i, c := range can {
		names[i] = string(c)
	}
	return s, problem.New(problem.CodeConflict, "the subscription is %s, so there is nothing to %s: it is possible to %s it", s, a, strings.Join(names, " or "))
}

// Possible lists what can be done in a state.
func Possible(s Status) []Action {
	var out []Action
	for _, a := range Actions() {
		if slices.Contains(steps[a].from, s) {
			out = append(out, a)
		}
	}
	return out
}

// Of the security types of plans, what a subscription is for.
const (
	SecurityKeyless = "keyless"
	SecurityAPIKey  = "api-key"
)

// Plan is what has to be known of a plan before somebody subscribes.
type Plan struct {
	Name string
	// Security, Approval and Status are as in the contract of policy-manager.
	Security, Approval, Status string
	// Deprecated is the API's.
	Deprecated bool
}

// Begin returns the state in which a new subscription begins, or the problem
// why there can be none.
func Begin(p Plan) (Status, error) {
	switch {
	case p.Deprecated:
		return "", problem.New(problem.CodeConflict, "the API is deprecated: no new subscriptions are made; look for its newer version in the catalogue")
	case p.Status != "published":
		return "", problem.New(problem.CodeConflict, "the plan %s is %s: no new subscriptions are made; choose another plan", p.Name, p.Status)
	case p.Security == SecurityKeyless:
		return "", problem.New(problem.CodeConflict, "the plan %s asks for no credential: call the API without a subscription", p.Name)
	case p.Approval == "automatic":
		return Active, nil
	default:
		return Pending, nil
	}
}

// Change is one line of a subscription's history.
type Change struct {
	Status  Status    `json:"status"`
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	ByName  string    `json:"byName,omitempty"`
	Message string    `json:"message,omitempty"`
}
