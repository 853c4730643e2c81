package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

func testSearch(t *testing.T, s store.Store) {
	rows := []store.Row{
		Row("acme", "r1", 0),
		Row("acme", "r2", time.Second, func(r *store.Row) { r.Status, r.ErrorCode, r.ErrorSource = 429, "rate-limit-exceeded", "policy" }),
		Row("acme", "r3", 2*time.Second, func(r *store.Row) { r.Status, r.ErrorCode, r.Method = 503, "circuit-open", "POST" }),
		Row("acme", "r4", 3*time.Second, func(r *store.Row) { r.Path, r.API, r.APIName = "/Pets/50%_off", "a2", "Pet store" }),
		Row("acme", "r5", 4*time.Second, func(r *store.Row) {
			r.Application, r.ApplicationName, r.Plan, r.Duration = "app1", "Store front", "gold", 90_000
		}),
		Row("acme", "r6", 4*time.Second, func(r *store.Row) {
			r.Environment, r.Project, r.Gateway, r.Operation, r.Status = "e2", "p2", "gw-2", "listItems", 304
		}),
	}
	Add(t, s, Batch("b", rows...))
	Add(t, s, Batch("c", Row("evil", "x1", time.Second, func(r *store.Row) { r.Status = 429 })))
	at := func(d time.Duration) time.Time { return Start.Add(d) }
	for name, c := range map[string]struct {
		w    store.Search
		want []string
	}{
		"all, newest first":   {store.Search{}, []string{"r6", "r5", "r4", "r3", "r2", "r1"}},
		"limit":               {store.Search{Limit: 2}, []string{"r6", "r5"}},
		"from":                {store.Search{Filter: analysis.Filter{From: at(3 * time.Second)}}, []string{"r6", "r5", "r4"}},
		"to":                  {store.Search{Filter: analysis.Filter{To: at(time.Second)}}, []string{"r1"}},
		"status":              {store.Search{Statuses: []int{429, 304}}, []string{"r6", "r2"}},
		"class":               {store.Search{Classes: []int{4, 5}}, []string{"r3", "r2"}},
		"class and status":    {store.Search{Classes: []int{4, 5}, Statuses: []int{503, 200}}, []string{"r3"}},
		"method":              {store.Search{Methods: []string{"POST"}}, []string{"r3"}},
		"path prefix":         {store.Search{PathPrefix: "/Pets/50%_"}, []string{"r4"}},
		"path prefix is text": {store.Search{PathPrefix: "/Pets/5_"}, nil},
		"path prefix case":    {store.Search{PathPrefix: "/pets"}, nil},
		"error code":          {store.Search{ErrorCodes: []string{"circuit-open", "other"}}, []string{"r3"}},
		"request id":          {store.Search{RequestID: "r2"}, []string{"r2"}},
		"another's id":        {store.Search{RequestID: "x1"}, nil},
		"slow":                {store.Search{MinDuration: 90_000}, []string{"r5"}},
		"text: path":          {store.Search{Text: "pets/50%_"}, []string{"r4"}},
		"text is no pattern":  {store.Search{Text: "50_%"}, nil},
		"text: star":          {store.Search{Text: "pet*"}, nil},
		"text: API":           {store.Search{Text: "PET ST"}, []string{"r4"}},
		"text: application":   {store.Search{Text: "front"}, []string{"r5"}},
		"text: code":          {store.Search{Text: "limit-exc"}, []string{"r2"}},
		"text: id":            {store.Search{Text: "r5"}, []string{"r5"}},
		"API":                 {store.Search{Filter: analysis.Filter{APIs: []string{"a2"}}}, []string{"r4"}},
		"application":         {store.Search{Filter: analysis.Filter{Applications: []string{"app1"}}}, []string{"r5"}},
		"plan":                {store.Search{Filter: analysis.Filter{Plans: []string{"gold"}}}, []string{"r5"}},
		"the others":          {store.Search{Filter: analysis.Filter{Projects: []string{"p2"}, Environments: []string{"e2"}, Operations: []string{"listItems"}}, Gateways: []string{"gw-2"}}, []string{"r6"}},
		"allowed":             {store.Search{Allowed: []store.Scope{{API: "a2"}, {Project: "p2", Environment: "e1"}}}, []string{"r4"}},
		"nothing allowed":     {store.Search{Allowed: []store.Scope{}}, nil},
		"everything allowed":  {store.Search{Limit: 1, Allowed: []store.Scope{{API: "a2"}, {}}}, []string{"r6"}},
	} {
		require.ElementsMatch(t, c.want, list(t, s, c.w), name)
		require.True(t, slices.Equal(c.want, list(t, s, c.w)), "%s: order", name)
	}
	items, err := s.List(t.Context(), store.Search{Filter: analysis.Filter{Organization: "acme"}, RequestID: "r5", Limit: 1})
	require.NoError(t, err)
	require.Equal(t, []store.Summary{rows[4].Summary}, items)
}

