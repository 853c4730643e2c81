package devportal_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// lose has NATS lose all that it kept, as after the loss of its disk.
func (w *world) lose(t *testing.T) {
	t.Helper()
	w.nats.Stop()
	require.NoError(t, os.RemoveAll(w.dir))
	require.NoError(t, w.nats.Resume())
}

func TestTheFeedIsWrittenAgainAfterALoss(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	w.publish(t, "acme", "orders", "p1", nil)
	app, _, cred, key := w.subscribed(t, ann, "Shop", "orders-gold")
	known := func() bool {
		c, ok := w.lookUp(t.Context(), key)
		a, fed := w.fed(t, app)
		return ok && fed && !c.Revoked && len(a.Subscriptions) == 1
	}
	soon(t, "gateways know", known)
	w.lose(t)
	require.Eventually(t, known, 10*time.Second, 10*time.Millisecond, "the feed is filled again")

	// What changes while the bucket is gone and nobody runs is made up for.
	w.stop()
	w.lose(t)
	w.start(t)
	require.Eventually(t, known, 10*time.Second, 10*time.Millisecond, "the feed is filled again after a start")
	require.Eventually(t, func() bool { // the others are back a moment later
		return w.call(t, ann, "DELETE", "/credentials/"+cred, "", "If-Match", "*").status == 204
	}, 10*time.Second, 10*time.Millisecond)
	soon(t, "a revocation follows", func() bool { c, ok := w.lookUp(t.Context(), key); return ok && c.Revoked })
	w.lose(t)
	require.Eventually(t, func() bool { c, ok := w.lookUp(t.Context(), key); return ok && c.Revoked && c.Version == 2 }, 10*time.Second, 10*time.Millisecond, "a revocation is not lost")
}

func TestOperationsAreTriedFromThePortal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	bob := w.tenants.User(t, "acme", "bob", "*")
	w.publish(t, "acme", "orders", "p1", nil)
	w.inCatalogue(t, ann, "orders")
	app, sub, _, _ := w.subscribed(t, ann, "Shop", "orders-gold")
	try := func(token, body string) answer { return w.call(t, token, "POST", "/try", body) }

	a := try(ann, `{"api":"orders","environment":"DEV","method":"POST","path":"/items","query":[{"name":"a","value":"b c"}],"body":"x","application":"`+app+`"}`)
	require.Equal(t, 200, a.status, a.text)
	require.EqualValues(t, 200, a.at("status"), a.text)
	require.Equal(t, "POST /orders/items?a=b+c as "+app, a.at("body"))
	require.Equal(t, "req-1", a.at("requestId"))
	require.NotContains(t, a.text, "Set-Cookie")
	require.NotContains(t, a.text, "ghk_", "the key with which the portal calls is not told")
	require.Equal(t, 1, w.call(t, ann, "GET", "/applications/"+app+"/credentials", "").items(), "nor listed")
	require.EqualValues(t, 401, try(ann, `{"api":"orders","environment":"env-1","method":"GET","path":"/items"}`).at("status"), "without an application there is no key")
	require.EqualValues(t, 302, try(ann, `{"api":"orders","environment":"DEV","method":"GET","path":"/away"}`).at("status"), "redirects are not followed")
	require.Equal(t, 404, try(bob, `{"api":"orders","environment":"DEV","method":"GET","path":"/items","application":"`+app+`"}`).status, "nobody calls in another's name")
	require.Equal(t, 401, w.call(t, "", "POST", "/try?organization=acme", `{"api":"orders","environment":"DEV","method":"GET","path":"/open"}`).status)
	for body, want := range map[string]int{
		`{"api":"orders","environment":"PRD","method":"GET","path":"/items"}`:                                                       422,
		`{"api":"orders","environment":"DEV","method":"GET","path":"/../admin"}`:                                                    422,
		`{"api":"orders","environment":"DEV","method":"TRACE","path":"/"}`:                                                          422,
		`{"api":"nobody","environment":"DEV","method":"GET","path":"/"}`:                                                            404,
		`{"api":"orders","environment":"DEV","method":"POST","path":"/","body":"%%","bodyEncoding":"base64"}`:                       422,
		`{"api":"orders","environment":"DEV","method":"GET","path":"/","url":"http://evil.example"}`:                                422,
		`{"api":"orders","environment":"DEV","method":"GET","path":"/","headers":[{"name":"X","value":"a\r\nHost: evil.example"}]}`: 422,
	} {
		got := try(ann, body)
		require.Equal(t, want, got.status, body+got.text)
	}
	require.Equal(t, 200, w.call(t, ann, "POST", "/subscriptions/"+sub+"/close", "").status)
	closed := try(ann, `{"api":"orders","environment":"DEV","method":"GET","path":"/items","application":"`+app+`"}`)
	require.Equal(t, 409, closed.status)
	require.Contains(t, closed.text, "subscribe it first")

	require.Equal(t, 200, w.call(t, bob, "PATCH", "/portal", `{"visibility":"public"}`, "If-Match", "*").status)
	open := w.call(t, "", "POST", "/try?organization=acme", `{"api":"orders","environment":"DEV","method":"GET","path":"/open"}`)
	require.Equal(t, "come in", open.at("body"), open.text)
	require.Equal(t, 401, w.call(t, "", "POST", "/try?organization=acme", `{"api":"orders","environment":"DEV","method":"GET","path":"/open","application":"`+app+`"}`).status)
}

func TestOwnUsageAndOwnRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	w.publish(t, "acme", "orders", "p1", nil)
	w.inCatalogue(t, ann, "orders")
	app, _, _, _ := w.subscribed(t, ann, "Shop", "orders-gold")
	asked := make(chan analysis.Usage, 1)
	w.usage = func(q analysis.Usage) (analysis.UsageReport, error) {
		asked <- q
		return analysis.UsageReport{
			Total:  analysis.Sums{Requests: 7, Status2xx: 5, Status4xx: 2, Refused: 2, P95: 1200},
			Series: []analysis.Point{{Time: q.Filter.From, Sums: analysis.Sums{Requests: 7}}},
			Top:    map[string][]analysis.Top{"api": {{Key: "orders", Name: "Orders", Sums: analysis.Sums{Requests: 7}}}, "errorCode": {{Key: "rate-limit-exceeded", Sums: analysis.Sums{Requests: 2}}}},
		}, nil
	}
	got := w.call(t, ann, "GET", "/applications/"+app+"/usage?from=2026-01-01T00:00:00Z&to=2026-01-08T00:00:00Z&api=orders", "")
	require.Equal(t, 200, got.status, got.text)
	require.EqualValues(t, 7, got.at("total", "requests"))
	require.Equal(t, "rate-limit-exceeded", got.at("top", "errorCodes", 0, "name"))
	q := <-asked
	require.Equal(t, []string{app}, q.Filter.Applications)
	require.Equal(t, "acme", q.Filter.Organization)
	require.Equal(t, []string{"orders"}, q.Filter.APIs)
	require.Equal(t, 3*time.Hour, q.Interval)
	for query, pointer := range map[string]string{
		"from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z": "/from", "from=2020-01-01T00:00:00Z": "/from", "from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z&interval=60": "/interval",
	} {
		a := w.call(t, ann, "GET", "/applications/"+app+"/usage?"+query, "")
		require.Equal(t, 422, a.status, query)
		require.Equal(t, pointer, a.at("errors", 0, "pointer"), query)
	}

	rec := traffic.Record{
		Time: time.Now(), ID: "r-1", Organization: "acme", API: "orders", APIName: "Orders", Version: "2", Plan: "orders-gold", Application: app, ApplicationName: "Shop",
		Method: "GET", Path: "/orders/items", Status: 429, ErrorSource: traffic.SourcePolicy, ErrorCode: "rate-limit-exceeded", Upstream: "10.9.8.7:80", Duration: 1200,
		Decision: &traffic.Decision{Detail: "60 per minute", Policies: []traffic.Verdict{{Type: "api-key", Outcome: traffic.Pass}, {Type: "rate-limit", Outcome: traffic.Refuse, Policy: "internal-name"}}},
	}
	w.record = func(q analysis.Explain) (analysis.Explained, error) {
		if q.RequestID != "r-1" || len(q.Applications) != 1 {
			return analysis.Explained{}, nil
		}
		return analysis.Explained{Record: rec.AppendJSON(nil)}, nil
	}
	e := w.call(t, ann, "GET", "/applications/"+app+"/requests/r-1", "")
	require.Equal(t, 200, e.status, e.text)
	require.Contains(t, e.at("sentence"), "60 per minute")
	require.Equal(t, "Gold", e.at("plan", "name"))
	require.NotContains(t, e.text, "10.9.8.7")
	require.NotContains(t, e.text, "internal-name")
	require.Equal(t, 404, w.call(t, ann, "GET", "/applications/"+app+"/requests/r-2", "").status)
	rec.Application = "another"
	require.Equal(t, 404, w.call(t, ann, "GET", "/applications/"+app+"/requests/r-1", "").status, "whatever is answered, nothing of others is shown")
}

func TestAServiceThatIsAwayIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.tenants.User(t, "acme", "ann", consumer...)
	require.NoError(t, w.policy.Close(t.Context()))
	a := w.call(t, ann, "POST", "/subscriptions", `{"newApplication":{"name":"X"},"plan":"p"}`)
	require.Equal(t, 503, a.status, a.text)
	require.Contains(t, a.text, "policy-manager")
	p := authn.Principal{Organization: "acme", OrganizationSlug: "acme", Subject: "zoe"}
	require.Equal(t, 403, w.call(t, w.tenants.Token(t, p), "GET", "/applications", "").status, "nobody without a right")
	require.Equal(t, 401, w.call(t, "", "GET", "/applications", "").status)
}
