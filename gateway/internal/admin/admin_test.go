package admin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/admin"
	"github.com/gatehouse/gatehouse/gateway/internal/store"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/gateway/internal/traffic"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

const token = "0123456789abcdef"

// desk is an admin listener with what it shows.
type desk struct {
	t       *testing.T
	clock   *testkit.Clock
	status  *admin.Status
	store   *store.Store
	record  *traffic.Recorder
	handler http.Handler
}

func newDesk(t *testing.T, secret string) *desk {
	t.Helper()
	d := &desk{t: t, clock: testkit.NewClock()}
	d.status, d.store = admin.NewStatus(d.clock.Now), store.New(1<<20, d.clock.Now)
	var err error
	d.record, err = traffic.New(traffic.Options{Now: d.clock.Now, Config: traffic.Config{Decisions: traffic.Decisions{Keep: 8, Sample: 1}}})
	require.NoError(t, err)
	d.handler = admin.Handler(admin.Options{
		Status: d.status, Recorder: d.record, Store: d.store, Token: secret,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "up 1\n") }),
		DryRun: func(r admin.DryRun) (any, error) {
			if r.URL == "" {
				return nil, problem.New(problem.CodeBadRequest, "url: is missing")
			}
			return r, nil
		},
		Upstreams: func(api string) any { return map[string]string{"asked": api} },
	})
	return d
}

// ask sends a request with the token to localhost, changed by edit.
func (d *desk) ask(method, target, body string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, "http://localhost:9000"+target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	for _, e := range edit {
		e(r)
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func host(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }

// requireProblem checks that an answer is a problem, and returns it.
func requireProblem(t *testing.T, w *httptest.ResponseRecorder, status int, code problem.Code) problem.Problem {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body)
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	var p problem.Problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	require.Equal(t, code, p.Code)
	require.NotEmpty(t, p.Detail)
	return p
}

func TestEveryEndpointAnswers(t *testing.T) {
	t.Parallel()
	d := newDesk(t, token)
	d.status.SetApplied(admin.Applied{Version: 7, Epoch: "e", At: d.clock.Now(), APIs: 3, Compiled: 2, Reused: 1})
	d.clock.Advance(time.Minute)
	d.status.SetProblems([]problem.Field{{Pointer: "/apis/0", Code: "invalid", Detail: "is wrong", Source: "f.yaml:1:1"}})
	until := d.clock.Now().Add(time.Hour).Format(time.RFC3339)
	for _, c := range []struct {
		method, target, body string
		status               int
		want                 string // JSON, or text where it is none
	}{
		{"GET", "/health/alive", "", 200, `{"status":"alive"}`},
		{"GET", "/health/ready", "", 200, `{"status":"ready"}`},
		{"GET", "/metrics", "", 200, "up 1\n"},
		{"GET", "/config", "", 200, `{"version":7,"epoch":"e","appliedAt":"2030-01-01T00:00:00Z","compileNs":0,"apis":3,"compiled":2,"reused":1,"issues":[],
			"ageNs":60000000000,"sourceProblems":[{"pointer":"/apis/0","code":"invalid","detail":"is wrong","source":"f.yaml:1:1"}],"sourceReadAt":"2030-01-01T00:01:00Z"}`},
		{"GET", "/upstreams", "", 200, `{"asked":""}`},
		{"GET", "/upstreams?api=orders", "", 200, `{"asked":"orders"}`},
		{"GET", "/explain", "", 200, `[]`},
		{"POST", "/explain", `{"method":"GET","url":"http://a/b","header":{"X-A":"1"},"client":"10.0.0.1"}`, 200, `{"method":"GET","url":"http://a/b","header":{"X-A":"1"},"client":"10.0.0.1"}`},
		{"GET", "/debug/rules", "", 200, `[]`},
		{"POST", "/debug/rules", `{"api":"orders","until":"` + until + `"}`, 201, `{"api":"orders","until":"` + until + `"}`},
		{"GET", "/debug/rules", "", 200, `[{"api":"orders","until":"` + until + `"}]`},
		{"DELETE", "/debug/rules", "", 204, ""},
		{"GET", "/debug/rules", "", 200, `[]`},
	} {
		w := d.ask(c.method, c.target, c.body)
		require.Equal(t, c.status, w.Code, "%s %s: %s", c.method, c.target, w.Body)
		if json.Valid([]byte(c.want)) {
			require.JSONEq(t, c.want, w.Body.String(), c.target)
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		} else {
			require.Equal(t, c.want, w.Body.String(), c.target)
		}
	}
	w := d.ask("GET", "/version", "")
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), `"go"`)
	for _, profile := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=1"} {
		require.Equal(t, 200, d.ask("GET", profile, "").Code, profile)
	}
}

func TestWhatCannotBeAnsweredIsAProblem(t *testing.T) {
	t.Parallel()
	d := newDesk(t, token)
	require.Contains(t, requireProblem(t, d.ask("GET", "/nothing", ""), 404, problem.CodeNotFound).Detail, "GET /nothing")
	require.Contains(t, requireProblem(t, d.ask("GET", "/explain/unknown-id", ""), 404, problem.CodeNotFound).Detail, `"unknown-id"`)
	for _, body := range []string{"", "{", `{"method":1}`, `{"nonsense":1}`, `[]`, `{"url":"` + strings.Repeat("x", 2<<20) + `"}`} {
		requireProblem(t, d.ask("POST", "/explain", body), 400, problem.CodeBadRequest)
		requireProblem(t, d.ask("POST", "/debug/rules", body), 400, problem.CodeBadRequest)
	}
	requireProblem(t, d.ask("POST", "/explain", `{}`), 400, problem.CodeBadRequest)
	require.GreaterOrEqual(t, d.ask("POST", "/debug/rules", `{"until":"2001-01-01T00:00:00Z"}`).Code, 400, "over already")
	require.Equal(t, `[]`, strings.TrimSpace(d.ask("GET", "/debug/rules", "").Body.String()))
}

