package listen

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

// ConnServer serves connections of one protocol. ServeConn returns when the
// connection has ended. The connection is a transport.Conn; within TLS it has a
// method ConnectionState; and it has a method Draining that reports whether
// answers are to ask the client to connect anew, since the listener is about to
// close. When ctx is done the connection is to end as soon as nothing is under
// way; a connection handed over afterwards still serves the request that it
// begins with.
type ConnServer interface {
	ServeConn(ctx context.Context, c net.Conn)
}

// Options are what a server uses.
type Options struct {
	// HTTP1 and HTTP2 serve what was negotiated.
	HTTP1, HTTP2 ConnServer
	// Certificates are needed where the listener has TLS.
	Certificates *Certificates
	// Inherited are sockets handed down to this process; nil for none.
	Inherited *Inherited
	Log       *slog.Logger
	// Metrics is told of connections; nil = nobody.
	Metrics Metrics
}

// Metrics is told of connections. Calls must be quick.
type Metrics interface {
	Opened()
	Closed()
	// Refused is called for a connection that ended before a request: in its
	// PROXY header or in its TLS handshake.
	Refused(err error)
}

type noMetrics struct{}

func (noMetrics) Opened()       {}
func (noMetrics) Closed()       {}
func (noMetrics) Refused(error) {}

const (
	// proxyTime is the longest that a trusted peer may take for its header.
	proxyTime = 5 * time.Second
	// firstRequest is how long a connection that was accepted before the end of
	// draining may take to begin its request.
	firstRequest = time.Second
	// lastAccept is how long the queue is asked for further connections before
	// the socket closes.
	lastAccept = 50 * time.Millisecond
	// Pauses after an error of accepting, such as EMFILE.
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// Server is one open port. Make it with [Open], run it with [Server.Serve].
type Server struct {
	config   Listener
	limits   transport.Limits
	trusted  peers
	o        Options
	tls      *tls.Config
	listener *net.TCPListener

	ctx    context.Context //nolint:containedctx // done when connections are to end
	cancel context.CancelFunc
	slots  chan struct{} // one for each open connection, nil = no bound

	draining atomic.Bool
	shared   atomic.Bool   // the socket is, or will be, another process's too
	stopping chan struct{} // closed when the last connections are accepted
	stopOnce sync.Once
	served   chan struct{} // closed when Serve has returned

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
}

// Open opens the port, by taking over an inherited socket where there is one.
// From then on clients can connect; they are served once Serve runs.
func Open(ctx context.Context, config Listener, o Options) (*Server, error) {
	if fields := config.Validate(""); len(fields) > 0 {
		return nil, fmt.Errorf("listener %s: %s: %s", config.Address, fields[0].Pointer, fields[0].Detail) //nolint:err113 // shown as it is
	}
	s := &Server{
		config: config, limits: config.Limits.Transport(), o: o,
		stopping: make(chan struct{}), served: make(chan struct{}), conns: map[net.Conn]struct{}{},
	}
	if s.o.Metrics == nil {
		s.o.Metrics = noMetrics{}
	}
	if s.o.Log == nil {
		s.o.Log = slog.New(slog.DiscardHandler)
	}
	if config.TLS != nil {
		if o.Certificates == nil {
			return nil, fmt.Errorf("listener %s: it has tls but no certificates were loaded", config.Address) //nolint:err113 // shown as it is
		}
		s.tls = o.Certificates.TLSConfig()
	}
	if config.ProxyProtocol != nil {
		s.trusted, _, _ = parsePeers(config.ProxyProtocol.TrustedPeers) // validated above
	}
	if n := s.limits.Connections; n > 0 {
		s.slots = make(chan struct{}, n)
	}
	s.listener = o.Inherited.take(config.Address)
	s.shared.Store(s.listener != nil)
	if s.listener == nil {
		lc := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4}}
		// Sockets of Multipath TCP, the default of package net, take no filter.
		lc.SetMultipathTCP(false)
		if isOn(config.ReusePort) {
			lc.Control = setReusePort
		}
		l, err := lc.Listen(ctx, "tcp", config.Address)
		if err != nil {
			return nil, fmt.Errorf("opening listener %s: %w", config.Address, err)
		}
		t, ok := l.(*net.TCPListener)
		if !ok {
			_ = l.Close()
			return nil, fmt.Errorf("opening listener %s: %w", config.Address, errNotTCP)
		}
		s.listener = t
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return s, nil
}

// Addr returns the address that the port is open on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Connections returns the number of open connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Serve accepts connections until Shutdown, and then returns nil. At the bound
// of connections it stops accepting: further ones wait in the kernel's queue.
func (s *Server) Serve() error {
	defer close(s.served)
	pause := firstPause
	for {
		held := s.acquire()
		c, err := s.listener.Accept()
		switch {
		case err == nil:
			pause = firstPause
			s.wg.Add(1)
			go s.serve(c, held)
			continue
		case s.stopped():
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accepting on %s: %w", s.Addr(), err)
		}
		if held {
			<-s.slots
		}
		s.o.Log.Warn("accepting connections is interrupted", "address", s.Addr().String(), "pause", pause.String(), "err", err)
		select {
		case <-time.After(pause):
		case <-s.stopping:
		}
		pause = min(2*pause, lastPause)
	}
}

