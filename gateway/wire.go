package gateway

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/gateway/internal/admin"
	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/internal/engine"
	"github.com/gatehouse/gatehouse/gateway/internal/http1"
	"github.com/gatehouse/gatehouse/gateway/internal/identity"
	"github.com/gatehouse/gatehouse/gateway/internal/keyset"
	"github.com/gatehouse/gatehouse/gateway/internal/listen"
	"github.com/gatehouse/gatehouse/gateway/internal/metrics"
	"github.com/gatehouse/gatehouse/gateway/internal/nethttp"
	"github.com/gatehouse/gatehouse/gateway/internal/plane"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/gateway/internal/store"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/gateway/internal/tracing"
	"github.com/gatehouse/gatehouse/gateway/internal/traffic"
	"github.com/gatehouse/gatehouse/gateway/internal/traffic/spool"
	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/internal/upstream"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// gateway is all that a running gateway is made of.
type gateway struct {
	cfg  Config
	log  *slog.Logger
	env  app.Env
	key  ed25519.PrivateKey
	file *traffic.File

	live        table.Live
	compiler    *table.Compiler
	credentials *identity.Store
	keys        *keyset.Sets
	counters    *counter.Set
	store       *store.Store
	cache       *source.Cache
	recorder    *traffic.Recorder
	tracer      *tracing.Tracer // nil = no spans
	metrics     *metrics.Metrics
	sinks       []traffic.Sink
	engine      *engine.Engine
	http1       []*http1.Server // by listener
	status      *admin.Status
	cleanup     []func() error
	handed      []net.Listener // of [Options]
	bus         *bus.Bus       // nil where there is no control plane
	plane       *plane.Plane   // likewise

	secrets        *reference.Resolver
	look           schema.Resolver // of the file
	fileSecrets    noted
	policySecrets  schema.Resolver
	secretPrint    func(string) string
	secretsChanged chan []string // of one place
	reload         chan struct{} // likewise

	mu        sync.Mutex // one configuration is applied at a time
	snapshot  source.Snapshot
	toKeep    chan source.Snapshot // of one place
	kept      bool                 // the first configuration was written
	gcPercent int                  // as set last; 0 = as it was
}

// onClose has f called when the gateway ends, the last first.
func (g *gateway) onClose(f func() error) { g.cleanup = append(g.cleanup, f) }

func (g *gateway) close() error {
	var errs []error
	for i := len(g.cleanup) - 1; i >= 0; i-- {
		errs = append(errs, g.cleanup[i]())
	}
	return errors.Join(errs...)
}

// wire makes everything that a gateway is made of, and starts nothing that
// carries traffic. On error nothing is left behind.
func wire(ctx context.Context, cfg Config, o Options, env app.Env) (_ *gateway, err error) {
	g := &gateway{cfg: cfg, log: env.Log, env: env, status: admin.NewStatus(env.Now), toKeep: make(chan source.Snapshot, 1), handed: o.Sockets}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	if err := g.openSecrets(o); err != nil {
		return nil, err
	}
	if err := g.openData(); err != nil {
		return nil, err
	}
	if g.metrics, err = metrics.New(prometheus.NewRegistry(), metrics.Options{}); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	if err := g.openCounters(); err != nil {
		return nil, err
	}
	g.credentials = identity.New()
	if err := g.openPlane(ctx, o.Bus); err != nil {
		return nil, err
	}
	if err := g.openRecorder(); err != nil {
		return nil, err
	}
	if cfg.Tracing.Endpoint != "" {
		if g.tracer, err = tracing.New(cfg.Tracing, cfg.Name, app.Build().Version, env.Log); err != nil {
			return nil, fmt.Errorf("opening tracing: %w", err)
		}
	}
	registry, err := policy.NewRegistry(o.Policies...)
	if err != nil {
		return nil, err
	}
	guard := upstream.NewGuard(g.ownAddresses(), prefixes(cfg.AllowUpstreams))
	g.store = store.New(int64(cfg.Memory), env.Now)
	client := guardedClient(guard)
	g.keys = keyset.New(keyset.Options{HTTP: client, Dir: g.dataPath("keysets"), Log: env.Log, Now: env.Now})
	g.onClose(func() error { g.keys.Close(); return nil })
	g.compiler = &table.Compiler{
		Registry: registry, Log: env.Log, Now: env.Now,
		Counters: &meteredCounters{Counters: g.counters, metrics: g.metrics}, Credentials: g.credentials, KeySets: g.keys, Store: g.store,
		HTTP: client, Secrets: g.policySecrets, SecretPrint: g.secretPrint,
		NewUpstream:  newUpstreams(env.Log, guard, g.metrics, g.tracer),
		RouteMetrics: g.routeMetrics,
	}
	g.onClose(func() error { g.live.Close(); return nil })
	ids := &traffic.IDs{}
	g.engine = engine.New(engine.Options{
		Live: &g.live, Log: env.Log, Name: cfg.Name,
		TrustedProxies: prefixes(cfg.TrustedProxies), IdentityHeaders: cfg.IdentityHeaders,
		NewID:    ids.New,
		Observer: newObserver(g.recorder, g.metrics, g.tracer),
	})
	return g, nil
}

