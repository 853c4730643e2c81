package bus

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the collectors of one bus. Their label service tells several
// buses of one process apart.
type metrics struct {
	events   *prometheus.CounterVec
	consumed *prometheus.CounterVec
	requests *prometheus.CounterVec
	streams  prometheus.Gauge
}

func newMetrics(r prometheus.Registerer, service string) (*metrics, error) {
	labels := prometheus.Labels{"service": service}
	counter := func(name, help string, names ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels}, names)
	}
	m := &metrics{
		events:   counter("gatehouse_bus_events_total", "Events sent. The result is published or unpublished, shipped or unshipped.", "result"),
		consumed: counter("gatehouse_bus_deliveries_total", "Deliveries of events. The result is done, dropped (the event was at fault), retried or dead.", "durable", "result"),
		requests: counter("gatehouse_bus_requests_total", "Requests and forwarded HTTP requests. The side is asked, answered, forwarded or served; the result is ok or failed.", "side", "result"),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "gatehouse_bus_streams", Help: "Forwarded HTTP requests that are open.", ConstLabels: labels,
		}),
	}
	if r == nil {
		return m, nil
	}
	return m, errors.Join(r.Register(m.events), r.Register(m.consumed), r.Register(m.requests), r.Register(m.streams))
}

func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range []prometheus.Collector{m.events, m.consumed, m.requests, m.streams} {
		r.Unregister(c)
	}
}
