package db_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
)

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

func TestOpenWaitsAndComesBack(t *testing.T) { // R1.3
	t.Parallel()
	for _, dialect := range []db.Dialect{db.Postgres, db.MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			door, dsn := dbtest.NewDoor(t, dbtest.DSN(t, dialect))
			var log lines
			logger := slog.New(slog.NewTextHandler(&log, nil))

			ended, cancel := context.WithCancel(t.Context())
			opened := make(chan error, 1)
			go func() { _, err := db.Open(ended, db.Config{DSN: dsn}, logger); opened <- err }()
			require.Eventually(t, func() bool { return log.count("database lost") == 1 }, waitFor, tick)
			cancel()
			require.ErrorIs(t, <-opened, context.Canceled)

			var d *db.DB
			go func() {
				var err error
				d, err = db.Open(t.Context(), db.Config{DSN: dsn}, logger)
				opened <- err
			}()
			require.Eventually(t, func() bool { return log.count("database lost") == 2 }, waitFor, tick)
			door.Open(t)
			require.NoError(t, <-opened)
			t.Cleanup(func() { require.NoError(t, d.Close()) })
			require.Equal(t, 1, log.count("database back"))
			require.NoError(t, d.Health())
			require.NoError(t, d.Migrate(t.Context(), migrations(t)))

			door.Shut()
			for range 5 {
				_, err := db.From[note](d.For("o")).All(t.Context())
				require.ErrorIs(t, err, db.ErrAway)
				require.ErrorIs(t, d.Tx(t.Context(), func(*db.Tx) error { return nil }), db.ErrAway)
			}
			require.Eventually(t, func() bool { return d.Health() != nil && log.count("database lost") == 3 }, waitFor, tick)
			door.Open(t)
			require.Eventually(t, func() bool { return d.Health() == nil && log.count("database back") == 2 }, waitFor, tick)
			_, err := db.From[note](d.For("o")).All(t.Context())
			require.NoError(t, err)
			require.Equal(t, []int{3, 2}, []int{log.count("database lost"), log.count("database back")}, "one line each")
		})
	}
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	for _, dialect := range []db.Dialect{db.Postgres, db.MySQL} {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			// Two databases that differ tell where a read went.
			primary, replica := dbtest.DSN(t, dialect), dbtest.DSN(t, dialect)
			require.NoError(t, db.Create(t.Context(), openMigrated(t, replica).For("o"), newNote("on the replica")))
			openMigrated(t, primary)
			door, through := dbtest.NewDoor(t, replica)
			d, err := db.Open(t.Context(), db.Config{DSN: primary, Replicas: []string{through}}, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, d.Close()) })
			s := d.For("o")
			count := func(s *db.Scope) int {
				rows, err := db.From[note](s).All(t.Context())
				require.NoError(t, err)
				return len(rows)
			}
			require.Eventually(t, func() bool {
				rows, err := db.From[note](s.Stale()).All(t.Context())
				return err == nil && len(rows) == 0
			}, waitFor, tick, "the replica is away: the primary answers")
			door.Open(t)
			require.Eventually(t, func() bool { return count(s.Stale()) == 1 }, waitFor, tick)
			require.Zero(t, count(s))
			require.NoError(t, db.Create(t.Context(), s.Stale(), newNote("a"), newNote("b")))
			require.Equal(t, 2, count(s), "writes go to the primary")
			require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
				require.Equal(t, 2, count(tx.For("o").Stale()), "a transaction reads what it writes")
				return nil
			}))
		})
	}
}

func openMigrated(t *testing.T, dsn string) *db.DB {
	t.Helper()
	d := dbtest.OpenDSN(t, dsn)
	require.NoError(t, d.Migrate(t.Context(), migrations(t)))
	return d
}

func TestBadAddresses(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"", "sqlite:", "sqlite::memory:", "sqlite:a?b", "oracle://x", "mysql://u:sesame@h", "mysql://u:sesame@h/d?x=1", "mysql://u:sesame%zz@h/d",
		"postgres://u:sesame%zz@h/d", "postgres://u:sesame@h:x/d", "mysql://u:sesame@h/d?tls=odd",
	} {
		_, err := db.Open(t.Context(), db.Config{DSN: dsn}, nil)
		require.Error(t, err, dsn)
		require.NotContains(t, err.Error(), "sesame")
	}
	_, err := db.Open(t.Context(), db.Config{DSN: "sqlite:x", Replicas: []string{"sqlite:y"}}, nil)
	require.ErrorContains(t, err, "cannot have a replica")
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations(t), func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		a, b := newNote("a"), newNote("b")
		require.NoError(t, db.Create(ctx, d.For("o"), a, b))
		// Two that lock the same rows in opposite order: one is begun again.
		var wg sync.WaitGroup
		errs := make([]error, 2)
		met := make(chan struct{}, 2)
		both := make(chan struct{})
		go func() { <-met; <-met; close(both) }()
		for i, ids := range [][]string{{a.ID, b.ID}, {b.ID, a.ID}} {
			wg.Go(func() {
				errs[i] = d.Tx(ctx, func(tx *db.Tx) error {
					for n, id := range ids {
						if _, err := db.From[note](tx.For("o")).Where("id = ?", id).Update(ctx, db.Changes{"rank": db.Increment(1)}); err != nil {
							return err
						}
						if n == 0 && d.Dialect() != db.SQLite { // which has one writer
							select {
							case met <- struct{}{}:
								<-both
							case <-both: // begun again
							}
						}
					}
					return nil
				})
			})
		}
		if d.Dialect() == db.SQLite {
			met <- struct{}{}
			met <- struct{}{}
		}
		wg.Wait()
		require.NoError(t, errs[0])
		require.NoError(t, errs[1])
		for _, id := range []string{a.ID, b.ID} {
			n, err := db.From[note](d.For("o")).Get(ctx, id)
			require.NoError(t, err)
			require.EqualValues(t, 2, n.Rank)
		}
		start := time.Now()
		require.NoError(t, d.Tx(ctx, func(tx *db.Tx) error {
			_, err := db.From[note](tx.For("o")).Lock().Get(ctx, a.ID)
			return err
		}))
		require.Less(t, time.Since(start), 5*time.Second)
	})
}
