// Package service is what all services of Gatehouse have in common: it connects
// a service to NATS and its database, keeps the schema and the outbox going,
// verifies its callers, serves its API over TCP and over the bus, and stops it in
// good order. A service hands it a function that builds what is its own.
//
// It knows no service. A service's root package has
//
//	func Part(cfg Config) app.Part {
//		return service.Part(service.Options{Name: "shelf-manager", Config: cfg.Config, Migrations: migrations},
//			func(ctx context.Context, k *service.Kit) (http.Handler, error) {
//				s, err := k.Server(openapi)
//				if err != nil {
//					return nil, err
//				}
//				api.RegisterHandlers(s.API(), api.NewStrictHandler(handlers, nil))
//				k.Go("events", func(ctx context.Context) error { return bus.Consume(ctx, k.Bus, …) })
//				return s, bus.Answer(k.Bus, …)
//			})
//	}
//
// and its cmd/<name>/main.go
//
//	func main() { service.Main("shelf-manager", shelfmanager.DefaultConfig(), shelfmanager.Part) }
package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/system"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Options say what a service needs of what all have.
type Options struct {
	// Name is the service's, such as "policy-manager".
	Name   string
	Config Config
	// Migrations are the service's schema (see [db.DB.Migrate]); nil is a service
	// without a database.
	Migrations fs.FS
	// Secrets are the encrypted columns of the schema. Where the keyring has a new
	// first key, what is older is encrypted anew after the start.
	Secrets []secret.Column
	// Source says who may do what; nil asks tenant-manager over the bus.
	// tenant-manager itself hands in what it knows. It is called before build, and
	// what it returns is used after.
	Source func(*Kit) authn.Source
	// Public says that the listener is for everybody, such as browsers: of what
	// the process says of itself it then tells only its health, and the service is
	// not reached over the bus.
	Public bool
	// Listening, where not nil, is told the TCP address.
	Listening func(net.Addr)
	// Socket, where not nil, is already open on the address of the configuration;
	// the service closes it.
	Socket net.Listener
}

// Build makes what is a service's own, and returns the handler of its API. What
// runs beside it is started with [Kit.Go]. ctx ends when the service is told to
// stop: streams that never end by themselves end with it.
type Build func(ctx context.Context, k *Kit) (http.Handler, error)

// Kit is what a service works with.
type Kit struct {
	// Name is the service's.
	Name string
	Log  *slog.Logger
	// DB is open and has the newest schema; nil without a database.
	DB *db.DB
	// Bus is being connected to.
	Bus      *bus.Bus
	Verifier *authn.Verifier
	Access   *authn.Access
	// Keyring encrypts secrets; nil where none is configured. The contexts of
	// requests and of [Kit.Go] carry it, those of bus handlers get it from
	// [Kit.With].
	Keyring *secret.Keyring
	// Hasher hashes API keys and tokens; nil where no pepper is configured.
	Hasher  *secret.Hasher
	Metrics prometheus.Registerer
	Now     func() time.Time
	Config  Config
	// References reads secrets that are named by a reference.
	References *reference.Resolver

	r *running
}

// running is a service between its start and its end.
type running struct {
	opt     Options
	kit     *Kit
	ctx     context.Context //nolint:containedctx // of what runs in the background
	cancel  context.CancelFunc
	work    sync.WaitGroup
	failed  chan error
	tcp     []*http.Server
	servers []*httpx.Server
	after   []func() // done when nothing runs any more

	jobs     jobs
	features []system.Feature            // guarded by jobs
	keys     atomic.Pointer[system.Keys] // as they were counted last
	again    chan struct{}               // has a report made now
}

const stopLimit = 10 * time.Second

// Part returns a service as a part of a process.
func Part(o Options, build Build) app.Part {
	return app.Part{Name: o.Name, New: func(env app.Env) (app.Service, error) {
		return app.Func(func(ctx context.Context, ready func()) error {
			return Run(ctx, ready, env, o, build)
		}), nil
	}}
}

