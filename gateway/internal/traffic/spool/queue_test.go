package spool

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("SPOOL_WRITER"); dir != "" {
		writeUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

// writeUntilKilled appends records and says so after each.
func writeUntilKilled(dir string) {
	q, err := Open(dir, 64<<20)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		if err := q.Append(record(i), 1, at(i), at(i)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if i%50 == 7 {
			_ = q.Sync()
		}
		_, _ = fmt.Fprintln(os.Stdout, i) // the test reads it
	}
}

func record(i int) []byte { return fmt.Appendf(nil, "{\"id\":\"%08d\"}\n", i) }

func at(i int) time.Time { return time.Unix(int64(1_700_000_000+i), 0) }

func open(t testing.TB, dir string, max int64) *Queue {
	t.Helper()
	q, err := Open(dir, max)
	require.NoError(t, err)
	t.Cleanup(func() { _ = q.Close() })
	return q
}

func fill(t testing.TB, q *Queue, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		require.NoError(t, q.Append(record(i), 1, at(i), at(i)))
	}
}

// deliver takes everything and returns the lines in order.
func deliver(t testing.TB, q *Queue) (lines []string) {
	t.Helper()
	for {
		b, ok, err := q.Next()
		require.NoError(t, err)
		if !ok {
			return lines
		}
		text, err := b.Lines()
		require.NoError(t, err)
		lines = append(lines, string(text))
		require.NoError(t, q.Done(b, ""))
	}
}

func records(from, to int) (lines []string) {
	for i := from; i < to; i++ {
		lines = append(lines, string(record(i)))
	}
	return lines
}

func TestRecordsComeOutInOrderAcrossSegmentsAndStarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir, 1<<20)
	big := bytes.Repeat([]byte("0123456789abcdef"), 100)
	var want []string
	for i := range 2000 {
		line := fmt.Sprintf("%d %x\n", i, big[i%16:])
		want = append(want, line)
		require.NoError(t, q.Append([]byte(line), 1, at(i), at(i)))
	}
	require.Greater(t, len(q.segments), 2)
	b, ok, err := q.Next()
	require.NoError(t, err)
	require.True(t, ok)
	require.NoError(t, q.Done(b, ""))
	require.NoError(t, q.Close())

	q = open(t, dir, 1<<20)
	require.Equal(t, want[1:], deliver(t, q))
	fill(t, q, 0, 3)
	require.Equal(t, records(0, 3), deliver(t, q))
	require.Zero(t, q.Stats().Lost)
}

func TestABatchHasTheSameIDAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir, 1<<20)
	fill(t, q, 0, 2)
	first, _, err := q.Next()
	require.NoError(t, err)
	require.NoError(t, q.Close())
	q = open(t, dir, 1<<20)
	again, _, err := q.Next()
	require.NoError(t, err)
	require.Equal(t, first.ID, again.ID)
	require.Equal(t, first.Gzip, again.Gzip)
	require.NoError(t, q.Done(again, ""))
	other, _, err := q.Next()
	require.NoError(t, err)
	require.NotEqual(t, first.ID, other.ID)
}

// Wherever a writer is stopped, what it had written whole is delivered, and the
// rest is cut off and counted.
func TestCrashAtEveryByte(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir, 1<<20)
	const n = 3
	var ends []int64
	for i := range n {
		fill(t, q, i, i+1)
		ends = append(ends, q.segments[0].size)
	}
	seg := q.path(q.segments[0].seq)
	id, err := os.ReadFile(filepath.Join(dir, "id"))
	require.NoError(t, err)
	require.NoError(t, q.Close())
	whole, err := os.ReadFile(seg)
	require.NoError(t, err)

	crashed := t.TempDir()
	for k := range len(whole) + 1 {
		for _, tail := range []string{"", "\xaa\xaa\xaa", "\xf5GH1 garbage that looks like a beginning, and is none at all"} {
			require.NoError(t, os.RemoveAll(crashed))
			require.NoError(t, os.MkdirAll(crashed, 0o750))
			require.NoError(t, os.WriteFile(filepath.Join(crashed, "id"), id, 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(crashed, filepath.Base(seg)), append(whole[:k:k], tail...), 0o600))
			complete, cut := 0, int64(k)
			for _, e := range ends {
				if e <= int64(k) {
					complete, cut = complete+1, int64(k)-e
				}
			}
			r, err := Open(crashed, 1<<20)
			require.NoError(t, err)
			require.NoError(t, r.Append(record(99), 1, at(99), at(99)), "it goes on")
			require.Equal(t, append(records(0, complete), string(record(99))), deliver(t, r), "stopped at byte %d", k)
			require.Equal(t, cut+int64(len(tail)), r.Stats().Cut)
			require.NoError(t, r.Close())
		}
	}
}

