package explain_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/explain"
)

// request returns a request of the application Storefront to Orders v2.
func request(status int, change func(*traffic.Record)) *traffic.Record {
	r := &traffic.Record{
		Time: time.Date(2026, 3, 9, 8, 5, 1, 0, time.UTC), ID: "r-1", Gateway: "gw-1",
		API: "a1", APIName: "Orders", Version: "v2", Revision: 17, Operation: "getItem", Template: "/orders/items/{id}", Plan: "gold",
		Application: "app-1", ApplicationName: "Storefront", Credential: "cred-1", CredentialKind: "api-key",
		ClientIP: netip.MustParseAddr("203.0.113.7"), Method: "GET", Host: "api.example.com", Path: "/orders/items/42", Protocol: "HTTP/1.1", UserAgent: "curl/8.5",
		Status: status, Duration: 1234, GatewayTime: 34, ResponseBytes: 2048,
		Decision: &traffic.Decision{},
	}
	change(r)
	return r
}

func refuse(r *traffic.Record, code, detail string, v traffic.Verdict) {
	r.ErrorSource, r.ErrorCode, r.Policy = traffic.SourcePolicy, code, v.Policy
	v.Outcome, v.Reason, v.Phase = traffic.Refuse, code, "inbound"
	r.Decision.Detail = detail
	r.Decision.Policies = append(r.Decision.Policies, v)
}

func stranger(r *traffic.Record) {
	r.Application, r.ApplicationName, r.Credential, r.CredentialKind, r.Plan = "", "", "", "", ""
}

func unmatched(r *traffic.Record) {
	stranger(r)
	r.API, r.APIName, r.Version, r.Revision, r.Operation, r.Template = "", "", "", 0, "", ""
}

