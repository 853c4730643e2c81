package traffic_test

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

var update = flag.Bool("update", false, "write golden files")

func full() *traffic.Record {
	return &traffic.Record{
		Time: time.Date(2026, 3, 9, 8, 5, 1, 42_007_000, time.UTC),
		ID:   "019cd1b2-7c4a-7b21-9d38-0f51ce1f2a77", Gateway: "gw-1",
		Organization: "acme", Project: "shop", Environment: "PRD",
		API: "orders", APIName: "Orders", Version: "v2", Revision: 17,
		Operation: "getItem", Template: "/orders/items/{id}", Unit: strings.Repeat("ab", 32),
		Plan: "gold", Subscription: "sub-1", Application: "app-1", ApplicationName: "Store \"front\"",
		Credential: "cred-1", CredentialKind: "api-key", Subject: "5f8f04f6a3a892aaabbddb6cf273894493773960d4a325b105fee46eef4304f1",
		ClientIP: netip.MustParseAddr("203.0.113.7"), UserAgent: "curl/8.5", Protocol: "HTTP/1.1", Scheme: "https", TLS: "1.3",
		Method: "GET", Host: "api.example.com", Path: "/orders/items/42", Query: "a=1&token=***",
		Status: 429, Sample: 0.25, ErrorSource: traffic.SourcePolicy, ErrorCode: "rate-limit-exceeded", Policy: "orders/policies/1", Cache: "miss",
		Duration: 1234, GatewayTime: 34, UpstreamTime: 1000, TransferTime: 200, RequestBytes: 10, ResponseBytes: 20,
		Upstream: "10.0.0.1:9000", UpstreamStatus: 200, Attempts: 2, Retries: 1,
		TraceID: traffic.TraceID{1, 2, 3}, SpanID: traffic.SpanID{4, 5},
		Attributes:     traffic.Pairs{{"tier", "gold"}, {"a", "b"}},
		RequestHeaders: traffic.Pairs{{"accept", "*/*"}}, ResponseHeaders: traffic.Pairs{{"etag", `"x"`}},
		RequestBody: "hello\n", ResponseBody: "{}",
		Decision: &traffic.Decision{
			Kept: traffic.KeptRefused, Detail: "100 per second", RequestHeaders: []string{"accept: */*", "authorization: ***"}, Match: json.RawMessage(`{"api":"orders"}`),
			Policies: []traffic.Verdict{
				{Policy: "orders/policies/0", Type: "api-key", Level: "api", Phase: "inbound", Outcome: traffic.Pass, Start: 5000, Duration: 900, Notes: traffic.Pairs{{"application", "app-1"}}},
				{Policy: "orders/policies/1", Type: "rate-limit", Level: "api", Phase: "inbound", Outcome: traffic.Refuse, Reason: "rate-limit-exceeded", Duration: 400},
			},
			Attempts: []traffic.Attempt{
				{Target: "10.0.0.2:9000", Error: "connect: refused", Start: 10, Duration: 500},
				{Target: "10.0.0.1:9000", Status: 200, Start: 520, Duration: 490, Reused: true},
			},
		},
	}
}

// typical is what most requests look like.
func typical() *traffic.Record {
	r := full()
	r.Sample, r.Status, r.ErrorSource, r.ErrorCode, r.Policy, r.Cache = 0, 200, "", "", "", ""
	r.Attributes, r.RequestHeaders, r.ResponseHeaders, r.RequestBody, r.ResponseBody, r.Decision = nil, nil, nil, "", "", nil
	return r
}

func TestRecordKeepsItsForm(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*traffic.Record{
		"full": full(), "typical": typical(),
		"unmatched": {Time: time.Unix(0, 0), ID: "x", Method: "GET", Path: "/", Status: 404, ErrorSource: "client", ErrorCode: "not-found"},
	} {
		golden := filepath.Join("testdata", "record-"+name+".json")
		got := append(r.AppendJSON(nil), '\n')
		if *update {
			require.NoError(t, os.WriteFile(golden, got, 0o644))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), name)
	}
}

