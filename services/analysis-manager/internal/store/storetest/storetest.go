// Package storetest is what every traffic store must do. It is for tests only.
package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// Start is when the traffic of the tests begins: on the hour.
var Start = time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC)

// Run runs the contract. open returns an empty store that is the test's alone.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, store.Store){
		"sums are those of the records": testSums,
		"what comes again counts once":  testOnce,
		"two replicas at once":          testReplicas,
		"searching":                     testSearch,
		"paging":                        testPaging,
		"one record":                    testRecord,
		"organizations are apart":       testOrganizations,
		"what may be seen":              testAllowed,
		"forgetting":                    testForgetting,
		"an organization is over":       testForget,
		"what fails is not counted":     testAllOrNothing,
		"samples":                       testSamples,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// Row returns a record of the organization.
func Row(organization, id string, at time.Duration, change ...func(*store.Row)) store.Row {
	r := store.Row{Organization: organization, Weight: 1}
	r.ID, r.Time = id, Start.Add(at)
	r.Project, r.Environment, r.API, r.APIName = "p1", "e1", "a1", "Orders"
	r.Operation, r.Template = "getItem", "/orders/{id}"
	r.Gateway, r.Method, r.Host, r.Path = "gw-1", "GET", "api.example.com", "/orders/"+id
	r.Status, r.Duration, r.GatewayTime = 200, 1000, 50
	r.RequestBytes, r.ResponseBytes = 10, 100
	for _, c := range change {
		c(&r)
	}
	r.JSON = fmt.Appendf(nil, `{"time":%q,"id":%q,"method":%q,"path":%q,"status":%d}`, r.Time.Format(time.RFC3339Nano), r.ID, r.Method, r.Path, r.Status)
	return r
}

// Traffic returns n records of an hour and a half, of all kinds.
func Traffic(organization string, n int, seed uint64) []store.Row {
	r := rand.New(rand.NewPCG(seed, 1))
	rows := make([]store.Row, n)
	for i := range rows {
		rows[i] = Row(organization, fmt.Sprintf("%s-%d-%06d", organization, seed, i), time.Duration(r.Int64N(int64(90*time.Minute))).Truncate(time.Microsecond), func(x *store.Row) {
			api := strconv.Itoa(r.IntN(4))
			x.API, x.APIName, x.Project = "a"+api, "API "+api, "p"+strconv.Itoa(r.IntN(4)%2)
			x.Operation = []string{"getItem", "putItem", ""}[r.IntN(3)]
			x.Environment = []string{"dev", "prd"}[r.IntN(2)]
			if app := r.IntN(5); app > 0 {
				x.Application, x.ApplicationName, x.Plan = "app"+strconv.Itoa(app), "App "+strconv.Itoa(app), "gold"
			}
			x.Gateway = "gw-" + strconv.Itoa(r.IntN(2))
			x.Status = []int{200, 200, 200, 201, 302, 404, 429, 502}[r.IntN(8)]
			if x.Status >= 400 {
				x.ErrorCode, x.ErrorSource, x.Refused = "code-"+strconv.Itoa(x.Status), "policy", x.Status == 429
			}
			x.Method = []string{"GET", "PUT"}[r.IntN(2)]
			x.Duration = int64(r.ExpFloat64()*20_000) + 100
			x.GatewayTime = x.Duration / 10
			x.RequestBytes, x.ResponseBytes = r.Int64N(1000), r.Int64N(10_000)
		})
	}
	return rows
}

// Batch returns a batch of rows.
func Batch(id string, rows ...store.Row) store.Batch { return store.Batch{ID: id, Rows: rows} }

// Add adds batches and returns how many records were new.
func Add(t *testing.T, s store.Store, batches ...store.Batch) (n int) {
	t.Helper()
	added, err := s.Add(t.Context(), batches)
	require.NoError(t, err)
	for _, a := range added {
		n += a
	}
	return n
}

// whole is all that was ever added for an organization.
func whole(organization string) store.Usage {
	return store.Usage{Usage: analysis.Usage{Filter: analysis.Filter{Organization: organization, From: Start, To: Start.Add(2 * time.Hour)}}}
}

func usage(t *testing.T, s store.Store, u store.Usage) analysis.UsageReport {
	t.Helper()
	r, err := s.Usage(t.Context(), u)
	require.NoError(t, err)
	return r
}

