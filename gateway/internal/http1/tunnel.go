package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// upgrade answers 101 and carries bytes both ways until both sides have ended,
// one has failed, or nothing has come for too long. It always ends the
// connection.
func (c *conn) upgrade(ex *policy.Exchange) bool {
	t := ex.Response.Tunnel
	defer t.Close() //nolint:errcheck // there is nothing to do about it
	var closer io.Closer = t
	c.tunnel.Store(&closer)
	defer c.tunnel.Store(nil)
	c.endless.Store(true)
	ex.OnCancel(nil) // each direction sees for itself that the client has left
	c.since.Store(0)

	c.out.small()
	defer c.out.release()
	b := append(c.out.buf, statusLines[101]...)
	b = append(b, "Connection: Upgrade\r\nUpgrade: "...)
	b = append(append(b, ex.Request.Upgrade...), '\r', '\n')
	fields := ex.Response.Header.Fields()
	for i := range fields {
		if isFramingField(fields[i].Name) {
			continue
		}
		var ok bool
		if b, ok = appendField(b, &fields[i]); !ok {
			ex.Outcome.Err = errHeaderField
			c.bare(ex, errHeaderField)
			return false
		}
	}
	c.out.buf = append(b, '\r', '\n')
	if err := c.write(c.out.buf); err != nil {
		c.mu.Lock()
		c.gone = true
		c.mu.Unlock()
		return false
	}
	c.out.release()

	idle := c.srv.TunnelIdle
	or(&idle, DefaultTunnelIdle)
	p := &pipe{idle: idle}
	p.last.Store(time.Now().UnixNano())
	client := &clientSide{Conn: c.nc, in: &c.in}
	up := make(chan int64, 1)
	go func() { up <- p.copy(t, client) }()
	ex.Outcome.ResponseBytes = p.copy(client, t)
	c.body.n = <-up
	return false
}

// clientSide is the client's end of a tunnel: what was read ahead comes first.
type clientSide struct {
	net.Conn
	in *reader
}

// Read reads what was read ahead, then the connection.
func (s *clientSide) Read(p []byte) (int, error) { return s.in.read(p) }

// CloseWrite ends the direction to the client.
func (s *clientSide) CloseWrite() error { return closeWrite(s.Conn) }

// closeWrite ends one direction of a connection, or both where it must.
func closeWrite(c net.Conn) error {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return c.Close()
}

// pipe is what the two directions of a tunnel share.
type pipe struct {
	idle time.Duration
	last atomic.Int64 // when something came last, in either direction
}

// copy carries bytes from src to dst until src ends, and then ends that
// direction. It returns how many.
func (p *pipe) copy(dst, src io.ReadWriteCloser) (total int64) {
	b := pages.Get().(*page) //nolint:forcetypeassert // the pool holds nothing else
	defer pages.Put(b)
	var rd, wd deadline
	rd.set, wd.set = func(time.Time) error { return nil }, func(time.Time) error { return nil }
	if s, ok := src.(interface{ SetReadDeadline(time.Time) error }); ok {
		rd.set = s.SetReadDeadline
	}
	if d, ok := dst.(interface{ SetWriteDeadline(time.Time) error }); ok {
		wd.set = d.SetWriteDeadline
	}
	rd.forget()
	wd.forget()
	for {
		rd.after(time.Now(), p.idle)
		n, err := src.Read(b[:])
		if n > 0 {
			now := time.Now()
			p.last.Store(now.UnixNano())
			wd.after(now, p.idle)
			k, werr := dst.Write(b[:n])
			total += int64(k)
			if werr != nil {
				err = werr
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			if w, ok := dst.(interface{ CloseWrite() error }); ok && w.CloseWrite() == nil {
				return total
			}
			_ = dst.Close()
			return total
		case n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && time.Now().UnixNano()-p.last.Load() < int64(p.idle):
			rd.forget() // the other direction was busy
		default:
			_ = dst.Close()
			_ = src.Close()
			return total
		}
	}
}
