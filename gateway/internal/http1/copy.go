package http1

import (
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

const (
	chunkHead = 6                           // four digits and a line end
	chunkRoom = chunkHead + 2 + len(lastCh) // what a chunk needs besides its content
	lastCh    = "0\r\n\r\n"
)

// stream sends content as it comes. The head waits for content that is at hand,
// so that both need one write, and for nothing else.
func (w *responseWriter) stream(r io.Reader) error {
	b, ok := r.(interface{ Buffered() int })
	if ok && b.Buffered() == 0 || !ok && w.length < 0 {
		if err := w.flush(0); err != nil {
			return err
		}
	}
	o := &w.c.out
	left := w.length
	for {
		if o.block == nil && cap(o.buf)-len(o.buf) < pageSize/4 {
			o.large()
		}
		if cap(o.buf)-len(o.buf) < pageSize/4 {
			if err := w.flush(0); err != nil {
				return err
			}
		}
		at := len(o.buf)
		room := o.buf[at:cap(o.buf)]
		if w.chunked {
			room = room[chunkHead : len(room)-(chunkRoom-chunkHead)]
		}
		if left > 0 && int64(len(room)) > left {
			room = room[:left+1] // one more, to notice
		}
		n, err := r.Read(room)
		end := errors.Is(err, io.EOF)
		if left >= 0 {
			if left -= int64(n); left < 0 || end && left > 0 {
				end, err = false, errShort
				n += int(min(left, 0))
			} else if left == 0 && err == nil {
				err = w.checkEnd(r)
				end = err == nil
			}
		}
		w.add(at, n, end)
		if err != nil && !end && !w.sent {
			return err // nothing was sent, so that another answer can be
		}
		if ferr := w.flush(n); ferr != nil {
			return ferr
		}
		if end {
			return nil
		}
		if err != nil {
			return err
		}
		if n == len(room) && o.block == nil {
			o.large()
		}
		if n > 0 {
			w.c.now = time.Now()
		}
	}
}

// checkEnd checks that nothing follows content of a known length.
func (w *responseWriter) checkEnd(r io.Reader) error {
	var p [1]byte
	n, err := r.Read(p[:])
	switch {
	case n > 0:
		return errShort
	case err == nil || errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// add takes in n bytes of content that were read behind what was gathered.
func (w *responseWriter) add(at, n int, end bool) {
	b := w.c.out.buf
	if !w.chunked {
		w.c.out.buf = b[:at+n]
		return
	}
	if n > 0 {
		b = appendChunkHead(b, n)
		b = append(b, b[at+chunkHead:at+chunkHead+n]...) // moves, where the size is short
		b = append(b, '\r', '\n')
	}
	if end {
		if b = append(b, "0\r\n"...); w.trailers {
			b = appendTrailer(b, &w.ex.Response.Trailer)
		}
		b = append(b, '\r', '\n')
	}
	w.c.out.buf = b
}

func appendChunkHead(b []byte, n int) []byte {
	b = strconv.AppendInt(b, int64(n), 16)
	return append(b, '\r', '\n')
}

// appendTrailer appends the fields that may stand in a trailer, and no others.
func appendTrailer(b []byte, h *policy.Header) []byte {
	fields := h.Fields()
	for i := range fields {
		if !mayTrail(fields[i].Name) {
			continue
		}
		if more, ok := appendField(b, &fields[i]); ok {
			b = more
		}
	}
	return b
}