func TestSentences(t *testing.T) {
	t.Parallel()
	key := traffic.Verdict{Policy: "p-0", Type: "api-key", Level: "plan"}
	limit := traffic.Verdict{Policy: "p-1", Type: "rate-limit", Level: "plan", Notes: traffic.Pairs{{Name: "remaining", Value: "0 of 60"}}}
	for name, c := range map[string]struct {
		record *traffic.Record
		want   string
		fix    string // what it contains; "" = none
	}{
		"200": {
			request(200, func(r *traffic.Record) { r.Upstream, r.UpstreamStatus, r.Attempts = "10.0.0.1:9000", 200, 1 }),
			"200: the API Orders v2 was answered by 10.0.0.1:9000 in 1.2 ms.", "",
		},
		"200 without a decision": {
			request(200, func(r *traffic.Record) { r.Upstream, r.Decision = "10.0.0.1:9000", nil }),
			"200: the API Orders v2 was answered by 10.0.0.1:9000 in 1.2 ms.", "",
		},
		"200 after retries": {
			request(200, func(r *traffic.Record) { r.Upstream, r.Retries, r.Duration = "10.0.0.2:9000", 1, 2_500_000 }),
			"200: the API Orders v2 was answered by 10.0.0.2:9000 in 2.50 s, after 1 failed attempt.", "",
		},
		"200 from the cache": {request(200, func(r *traffic.Record) { r.Cache, r.Duration = "hit", 85 }), "200: answered from the cache in 85 µs.", ""},
		"204 by a policy": {request(204, func(r *traffic.Record) {
			r.Policy = "p-c"
			r.Decision.Policies = []traffic.Verdict{{Policy: "p-c", Type: "cors", Level: "api", Outcome: traffic.Answer}}
		}), "204: the policy cors of the API Orders v2 answered it itself.", ""},
		"204 by the gateway": {request(204, func(r *traffic.Record) { r.Decision = nil }), "204: the gateway answered it itself in 1.2 ms.", ""},
		"401 missing": {request(401, func(r *traffic.Record) {
			stranger(r)
			refuse(r, "credential-missing", "send an API key: header X-API-Key", key)
		}), "401: no credential was sent: send an API key: header X-API-Key.", "Send an API key: header X-API-Key."},
		"401 invalid": {request(401, func(r *traffic.Record) {
			stranger(r)
			refuse(r, "credential-invalid", "the API key is not accepted", key)
		}), "401: the API key that was sent is not valid: it was never issued, or has been revoked.", "copied as a whole"},
		"401 revoked": {
			request(401, func(r *traffic.Record) { refuse(r, "credential-invalid", "", key) }),
			"401: the API key is known, and is no longer valid: it was revoked, or its application is not active.", "that is active",
		},
		"401 expired token": {request(401, func(r *traffic.Record) {
			r.CredentialKind = "jwt"
			refuse(r, "credential-expired", "the token has expired", traffic.Verdict{Policy: "p-j", Type: "jwt"})
		}), "401: the token has expired.", "renew"},
		"403 not subscribed": {request(403, func(r *traffic.Record) {
			refuse(r, "subscription-missing", "the application has no active subscription to the plan Gold", traffic.Verdict{})
		}), "403: the application Storefront has no active subscription to the plan Gold.", "Subscribe"},
		"403 by a policy": {request(403, func(r *traffic.Record) {
			refuse(r, "address-denied", "203.0.113.7 is not on the list", traffic.Verdict{Policy: "p-i", Type: "ip-filter", Level: "project"})
		}), "403: the policy ip-filter of the project refused it: 203.0.113.7 is not on the list.", ""},
		"404 no API": {request(404, func(r *traffic.Record) {
			unmatched(r)
			r.ErrorSource, r.ErrorCode, r.Path = traffic.SourceClient, "not-found", "/nowhere"
		}), "404: no API is served at GET api.example.com/nowhere.", "deployed"},
		"404 no operation": {request(404, func(r *traffic.Record) {
			r.ErrorSource, r.ErrorCode, r.Operation, r.Template, r.Path = traffic.SourceClient, "not-found", "", "", "/orders/none"
		}), "404: the API Orders v2 has no operation for GET /orders/none.", "operations"},
		"404 of the upstream": {request(404, func(r *traffic.Record) {
			r.ErrorSource, r.Upstream, r.UpstreamStatus = traffic.SourceUpstream, "10.0.0.1:9000", 404
		}), "404: the upstream 10.0.0.1:9000 answered 404, and the gateway passed it on.", "upstream"},
		"405": {request(405, func(r *traffic.Record) {
			r.ErrorSource, r.ErrorCode, r.Method, r.Decision.Detail = traffic.SourceClient, "method-not-allowed", "DELETE", "the address is there for GET, POST only"
		}), "405: DELETE is no method of this path: the address is there for GET, POST only.", "Allow"},
		"429": {request(429, func(r *traffic.Record) {
			refuse(r, "rate-limit-exceeded", "the limit is 60 requests a minute for each subscription", limit)
		}), "429: the policy rate-limit of the plan gold refused it: the limit is 60 requests a minute for each subscription (0 of 60 left).", "Retry-After"},
		"429 of a plan with an id": {request(429, func(r *traffic.Record) {
			r.Plan = "019cd1b2-7c4a-7b21-9d38-0f51ce1f2a77"
			refuse(r, "quota-exceeded", "the limit is 1,000 requests a day", traffic.Verdict{Policy: "p-q", Type: "quota", Level: "plan"})
		}), "429: the policy quota of the plan refused it: the limit is 1,000 requests a day.", "quota"},
		"429 without a decision": {request(429, func(r *traffic.Record) {
			r.ErrorSource, r.ErrorCode, r.Policy, r.Decision = traffic.SourcePolicy, "rate-limit-exceeded", "p-1", nil
		}), "429: the policy p-1 refused it.", "Retry-After"},
		"499": {request(499, func(r *traffic.Record) {
			r.ErrorSource, r.ErrorCode, r.Upstream, r.Attempts, r.Duration = traffic.SourceClient, "client-closed-request", "10.0.0.1:9000", 1, 30_000_000
		}), "499: the client left after 30.00 s, while the upstream 10.0.0.1:9000 had not answered yet.", "time limit"},
		"499 in the middle": {
			request(499, func(r *traffic.Record) { r.Upstream, r.UpstreamStatus, r.Attempts = "10.0.0.1:9000", 200, 1 }),
			"499: the client left after 1.2 ms, before the gateway had sent the whole answer.", "time limit",
		},
		"500 of a policy": {request(500, func(r *traffic.Record) {
			r.ErrorSource, r.ErrorCode = traffic.SourceGateway, "policy-failed"
			r.Decision.Policies = []traffic.Verdict{{Policy: "p-t", Type: "transform", Level: "operation", Outcome: traffic.Error, Reason: "panic"}}
		}), "500: the policy transform of the operation getItem could not be carried out: panic.", "log"},
		"502 after two attempts": {request(502, func(r *traffic.Record) {
			r.ErrorSource, r.ErrorCode, r.Decision.Detail = traffic.SourceUpstream, "upstream-unavailable", "no connection to the upstream"
			r.Decision.Attempts = []traffic.Attempt{{Target: "10.0.0.1:9000", Error: "connect: connection refused"}, {Target: "10.0.0.2:9000", Error: "connect: no route to host", Duration: 400}}
		}), "502: no connection to the upstream; of 2 attempts the last, at 10.0.0.2:9000, ended with: connect: no route to host.", "reached"},
		"502 of the upstream": {request(502, func(r *traffic.Record) {
			r.ErrorSource, r.Upstream, r.UpstreamStatus = traffic.SourceUpstream, "10.0.0.1:9000", 502
		}), "502: the upstream 10.0.0.1:9000 answered 502, and the gateway passed it on.", "log of the upstream"},
		"503 no target": {request(503, func(r *traffic.Record) {
			r.ErrorSource, r.ErrorCode, r.Decision.Detail = traffic.SourceUpstream, "upstream-unavailable", "no target of the upstream is in service"
		}), "503: no target of the upstream is in service.", "reached"},
		"503 circuit open": {request(503, func(r *traffic.Record) {
			refuse(r, "circuit-open", "try again in 30s", traffic.Verdict{Policy: "p-b", Type: "circuit-breaker"})
		}), "503: the circuit breaker is open, because the upstream has failed too often: try again in 30s.", "breaker"},
		"504": {request(504, func(r *traffic.Record) {
			r.ErrorSource, r.ErrorCode, r.Decision.Detail = traffic.SourceUpstream, "upstream-timeout", "the upstream did not answer in time"
			r.Decision.Attempts = []traffic.Attempt{{Target: "10.0.0.1:9000", Error: "deadline exceeded", Duration: 30_000_000}}
		}), "504: the upstream did not answer in time; 10.0.0.1:9000 was asked, and after 30.00 s came: deadline exceeded.", "slow"},
		"unknown code": {
			request(418, func(r *traffic.Record) { r.ErrorSource, r.ErrorCode, r.Decision = traffic.SourceGateway, "teapot", nil }),
			"418: the gateway answered so: teapot.", "",
		},
	} {
		got := explain.Of(c.record)
		require.Equal(t, c.want, got.Sentence, name)
		require.Equal(t, c.record.Decision != nil, got.Decided, name)
		if c.fix == "" {
			require.Empty(t, got.Fix, name)
		} else {
			require.Contains(t, got.Fix, c.fix, name)
		}
		require.Equal(t, explain.Received, got.Steps[0].Kind, name)
		require.Equal(t, explain.Answer, got.Steps[len(got.Steps)-1].Kind, name)
		for _, s := range got.Steps {
			require.True(t, strings.HasSuffix(s.Sentence, "."), "%s: %s", name, s.Sentence)
			require.NotEmpty(t, s.Outcome, name)
		}
	}
}

