package db_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
)

const waitFor, tick = 20 * time.Second, 5 * time.Millisecond

// bus takes messages as a test wants it to.
type bus struct {
	mu     sync.Mutex
	got    []db.Message
	refuse func(m db.Message) error
}

func (b *bus) publish(_ context.Context, m db.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		if err := b.refuse(m); err != nil {
			return err
		}
	}
	b.got = append(b.got, m)
	return nil
}

func (b *bus) refusing(f func(db.Message) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = f
}

// bodies are what came for a key, without what came again.
func (b *bus) bodies(key string) (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[string]bool{}
	for _, m := range b.got {
		if m.Key == key && !seen[m.ID] {
			out, seen[m.ID] = append(out, string(m.Body)), true
		}
	}
	return out
}

func startRelay(t *testing.T, d *db.DB, b *bus, o db.RelayOptions) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- db.Relay(ctx, d, b.publish, o) }()
	stop = sync.OnceFunc(func() { cancel(); require.NoError(t, <-done) })
	t.Cleanup(stop)
	return stop
}

func emit(t *testing.T, d *db.DB, key string, bodies ...int) {
	t.Helper()
	for _, body := range bodies {
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error { return tx.Emit("note.changed", key, body) }))
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations(t), func(t *testing.T, d *db.DB) {
		b := &bus{}
		boom := errors.New("boom")
		require.ErrorIs(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			require.NoError(t, tx.Emit("note.changed", "never", 1))
			return boom
		}), boom)
		require.Error(t, d.Tx(t.Context(), func(tx *db.Tx) error { return tx.Emit("", "k", 1) }))
		require.Error(t, d.Tx(t.Context(), func(tx *db.Tx) error { return tx.Emit("s", "k", func() {}) }))

		// A commit wakes the relay: nothing is polled here.
		stop := startRelay(t, d, b, db.RelayOptions{Poll: time.Hour})
		emit(t, d, "a", 1, 2)
		require.Eventually(t, func() bool { return len(b.bodies("a")) == 2 }, waitFor, tick)
		require.Equal(t, []string{"1", "2"}, b.bodies("a"))
		require.Empty(t, b.bodies("never"))
		require.Equal(t, "note.changed", b.got[0].Subject)
		require.WithinDuration(t, time.Now(), b.got[0].Time, time.Minute)

		// The bus is away; nothing is lost, and order is kept.
		b.refusing(func(db.Message) error { return boom })
		emit(t, d, "a", 3, 4)
		emit(t, d, "b", 1)
		b.refusing(nil)
		require.Eventually(t, func() bool { return len(b.bodies("a")) == 4 && len(b.bodies("b")) == 1 }, waitFor, tick)
		require.Equal(t, []string{"1", "2", "3", "4"}, b.bodies("a"))
		stop()

		// One message is refused: only its key waits.
		b.refusing(func(m db.Message) error {
			if m.Key == "bad" && string(m.Body) == "1" {
				return boom
			}
			return nil
		})
		emit(t, d, "bad", 1, 2)
		for i := range 60 { // some are in the lane of the bad one
			emit(t, d, fmt.Sprint("good", i), i)
		}
		stop = startRelay(t, d, b, db.RelayOptions{Poll: 20 * time.Millisecond, Retry: 10 * time.Millisecond})
		for i := range 60 {
			require.Eventually(t, func() bool { return len(b.bodies(fmt.Sprint("good", i))) == 1 }, waitFor, tick)
		}
		require.Empty(t, b.bodies("bad"))
		r := prometheus.NewPedanticRegistry()
		require.NoError(t, r.Register(d.Metrics()))
		require.Eventually(t, func() bool { return metric(t, r, "gatehouse_outbox_pending") == 2 }, waitFor, tick)
		require.Positive(t, metric(t, r, "gatehouse_outbox_failed_total"))
		require.InDelta(t, 1, metric(t, r, "gatehouse_db_up"), 0)
		b.refusing(nil)
		require.Eventually(t, func() bool { return len(b.bodies("bad")) == 2 }, waitFor, tick)
		require.Equal(t, []string{"1", "2"}, b.bodies("bad"))
		stop()

		// One that no bus will ever take holds up its key, and nothing else: also where
		// there is nothing else in its lane, and wherever that lane comes in a round.
		b.refusing(func(m db.Message) error {
			if m.Key == "large" {
				return fmt.Errorf("%w: maximum payload", db.ErrUnfit)
			}
			return nil
		})
		emit(t, d, "large", 1, 2)
		stop = startRelay(t, d, b, db.RelayOptions{Poll: 5 * time.Millisecond, Retry: time.Millisecond})
		for i := range 60 {
			key := fmt.Sprint("after", i)
			emit(t, d, key, i)
			require.Eventually(t, func() bool { return len(b.bodies(key)) == 1 }, waitFor, tick)
		}
		require.Empty(t, b.bodies("large"))
		require.Eventually(t, func() bool { return metric(t, r, "gatehouse_outbox_refused") == 1 }, waitFor, tick)
		b.refusing(nil)
		require.NoError(t, d.Unscoped(t.Context(), "its pause is over").Exec("DELETE FROM outbox_stalls").Error)
		require.Eventually(t, func() bool { return len(b.bodies("large")) == 2 }, waitFor, tick)
		require.Eventually(t, func() bool { return metric(t, r, "gatehouse_outbox_refused") == 0 }, waitFor, tick)
		stop()
		require.ErrorIs(t, d.Tx(t.Context(), func(tx *db.Tx) error { return tx.Emit("note.changed", "k", strings.Repeat("x", 1<<20)) }), db.ErrTooLarge)

		// What was sent long ago goes.
		stop = startRelay(t, d, b, db.RelayOptions{Keep: time.Nanosecond})
		require.Eventually(t, func() bool {
			var n int64
			require.NoError(t, d.Unscoped(t.Context(), "counting").Table("outbox").Count(&n).Error)
			return n == 0
		}, waitFor, tick)
		stop()
	})
}

