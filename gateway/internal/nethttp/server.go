package nethttp

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
)

// DefaultStreams is how many streams a client may have open at a time on one
// connection where nothing else is said.
const DefaultStreams = 250

const (
	// pingAfter is the silence after which a client is asked whether it is still
	// there, and pingWait how long it may take to answer.
	pingAfter = 30 * time.Second
	pingWait  = 15 * time.Second
	// drainEvery is how often a connection is told again that it is to end: it
	// may not have been set up when it was told first.
	drainEvery = 100 * time.Millisecond
	// maxFrame is the largest frame taken, the least that RFC 9113 allows: larger
	// ones would only cost memory.
	maxFrame = 16 << 10
)

// Server serves connections that speak HTTP/2. Set the fields before the first
// use and change none afterwards.
type Server struct {
	// Handler answers the requests.
	Handler transport.Handler
	// Limits bound what a client may do; zero values are the defaults.
	Limits transport.Limits
	// Streams bounds the open streams of a connection; 0 = [DefaultStreams].
	Streams uint32
	// Misdirected reports whether a request for that authority may not be served
	// over a TLS connection in that state; such a request is answered 421. Nil
	// for none.
	Misdirected func(state *tls.ConnectionState, authority string) bool
	// Log takes what goes wrong with connections, at debug level.
	Log *slog.Logger
	// Now is the clock; nil = time.Now.
	Now func() time.Time

	buffers sync.Pool // of *[bufferSize]byte
}

// ServeConn serves a connection until it ends, and closes it. The connection
// may tell its peer ([transport.Conn]), its TLS state (a method
// ConnectionState) and that its listener is draining (a method Draining), in
// which case the next answer is followed by GOAWAY. When ctx is done the client
// is told by GOAWAY to open no further streams, those open are served to their
// end, and the connection is closed. To cut streams off, close c.
func (s *Server) ServeConn(ctx context.Context, c net.Conn) {
	defer c.Close() //nolint:errcheck // nothing to do about it
	l := withDefaults(s.Limits)
	base := &http.Server{
		// Beyond twice the limit the library answers 431 by itself, without the
		// engine; up to there the answer is a problem document as any other.
		MaxHeaderBytes:    2 * l.HeaderBytes,
		ReadHeaderTimeout: l.HeaderTime,
		IdleTimeout:       l.KeepAlive,
	}
	handler := slog.DiscardHandler
	if s.Log != nil {
		handler = s.Log.Handler()
	}
	base.ErrorLog = slog.NewLogLogger(handler, slog.LevelDebug)
	h2 := &http2.Server{
		MaxConcurrentStreams: DefaultStreams,
		IdleTimeout:          l.KeepAlive,
		ReadIdleTimeout:      pingAfter,
		PingTimeout:          pingWait,
		WriteByteTimeout:     l.WriteIdle,
		MaxReadFrameSize:     maxFrame,
	}
	if s.Streams > 0 {
		h2.MaxConcurrentStreams = s.Streams
	}
	if err := http2.ConfigureServer(base, h2); err != nil {
		s.debug("configuring HTTP/2", err)
		return
	}
	sc := &serverConn{s: s, limits: l}
	if p, ok := c.(interface{ Peer() netip.AddrPort }); ok {
		sc.peer = p.Peer()
	} else if a, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil {
		sc.peer = a
	}
	if d, ok := c.(interface{ Draining() bool }); ok {
		sc.draining = d.Draining
	}
	done := make(chan struct{})
	var drainer sync.WaitGroup
	drainer.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer drainer.Done()
		drain(context.WithoutCancel(ctx), base, done)
	})
	h2.ServeConn(watch(c, l), &http2.ServeConnOpts{
		Context:    context.WithoutCancel(ctx),
		BaseConfig: base,
		Handler:    sc,
	})
	close(done)
	if stop() {
		drainer.Done()
	}
	drainer.Wait()
}

// drain sends GOAWAY until the connection has ended.
func drain(ctx context.Context, base *http.Server, done <-chan struct{}) {
	tick := time.NewTicker(drainEvery)
	defer tick.Stop()
	for {
		_ = base.Shutdown(ctx) // returns at once: base has no connections of its own
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

func (s *Server) debug(msg string, err error) {
	if s.Log != nil {
		s.Log.Debug(msg, "err", err) //nolint:sloglint // all callers pass constants
	}
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func withDefaults(l transport.Limits) transport.Limits {
	d := transport.DefaultLimits()
	set(&l.HeaderBytes, d.HeaderBytes)
	set(&l.HeaderCount, d.HeaderCount)
	set(&l.URIBytes, d.URIBytes)
	set(&l.HeaderTime, d.HeaderTime)
	set(&l.BodyIdle, d.BodyIdle)
	set(&l.WriteIdle, d.WriteIdle)
	set(&l.KeepAlive, d.KeepAlive)
	return l
}

func set[T int | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// serverConn answers the requests of one connection.
type serverConn struct {
	s        *Server
	limits   transport.Limits
	peer     netip.AddrPort
	draining func() bool // nil = never
	requests atomic.Int64
}

// last reports whether no further request shall follow this one.
func (c *serverConn) last() bool {
	n := c.requests.Add(1)
	return c.limits.RequestsPerConnection > 0 && n >= int64(c.limits.RequestsPerConnection) ||
		c.draining != nil && c.draining()
}
