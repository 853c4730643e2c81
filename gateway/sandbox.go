package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/gateway/internal/admin"
	"github.com/gatehouse/gatehouse/gateway/internal/canon"
	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/internal/engine"
	"github.com/gatehouse/gatehouse/gateway/internal/file"
	"github.com/gatehouse/gatehouse/gateway/internal/identity"
	"github.com/gatehouse/gatehouse/gateway/internal/keyset"
	"github.com/gatehouse/gatehouse/gateway/internal/metrics"
	"github.com/gatehouse/gatehouse/gateway/internal/plane"
	"github.com/gatehouse/gatehouse/gateway/internal/router"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/gateway/internal/store"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	internaltraffic "github.com/gatehouse/gatehouse/gateway/internal/traffic"
	"github.com/gatehouse/gatehouse/gateway/internal/upstream"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Sandbox is a gateway that carries no traffic: it compiles a configuration
// exactly as a running one does, and tells what would become of a request. It
// counts for itself and calls no upstream.
type Sandbox struct {
	live     table.Live
	compiler *table.Compiler
	engine   *engine.Engine
	recorder *internaltraffic.Recorder
	counters *counter.Set
	keys     *keyset.Sets // nil where they are somebody else's
	trusted  []netip.Prefix
}

// newSandbox returns a sandbox. Credentials may be those of a running gateway;
// they are only looked up.
func newSandbox(
	cfg *Config, registry *policy.Registry, credentials policy.Credentials, keys policy.KeySets, secrets schema.Resolver, log *slog.Logger,
) (*Sandbox, error) {
	counters, err := counter.New(counter.Options{Log: log})
	if err != nil {
		return nil, err
	}
	recorder, err := internaltraffic.New(internaltraffic.Options{
		Config: internaltraffic.Config{Decisions: internaltraffic.Decisions{Keep: 16, Sample: 1}},
		Now:    time.Now, Match: engine.MatchOf,
	})
	if err != nil {
		return nil, errors.Join(err, counters.Close())
	}
	m, err := metrics.New(prometheus.NewRegistry(), metrics.Options{})
	if err != nil {
		return nil, errors.Join(err, counters.Close())
	}
	s := &Sandbox{recorder: recorder, counters: counters, trusted: prefixes(cfg.TrustedProxies)}
	guard := upstream.NewGuard(nil, prefixes(cfg.AllowUpstreams))
	real := newUpstreams(log, guard, m, nil)
	s.compiler = &table.Compiler{
		Registry: registry, Log: log, Now: time.Now, Counters: counted{counters}, Credentials: credentials,
		KeySets: keys, Store: store.New(1<<20, time.Now), HTTP: guardedClient(guard), Secrets: secrets,
		NewUpstream: func(api string, c unit.Upstream, _ table.Upstream) (table.Upstream, error) {
			u, err := real(api, c, nil)
			if err != nil {
				return nil, err
			}
			u.Close()
			return notCalled{}, nil
		},
	}
	ids := &internaltraffic.IDs{}
	s.engine = engine.New(engine.Options{
		Live: &s.live, Log: log, Name: cfg.Name, TrustedProxies: s.trusted, IdentityHeaders: cfg.IdentityHeaders,
		NewID: ids.New, Observer: newObserver(recorder, m, nil),
	})
	return s, nil
}

// counted lets limiters that count in Redis count here.
type counted struct{ set *counter.Set }

func (c counted) Limiter(spec policy.LimiterSpec) (policy.Limiter, error) {
	spec.Shared = false
	return c.set.Limiter(spec)
}

// notCalled stands for an upstream.
type notCalled struct{}

// Do answers in place of the upstream.
func (notCalled) Do(ex *policy.Exchange) error {
	ex.Response.Status = http.StatusOK
	return nil
}

// Close does nothing.
func (notCalled) Close() {}

// Close ends the sandbox.
func (s *Sandbox) Close() error {
	s.live.Close()
	if s.keys != nil {
		s.keys.Close()
	}
	return s.counters.Close()
}

// load compiles a snapshot.
func (s *Sandbox) load(snap source.Snapshot) *table.Table {
	t, _ := s.compiler.Compile(snap, nil)
	s.live.Swap(t)
	return t
}

// Open reads a configuration file into a sandbox. The problems are all that is
// wrong with the file; where there is no sandbox, it could not be read at all.
func Open(path string, o Options) (*Sandbox, []problem.Field, error) {
	cfg, doc, fields := Load(path, o.Secrets)
	if len(fields) > 0 {
		return nil, fields, nil
	}
	registry, err := policy.NewRegistry(o.Policies...)
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.DiscardHandler)
	if cfg.ControlPlane != nil {
		return openKept(cfg, registry, o, log)
	}
	src := &file.Source{
		Path: path, Log: log, Now: time.Now,
		Read: func() (*file.Config, *config.Document, []problem.Field) { return &cfg.Config, doc, nil },
	}
	snap, fields, _ := src.Snapshot()
	credentials := identity.New()
	if snap.Parts != nil {
		err = credentials.Replace(snap.Parts)
	} else {
		err = credentials.Apply(*snap.Credentials)
	}
	if err != nil {
		fields = append(fields, problem.Field{Pointer: "/credentialFiles", Code: "invalid", Detail: err.Error()})
	}
	keys := keyset.New(keyset.Options{HTTP: guardedClient(upstream.NewGuard(nil, prefixes(cfg.AllowUpstreams))), Log: log})
	secrets := o.Secrets
	if secrets == nil {
		secrets = cfg.Resolver.Look()
	}
	s, err := newSandbox(&cfg, registry, credentials, keys, secrets, log)
	if err != nil {
		keys.Close()
		return nil, fields, err
	}
	s.keys = keys
	broken := map[string]bool{}
	for _, b := range snap.Broken {
		broken[b.Name] = true
	}
	for _, i := range s.load(snap).Issues {
		if !broken[i.Unit] {
			for _, f := range i.Problems {
				f.Pointer, f.Source = snap.Locate(i.Kind, i.Unit, f.Pointer)
				fields = append(fields, f)
			}
		}
	}
	return s, fields, nil
}

