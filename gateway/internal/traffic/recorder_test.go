package traffic

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 3, 9, 8, 5, 1, 42_007_000, time.UTC)

// lines is a sink that keeps what it is given.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (*lines) Name() string              { return "lines" }
func (*lines) Run(context.Context) error { return nil }
func (*lines) Stats() SinkStats          { return SinkStats{} }
func (l *lines) Add(_ uint32, line []byte, _ int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(line)
}

func (l *lines) records(t testing.TB) []traffic.Record {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []traffic.Record
	for line := range bytes.Lines(l.buf.Bytes()) {
		var r traffic.Record
		require.NoError(t, json.Unmarshal(line, &r))
		all = append(all, r)
	}
	return all
}

func recorder(t testing.TB, c Config) (*Recorder, *lines) {
	t.Helper()
	sink := &lines{}
	r, err := New(Options{
		Config: c, Gateway: "gw-1", Sinks: []Sink{sink}, Now: func() time.Time { return start },
		Match: func(*policy.Exchange) json.RawMessage { return json.RawMessage(`{"api":"orders"}`) },
	})
	require.NoError(t, err)
	return r, sink
}

// exchange is a request with key and query that went well.
func exchange() *policy.Exchange {
	ex := &policy.Exchange{ID: "019cd1b2-7c4a-7b21-9d38-0f51ce1f2a77", Start: start}
	ex.Request = policy.Request{
		Proto: "HTTP/1.1", Method: "GET", Scheme: "https", Host: "api.localhost", Path: "/orders/items/42", Query: "page=2&sort=name",
		Client: netip.MustParseAddr("203.0.113.7"), TLS: &tls.ConnectionState{Version: tls.VersionTLS13},
	}
	ex.Request.Header.Add("Host", "api.localhost")
	ex.Request.Header.Add("User-Agent", "curl/8.5.0")
	ex.Request.Header.Add("Accept", "*/*")
	ex.Response.Status, ex.Response.Source = 200, policy.SourceUpstream
	ex.Route = &policy.Route{
		Organization: "acme", Project: "shop", Environment: "PRD", API: "orders", APIName: "Orders", Version: "v2", Revision: 17,
		Operation: "getItem", Method: "GET", Template: "/orders/items/{id}", Unit: strings.Repeat("ab", 32),
	}
	ex.Caller = policy.Caller{
		Kind: policy.KindAPIKey, Credential: "cred-1", Plan: "gold", Subscription: "sub-1",
		Application: &policy.Application{ID: "app-1", Name: "Storefront"},
	}
	ex.Outcome = policy.Outcome{
		RequestBytes: 0, ResponseBytes: 1024, UpstreamTime: 900 * time.Microsecond, TransferTime: 200 * time.Microsecond,
		Attempts: []policy.Attempt{{Target: "10.0.0.1:9000", Status: 200, Start: 20 * time.Microsecond, Duration: 900 * time.Microsecond, Reused: true}},
		End:      start.Add(1130 * time.Microsecond),
	}
	ex.Trace = policy.Trace{TraceID: [16]byte{1, 2, 3}, SpanID: [8]byte{4, 5}}
	return ex
}

func refuse(ex *policy.Exchange, p *problem.Problem, policyID string) []traffic.Verdict {
	ex.Outcome.Err, ex.Outcome.Policy = p, policyID
	ex.Outcome.Attempts, ex.Outcome.UpstreamTime, ex.Outcome.TransferTime = nil, 0, 0
	ex.Response.Status, ex.Response.Source = p.Status, policy.SourceError
	return []traffic.Verdict{
		{Policy: "orders/policies/0", Type: "api-key", Level: "api", Phase: "inbound", Outcome: traffic.Pass, Duration: 1200},
		{Policy: policyID, Type: "rate-limit", Level: "api", Phase: "inbound", Outcome: traffic.Refuse, Reason: string(p.Code), Duration: 800},
	}
}

