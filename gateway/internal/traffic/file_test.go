package traffic

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func runFile(t *testing.T, f *File) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			require.NoError(t, <-done)
		})
	}
	t.Cleanup(stop)
	return stop
}

func TestFileIsFlushedOnShutdown(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "t.jsonl")
	f, err := NewFile(FileConfig{Path: path, Flush: unit.Duration(time.Hour)}, nil, quiet(), time.Now)
	require.NoError(t, err)
	stop := runFile(t, f)
	for i := range 100 {
		f.Add(uint32(i), []byte(fmt.Sprintf("{\"n\":%d}\n", i)), 1)
	}
	stop()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 100, bytes.Count(b, []byte("\n")))
	f.Add(0, []byte("late\n"), 1)
	require.Equal(t, SinkStats{Records: 100, Dropped: 1}, f.Stats())
}

// A reader that follows the file as Fluent Bit does, by what it has open, sees
// each record once and whole while files are put aside and reopened.
func TestRotationLosesNothingForAReaderThatFollows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "t.jsonl")
	f, err := NewFile(FileConfig{Path: path, Rotate: Rotate{Size: 4096, Keep: 10_000}, Flush: unit.Duration(time.Millisecond)}, nil, quiet(), time.Now)
	require.NoError(t, err)
	stop := runFile(t, f)

	const writers, each = 4, 2500
	var finished atomic.Bool
	seen, files := map[string]int{}, 0
	reader := make(chan error, 1)
	go func() { reader <- follow(path, &finished, seen, &files) }()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				f.Add(uint32(w), []byte(fmt.Sprintf("{\"n\":\"%d-%d\"}\n", w, i)), 1)
				if i%100 == 0 {
					f.Flush()
				}
			}
		})
	}
	wg.Wait()
	stop()
	finished.Store(true)
	require.NoError(t, <-reader)
	require.Len(t, seen, writers*each)
	for n, times := range seen {
		require.Equal(t, 1, times, n)
	}
	require.Greater(t, files, 5)
}

// follow reads files in the order in which they were put aside, and the current
// one last; each through one handle.
func follow(path string, finished *atomic.Bool, seen map[string]int, files *int) error {
	read := map[string]bool{}
	for {
		last := finished.Load()
		aside, err := filepath.Glob(path + ".*")
		if err != nil {
			return err
		}
		if last {
			aside = append(aside, path)
		}
		for _, name := range aside {
			if read[name] {
				continue
			}
			read[name] = true
			*files++
			r, err := os.Open(name)
			if err != nil {
				return err
			}
			// The writer closes a file only after renaming it: what it still
			// writes to it must be seen too, so whole lines are asked for.
			for s := bufio.NewScanner(r); s.Scan(); {
				line := s.Text()
				if !strings.HasPrefix(line, `{"n":"`) || !strings.HasSuffix(line, `"}`) {
					return errors.New("broken line: " + line)
				}
				seen[line]++
			}
			if err := r.Close(); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

func TestOldFilesAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "t.jsonl")
	require.NoError(t, os.WriteFile(path+".notes", nil, 0o600))
	now := start
	f, err := NewFile(FileConfig{Path: path, Rotate: Rotate{Every: unit.Duration(time.Minute), Keep: 2}}, nil, quiet(), func() time.Time { return now })
	require.NoError(t, err)
	runFile(t, f)
	for range 6 {
		f.Add(0, []byte("{}\n"), 1)
		f.Flush()
		now = now.Add(2 * time.Minute)
	}
	found, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.Len(t, found, 4, "the current one, two old ones, and what is not ours: %v", found)
}

func TestReopenFollowsLogrotate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "t.jsonl")
	f, err := NewFile(FileConfig{Path: path}, nil, quiet(), time.Now)
	require.NoError(t, err)
	runFile(t, f)
	f.Add(0, []byte("1\n"), 1)
	f.Flush()
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, f.Reopen())
	f.Add(0, []byte("2\n"), 1)
	f.Flush()
	for name, want := range map[string]string{path + ".1": "1\n", path: "2\n"} {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, want, string(b))
	}
}

func TestABrokenLastLineHarmsNoOther(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "t.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("{\"a\":1}\n{\"cut"), 0o600))
	f, err := NewFile(FileConfig{Path: path}, nil, quiet(), time.Now)
	require.NoError(t, err)
	runFile(t, f)
	f.Add(0, []byte("{\"b\":2}\n"), 1)
	f.Flush()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{\"a\":1}\n{\"cut\n{\"b\":2}\n", string(b))
}

// blocked is a stream whose reader has stopped reading.
type blocked struct{ release chan struct{} }

func (b *blocked) Write(p []byte) (int, error) {
	<-b.release
	return len(p), nil
}

func TestABlockedDiskNeverBlocksARequest(t *testing.T) {
	t.Parallel()
	w := &blocked{release: make(chan struct{})}
	f, err := NewFile(FileConfig{Path: "stdout", Buffer: 1 << 20}, w, quiet(), time.Now)
	require.NoError(t, err)
	stop := runFile(t, f)
	line := append(bytes.Repeat([]byte("x"), 1023), '\n')
	const n = 10_000
	for i := range n {
		f.Add(uint32(i), line, 1)
	}
	dropped := f.Stats().Dropped
	require.Greater(t, dropped, int64(n-2*1024))
	close(w.release)
	stop()
	require.Equal(t, SinkStats{Records: n - dropped, Dropped: dropped}, f.Stats(), "each record is written or counted")
}

type failing struct{ io.Writer }

func (failing) Write(p []byte) (int, error) { return 3, errors.New("no space left") }

func TestRecordsThatTheDiskRefusesAreCounted(t *testing.T) {
	t.Parallel()
	f, err := NewFile(FileConfig{Path: "stdout"}, failing{}, quiet(), time.Now)
	require.NoError(t, err)
	runFile(t, f)
	f.Add(0, []byte("1\n"), 1)
	f.Add(0, []byte("2\n"), 1)
	f.Flush()
	require.Equal(t, SinkStats{Records: 1, Dropped: 1, Errors: 1}, f.Stats(), "one line was written whole")
}