// Run is a service from its start to its end. It waits for its database, for NATS,
// and for the keys by which callers are known, and calls ready when it serves. It ends when ctx does, or when
// something of it fails that cannot be mended by waiting.
func Run(ctx context.Context, ready func(), env app.Env, o Options, build Build) (err error) {
	r := &running{opt: o, failed: make(chan error, 1), again: make(chan struct{}, 1)}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		stopErr := r.stop()
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = nil // it was told to stop while it started
		}
		err = errors.Join(err, stopErr)
	}()
	if err := r.wire(ctx, env); err != nil {
		return err
	}
	h, err := build(r.ctx, r.kit)
	if err != nil {
		return fmt.Errorf("building: %w", err)
	}
	if c, ok := h.(interface{ Check() error }); ok {
		if err := c.Check(); err != nil {
			return fmt.Errorf("building: %w", err)
		}
	}
	if err := r.encryption(env); err != nil {
		return err
	}
	r.kit.Go("reports", r.kit.reports)
	h = r.kit.withSecrets(h)
	if !o.Public {
		if err := bus.Serve(r.kit.Bus, o.Name, httpx.FromBus(h)); err != nil {
			return err
		}
	}
	if err := r.serve(ctx, env, h); err != nil {
		return err
	}
	if err := r.connected(ctx); err != nil {
		return err
	}
	ready()
	select {
	case <-ctx.Done():
		return nil
	case err := <-r.failed:
		return err
	}
}

// connected waits for NATS and the keys of access tokens, or for something that fails
// meanwhile. tenant-manager, whose keys they are, waits for no other service: any
// order of starting comes to an end.
func (r *running) connected(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case err := <-r.failed:
			r.failed <- err // there is room again
			cancel(err)
		case <-done:
		}
	}()
	if err := r.kit.Bus.Wait(ctx); err != nil {
		return err
	}
	return r.kit.Verifier.Wait(ctx)
}

// wire makes the kit.
func (r *running) wire(ctx context.Context, env app.Env) error {
	o := r.opt
	k := &Kit{Name: o.Name, Log: env.Log, Metrics: env.Metrics, Now: env.Now, Config: o.Config, r: r}
	r.kit = k
	var cursorKey []byte
	var err error
	if s := o.Config.Secrets.Keyring.Reveal(); s != "" {
		if k.Keyring, err = secret.ParseKeyring(s); err != nil {
			return fmt.Errorf("reading secrets.keyring: %w", err)
		}
	}
	if s := o.Config.Secrets.Pepper.Reveal(); s != "" {
		if k.Hasher, err = secret.NewHasher([]byte(s)); err != nil {
			return fmt.Errorf("reading secrets.pepper: %w", err)
		}
		cursorKey = []byte(k.Hasher.Hash("cursors of " + o.Name))
	}
	r.ctx = k.With(r.ctx)
	if k.References = o.Config.Resolver; k.References == nil {
		if k.References, err = reference.New(reference.Options{Vault: o.Config.Vault, Log: env.Log, Now: env.Now}); err != nil {
			return err
		}
		k.Go("secrets", k.References.Run)
		r.after = append(r.after, k.References.Close)
	}
	bo, err := o.Config.busOptions(o.Name)
	if err != nil {
		return err
	}
	bo.Log, bo.Metrics = env.Log, env.Metrics
	if k.Bus, err = bus.Connect(bo); err != nil {
		return err
	}
	if o.Migrations != nil {
		if err := r.openDatabase(ctx, env, cursorKey); err != nil {
			return err
		}
	}
	source := authn.FromBus(k.Bus)
	if o.Source != nil {
		source = o.Source(k)
	}
	k.Verifier, k.Access = authn.NewVerifier(source, env.Log, env.Now), authn.NewAccess(source, env.Log, env.Now)
	k.Go("keys of access tokens", k.Verifier.Run)
	k.Go("access", k.Access.Run)
	k.Go("changes of access", func(ctx context.Context) error { return authn.Listen(ctx, k.Bus, k.Access) })
	return nil
}

