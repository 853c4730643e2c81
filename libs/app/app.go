// Package app is the life of a process: it builds parts, starts them in order,
// waits until each is ready, and stops them in reverse order on the first error
// or when it is told to. Health, version and metrics are the process's, not a
// part's.
//
// It knows nothing of what its parts do.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Service is a running part of Gatehouse. Run blocks until ctx ends or the
// service cannot continue, and calls ready once, when it can serve. When it
// returns, everything that it started has ended.
type Service interface {
	Run(ctx context.Context, ready func()) error
}

// Func is a function as a [Service].
type Func func(ctx context.Context, ready func()) error

// Run calls f.
func (f Func) Run(ctx context.Context, ready func()) error { return f(ctx, ready) }

// Env is all that a part may take from the process around it.
type Env struct {
	// Log has the attribute component, the part's name.
	Log *slog.Logger
	// Metrics is where the part registers its collectors.
	Metrics prometheus.Registerer
	// Process serves /health/alive, /health/ready, /version and /metrics of the
	// whole process. A part that owns a listener for operators mounts it there.
	Process http.Handler
	// Reload receives when the operator asks to read configurations again
	// (SIGHUP). Requests that come while one waits are joined.
	Reload <-chan struct{}
	// Now is the clock.
	Now func() time.Time
}

// Part is a service that has not been built yet.
type Part struct {
	// Name is unique in a process, such as "gateway".
	Name string
	// New wires the service. It does no I/O, so that what it returns can be
	// thrown away.
	New func(Env) (Service, error)
}

// Options are what a process gives to its parts, and how long it waits for
// them. The zero value is fit for use.
type Options struct {
	// Log is where the process logs; nil discards.
	Log *slog.Logger
	// Registry holds the metrics; nil makes a new one with those of the Go
	// runtime and the process.
	Registry *prometheus.Registry
	// Reload asks the parts to read their configurations again; nil never does.
	Reload <-chan struct{}
	// Now is the clock that parts use; nil is time.Now.
	Now func() time.Time
	// StartTimeout is how long one part may take to be ready; 0 means a minute.
	StartTimeout time.Duration
	// StopTimeout is how long one part may take to stop; 0 means 30 seconds.
	StopTimeout time.Duration
}

func (o Options) withDefaults() (Options, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.StartTimeout == 0 {
		o.StartTimeout = time.Minute
	}
	if o.StopTimeout == 0 {
		o.StopTimeout = 30 * time.Second
	}
	if o.Registry != nil {
		return o, nil
	}
	o.Registry = prometheus.NewRegistry()
	return o, errors.Join(
		o.Registry.Register(collectors.NewGoCollector()),
		o.Registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
	)
}

// running is a part that was started.
type running struct {
	name   string
	cancel context.CancelFunc
	ready  chan struct{} // closed when ready
	done   chan struct{} // closed when Run has returned, after err is set
	err    error
	reload chan struct{}
}

// Run builds all parts, then starts them in order, each when the one before it
// is ready. When ctx ends, or a part fails, it stops them in reverse order and
// waits for each. It returns the errors of all parts, joined; nil when it was
// told to stop and every part did.
func Run(ctx context.Context, opt Options, parts ...Part) error {
	opt, err := opt.withDefaults()
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	p, err := newProcess(opt, parts)
	if err != nil {
		return err
	}
	services := make([]Service, len(parts))
	rs := make([]*running, len(parts))
	for i, part := range parts {
		rs[i] = &running{name: part.Name, ready: make(chan struct{}), done: make(chan struct{}), reload: make(chan struct{}, 1)}
		if services[i], err = build(part, p.env(rs[i])); err != nil {
			return fmt.Errorf("building %s: %w", part.Name, err)
		}
	}
	ended := make(chan *running, len(parts)) // never blocks a part that ends
	started := 0
	var cause error
	for i, s := range services {
		started++
		p.start(ctx, rs[i], s, ended)
		if cause = p.await(ctx, rs[i], ended); cause != nil || ctx.Err() != nil {
			break
		}
	}
	if cause == nil && ctx.Err() == nil {
		opt.Log.InfoContext(ctx, "all parts are ready")
		cause = p.watch(ctx, rs, ended)
	}
	return p.stop(ctx, rs[:started], cause)
}

func build(part Part, env Env) (s Service, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return part.New(env)
}

// start runs a service. Its context does not end with that of the process,
// because parts are stopped one by one.
func (p *process) start(ctx context.Context, r *running, s Service, ended chan<- *running) {
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer func() {
			if v := recover(); v != nil {
				r.err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			}
			p.setReady(r.name, false)
			close(r.done)
			ended <- r
		}()
		r.err = s.Run(ctx, func() {
			if p.setReady(r.name, true) {
				close(r.ready)
			}
		})
		switch {
		case ctx.Err() == nil && r.err == nil:
			r.err = errors.New("it ended without being told to")
		case ctx.Err() != nil && errors.Is(r.err, context.Canceled):
			r.err = nil
		}
	}()
}

// await waits until a part is ready. It returns why the process must stop, or
// nil when the part is ready or ctx has ended.
func (p *process) await(ctx context.Context, r *running, ended <-chan *running) error {
	limit := time.NewTimer(p.opt.StartTimeout)
	defer limit.Stop()
	select {
	case <-r.ready:
		p.opt.Log.InfoContext(ctx, "part is ready", "part", r.name)
		return nil
	case <-ctx.Done():
		return nil
	case e := <-ended:
		return errPart{e.name} // its own error is added when it is stopped
	case <-limit.C:
		return fmt.Errorf("%s was not ready within %s", r.name, p.opt.StartTimeout)
	}
}

// watch waits for a reason to stop, and passes on requests to reload.
func (p *process) watch(ctx context.Context, rs []*running, ended <-chan *running) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-ended:
			return errPart{e.name}
		case <-p.opt.Reload:
			p.opt.Log.InfoContext(ctx, "reload was asked for")
			for _, r := range rs {
				select {
				case r.reload <- struct{}{}:
				default: // one waits already
				}
			}
		}
	}
}

// errPart says which part made the process stop.
type errPart struct{ name string }

func (e errPart) Error() string { return "stopping because of " + e.name }

// stop stops parts in reverse order.
func (p *process) stop(ctx context.Context, rs []*running, cause error) error {
	p.stopping.Store(true)
	errs := []error{}
	var because errPart
	switch {
	case errors.As(cause, &because):
		p.opt.Log.ErrorContext(ctx, "stopping, because a part ended", "part", because.name)
	case cause != nil:
		errs = append(errs, cause)
		p.opt.Log.ErrorContext(ctx, "stopping", "err", cause)
	default:
		p.opt.Log.InfoContext(ctx, "stopping, as asked")
	}
	for i := len(rs) - 1; i >= 0; i-- {
		r := rs[i]
		r.cancel()
		limit := time.NewTimer(p.opt.StopTimeout)
		select {
		case <-r.done:
			if r.err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", r.name, r.err))
			}
			p.opt.Log.InfoContext(ctx, "part has stopped", "part", r.name)
		case <-limit.C:
			errs = append(errs, fmt.Errorf("%s did not stop within %s", r.name, p.opt.StopTimeout))
		}
		limit.Stop()
	}
	return errors.Join(errs...)
}
