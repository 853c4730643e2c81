package metrics_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/metrics"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

var update = flag.Bool("update", false, "write golden files")

func newMetrics(t testing.TB, o metrics.Options) *metrics.Metrics {
	t.Helper()
	m, err := metrics.New(prometheus.NewRegistry(), o)
	require.NoError(t, err)
	return m
}

func scrape(t testing.TB, m *metrics.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	require.Equal(t, 200, rec.Code)
	return rec.Body.String()
}

func route(api, template string) *policy.Route {
	return &policy.Route{API: api, Method: "GET", Template: template}
}

func request(r *metrics.Route, status int, source string) {
	r.Begin()
	r.Done(status, source, 12*time.Millisecond, 10*time.Millisecond)
}

func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	m := newMetrics(t, metrics.Options{})
	r := m.Route(route("orders", "/orders/{id}"))
	request(r, 200, "")
	request(r, 204, "")
	request(r, 499, "client")
	request(r, 502, "upstream")
	r.Begin()
	request(m.Route(nil), 404, "client")
	out := scrape(t, m)
	for _, want := range []string{
		`gatehouse_requests_total{api="orders",error_source="",method="GET",operation="/orders/{id}",status="2xx"} 2`,
		`gatehouse_requests_total{api="orders",error_source="client",method="GET",operation="/orders/{id}",status="4xx"} 1`,
		`gatehouse_requests_total{api="orders",error_source="upstream",method="GET",operation="/orders/{id}",status="5xx"} 1`,
		`gatehouse_requests_total{api="unmatched",error_source="client",method="",operation="",status="4xx"} 1`,
		`gatehouse_request_duration_seconds_count{api="orders",method="GET",operation="/orders/{id}"} 4`,
		`gatehouse_upstream_duration_seconds_bucket{api="orders",method="GET",operation="/orders/{id}",le="0.01"} 4`,
		`gatehouse_requests_in_flight{api="orders"} 1`,
	} {
		require.Contains(t, out, want+"\n")
	}
	inFlight, requests := m.Totals()
	require.EqualValues(t, 1, inFlight)
	require.EqualValues(t, 5, requests)
}

func TestCountsSurviveAReloadAndGoWithTheRoute(t *testing.T) {
	t.Parallel()
	m := newMetrics(t, metrics.Options{})
	old := m.Route(route("orders", "/a"))
	request(old, 200, "")
	renewed := m.Route(route("orders", "/a")) // the next configuration, before the old one goes
	old.Close()
	request(renewed, 200, "")
	require.Contains(t, scrape(t, m), `operation="/a",status="2xx"} 2`)
	renewed.Close()
	require.NotContains(t, scrape(t, m), `api="orders"`)
	again := m.Route(route("orders", "/a"))
	request(again, 200, "")
	require.Contains(t, scrape(t, m), `operation="/a",status="2xx"} 1`)
}

// R20.1: whatever happens, the series are bounded and a scrape is quick.
func TestAMillionRoutesAreBounded(t *testing.T) {
	t.Parallel()
	m := newMetrics(t, metrics.Options{})
	n := 1_000_000
	if raceEnabled || testing.Short() {
		n = 50_000
	}
	statuses := []int{200, 301, 404, 500}
	for i := range n {
		r := m.Route(route(fmt.Sprint("api-", i), "/x"))
		request(r, statuses[i%4], "upstream")
	}
	for i := range 10_000 {
		m.TargetUp("u", fmt.Sprint(i), true)
		m.Limiter(fmt.Sprint(i))(true, false)
		m.KeySetFetched(fmt.Sprint(i), time.Now())
	}
	scrape(t, m)
	took := time.Hour
	var out string
	for range 3 { // the machine may be busy
		start := time.Now()
		out = scrape(t, m)
		took = min(took, time.Since(start))
	}
	lines := strings.Count(out, "\n")
	t.Logf("%d lines in %s", lines, took)
	require.Less(t, lines, 40_000)
	if !raceEnabled {
		require.Less(t, took, 3*time.Second, "0.1 s on a machine that does nothing else; a million routes would take ten")
	}
	require.Contains(t, out, `gatehouse_requests_total{api="other",error_source="upstream",method="other",operation="other",status="2xx"}`)
	over := regexp.MustCompile(`gatehouse_metrics_overflow_total\{metric="gatehouse_requests_total"\} (\S+)`).FindStringSubmatch(out)
	require.Len(t, over, 2)
	counted, err := strconv.ParseFloat(over[1], 64)
	require.NoError(t, err)
	require.Greater(t, counted, float64(n)*0.9)
}

func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	m := newMetrics(t, metrics.Options{MaxSeries: 8})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				r := m.Route(route(fmt.Sprint("api-", (i+w)%20), "/x"))
				request(r, 200+100*(i%4), "")
				if i%50 == 0 {
					scrape(t, m)
				}
				r.Close()
			}
		})
	}
	wg.Wait()
	require.NotContains(t, scrape(t, m), `api="api-`, "all routes are gone")
}

func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	m, err := metrics.New(reg, metrics.Options{})
	require.NoError(t, err)
	r := m.Route(route("a", "/"))
	request(r, 200, "")
	r.Begin()
	m.Limiter("p")(true, false)
	m.TargetUp("u", "t", true)
	m.KeySetFetched("u", time.Now())
	m.ConfigApplied(1, time.Now(), time.Second, 0)
	l := m.Listener("l")
	l.Opened()
	l.Refused(metrics.RefusedTooMany)
	require.NoError(t, m.RecordSink("file", func() metrics.Sink { return metrics.Sink{} }))
	require.NoError(t, m.RecordSpool(func() metrics.Spool { return metrics.Spool{} }))
	require.NoError(t, m.RecordPlane(func() metrics.Plane { return metrics.Plane{} }))
	families, err := reg.Gather()
	require.NoError(t, err)
	var doc strings.Builder
	doc.WriteString("# Metrics\n\nServed on the admin listener at `/metrics`, besides those of the process and the Go runtime. Labels come from the\n" +
		"configuration only, never from a request. Each metric has a bound of series; what is beyond it counts as `other`, and\n" +
		"`gatehouse_metrics_overflow_total` rises.\n\n" +
		"<!-- Generated by `go test ./internal/metrics -update`; do not edit. -->\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n")
	doc.WriteString("| `gatehouse_metrics_overflow_total` | counter | metric | Events that were counted as other because a metric had reached its bound of series. |\n")
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "gatehouse_") {
			continue
		}
		var labels []string
		for _, p := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, p.GetName())
		}
		slices.Sort(labels)
		fmt.Fprintf(&doc, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", "), f.GetHelp())
	}
	path := filepath.Join("..", "..", "..", "docs", "reference", "metrics.md")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(doc.String()), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, doc.String(), string(have), "run go test ./internal/metrics -update")
}

func TestDoneDoesNotAllocate(t *testing.T) {
	m := newMetrics(t, metrics.Options{})
	r := m.Route(route("orders", "/a"))
	require.Zero(t, testing.AllocsPerRun(100, func() { request(r, 200, "") }))
}

func BenchmarkRequest(b *testing.B) {
	r := newMetrics(b, metrics.Options{}).Route(route("orders", "/a"))
	b.ReportAllocs()
	for b.Loop() {
		request(r, 200, "")
	}
}
