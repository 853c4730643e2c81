package plane

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/bus"
)

func cache(t testing.TB, dir string, key []byte) *source.Cache {
	t.Helper()
	c, err := source.OpenCache(dir, key)
	require.NoError(t, err)
	return c
}

var silent = slog.New(slog.DiscardHandler)

// reopen returns what a journal has, and where it ends.
func reopen(t testing.TB, c *source.Cache) (map[string]string, bus.Position, int) {
	t.Helper()
	have, n := map[string]string{}, 0
	j, at, err := openJournal(c, silent, func(e bus.Entry) error {
		n++
		if have[e.Key] = string(e.Value); e.Deleted {
			delete(have, e.Key)
		}
		return nil
	})
	require.NoError(t, err)
	j.close()
	return have, at, n
}

func put(revision int, key, value string) bus.Entry {
	return bus.Entry{Key: key, Value: []byte(value), Revision: uint64(revision), Epoch: "one"}
}

func TestJournalGivesBackWhatWasTold(t *testing.T) {
	t.Parallel()
	for name, key := range map[string][]byte{"plain": nil, "encrypted": make([]byte, 32)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			j, at, err := openJournal(cache(t, dir, key), silent, nil)
			require.NoError(t, err)
			require.Zero(t, at)
			j.add(put(1, "lost", "x")) // nothing was begun
			j.begin("one")
			j.add(put(2, "a", "secret-a"), put(3, "b", "b"))
			have, at, _ := reopen(t, cache(t, dir, key))
			require.Empty(t, have, "what was not told to its end does not count")
			require.Zero(t, at)
			j.begin("one") // the other has removed the file
			j.add(put(2, "a", "secret-a"), put(3, "b", "b"))
			j.commit()
			j.add(put(4, "a", "secret-2"))
			j.add(bus.Entry{Key: "b", Deleted: true, Revision: 7})
			j.close()

			have, at, n := reopen(t, cache(t, dir, key))
			require.Equal(t, map[string]string{"a": "secret-2"}, have)
			require.Equal(t, bus.Position{Epoch: "one", Revision: 7}, at)
			require.Equal(t, 4, n)
			raw, err := os.ReadFile(filepath.Join(dir, journalName))
			require.NoError(t, err)
			require.Equal(t, key == nil, strings.Contains(string(raw), "secret"))

			// Told anew, it takes the place of the old one.
			j, _, err = openJournal(cache(t, dir, key), silent, func(bus.Entry) error { return nil })
			require.NoError(t, err)
			j.begin("two")
			j.add(put(1, "c", "c"))
			j.commit()
			j.close()
			have, at, _ = reopen(t, cache(t, dir, key))
			require.Equal(t, map[string]string{"c": "c"}, have)
			require.Equal(t, bus.Position{Epoch: "two", Revision: 1}, at)
		})
	}
}

// Cut off or damaged at any byte, it begins where it is still good, and goes on
// from there.
func TestJournalSurvivesDamageAtEveryByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, _, err := openJournal(cache(t, dir, nil), silent, nil)
	require.NoError(t, err)
	j.begin("one")
	j.commit()
	for i := 1; i <= 3; i++ {
		j.add(put(i, fmt.Sprint("key", i), "value"))
	}
	j.close()
	path := filepath.Join(dir, journalName)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	check := func(what string, at int, damaged []byte) {
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		have, pos, n := reopen(t, cache(t, dir, nil))
		require.Len(t, have, n, "%s at %d", what, at)
		require.EqualValues(t, n, pos.Revision, "%s at %d: the position is that of the last entry", what, at)
		// What comes next is kept behind it.
		j, _, err := openJournal(cache(t, dir, nil), silent, func(bus.Entry) error { return nil })
		require.NoError(t, err)
		if pos.Epoch == "" {
			j.begin("one")
			j.commit()
		}
		j.add(put(9, "last", "value"))
		j.close()
		again, pos, _ := reopen(t, cache(t, dir, nil))
		require.Len(t, again, n+1, "%s at %d", what, at)
		require.EqualValues(t, 9, pos.Revision)
	}
	for i := range whole {
		check("cut", i, whole[:i])
		if i%3 != 0 {
			continue
		}
		bad := append([]byte{}, whole...)
		bad[i] ^= 0x55
		check("changed", i, bad)
	}
}

func TestJournalIsMadeSmaller(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j, _, err := openJournal(cache(t, dir, nil), silent, nil)
	require.NoError(t, err)
	j.begin("one")
	j.commit()
	for i := range 20_000 {
		j.add(put(i+1, fmt.Sprint("key", i%10), fmt.Sprint(i)))
	}
	j.add(bus.Entry{Key: "key0", Deleted: true, Revision: 30_000})
	j.close()
	before, err := os.Stat(filepath.Join(dir, journalName))
	require.NoError(t, err)
	// Opening it finds that most was replaced. What comes meanwhile is not lost.
	j, _, err = openJournal(cache(t, dir, nil), silent, func(bus.Entry) error { return nil })
	require.NoError(t, err)
	for i := range 100 {
		j.add(put(30_001+i, fmt.Sprint("new", i), "x"))
	}
	require.Eventually(t, func() bool { j.mu.Lock(); defer j.mu.Unlock(); return !j.compacting }, 30*time.Second, time.Millisecond)
	j.add(put(40_000, "after", "x"))
	j.close()
	after, err := os.Stat(filepath.Join(dir, journalName))
	require.NoError(t, err)
	require.Less(t, after.Size(), before.Size()/20)
	have, at, _ := reopen(t, cache(t, dir, nil))
	require.Len(t, have, 9+100+1)
	require.Equal(t, "19999", have["key9"])
	require.EqualValues(t, 40_000, at.Revision)
	left, err := filepath.Glob(filepath.Join(dir, ".credentials-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func FuzzJournal(f *testing.F) {
	dir := f.TempDir()
	j, _, err := openJournal(cache(f, dir, nil), silent, nil)
	require.NoError(f, err)
	j.begin("one")
	j.add(put(1, "a", "b"), put(2, "c", "d"))
	j.commit()
	j.close()
	whole, err := os.ReadFile(filepath.Join(dir, journalName))
	require.NoError(f, err)
	f.Add(whole)
	f.Add(whole[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, journalName), b, 0o600))
		_, _, _ = reopen(t, cache(t, dir, nil))
	})
}
