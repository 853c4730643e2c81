// Package gateway is the runtime that carries API traffic, as a part of a
// process: cmd/gateway runs it alone, standalone with everything else. It
// exports its configuration and how to run it; all else is internal.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/admin"
	"github.com/gatehouse/gatehouse/gateway/internal/file"
	"github.com/gatehouse/gatehouse/gateway/internal/listen"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Options are what a gateway is run with.
type Options struct {
	// Path is the configuration: a file or a directory of files.
	Path string
	// Config, where not nil, is the configuration in place of a file. It begins as
	// [DefaultConfig] and has a control plane.
	Config *Config
	// Bus, where not nil, is how the control plane is reached, in place of address
	// and user in the configuration: within the process, for one.
	Bus *bus.Options
	// Policies are the policy types.
	Policies []policy.Definition
	// Secrets resolves references in the file, in place of environment, files and the
	// Vault of the configuration.
	Secrets schema.Resolver
	// Sockets are already open on addresses of listeners, which take them over; the
	// gateway closes them.
	Sockets []net.Listener
	// Ready, where not nil, is told the addresses that the listeners are open
	// on, and the admin listener's last.
	Ready func(addresses []net.Addr, admin net.Addr)
}

// Part returns the gateway as a part of a process.
func Part(o Options) app.Part {
	return app.Part{Name: "gateway", New: func(env app.Env) (app.Service, error) {
		return app.Func(func(ctx context.Context, ready func()) error {
			return run(ctx, o, env, ready)
		}), nil
	}}
}

// ErrConfig says that the configuration was not accepted.
var ErrConfig = errors.New("the configuration has mistakes")

// run is a gateway from its start to its end. What it starts it also ends, in
// reverse order.
func run(ctx context.Context, o Options, env app.Env, ready func()) (err error) {
	log := env.Log
	cfg, err := o.load()
	if err != nil {
		return err
	}
	g, err := wire(ctx, cfg, o, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()

	var work sync.WaitGroup
	runCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer func() { stop(); work.Wait() }()
	// The first configuration is in place before anybody can connect (R2.2).
	if g.plane != nil {
		g.followPlane(ctx, runCtx, &work)
	} else {
		src := g.fileSource(o)
		if err := g.start(src); err != nil {
			return err
		}
		work.Go(func() { // ends with ctx, so that a stopping gateway changes no more
			if err := src.Run(ctx, g.deliver); err != nil {
				log.Error("the configuration is not watched any more", "err", err)
			}
		})
	}
	for _, s := range g.sinks {
		work.Go(func() {
			if err := s.Run(runCtx); err != nil {
				log.Error("writing records failed", "sink", s.Name(), "err", err)
			}
		})
	}
	if g.tracer != nil {
		work.Go(func() {
			if err := g.tracer.Run(runCtx); err != nil {
				log.Error("spans could not be sent", "err", err)
			}
		})
	}
	if g.cache != nil {
		work.Go(func() { g.keepAll(runCtx) })
	}
	work.Go(func() { g.keys.Run(runCtx) })
	work.Go(func() { g.reap(runCtx) })
	work.Go(func() { g.keepSecrets(runCtx) })

	servers, err := g.listen(ctx, runCtx, &work)
	if err != nil {
		return err
	}
	adminAddr, stopAdmin, err := g.serveAdmin(ctx, &work)
	if err != nil {
		return errors.Join(err, closeAll(servers))
	}
	defer stopAdmin()
	failed := make(chan error, len(servers))
	addrs := make([]net.Addr, len(servers))
	for i, s := range servers {
		addrs[i] = s.Addr()
		work.Go(func() { failed <- s.Serve() })
		log.Info("listening", "address", s.Addr().String(), "tls", cfg.Listeners[i].TLS != nil)
	}
	if g.plane != nil {
		g.plane.Listen(listenAddresses(addrs))
	}
	if o.Ready != nil {
		o.Ready(addrs, adminAddr)
	}
	ready()
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, g.drain(servers))
}

// load returns the configuration that was given, or how the gateway itself runs
// of the one in a file.
func (o Options) load() (Config, error) {
	if o.Config != nil {
		cfg := *o.Config
		var fields []problem.Field
		for _, f := range cfg.validate() {
			if o.Bus == nil || f.Pointer != "/controlPlane/url" {
				fields = append(fields, f)
			}
		}
		if cfg.ControlPlane == nil {
			fields = append(fields, problem.Field{Pointer: "/controlPlane", Code: schema.RuleRequired, Detail: "without a file, what is served comes from a control plane"})
		}
		if len(fields) > 0 {
			return cfg, fmt.Errorf("%w: %w", ErrConfig, schema.Violations(fields))
		}
		return cfg, nil
	}
	cfg, ok := loadStatic(o.Path, o.Secrets)
	if !ok {
		var fields []problem.Field
		if cfg, _, fields = Load(o.Path, o.Secrets); len(fields) > 0 {
			return cfg, fmt.Errorf("%s: %w: %w", o.Path, ErrConfig, schema.Violations(fields))
		}
		cfg.Config = file.Config{} // is read again by the source, and large
	}
	return cfg, nil
}

