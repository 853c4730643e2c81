package bus

import (
	"encoding/binary"
	"errors"
	"net/http"
	"time"
)

// A forwarded exchange is a sequence of NATS messages, the frames. Each starts
// with its kind, its flags and, in four bytes, the number of content frames
// that its sender had sent on the stream before it, by which a loss shows.
const (
	frameOpen   = 'O' // request head, and the first content; to the service's queue
	frameAccept = 'A' // where the request's content goes
	frameHead   = 'H' // response head, and the first content
	frameData   = 'D' // content
	frameEnd    = 'E' // end of the content, with trailers
	frameWindow = 'W' // so many more bytes may be sent
	frameAlive  = 'K' // nothing, but the sender lives
	frameReset  = 'R' // the stream is broken, and why

	flagEnd = 1 // no content follows this frame

	frameHeadLen = 6
)

// numbered reports whether frames of a kind count among the content frames.
func numbered(kind byte) bool {
	return kind == frameData || kind == frameEnd || kind == frameHead || kind == frameAccept
}

func appendFrame(b []byte, kind, flags byte, seq uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, kind, flags), seq)
}

var errFrame = errors.New("a frame of the stream cannot be read")

func parseFrame(b []byte) (kind, flags byte, seq uint32, rest []byte, err error) {
	if len(b) < frameHeadLen {
		return 0, 0, 0, nil, errFrame
	}
	return b[0], b[1], binary.BigEndian.Uint32(b[2:]), b[frameHeadLen:], nil
}

// requestHead is a request without its content.
type requestHead struct {
	Method, Target, Host, Remote string
	ContentLength                int64 // -1: not known
	Timeout                      time.Duration
	Header                       http.Header
	Trailer                      []string // announced names
}

// responseHead is a response without its content.
type responseHead struct {
	Inbox         string // where frames for this stream go
	Status        int
	ContentLength int64
	Header        http.Header
	Trailer       []string
}

func (h *requestHead) append(b []byte) []byte {
	for _, s := range []string{h.Method, h.Target, h.Host, h.Remote} {
		b = appendString(b, s)
	}
	b = binary.AppendVarint(b, h.ContentLength)
	b = binary.AppendVarint(b, h.Timeout.Milliseconds())
	return appendList(appendHeader(b, h.Header), h.Trailer)
}

func (h *responseHead) append(b []byte) []byte {
	b = appendString(b, h.Inbox)
	b = binary.AppendVarint(b, int64(h.Status))
	b = binary.AppendVarint(b, h.ContentLength)
	return appendList(appendHeader(b, h.Header), h.Trailer)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList(b []byte, l []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(l)))
	for _, s := range l {
		b = appendString(b, s)
	}
	return b
}

func appendHeader(b []byte, h http.Header) []byte {
	b = binary.AppendUvarint(b, uint64(len(h)))
	for k, vs := range h {
		b = appendList(appendString(b, k), vs)
	}
	return b
}

func readRequestHead(b []byte) (h requestHead, content []byte, err error) {
	d := decoder{b: b}
	h.Method, h.Target, h.Host, h.Remote = d.string(), d.string(), d.string(), d.string()
	h.ContentLength = d.int()
	ms := d.int()
	h.Timeout = time.Duration(min(max(ms, 0), int64(24*time.Hour/time.Millisecond))) * time.Millisecond
	h.Header, h.Trailer = d.header(), d.list()
	return h, d.b, d.err
}

func readResponseHead(b []byte) (h responseHead, content []byte, err error) {
	d := decoder{b: b}
	h.Inbox = d.string()
	h.Status = int(d.int())
	h.ContentLength = d.int()
	h.Header, h.Trailer = d.header(), d.list()
	if h.Status < 200 || h.Status > 999 {
		d.err = errFrame
	}
	return h, d.b, d.err
}

// decoder reads what the append functions wrote. After an error it returns
// zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() {
	d.b, d.err = nil, errFrame
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// length reads a number that is no more than there are bytes left, as each
// element takes one at least.
func (d *decoder) length() int {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > uint64(len(d.b)-n) {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) string() string {
	n := d.length()
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) list() []string {
	n := d.length()
	var l []string
	for range n {
		l = append(l, d.string())
		if d.err != nil {
			return nil
		}
	}
	return l
}

func (d *decoder) header() http.Header {
	n := d.length()
	h := http.Header{}
	for range n {
		k := d.string()
		h[k] = append(h[k], d.list()...)
		if d.err != nil {
			return http.Header{}
		}
	}
	return h
}
