package explain_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/explain"
)

func record(t *testing.T, change func(*traffic.Record)) *traffic.Record {
	t.Helper()
	raw, err := os.ReadFile("../../../../libs/contract/traffic/testdata/record-full.json")
	require.NoError(t, err)
	var r traffic.Record
	require.NoError(t, json.Unmarshal(raw, &r))
	if change != nil {
		change(&r)
	}
	return &r
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change   func(*traffic.Record)
		sentence string
		advice   string
		outcomes string
	}{
		"over the limit": {nil, "Too many requests came within the time that the plan allows: 100 per second.", "Retry-After", "Address passed, Credential passed, Rate limit refused, Subscription passed, The API's answer passed"},
		"no credential": {func(r *traffic.Record) {
			r.Status, r.ErrorCode, r.Application, r.ApplicationName, r.Plan, r.Attempts, r.UpstreamStatus = 401, "credential-missing", "", "", "", 0, 0
			r.Decision.Policies = r.Decision.Policies[:1]
			r.Decision.Policies[0].Outcome = traffic.Refuse
		}, "without a credential", "X-Key", "Address passed, Credential refused, The API's answer skipped"},
		"no subscription": {func(r *traffic.Record) {
			r.Status, r.ErrorCode, r.Plan, r.Attempts, r.UpstreamStatus = 403, "subscription-missing", "", 0, 0
			r.Decision.Policies = r.Decision.Policies[:1]
		}, "no active subscription", "Subscribe", "Address passed, Credential passed, Subscription refused, The API's answer skipped"},
		"no API": {
			func(r *traffic.Record) {
				*r = traffic.Record{Method: "GET", Path: "/x", Status: 404, ErrorCode: "not-found", ErrorSource: "client"}
			},
			"No API is at this address.", "base path", "Address refused",
		},
		"the API's own 404": {func(r *traffic.Record) {
			r.Status, r.ErrorCode, r.ErrorSource, r.UpstreamStatus, r.Decision = 404, "", traffic.SourceUpstream, 404, nil
		}, "the API itself answered 404", "reference", "Address passed, Credential passed, Subscription passed, The API's answer passed"},
		"the API failed": {func(r *traffic.Record) {
			r.Status, r.ErrorCode, r.ErrorSource, r.UpstreamStatus, r.Decision = 503, "", traffic.SourceUpstream, 503, nil
		}, "something failed there", "request id", "Address passed, Credential passed, Subscription passed, The API's answer failed"},
		"well": {func(r *traffic.Record) {
			r.Status, r.ErrorCode, r.ErrorSource, r.Decision, r.Cache = 200, "", "", nil, ""
		}, "answered with 200", "", "Address passed, Credential passed, Subscription passed, The API's answer passed"},
		"left": {func(r *traffic.Record) { r.Status, r.ErrorCode = 499, "client-closed-request" }, "went away", "timeout", ""},
	} {
		e := explain.Of(record(t, c.change), explain.Names{Plan: "Gold", KeyHeader: "X-Key"})
		require.Contains(t, e.Sentence, c.sentence, name)
		require.Contains(t, e.Advice, c.advice, name)
		if c.advice == "" {
			require.Empty(t, e.Advice, name)
		}
		if c.outcomes == "" {
			continue
		}
		var got []string
		for _, s := range e.Steps {
			got = append(got, s.Title+" "+s.Outcome)
		}
		require.Equal(t, c.outcomes, strings.Join(got, ", "), name)
	}
}

// R: callers learn nothing of how the API is run.
func TestNothingOfTheInsideIsTold(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 401, 403, 404, 429, 500, 502, 503, 504} {
		r := record(t, func(r *traffic.Record) {
			r.Status, r.ErrorCode, r.Decision.Detail = status, "upstream-unavailable", "connecting to 10.0.0.1:9000: refused"
			r.Decision.Policies = append(r.Decision.Policies, traffic.Verdict{Policy: "orders/policies/9", Type: "fault-of-ours", Outcome: traffic.Refuse, Reason: "internal reason"})
		})
		e := explain.Of(r, explain.Names{Plan: "Gold"})
		raw, err := json.Marshal(e)
		require.NoError(t, err)
		for _, inside := range []string{"10.0.0", "9000", "orders/policies", "fault-of-ours", "internal reason", "gw-1"} {
			require.NotContains(t, string(raw), inside, status)
		}
	}
}