// acquire waits for a free place and reports whether it took one. While the
// port is about to close nobody waits: what is in the queue must be served.
func (s *Server) acquire() bool {
	if s.slots == nil {
		return false
	}
	select {
	case s.slots <- struct{}{}:
		return true
	case <-s.stopping:
		return false
	}
}

func (s *Server) stopped() bool {
	select {
	case <-s.stopping:
		return true
	default:
		return false
	}
}

// Shutdown ends the server: it is StopAccepting and then Wait.
func (s *Server) Shutdown(ctx context.Context, delay time.Duration) error {
	s.StopAccepting(ctx, delay)
	return s.Wait(ctx)
}

// StopAccepting goes on accepting for delay, so that balancers can notice that
// the gateway is no longer ready, while answers ask clients to connect anew;
// turns new connections away, so that none is in the queue when the port closes
// (clients try again by themselves within a second, and meet the next process);
// accepts what is left; closes the port; and tells the connections to end.
func (s *Server) StopAccepting(ctx context.Context, delay time.Duration) {
	s.draining.Store(true)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	// A shared socket keeps its queue.
	if raw, err := s.listener.SyscallConn(); err == nil && !s.shared.Load() && isOn(s.config.ReusePort) {
		if err := turnAway(raw); err != nil {
			s.o.Log.Warn("connections may be reset while the port closes", "address", s.Addr().String(), "err", err)
		}
	}
	s.stopOnce.Do(func() { close(s.stopping) })
	_ = s.listener.SetDeadline(time.Now().Add(lastAccept))
	<-s.served
	_ = s.listener.Close()
	s.cancel()
}

// Wait waits for what is under way until ctx is done, and cuts the rest. It
// returns an error where connections had to be cut. It is called after
// StopAccepting.
func (s *Server) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	cut := len(s.conns)
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	<-done
	if cut == 0 {
		return nil
	}
	return fmt.Errorf("draining %s: %d connections were cut: %w", s.Addr(), cut, ctx.Err())
}

// Close closes a port that was never served.
func (s *Server) Close() error {
	s.cancel()
	return s.listener.Close()
}

func (s *Server) serve(raw net.Conn, held bool) {
	s.mu.Lock()
	s.conns[raw] = struct{}{}
	s.mu.Unlock()
	s.o.Metrics.Opened()
	defer func() {
		s.o.Metrics.Closed()
		if p := recover(); p != nil { // one connection must not end the process
			s.o.Log.Error("connection ended by a panic", "panic", fmt.Sprint(p))
		}
		_ = raw.Close()
		s.mu.Lock()
		delete(s.conns, raw)
		s.mu.Unlock()
		if held {
			<-s.slots
		}
		s.wg.Done()
	}()
	c := &conn{Conn: raw, server: s}
	if a, ok := raw.RemoteAddr().(*net.TCPAddr); ok {
		p := a.AddrPort()
		c.peer = netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	to, next, err := s.begin(c)
	if err != nil {
		s.o.Metrics.Refused(err)
		s.o.Log.Debug("connection ended before a request", "peer", c.peer.String(), "err", err)
		return
	}
	to.ServeConn(s.ctx, next)
}

// begin brings a connection to where HTTP begins.
func (s *Server) begin(c *conn) (ConnServer, net.Conn, error) {
	l, p := &s.limits, s.config.ProxyProtocol
	if p != nil && s.trusted.contain(c.peer.Addr()) {
		if err := c.readProxy(min(proxyTime, l.HeaderTime), p.Versions); err != nil {
			return nil, nil, err
		}
	}
	if s.tls != nil {
		return s.handshake(c)
	}
	if p == nil && !s.config.H2C {
		return s.o.HTTP1, c, nil
	}
	h2, err := c.sniff(s.ctx, l.KeepAlive, l.HeaderTime, firstRequest)
	switch {
	case err != nil:
		return nil, nil, err
	case h2 && s.config.H2C:
		return s.o.HTTP2, c, nil
	}
	return s.o.HTTP1, c, nil
}

func (s *Server) handshake(c *conn) (ConnServer, net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.limits.HeaderTime)
	defer cancel()
	t := tls.Server(c, s.tls)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, nil, fmt.Errorf("TLS handshake: %w", err)
	}
	tc := &tlsConn{Conn: t, raw: c}
	if t.ConnectionState().NegotiatedProtocol == "h2" {
		return s.o.HTTP2, tc, nil
	}
	return s.o.HTTP1, tc, nil
}