// Every record is on one page, and new ones change nothing on pages to come.
func testPaging(t *testing.T, s store.Store) {
	rows := Traffic("acme", 500, 6)
	for i := range rows { // many at the same time
		rows[i].Time = rows[i].Time.Truncate(10 * time.Minute)
	}
	Add(t, s, Batch("b", rows...))
	var got []string
	w := store.Search{Filter: analysis.Filter{Organization: "acme"}, Limit: 33}
	for page := 0; ; page++ {
		items, err := s.List(t.Context(), w)
		require.NoError(t, err)
		if len(items) == 0 {
			break
		}
		for i := range items {
			got = append(got, items[i].ID)
		}
		last := items[len(items)-1]
		w.After = &store.Position{Time: last.Time, ID: last.ID}
		if page == 3 {
			Add(t, s, Batch("later", Row("acme", "later", 5*time.Hour)))
		}
	}
	require.Equal(t, newestFirst(rows), got)
}

// The same ids in two organizations are different records, and neither sees the
// other's.
func testOrganizations(t *testing.T, s store.Store) {
	ours := Row("acme", "same", 0, func(r *store.Row) { r.Path = "/ours" })
	theirs := Row("evil", "same", 0, func(r *store.Row) { r.Path, r.Status = "/theirs", 500 })
	require.Equal(t, 2, Add(t, s, Batch("b", ours, theirs)))
	requireRecord(t, s, ours)
	requireRecord(t, s, theirs)
	for _, r := range []store.Row{ours, theirs} {
		u := whole(r.Organization)
		u.Top, u.Interval = []string{"status"}, time.Hour
		got := usage(t, s, u)
		requireSums(t, expect([]store.Row{r}), got.Total, "total of %s", r.Organization)
		require.Len(t, got.Top["status"], 1)
		items, err := s.List(t.Context(), store.Search{Filter: analysis.Filter{Organization: r.Organization}, Limit: 10})
		require.NoError(t, err)
		require.Equal(t, []store.Summary{r.Summary}, items)
	}
}

// What belongs to no project is seen only by those who may see everything.
func testAllowed(t *testing.T, s store.Store) {
	Add(t, s, Batch("b", Row("acme", "1", 0), Row("acme", "none", 0, func(r *store.Row) {
		r.Project, r.API, r.APIName, r.Environment, r.Operation, r.Template, r.Status = "", "", "", "", "", "", 404
	})))
	for name, c := range map[string]struct {
		allowed []store.Scope
		want    int64
	}{
		"everything":      {nil, 2},
		"the whole":       {[]store.Scope{{}}, 2},
		"the project":     {[]store.Scope{{Project: "p1"}}, 1},
		"the API":         {[]store.Scope{{API: "a1"}}, 1},
		"the environment": {[]store.Scope{{Environment: "e1"}}, 1},
		"several":         {[]store.Scope{{Project: "p9"}, {Project: "p1", API: "a1", Environment: "e1"}}, 1},
		"another API":     {[]store.Scope{{Project: "p1", API: "a9"}}, 0},
		"nothing":         {[]store.Scope{}, 0},
	} {
		u := whole("acme")
		u.Allowed = c.allowed
		require.Equal(t, c.want, usage(t, s, u).Total.Requests, name)
		require.Len(t, list(t, s, store.Search{Allowed: c.allowed}), int(c.want), name)
	}
}

func testForget(t *testing.T, s store.Store) {
	ctx := t.Context()
	require.Error(t, s.Forget(ctx, ""))
	Add(t, s, Batch("b", Row("acme", "r1", 0), Row("acme", "r2", time.Minute), Row("other", "r3", 0)))
	for range 2 {
		require.NoError(t, s.Forget(ctx, "acme"))
		for organization, want := range map[string]int{"acme": 0, "other": 1} {
			got, err := s.List(ctx, store.Search{Filter: analysis.Filter{Organization: organization}, Limit: 10})
			require.NoError(t, err)
			require.Len(t, got, want, organization)
		}
	}
	_, err := s.Record(ctx, store.Where{Organization: "acme", ID: "r1"})
	require.ErrorIs(t, err, store.ErrNotFound)
}
