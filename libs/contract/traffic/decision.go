package traffic

import (
	"encoding/json"
	"time"
)

// Decision explains a [Record]: why the route was chosen, what each policy said
// and how the upstream was tried. Nothing in it is secret.
type Decision struct {
	// Kept says why the decision was kept.
	Kept Kept `json:"kept"`
	// Detail is the detail of the problem that was answered.
	Detail string `json:"detail,omitempty"`
	// RequestHeaders are the request's header lines as "name: value", redacted.
	// They are a list, so that no client can add fields to an index.
	RequestHeaders []string `json:"requestHeaders,omitempty"`
	// Match says why the route was chosen and others were not, in the router's
	// own form.
	Match json.RawMessage `json:"match,omitempty"`
	// Policies are the verdicts in the order in which they fell.
	Policies []Verdict `json:"policies,omitempty"`
	// Attempts are the tries to get an answer from the upstream.
	Attempts []Attempt `json:"attempts,omitempty"`
}

// Kept says why a decision was kept.
type Kept string

// The reasons to keep a decision.
const (
	KeptRefused Kept = "refused" // answered by the gateway with 4xx
	KeptFailed  Kept = "failed"  // answered with 5xx, or not at all
	KeptSampled Kept = "sampled"
	KeptDebug   Kept = "debug" // a debug rule asked for it
)

// Verdict is what one policy did to one request.
type Verdict struct {
	// Policy is the instance id.
	Policy string `json:"policy"`
	// Type is the policy type.
	Type string `json:"type"`
	// Level is where the policy is configured: "platform", "project", "api",
	// "plan" or "operation".
	Level string `json:"level,omitempty"`
	// Phase is "preflight", "inbound", "outbound" or "error".
	Phase string `json:"phase,omitempty"`
	// Outcome is what came of it.
	Outcome Outcome `json:"outcome"`
	// Reason says why, in a few words; for a refusal the problem's code.
	Reason string `json:"reason,omitempty"`
	// Start is the time since the request began, in nanoseconds.
	Start time.Duration `json:"startNs,omitempty"`
	// Duration is the time it took, in nanoseconds.
	Duration time.Duration `json:"durationNs"`
	// Notes are the policy's own remarks.
	Notes Pairs `json:"notes,omitempty"`
}

// Outcome is what came of a policy.
type Outcome string

// The outcomes.
const (
	Pass   Outcome = "pass"   // went on
	Refuse Outcome = "refuse" // ended the request with a problem
	Answer Outcome = "answer" // answered it itself
	Skip   Outcome = "skip"   // its condition did not hold
	Error  Outcome = "error"  // broke; the request was answered 500
)

// Attempt is one try to get an answer from an upstream target.
type Attempt struct {
	// Target is the address that was asked.
	Target string `json:"target"`
	// Status is what it answered.
	Status int `json:"status,omitempty"`
	// Error is why there was no answer.
	Error string `json:"error,omitempty"`
	// Start is the time since the request began, in microseconds.
	Start int64 `json:"startUs"`
	// Duration is the time until the response header or the failure, in
	// microseconds.
	Duration int64 `json:"durationUs"`
	// Reused says that a kept connection was used.
	Reused bool `json:"reused,omitempty"`
}

// ReasonNoCredential is the reason of a [Skip] of a plan's security: the request
// had no credential of its kind.
const ReasonNoCredential = "no-credential" //nolint:gosec // the name of a reason