func prefixes(in []schema.CIDR) []netip.Prefix {
	out := make([]netip.Prefix, len(in))
	for i, c := range in {
		out[i] = c.Prefix()
	}
	return out
}

// ownAddresses are the management addresses, which no API may reach (R13.3).
func (g *gateway) ownAddresses() []netip.AddrPort {
	host, port, err := net.SplitHostPort(g.cfg.Admin.Address)
	if err != nil {
		return nil
	}
	if host == "" || host == "localhost" {
		host = "::"
	}
	if ap, err := netip.ParseAddrPort(net.JoinHostPort(host, port)); err == nil {
		return []netip.AddrPort{ap}
	}
	return nil
}

func (g *gateway) dataPath(name string) string {
	if g.cfg.Data == "" {
		return ""
	}
	return filepath.Join(g.cfg.Data, name)
}

// openData opens the directory of what survives a restart, and the key that
// signs the configurations kept there.
func (g *gateway) openData() error {
	if g.cfg.Data == "" {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		g.key = key
		return err
	}
	if err := os.MkdirAll(g.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("opening the data directory: %w", err)
	}
	path := g.dataPath("manifest.key")
	seed, err := keyFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		seed = make([]byte, ed25519.SeedSize)
		_, _ = rand.Read(seed) // never fails (crypto/rand)
		err = os.WriteFile(path, seed, 0o600)
	}
	if err != nil {
		return fmt.Errorf("opening the data directory: %w", err)
	}
	g.key = ed25519.NewKeyFromSeed(seed)
	dataKey, err := g.cfg.dataKey()
	if err != nil {
		return err
	}
	g.cache, err = source.OpenCache(g.dataPath("config"), dataKey)
	return err
}

func (g *gateway) public() ed25519.PublicKey {
	pub, _ := g.key.Public().(ed25519.PublicKey)
	return pub
}