func (r *running) openDatabase(ctx context.Context, env app.Env, cursorKey []byte) error {
	k := r.kit
	cfg, err := r.opt.Config.dbConfig(cursorKey)
	if err != nil {
		return err
	}
	cfg.Now = env.Now
	if k.DB, err = db.Open(ctx, cfg, env.Log); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if env.Metrics != nil {
		reg := prometheus.WrapRegistererWith(prometheus.Labels{"service": k.Name}, env.Metrics)
		c := k.DB.Metrics()
		if err := reg.Register(c); err != nil {
			return fmt.Errorf("registering metrics of the database: %w", err)
		}
		r.after = append(r.after, func() { reg.Unregister(c) })
	}
	if err := k.DB.Migrate(ctx, r.opt.Migrations); err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	k.Go("outbox", func(ctx context.Context) error {
		return db.Relay(ctx, k.DB, func(ctx context.Context, m db.Message) error {
			err := k.Bus.Send(ctx, bus.Message{Subject: m.Subject, Body: m.Body, Metadata: bus.Metadata{ID: m.ID, Time: m.Time}})
			if errors.Is(err, bus.ErrTooLarge) {
				err = fmt.Errorf("%w: %w", db.ErrUnfit, err)
			}
			return err
		}, db.RelayOptions{})
	})
	return nil
}

// serve opens the listeners: that of the API, with what the process says of
// itself, and that for operators alone.
func (r *running) serve(ctx context.Context, env app.Env, h http.Handler) error {
	m := http.NewServeMux()
	m.Handle("/", h)
	if env.Process == nil {
		return r.listen(ctx, r.opt.Config.Listen, r.opt.Socket, m, r.opt.Listening)
	}
	m.Handle("/health/", env.Process)
	if !r.opt.Public {
		m.Handle("/metrics", env.Process)
		m.Handle("/version", env.Process)
	}
	if err := r.listen(ctx, r.opt.Config.Listen, r.opt.Socket, m, r.opt.Listening); err != nil {
		return err
	}
	return r.listen(ctx, r.opt.Config.Operations, nil, env.Process, nil)
}

// listen serves an address; l, where not nil, is already open on it.
func (r *running) listen(ctx context.Context, address string, l net.Listener, h http.Handler, told func(net.Addr)) error {
	if address == "" {
		return nil
	}
	if l == nil {
		var err error
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address); err != nil {
			return fmt.Errorf("listening: %w", err)
		}
	}
	log := r.kit.Log
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	r.tcp = append(r.tcp, s)
	r.kit.Go("listener", func(context.Context) error {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	log.InfoContext(ctx, "listening", "address", l.Addr().String())
	if told != nil {
		told(l.Addr())
	}
	return nil
}

// stop ends everything: what runs in the background is told first, then nothing
// new is let in and what is in hand gets its time, and the database goes last.
func (r *running) stop() error {
	r.cancel()
	var errs []error
	within := func(what string, f func(context.Context) error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), stopLimit)
		defer cancel()
		if err := f(ctx); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	for _, s := range r.tcp {
		within("requests were cut off", func(ctx context.Context) error {
			if err := s.Shutdown(ctx); err != nil {
				return errors.Join(err, s.Close())
			}
			return nil
		})
	}
	if r.kit != nil && r.kit.Bus != nil {
		within("leaving the bus", r.kit.Bus.Close)
	}
	r.work.Wait()
	for _, s := range r.servers {
		s.Close()
	}
	for _, f := range r.after {
		f()
	}
	if r.kit != nil && r.kit.DB != nil {
		within("closing the database", func(context.Context) error { return r.kit.DB.Close() })
	}
	return errors.Join(errs...)
}
