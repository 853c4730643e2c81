package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
)

// DefaultTunnelIdle is the longest silence on an upgraded connection where the
// server does not say otherwise.
const DefaultTunnelIdle = 10 * time.Minute

// Server speaks HTTP/1.1 and HTTP/1.0 on connections that it is handed. Its
// fields must not be changed once it serves.
type Server struct {
	// Handler works on the requests.
	Handler transport.Handler
	// Limits returns the limits for a new connection; nil = the default ones.
	Limits func() transport.Limits
	// Log gets what goes wrong besides refused requests; nil = nowhere.
	Log *slog.Logger
	// H2C takes over a clear-text connection that begins with the HTTP/2 preface,
	// which the connection will read again, and returns when it has ended. Where
	// it is nil the preface is answered as a request of a wrong version.
	H2C func(ctx context.Context, c net.Conn)
	// Misdirected reports whether a request for that authority may not be served
	// over a TLS connection in that state; such a request is answered 421. Nil
	// for none.
	Misdirected func(state *tls.ConnectionState, authority string) bool
	// TunnelIdle is the longest silence on an upgraded connection; 0 =
	// [DefaultTunnelIdle].
	TunnelIdle time.Duration

	draining atomic.Bool

	mu       sync.Mutex
	conns    map[*conn]struct{}
	watching bool
	quit     chan struct{} // closed when the server drains
	empty    chan struct{} // closed when it drains and no connection is left
}

// ServeConn serves one connection until it ends, and closes it. The handshake of
// a *tls.Conn is done before. A connection that wraps another should have
//
//   - Peer, see [transport.Conn];
//   - NetConn() net.Conn, like *tls.Conn, for without it a client that leaves is
//     noticed only when the answer is written;
//   - BareTCP() *net.TCPConn where the wrapper holds no bytes back, so that the
//     server reads from the socket directly and idle connections need no buffer.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	c := newConn(ctx, s, nc)
	s.add(c)
	defer s.remove(c)
	defer func() {
		if v := recover(); v != nil {
			s.log().ErrorContext(ctx, "serving a connection failed", "peer", c.peer.String(), "error", fmt.Sprint(v))
			c.end(nil)
		}
	}()
	defer nc.Close() //nolint:errcheck // there is nothing to do about it
	c.serve()
}

// Serve accepts and serves connections until the listener is closed.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("accepting a connection: %w", err)
		}
		go s.ServeConn(ctx, c)
	}
}

// Shutdown closes kept connections at once, lets exchanges under way end, with
// Connection: close, and closes what is left when ctx is done. It returns
// ctx.Err() in that case. A connection that was accepted before and is handed
// over only now, for example after its TLS handshake, is still served the
// request that it begins with.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.draining.Swap(true) {
		s.empty = make(chan struct{})
		if s.quit != nil {
			close(s.quit)
		}
		if len(s.conns) == 0 {
			close(s.empty)
		}
	}
	for c := range s.conns {
		if c.phase.CompareAndSwap(phaseIdle, phaseClosed) {
			_ = c.nc.Close()
		} else if c.phase.Load() == phaseNew {
			// Its request may be on its way, and no client sends it again: the
			// connection is not one that was kept.
			_ = c.nc.SetReadDeadline(time.Now().Add(lateTime))
		}
	}
	empty := s.empty
	s.mu.Unlock()

	select {
	case <-empty:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for c := range s.conns {
		c.abort()
	}
	s.mu.Unlock()
	<-empty
	return ctx.Err()
}

// Connections returns the number of open connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func (s *Server) add(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.late = s.draining.Load()
	if s.conns == nil {
		s.conns = make(map[*conn]struct{})
		if s.quit == nil {
			s.quit = make(chan struct{})
		}
	}
	s.conns[c] = struct{}{}
	if !s.watching && !c.late {
		s.watching = true
		go s.watch()
	}
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if len(s.conns) == 0 && s.draining.Load() {
		select {
		case <-s.empty:
		default:
			close(s.empty)
		}
	}
}

func (s *Server) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

func (s *Server) limits() transport.Limits {
	if s.Limits == nil {
		return transport.DefaultLimits()
	}
	l, d := s.Limits(), transport.DefaultLimits()
	or(&l.HeaderBytes, d.HeaderBytes)
	or(&l.HeaderCount, d.HeaderCount)
	or(&l.URIBytes, d.URIBytes)
	or(&l.HeaderTime, d.HeaderTime)
	or(&l.BodyIdle, d.BodyIdle)
	or(&l.WriteIdle, d.WriteIdle)
	or(&l.KeepAlive, d.KeepAlive)
	return l
}

func or[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func peerOf(c net.Conn) netip.AddrPort {
	if t, ok := c.(transport.Conn); ok {
		return t.Peer()
	}
	if t, ok := c.(*tls.Conn); ok {
		return peerOf(t.NetConn())
	}
	a, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := a.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