func TestRecordOfAServedRequest(t *testing.T) {
	t.Parallel()
	r, sink := recorder(t, Config{})
	r.Done(exchange(), nil, nil)
	got := sink.records(t)[0]
	require.Equal(t, traffic.Record{
		Time: start, ID: "019cd1b2-7c4a-7b21-9d38-0f51ce1f2a77", Gateway: "gw-1",
		Organization: "acme", Project: "shop", Environment: "PRD", API: "orders", APIName: "Orders", Version: "v2", Revision: 17,
		Operation: "getItem", Template: "/orders/items/{id}", Unit: strings.Repeat("ab", 32),
		Plan: "gold", Subscription: "sub-1", Application: "app-1", ApplicationName: "Storefront", Credential: "cred-1", CredentialKind: "api-key",
		ClientIP: netip.MustParseAddr("203.0.113.7"), UserAgent: "curl/8.5.0", Protocol: "HTTP/1.1", Scheme: "https", TLS: "1.3",
		Method: "GET", Host: "api.localhost", Path: "/orders/items/42", Query: "page=2&sort=name", Status: 200,
		Duration: 1130, GatewayTime: 30, UpstreamTime: 900, TransferTime: 200, ResponseBytes: 1024,
		Upstream: "10.0.0.1:9000", UpstreamStatus: 200, Attempts: 1,
		TraceID: traffic.TraceID{1, 2, 3}, SpanID: traffic.SpanID{4, 5},
	}, got)
	_, kept := r.Explain(got.ID)
	require.False(t, kept, "a served request has no decision unless sampled")
}

func TestWhoCausedTheError(t *testing.T) {
	t.Parallel() // R9.4
	tests := map[string]struct {
		set    func(*policy.Exchange)
		status int
		source traffic.ErrorSource
		code   problem.Code
	}{
		"served":           {func(*policy.Exchange) {}, 200, "", ""},
		"client left":      {func(ex *policy.Exchange) { ex.Outcome.ClientGone = true }, 499, "client", "client-closed-request"},
		"upstream says no": {func(ex *policy.Exchange) { ex.Response.Status = 404 }, 404, "upstream", ""},
		"policy refuses": {func(ex *policy.Exchange) {
			refuse(ex, problem.New(problem.CodeRateLimited, ""), "orders/policies/1")
		}, 429, "policy", "rate-limit-exceeded"},
		"policy answers": {func(ex *policy.Exchange) { ex.Respond(503, "", nil); ex.Outcome.Policy = "m" }, 503, "policy", ""},
		"bad request": {func(ex *policy.Exchange) {
			ex.Outcome.Err, ex.Response.Status, ex.Response.Source = problem.New(problem.CodeBadPath, ""), 400, policy.SourceError
		}, 400, "client", "bad-path"},
		"upstream away": {func(ex *policy.Exchange) {
			ex.Outcome.Err, ex.Response.Status = fmt.Errorf("x: %w", problem.New(problem.CodeUpstreamTimeout, "")), 504
		}, 504, "upstream", "upstream-timeout"},
		"gateway broke": {func(ex *policy.Exchange) {
			ex.Outcome.Err, ex.Response.Status, ex.Response.Source = errors.New("nil pointer"), 500, policy.SourceError
		}, 500, "gateway", "internal"},
	}
	for name, tt := range tests {
		ex := exchange()
		tt.set(ex)
		status := StatusOf(ex)
		source, code := ErrorOf(ex, status)
		require.Equal(t, tt.status, status, name)
		require.Equal(t, tt.source, source, name)
		require.Equal(t, tt.code, code, name)
	}
}