func list(t *testing.T, s store.Store, w store.Search) []string {
	t.Helper()
	if w.Organization == "" {
		w.Organization = "acme"
	}
	if w.Limit == 0 {
		w.Limit = 200
	}
	items, err := s.List(t.Context(), w)
	require.NoError(t, err)
	ids := make([]string, len(items))
	for i := range items {
		ids[i] = items[i].ID
	}
	return ids
}

// expect adds up rows one by one.
func expect(rows []store.Row) (sums analysis.Sums) {
	var durations, gateway []int64
	for i := range rows {
		r := &rows[i]
		w := r.Weight
		sums.Requests += w
		switch r.Status / 100 {
		case 2:
			sums.Status2xx += w
		case 3:
			sums.Status3xx += w
		case 4:
			sums.Status4xx += w
		case 5:
			sums.Status5xx += w
		}
		if r.Refused {
			sums.Refused += w
		}
		sums.RequestBytes += w * r.RequestBytes
		sums.ResponseBytes += w * r.ResponseBytes
		sums.Max = max(sums.Max, r.Duration)
		for range w {
			durations, gateway = append(durations, r.Duration), append(gateway, r.GatewayTime)
		}
	}
	sums.P50, sums.P95, sums.P99 = rank(durations, 50), rank(durations, 95), rank(durations, 99)
	sums.GatewayP95 = rank(gateway, 95)
	return sums
}

func rank(values []int64, percent int) int64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[max(1, (len(values)*percent+99)/100)-1]
}

// requireSums compares sums; percentiles may differ by 1 %.
func requireSums(t *testing.T, want, got analysis.Sums, what string, args ...any) {
	t.Helper()
	what = fmt.Sprintf(what, args...)
	for _, p := range [][2]*int64{{&want.P50, &got.P50}, {&want.P95, &got.P95}, {&want.P99, &got.P99}, {&want.GatewayP95, &got.GatewayP95}} {
		require.InDelta(t, float64(*p[0]), float64(*p[1]), float64(*p[0])*0.0101+1, what)
		*p[0], *p[1] = 0, 0
	}
	require.Equal(t, want, got, what)
}

func where(rows []store.Row, keep func(*store.Row) bool) []store.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r store.Row) bool { return !keep(&r) })
}

func newestFirst(rows []store.Row) []string {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b store.Row) int {
		if c := b.Time.Compare(a.Time); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids
}

func testRecord(t *testing.T, s store.Store) {
	rows := Traffic("acme", 600, 9)
	rows = append(rows, Row("acme", "long", 0, func(r *store.Row) { r.Path = "/" + strings.Repeat("x", 2000) }))
	rows[3].Application = "app1"
	Add(t, s, Batch("b", rows...))
	for i := 0; i < len(rows); i += 37 {
		requireRecord(t, s, rows[i])
	}
	requireRecord(t, s, rows[600])
	for name, w := range map[string]store.Where{
		"unknown":             {Organization: "acme", ID: "nothing"},
		"another's":           {Organization: "evil", ID: rows[0].ID},
		"another application": {Organization: "acme", ID: rows[3].ID, Applications: []string{"app2", "app3"}},
		"not allowed":         {Organization: "acme", ID: rows[3].ID, Allowed: []store.Scope{{Project: "p9"}}},
		"nothing allowed":     {Organization: "acme", ID: rows[3].ID, Allowed: []store.Scope{}},
	} {
		_, err := s.Record(t.Context(), w)
		require.ErrorIs(t, err, store.ErrNotFound, name)
	}
	_, err := s.Record(t.Context(), store.Where{Organization: "acme", ID: rows[3].ID, Applications: []string{"app2", "app1"}, Allowed: []store.Scope{{Project: "p9"}, {Project: rows[3].Project}}})
	require.NoError(t, err)
}

func requireRecord(t *testing.T, s store.Store, want store.Row) {
	t.Helper()
	got, err := s.Record(t.Context(), store.Where{Organization: want.Organization, ID: want.ID})
	require.NoError(t, err)
	require.JSONEq(t, string(want.JSON), string(got))
	require.True(t, json.Valid(got))
}

func testAllOrNothing(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	batch := Batch("b", Row("acme", "1", 0))
	_, err := s.Add(ctx, []store.Batch{batch})
	require.Error(t, err)
	require.Zero(t, usage(t, s, whole("acme")).Total.Requests)
	require.Equal(t, 1, Add(t, s, batch))
	require.EqualValues(t, 1, usage(t, s, whole("acme")).Total.Requests)
	require.Zero(t, Add(t, s), "no batches")
	require.Zero(t, Add(t, s, Batch("empty")))
}
