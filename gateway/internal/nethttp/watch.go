package nethttp

import (
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
)

// watch returns c with a bound on how slowly a client may send one header block
// or one other frame. The library has none once a connection is in use: a
// client could keep a frame half sent for ever.
func watch(c net.Conn, l transport.Limits) net.Conn {
	w := &watched{Conn: c, header: l.HeaderTime, idle: l.BodyIdle}
	// The client preface is waited for like a header block.
	w.skip, w.block, w.ends, w.began = len(http2.ClientPreface), true, true, time.Now()
	if s, ok := c.(stater); ok {
		return &watchedTLS{watched: w, stater: s}
	}
	return w
}

// watched follows the frames in the bytes that are read. The deadline of the
// connection is set only while a frame or a header block is incomplete.
type watched struct {
	net.Conn
	header, idle time.Duration

	head  [9]byte // of the frame under way (RFC 9113 section 4.1)
	have  int     // bytes of head
	skip  int     // bytes of payload still to come
	block bool    // within a header block, which began
	began time.Time
	ends  bool // the block ends with the frame under way
	armed bool

	// reading is held while bytes are read: the connection below may hold some
	// back, and then is read by one at a time.
	reading sync.Mutex
	mu      sync.Mutex // orders the deadlines of Read and the one of Close
	closed  bool
}

const (
	frameHeaders      = 0x1
	frameContinuation = 0x9
	flagEndHeaders    = 0x4
)

// Read reads from the connection.
func (w *watched) Read(p []byte) (int, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	switch {
	case w.block:
		w.arm(w.began.Add(w.header))
	case w.have > 0 || w.skip > 0:
		w.arm(time.Now().Add(w.idle))
	case w.armed:
		w.arm(time.Time{})
	}
	n, err := w.Conn.Read(p)
	w.follow(p[:n])
	return n, err
}

func (w *watched) arm(t time.Time) {
	w.armed = !t.IsZero()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		_ = w.SetReadDeadline(t) // a broken connection shows in Read
	}
}

func (w *watched) follow(p []byte) {
	for len(p) > 0 {
		if w.skip > 0 {
			n := min(w.skip, len(p))
			w.skip, p = w.skip-n, p[n:]
			w.frameEnd()
			continue
		}
		n := copy(w.head[w.have:], p)
		w.have, p = w.have+n, p[n:]
		if w.have < len(w.head) {
			return
		}
		w.have = 0
		w.skip = int(w.head[0])<<16 | int(w.head[1])<<8 | int(w.head[2])
		if kind := w.head[3]; kind == frameHeaders || kind == frameContinuation {
			if !w.block {
				w.block, w.began = true, time.Now()
			}
			w.ends = w.head[4]&flagEndHeaders != 0
		}
		w.frameEnd()
	}
}

func (w *watched) frameEnd() {
	if w.skip == 0 && w.ends {
		w.block, w.ends = false, false
	}
}

const (
	lingerTime  = 5 * time.Millisecond
	lingerBytes = 64 << 10
)

// Close closes the connection. In clear text it first reads what has come
// already, since closing over unread bytes makes the kernel reset the
// connection and the client may then never see the GOAWAY that says why. A Read
// under way is ended first.
func (w *watched) Close() error {
	if _, tls := w.Conn.(stater); !tls && w.end() {
		w.reading.Lock()
		_ = w.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.CopyN(io.Discard, w.Conn, lingerBytes)
		w.reading.Unlock()
	}
	return w.Conn.Close()
}

// end ends a Read under way, and those to come, and reports whether this was the
// first call.
func (w *watched) end() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.closed = true
	_ = w.SetReadDeadline(time.Unix(1, 0)) // a broken connection has ended it
	return true
}

// stater is a connection with TLS. The library asks for this method.
type stater interface{ ConnectionState() tls.ConnectionState }

type watchedTLS struct {
	*watched
	stater
}
