package tenantmanager

import (
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/system"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/events"
)

// Access is what the service does on the bus.
func Access() bus.Access {
	return bus.Access{
		Service: tenant.Service, Durables: []string{events.Durable}, Listens: []string{tenant.Service},
		Buckets: []bus.BucketAccess{{Name: system.Bucket, Write: true}},
	}
}
