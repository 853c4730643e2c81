// Package explain puts the record of a request into the words of its caller:
// what happened, why, and what to do about it. Nothing of how the API is run is
// told: no upstream, no policy's configuration, no other caller. It is pure.
package explain

import (
	"fmt"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Explanation is what the caller is told.
type Explanation struct {
	Sentence string
	// Advice is what to do; "" where there is nothing.
	Advice string
	Steps  []Step
}

// Step is one thing that the request passed.
type Step struct {
	Title string
	// Outcome is one of the outcomes below.
	Outcome string
	Detail  string
}

// The outcomes of steps.
const (
	Passed  = "passed"
	Refused = "refused"
	Failed  = "failed"
	Skipped = "skipped"
)

// Names are what the caller knows things by.
type Names struct {
	// Plan is the name of the plan; "" where it is not known.
	Plan string
	// KeyHeader is the header that the plan takes a key in.
	KeyHeader string
}

// said is what a code means to a caller.
type said struct{ sentence, advice string }

// codes are the answers of the gateway itself. A detail of the gateway follows
// where it is about the caller's own request.
var codes = map[problem.Code]said{
	problem.CodeCredentialMissing:   {"The request came without a credential.", "Send your API key in the header that the plan asks for."},
	problem.CodeCredentialInvalid:   {"The credential is not known, or was revoked.", "Check that the whole key was sent, without quotes or spaces. If it was revoked or rotated, take a new one."},
	problem.CodeCredentialExpired:   {"The credential has expired.", "Make a new key, or rotate the old one before it ends the next time."},
	problem.CodeSubscriptionMissing: {"The credential is good, but its application has no active subscription to a plan of this API.", "Subscribe the application to a plan. If a subscription is pending or paused, it is for the API's owner to decide."},
	problem.CodeScopeMissing:        {"The credential does not carry a scope that this operation needs.", "Ask for the scope, or use another credential."},
	problem.CodeAccessDenied:        {"The API's owner does not let this caller do that.", "Ask the API's owner for access."},
	problem.CodeAddressDenied:       {"The API's owner does not take requests from this address.", "Call from an address that was agreed on, or ask the API's owner."},
	problem.CodeRateLimited:         {"Too many requests came within the time that the plan allows.", "Wait as long as the header Retry-After says, and spread calls evenly. A larger plan allows more."},
	problem.CodeQuotaExceeded:       {"The quota of the plan is used up.", "Wait until the quota begins anew, as the header Retry-After says, or change to a larger plan."},
	problem.CodeSpikeArrested:       {"Too many requests came at once.", "Spread calls evenly, and try again after a short wait."},
	problem.CodeConcurrencyLimited:  {"Too many requests were under way at the same time.", "Wait for answers before sending more."},
	problem.CodeNotFound:            {"No API is at this address.", "Compare host and path with the API's page. The path begins with the API's base path."},
	problem.CodeMethodNotAllowed:    {"The path exists, but does not take this method.", "See the header Allow, or the reference of the API."},
	problem.CodeValidationFailed:    {"The request does not match what the API documents.", "Compare it with the reference: the answer names the fields at fault."},
	problem.CodeBadRequest:          {"The request could not be understood.", "Check its syntax."},
	problem.CodeBadPath:             {"The path is ambiguous or not valid.", "Send it without empty or dot segments and without encoded slashes."},
	problem.CodeThreatDetected:      {"The request looked unsafe and was not passed on.", "If it is right as it is, show the request id to the API's owner."},
	problem.CodeBodyTooLarge:        {"The body is larger than the API takes.", "Send less at once."},
	problem.CodeHeaderTooLarge:      {"The header of the request is too large.", "Send fewer or shorter header fields."},
	problem.CodeURITooLong:          {"The address is too long.", "Send long values in the body."},
	problem.CodeMaintenance:         {"The API is under maintenance.", "Try again later."},
	problem.CodeGone:                {"This is no longer offered.", "See the API's page for what replaces it."},
	problem.CodeUpstreamTimeout:     {"The API did not answer in time.", "Try again. If it stays so, show the request id to the API's owner."},
	problem.CodeUpstreamUnavailable: {"The API cannot be reached at the moment.", "Try again later. If it stays so, show the request id to the API's owner."},
	problem.CodeUpstreamInvalid:     {"The API gave an answer that could not be passed on.", "Show the request id to the API's owner."},
	problem.CodeCircuitOpen:         {"The API has failed too often and is left alone for a moment.", "Try again in a minute."},
}

// told are the codes whose detail is about the caller's own request.
var told = map[problem.Code]bool{
	problem.CodeRateLimited: true, problem.CodeQuotaExceeded: true, problem.CodeSpikeArrested: true, problem.CodeConcurrencyLimited: true,
	problem.CodeValidationFailed: true, problem.CodeBadPath: true, problem.CodeBodyTooLarge: true, problem.CodeScopeMissing: true,
	problem.CodeMethodNotAllowed: true,
}

// Of explains a record.
func Of(r *traffic.Record, n Names) Explanation {
	e := Explanation{Steps: steps(r, n)}
	code := problem.Code(r.ErrorCode)
	switch s, known := codes[code]; {
	case r.Status == traffic.StatusClientClosed:
		e.Sentence, e.Advice = "The caller went away before the answer was complete.", "If that was not meant, raise the timeout of the program."
	case known && r.ErrorSource != traffic.SourceUpstream:
		e.Sentence, e.Advice = s.sentence, s.advice
		if d := r.Decision; d != nil && d.Detail != "" && told[code] {
			e.Sentence = strings.TrimSuffix(s.sentence, ".") + ": " + strings.TrimSuffix(d.Detail, ".") + "."
		}
		if code == problem.CodeCredentialMissing && n.KeyHeader != "" {
			e.Advice = "Send your API key in the header " + n.KeyHeader + "."
		}
	case r.Status >= 500 && r.ErrorSource != traffic.SourceUpstream && r.ErrorSource != "":
		e.Sentence, e.Advice = "The gateway could not handle the request.", "Show the request id to the API's owner."
	case r.Status >= 500:
		e.Sentence, e.Advice = fmt.Sprintf("The API itself answered %d: something failed there.", r.Status), "Try again later. If it stays so, show the request id to the API's owner."
	case r.Status >= 400 && r.ErrorSource != traffic.SourceUpstream && r.ErrorSource != "":
		e.Sentence, e.Advice = fmt.Sprintf("The request was refused with %d before it reached the API.", r.Status), "If it is right as it is, show the request id to the API's owner."
	case r.Status >= 400:
		e.Sentence, e.Advice = fmt.Sprintf("The request passed, and the API itself answered %d.", r.Status), "The body of the answer says what the API did not like; compare the request with the reference."
	case r.Status >= 300:
		e.Sentence = fmt.Sprintf("The API answered %d, and refers to another address.", r.Status)
	default:
		e.Sentence = fmt.Sprintf("The request was answered with %d.", r.Status)
		if r.Cache == "hit" {
			e.Sentence = fmt.Sprintf("The request was answered with %d from what the gateway had kept.", r.Status)
		}
	}
	return e
}

// classes are the policy types in the caller's words. Those not named are the
// API owner's own business.
var classes = map[string]string{
	"api-key": "Credential", "jwt": "Credential", "basic-auth": "Credential", "mtls": "Credential", "oauth2-introspection": "Credential", "hmac-signature": "Credential",
	"rate-limit": "Rate limit", "quota": "Quota", "spike-arrest": "Spike arrest", "concurrency-limit": "Concurrency",
	"ip-filter": "Address", "acl": "Access", "openapi-validation": "Validation", "body-limit": "Size", "json-threat": "Safety", "injection-filter": "Safety",
	"maintenance": "Maintenance",
}

// steps are what the request passed, one a class.
func steps(r *traffic.Record, n Names) []Step {
	out := []Step{address(r)}
	if r.API == "" {
		return out
	}
	at := map[string]int{}
	if d := r.Decision; d != nil {
		for _, v := range d.Policies {
			title, ok := classes[v.Type]
			outcome := outcomeOf(v.Outcome)
			if !ok {
				if outcome != Refused && outcome != Failed {
					continue
				}
				title = "Rules of the API"
			}
			i, seen := at[title]
			if !seen {
				i = len(out)
				at[title] = i
				out = append(out, Step{Title: title, Outcome: outcome})
			} else if outcome == Refused || outcome == Failed {
				out[i].Outcome = outcome
			}
		}
	}
	if i, ok := at["Credential"]; ok && r.ApplicationName != "" {
		out[i].Detail = "It is " + r.ApplicationName + "'s."
	} else if !ok && r.Application != "" {
		out = append(out, Step{Title: "Credential", Outcome: Passed, Detail: "It is " + r.ApplicationName + "'s."})
	}
	switch {
	case r.Plan != "" && n.Plan != "":
		out = append(out, Step{Title: "Subscription", Outcome: Passed, Detail: "To the plan " + n.Plan + "."})
	case problem.Code(r.ErrorCode) == problem.CodeSubscriptionMissing:
		out = append(out, Step{Title: "Subscription", Outcome: Refused, Detail: "There is none that is active."})
	}
	return append(out, answer(r))
}

func outcomeOf(o traffic.Outcome) string {
	switch o {
	case traffic.Refuse:
		return Refused
	case traffic.Error:
		return Failed
	case traffic.Skip:
		return Skipped
	default:
		return Passed
	}
}

func address(r *traffic.Record) Step {
	if r.API == "" {
		return Step{Title: "Address", Outcome: Refused, Detail: "No API is at " + r.Method + " " + r.Path + "."}
	}
	s := Step{Title: "Address", Outcome: Passed, Detail: strings.TrimSpace("It is the API " + r.APIName + " " + r.Version + ".")}
	if r.Operation == "" && r.Status == 404 {
		s.Outcome, s.Detail = Refused, "The API has no such operation."
	}
	return s
}

// answer is the last step: what the API itself did.
func answer(r *traffic.Record) Step {
	s := Step{Title: "The API's answer"}
	switch {
	case r.Attempts == 0 && r.Status < 400:
		s.Outcome, s.Detail = Passed, "It came from the gateway; the API was not asked."
	case r.Attempts == 0:
		s.Outcome, s.Detail = Skipped, "The API was not asked."
	case r.UpstreamStatus == 0:
		s.Outcome, s.Detail = Failed, "There was none."
	case r.UpstreamStatus >= 500:
		s.Outcome, s.Detail = Failed, fmt.Sprintf("It was %d, after %s.", r.UpstreamStatus, span(r.UpstreamTime))
	default:
		s.Outcome, s.Detail = Passed, fmt.Sprintf("It was %d, after %s.", r.UpstreamStatus, span(r.UpstreamTime))
	}
	return s
}

// span writes a time given in microseconds.
func span(us int64) string {
	switch {
	case us < 1_000:
		return fmt.Sprintf("%d µs", us)
	case us < 10_000:
		return fmt.Sprintf("%.1f ms", float64(us)/1e3)
	case us < 1_000_000:
		return fmt.Sprintf("%d ms", us/1_000)
	default:
		return fmt.Sprintf("%.1f s", float64(us)/1e6)
	}
}