func TestTheCacheIsEmptiedByAPIOrWhole(t *testing.T) {
	t.Parallel()
	d := newDesk(t, token)
	for _, key := range []string{"orders/a", "orders/b", "orders-2/a", "stock/a"} {
		d.store.Set(key, 1, 1, time.Hour)
	}
	require.JSONEq(t, `{"removed":2}`, d.ask("DELETE", "/cache?api=orders", "").Body.String())
	require.JSONEq(t, `{"removed":2}`, d.ask("DELETE", "/cache", "").Body.String())
}

func TestADecisionIsShownByRequestID(t *testing.T) {
	t.Parallel()
	d := newDesk(t, token)
	ex := &policy.Exchange{ID: "req-1", Start: d.clock.Now()}
	ex.Response.Status = 403
	d.record.Begin(ex)
	d.record.Done(ex, nil, nil)
	w := d.ask("GET", "/explain/req-1", "")
	require.Equal(t, 200, w.Code, w.Body)
	require.Contains(t, w.Body.String(), `"req-1"`)
	require.Contains(t, d.ask("GET", "/explain", "").Body.String(), `"req-1"`)
}

func TestWithATokenNothingIsToldWithoutIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, token)
	guarded := [][2]string{
		{"GET", "/version"},
		{"GET", "/metrics"},
		{"GET", "/config"},
		{"GET", "/upstreams"},
		{"GET", "/explain"},
		{"GET", "/explain/x"},
		{"POST", "/explain"},
		{"GET", "/debug/rules"},
		{"POST", "/debug/rules"},
		{"DELETE", "/debug/rules"},
		{"DELETE", "/cache"},
		{"GET", "/debug/pprof/"},
		{"GET", "/debug/pprof/profile"},
		{"GET", "/debug/pprof/trace"},
		{"GET", "/nothing"},
	}
	d.store.Set("a/b", 1, 1, time.Hour)
	for _, given := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Bearer " + token[:15], "Bearer " + token + " ", "Basic " + token} {
		for _, g := range guarded {
			w := d.ask(g[0], g[1], "{}", header("Authorization", given))
			requireProblem(t, w, 401, problem.CodeCredentialMissing)
			require.Equal(t, `Bearer realm="gatehouse admin"`, w.Header().Get("WWW-Authenticate"))
		}
	}
	require.JSONEq(t, `{"removed":1}`, d.ask("DELETE", "/cache", "").Body.String(), "none of them did anything")
	// Probes of orchestrators have no token, and any name.
	require.Equal(t, 200, d.ask("GET", "/health/alive", "", header("Authorization", ""), host("10.1.2.3:9000")).Code)
	require.Equal(t, 200, d.ask("GET", "/version", "", host("gateway.example:9000")).Code, "with the token by any name")
}

// Without a token only this machine's own programs may ask: a page in a browser
// could otherwise ask under a name that resolves to this machine.
func TestWithoutATokenOnlyLoopbackNamesAreAnswered(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	for _, h := range []string{"localhost", "localhost:9000", "127.0.0.1:9000", "127.9.9.9", "[::1]:9000", "[::1]"} {
		require.Equal(t, 200, d.ask("GET", "/config", "", host(h)).Code, h)
	}
	for _, h := range []string{"evil.example", "evil.example:9000", "localhost.evil.example", "10.0.0.1:9000", "127.0.0.1.evil.example", "", "0.0.0.0:9000"} {
		w := d.ask("GET", "/config", "", host(h))
		require.Equal(t, http.StatusForbidden, w.Code, h)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	}
	for name, value := range map[string]string{"Origin": "http://localhost:9000", "Sec-Fetch-Site": "cross-site"} {
		require.Equal(t, http.StatusForbidden, d.ask("DELETE", "/cache", "", header(name, value)).Code, "a web page asks: "+name)
	}
	require.Equal(t, 200, d.ask("GET", "/config", "", header("Sec-Fetch-Site", "none")).Code, "a person typed the address")
}

func TestReadinessFollowsTheLifeOfTheGateway(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	ready := func() (int, string) {
		w := d.ask("GET", "/health/ready", "")
		return w.Code, w.Body.String()
	}
	code, body := ready()
	require.Equal(t, 503, code)
	require.JSONEq(t, `{"status":"not ready","reason":"no configuration yet"}`, body)
	require.Contains(t, d.ask("GET", "/config", "").Body.String(), `"issues": []`)
	d.status.SetApplied(admin.Applied{Version: 1, Issues: []table.Issue{{Unit: "a", Serving: "unavailable"}}})
	code, _ = ready()
	require.Equal(t, 200, code, "one broken API does not take the gateway out")
	d.status.SetDraining()
	code, body = ready()
	require.Equal(t, 503, code)
	require.JSONEq(t, `{"status":"not ready","reason":"draining"}`, body)
	require.Equal(t, 200, d.ask("GET", "/health/alive", "").Code, "a draining gateway is not restarted")
}
