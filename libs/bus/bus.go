// Package bus is how services talk to each other, over NATS: events that are
// delivered at least once ([Publish], [Consume]) or heard by every replica that
// is there ([Listen]), requests that are answered ([Ask], [Answer]), HTTP
// carried to the service that owns a resource ([Forward], [Serve]), values that
// many read and are told of ([Bus.Bucket]), batches of records ([Ship],
// [Collect]), and work that only one replica may do at a time ([Lease]).
//
// A [Bus] is one connection with the identity of one service. It outlives every
// outage: it may be made before NATS is there, it reconnects for ever, and what
// is asked of it meanwhile waits, within the bounds of its context.
//
// The package knows no service, no event and no request; those are plain
// structs of the contract packages that say their own subject.
package bus

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Options say who connects, and to what.
type Options struct {
	// Service is the name of the service that speaks, such as "policy-manager".
	Service string
	// URL is one or more addresses, separated by commas, such as
	// "nats://nats:4222". It is not used with InProcess.
	URL string
	// InProcess connects to a server of the same process, without a socket.
	InProcess nats.InProcessConnProvider
	// Username and Password are the service's own credentials.
	Username, Password string
	// TLS protects the connection; nil leaves that to the URL's scheme.
	TLS *tls.Config
	// Replicas is how many copies of streams a cluster keeps, where this
	// service is the one that makes them; 0 means 1.
	Replicas int
	// AskTimeout bounds a request whose context has no deadline; 0 means 10 s.
	AskTimeout time.Duration
	// MaxRequests bounds how many requests, and apart from them how many
	// forwarded HTTP requests, are answered at once; 0 means 1024. Requests
	// past it wait, forwarded ones are refused with 503.
	MaxRequests int
	// Log is where the bus logs; nil discards.
	Log *slog.Logger
	// Metrics is where the bus registers its collectors; nil registers none.
	Metrics prometheus.Registerer
}

// Bus is a connection to NATS. Make one with [Connect] and end it with
// [Bus.Close].
type Bus struct {
	opt     Options
	log     *slog.Logger
	nc      *nats.Conn
	js      jetstream.JetStream
	inbox   string // the prefix of all subjects that are this instance's own
	metrics *metrics

	// stop ends when Close begins: nothing new is taken in. kill ends when
	// Close runs out of patience, or is done.
	stop, kill             context.Context
	cancelStop, cancelKill context.CancelFunc

	mu      sync.Mutex
	closed  bool
	changed chan struct{} // closed, and replaced, when the connection comes or goes
	watches map[*watch]struct{}
	calls   map[string]context.CancelFunc // requests being answered, by their reply subject
	subs    []*nats.Subscription          // taking in requests
	cancels map[string]bool               // owners whose cancellations are subscribed to
	streams map[string]*stream            // forwarded HTTP, by the last token of their inbox
	pump    bool                          // frames of streams are subscribed to
	there   map[string]bool               // streams into which the last publication went

	sealed  bool // nothing is begun any more
	working sync.WaitGroup
	room    chan struct{} // one token per request being answered
	served  chan struct{} // one token per forwarded request being served
}

// PermissionError says that the service's credentials do not allow it to use a
// subject. It is a fault of the installation, and trying again is no use.
type PermissionError struct {
	// Service is whose credentials they are.
	Service string
	// Subject is what may not be used.
	Subject string
	// Subscribe tells a subscription from a publication.
	Subscribe bool
}

// Error names the service and the subject.
func (e *PermissionError) Error() string {
	verb := "publish"
	if e.Subscribe {
		verb = "subscribe"
	}
	return fmt.Sprintf("the NATS user of %s may not %s to %q: add it to the service's permissions", e.Service, verb, e.Subject)
}

// ErrClosed says that the bus was closed.
var ErrClosed = errors.New("the bus is closed")