func TestNoSecretReachesAnyOutput(t *testing.T) {
	t.Parallel() // R14.4
	const canary = "CANARY7f3a"
	r, sink := recorder(t, Config{
		RequestHeaders:  []string{"Authorization", "X-API-Key", "Cookie", "Referer", "X-Partner-Id", "X-Own"},
		ResponseHeaders: []string{"Set-Cookie", "Location", "X-Auth-Token"},
		Redact:          Redact{Headers: []string{"X-Partner-Id"}, Parameters: []string{"voucher"}},
	})
	r.Redactor().Also([]string{"X-Own"}, []string{"ownKey"})
	ex := exchange()
	h := &ex.Request.Header
	for _, f := range []policy.Field{
		{Name: "authorization", Value: "Bearer " + canary},
		{Name: "Authorization", Value: "Basic " + base64.StdEncoding.EncodeToString([]byte("joe:"+canary))},
		{Name: "Proxy-Authorization", Value: canary},
		{Name: "COOKIE", Value: "a=1; sid=" + canary},
		{Name: "X-API-Key", Value: canary},
		{Name: "X-Partner-Id", Value: canary},
		{Name: "x-own", Value: canary},
		{Name: "X_Api_Key", Value: canary},
		{Name: "Referer", Value: "https://u:" + canary + "@h/p?token=" + canary + "&a=1#access_token=" + canary},
		{Name: "X-Masked", Value: canary},
		{Name: "X-Amz-Security-Token", Value: canary},
		{Name: "X-Hub-Signature-256", Value: canary},
	} {
		h.Add(f.Name, f.Value)
	}
	ex.Response.Header.Add("Set-Cookie", "sid="+canary)
	ex.Response.Header.Add("Location", "/cb?code="+canary)
	ex.Response.Header.Add("X-Auth-Token", canary)
	ex.Request.Query = "a=1&api_key=" + canary + "&%74oken=" + canary + "&voucher=" + canary + ";ownKey=" + canary + "&password[]=" + canary + "&b=2"
	ex.Log.RequestHeaders = []string{"X-Masked"}
	ex.Log.RequestBody, ex.Log.ResponseBody = 4096, 4096
	ex.Log.Attributes = map[string]string{"note": "got " + canary, "apiKey": canary}
	ex.Log.Masks = []func(field, value string) string{func(field, value string) string {
		if field == "request.header.X-Masked" {
			return "masked"
		}
		return value
	}}
	h.Add("Content-Type", "application/json")
	ex.Request.Body.SetBytes([]byte(`{"user":"joe","pass\u0077ord" : "` + canary + `","nested":{"api-key":["` + canary + `",{"x":"` + canary + `"}],"voucher":` +
		`"` + canary + `"},"ok":"seen","client_secret":"` + canary))
	ex.Response.Header.Add("Content-Type", "application/x-www-form-urlencoded")
	ex.Response.Body.SetBytes([]byte("access_token=" + canary + "&x=1"))
	ex.SetNoting(true)
	ex.Note("orders/policies/1", "detail", "key "+canary+" is unknown")
	ex.Note("orders/policies/1", "token", canary[:4])
	verdicts := refuse(ex, problem.New(problem.CodeCredentialInvalid, "key %s is not known", canary), "orders/policies/1")
	verdicts[1].Reason = "saw " + canary
	ex.Outcome.Attempts = []policy.Attempt{{Target: "t", Error: "malformed header " + canary}}
	r.Done(ex, verdicts, nil)

	require.NotContains(t, sink.buf.String(), canary)
	rec, ok := r.Explain(ex.ID)
	require.True(t, ok)
	var text strings.Builder
	require.NoError(t, Print(&text, rec))
	require.NotContains(t, text.String(), canary)

	require.Equal(t, "a=1&api_key=***&%74oken=***&voucher=***;ownKey=***&password[]=***&b=2", rec.Query)
	require.Equal(t, "https://***@h/p?token=***&a=1#access_token=***", rec.RequestHeaders.Get("referer"))
	require.Equal(t, "masked", rec.RequestHeaders.Get("x-masked"))
	require.Equal(t, "/cb?code=***", rec.ResponseHeaders.Get("location"))
	require.Equal(t, `{"user":"joe","pass\u0077ord" : "***","nested":{"api-key":"***","voucher":"***"},"ok":"seen","client_secret":"***"`, rec.RequestBody) //nolint:testifylint // cut JSON is a text
	require.Equal(t, "access_token=***&x=1", rec.ResponseBody)
	require.Equal(t, "got ***", rec.Attributes.Get("note"))
	require.Equal(t, "key *** is not known", rec.Decision.Detail)
}

func TestBodiesThatStreamAreTapped(t *testing.T) {
	t.Parallel()
	r, sink := recorder(t, Config{})
	ex := exchange()
	ex.Log.RequestBody, ex.Log.ResponseBody = 5, 1000
	ex.Request.Body.SetStream(strings.NewReader("hello world"), 11)
	ex.Response.Body.SetStream(strings.NewReader("answer"), -1)
	var tap Tap
	tap.Request(ex)
	tap.Response(ex)
	require.EqualValues(t, 11, ex.Request.Body.Length())
	in, err := io.ReadAll(ex.Request.Body.Reader())
	require.NoError(t, err)
	out, err := io.ReadAll(ex.Response.Body.Reader())
	require.NoError(t, err)
	require.Equal(t, "hello world/answer", string(in)+"/"+string(out))
	r.Done(ex, nil, &tap)
	got := sink.records(t)[0]
	require.Equal(t, "hello", got.RequestBody)
	require.Equal(t, "answer", got.ResponseBody)

	tap.Reset()
	r.Done(ex, nil, &tap)
	require.Empty(t, sink.records(t)[1].RequestBody, "nothing is left for the next request")
}

