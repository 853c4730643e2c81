package plane

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/bus"
)

// journal keeps the feed of credentials on disk as it came: a file of frames,
// each with length and checksum, encrypted where the cache is. The first frame
// is the position from which the file begins, the others are entries in the
// order of their revisions. It is only appended to, without waiting for the disk:
// what a crash has cut off is told again, since the position is that of the last
// entry that is left.
type journal struct {
	cache *source.Cache
	log   *slog.Logger

	mu         sync.Mutex
	f          *os.File // nil after a failure: then nothing is kept until the next start
	size       int64
	least      int64         // the size after it was written anew last
	whole      *os.File      // one that will take the place of f
	wrote      *bufio.Writer // into whole
	compacting bool
	done       sync.WaitGroup
}

const (
	journalName = "credentials.log"
	journalTemp = "credentials.log.new"
	// frameMax bounds a frame, in bytes.
	frameMax = 4 << 20
	// growth is the least growth after which a journal is written anew.
	growth = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (j *journal) path(name string) string { return filepath.Join(j.cache.Dir(), name) }

// openJournal hands on the entries that are kept, and returns the position after
// the last one. Of a key it hands on all entries there are, in their order.
func openJournal(cache *source.Cache, log *slog.Logger, each func(bus.Entry) error) (*journal, bus.Position, error) {
	j := &journal{cache: cache, log: log}
	left, _ := filepath.Glob(j.path(".credentials-*")) // the pattern is valid
	for _, name := range append(left, j.path(journalTemp)) {
		_ = os.Remove(name) // of a run that ended in the middle
	}
	f, err := os.OpenFile(j.path(journalName), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return j, bus.Position{}, nil
	} else if err != nil {
		return j, bus.Position{}, fmt.Errorf("opening the journal of credentials: %w", err)
	}
	r := &frameReader{cache: cache, r: bufio.NewReaderSize(f, 1<<20)}
	at, err := r.all(each)
	if err != nil {
		return j, bus.Position{}, errors.Join(fmt.Errorf("reading the journal of credentials: %w", err), f.Close())
	}
	if r.damage != nil && r.damage != io.EOF { //nolint:errorlint // as it is
		log.Warn("the end of the journal of credentials was cut off; it is fetched again", "err", r.damage)
	}
	if at.Epoch == "" {
		return j, at, f.Close()
	}
	if err := f.Truncate(r.good); err != nil {
		return j, at, errors.Join(fmt.Errorf("opening the journal of credentials: %w", err), f.Close())
	}
	if _, err := f.Seek(r.good, io.SeekStart); err != nil {
		return j, at, errors.Join(fmt.Errorf("opening the journal of credentials: %w", err), f.Close())
	}
	j.f, j.size, j.least = f, r.good, r.good
	if r.entries > 2*int64(len(r.keys))+10_000 { // most of it was replaced
		j.compact()
	}
	return j, at, nil
}

// readJournal hands on the entries of a journal that another process may have.
func readJournal(cache *source.Cache, each func(bus.Entry) error) error {
	f, err := os.Open(filepath.Join(cache.Dir(), journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("reading the journal of credentials: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	_, err = (&frameReader{cache: cache, r: bufio.NewReaderSize(f, 1<<20)}).all(each)
	return err
}

// begin starts a journal that takes the place of this one at commit.
func (j *journal) begin(epoch string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.drop()
	f, err := os.OpenFile(j.path(journalTemp), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		j.fail(err)
		return
	}
	j.whole, j.wrote = f, bufio.NewWriterSize(f, 256<<10)
	_, _ = j.wrote.Write(appendFrame(nil, j.cache.Seal(journalName, headFrame(bus.Position{Epoch: epoch})))) // Flush tells
}

// drop gives up a journal that was begun.
func (j *journal) drop() {
	if j.whole != nil {
		_ = j.whole.Close() // is not used
		j.whole = nil
	}
}

// commit puts the journal that was begun into its place.
func (j *journal) commit() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.whole == nil {
		return
	}
	f := j.whole
	j.whole = nil
	if err := errors.Join(j.wrote.Flush(), f.Sync(), os.Rename(j.path(journalTemp), j.path(journalName))); err != nil {
		j.fail(errors.Join(err, f.Close()))
		return
	}
	if j.f != nil {
		_ = j.f.Close() // was replaced
	}
	j.f = f
	j.size, _ = f.Seek(0, io.SeekCurrent)
	j.least = j.size
}

// add appends entries.
func (j *journal) add(entries ...bus.Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var w io.Writer = j.f
	if j.whole != nil {
		w = j.wrote
	} else if j.f == nil {
		return
	}
	for len(entries) > 0 {
		n, size := 0, 0
		for n < len(entries) && (n == 0 || size+len(entries[n].Value) < frameMax/4) {
			size += len(entries[n].Value)
			n++
		}
		b := appendFrame(nil, j.cache.Seal(journalName, entryFrame(entries[:n])))
		if _, err := w.Write(b); err != nil {
			j.fail(err)
			return
		}
		if j.whole == nil {
			j.size += int64(len(b))
		}
		entries = entries[n:]
	}
	if j.whole == nil && !j.compacting && j.size > 2*j.least+growth {
		j.compact()
	}
}

// fail gives the journal up until the next start, which fetches what is lacking.
func (j *journal) fail(err error) {
	j.log.Error("credentials are known, but cannot be kept for a restart", "err", err)
	j.drop()
	if j.f != nil {
		_ = j.f.Close() // what was written stands
		j.f = nil
	}
}

// compact writes the journal anew, without what was replaced, besides its use. It is
// called with the mutex held, or before anybody else has the journal.
func (j *journal) compact() {
	j.compacting = true
	end, old := j.size, j.f
	j.done.Go(func() {
		f, err := j.compacted(end)
		j.mu.Lock()
		defer j.mu.Unlock()
		j.compacting = false
		if err == nil && j.f != old { // another has come into its place meanwhile
			_ = errors.Join(f.Close(), os.Remove(f.Name())) // the next start removes it
			return
		}
		if err == nil {
			_, err = io.Copy(f, io.NewSectionReader(old, end, j.size-end))
		}
		if err == nil {
			err = errors.Join(f.Sync(), os.Rename(f.Name(), j.path(journalName)))
		}
		if err != nil {
			if f != nil {
				_ = errors.Join(f.Close(), os.Remove(f.Name())) // the next start removes it
			}
			j.least = j.size // not again at once
			j.log.Warn("the journal of credentials could not be made smaller", "err", err)
			return
		}
		_ = old.Close() // was replaced
		j.f = f
		j.size, _ = f.Seek(0, io.SeekCurrent)
		j.least = j.size
	})
}

// compacted returns a new file with the last entry of each key up to an end.
func (j *journal) compacted(end int64) (*os.File, error) {
	in, err := os.Open(j.path(journalName))
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // only read
	read := func(each func(bus.Entry) error) (*frameReader, bus.Position, error) {
		r := &frameReader{cache: j.cache, r: bufio.NewReaderSize(io.NewSectionReader(in, 0, end), 1<<20)}
		at, err := r.all(each)
		return r, at, err
	}
	first, at, err := read(func(bus.Entry) error { return nil })
	if err != nil {
		return nil, err
	}
	out, err := os.CreateTemp(j.cache.Dir(), ".credentials-*")
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*os.File, error) {
		return nil, errors.Join(err, out.Close(), os.Remove(out.Name()))
	}
	w := bufio.NewWriterSize(out, 1<<20)
	_, _ = w.Write(appendFrame(nil, j.cache.Seal(journalName, headFrame(at)))) // Flush tells
	var batch []bus.Entry
	size := 0
	write := func() {
		if size = 0; len(batch) > 0 {
			_, _ = w.Write(appendFrame(nil, j.cache.Seal(journalName, entryFrame(batch))))
			batch = batch[:0]
		}
	}
	n := int64(0)
	if _, _, err = read(func(e bus.Entry) error {
		n++
		if first.keys[keyOf(e.Key)] == n && !e.Deleted {
			if batch, size = append(batch, e), size+len(e.Value); len(batch) == 256 || size > frameMax/4 {
				write()
			}
		}
		return nil
	}); err != nil {
		return fail(err)
	}
	write()
	if err := w.Flush(); err != nil {
		return fail(err)
	}
	return out, nil
}

func (j *journal) close() {
	j.done.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.drop()
	if j.f != nil {
		_ = j.f.Close() // nothing waits
		j.f = nil
	}
}
