// Package buffer holds encoded traffic records between the requests that made
// them and the one goroutine that writes them out. Adding one is a copy under a
// short lock: no system call, no channel, no waiting. It knows nothing of what
// the lines mean or where they go.
package buffer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Chunk is a run of lines that were collected together.
type Chunk struct {
	// Lines are whole lines, each with its newline. They are valid only during
	// the call that hands them over.
	Lines []byte
	// Records is how many lines there are.
	Records int64
	// First and Last are when the first and the last were added, in Unix
	// nanoseconds.
	First, Last int64
}

// Options bound a buffer. All are to be set.
type Options struct {
	// Shards is how many parts there are, so that processors do not wait for
	// each other; the power of two at or above it is used.
	Shards int
	// MaxBytes bounds the memory of lines that wait; further ones are dropped.
	MaxBytes int
	// FlushBytes and FlushEvery say when lines are written: at so many bytes in
	// one shard, or after so long. A chunk has no more bytes than that, unless it
	// is one line.
	FlushBytes int
	FlushEvery time.Duration
}

// Buffer collects lines. All methods may be called at the same time.
type Buffer struct {
	o      Options
	mask   uint32
	shards []shard
	dirty  chan struct{}
	full   chan struct{}
	flush  chan chan struct{}
	done   chan struct{}
	free   chan *block

	records, dropped atomic.Int64
}

// shard holds full blocks and one that is being filled.
type shard struct {
	mu     sync.Mutex
	cur    *block
	full   []*block
	bytes  int
	closed bool
	_      [40]byte // a cache line of its own
}

// block is memory of a fixed size, used again and again, so that a burst makes
// no garbage.
type block struct {
	lines       []byte
	n           int64
	first, last int64
}

// New returns an empty buffer. [Buffer.Run] must run for anything to come out.
func New(o Options) *Buffer {
	n := 1
	for n < o.Shards {
		n <<= 1
	}
	return &Buffer{
		o: o, mask: uint32(n - 1), shards: make([]shard, n),
		dirty: make(chan struct{}, 1), full: make(chan struct{}, 1),
		flush: make(chan chan struct{}), done: make(chan struct{}),
		free: make(chan *block, 4*n),
	}
}

// Add copies one line, which ends in a newline. The hint spreads callers over
// the shards. It returns false where the line was dropped, which is counted.
func (b *Buffer) Add(hint uint32, line []byte, now int64) bool {
	s := &b.shards[hint&b.mask]
	s.mu.Lock()
	if s.closed || (s.bytes+len(line))*len(b.shards) > b.o.MaxBytes {
		s.mu.Unlock()
		b.dropped.Add(1)
		return false
	}
	first, full := s.cur == nil, false
	if s.cur == nil || len(s.cur.lines)+len(line) > cap(s.cur.lines) {
		if full = s.cur != nil; full {
			s.full = append(s.full, s.cur)
		}
		s.cur = b.take(len(line))
		s.cur.first = now
	}
	s.cur.lines = append(s.cur.lines, line...)
	s.cur.n++
	s.cur.last = now
	s.bytes += len(line)
	s.mu.Unlock()
	if first || full {
		signal(b.dirty)
	}
	if full {
		signal(b.full)
	}
	return true
}

// take returns an empty block that has room for one line at least.
func (b *Buffer) take(line int) *block {
	if line <= b.o.FlushBytes {
		select {
		case k := <-b.free:
			return k
		default:
		}
	}
	return &block{lines: make([]byte, 0, max(line, b.o.FlushBytes))}
}

func (b *Buffer) give(k *block) {
	if cap(k.lines) != b.o.FlushBytes {
		return
	}
	*k = block{lines: k.lines[:0]}
	select {
	case b.free <- k:
	default: // a burst is over: give its memory back
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run hands the lines to write, in one goroutine, until ctx ends; then what is
// left is handed over and further lines are dropped. It is called once.
func (b *Buffer) Run(ctx context.Context, write func(Chunk)) {
	timer := time.NewTimer(b.o.FlushEvery)
	timer.Stop()
	defer timer.Stop()
	defer close(b.done)
	for {
		var asked chan struct{}
		select {
		case <-ctx.Done():
			b.drain(write, true)
			return
		case asked = <-b.flush:
		case <-b.dirty:
			timer.Reset(b.o.FlushEvery)
			select {
			case <-ctx.Done():
			case <-timer.C:
			case <-b.full:
			case asked = <-b.flush:
			}
			timer.Stop()
		}
		b.drain(write, false)
		if asked != nil {
			close(asked)
		}
	}
}

// Flush waits until all that was added before has been handed over.
func (b *Buffer) Flush() {
	asked := make(chan struct{})
	select {
	case b.flush <- asked:
		<-asked
	case <-b.done:
	}
}

func (b *Buffer) drain(write func(Chunk), last bool) {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		blocks := s.full
		if s.cur != nil {
			blocks = append(blocks, s.cur)
		}
		s.cur, s.full = nil, nil
		s.closed = s.closed || last
		s.mu.Unlock()
		for _, k := range blocks {
			write(Chunk{Lines: k.lines, Records: k.n, First: k.first, Last: k.last})
			b.records.Add(k.n)
			s.mu.Lock()
			s.bytes -= len(k.lines) // what is being written counts as waiting
			s.mu.Unlock()
			b.give(k)
		}
	}
}

// Stats returns how many lines were handed over, and how many were dropped
// because too many were waiting.
func (b *Buffer) Stats() (records, dropped int64) { return b.records.Load(), b.dropped.Load() }
