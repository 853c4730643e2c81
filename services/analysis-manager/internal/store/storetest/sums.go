package storetest

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

func testSums(t *testing.T, s store.Store) {
	rows := Traffic("acme", 900, 1)
	Add(t, s, Batch("b1", rows[:400]...), Batch("b2", rows[400:450]...))
	Add(t, s, Batch("b3", rows[450:]...))
	requireReports(t, s, rows)
	require.NoError(t, s.Sweep(t.Context(), kept(Start.Add(2*time.Hour))))
	requireReports(t, s, rows) // merging changes nothing
	more := Traffic("acme", 200, 2)
	Add(t, s, Batch("b4", more...))
	rows = append(rows, more...)
	requireReports(t, s, rows)
	require.NoError(t, s.Sweep(t.Context(), kept(Start.Add(2*time.Hour))))
	requireReports(t, s, rows)

	empty := whole("nobody")
	empty.Interval, empty.Top = time.Hour, []string{"api"}
	got := usage(t, s, empty)
	require.Equal(t, analysis.UsageReport{Series: []analysis.Point{{Time: Start}, {Time: Start.Add(time.Hour)}}, Top: map[string][]analysis.Top{"api": {}}}, got)
}

func kept(now time.Time) store.Retention {
	return store.Retention{Now: now, Records: 7 * 24 * time.Hour, Minutes: 14 * 24 * time.Hour, Hours: 400 * 24 * time.Hour}
}

func requireReports(t *testing.T, s store.Store, rows []store.Row) {
	t.Helper()
	for _, c := range []struct {
		name string
		set  func(*store.Usage)
		keep func(*store.Row) bool
	}{
		{"all", func(*store.Usage) {}, func(*store.Row) bool { return true }},
		{"minutes in an hour", func(u *store.Usage) { u.Filter.From, u.Filter.To = Start.Add(7*time.Minute), Start.Add(31*time.Minute) }, func(r *store.Row) bool {
			return !r.Time.Before(Start.Add(7*time.Minute)) && r.Time.Before(Start.Add(31*time.Minute))
		}},
		{"minutes and hours", func(u *store.Usage) {
			u.Filter.From, u.Filter.To = Start.Add(-30*time.Second), Start.Add(70*time.Minute+time.Second)
		}, func(r *store.Row) bool { return r.Time.Before(Start.Add(71 * time.Minute)) }},
		{"one API", func(u *store.Usage) { u.Filter.APIs = []string{"a1"} }, func(r *store.Row) bool { return r.API == "a1" }},
		{"two projects", func(u *store.Usage) { u.Filter.Projects = []string{"p1", "p7"} }, func(r *store.Row) bool { return r.Project == "p1" }},
		{"environment, operation", func(u *store.Usage) {
			u.Filter.Environments, u.Filter.Operations = []string{"prd"}, []string{"getItem"}
		}, func(r *store.Row) bool { return r.Environment == "prd" && r.Operation == "getItem" }},
		{"application, plan", func(u *store.Usage) { u.Filter.Applications, u.Filter.Plans = []string{"app1"}, []string{"gold"} }, func(r *store.Row) bool { return r.Application == "app1" }},
		{"nothing", func(u *store.Usage) { u.Filter.Plans = []string{"lead"} }, func(*store.Row) bool { return false }},
		{"allowed", func(u *store.Usage) { u.Allowed = []store.Scope{{Project: "p0", Environment: "dev"}, {API: "a3"}} }, func(r *store.Row) bool {
			return r.Project == "p0" && r.Environment == "dev" || r.API == "a3"
		}},
	} {
		u := whole("acme")
		c.set(&u)
		u.Interval = 5 * time.Minute
		u.Top = []string{"api", "operation", "application", "plan", "status", "gateway", "errorCode"}
		u.Limit = 3
		want := where(rows, c.keep)
		got := usage(t, s, u)
		requireSums(t, expect(want), got.Total, "%s: total", c.name)
		requireSeries(t, c.name, u, want, got.Series)
		requireTop(t, c.name, want, got.Top)
		var newest time.Time
		for i := range want {
			if want[i].Time.After(newest) {
				newest = want[i].Time
			}
		}
		require.Equal(t, newest, got.Newest, c.name)

		u.Interval, u.Top = 0, nil // may be read from hours
		got = usage(t, s, u)
		requireSums(t, expect(want), got.Total, "%s: total alone", c.name)
		require.Empty(t, got.Series)
		require.Empty(t, got.Top)
		u.Interval = time.Hour
		got = usage(t, s, u)
		requireSums(t, expect(want), got.Total, "%s: total of hours", c.name)
		requireSeries(t, c.name, u, want, got.Series)
	}
}

// requireSeries says that there is a point for each step, without gaps.
func requireSeries(t *testing.T, name string, u store.Usage, rows []store.Row, got []analysis.Point) {
	t.Helper()
	at, i := u.Filter.From.Truncate(u.Interval), 0
	for ; at.Before(u.Filter.To); at, i = at.Add(u.Interval), i+1 {
		require.Greater(t, len(got), i, "%s: points", name)
		require.Equal(t, at, got[i].Time, name)
		end := at.Add(u.Interval)
		if !end.Before(u.Filter.To) { // the end is rounded up to a minute
			end = end.Add(time.Minute)
		}
		requireSums(t, expect(where(rows, func(r *store.Row) bool { return !r.Time.Before(at) && r.Time.Before(end) })), got[i].Sums, "%s: point %d", name, i)
	}
	require.Len(t, got, i, name)
}

