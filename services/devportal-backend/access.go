package devportal

import (
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/events"
)

// Access is what the service does on the bus.
func Access() bus.Access {
	return bus.Access{
		Service: portal.Service, Durables: events.Durables(),
		Asks: []string{tenant.Service, gateway.Service, policy.Service, analysis.Service}, Listens: []string{tenant.Service},
		Buckets: []bus.BucketAccess{{Name: gateway.Units}, {Name: gateway.Credentials, Write: true}},
	}
}
