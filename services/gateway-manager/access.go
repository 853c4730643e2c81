package gatewaymanager

import (
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/gateway-manager/internal/events"
)

// Access is what gateway-manager does on the bus.
func Access() bus.Access {
	return bus.Access{
		Service:  gateway.Service,
		Durables: []string{events.Organizations, events.Policies},
		Asks:     []string{tenant.Service, policy.Service},
		Listens:  []string{tenant.Service, gateway.Service},
		Buckets:  []bus.BucketAccess{{Name: gateway.Manifests, Write: true}, {Name: gateway.Units, Write: true}},
	}
}
