// Package spool keeps traffic records on disk until they have been delivered:
// a queue of segment files with a bound, and the loop that ships what is in it,
// at least once. It knows neither what a record says nor how requests are
// served.
//
// What survives: a frame that [Queue.Append] has written survives the end of the
// process in any way, kill -9 included, and after [Queue.Sync] the crash of the
// machine too. What waits in memory does not; the flush interval bounds it.
package spool

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

// ErrLocked says that another process has the directory.
var ErrLocked = errors.New("spool is in use by another process")

// Batch is what is shipped at once. The same batch has the same id and content
// each time, so that a receiver can tell what it already has.
type Batch struct {
	// ID is the spool's own id and the place of the batch in it.
	ID string
	// Records is how many lines there are, First and Last when they were added.
	Records     int64
	First, Last time.Time
	// Gzip is the JSON lines, compressed.
	Gzip []byte
	// Lost is what was lost before this batch and not yet reported.
	Lost []traffic.Loss

	at, end position
}

// Lines returns the JSON lines.
func (b Batch) Lines() ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b.Gzip))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

type position struct {
	Segment uint64 `json:"segment"`
	Offset  int64  `json:"offset"`
}

// state is the file that remembers what was delivered.
type state struct {
	Next position       `json:"next"`
	Lost []traffic.Loss `json:"lost,omitempty"`
}

// Queue is a queue of records on disk, of one process. All methods may be called
// at the same time.
type Queue struct {
	dir         string
	id          string
	max         int64
	segmentSize int64
	lock        *os.File

	mu       sync.Mutex
	segments []segment // oldest first; the last one is written to
	w        *os.File
	dirty    bool
	broken   bool // the end of the last segment is unknown
	state    state
	total    Stats
	zip      *gzip.Writer
	zipped   bytes.Buffer
	frame    []byte
	added    chan struct{}
}

type segment struct {
	seq  uint64
	size int64
}

// Stats count what happened to records since the queue was opened.
type Stats struct {
	// Appended and Delivered are records.
	Appended, Delivered int64
	// Lost are records that the bound, damage or the receiver's refusal cost.
	Lost int64
	// Cut is how many bytes of unfinished frames were cut off or passed over.
	Cut int64
	// Bytes is the disk used.
	Bytes int64
}

// Open opens or creates the queue in dir, which it then owns. It holds at most
// max bytes. The error is [ErrLocked] while another process has it.
func Open(dir string, maxBytes int64) (*Queue, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("opening spool: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("opening spool: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(ErrLocked, lock.Close())
	}
	q := &Queue{
		dir: dir, max: maxBytes, lock: lock, segmentSize: max(32<<10, min(16<<20, maxBytes/16)),
		added: make(chan struct{}, 1),
	}
	q.zip, _ = gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	if err := q.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("opening spool: %w", err), lock.Close())
	}
	return q, nil
}