// fileSource returns the source of what the file says is served.
func (g *gateway) fileSource(o Options) *file.Source {
	return &file.Source{
		Path: o.Path, Key: g.key, Log: g.log, Now: g.env.Now, Reload: g.reloads(),
		Read: func() (*file.Config, *config.Document, []problem.Field) {
			g.fileSecrets.begin()
			c, doc, fields := Load(o.Path, g.look)
			if len(fields) == 0 && !sameStatic(g.cfg, c) {
				g.log.Warn("the file changes how the gateway itself runs; restart it for that to take effect", "path", o.Path)
			}
			return &c.Config, doc, fields
		},
		OnProblems: g.status.SetProblems,
		OnReload:   g.reopen,
	}
}

func closeAll(servers []*listen.Server) error {
	var errs []error
	for _, s := range servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// drain ends the listeners: they go on accepting for the delay, and requests
// under way are served to their end within the time.
func (g *gateway) drain(servers []*listen.Server) error {
	delay, limit := g.cfg.DrainDelay.Std(), g.cfg.DrainTime.Std()
	g.status.SetDraining()
	ctx, cancel := context.WithTimeout(context.Background(), delay+limit)
	defer cancel()
	g.log.Info("draining", "delay", delay.String(), "limit", limit.String())
	// Idle connections are closed only when no port accepts any more: each of
	// them may have been accepted just now.
	each := func(f func(int, *listen.Server) error) error {
		errs := make([]error, len(servers))
		var wg sync.WaitGroup
		for i, s := range servers {
			wg.Go(func() { errs[i] = f(i, s) })
		}
		wg.Wait()
		return errors.Join(errs...)
	}
	errs := []error{
		each(func(_ int, s *listen.Server) error { s.StopAccepting(ctx, delay); return nil }),
		each(func(i int, _ *listen.Server) error { return g.http1[i].Shutdown(ctx) }),
		each(func(_ int, s *listen.Server) error { return s.Wait(ctx) }),
	}
	if err := errors.Join(errs...); err != nil { // said and done: there is nobody to tell
		g.log.Warn("requests were cut off", "err", err)
	}
	return nil
}

// reap closes what retired configurations held, once nobody uses it, and keeps
// the metrics of key sets.
func (g *gateway) reap(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			g.live.Reap()
			for _, s := range g.keys.Status() {
				if !s.Fetched.IsZero() {
					g.metrics.KeySetFetched(s.URL, s.Fetched)
				}
			}
		}
	}
}

// serveAdmin opens the listener for operators.
func (g *gateway) serveAdmin(ctx context.Context, work *sync.WaitGroup) (net.Addr, func(), error) {
	if g.cfg.Admin.Address == "" {
		return nil, func() {}, nil
	}
	lc := net.ListenConfig{Control: listen.ReusePort}
	l, err := lc.Listen(ctx, "tcp", g.cfg.Admin.Address)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the admin listener: %w", err)
	}
	s := &http.Server{
		Handler:           admin.Handler(g.adminOptions()),
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
	work.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			g.log.Error("the admin listener ended", "err", err)
		}
	})
	g.log.Info("listening for operators", "address", l.Addr().String())
	return l.Addr(), func() { _ = s.Close() }, nil
}

// start puts the first configuration in place: the last good one from the
// cache, and over it what the file says now, so that an API with a mistake in it
// goes on as it was before the restart.
//
// A file that cannot be read at all ends the start, unless there is a last good
// configuration to serve (R2.1).
func (g *gateway) start(src *file.Source) error {
	if g.cache != nil {
		switch s, err := g.cache.Load(g.public()); {
		case errors.Is(err, source.ErrEmpty):
		case err != nil:
			g.log.Error("the last good configuration could not be read; starting without it", "err", err)
		default:
			g.apply(s)
			if src.Known(s.Origin) && len(g.live.Current().Issues) == 0 {
				src.Skip()
				return nil
			}
		}
	}
	if fields := src.First(g.deliver); len(fields) > 0 && g.live.Current() == nil {
		return fmt.Errorf("%s: %w: %w", src.Path, ErrConfig, schema.Violations(fields))
	}
	return nil
}

// sameStatic reports whether two files say the same of how the gateway runs.
func sameStatic(a, b Config) bool {
	a.Config, b.Config = file.Config{}, file.Config{}
	a.Resolver, b.Resolver, a.Vault, b.Vault = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

var errNoKey = errors.New("is not a key")

// keyFile reads or makes the key that signs what the cache keeps.
func keyFile(path string) ([]byte, error) {
	seed, err := os.ReadFile(path)
	if err == nil && len(seed) != 32 {
		return nil, fmt.Errorf("%s: %w; remove it to have a new one made", path, errNoKey)
	}
	return seed, err
}
