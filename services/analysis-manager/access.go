package analysismanager

import (
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/events"
)

// Access is what the service does on the bus.
func Access() bus.Access {
	return bus.Access{
		Service: analysis.Service, Durables: []string{events.Organizations}, Asks: []string{tenant.Service}, Listens: []string{tenant.Service}, Collects: []string{events.Durable},
	}
}