func TestStepsAreInOrder(t *testing.T) {
	t.Parallel()
	r := request(200, func(r *traffic.Record) {
		r.Upstream = "10.0.0.2:9000"
		r.Decision.Policies = []traffic.Verdict{
			{Policy: "p-9", Type: "jwt", Level: "plan", Phase: "inbound", Outcome: traffic.Skip, Reason: traffic.ReasonNoCredential},
			{Policy: "p-0", Type: "api-key", Level: "plan", Phase: "inbound", Outcome: traffic.Pass, Duration: 900},
			{Policy: "p-1", Type: "cors", Level: "api", Phase: "inbound", Outcome: traffic.Skip, Reason: "no Origin"},
			{Policy: "p-2", Type: "transform", Level: "operation", Phase: "outbound", Outcome: traffic.Pass, Notes: traffic.Pairs{{Name: "fields", Value: "2"}}},
		}
		r.Decision.Attempts = []traffic.Attempt{
			{Target: "10.0.0.1:9000", Error: "connect: refused", Start: 30, Duration: 400},
			{Target: "10.0.0.2:9000", Status: 200, Start: 450, Duration: 700, Reused: true},
		}
	})
	var got []string
	for _, s := range explain.Of(r).Steps {
		line := string(s.Kind) + " " + string(s.Outcome) + ": " + s.Sentence
		if s.Detail != "" {
			line += " (" + s.Detail + ")"
		}
		got = append(got, line)
	}
	require.Equal(t, []string{
		"received ok: GET api.example.com/orders/items/42 came in from 203.0.113.7. (HTTP/1.1, curl/8.5)",
		"route ok: The API Orders v2, revision 17, matched. (operation GET /orders/items/{id})",
		"policy skipped: The policy jwt of the plan gold found no credential of its kind.",
		"policy ok: The policy api-key of the plan gold let it pass.",
		"policy skipped: The policy cors of the API Orders v2 was skipped, since its condition did not hold. (no Origin)",
		"attempt failed: Attempt 1: 10.0.0.1:9000 gave no answer: connect: refused. (new connection)",
		"attempt ok: Attempt 2: 10.0.0.2:9000 answered 200. (kept connection)",
		"policy ok: The policy transform of the operation getItem let it pass.",
		"answer ok: 200 was answered after 1.2 ms. (34 µs in the gateway, 2.0 KiB sent)",
	}, got)
}

func TestMethodsThatThereAre(t *testing.T) {
	t.Parallel()
	r := request(405, func(r *traffic.Record) {
		r.ErrorCode, r.Operation, r.Template = "method-not-allowed", "", ""
		r.Decision.Match = json.RawMessage(`{"outcome":"method-not-allowed","allow":"GET, POST"}`)
	})
	s := explain.Of(r).Steps[1]
	require.Equal(t, explain.Refused, s.Outcome)
	require.Equal(t, "the path is there for GET, POST", s.Detail)
}

// Whatever stands in a record, it is explained.
func FuzzOf(f *testing.F) {
	f.Add([]byte(`{"status":429,"errorCode":"rate-limit-exceeded","decision":{"policies":[{"outcome":"refuse"}]}}`))
	f.Add(request(502, func(r *traffic.Record) { r.ErrorCode = "upstream-timeout" }).AppendJSON(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r traffic.Record
		if json.Unmarshal(b, &r) != nil {
			return
		}
		got := explain.Of(&r)
		require.True(t, strings.HasSuffix(got.Sentence, "."))
		require.GreaterOrEqual(t, len(got.Steps), 3)
	})
}
