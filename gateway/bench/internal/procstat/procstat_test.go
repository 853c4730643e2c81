package procstat

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func line(pid int, comm string, ppid, utime, stime, rss int) string {
	return fmt.Sprintf("%d (%s) S %d 1 1 0 -1 4194560 100 0 0 0 %d %d 9 9 20 0 1 0 1234 1000000 %d 18446744073709551615 1 1\n",
		pid, comm, ppid, utime, stime, rss)
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	page := int64(os.Getpagesize())
	for name, c := range map[string]struct {
		line string
		want Stat
		err  string
	}{
		"plain":                {line(42, "nginx", 1, 150, 25, 10), Stat{42, "nginx", 1, 1500 * time.Millisecond, 250 * time.Millisecond, 10 * page}, ""},
		"spaces and brackets":  {line(7, "a) S 1 (b", 3, 1, 2, 3), Stat{7, "a) S 1 (b", 3, 10 * time.Millisecond, 20 * time.Millisecond, 3 * page}, ""},
		"no name":              {line: "42 S 1", err: "no name"},
		"cut short":            {line: "42 (nginx) S 1 1 1", err: "4 fields"},
		"something not a time": {line: "42 (x) S 1 1 1 0 -1 4194560 100 0 0 0 ten 5 9 9 20 0 1 0 1234 1000000 1 0 1 1", err: "utime"},
		"empty":                {line: "", err: "no name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseStat([]byte(c.line))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestTreeAddsUpDescendantsOnly(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, p := range []struct{ pid, ppid, user, sys, rss int }{
		{10, 1, 100, 100, 5}, // the master
		{11, 10, 50, 0, 7},   // its worker
		{12, 11, 0, 25, 1},   // the worker's child
		{13, 1, 999, 999, 9}, // a stranger
	} {
		dir := filepath.Join(root, strconv.Itoa(p.pid))
		require.NoError(t, os.Mkdir(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "stat"), []byte(line(p.pid, "p", p.ppid, p.user, p.sys, p.rss)), 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "self"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(root, "99"), 0o755)) // ended since the listing

	u, err := tree(root, 10)
	require.NoError(t, err)
	require.ElementsMatch(t, []int{10, 11, 12}, u.PIDs)
	require.Equal(t, 2750*time.Millisecond, u.CPU)
	require.Equal(t, int64(13*os.Getpagesize()), u.RSS)

	_, err = tree(root, 77)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestTreeOfThisProcess(t *testing.T) {
	t.Parallel()
	u, err := Tree(os.Getpid())
	require.NoError(t, err)
	require.Contains(t, u.PIDs, os.Getpid())
	require.Positive(t, u.RSS)
}

func TestOpenFiles(t *testing.T) {
	t.Parallel()
	n, err := OpenFiles(os.Getpid())
	require.NoError(t, err)
	require.GreaterOrEqual(t, n, 3)
	_, err = OpenFiles(-1)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestBusy(t *testing.T) {
	t.Parallel()
	busy, err := parseBusy([]byte("cpu  100 20 30 5000 6000 4 3 2 50 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n"))
	require.NoError(t, err)
	require.Equal(t, 1590*time.Millisecond, busy)
	for _, text := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8 9 10", "cpu 1 2 x 4 5 6 7 8 9 10"} {
		_, err := parseBusy([]byte(text))
		require.Error(t, err, text)
	}
	before, err := Busy()
	require.NoError(t, err)
	after, err := Busy()
	require.NoError(t, err)
	require.GreaterOrEqual(t, after, before)
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(line(42, "nginx", 1, 150, 25, 10)))
	f.Add([]byte("1 () "))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ParseStat(b) // must not panic
	})
}