func TestDamageCostsOneFrameAndIsCounted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir, 1<<20)
	fill(t, q, 0, 5)
	seg := q.path(q.segments[0].seq)
	frame := q.segments[0].size / 5
	require.NoError(t, q.Close())
	whole, err := os.ReadFile(seg)
	require.NoError(t, err)
	for k := 2 * frame; k < 3*frame; k++ {
		bad := bytes.Clone(whole)
		bad[k] ^= 0x55
		require.NoError(t, os.WriteFile(seg, bad, 0o600))
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "state")))
		r, err := Open(dir, 1<<20)
		require.NoError(t, err)
		got := []string{}
		for {
			b, ok, err := r.Next()
			require.NoError(t, err)
			if !ok {
				break
			}
			text, err := b.Lines()
			require.NoError(t, err)
			got = append(got, string(text))
			require.NoError(t, r.Done(b, "tried")) // keeps the losses
		}
		require.Equal(t, append(records(0, 2), records(3, 5)...), got, "byte %d", k)
		require.Equal(t, frame, r.Stats().Cut)
		require.NoError(t, r.Close())
	}
}

func TestADamagedStateDeliversAgainRatherThanNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir, 1<<20)
	fill(t, q, 0, 3)
	b, _, err := q.Next()
	require.NoError(t, err)
	require.NoError(t, q.Done(b, ""))
	require.NoError(t, q.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "state"), []byte(`{"next":`), 0o600))
	require.Equal(t, records(0, 3), deliver(t, open(t, dir, 1<<20)))
}

func TestKilledWriterLosesNothingItHadWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	next := 0
	for round := range 4 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "SPOOL_WRITER="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		acknowledged := -1
		s := bufio.NewScanner(out)
		for s.Scan() {
			_, err := fmt.Sscan(s.Text(), &acknowledged)
			require.NoError(t, err)
			if acknowledged == 300+100*round {
				require.NoError(t, cmd.Process.Kill()) // the signal 9
				break
			}
		}
		for s.Scan() { // what it said before it died
			_, _ = fmt.Sscan(s.Text(), &acknowledged)
		}
		require.Error(t, cmd.Wait())

		q, err := Open(dir, 64<<20)
		require.NoError(t, err)
		got := deliver(t, q)
		require.NoError(t, q.Close())
		require.GreaterOrEqual(t, len(got), acknowledged+1)
		require.Equal(t, records(0, len(got)), got)
		next += len(got)
	}
	require.Positive(t, next)
}

// R19.2: beyond the bound the oldest go, and are counted with their time.
func TestBeyondTheBoundTheOldestAreDroppedAndCounted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir, 1<<20)
	line := func(i int) []byte {
		b := make([]byte, 4096)
		random := rand.New(rand.NewPCG(uint64(i), 1))
		for j := range b { // does not compress well
			b[j] = byte('!' + random.IntN(90))
		}
		return append(fmt.Appendf(nil, "%06d", i), append(b, '\n')...)
	}
	const n = 3000
	for i := range n {
		require.NoError(t, q.Append(line(i), 1, at(i), at(i)))
		require.LessOrEqual(t, q.Stats().Bytes, int64(1<<20))
	}
	lost := q.Stats().Lost
	require.Positive(t, lost)
	require.Len(t, q.Lost(), 1)
	loss := q.Lost()[0]
	require.Equal(t, lost, loss.Records)
	require.True(t, loss.From.Equal(at(0)))
	require.True(t, loss.To.Equal(at(int(lost)-1)))
	require.NoError(t, q.Close())

	q = open(t, dir, 1<<20)
	require.Equal(t, loss, q.Lost()[0], "a restart does not forget")
	b, ok, err := q.Next()
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, loss, b.Lost[0])
	require.NoError(t, q.Done(b, ""))
	require.Empty(t, q.Lost(), "it is reported once")
	got := deliver(t, q)
	require.Len(t, got, n-int(lost)-1)
	require.True(t, strings.HasPrefix(got[0], fmt.Sprintf("%06d", lost+1)))
}

func TestTheDirectoryBelongsToOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	q := open(t, dir, 1<<20)
	_, err := Open(dir, 1<<20)
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, q.Close())
	open(t, dir, 1<<20)
}

func FuzzReadFrame(f *testing.F) {
	f.Add(appendFrame(nil, []byte("hello"), 1, 2, 3))
	f.Add([]byte("\xf5GH1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		for off := int64(0); off < int64(len(b)); {
			h, p, err := readFrame(r, off, int64(len(b)), true)
			if errors.Is(err, errDamaged) {
				next, err := nextFrame(r, off, int64(len(b)))
				require.NoError(t, err)
				require.Greater(t, next, off)
				off = next
				continue
			}
			require.NoError(t, err)
			require.Len(t, p, int(h.size))
			off += h.length()
		}
	})
}
