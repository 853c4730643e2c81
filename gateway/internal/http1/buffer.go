package http1

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	pageSize  = 4 << 10
	blockSize = 32 << 10
)

type page [pageSize]byte

type block [blockSize]byte

var (
	pages  = sync.Pool{New: func() any { return new(page) }}
	blocks = sync.Pool{New: func() any { return new(block) }}
)

// errFull says that a buffer may not grow further.
var errFull = errors.New("buffer is full")

// reader buffers what a connection sends. It holds a buffer only while there
// are bytes in it: a connection that waits costs none.
type reader struct {
	conn net.Conn
	raw  syscall.RawConn // nil where bytes must come through conn
	page *page           // backs buf, unless buf has grown
	buf  []byte
	r, w int

	onRaw func(fd uintptr) bool
	rawE  error
	// ask is to be written before bytes are waited for.
	ask []byte
	// woke is called between the moment at which bytes were found and the one at
	// which they are used.
	woke func()
	// serve, where set, may use up what has come within the wait for it, and then
	// reports whether the wait is to go on. Until it returns, fd is the socket.
	serve func(fd uintptr) bool
}

// from makes the reader read from c.
func (r *reader) from(c net.Conn) {
	r.conn = c
	if tcp := bareTCP(c); tcp != nil {
		if raw, err := tcp.SyscallConn(); err == nil {
			r.raw = raw
			r.onRaw = r.readRaw
		}
	}
}

// writer writes to a connection.
type writer struct {
	conn net.Conn
	raw  syscall.RawConn // nil where bytes must go through conn

	onRaw func(fd uintptr) bool
	p     []byte
	err   error
}

// to makes the writer write to c.
func (w *writer) to(c net.Conn) {
	w.conn = c
	if tcp := bareTCP(c); tcp != nil {
		if raw, err := tcp.SyscallConn(); err == nil {
			w.raw = raw
			w.onRaw = w.writeRaw
		}
	}
}

// write writes all of p.
func (w *writer) write(p []byte) error {
	if w.raw == nil {
		_, err := w.conn.Write(p)
		return err
	}
	w.p, w.err = p, nil
	err := w.raw.Write(w.onRaw)
	w.p = nil
	if err == nil && w.err != nil {
		err = &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", w.err)}
	}
	return err
}