func TestWhatIsRecorded(t *testing.T) {
	t.Parallel()
	half := 0.5
	r, sink := recorder(t, Config{Sample: &half, ClientIP: "truncate", Subject: "hash", SubjectKey: schema.NewSecret("k")})
	ids := &IDs{}
	for range 2000 {
		ex := exchange()
		ex.ID = ids.New(start)
		ex.Caller.Subject = "joe@example.com"
		r.Done(ex, nil, nil)
	}
	all := sink.records(t)
	require.InDelta(t, 1000, len(all), 150)
	require.InDelta(t, 0.5, all[0].Sample, 0)
	require.Equal(t, "203.0.113.0", all[0].ClientIP.String())
	require.Len(t, all[0].Subject, 32)
	require.Equal(t, all[0].Subject, all[1].Subject)

	sink.buf.Reset()
	failed := exchange()
	failed.Response.Status = 500
	r.Done(failed, nil, nil)
	skipped := exchange()
	skipped.Log.Skip = true
	r.Done(skipped, nil, nil)
	require.Len(t, sink.records(t), 1, "errors are recorded always, skipped requests never")
}

func TestDecisionsAreBoundedAndTheNewestKept(t *testing.T) {
	t.Parallel()
	r, _ := recorder(t, Config{Decisions: Decisions{Keep: 3}})
	for i := range 5 {
		ex := exchange()
		ex.ID = fmt.Sprint("id-", i)
		r.Done(ex, refuse(ex, problem.New(problem.CodeRateLimited, "100 per second"), "orders/policies/1"), nil)
	}
	_, ok := r.Explain("id-1")
	require.False(t, ok)
	rec, ok := r.Explain("id-4")
	require.True(t, ok)
	require.Equal(t, traffic.KeptRefused, rec.Decision.Kept)
	require.JSONEq(t, `{"api":"orders"}`, string(rec.Decision.Match))
	var ids []string
	for _, rec := range r.Newest(10) {
		ids = append(ids, rec.ID)
	}
	require.Equal(t, []string{"id-4", "id-3", "id-2"}, ids)
}

func TestDecisionMemoryIsBounded(t *testing.T) {
	t.Parallel()
	d := newDecisions(1000)
	for i := range 3000 {
		d.put(fmt.Sprint(i), bytes.Repeat([]byte("x"), 100_000))
	}
	require.LessOrEqual(t, d.bytes, maxKept)
	require.LessOrEqual(t, len(d.byID), 1000)
	sum := 0
	for _, s := range d.slots {
		sum += cap(s.line)
	}
	require.Equal(t, d.bytes, sum)
}

func TestDebugRuleKeepsDecisionsUntilItEnds(t *testing.T) {
	t.Parallel() // R9.3
	now := start
	r, err := New(Options{Now: func() time.Time { return now }})
	require.NoError(t, err)
	require.Error(t, r.Debug(DebugRule{Until: now.Add(time.Hour)}), "a rule for everything")
	require.Error(t, r.Debug(DebugRule{API: "orders", Until: now.Add(25 * time.Hour)}), "a rule without end")
	require.NoError(t, r.Debug(DebugRule{Application: "app-1", PathPrefix: "/orders/", Until: now.Add(time.Hour), Spans: true}))

	ex := exchange()
	require.True(t, r.Begin(ex))
	require.True(t, ex.Noting())
	ex.Note("orders/policies/0", "why", "because")
	r.Done(ex, []traffic.Verdict{{Policy: "orders/policies/0", Type: "api-key", Outcome: traffic.Pass}}, nil)
	rec, ok := r.Explain(ex.ID)
	require.True(t, ok)
	require.Equal(t, traffic.KeptDebug, rec.Decision.Kept)
	require.Equal(t, "because", rec.Decision.Policies[0].Notes.Get("why"))

	other := exchange()
	other.ID, other.Caller.Application = "other", &policy.Application{ID: "app-2"}
	require.True(t, r.Begin(other), "the caller is not known yet")
	r.Done(other, nil, nil)
	_, ok = r.Explain("other")
	require.False(t, ok)

	now = now.Add(2 * time.Hour)
	late := exchange()
	require.False(t, r.Begin(late))
	require.Nil(t, r.debug.rules.Load(), "ended rules cost nothing")
}