func metric(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return -1
}

func TestSeveralRelaysKeepTheOrder(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, migrations(t), func(t *testing.T, d *db.DB) {
		b := &bus{}
		relays := 3
		if d.Dialect() == db.SQLite {
			relays = 1
		}
		for range relays {
			startRelay(t, d, b, db.RelayOptions{Poll: 10 * time.Millisecond, Batch: 5})
		}
		const keys, each = 6, 15
		var wg sync.WaitGroup
		for k := range keys {
			wg.Go(func() {
				for i := range each {
					_ = d.Tx(t.Context(), func(tx *db.Tx) error { return tx.Emit("s", fmt.Sprint("k", k), i) }) // seen below
				}
			})
		}
		wg.Wait()
		for k := range keys {
			key := fmt.Sprint("k", k)
			require.Eventually(t, func() bool { return len(b.bodies(key)) == each }, waitFor, tick)
			for i, body := range b.bodies(key) {
				require.Equal(t, strconv.Itoa(i), body)
			}
		}
	})
}

// TestCrashingRelay is what TestRelaySurvivesKill runs as a process.
func TestCrashingRelay(t *testing.T) {
	dsn := os.Getenv(crashDSN)
	if dsn == "" {
		t.SkipNow()
	}
	left, err := strconv.Atoi(os.Getenv(crashPoint))
	require.NoError(t, err)
	d := dbtest.OpenDSN(t, dsn)
	f, err := os.OpenFile(os.Getenv("GATEHOUSE_TEST_CRASH_FILE"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	require.NoError(t, err)
	_ = db.Relay(t.Context(), d, func(_ context.Context, m db.Message) error {
		_, err := fmt.Fprintf(f, "%s %s\n", m.Key, m.Body)
		if left--; left <= 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // published, and not recorded
			select {}
		}
		return err
	}, db.RelayOptions{Batch: 3})
}

func TestRelaySurvivesKill(t *testing.T) {
	t.Parallel()
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			dsn, file := dbtest.DSN(t, dialect), t.TempDir()+"/published"
			d := dbtest.OpenDSN(t, dsn)
			require.NoError(t, d.Migrate(t.Context(), migrations(t)))
			const each = 8
			for i := range each {
				emit(t, d, "a", i)
				emit(t, d, "b", i)
			}
			env := []string{crashDSN + "=" + dsn, "GATEHOUSE_TEST_CRASH_FILE=" + file}
			for kill := range 6 {
				require.True(t, rerun(t, "TestCrashingRelay", append(env, crashPoint+"="+strconv.Itoa(2+kill%3))...))
			}
			b := &bus{}
			startRelay(t, d, b, db.RelayOptions{Poll: 20 * time.Millisecond})
			require.Eventually(t, func() bool {
				var n int64
				require.NoError(t, d.Unscoped(t.Context(), "counting").Table("outbox").Where("sent_at IS NULL").Count(&n).Error)
				return n == 0
			}, waitFor, tick)
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, key := range []string{"a", "b"} {
				var got []int
				for line := range strings.Lines(string(text)) {
					if body, ok := strings.CutPrefix(strings.TrimSpace(line), key+" "); ok {
						n, err := strconv.Atoi(body)
						require.NoError(t, err)
						got = append(got, n)
					}
				}
				for _, body := range b.bodies(key) {
					n, err := strconv.Atoi(body)
					require.NoError(t, err)
					got = append(got, n)
				}
				next := 0 // each may come again, none may be passed over
				for _, n := range got {
					require.LessOrEqual(t, n, next, "%s: %v", key, got)
					if n == next {
						next++
					}
				}
				require.Equal(t, each, next, "%s: %v", key, got)
			}
		})
	}
}
