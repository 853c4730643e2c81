package http1

import (
	"bytes"
	"errors"
	"io"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// framing is how the end of a body is found.
type framing uint8

const (
	framedNone framing = iota
	framedLength
	framedChunked
	framedClose
)

const (
	chunkLineBytes = 256 + 18 // one chunk's extensions and its size
	extensionBytes = 4 << 10  // extensions of a whole message
	trailerBytes   = 8 << 10
	trailerCount   = 32
)

var (
	errChunkSize = bad("a chunk size is not a plain hexadecimal number")
	errChunkEnd  = bad("a chunk is longer or shorter than its size says")
	errExtension = bad("chunk extensions are too long")
	errTrailer   = bad("the trailer has a field that is not allowed there, or is too long")
)

// body reads the content of one message from a connection's reader.
type body struct {
	in      *reader
	framing framing
	done    bool
	began   bool  // a chunk has begun, so that its line end is due
	remain  int64 // of the body, or of the current chunk
	ext     int
	trailer *policy.Header
	// ready is called before the connection may have to be waited for.
	ready func() error
}

func (b *body) start(in *reader, f *facts, closes bool, trailer *policy.Header) {
	*b = body{in: in, trailer: trailer, ready: b.ready}
	switch {
	case f.chunked:
		b.framing = framedChunked
	case f.length > 0:
		b.framing, b.remain = framedLength, f.length
	case f.length < 0 && closes:
		b.framing = framedClose
	default:
		b.done = true
	}
}

// length returns the length where it is known, else -1.
func (b *body) length() int64 {
	switch b.framing {
	case framedNone:
		return 0
	case framedLength:
		return b.remain
	}
	return -1
}

// read reads content, waiting for the connection at most once before it has
// some. The end comes as io.EOF, with the last bytes where they are at hand.
func (b *body) read(p []byte) (int, error) {
	if b.done {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	switch b.framing {
	case framedLength:
		return b.readLength(p)
	case framedChunked:
		return b.readChunked(p)
	}
	n, err := b.fetch(p)
	if errors.Is(err, io.EOF) {
		b.done = true
	}
	return n, err
}

func (b *body) fetch(p []byte) (int, error) {
	if b.in.buffered() == 0 && b.ready != nil {
		if err := b.ready(); err != nil {
			return 0, err
		}
	}
	return b.in.read(p)
}

func (b *body) readLength(p []byte) (int, error) {
	if int64(len(p)) > b.remain {
		p = p[:b.remain]
	}
	n, err := b.fetch(p)
	b.remain -= int64(n)
	if b.remain == 0 {
		b.done = true
		return n, io.EOF
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (b *body) readChunked(p []byte) (int, error) {
	total := 0
	for {
		if b.remain == 0 {
			if total > 0 && !b.lineAtHand() {
				return total, nil
			}
			if err := b.nextChunk(); err != nil {
				return total, err
			}
		}
		q := p[total:]
		if int64(len(q)) > b.remain {
			q = q[:b.remain]
		}
		n, err := b.fetch(q)
		total += n
		b.remain -= int64(n)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		// A full p ends the read, unless the end of the body can be told at once.
		if err != nil || total == len(p) && (b.remain > 0 || !b.lineAtHand()) || b.in.buffered() == 0 {
			return total, err
		}
		if total == len(p) {
			if !b.lastAtHand() {
				return total, nil
			}
		}
	}
}

// lineAtHand reports whether the end of the current chunk and the size of the
// next one are buffered.
func (b *body) lineAtHand() bool {
	buf := b.in.bytes()
	return len(buf) > 2 && bytes.IndexByte(buf[2:], '\n') >= 0
}

// lastAtHand reports whether the last chunk is buffered, without trailer.
func (b *body) lastAtHand() bool {
	return bytes.HasPrefix(b.in.bytes(), []byte("\r\n0\r\n\r\n"))
}

// nextChunk reads the line end of the chunk before and the size of the next. It
// returns io.EOF after the last one and the trailer.
func (b *body) nextChunk() error {
	if b.began {
		if err := b.need(2); err != nil {
			return err
		}
		if buf := b.in.bytes(); buf[0] != '\r' || buf[1] != '\n' {
			return errChunkEnd
		}
		b.in.skip(2)
		b.began = false
	}
	line, err := b.line(chunkLineBytes)
	if err != nil {
		return err
	}
	size, ext, ok := parseChunkSize(line)
	if !ok {
		return errChunkSize
	}
	if b.ext += ext; b.ext > extensionBytes {
		return errExtension
	}
	b.in.skip(len(line) + 2)
	b.remain, b.began = size, true
	if size > 0 {
		return nil
	}
	if err := b.readTrailer(); err != nil {
		return err
	}
	b.done = true
	return io.EOF
}

// parseChunkSize reads a chunk size and checks its extensions. Ext is how many
// bytes these have.
func parseChunkSize(line []byte) (size int64, ext int, ok bool) {
	i := 0
	for ; i < len(line); i++ {
		c := line[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			if i == 0 || c != ';' || !validValue(line[i:]) {
				return 0, 0, false
			}
			return size, len(line) - i, true
		}
		if i == 15 { // 60 bits are enough for anybody
			return 0, 0, false
		}
		size = size<<4 | int64(c)
	}
	return size, 0, i > 0
}

// need waits until n bytes are buffered.
func (b *body) need(n int) error {
	for b.in.buffered() < n {
		if b.ready != nil {
			if err := b.ready(); err != nil {
				return err
			}
		}
		if err := b.in.fill(trailerBytes); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// line returns the next line without its end, which stays in the buffer.
func (b *body) line(limit int) ([]byte, error) {
	for n := 0; ; {
		if i := bytes.IndexByte(b.in.bytes()[n:], '\n'); i >= 0 {
			i += n
			if i == 0 || b.in.bytes()[i-1] != '\r' {
				return nil, errLineEnd
			}
			if i > limit {
				return nil, errExtension
			}
			return b.in.bytes()[:i-1], nil
		}
		if n = b.in.buffered(); n > limit {
			return nil, errExtension
		}
		if err := b.need(n + 1); err != nil {
			return nil, err
		}
	}
}

// readTrailer reads the field lines after the last chunk.
func (b *body) readTrailer() error {
	var block []byte
	for {
		line, err := b.line(trailerBytes)
		if err != nil {
			if errors.Is(err, errExtension) {
				err = errTrailer
			}
			return err
		}
		if len(line) == 0 && block == nil {
			b.in.skip(2)
			return nil
		}
		if block = append(append(block, line...), '\r', '\n'); len(block) > trailerBytes {
			return errTrailer
		}
		end := len(line) == 0
		b.in.skip(len(line) + 2)
		if end {
			break
		}
	}
	var h policy.Header
	var f facts
	if m := parseFields(block, string(block), &h, trailerCount, &f); m != nil {
		return m
	}
	if f.hosts > 0 || f.length >= 0 || f.chunked || f.expect || f.otherwise {
		return errTrailer
	}
	for _, t := range h.Fields() {
		if !mayTrail(t.Name) {
			return errTrailer
		}
	}
	if b.trailer != nil {
		b.trailer.CopyFrom(&h)
	}
	return nil
}
