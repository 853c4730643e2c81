package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// conn is a connection whose first bytes may have been looked at. It is a
// transport.Conn.
type conn struct {
	net.Conn
	seen   []byte // read already, and to be read again
	peer   netip.AddrPort
	server *Server
}

// Read returns what was looked at first.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.seen) > 0 {
		n := copy(p, c.seen)
		if c.seen = c.seen[n:]; len(c.seen) == 0 {
			c.seen = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// Peer is the address to treat as the client's.
func (c *conn) Peer() netip.AddrPort { return c.peer }

// NetConn returns the connection below.
func (c *conn) NetConn() net.Conn { return c.Conn }

// BareTCP returns the connection below, where no bytes are held back and it is
// a TCP one.
func (c *conn) BareTCP() *net.TCPConn {
	if len(c.seen) > 0 {
		return nil
	}
	t, _ := c.Conn.(*net.TCPConn)
	return t
}

// Draining reports whether the listener is about to close, so that answers are
// to ask the client to connect anew.
func (c *conn) Draining() bool { return c.server.draining.Load() }

// more reads once, up to max bytes in all, and appends what came to seen.
func (c *conn) more(limit int) error {
	if len(c.seen) >= limit {
		return errors.New("too many bytes before a decision") //nolint:err113 // cannot happen: callers decide by then
	}
	at := len(c.seen)
	c.seen = slices.Grow(c.seen, limit-at)[:limit]
	n, err := c.Conn.Read(c.seen[at:])
	c.seen = c.seen[:at+n]
	if n > 0 {
		return nil
	}
	return err
}

// tlsConn is a conn within TLS. It has the methods of tls.Conn, such as
// ConnectionState.
type tlsConn struct {
	*tls.Conn
	raw *conn
}

// Peer is the address to treat as the client's.
func (c *tlsConn) Peer() netip.AddrPort { return c.raw.peer }

// Draining reports whether the listener is about to close.
func (c *tlsConn) Draining() bool { return c.raw.Draining() }

// IsProxy reports whether a connection ended because of its PROXY header.
func IsProxy(err error) bool { return errors.Is(err, errProxy) }

// readProxy reads the PROXY header of a trusted peer.
func (c *conn) readProxy(within time.Duration, versions []int) error {
	_ = c.SetReadDeadline(time.Now().Add(within))
	for {
		if len(c.seen) > 0 {
			h, n, err := parseProxy(c.seen)
			switch {
			case err != nil:
				return err
			case n > 0 && len(versions) > 0 && !slices.Contains(versions, h.version):
				return fmt.Errorf("%w: version %d is not taken here", errProxy, h.version)
			case n > 0:
				c.seen = c.seen[n:]
				if h.client.IsValid() {
					c.peer = h.client
				}
				return c.SetReadDeadline(time.Time{})
			}
		}
		if err := c.more(maxProxy2); err != nil {
			return fmt.Errorf("reading the PROXY header: %w", err)
		}
	}
}

var preface = []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

// sniff reports whether a clear-text connection begins with the HTTP/2 preface.
// It decides by the first bytes that tell, so HTTP/1 is not delayed.
func (c *conn) sniff(ctx context.Context, first, rest, drain time.Duration) (h2 bool, err error) {
	_ = c.SetReadDeadline(time.Now().Add(first))
	// A client that has sent nothing yet may be just about to.
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Now().Add(drain)) })
	defer stop()
	for begun := false; ; {
		b := c.seen
		switch {
		case len(b) == 0:
		case len(b) >= len(preface) && hasStart(b, preface):
			return true, c.settle(stop)
		case hasStart(b, proxy1Start) && len(b) >= len(proxy1Start), hasStart(b, proxy2Start) && len(b) >= len(proxy2Start):
			return false, errUntrusted
		case !hasStart(b, preface) && !hasStart(b, proxy1Start) && !hasStart(b, proxy2Start):
			return false, c.settle(stop)
		case !begun:
			begun = true
			_ = c.SetReadDeadline(time.Now().Add(rest))
		}
		if err := c.more(sniffBytes); err != nil {
			return false, err
		}
	}
}

// settle hands the connection on without a deadline of ours.
func (c *conn) settle(stop func() bool) error {
	stop()
	return c.SetReadDeadline(time.Time{})
}

// sniffBytes is how much is read at once while deciding: a whole request, as a
// rule.
const sniffBytes = 2048