func requireTop(t *testing.T, name string, rows []store.Row, got map[string][]analysis.Top) {
	t.Helper()
	for dimension, key := range map[string]func(*store.Row) (key, api, name string){
		"api":         func(r *store.Row) (string, string, string) { return r.API, "", r.APIName },
		"operation":   func(r *store.Row) (string, string, string) { return r.Operation, r.API, "" },
		"application": func(r *store.Row) (string, string, string) { return r.Application, "", r.ApplicationName },
		"plan":        func(r *store.Row) (string, string, string) { return r.Plan, "", "" },
		"status":      func(r *store.Row) (string, string, string) { return strconv.Itoa(r.Status), "", "" },
		"gateway":     func(r *store.Row) (string, string, string) { return r.Gateway, "", "" },
		"errorCode":   func(r *store.Row) (string, string, string) { return r.ErrorCode, "", "" },
	} {
		groups := map[[2]string][]store.Row{}
		names := map[[2]string]string{}
		for i := range rows {
			k, api, n := key(&rows[i])
			if k != "" {
				groups[[2]string{k, api}] = append(groups[[2]string{k, api}], rows[i])
				names[[2]string{k, api}] = n
			}
		}
		require.NotNil(t, got[dimension], name)
		require.Len(t, got[dimension], min(3, len(groups)), "%s: %s", name, dimension)
		last := int64(1) << 62
		for _, l := range got[dimension] {
			require.LessOrEqual(t, l.Requests, last, "%s: %s leaders come first", name, dimension)
			last = l.Requests
			k := [2]string{l.Key, l.API}
			requireSums(t, expect(groups[k]), l.Sums, "%s: %s %s", name, dimension, l.Key)
			if dimension != "operation" {
				require.Equal(t, names[k], l.Name, name)
			}
			delete(groups, k)
		}
		for k, others := range groups {
			require.LessOrEqual(t, expect(others).Requests, last, "%s: %s %s should be a leader", name, dimension, k)
		}
	}
}

// R: a batch or a record that comes again, alone or among others, counts once.
func testOnce(t *testing.T, s store.Store) {
	rows := Traffic("acme", 900, 3)
	b1, b2 := Batch("b1", rows[:500]...), Batch("b2", rows[500:]...)
	require.Equal(t, 500, Add(t, s, b1))
	require.Equal(t, 0, Add(t, s, b1))
	require.Equal(t, 400, Add(t, s, b1, b2, b2))
	require.Equal(t, 0, Add(t, s, Batch("other", rows[490:510]...)), "the same records in another batch")
	require.Equal(t, 2, Add(t, s, Batch("mixed", rows[0], Row("acme", "new", 0), rows[899], Row("acme", "new", 0), Row("acme", "newer", 0))))
	rows = append(rows, Row("acme", "new", 0), Row("acme", "newer", 0))
	requireSums(t, expect(rows), usage(t, s, whole("acme")).Total, "total")
	require.NoError(t, s.Sweep(t.Context(), kept(Start.Add(2*time.Hour))))
	require.Equal(t, 0, Add(t, s, b1, b2))
	requireSums(t, expect(rows), usage(t, s, whole("acme")).Total, "total")
	require.Len(t, list(t, s, store.Search{Text: "acme-3-0004"}), 100)
}

// Several replicas take in the same and different things, and merge, all at once.
func testReplicas(t *testing.T, s store.Store) {
	rows := Traffic("acme", 1200, 4)
	var wg sync.WaitGroup
	for replica := range 3 {
		wg.Go(func() {
			for i := range 12 {
				at := (i + replica*4) % 12 * 100
				_, err := s.Add(t.Context(), []store.Batch{Batch("b"+strconv.Itoa(at), rows[at:at+100]...)})
				if err == nil && i%4 == 3 {
					err = s.Sweep(t.Context(), kept(Start.Add(2*time.Hour)))
				}
				if err != nil {
					t.Errorf("replica %d: %v", replica, err)
					return
				}
			}
		})
	}
	wg.Wait()
	requireSums(t, expect(rows), usage(t, s, whole("acme")).Total, "total")
}

func testSamples(t *testing.T, s store.Store) {
	rows := []store.Row{
		Row("acme", "1", 0, func(r *store.Row) { r.Weight, r.Duration = 10, 5000 }),
		Row("acme", "2", time.Minute),
	}
	Add(t, s, Batch("b", rows...))
	got := usage(t, s, whole("acme"))
	require.EqualValues(t, 11, got.Total.Requests)
	require.EqualValues(t, 1100, got.Total.ResponseBytes)
	requireSums(t, expect(rows), got.Total, "total")
}

func testForgetting(t *testing.T, s store.Store) {
	old := Traffic("acme", 2500, 5)
	Add(t, s, Batch("old", old...))
	day := 24 * time.Hour
	young := Row("acme", "young", 3*day)
	other := Row("emca", "old", 0)
	Add(t, s, Batch("young", young), Batch("other", other))
	all := store.Usage{Usage: analysis.Usage{Filter: analysis.Filter{Organization: "acme", From: Start, To: Start.Add(4 * day)}}}
	keep := store.Retention{Now: Start.Add(3*day + time.Hour), Records: day, Minutes: 30 * day, Hours: 30 * day}
	require.NoError(t, s.Sweep(t.Context(), keep))
	require.Equal(t, []string{"young"}, list(t, s, store.Search{}))
	require.Empty(t, list(t, s, store.Search{Filter: analysis.Filter{Organization: "emca"}}))
	_, err := s.Record(t.Context(), store.Where{Organization: "acme", ID: old[0].ID})
	require.ErrorIs(t, err, store.ErrNotFound)
	requireRecord(t, s, young)
	keep.Minutes, keep.Hours = day, day
	require.NoError(t, s.Sweep(t.Context(), keep))
	require.EqualValues(t, 1, usage(t, s, all).Total.Requests)
}
