// Package events is analysis-manager on the bus: it collects what gateways ship,
// says that traffic has arrived, and answers what other services ask. It knows
// no database and no HTTP.
package events

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/intake"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

const (
	// Durable is the name under which shipments are collected.
	Durable = "records"

	// ackWait is after how long what a dead replica had in hand goes to another.
	// It may be short, since what comes twice is counted once.
	ackWait = 5 * time.Second

	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// Intake takes in what gateways ship. Make one with [NewIntake].
type Intake struct {
	bus     *bus.Bus
	store   store.Store
	owners  *owners
	arrived *arrivals
	keep    time.Duration
	log     *slog.Logger
	now     func() time.Time

	records *prometheus.CounterVec
	lost    *prometheus.CounterVec
	lag     prometheus.Gauge
}

// NewIntake returns an intake that keeps records of at most the age keep. Its
// metrics are registered with r.
func NewIntake(b *bus.Bus, s store.Store, keep time.Duration, log *slog.Logger, now func() time.Time, r prometheus.Registerer) (*Intake, error) {
	i := &Intake{
		bus: b, store: s, owners: newOwners(b, now), arrived: newArrivals(b, log), keep: keep, log: log, now: now,
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_analysis_records_total",
			Help: "Traffic records by what came of them: stored, repeated, orphaned (no organization owns them), old or invalid.",
		}, []string{"outcome"}),
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_analysis_records_lost_total",
			Help: "Traffic records that gateways say they have lost, by reason.",
		}, []string{"reason"}),
		lag: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gatehouse_analysis_lag_seconds",
			Help: "Age of the newest record of the last batch when it was stored.",
		}),
	}
	for _, o := range []string{"stored", "repeated", "orphaned", "old", "invalid"} {
		i.records.WithLabelValues(o)
	}
	if r == nil {
		return i, nil
	}
	for _, c := range []prometheus.Collector{i.records, i.lost, i.lag} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics of the intake: %w", err)
		}
	}
	return i, nil
}

// Close takes the metrics away from r.
func (i *Intake) Close(r prometheus.Registerer) {
	if r != nil {
		r.Unregister(i.records)
		r.Unregister(i.lost)
		r.Unregister(i.lag)
	}
}

// Run collects until ctx ends. While the store or tenant-manager is away it
// waits: what is shipped stays in NATS, and then with the gateways.
func (i *Intake) Run(ctx context.Context) error {
	return bus.Collect(ctx, i.bus, Durable, func(hctx context.Context, list []bus.Shipment) error {
		// The handler goes on after ctx ends, but does not wait any more.
		return i.take(ctx, hctx, list)
	}, bus.Collection{AckWait: ackWait})
}

// Announce publishes that traffic has arrived, until ctx ends.
func (i *Intake) Announce(ctx context.Context) error { return i.arrived.run(ctx) }

// tally is what came of shipments.
type tally struct {
	rows, orphaned, old, invalid int
	newest                       time.Time
	lost                         []traffic.Loss
}

// take takes in shipments: all of them or, after an error, none.
func (i *Intake) take(stopping, ctx context.Context, list []bus.Shipment) error {
	var t tally
	batches := make([]store.Batch, 0, len(list))
	for _, s := range list {
		b, ok, err := i.read(stopping, ctx, s, &t)
		if err != nil {
			return err
		}
		if ok {
			batches = append(batches, b)
		}
	}
	added, err := i.add(stopping, ctx, batches)
	if err != nil {
		return err
	}
	stored := 0
	for organization, n := range added {
		stored += n
		i.arrived.add(organization, n)
	}
	for outcome, n := range map[string]int{"stored": stored, "repeated": t.rows - stored, "orphaned": t.orphaned, "old": t.old, "invalid": t.invalid} {
		i.records.WithLabelValues(outcome).Add(float64(n))
	}
	if stored > 0 { // else the losses were counted before
		for _, l := range t.lost {
			i.lost.WithLabelValues(l.Reason).Add(float64(l.Records))
			i.log.WarnContext(ctx, "a gateway has lost traffic records", "records", l.Records, "from", l.From, "to", l.To, "reason", l.Reason)
		}
	}
	if !t.newest.IsZero() {
		i.lag.Set(max(0, i.now().Sub(t.newest).Seconds()))
	}
	return nil
}

// read reads a shipment. ok is false where it is damaged: it would never be
// whole, and is counted.
func (i *Intake) read(stopping, ctx context.Context, s bus.Shipment, t *tally) (b store.Batch, ok bool, err error) {
	owner, err := i.owners.of(stopping, ctx, s.Organization)
	if err != nil {
		return b, false, fmt.Errorf("finding out whose records they are: %w", err)
	}
	told, lines, err := traffic.OpenBatch(s.Header, s.Body)
	if err != nil {
		t.invalid += int(max(1, told.Records))
		i.log.WarnContext(ctx, "a batch of records cannot be read", "organization", s.Organization, "group", s.Group, "gateway", s.Gateway, "id", s.ID, "err", err)
		return b, false, nil
	}
	got := intake.Read(lines, intake.Owner{Organization: owner, Slug: s.Organization, Gateway: s.Gateway, Now: i.now(), Keep: i.keep})
	t.rows += len(got.Rows)
	t.orphaned += got.Orphans
	t.old += got.Old
	t.invalid += got.Invalid
	t.lost = append(t.lost, told.Lost...)
	for k := range got.Rows {
		if at := got.Rows[k].Time; at.After(t.newest) {
			t.newest = at
		}
	}
	return store.Batch{ID: s.Organization + "/" + s.Group + "/" + s.Gateway + "/" + s.ID, Rows: got.Rows}, true, nil
}

// add stores batches, and waits while the store is away. An error of a store
// that is well is about the batches, and is returned.
func (i *Intake) add(stopping, ctx context.Context, batches []store.Batch) (map[string]int, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		added, err := i.store.Add(ctx, batches)
		if err == nil || i.store.Health() == nil {
			return added, err
		}
		if !rest(stopping, ctx, pause) {
			return nil, err
		}
	}
}

// rest waits, and returns false where it was told not to.
func rest(stopping, ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-stopping.Done():
	case <-ctx.Done():
	}
	return false
}
