package explain

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// steps lists what happened, in the order of time.
func steps(r *traffic.Record) []Step {
	out := []Step{received(r), route(r)}
	var attempts []Step
	if r.Decision != nil {
		for i := range r.Decision.Attempts {
			attempts = append(attempts, attempt(i, &r.Decision.Attempts[i]))
		}
		for i := range r.Decision.Policies {
			v := &r.Decision.Policies[i]
			if v.Phase == "outbound" || v.Phase == "error" { // they come after the upstream
				out, attempts = append(out, attempts...), nil
			}
			out = append(out, verdict(r, v))
		}
	}
	return append(append(out, attempts...), answer(r))
}

func received(r *traffic.Record) Step {
	s := Step{Kind: Received, Outcome: OK, Sentence: fmt.Sprintf("%s %s%s came in", r.Method, r.Host, r.Path)}
	if r.ClientIP.IsValid() {
		s.Sentence += " from " + r.ClientIP.String()
	}
	s.Detail = strings.Join(slices.DeleteFunc([]string{r.Protocol, r.UserAgent}, func(s string) bool { return s == "" }), ", ")
	s.Sentence += "."
	return s
}

func route(r *traffic.Record) Step {
	if r.API == "" {
		return Step{Kind: Route, Outcome: Refused, Sentence: "No API matched the host and the path.", Detail: allow(r)}
	}
	s := Step{Kind: Route, Outcome: OK, Sentence: sentence(apiName(r) + " matched")}
	if r.Revision > 0 {
		s.Sentence = sentence(fmt.Sprintf("%s, revision %d, matched", apiName(r), r.Revision))
	}
	switch {
	case r.Template != "":
		s.Detail = "operation " + strings.TrimSpace(r.Method+" "+r.Template)
	case r.Operation != "":
		s.Detail = "operation " + r.Operation
	case r.ErrorCode == "not-found" || r.ErrorCode == "method-not-allowed":
		s.Outcome, s.Detail = Refused, first(allow(r), "none of its operations did")
	}
	return s
}

// allow returns which methods there are at the path, as far as the router said.
func allow(r *traffic.Record) string {
	if r.Decision == nil {
		return ""
	}
	var match struct {
		Allow string `json:"allow"`
	}
	if json.Unmarshal(r.Decision.Match, &match) != nil || match.Allow == "" {
		return ""
	}
	return "the path is there for " + match.Allow
}

var verbs = map[traffic.Outcome]struct {
	outcome Outcome
	verb    string
}{
	traffic.Pass:   {OK, "let it pass"},
	traffic.Refuse: {Refused, "refused it"},
	traffic.Answer: {OK, "answered it"},
	traffic.Skip:   {Skipped, "was skipped, since its condition did not hold"},
	traffic.Error:  {Failed, "could not be carried out"},
}

func verdict(r *traffic.Record, v *traffic.Verdict) Step {
	w := verbs[v.Outcome]
	if w.verb == "" {
		w.outcome, w.verb = OK, "said: "+string(v.Outcome)
	}
	if v.Outcome == traffic.Skip && v.Reason == traffic.ReasonNoCredential {
		w.verb = "found no credential of its kind"
	}
	s := Step{
		Kind: Policy, Outcome: w.outcome, Sentence: sentence(policyName(r, v) + " " + w.verb), Detail: v.Reason,
		Policy: v.Policy, Type: v.Type, Level: v.Level, Phase: v.Phase, Start: v.Start, Duration: v.Duration, Notes: v.Notes,
	}
	if v.Reason == traffic.ReasonNoCredential {
		s.Detail = "" // it was said
	}
	if w.outcome == Refused && r.Decision.Detail != "" {
		s.Detail = r.Decision.Detail
	}
	return s
}

func attempt(i int, a *traffic.Attempt) Step {
	s := Step{Kind: Attempt, Outcome: OK, Target: a.Target, Start: micros(a.Start), Duration: micros(a.Duration), Detail: "new connection"}
	if a.Reused {
		s.Detail = "kept connection"
	}
	what := fmt.Sprintf("Attempt %d: %s", i+1, a.Target)
	switch {
	case a.Error != "":
		s.Outcome, s.Sentence = Failed, fmt.Sprintf("%s gave no answer: %s.", what, a.Error)
	case a.Status >= 500:
		s.Outcome, s.Sentence = Failed, fmt.Sprintf("%s answered %d.", what, a.Status)
	default:
		s.Sentence = fmt.Sprintf("%s answered %d.", what, a.Status)
	}
	return s
}

func answer(r *traffic.Record) Step {
	s := Step{Kind: Answer, Outcome: OK, Duration: micros(r.Duration), Detail: fmt.Sprintf("%s in the gateway, %s sent", span(micros(r.GatewayTime)), size(r.ResponseBytes))}
	switch {
	case r.Status == traffic.StatusClientClosed:
		s.Outcome, s.Sentence = Failed, fmt.Sprintf("The client left after %s.", span(micros(r.Duration)))
		return s
	case r.Status >= 500:
		s.Outcome = Failed
	case r.Status >= 400:
		s.Outcome = Refused
	}
	s.Sentence = fmt.Sprintf("%d was answered after %s.", r.Status, span(micros(r.Duration)))
	return s
}

func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n == 1:
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}
