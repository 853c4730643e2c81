package sqlstore_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/tenancy/tenancytest"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/sqlstore"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store/storetest"
	"github.com/gatehouse/gatehouse/services/analysis-manager/migrations"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func TestSchemasAreTheSame(t *testing.T) { dbtest.CompareSchemas(t, migrations.Files) }

func TestContract(t *testing.T) {
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) store.Store {
				t.Helper()
				return open(t, dbtest.Open(t, dialect, migrations.Files))
			})
		})
	}
}

func open(t testing.TB, d *db.DB) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.New(d)
	require.NoError(t, err)
	return s
}

// Merging leaves one row for each minute or hour and key.
func TestMergingShrinksTheTable(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations.Files, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		for i := range 20 {
			storetest.Add(t, s, storetest.Batch(fmt.Sprint(i), storetest.Row("acme", fmt.Sprint(i), time.Duration(i)*time.Second)))
		}
		count := func() (n int64) {
			require.NoError(t, d.Unscoped(t.Context(), "counting").Table("rollups").Count(&n).Error)
			return n
		}
		require.EqualValues(t, 40, count())
		keep := store.Retention{Now: storetest.Start, Records: time.Hour, Minutes: time.Hour, Hours: time.Hour}
		for range 2 {
			require.NoError(t, s.Sweep(t.Context(), keep))
			require.EqualValues(t, 2, count())
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	for _, dialect := range db.Dialects() {
		b.Run(string(dialect), func(b *testing.B) {
			s := open(b, dbtest.Open(b, dialect, migrations.Files))
			const size = 5000
			n := uint64(0)
			for b.Loop() {
				b.StopTimer()
				rows := storetest.Traffic("acme", size, n)
				for i := range rows { // as a gateway ships them: a quarter of a second, and mostly good
					r := &rows[i]
					r.Time = storetest.Start.Add(time.Duration(n)*250*time.Millisecond + time.Duration(i)*50*time.Microsecond)
					r.Gateway, r.Environment, r.Project = "gw-1", "prd", "p1"
					if i%20 != 0 {
						r.Status, r.ErrorCode, r.Refused = 200, "", false
					}
				}
				n++
				b.StartTimer()
				_, err := s.Add(b.Context(), []store.Batch{{ID: fmt.Sprint(n), Rows: rows}})
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N)*size/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// R: lists of 10,000 rows and more are answered within 100 ms.
func BenchmarkList(b *testing.B) {
	for _, dialect := range db.Dialects() {
		b.Run(string(dialect), func(b *testing.B) {
			s := open(b, dbtest.Open(b, dialect, migrations.Files))
			for i := range uint64(5) {
				_, err := s.Add(b.Context(), []store.Batch{{ID: fmt.Sprint(i), Rows: storetest.Traffic("acme", 10_000, i)}})
				require.NoError(b, err)
			}
			require.NoError(b, s.Sweep(b.Context(), store.Retention{Now: storetest.Start, Records: time.Hour, Minutes: time.Hour, Hours: time.Hour}))
			for name, w := range map[string]store.Search{
				"newest": {}, "errors": {Classes: []int{5}}, "text": {Text: "nothing like it"}, "api": {Filter: analysis.Filter{APIs: []string{"a1"}}},
			} {
				w.Organization, w.Limit = "acme", 50
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						_, err := s.List(b.Context(), w)
						require.NoError(b, err)
					}
				})
			}
			u := store.Usage{Usage: analysis.Usage{Filter: analysis.Filter{Organization: "acme", From: storetest.Start, To: storetest.Start.Add(time.Hour)}, Interval: time.Minute, Top: []string{"api", "application"}}}
			b.Run("usage", func(b *testing.B) {
				for b.Loop() {
					_, err := s.Usage(b.Context(), u)
					require.NoError(b, err)
				}
			})
		})
	}
}

func TestTheEndOfAnOrganizationLeavesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations.Files, func(t *testing.T, d *db.DB) {
		s := open(t, d)
		// Ids of batches say nothing of whose they are, and go by their age.
		tenancytest.Purge(t, d, []string{"batches"}, func(id string) error { return s.Forget(t.Context(), id) })
	})
}
