package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Totals returns how many requests are under way, and how many were answered by
// routes that are still there.
func (m *Metrics) Totals() (inFlight, requests int64) {
	gauges, counters := map[prometheus.Gauge]bool{}, map[prometheus.Counter]bool{}
	m.mu.Lock()
	routes := append(make([]*Route, 0, len(m.routes)+1), m.spare)
	for _, r := range m.routes {
		routes = append(routes, r)
	}
	for _, r := range routes {
		if r.inFlight != nil { // several may share one
			gauges[r.inFlight] = true
		}
	}
	m.mu.Unlock()
	var value dto.Metric
	for g := range gauges {
		if g.Write(&value) == nil {
			inFlight += int64(value.GetGauge().GetValue())
		}
	}
	for _, r := range routes {
		for i := range r.counters {
			if c := r.counters[i].Load(); c != nil && !counters[c.Counter] {
				counters[c.Counter] = true
				if c.Write(&value) == nil {
					requests += int64(value.GetCounter().GetValue())
				}
			}
		}
	}
	return inFlight, requests
}