// writeRaw writes as much as can be without waiting, and reports whether that
// was all or there is no more to be done.
func (w *writer) writeRaw(fd uintptr) bool {
	for len(w.p) > 0 {
		n, errno := writeNow(fd, w.p)
		switch errno {
		case 0:
			w.p = w.p[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			w.err = errno
			return true
		}
	}
	return true
}

// bareTCP returns the TCP connection whose bytes are those of c, or nil. A
// wrapper that holds no bytes back may say so by a method BareTCP.
func bareTCP(c net.Conn) *net.TCPConn {
	switch c := c.(type) {
	case *net.TCPConn:
		return c
	case interface{ BareTCP() *net.TCPConn }:
		return c.BareTCP()
	}
	return nil
}

// socketOf returns the socket below c, through TLS and wrappers, or nil. It is
// for asking about its state, not for reading.
func socketOf(c net.Conn) syscall.RawConn {
	for range 4 {
		switch t := c.(type) {
		case syscall.Conn:
			raw, err := t.SyscallConn()
			if err != nil {
				return nil
			}
			return raw
		case *tls.Conn:
			c = t.NetConn()
		case interface{ NetConn() net.Conn }: // also where bytes are held back
			c = t.NetConn()
		default:
			return nil
		}
	}
	return nil
}

func (r *reader) buffered() int { return r.w - r.r }

// bytes returns what is buffered. It is valid until the next call.
func (r *reader) bytes() []byte { return r.buf[r.r:r.w] }

// skip forgets n buffered bytes, and the buffer where none are left.
func (r *reader) skip(n int) {
	r.r += n
	if r.r == r.w {
		r.release()
	}
}

func (r *reader) release() {
	if r.page != nil {
		pages.Put(r.page)
		r.page = nil
	}
	r.buf, r.r, r.w = nil, 0, 0
}

// readRaw reads into a fresh buffer, or reports false where there is nothing to
// read yet, in which case no buffer is held. Where something is to be asked for
// first, it does that and no more: the connection was made ready to be waited
// for before, so that no answer is missed, and none can be there yet.
//
// The same holds for what comes while serve is at work: it is not forgotten that
// the socket became readable. So, where the last read did not fill its buffer,
// nothing needs to be read only to learn that there is nothing.
func (r *reader) readRaw(fd uintptr) bool {
	if len(r.ask) > 0 {
		r.rawE = nil
		n, errno := writeNow(fd, r.ask)
		if errno != 0 && errno != syscall.EAGAIN && errno != syscall.EINTR {
			r.ask, r.rawE = nil, errno
			return true
		}
		r.ask = r.ask[n:]
		return len(r.ask) > 0
	}
	p := pages.Get().(*page) //nolint:forcetypeassert // the pool holds nothing else
	for {
		n, errno := readNow(fd, p[:])
		switch errno {
		case 0:
			r.page, r.buf = p, p[:]
			r.r, r.w, r.rawE = 0, n, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			pages.Put(p)
			return false
		default:
			pages.Put(p)
			r.rawE = errno
		}
		if r.woke != nil {
			r.woke()
		}
		return r.serve == nil || r.w == 0 || r.w == pageSize || !r.serve(fd)
	}
}

// write writes p, now or before the next bytes are waited for. P must not
// change until then.
func (r *reader) write(p []byte) error {
	if r.raw != nil && r.r == r.w {
		r.ask = p
		return nil
	}
	_, err := r.conn.Write(p)
	return err
}

// askRest writes what did not fit into the socket.
func (r *reader) askRest() error {
	p := r.ask
	r.ask = nil
	_, err := r.conn.Write(p)
	return err
}

// fill reads more bytes, at least one where it returns nil. The buffer grows up
// to limit bytes.
func (r *reader) fill(limit int) error {
	if r.r == r.w && r.raw != nil {
		r.release()
		for {
			if err := r.raw.Read(r.onRaw); err != nil {
				r.ask = nil
				return err
			}
			if len(r.ask) == 0 {
				break
			}
			if err := r.askRest(); err != nil {
				return err
			}
		}
		if r.rawE != nil {
			return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", r.rawE)}
		}
		if r.page != nil && r.w == 0 {
			r.release()
			return io.EOF
		}
		return nil
	}
	if r.buf == nil {
		r.page = pages.Get().(*page) //nolint:forcetypeassert // the pool holds nothing else
		r.buf = r.page[:]
	}
	if r.w == len(r.buf) {
		if err := r.grow(limit); err != nil {
			return err
		}
	}
	n, err := r.conn.Read(r.buf[r.w:])
	if r.woke != nil {
		r.woke()
	}
	r.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

func (r *reader) grow(limit int) error {
	n := r.buffered()
	switch {
	case r.r > 0:
		copy(r.buf, r.buf[r.r:r.w])
	case n >= limit:
		return errFull
	default:
		bigger := make([]byte, min(max(2*len(r.buf), blockSize/2), limit+pageSize))
		copy(bigger, r.buf)
		if r.page != nil {
			pages.Put(r.page)
			r.page = nil
		}
		r.buf = bigger
	}
	r.r, r.w = 0, n
	return nil
}

// read moves bytes to p: buffered ones, else from the connection.
func (r *reader) read(p []byte) (int, error) {
	if r.r < r.w {
		n := copy(p, r.buf[r.r:r.w])
		r.skip(n)
		return n, nil
	}
	return r.conn.Read(p)
}

// deadline sets the deadlines of one direction of a connection as seldom as it
// can: one that is at most an eighth, and at most a second, later than asked for
// is left alone.
type deadline struct {
	set func(time.Time) error
	at  time.Time
}

// after bounds the next operation to d from now; 0 = no bound.
func (l *deadline) after(now time.Time, d time.Duration) {
	if d <= 0 {
		l.exact(time.Time{})
		return
	}
	slack := min(d/8, time.Second)
	if left := l.at.Sub(now) - d; !l.at.IsZero() && left >= 0 && left <= slack {
		return
	}
	l.exact(now.Add(d + slack))
}

// exact sets the deadline to t.
func (l *deadline) exact(t time.Time) {
	if l.at.Equal(t) {
		return
	}
	l.at = t
	_ = l.set(t) // fails only on a closed connection, which the next operation tells
}

// forget makes the next call set the deadline whatever it was.
func (l *deadline) forget() { l.at = time.Unix(1, 0) }
