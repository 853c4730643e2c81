package gateway

import (
	"crypto/tls"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/http1"
	"github.com/gatehouse/gatehouse/gateway/internal/nethttp"
	"github.com/gatehouse/gatehouse/gateway/internal/tracing"
	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// clients makes the clients of upstreams. Upstreams that call the same target in
// the same way share one, so that ten thousand APIs in front of one service keep
// one set of connections to it.
type clients struct {
	tracer *tracing.Tracer // nil = no spans

	mu     sync.Mutex
	shared map[clientKey]*sharedClient
}

// clientKey is all that makes two clients behave the same.
type clientKey struct {
	protocol, network, address, authority string
	secure                                bool
	serverName                            string
	minVersion                            uint16
	maxIdle, maxHeaderBytes               int
	idle, streamIdle                      time.Duration
}

// sharedClient is a client with the number of upstreams that use it.
type sharedClient struct {
	transport.Client
	users int
}

// New returns a client for the target.
func (c *clients) New(protocol string, o transport.ClientOptions) transport.Client {
	key, ok := keyOf(protocol, o)
	if !ok {
		return c.traced(newClient(protocol, o))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shared[key]
	if s == nil {
		s = &sharedClient{Client: c.traced(newClient(protocol, o))}
		if c.shared == nil {
			c.shared = map[clientKey]*sharedClient{}
		}
		c.shared[key] = s
	}
	s.users++
	return &lease{clients: c, key: key, client: s}
}

// keyOf returns the key of a client that may be shared: not one whose number of
// connections is bounded for its upstream, nor one with a certificate or an
// authority of its own.
func keyOf(protocol string, o transport.ClientOptions) (clientKey, bool) {
	k := clientKey{
		protocol: protocol, network: o.Target.Network, address: o.Target.Address, authority: o.Target.Authority,
		maxIdle: o.MaxIdle, maxHeaderBytes: o.MaxHeaderBytes, idle: o.IdleTimeout, streamIdle: o.StreamIdle,
	}
	if t := o.Target.TLS; t != nil {
		if ownTrust(t) {
			return k, false
		}
		k.secure, k.serverName, k.minVersion = true, t.ServerName, t.MinVersion
	}
	return k, o.MaxConns == 0
}

func ownTrust(t *tls.Config) bool {
	return t.RootCAs != nil || len(t.Certificates) > 0 || t.GetClientCertificate != nil ||
		t.InsecureSkipVerify || t.VerifyConnection != nil || t.VerifyPeerCertificate != nil
}

// lease is one upstream's use of a shared client.
type lease struct {
	clients *clients
	key     clientKey
	client  *sharedClient
	once    sync.Once
}

// RoundTrip calls the target.
func (l *lease) RoundTrip(ex *policy.Exchange, call *transport.Call) error {
	return l.client.RoundTrip(ex, call)
}

// InFlight returns the number of requests under way to the target, from all
// upstreams: what matters for balancing is how busy the target is.
func (l *lease) InFlight() int { return l.client.InFlight() }

// CloseIdle closes the connections that nobody uses.
func (l *lease) CloseIdle() { l.client.CloseIdle() }

// Close gives the client up. The last one closes it.
func (l *lease) Close() {
	l.once.Do(func() {
		l.clients.mu.Lock()
		defer l.clients.mu.Unlock()
		if l.client.users--; l.client.users == 0 {
			delete(l.clients.shared, l.key)
			l.client.Client.Close()
		}
	})
}

// traced writes the trace context into each attempt, where there are spans.
func (c *clients) traced(client transport.Client) transport.Client {
	if c.tracer == nil {
		return client
	}
	return tracedClient{client, c.tracer}
}

type tracedClient struct {
	transport.Client
	tracer *tracing.Tracer
}

// RoundTrip calls the target.
func (c tracedClient) RoundTrip(ex *policy.Exchange, call *transport.Call) error {
	c.tracer.Inject(ex, len(ex.Outcome.Attempts))
	return c.Client.RoundTrip(ex, call)
}

func newClient(protocol string, o transport.ClientOptions) transport.Client {
	if protocol == "" || protocol == "http1" {
		return http1.NewClient(o)
	}
	c, err := nethttp.NewClient(o, protocol)
	if err != nil {
		return brokenClient{err}
	}
	return c
}

// brokenClient stands for a client that could not be made.
type brokenClient struct{ err error }

// RoundTrip fails.
func (b brokenClient) RoundTrip(*policy.Exchange, *transport.Call) error {
	return &transport.CallError{Failure: transport.FailedConnect, Err: b.err}
}
func (brokenClient) CloseIdle()    {}
func (brokenClient) Close()        {}
func (brokenClient) InFlight() int { return 0 }