func TestEveryFieldIsSetInTheGoldenRecord(t *testing.T) {
	t.Parallel()
	v := reflect.ValueOf(*full())
	for i := range v.NumField() {
		require.False(t, v.Field(i).IsZero(), "field %s has no value in the golden record", v.Type().Field(i).Name)
	}
}

func TestAppendJSONAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, r := range []*traffic.Record{full(), typical(), {}, {
		ClientIP: netip.MustParseAddr("fe80::1%eth\n0"), Path: "\xff\x00\x1b[2J \u2028 \u202e é",
		Decision: &traffic.Decision{Match: json.RawMessage("{ \"a \\\" b\" :\n [1, 2] }")},
	}} {
		requireAgreement(t, r)
	}
}

func requireAgreement(t *testing.T, r *traffic.Record) {
	t.Helper()
	std, err := json.Marshal(r)
	require.NoError(t, err)
	own := r.AppendJSON(nil)
	var a, b traffic.Record
	require.NoError(t, json.Unmarshal(std, &a))
	require.NoError(t, json.Unmarshal(own, &b), string(own))
	a.Time, b.Time = a.Time.Truncate(time.Microsecond).UTC(), b.Time.UTC()
	require.Equal(t, a, b)
	var am, bm map[string]any
	require.NoError(t, json.Unmarshal(std, &am))
	require.NoError(t, json.Unmarshal(own, &bm))
	delete(am, "time")
	delete(bm, "time")
	require.Equal(t, am, bm)
}

func TestAppendJSONDoesNotAllocate(t *testing.T) {
	r, buf := typical(), make([]byte, 0, 4096)
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = r.AppendJSON(buf[:0]) }))
	r = full()
	r.Decision.Match = nil
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = r.AppendJSON(buf[:0]) }))
}

// An encoder writes what AppendJSON does, whatever came before.
func TestEncoder(t *testing.T) {
	t.Parallel()
	var e traffic.Encoder
	r := full()
	route := r.AppendRoute(nil)
	for _, d := range []time.Duration{0, 999 * time.Microsecond, time.Second, 24 * time.Hour, -time.Hour, 957 * time.Millisecond, -200 * 365 * 24 * time.Hour} {
		r.Time = r.Time.Add(d)
		want := string(r.AppendJSON(nil))
		require.Equal(t, want, string(e.Append(nil, r, route)))
		require.Equal(t, want, string(e.Append(nil, r, nil)))
	}
	r.Time = time.Time{}
	require.Equal(t, string(r.AppendJSON(nil)), string(e.Append(nil, r, route)))
}

// Every byte at every place of a word is told from its neighbours.
func TestAppendJSONSeesEveryByte(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		for at := range 17 {
			for _, by := range []byte{'a', '!', ']'} {
				text := []byte(strings.Repeat(string(rune(by)), 17))
				text[at] = byte(c)
				r := traffic.Record{ID: string(text)}
				var back traffic.Record
				line := r.AppendJSON(nil)
				if err := json.Unmarshal(line, &back); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				if back.ID != strings.ToValidUTF8(string(text), "\ufffd") || strings.ContainsFunc(string(line), unicode.IsControl) {
					t.Fatalf("%q became %q", text, line)
				}
			}
		}
	}
}

func FuzzAppendJSON(f *testing.F) {
	f.Add("plain", "\xff\xfe", "a\nb", "\x1b[31m")
	f.Add("\"\\", "\u2028\u202e", "\x7f\u0085", "😀")
	f.Fuzz(func(t *testing.T, path, agent, name, value string) {
		r := &traffic.Record{
			Path: path, UserAgent: agent, Attributes: traffic.Pairs{{name, value}},
			Decision: &traffic.Decision{Detail: value, Policies: []traffic.Verdict{{Reason: agent}}},
		}
		out := r.AppendJSON(nil)
		require.True(t, utf8.Valid(out))
		for _, c := range string(out) {
			require.False(t, unicode.IsControl(c) || unicode.Is(unicode.Zl, c) || unicode.Is(unicode.Zp, c), "%q", out)
		}
		requireAgreement(t, r)
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	r, buf := typical(), make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = r.AppendJSON(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}
