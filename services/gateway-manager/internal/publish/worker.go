package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/store"
)

const (
	leaseTTL = 3 * time.Second
	// tick is how often the worker looks without being woken.
	tick = time.Second
	// checkEvery is how often it looks whether NATS still has what was published.
	checkEvery = 15 * time.Second
	// sweepEvery is how often it removes what nothing refers to any more.
	sweepEvery = 30 * time.Minute
	// retryMin and retryMax are the waits after a group could not be published.
	retryMin, retryMax = 100 * time.Millisecond, 3 * time.Second
	// step bounds one step that needs others.
	step = 2 * time.Minute
	// askLimit bounds asking policy-manager.
	askLimit = 3 * time.Second
	// batch is how many units are built before they are sent.
	batch = 64
)

// Options are what the publisher works with.
type Options struct {
	Bus   *bus.Bus
	Store *store.Store
	Units *Units
	Log   *slog.Logger
	Now   func() time.Time
	// Metrics is where its collectors are registered; nil registers none.
	Metrics prometheus.Registerer
	// With gives a context the keys of secrets.
	With func(context.Context) context.Context
	// Shared asks policy-manager for the shared policies.
	Shared func(ctx context.Context, organization string) (policy.SharedSet, error)
}

// Publisher is the worker.
type Publisher struct {
	o    Options
	wake chan struct{}

	manifests *bus.Bucket
	metrics   metrics

	// What follows is of the time that the lease is held, and of one goroutine.
	environments map[string]*environment
	revisions    map[string]uint64 // of the manifests' keys in their bucket
	settings     map[string]*settings
	retry        map[string]*retry // by group
}

// settings are the shared policies of an organization, as they were last built.
type settings struct {
	known bool
	done  int64 // SettingsDone that they are of
	ref   *unit.Ref
	doc   []byte
	again time.Time // when to ask again; zero = need not
}

// retry is when a group that could not be published is tried again.
type retry struct {
	at   time.Time
	wait time.Duration
}

type metrics struct {
	published prometheus.Counter
	bytes     prometheus.Counter
	failed    prometheus.Counter
	seconds   prometheus.Histogram
}

// New returns the worker, to be run.
func New(o Options) (*Publisher, error) {
	p := &Publisher{o: o, wake: make(chan struct{}, 1), metrics: metrics{
		published: prometheus.NewCounter(prometheus.CounterOpts{Name: "gatehouse_manifests_published_total", Help: "Manifests that were published."}),
		bytes:     prometheus.NewCounter(prometheus.CounterOpts{Name: "gatehouse_manifests_bytes_total", Help: "Bytes of units, indexes and manifests that were sent."}),
		failed:    prometheus.NewCounter(prometheus.CounterOpts{Name: "gatehouse_manifests_failed_total", Help: "Attempts to publish that failed."}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "gatehouse_manifests_publish_seconds", Help: "How long publishing one manifest took.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}),
	}}
	if o.Metrics == nil {
		return p, nil
	}
	for _, c := range p.collectors() {
		if err := o.Metrics.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics of the publisher: %w", err)
		}
	}
	return p, nil
}

func (p *Publisher) collectors() []prometheus.Collector {
	return []prometheus.Collector{p.metrics.published, p.metrics.bytes, p.metrics.failed, p.metrics.seconds}
}

// Close takes the metrics away.
func (p *Publisher) Close() {
	if p.o.Metrics != nil {
		for _, c := range p.collectors() {
			p.o.Metrics.Unregister(c)
		}
	}
}

// Wake has the worker look at once, where it is in this process.
func (p *Publisher) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run publishes until ctx ends, whenever this is the replica whose turn it is.
func (p *Publisher) Run(ctx context.Context) error {
	ctx = p.o.With(ctx)
	return bus.Lease(ctx, p.o.Bus, "publisher", leaseTTL, p.work)
}

