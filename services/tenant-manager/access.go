package tenantmanager

import (
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/system"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/events"
)

// Access is what the service does on the bus.
func Access() bus.Access {
	return bus.Access{
		Service: tenant.Service, Durables: []string{events.Durable}, Listens: []string{tenant.Service},
		Asks:    []string{gateway.Service, policy.Service, portal.Service, analysis.Service},
		Buckets: []bus.BucketAccess{{Name: system.Bucket, Write: true}},
	}
}
