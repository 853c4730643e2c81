package plane

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
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
	least      int64 // the size after it was written anew last
	whole      *os.File
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

// begin starts a journal that takes the place of this one at commit.
func (j *journal) begin(epoch string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.drop()
	f, err := os.OpenFile(j.path(journalTemp), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err == nil {
		j.whole = f
		err = j.frame(f, headFrame(bus.Position{Epoch: epoch}))
	}
	if err != nil {
		j.fail(err)
	}
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
	if err := errors.Join(f.Sync(), os.Rename(j.path(journalTemp), j.path(journalName))); err != nil {
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
	f := j.f
	if j.whole != nil {
		f = j.whole
	}
	if f == nil {
		return
	}
	for len(entries) > 0 {
		n, size := 0, 0
		for n < len(entries) && (n == 0 || size+len(entries[n].Value) < frameMax/4) {
			size += len(entries[n].Value)
			n++
		}
		if err := j.frame(f, entryFrame(entries[:n])); err != nil {
			j.fail(err)
			return
		}
		entries = entries[n:]
	}
	if j.whole == nil && !j.compacting && j.size > 2*j.least+growth {
		j.compact()
	}
}

// frame writes one frame.
func (j *journal) frame(f *os.File, plain []byte) error {
	b := appendFrame(nil, j.cache.Seal(journalName, plain))
	_, err := f.Write(b)
	if f == j.f {
		j.size += int64(len(b))
	}
	return err
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

// key16 stands for a key, in less memory.
type key16 [16]byte

func keyOf(key string) key16 {
	sum := sha256.Sum256([]byte(key))
	return key16(sum[:16])
}

// frameReader reads a journal.
type frameReader struct {
	cache   *source.Cache
	r       *bufio.Reader
	good    int64 // where the last whole frame ended
	damage  error // why reading ended
	entries int64
	keys    map[key16]int64 // the number of the last entry of each
}

// all hands on all entries, and returns the position after the last.
func (r *frameReader) all(each func(bus.Entry) error) (bus.Position, error) {
	var at bus.Position
	r.keys = map[key16]int64{}
	for first := true; ; first = false {
		plain, n, err := r.next()
		if err != nil {
			r.damage = err
			return at, nil
		}
		if first {
			if err := json.Unmarshal(plain, &at); err != nil || at.Epoch == "" {
				r.damage = errFrame
				return bus.Position{}, nil
			}
			r.good += n
			continue
		}
		for len(plain) > 0 {
			var e bus.Entry
			if e, plain, err = readEntry(plain); err != nil {
				r.damage = err
				return at, nil
			}
			r.entries++
			r.keys[keyOf(e.Key)] = r.entries
			if err := each(e); err != nil {
				return at, err
			}
			at.Revision = max(at.Revision, e.Revision)
		}
		r.good += n
	}
}

var errFrame = errors.New("a frame is not whole")

// next returns the content of the next frame, and its length in the file.
func (r *frameReader) next() ([]byte, int64, error) {
	var head [8]byte
	if n, err := io.ReadFull(r.r, head[:]); err != nil {
		if n == 0 {
			return nil, 0, io.EOF
		}
		return nil, 0, errFrame
	}
	n := binary.BigEndian.Uint32(head[:4])
	if n > frameMax+1024 {
		return nil, 0, errFrame
	}
	sealed := make([]byte, n)
	if _, err := io.ReadFull(r.r, sealed); err != nil || crc32.Checksum(sealed, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
		return nil, 0, errFrame
	}
	plain, err := r.cache.Unseal(journalName, sealed)
	return plain, int64(n) + 8, err
}

func appendFrame(b, sealed []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(sealed)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(sealed, castagnoli))
	return append(b, sealed...)
}

func headFrame(at bus.Position) []byte {
	b, _ := json.Marshal(at) // a text and a number
	return b
}

func entryFrame(entries []bus.Entry) []byte {
	var b []byte
	for _, e := range entries {
		b = binary.AppendUvarint(b, e.Revision)
		deleted := byte(0)
		if e.Deleted {
			deleted = 1
		}
		b = append(b, deleted)
		b = binary.AppendUvarint(b, uint64(len(e.Key)))
		b = append(b, e.Key...)
		b = binary.AppendUvarint(b, uint64(len(e.Value)))
		b = append(b, e.Value...)
	}
	return b
}

func readEntry(b []byte) (e bus.Entry, rest []byte, err error) {
	text := func() []byte {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			err = errFrame
			return nil
		}
		t := b[used : used+int(n)]
		b = b[used+int(n):]
		return t
	}
	revision, used := binary.Uvarint(b)
	if used <= 0 || len(b) <= used {
		return e, nil, errFrame
	}
	e.Revision, e.Deleted = revision, b[used] != 0
	b = b[used+1:]
	key := text()
	if err == nil {
		e.Value = text()
	}
	e.Key = string(key)
	return e, b, err
}
