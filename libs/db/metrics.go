package db

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type counts struct {
	sent, failed atomic.Uint64
}

// metricsLimit bounds the one query of a collection.
const metricsLimit = 2 * time.Second

type collector struct {
	db                              *DB
	up, open, busy, waits           *prometheus.Desc
	sent, failed, pending, eventAge *prometheus.Desc
	stalled                         *prometheus.Desc
}

// Metrics returns the metrics of the database and its outbox. The label
// database is primary, readers or the replica's address.
func (d *DB) Metrics() prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("gatehouse_"+name, help, labels, nil)
	}
	return &collector{
		db:       d,
		up:       desc("db_up", "Whether the database answers.", "database"),
		open:     desc("db_connections", "Open connections.", "database"),
		busy:     desc("db_connections_in_use", "Connections at work.", "database"),
		waits:    desc("db_connection_waits_total", "Queries that had to wait for a connection.", "database"),
		sent:     desc("outbox_sent_total", "Events handed to the bus by this process."),
		failed:   desc("outbox_failed_total", "Attempts of this process to hand over an event that failed."),
		pending:  desc("outbox_pending", "Events that wait for the bus."),
		eventAge: desc("outbox_oldest_seconds", "Age of the oldest event that waits."),
		stalled:  desc("outbox_refused", "Things whose events the bus refuses, each of which waits for its own."),
	}
}

// Describe is for Prometheus.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.up, c.open, c.busy, c.waits, c.sent, c.failed, c.pending, c.eventAge, c.stalled} {
		out <- d
	}
}

// Collect is for Prometheus.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	for _, p := range c.db.pools {
		up := 1.0
		if p.watch.down.Load() {
			up = 0
		}
		s := p.Stats()
		gauge(c.up, up, p.watch.name)
		gauge(c.open, float64(s.OpenConnections), p.watch.name)
		gauge(c.busy, float64(s.InUse), p.watch.name)
		counter(c.waits, float64(s.WaitCount), p.watch.name)
	}
	counter(c.sent, float64(c.db.counts.sent.Load()))
	counter(c.failed, float64(c.db.counts.failed.Load()))
	if c.db.primary.watch.down.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), metricsLimit)
	defer cancel()
	var (
		pending int64
		oldest  outboxRow
	)
	g := c.db.session(ctx, false)
	if g.Model(&outboxRow{}).Where("sent_at IS NULL").Count(&pending).Error != nil {
		return // not migrated yet
	}
	gauge(c.pending, float64(pending))
	var stalled int64
	if g.Model(&outboxStall{}).Count(&stalled).Error == nil {
		gauge(c.stalled, float64(stalled))
	}
	if pending == 0 {
		gauge(c.eventAge, 0)
	} else if g.Where("sent_at IS NULL").Order("id").Limit(1).Find(&oldest).Error == nil && oldest.ID != 0 {
		gauge(c.eventAge, c.db.Now().Sub(oldest.CreatedAt).Seconds())
	}
}
