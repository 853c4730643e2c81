package policy

import (
	"bytes"
	"errors"
	"io"
)

// ErrBodyTooLarge is returned by [Body.Buffer] when the body is larger than the
// limit.
var ErrBodyTooLarge = errors.New("body exceeds the limit")

// Body is the content of a request or response: nothing, a stream, or bytes in
// memory. The zero value has no content.
type Body struct {
	stream   io.Reader
	bytes    []byte
	length   int64 // of the stream; -1 = unknown
	buffered bool
	read     bytes.Reader
}

// Reset makes the body empty.
func (b *Body) Reset() { *b = Body{} }

// SetStream makes r the content. Length is in bytes, -1 where unknown.
func (b *Body) SetStream(r io.Reader, length int64) {
	b.stream, b.length, b.bytes, b.buffered = r, length, nil, false
	if r == nil {
		b.length = 0
	}
}

// SetBytes makes p the content. The body keeps p.
func (b *Body) SetBytes(p []byte) {
	b.stream, b.length, b.bytes, b.buffered = nil, int64(len(p)), p, true
}

// Empty reports whether there is no content at all. A stream of unknown length
// is not empty, even if it turns out to bear no bytes.
func (b *Body) Empty() bool { return b.stream == nil && len(b.bytes) == 0 }

// Length returns the length in bytes, or -1 where it is unknown.
func (b *Body) Length() int64 { return b.length }

// Buffered reports whether the content is in memory, so that [Body.Bytes] has
// all of it. An empty body counts as in memory.
func (b *Body) Buffered() bool { return b.buffered || b.stream == nil }

// Bytes returns the content where it is in memory, else nil. The slice is not
// to be changed; use [Body.SetBytes].
func (b *Body) Bytes() []byte { return b.bytes }

// Buffer reads the whole stream into memory, up to limit bytes. It returns
// [ErrBodyTooLarge] beyond that, after which the stream goes on from where it
// began: nothing is lost.
func (b *Body) Buffer(limit int64) ([]byte, error) {
	if b.stream == nil {
		return b.bytes, nil
	}
	if b.length > limit {
		return nil, ErrBodyTooLarge
	}
	size := b.length
	if size < 0 {
		size = 4096
	}
	buf := bytes.NewBuffer(make([]byte, 0, min(size, 1<<20)+bytes.MinRead))
	n, err := buf.ReadFrom(io.LimitReader(b.stream, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		b.stream = io.MultiReader(buf, b.stream)
		return nil, ErrBodyTooLarge
	}
	b.SetBytes(buf.Bytes())
	return b.bytes, nil
}

// Reader returns a reader of the whole content, or nil where there is none. A
// stream can be read once; bytes in memory any number of times.
func (b *Body) Reader() io.Reader {
	if b.stream != nil {
		return b.stream
	}
	if len(b.bytes) == 0 {
		return nil
	}
	b.read.Reset(b.bytes)
	return &b.read
}

// Wrap puts a filter around the content, which becomes a stream. Length is that
// of the filter's output, -1 where unknown. Wrapping an empty body does
// nothing.
func (b *Body) Wrap(length int64, filter func(io.Reader) io.Reader) {
	r := b.Reader()
	if r == nil {
		return
	}
	if b.stream == nil { // b.read must outlive SetStream
		r = bytes.NewReader(b.bytes)
	}
	b.SetStream(filter(r), length)
}

// Close closes the stream where it is an [io.Closer].
func (b *Body) Close() error {
	if c, ok := b.stream.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
