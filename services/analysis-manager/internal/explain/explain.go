// Package explain says in words why a request was answered as it was: from its
// traffic record alone, decision included. It does no I/O and knows no policy
// type by more than the codes and notes that stand in records.
package explain

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Explanation is why a request was answered so.
type Explanation struct {
	// Sentence begins with the status, and ends with a full stop.
	Sentence string
	// Fix says what to do about it; "" where nothing is wrong.
	Fix string
	// Steps are what happened, in the order of time.
	Steps []Step
	// Decided says that the record has a decision.
	Decided bool
}

// Kind is what a step is.
type Kind string

// The kinds of steps.
const (
	Received Kind = "received"
	Route    Kind = "route"
	Policy   Kind = "policy"
	Attempt  Kind = "attempt"
	Answer   Kind = "answer"
)

// Outcome is what came of a step.
type Outcome string

// The outcomes of steps.
const (
	OK      Outcome = "ok"
	Refused Outcome = "refused"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Step is one thing that happened.
type Step struct {
	Kind    Kind
	Outcome Outcome
	// Sentence says what happened, Detail what more is known.
	Sentence, Detail string
	// Policy, Type, Level and Phase are a policy's; Target is an attempt's.
	Policy, Type, Level, Phase string
	Target                     string
	// Start is the time since the request began; Duration what it took.
	Start, Duration time.Duration
	// Notes are the policy's own.
	Notes traffic.Pairs
}

// Of explains a record.
func Of(r *traffic.Record) Explanation {
	why, fix := reason(r)
	return Explanation{
		Sentence: fmt.Sprintf("%d: %s.", r.Status, strings.TrimSuffix(why, ".")),
		Fix:      fix, Steps: steps(r), Decided: r.Decision != nil,
	}
}

// reason says why, and what to do about it.
func reason(r *traffic.Record) (why, fix string) {
	switch {
	case r.Status == traffic.StatusClientClosed:
		return clientLeft(r)
	case r.Status < 400:
		return good(r), ""
	case r.ErrorSource == traffic.SourceUpstream && (r.ErrorCode == "" || r.UpstreamStatus == r.Status):
		return fmt.Sprintf("the upstream%s answered %d, and the gateway passed it on", target(r), r.UpstreamStatus),
			"Look into the log of the upstream; the gateway has done nothing to the answer."
	}
	if say := codes[problem.Code(r.ErrorCode)]; say != nil {
		return say(r)
	}
	if v := deciding(r); v != nil {
		return fmt.Sprintf("%s refused it%s", policyName(r, v), because(detail(r))), ""
	}
	if d := detail(r); d != "" {
		return d, ""
	}
	if r.ErrorCode != "" {
		return "the gateway answered so: " + r.ErrorCode, ""
	}
	return "the record does not say why", ""
}

func good(r *traffic.Record) string {
	after := "in " + span(micros(r.Duration))
	switch {
	case r.Cache == "hit" || r.Cache == "stale":
		return fmt.Sprintf("answered from the cache %s", after)
	case r.Upstream != "":
		s := fmt.Sprintf("%s was answered by %s %s", apiName(r), r.Upstream, after)
		if r.Retries > 0 {
			s += ", after " + count(r.Retries, "failed attempt")
		}
		return s
	}
	if v := answering(r); v != nil {
		return fmt.Sprintf("%s answered it itself", policyName(r, v))
	}
	return fmt.Sprintf("the gateway answered it itself %s", after)
}

func clientLeft(r *traffic.Record) (string, string) {
	where := "before the gateway had sent the whole answer"
	if r.UpstreamStatus == 0 && r.Attempts > 0 {
		where = fmt.Sprintf("while the upstream%s had not answered yet", target(r))
	}
	return fmt.Sprintf("the client left after %s, %s", span(micros(r.Duration)), where),
		"Compare the client's time limit with the time that the upstream takes."
}

// codes say why by the code of the problem.
var codes = map[problem.Code]func(*traffic.Record) (why, fix string){
	problem.CodeNotFound:         notFound,
	problem.CodeMethodNotAllowed: methodNotAllowed,
	problem.CodeCredentialMissing: func(r *traffic.Record) (string, string) {
		return "no credential was sent" + because(detail(r)), first(sentence(detail(r)), "Send the credential that the plan asks for.")
	},
	problem.CodeCredentialInvalid: credentialInvalid,
	problem.CodeCredentialExpired: func(r *traffic.Record) (string, string) {
		return fmt.Sprintf("the %s has expired", credentialName(r)), "Make a new credential, or renew the token."
	},
	problem.CodeSubscriptionMissing: func(r *traffic.Record) (string, string) {
		return first(strings.Replace(detail(r), "the application has", applicationName(r)+" has", 1), applicationName(r)+" has no active subscription to the API"),
			"Subscribe the application to a plan of the API, or have its subscription approved or resumed."
	},
	problem.CodeRateLimited:        limited("Wait, as Retry-After says, or choose a plan with a higher limit."),
	problem.CodeQuotaExceeded:      limited("Wait until the quota begins anew, or choose a plan with a higher quota."),
	problem.CodeSpikeArrested:      limited("Spread the calls more evenly."),
	problem.CodeConcurrencyLimited: limited("Make fewer calls at the same time."),
	problem.CodeCircuitOpen: func(r *traffic.Record) (string, string) {
		return "the circuit breaker is open, because the upstream has failed too often" + because(detail(r)), "See why the upstream fails; the breaker closes by itself when it is well again."
	},
	problem.CodeUpstreamUnavailable: unreachable,
	problem.CodeUpstreamTimeout:     unreachable,
	problem.CodeUpstreamInvalid:     unreachable,
	problem.CodeUpstreamTooLarge:    unreachable,
	problem.CodeAPINotDeployed: func(r *traffic.Record) (string, string) {
		return "the configuration of " + apiName(r) + " could not be put to use on this gateway" + because(detail(r)), "See the issues of the gateway, and deploy the API again."
	},
	problem.CodePolicyFailed: broken,
	problem.CodeInternal:     broken,
}

func notFound(r *traffic.Record) (string, string) {
	if r.API != "" && deciding(r) != nil {
		return fmt.Sprintf("%s refused it%s", policyName(r, deciding(r)), because(detail(r))), ""
	}
	if r.API != "" {
		return fmt.Sprintf("%s has no operation for %s %s", apiName(r), r.Method, r.Path), "Compare the path with those of the API's operations."
	}
	return fmt.Sprintf("no API is served at %s %s%s", r.Method, r.Host, r.Path), "Check the host and the path, and that the API is deployed to the environment of this gateway."
}

func methodNotAllowed(r *traffic.Record) (string, string) {
	return fmt.Sprintf("%s is no method of this path%s", r.Method, because(detail(r))), "Use one of the methods that the Allow header of the answer lists."
}

func credentialInvalid(r *traffic.Record) (string, string) {
	if r.Credential != "" {
		return fmt.Sprintf("the %s is known, and is no longer valid: it was revoked, or its application is not active", credentialName(r)),
			"Use a credential of the application that is active."
	}
	return fmt.Sprintf("the %s that was sent is not valid: it was never issued, or has been revoked", credentialName(r)),
		"Check that the credential was copied as a whole, and that it is active."
}

// limited says which limit was met.
func limited(fix string) func(*traffic.Record) (string, string) {
	return func(r *traffic.Record) (string, string) {
		v := deciding(r)
		who := "a limit"
		if v != nil {
			who = policyName(r, v)
		}
		s := fmt.Sprintf("%s refused it%s", who, because(detail(r)))
		if v != nil {
			if left := v.Notes.Get("remaining"); left != "" {
				s += " (" + left + " left)"
			}
		}
		return s, fix
	}
}

func unreachable(r *traffic.Record) (string, string) {
	fix := "See whether the upstream is up, and can be reached from the gateway."
	switch problem.Code(r.ErrorCode) {
	case problem.CodeUpstreamTimeout:
		fix = "See why the upstream is slow, or raise the time limit of the upstream."
	case problem.CodeUpstreamInvalid, problem.CodeUpstreamTooLarge:
		fix = "See what the upstream answers; the gateway could not pass it on."
	}
	why := first(detail(r), "the upstream gave no answer that could be passed on")
	if r.Decision == nil || len(r.Decision.Attempts) == 0 {
		if r.Upstream != "" {
			why += " (" + r.Upstream + ")"
		}
		return why, fix
	}
	tries := r.Decision.Attempts
	last := tries[len(tries)-1]
	came := last.Error
	if came == "" && last.Status != 0 {
		came = fmt.Sprintf("status %d", last.Status)
	}
	if len(tries) == 1 {
		return fmt.Sprintf("%s; %s was asked, and after %s came: %s", why, last.Target, span(micros(last.Duration)), first(came, "nothing")), fix
	}
	return fmt.Sprintf("%s; of %s the last, at %s, ended with: %s", why, count(len(tries), "attempt"), last.Target, first(came, "nothing")), fix
}

func broken(r *traffic.Record) (string, string) {
	const fix = "Look for the request id in the gateway's log, where the cause stands."
	if v := deciding(r); v != nil {
		return policyName(r, v) + " could not be carried out" + because(first(v.Reason, detail(r))), fix
	}
	return "the gateway has failed" + because(detail(r)), fix
}

// deciding returns the verdict that ended the request badly, or nil.
func deciding(r *traffic.Record) *traffic.Verdict {
	if r.Decision == nil {
		if r.Policy == "" {
			return nil
		}
		return &traffic.Verdict{Policy: r.Policy}
	}
	for i := range r.Decision.Policies {
		v := &r.Decision.Policies[i]
		if v.Outcome == traffic.Refuse || v.Outcome == traffic.Error {
			return v
		}
	}
	return nil
}

// answering returns the verdict of the policy that answered, or nil.
func answering(r *traffic.Record) *traffic.Verdict {
	if r.Decision != nil {
		for i := range r.Decision.Policies {
			if v := &r.Decision.Policies[i]; v.Outcome == traffic.Answer {
				return v
			}
		}
	}
	if r.Policy == "" {
		return nil
	}
	return &traffic.Verdict{Policy: r.Policy}
}

// policyName names a policy, and where it is configured.
func policyName(r *traffic.Record, v *traffic.Verdict) string {
	name := "the policy " + v.Policy
	if v.Type != "" {
		name = "the policy " + v.Type
	}
	switch v.Level {
	case "platform":
		return name + " of the platform"
	case "project":
		return name + " of the project"
	case "api":
		return name + " of " + apiName(r)
	case "operation":
		return name + " of the operation " + first(r.Operation, r.Template)
	case "plan":
		return name + " of " + named("the plan", r.Plan)
	}
	return name
}

// named adds an id where people may know it.
func named(what, id string) string {
	if id == "" || uuid.Validate(id) == nil {
		return what
	}
	return what + " " + id
}

func apiName(r *traffic.Record) string {
	return strings.TrimSpace("the API " + strings.TrimSpace(first(r.APIName, r.API)+" "+r.Version))
}

func applicationName(r *traffic.Record) string {
	if r.ApplicationName != "" {
		return "the application " + r.ApplicationName
	}
	return named("the application", r.Application)
}

var kinds = map[string]string{
	"api-key": "API key", "basic": "user name or password", "jwt": "token", "oauth2": "token", "certificate": "client certificate", "hmac": "signature",
}

// credentialName says what was sent, by the record or by the policy that looked
// at it.
func credentialName(r *traffic.Record) string {
	if k := kinds[r.CredentialKind]; k != "" {
		return k
	}
	if v := deciding(r); v != nil {
		switch v.Type {
		case "api-key", "jwt", "oauth2":
			return kinds[v.Type]
		case "basic-auth":
			return kinds["basic"]
		case "mtls":
			return kinds["certificate"]
		case "hmac-signature":
			return kinds["hmac"]
		}
	}
	return "credential"
}

func target(r *traffic.Record) string {
	if r.Upstream == "" {
		return ""
	}
	return " " + r.Upstream
}

func detail(r *traffic.Record) string {
	if r.Decision == nil {
		return ""
	}
	return strings.TrimSuffix(r.Decision.Detail, ".")
}

func because(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

// sentence makes a sentence of a detail.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	c, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(c)) + s[size:] + "."
}

func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func micros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }

// span is a duration for people: three digits are enough.
func span(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%d µs", d.Microseconds())
}
