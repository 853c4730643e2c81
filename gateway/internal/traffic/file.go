package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/traffic/buffer"
)

// rotatedTime is how the time stands in the name of a file that was put aside;
// names sort by time.
const rotatedTime = "20060102T150405.000000000Z"

// File is the sink that writes JSON lines to a file or a stream. A line is never
// split between two files.
type File struct {
	config  FileConfig
	buffer  *buffer.Buffer
	log     *slog.Logger
	now     func() time.Time
	mu      sync.Mutex // held while writing, and by Reopen
	w       io.Writer
	f       *os.File
	size    int64
	opened  time.Time
	torn    bool // the last line was not written whole
	failing bool

	dropped, errs atomic.Int64
}

// NewFile opens the file, or takes stdout where the path says so. Stdout may be
// nil where it does not.
func NewFile(c FileConfig, stdout io.Writer, log *slog.Logger, now func() time.Time) (*File, error) {
	c = Config{Traffic: c}.Defaults().Traffic
	f := &File{
		config: c, log: log, now: now,
		buffer: buffer.New(buffer.Options{
			Shards: runtime.GOMAXPROCS(0), MaxBytes: int(c.Buffer), FlushBytes: 64 << 10, FlushEvery: time.Duration(c.Flush),
		}),
	}
	if c.Path == "stdout" {
		f.w = stdout
		return f, nil
	}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("opening the traffic log: %w", err)
	}
	return f, nil
}

// Name returns "file".
func (f *File) Name() string { return "file" }

// Add takes a copy of one line.
func (f *File) Add(hint uint32, line []byte, now int64) { f.buffer.Add(hint, line, now) }

// Run writes until ctx ends, then writes what is left and closes the file.
func (f *File) Run(ctx context.Context) error {
	f.buffer.Run(ctx, f.write)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.close()
}

// Flush waits until all that was added before is written.
func (f *File) Flush() { f.buffer.Flush() }

// Stats returns what happened so far.
func (f *File) Stats() SinkStats {
	records, dropped := f.buffer.Stats()
	refused := f.dropped.Load()
	return SinkStats{Records: records - refused, Dropped: dropped + refused, Errors: f.errs.Load()}
}

// Reopen opens the path anew, after another program has moved the file away. The
// file in use is kept where that fails.
func (f *File) Reopen() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.config.Path == "stdout" {
		return nil
	}
	old := f.f
	if err := f.open(); err != nil {
		return fmt.Errorf("opening the traffic log: %w", err)
	}
	if old != nil {
		return old.Close()
	}
	return nil
}

func (f *File) open() error {
	file, err := os.OpenFile(f.config.Path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.f, f.w, f.size, f.opened = file, file, info.Size(), f.now()
	f.torn = f.size > 0 && info.Mode().IsRegular() && !endsInNewline(f.config.Path, f.size)
	return nil
}

// endsInNewline tells a file whose writer was killed within a line.
func endsInNewline(path string, size int64) bool {
	r, err := os.Open(path)
	if err != nil {
		return true
	}
	defer func() { _ = r.Close() }() // only read
	var b [1]byte
	_, err = r.ReadAt(b[:], size-1)
	return err != nil || b[0] == '\n'
}

func (f *File) close() error {
	if f.f == nil {
		return nil
	}
	err := f.f.Close()
	f.f, f.w = nil, nil
	return err
}

func (f *File) write(c buffer.Chunk) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.rotate(int64(len(c.Lines))); err != nil {
		f.fail(err, 0)
	}
	if f.w == nil {
		if err := f.open(); err != nil {
			f.fail(err, c.Records)
			return
		}
	}
	if f.torn { // begin a new line, so that the broken one harms no other
		if _, err := f.w.Write([]byte{'\n'}); err != nil {
			f.fail(err, c.Records)
			return
		}
		f.size++
		f.torn = false
	}
	n, err := f.w.Write(c.Lines)
	f.size += int64(n)
	if err != nil {
		whole := int64(0)
		for _, b := range c.Lines[:n] {
			if b == '\n' {
				whole++
			}
		}
		f.torn = n > 0 && c.Lines[n-1] != '\n'
		f.fail(err, c.Records-whole)
		return
	}
	if f.failing {
		f.failing = false
		f.log.Info("traffic log is written again", "path", f.config.Path)
	}
}

func (f *File) fail(err error, lost int64) {
	f.errs.Add(1)
	f.dropped.Add(lost)
	if !f.failing { // once, not for each chunk
		f.failing = true
		f.log.Error("writing the traffic log", "path", f.config.Path, "err", err)
	}
}

// rotate puts the file aside where the next bytes would make it too large, or
// where it is too old.
func (f *File) rotate(next int64) error {
	r := f.config.Rotate
	if f.f == nil || f.size == 0 {
		return nil
	}
	now := f.now()
	if (r.Size == 0 || f.size+next <= int64(r.Size)) && (r.Every == 0 || now.Sub(f.opened) < time.Duration(r.Every)) {
		return nil
	}
	aside := f.config.Path + "." + now.UTC().Format(rotatedTime)
	if _, err := os.Lstat(aside); !errors.Is(err, fs.ErrNotExist) {
		return nil // the clock stands still: rotate with a later chunk
	}
	if err := os.Rename(f.config.Path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("putting the traffic log aside: %w", err)
	}
	old := f.f
	if err := f.open(); err != nil {
		return fmt.Errorf("opening the traffic log: %w", err) // go on with the old one
	}
	return errors.Join(old.Close(), f.prune())
}

// prune removes the oldest of the files that were put aside.
func (f *File) prune() error {
	dir, base := filepath.Dir(f.config.Path), filepath.Base(f.config.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("listing old traffic logs: %w", err)
	}
	var aside []string
	for _, e := range entries {
		stamp, ok := strings.CutPrefix(e.Name(), base+".")
		if _, err := time.Parse(rotatedTime, stamp); ok && err == nil {
			aside = append(aside, e.Name())
		}
	}
	slices.Sort(aside)
	var errs []error
	for len(aside) > f.config.Rotate.Keep {
		errs = append(errs, os.Remove(filepath.Join(dir, aside[0])))
		aside = aside[1:]
	}
	return errors.Join(errs...)
}
