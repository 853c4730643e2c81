package compress

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// writer is what the encoders have in common.
type writer interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// writers keeps the encoders of one encoding, which are large.
type writers struct{ pool sync.Pool }

func newWriters(encoding string, c Config) *writers {
	w := new(writers)
	w.pool.New = func() any {
		switch encoding {
		case "br":
			return brotli.NewWriterOptions(io.Discard, brotli.WriterOptions{Quality: c.BrotliLevel, LGWin: brotliWindow})
		case "zstd":
			z, err := zstd.NewWriter(io.Discard, zstd.WithEncoderLevel(zstd.EncoderLevel(c.ZstdLevel)),
				zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<20))
			if err != nil { // the options are right: cannot happen
				return gzip.NewWriter(io.Discard)
			}
			return z
		}
		g, err := gzip.NewWriterLevel(io.Discard, c.GzipLevel)
		if err != nil { // the schema has checked the level: cannot happen
			return gzip.NewWriter(io.Discard)
		}
		return g
	}
	return w
}

func (w *writers) get(dst io.Writer) writer {
	e, _ := w.pool.Get().(writer)
	e.Reset(dst)
	return e
}

func (w *writers) put(e writer) {
	e.Reset(io.Discard) // keeps no content
	w.pool.Put(e)
}

// brotliWindow is the logarithm of the window. The encoder takes several times
// as much memory.
const brotliWindow = 19

const blockSize = 16 << 10

var blocks = sync.Pool{New: func() any { return new([blockSize]byte) }}

// reader compresses what it reads.
type reader struct {
	src    io.Reader
	pool   *writers
	w      writer
	in     *[blockSize]byte
	out    bytes.Buffer // compressed and not yet handed out
	behind bool         // the encoder may hold something back
	eager  bool         // nothing is ever held back
	err    error
}

func newReader(src io.Reader, pool *writers, eager bool) *reader {
	r := &reader{src: src, pool: pool, eager: eager}
	r.w = pool.get(&r.out)
	r.in, _ = blocks.Get().(*[blockSize]byte)
	return r
}

// Read reads compressed content. It waits for the source only when everything
// that came from there has been handed out.
func (r *reader) Read(p []byte) (int, error) {
	for r.out.Len() == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.fill()
	}
	return r.out.Read(p)
}

// fill compresses one block. Where the source handed out less than was asked for,
// or may have no more at hand, what the encoder holds back is given out.
func (r *reader) fill() {
	r.out.Reset()
	n, err := r.src.Read(r.in[:])
	if n > 0 {
		r.behind = true
		if _, werr := r.w.Write(r.in[:n]); werr != nil {
			r.end(werr)
			return
		}
	}
	switch {
	case errors.Is(err, io.EOF):
		if cerr := r.w.Close(); cerr != nil {
			err = cerr
		}
		r.end(err)
	case err != nil:
		// The end mark is not written: the client must notice.
		r.end(err)
	case r.behind && (n < blockSize || r.eager || r.waits()):
		if err := r.w.Flush(); err != nil {
			r.end(err)
		}
		r.behind = false
	}
}

// waits reports whether reading on after a full block may wait. What a source
// says to have at hand may be framing only, but a full block shows that it sends
// in bulk.
func (r *reader) waits() bool {
	b, ok := r.src.(interface{ Buffered() int })
	return !ok || b.Buffered() == 0
}

// Buffered returns how many bytes can be read without waiting.
func (r *reader) Buffered() int {
	if n := r.out.Len(); n > 0 || r.err != nil {
		return n
	}
	if b, ok := r.src.(interface{ Buffered() int }); ok {
		return b.Buffered()
	}
	return 0
}

// end remembers how it ended, and gives back the encoder.
func (r *reader) end(err error) {
	r.err = err
	if r.w == nil {
		return
	}
	r.pool.put(r.w)
	blocks.Put(r.in)
	r.w, r.in = nil, nil
}

// Close gives back what is held and closes the source.
func (r *reader) Close() error {
	if r.err == nil {
		r.end(io.ErrClosedPipe)
	}
	if c, ok := r.src.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
