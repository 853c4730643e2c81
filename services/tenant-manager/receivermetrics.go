package tenantmanager

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// receiverMetrics tells how the audit trail is forwarded, all organizations together. What
// cannot be read is left out.
type receiverMetrics struct {
	store           *store.Store
	behind, failing *prometheus.Desc
}

func newReceiverMetrics(s *store.Store) *receiverMetrics {
	return &receiverMetrics{
		store:   s,
		behind:  prometheus.NewDesc("gatehouse_audit_receivers_behind", "Entries of the audit trail that the receiver that is farthest behind has yet to get.", nil, nil),
		failing: prometheus.NewDesc("gatehouse_audit_receivers_failing", "Receivers of the audit trail that did not take what they were last sent.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *receiverMetrics) Describe(out chan<- *prometheus.Desc) { out <- m.behind; out <- m.failing }

// Collect implements prometheus.Collector.
func (m *receiverMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	behind, failing, err := m.store.AuditReceiversBehind(ctx)
	if err != nil {
		return
	}
	out <- prometheus.MustNewConstMetric(m.behind, prometheus.GaugeValue, float64(behind))
	out <- prometheus.MustNewConstMetric(m.failing, prometheus.GaugeValue, float64(failing))
}