// work is what the holder of the lease does. One who does not notice in time that
// the lease is gone does no harm: a version is given out once, a manifest replaces
// the one that it was made after, and only who is not behind notes what is done.
func (p *Publisher) work(ctx context.Context, _ uint64) error {
	p.environments, p.revisions = map[string]*environment{}, map[string]uint64{}
	p.settings, p.retry = map[string]*settings{}, map[string]*retry{}
	var checked, swept time.Time
	swept = p.o.Now()
	t := time.NewTicker(tick)
	defer t.Stop()
	for ctx.Err() == nil {
		now := p.o.Now()
		if now.Sub(checked) >= checkEvery || now.Before(checked) {
			if err := p.check(ctx); err == nil {
				checked = now
			} else if ctx.Err() == nil {
				p.o.Log.WarnContext(ctx, "it cannot be seen what gateways have", "err", err)
			}
		}
		next := p.round(ctx)
		p.quiet(ctx)
		if now.Sub(swept) >= sweepEvery {
			swept = now
			p.sweep(ctx)
		}
		var again <-chan time.Time
		if next > 0 {
			timer := time.NewTimer(next)
			again = timer.C
			defer timer.Stop()
		}
		select {
		case <-ctx.Done():
		case <-p.wake:
		case <-t.C:
		case <-again:
		}
	}
	return nil
}

// round publishes every group that waits. It returns when to try those again
// that failed, 0 = none did.
func (p *Publisher) round(ctx context.Context) (next time.Duration) {
	p.askAgain(ctx)
	groups, err := p.o.Store.Waiting(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.o.Log.WarnContext(ctx, "it cannot be seen what is to be published", "err", err)
		}
		return 0
	}
	for i := range groups {
		if ctx.Err() != nil {
			return 0
		}
		g := &groups[i]
		r := p.retry[g.ID]
		if r != nil && p.o.Now().Before(r.at) {
			next = earlier(next, r.at.Sub(p.o.Now()))
			continue
		}
		err := p.publishTimed(ctx, g)
		if err == nil {
			delete(p.retry, g.ID)
			continue
		}
		if ctx.Err() != nil {
			return 0
		}
		p.metrics.failed.Inc()
		if r == nil {
			r = &retry{wait: retryMin}
			p.retry[g.ID] = r
			p.o.Log.WarnContext(ctx, "a gateway group cannot be published; it is tried again", "group", g.ID, "err", err)
		}
		r.at = p.o.Now().Add(r.wait)
		next = earlier(next, r.wait)
		r.wait = min(2*r.wait, retryMax)
		delete(p.environments, g.EnvironmentID) // it may not be as it is in the database
		if err := p.o.Store.For(g.OrganizationID).NotPublished(ctx, g.ID, err); err != nil && ctx.Err() == nil {
			p.o.Log.WarnContext(ctx, "it cannot be noted why", "group", g.ID, "err", err)
		}
	}
	return next
}

func earlier(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return max(b, time.Millisecond)
	}
	return a
}

func (p *Publisher) publishTimed(ctx context.Context, g *store.Group) error {
	ctx, cancel := context.WithTimeout(ctx, step)
	defer cancel()
	begun := time.Now()
	sent, err := p.publish(ctx, g)
	p.metrics.bytes.Add(float64(sent))
	if err != nil {
		return err
	}
	took := time.Since(begun)
	p.metrics.published.Inc()
	p.metrics.seconds.Observe(took.Seconds())
	p.o.Log.InfoContext(ctx, "published", "group", g.ID, "version", g.ManifestVersion, "bytes", sent, "duration", took)
	return nil
}

// openManifests returns the bucket of manifests.
func (p *Publisher) openManifests(ctx context.Context) (*bus.Bucket, error) {
	if p.manifests != nil {
		return p.manifests, nil
	}
	b, err := p.o.Bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Manifests})
	if err != nil {
		return nil, err
	}
	p.manifests = b
	return b, nil
}

// quiet tells others of gateways that no longer report.
func (p *Publisher) quiet(ctx context.Context) {
	now := p.o.Now()
	rows, err := p.o.Store.Quiet(ctx, now)
	for i := range rows {
		g := &rows[i]
		if err == nil {
			err = p.announce(ctx, g, g.State(now))
		}
	}
	if err != nil && ctx.Err() == nil {
		p.o.Log.WarnContext(ctx, "quiet gateways cannot be told of", "err", err)
	}
}

// errGone says that a group was deleted, or that another worker has taken over.
var errGone = errors.New("the group is gone, or another worker has taken over")