func (q *Queue) load() error {
	id, err := os.ReadFile(filepath.Join(q.dir, "id"))
	if err != nil || len(id) != 16 {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails
		id = hex.AppendEncode(nil, b[:])
		if err := q.replace("id", id); err != nil {
			return err
		}
	}
	q.id = string(id)
	if b, err := os.ReadFile(filepath.Join(q.dir, "state")); err == nil {
		if json.Unmarshal(b, &q.state) != nil {
			q.state = state{} // deliver again rather than not at all
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	entries, err := os.ReadDir(q.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".seg")
		seq, err := strconv.ParseUint(name, 10, 64)
		if !ok || err != nil {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if seq < q.state.Next.Segment { // delivered, and not removed in time
			if err := os.Remove(q.path(seq)); err != nil {
				return err
			}
			continue
		}
		q.segments = append(q.segments, segment{seq: seq, size: info.Size()})
	}
	slices.SortFunc(q.segments, func(a, b segment) int { return int(int64(a.seq - b.seq)) })
	return q.cutTail()
}

// cutTail removes the frame that a killed writer left unfinished.
func (q *Queue) cutTail() error {
	if len(q.segments) == 0 {
		return nil
	}
	s := &q.segments[len(q.segments)-1]
	f, err := os.OpenFile(q.path(s.seq), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	end := int64(0)
	for end < s.size {
		h, _, err := readFrame(f, end, s.size, true)
		if errors.Is(err, errDamaged) {
			next, err := nextFrame(f, end, s.size)
			if err != nil {
				return errors.Join(err, f.Close())
			}
			if next < s.size { // damage in the middle is the reader's to count
				end = next
				continue
			}
			break
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
		end += h.length()
	}
	q.total.Cut += s.size - end
	s.size = end
	if err := f.Truncate(end); err != nil {
		return errors.Join(err, f.Close())
	}
	if _, err := f.Seek(end, io.SeekStart); err != nil {
		return errors.Join(err, f.Close())
	}
	q.w = f
	// No place is used twice, so that no two batches have the same id, even where
	// the machine has forgotten what was delivered.
	q.broken = end > 0
	return nil
}

func (q *Queue) path(seq uint64) string { return filepath.Join(q.dir, fmt.Sprintf("%020d.seg", seq)) }

// replace writes a small file as a whole or not at all.
func (q *Queue) replace(name string, content []byte) error {
	tmp := filepath.Join(q.dir, name+".new")
	if err := os.WriteFile(tmp, content, 0o640); err != nil { //nolint:gosec // readable by the group
		return err
	}
	return os.Rename(tmp, filepath.Join(q.dir, name))
}

// Append writes lines as one frame. When it returns nil they survive the end of
// the process.
func (q *Queue) Append(lines []byte, records int64, first, last time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.zipped.Reset()
	q.zip.Reset(&q.zipped)
	if _, err := q.zip.Write(lines); err != nil {
		return fmt.Errorf("compressing records: %w", err)
	}
	if err := q.zip.Close(); err != nil {
		return fmt.Errorf("compressing records: %w", err)
	}
	if q.zipped.Len() > maxPayload {
		return fmt.Errorf("appending to spool: %d bytes are too many for one frame", q.zipped.Len())
	}
	q.frame = appendFrame(q.frame[:0], q.zipped.Bytes(), uint32(records), first.UnixNano(), last.UnixNano())
	size := int64(len(q.frame))
	if err := q.makeRoom(size); err != nil {
		return fmt.Errorf("appending to spool: %w", err)
	}
	s := &q.segments[len(q.segments)-1]
	if n, err := q.w.Write(q.frame); err != nil {
		if n > 0 {
			_, seek := q.w.Seek(s.size, io.SeekStart)
			q.broken = q.w.Truncate(s.size) != nil || seek != nil
		}
		return fmt.Errorf("appending to spool: %w", err)
	}
	s.size += size
	q.dirty = true
	q.total.Appended += records
	select {
	case q.added <- struct{}{}:
	default:
	}
	return nil
}

// makeRoom begins a new segment where needed, and drops the oldest ones beyond
// the bound.
func (q *Queue) makeRoom(size int64) error {
	if n := len(q.segments); n == 0 || q.w == nil || q.broken || q.segments[n-1].size > 0 && q.segments[n-1].size+size > q.segmentSize {
		seq := q.state.Next.Segment
		if n > 0 {
			seq = max(seq, q.segments[n-1].seq)
		}
		seq++
		f, err := os.OpenFile(q.path(seq), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
		if err != nil {
			return err
		}
		if q.w != nil {
			if q.dirty {
				err = q.w.Sync()
			}
			if err = errors.Join(err, q.w.Close()); err != nil {
				return errors.Join(err, f.Close(), os.Remove(q.path(seq)))
			}
		}
		q.w, q.broken = f, false
		q.segments = append(q.segments, segment{seq: seq})
	}
	for len(q.segments) > 1 && q.bytes()+size > q.max {
		if err := q.dropOldest(); err != nil {
			return err
		}
	}
	return nil
}

func (q *Queue) bytes() (n int64) {
	for _, s := range q.segments {
		n += s.size
	}
	return n
}

func (q *Queue) save() error {
	b, err := json.Marshal(q.state)
	if err != nil {
		return err
	}
	return q.replace("state", b)
}

// Sync forces what was written to the disk.
func (q *Queue) Sync() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.dirty || q.w == nil {
		return nil
	}
	if err := q.w.Sync(); err != nil {
		return fmt.Errorf("forcing spool to disk: %w", err)
	}
	q.dirty = false
	return nil
}

// Stats returns what happened so far.
func (q *Queue) Stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.total
	s.Bytes = q.bytes()
	return s
}

// Lost returns what was lost and not yet reported with a batch.
func (q *Queue) Lost() []traffic.Loss {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.state.Lost)
}

// Close forces what was written to the disk and gives the directory up.
func (q *Queue) Close() error {
	err := q.Sync()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.w != nil {
		err = errors.Join(err, q.w.Close())
		q.w = nil
	}
	return errors.Join(err, q.lock.Close())
}