// Connect returns a bus that connects in the background: it does not wait for
// NATS. It fails only for options that can never work.
func Connect(opt Options) (*Bus, error) {
	if !token(opt.Service) {
		return nil, fmt.Errorf("connecting to NATS: service name %q must be of letters, digits and hyphens", opt.Service)
	}
	if opt.AskTimeout == 0 {
		opt.AskTimeout = 10 * time.Second
	}
	if opt.MaxRequests == 0 {
		opt.MaxRequests = 1024
	}
	b := &Bus{
		opt: opt, log: opt.Log,
		inbox:   inboxPrefix + opt.Service + "." + rand.Text(),
		changed: make(chan struct{}),
		watches: map[*watch]struct{}{},
		calls:   map[string]context.CancelFunc{},
		cancels: map[string]bool{},
		streams: map[string]*stream{},
		there:   map[string]bool{},
		room:    make(chan struct{}, opt.MaxRequests),
		served:  make(chan struct{}, opt.MaxRequests),
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if b.metrics, err = newMetrics(opt.Metrics, opt.Service); err != nil {
		return nil, fmt.Errorf("registering metrics of the bus: %w", err)
	}
	b.stop, b.cancelStop = context.WithCancel(context.Background())
	b.kill, b.cancelKill = context.WithCancel(context.Background())
	if b.nc, err = nats.Connect(opt.URL, b.natsOptions()...); err == nil {
		b.js, err = jetstream.New(b.nc)
	}
	if err != nil {
		b.cancelStop()
		b.cancelKill()
		return nil, fmt.Errorf("connecting to NATS: %w", err)
	}
	return b, nil
}

func (b *Bus) natsOptions() []nats.Option {
	os := []nats.Option{
		nats.Name(b.opt.Service),
		nats.CustomInboxPrefix(b.inbox),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // the user may be created later
		nats.ReconnectBufSize(-1),   // what cannot be sent is an error, not sent late
		nats.CustomReconnectDelay(func(n int) time.Duration { return backoff(n, 50*time.Millisecond, 5*time.Second) }),
		nats.Timeout(5 * time.Second),
		nats.PingInterval(10 * time.Second),
		nats.ConnectHandler(func(*nats.Conn) { b.signal(); b.log.Info("connected to NATS") }),
		nats.ReconnectHandler(func(*nats.Conn) { b.signal(); b.log.Info("connected to NATS again") }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			b.lost()
			b.signal()
			if b.stop.Err() == nil || err != nil { // else it was closed from here
				b.log.Warn("lost the connection to NATS", "err", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, s *nats.Subscription, err error) { b.failed(s, err) }),
	}
	if b.opt.InProcess != nil {
		os = append(os, nats.InProcessServer(b.opt.InProcess))
	}
	if b.opt.Username != "" {
		os = append(os, nats.UserInfo(b.opt.Username, b.opt.Password))
	}
	if b.opt.TLS != nil {
		os = append(os, nats.Secure(b.opt.TLS))
	}
	return os
}

// Connected reports whether NATS is there at this moment. It is what a service
// reports as its readiness, not a promise that the next call succeeds.
func (b *Bus) Connected() bool { return b.nc.IsConnected() }

// Wait waits until NATS is there. It returns ctx's error, or [ErrClosed].
func (b *Bus) Wait(ctx context.Context) error { return b.connected(ctx) }

// Close stops taking in events and requests, waits until those in hand are
// done, and ends the connection. When ctx ends first it cancels what is left,
// and returns ctx's error.
func (b *Bus) Close(ctx context.Context) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	subs := b.subs
	b.mu.Unlock()
	b.cancelStop()
	for _, s := range subs {
		_ = s.Drain() // fails without a connection, when nothing can arrive
	}
	for _, s := range subs {
		b.drained(ctx, s)
	}
	b.mu.Lock()
	b.sealed = true
	b.mu.Unlock()
	done := make(chan struct{})
	go func() { b.working.Wait(); close(done) }()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = fmt.Errorf("closing the bus: %w", context.Cause(ctx))
	}
	b.cancelKill()
	b.dropStreams(ErrClosed)
	<-done // handlers have been cancelled
	if b.nc.IsConnected() {
		_ = b.nc.FlushTimeout(time.Second) // last answers; the other side has its own timeouts
	}
	b.nc.Close()
	b.metrics.unregister(b.opt.Metrics)
	return err
}

// drained waits until a subscription has handed over what it had received.
func (b *Bus) drained(ctx context.Context, s *nats.Subscription) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for s.IsValid() && b.nc.IsConnected() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// begin counts a piece of work that Close waits for. It reports false when the
// bus is closing.
func (b *Bus) begin() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.working.Add(1)
	return true
}

// beginLate counts work that had arrived before Close ended the intake.
func (b *Bus) beginLate() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sealed {
		return false
	}
	b.working.Add(1)
	return true
}