func (g *gateway) openCounters() error {
	o := counter.Options{Log: g.log, Path: g.dataPath("counts")}
	if r := g.cfg.Redis; r != nil {
		c := counter.Connection{
			Addresses: r.Addresses, Primary: r.Primary, Cluster: r.Cluster,
			Username: r.Username, Password: r.Password.Reveal(),
			SentinelUsername: r.SentinelUsername, SentinelPassword: r.SentinelPassword.Reveal(),
			Database: r.Database,
		}
		if r.TLS {
			c.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		client := counter.Connect(c)
		g.onClose(client.Close)
		o.Redis, o.Prefix, o.Budget = client, r.Prefix, r.Budget.Std()
	}
	set, err := counter.New(o)
	if err != nil {
		return fmt.Errorf("opening counts: %w", err)
	}
	g.counters = set
	g.onClose(set.Close)
	return nil
}

func (g *gateway) openRecorder() error {
	g.planeSpool()
	c := g.cfg.Log.Defaults()
	if c.Traffic.Path != "" {
		f, err := traffic.NewFile(c.Traffic, os.Stdout, g.log, g.env.Now)
		if err != nil {
			return fmt.Errorf("opening the traffic log: %w", err)
		}
		g.file = f
		g.sinks = append(g.sinks, f)
	}
	if c.Spool.Dir != "" {
		s, err := traffic.NewSpool(c.Spool, g.shipper(c.Spool), g.log)
		if err != nil {
			return fmt.Errorf("opening the spool: %w", err)
		}
		g.sinks = append(g.sinks, s)
		if err := g.metrics.RecordSpool(func() metrics.Spool {
			st := s.Spooled()
			return metrics.Spool{Delivered: st.Delivered, Lost: st.Lost, Bytes: st.Bytes}
		}); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	for _, s := range g.sinks {
		if err := g.metrics.RecordSink(s.Name(), func() metrics.Sink {
			st := s.Stats()
			return metrics.Sink{Written: st.Records, Dropped: st.Dropped, Errors: st.Errors}
		}); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	own := g.cfg.Log
	own.Spool = traffic.SpoolConfig{} // of which only the sink has use
	var err error
	g.recorder, err = traffic.New(traffic.Options{
		Config: own, Gateway: g.cfg.Name, Sinks: g.sinks, Now: g.env.Now, Match: engine.MatchOf,
	})
	return err
}

// shipper posts the records of the spool to an address, or ships them over the
// bus.
func (g *gateway) shipper(c traffic.SpoolConfig) spool.Shipper {
	if p := g.cfg.ControlPlane; p != nil && c.URL == "" {
		return &plane.Shipper{Bus: g.bus, Organization: p.Organization, Group: p.Group, Gateway: plane.Name(g.cfg.Name)}
	}
	h := http.Header{}
	for k, v := range c.Headers {
		h.Set(k, v.Reveal())
	}
	return &spool.HTTP{URL: c.URL, Header: h, Client: &http.Client{
		Timeout:       time.Duration(c.Timeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// reopen is what SIGHUP asks for besides reading the file again.
func (g *gateway) reopen() {
	if g.file == nil {
		return
	}
	if err := g.file.Reopen(); err != nil {
		g.log.Error("the traffic log could not be opened again", "err", err)
	}
}

func (g *gateway) routeMetrics(r *policy.Route) (any, func()) {
	m := g.metrics.Route(r)
	return m, m.Close
}

// newUpstreams returns what makes the upstreams of APIs.
func newUpstreams(
	log *slog.Logger, guard *upstream.Guard, m *metrics.Metrics, tracer *tracing.Tracer,
) func(string, unit.Upstream, table.Upstream) (table.Upstream, error) {
	resolver := upstream.NewSystemResolver()
	shared := &clients{tracer: tracer}
	return func(api string, cfg unit.Upstream, previous table.Upstream) (table.Upstream, error) {
		old, _ := previous.(*upstream.Upstream)
		return upstream.New(cfg, upstream.Env{
			NewClient: shared.New, Resolver: resolver, Log: log.With("api", api), Allow: guard.Check,
			Metrics: upstreamMetrics{m: m, api: api},
		}, upstream.WithPrevious(old))
	}
}

// guardedClient returns the client for calls of policies to other systems. It
// follows no redirects, which could lead anywhere.
func guardedClient(guard *upstream.Guard) *http.Client {
	d := &net.Dialer{Timeout: 5 * time.Second}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if ap, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil {
			if err := guard.Check(ap); err != nil {
				return nil, errors.Join(err, c.Close())
			}
		}
		return c, nil
	}
	return &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			DialContext: dial, ForceAttemptHTTP2: true, MaxIdleConns: 64, IdleConnTimeout: time.Minute,
			TLSHandshakeTimeout: 5 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// listen opens the ports, without serving them yet.
func (g *gateway) listen(ctx, runCtx context.Context, work *sync.WaitGroup) ([]*listen.Server, error) {
	inherited, err := listen.Inherit(os.Getenv, os.Getpid())
	if err != nil {
		return nil, fmt.Errorf("taking over sockets: %w", err)
	}
	defer inherited.Close()
	inherited.Add(g.handed...)
	g.handed = nil
	var servers []*listen.Server
	for _, l := range g.cfg.Listeners {
		limits := l.Limits.Transport()
		h1 := &http1.Server{Handler: g.engine, Log: g.log, Limits: func() transport.Limits { return limits }}
		g.http1 = append(g.http1, h1)
		o := listen.Options{HTTP1: h1, Inherited: inherited, Log: g.log, Metrics: listenerMetrics{g.metrics.Listener(l.Address)}}
		h2 := &nethttp.Server{Handler: g.engine, Limits: limits, Log: g.log}
		if l.TLS != nil {
			if o.Certificates, err = listen.NewCertificates(*l.TLS, l.OffersHTTP2(), g.secrets.Look(), g.log); err != nil {
				return nil, errors.Join(fmt.Errorf("listener %s: %w", l.Address, err), closeAll(servers))
			}
			h2.Misdirected = o.Certificates.Misdirected
			h1.Misdirected = o.Certificates.Misdirected
			work.Go(func() { o.Certificates.Run(runCtx) })
		}
		o.HTTP2 = h2
		s, err := listen.Open(ctx, l, o)
		if err != nil {
			return nil, errors.Join(err, closeAll(servers))
		}
		servers = append(servers, s)
	}
	return servers, nil
}