// openKept opens what the gateway of a control plane has kept of its group.
func openKept(cfg Config, registry *policy.Registry, o Options, log *slog.Logger) (*Sandbox, []problem.Field, error) {
	key, err := cfg.dataKey()
	if err != nil {
		return nil, nil, err
	}
	cache, err := source.OpenCache(filepath.Join(cfg.Data, "config"), key)
	if err != nil {
		return nil, nil, err
	}
	pinned, err := cfg.ControlPlane.publicKeys()
	if err != nil {
		return nil, nil, err
	}
	snap, credentials, err := plane.Look(cache, cfg.ControlPlane.Organization, cfg.ControlPlane.Group, pinned, log)
	if errors.Is(err, source.ErrEmpty) {
		credentials, err = identity.New(), nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading what was kept of the group: %w", err)
	}
	keys := keyset.New(keyset.Options{HTTP: guardedClient(upstream.NewGuard(nil, prefixes(cfg.AllowUpstreams))), Log: log})
	resolver := cfg.Resolver
	if resolver == nil {
		if resolver, err = reference.New(reference.Options{Vault: cfg.Vault}); err != nil {
			return nil, nil, err
		}
	}
	secrets := resolver.Limited(cfg.References.For(cfg.ControlPlane.Organization))
	s, err := newSandbox(&cfg, registry, credentials, keys, secrets, log)
	if err != nil {
		keys.Close()
		return nil, nil, err
	}
	s.keys = keys
	var fields []problem.Field
	for _, i := range s.load(snap).Issues {
		fields = append(fields, i.Problems...)
	}
	return s, fields, nil
}

// request makes what a URL and header fields describe.
func (s *Sandbox) request(d admin.DryRun) (*url.URL, netip.AddrPort, error) {
	u, err := url.Parse(d.URL)
	if err != nil {
		return nil, netip.AddrPort{}, problem.New(problem.CodeBadRequest, "url: %v", err)
	}
	if u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, netip.AddrPort{}, problem.New(problem.CodeBadRequest, "url: want a whole one, such as http://api.localhost/orders")
	}
	client := netip.MustParseAddr("127.0.0.1")
	if d.Client != "" {
		if client, err = netip.ParseAddr(d.Client); err != nil {
			return nil, netip.AddrPort{}, problem.New(problem.CodeBadRequest, "client: %v", err)
		}
	}
	return u, netip.AddrPortFrom(client, 0), nil
}

// rawPath returns the path as a client would send it.
func rawPath(u *url.URL) string {
	if p := u.EscapedPath(); p != "" {
		return p
	}
	return "/"
}

// Match tells which route a request would take, and why the near misses lost.
func (s *Sandbox) Match(d admin.DryRun) (router.Explanation, error) {
	u, _, err := s.request(d)
	if err != nil {
		return router.Explanation{}, err
	}
	host, err := canon.Host(u.Host)
	if err != nil {
		return router.Explanation{}, problem.New(problem.CodeBadRequest, "url: %w", err)
	}
	path, flags, err := canon.Path(rawPath(u))
	if err != nil {
		return router.Explanation{}, problem.New(problem.CodeBadPath, "url: %w", err)
	}
	var h policy.Header
	for k, v := range d.Header {
		h.Add(k, v)
	}
	return s.live.Current().Index().Explain(&router.Request{
		Host: host, Path: path, Flags: flags, Method: strings.ToUpper(d.Method), RawQuery: u.RawQuery, Header: &h,
	}), nil
}

// Explain runs a request through all policies, without calling the upstream, and
// returns its record with the decision.
func (s *Sandbox) Explain(d admin.DryRun) (*traffic.Record, error) {
	u, peer, err := s.request(d)
	if err != nil {
		return nil, err
	}
	for k, v := range d.Header {
		if !policy.ValidName(k) || !policy.ValidValue(v) {
			return nil, problem.New(problem.CodeBadRequest, "header: %q is no valid field", k)
		}
	}
	ex := s.engine.Acquire()
	ex.Start = time.Now()
	r := &ex.Request
	r.Proto, r.Method, r.Scheme, r.Authority = "HTTP/1.1", strings.ToUpper(d.Method), u.Scheme, u.Host
	r.RawPath, r.Query, r.Peer = rawPath(u), u.RawQuery, peer
	for k, v := range d.Header {
		r.Header.Add(k, v)
	}
	s.engine.Serve(ex)
	id := ex.ID
	ex.Outcome.End = time.Now()
	s.engine.Release(ex)
	rec, ok := s.recorder.Explain(id)
	if !ok {
		return nil, fmt.Errorf("the decision of %s was not kept", id) //nolint:err113 // cannot happen: all are sampled
	}
	return rec, nil
}