func TestIDsAscendAndAreWellFormed(t *testing.T) {
	t.Parallel()
	var g IDs
	last := ""
	for i := range 10_000 {
		id := g.New(start.Add(time.Duration(i) * 100))
		require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
		require.Greater(t, id, last)
		last = id
	}
	later := time.UnixMilli(0x1ffffffffff) // RFC 9562: the first 48 bits are Unix milliseconds
	require.True(t, strings.HasPrefix(g.New(later), "01ffffff-ffff-7000-"))
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	require.Empty(t, Config{Traffic: FileConfig{Path: "traffic.jsonl"}}.Validate())
	two := 2.0
	c := Config{
		Traffic: FileConfig{Path: "stdout", Rotate: Rotate{Size: 1, Keep: -1}}, Spool: SpoolConfig{Dir: "d", URL: "ftp://x", MaxBytes: 5, Headers: map[string]schema.Secret{"a b": {}}},
		RequestHeaders: []string{"ok", "not ok"}, Sample: &two, ClientIP: "some", Subject: "x", Decisions: Decisions{Keep: -1, Sample: -1},
	}
	var at []string
	for _, f := range c.Validate() {
		at = append(at, f.Pointer)
		require.NotEmpty(t, f.Detail)
	}
	require.Equal(t, []string{
		"/clientIp", "/decisions/keep", "/decisions/sample", "/requestHeaders/1", "/sample", "/spool/headers/a b", "/spool/maxBytes", "/spool/url",
		"/subject", "/traffic/rotate", "/traffic/rotate/keep", "/traffic/rotate/size",
	}, at)
}

func TestDoneDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	file, err := NewFile(FileConfig{Path: "stdout", Buffer: 1 << 30}, io.Discard, slog.New(slog.DiscardHandler), time.Now)
	require.NoError(t, err)
	r, err := New(Options{Sinks: []Sink{file}, Now: time.Now})
	require.NoError(t, err)
	ex := exchange()
	for range 50_000 { // the buffers grow to their size
		r.Done(ex, nil, nil)
	}
	require.Zero(t, testing.AllocsPerRun(1000, func() { r.Done(ex, nil, nil) }))
}

func FuzzRedactQuery(f *testing.F) {
	f.Add("a=1&token=x;b")
	f.Add("%74oken=1&=&&=;;")
	var r Redactor
	f.Fuzz(func(t *testing.T, q string) {
		out := r.Query(q)
		require.Equal(t, out, r.Query(out))
		require.NotContains(t, r.Query("a=1&secret=CANARY&"+q), "CANARY&")
		_ = r.members(q)
		_ = r.url(q)
	})
}

func BenchmarkRecord(b *testing.B) {
	file, err := NewFile(FileConfig{Path: "stdout"}, io.Discard, slog.New(slog.DiscardHandler), time.Now)
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- file.Run(ctx) }()
	r, err := New(Options{Sinks: []Sink{file}, Now: time.Now})
	require.NoError(b, err)
	ex := exchange()
	b.ReportAllocs()
	for b.Loop() {
		r.Done(ex, nil, nil)
	}
	cancel()
	require.NoError(b, <-done)
	b.ReportMetric(float64(file.Stats().Dropped), "dropped")
}

func BenchmarkRecordRefused(b *testing.B) {
	r, err := New(Options{Now: time.Now, Sinks: []Sink{&lines{}}})
	require.NoError(b, err)
	r.o.Sinks = nil
	ex := exchange()
	verdicts := refuse(ex, problem.New(problem.CodeRateLimited, "100 per second"), "orders/policies/1")
	b.ReportAllocs()
	for b.Loop() {
		r.Done(ex, verdicts, nil)
	}
}

func BenchmarkID(b *testing.B) {
	var g IDs
	b.ReportAllocs()
	for b.Loop() {
		_ = g.New(start)
	}
}
