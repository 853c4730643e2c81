package authn

import (
	"context"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// FromBus asks tenant-manager over the bus. The service needs it among the Asks
// of its bus.Access.
func FromBus(b *bus.Bus) Source { return fromBus{b} }

type fromBus struct{ b *bus.Bus }

func (f fromBus) Keys(ctx context.Context) (tenant.KeySet, error) {
	return bus.Ask(ctx, f.b, tenant.Keys{})
}

func (f fromBus) Grants(ctx context.Context, ask tenant.Grants) (tenant.Granted, error) {
	return bus.Ask(ctx, f.b, ask)
}

// Listen has access take in the changes that tenant-manager publishes, until ctx
// ends. Every replica does; the service needs tenant-manager among the Listens
// of its bus.Access.
func Listen(ctx context.Context, b *bus.Bus, a *Access) error {
	return bus.Listen(ctx, b, func(_ context.Context, e tenant.AccessChanged) { a.Changed(e) }, a.Missed)
}
