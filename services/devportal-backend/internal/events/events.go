// Package events is what devportal-backend has to do with the bus: which events
// it takes in, what it keeps going under a lease, and which requests of other
// services it answers. What is done about each is decided elsewhere.
package events

import (
	"context"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/libs/unitstore"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/catalogue"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/clients"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/feed"
	"github.com/gatehouse/gatehouse/services/devportal-backend/internal/store"
)

// The durables of the service.
const (
	durableFeed          = "feed"
	durableOrganizations = "organizations"
	durableAPIs          = "apis"
	durablePolicies      = "policies"
	durableClients       = "clients"
)

// Durables lists the names under which the service consumes events.
func Durables() []string {
	return []string{durableFeed, durableOrganizations, durableAPIs, durablePolicies, durableClients}
}

// leaseTTL is within which another replica takes over what one kept going.
const leaseTTL = 6 * time.Second

// wholeEvery is between two looks at all of what events keep up to date.
const wholeEvery = 5 * time.Minute

// Start has the service take part.
func Start(ctx context.Context, k *service.Kit, keeper *clients.Keeper) error {
	units, err := k.Bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Units, ReadOnly: true})
	if err != nil {
		return err
	}
	w := &feed.Writer{DB: k.DB, Bus: k.Bus, Log: k.Log, Now: k.Now}
	c := &catalogue.Keeper{DB: k.DB, Bus: k.Bus, Documents: unitstore.New(units), Log: k.Log, Forget: w.Forget}

	// Entries are made anew from the database: their order does not matter.
	many := bus.Consumption{Concurrency: 8, RetryMin: 100 * time.Millisecond}
	k.Go("feed", func(ctx context.Context) error { return bus.Consume(ctx, k.Bus, durableFeed, w.Changed, many) })
	k.Go("organizations", func(ctx context.Context) error { return bus.Consume(ctx, k.Bus, durableOrganizations, c.Organization) })
	k.Go("changes of APIs", func(ctx context.Context) error { return bus.Consume(ctx, k.Bus, durableAPIs, c.APIChanged) })
	k.Go("changes of policies", func(ctx context.Context) error { return bus.Consume(ctx, k.Bus, durablePolicies, c.PoliciesChanged) })
	k.Go("the whole feed", func(ctx context.Context) error {
		return bus.Lease(ctx, k.Bus, "feed", leaseTTL, func(ctx context.Context, _ uint64) error { return w.Keep(ctx) })
	})
	k.Go("OAuth2 clients", func(ctx context.Context) error { return bus.Consume(ctx, k.Bus, durableClients, keeper.Changed) })
	// Events bring both up to date at once. These mend what events missed: what ran out,
	// and what a transaction left behind that did not come to its end.
	k.Job(service.JobOptions{
		Name: "catalogue", Every: wholeEvery, Again: 2 * time.Second, Lease: leaseTTL, Failed: "the catalogue is not up to date; it is tried again",
	}, c.All)
	k.Job(service.JobOptions{
		Name: "clients", Every: wholeEvery, Again: 5 * time.Second, Lease: leaseTTL, Failed: "the OAuth2 clients of applications are not in line; it is tried again",
	}, keeper.All)
	if err := bus.Answer(k.Bus, func(ctx context.Context, q portal.Subscribers) (portal.SubscriberCount, error) {
		return subscribers(ctx, k.DB, q)
	}); err != nil {
		return err
	}
	if err := bus.Answer(k.Bus, func(ctx context.Context, q portal.Holdings) (tenant.Counts, error) {
		return store.Holdings(ctx, k.DB.For(q.Organization))
	}); err != nil {
		return err
	}
	exporter := store.Exporter(k.DB)
	if err := bus.Answer(k.Bus, func(ctx context.Context, q portal.Export) (tenant.Exported, error) {
		return exporter.Portion(ctx, q.Portion)
	}); err != nil {
		return err
	}
	return bus.Answer(k.Bus, func(ctx context.Context, q portal.Applications) (portal.ApplicationList, error) {
		return applications(ctx, k.DB, q)
	})
}

func subscribers(ctx context.Context, d *db.DB, q portal.Subscribers) (out portal.SubscriberCount, err error) {
	out.Active, out.Pending, out.Applications, err = store.Subscribers(ctx, d.For(q.Organization), q.API, q.Plan)
	return out, err
}

func applications(ctx context.Context, d *db.DB, q portal.Applications) (portal.ApplicationList, error) {
	out := portal.ApplicationList{Applications: []portal.Application{}}
	rows, err := store.Named(ctx, d.For(q.Organization), q.IDs)
	for _, a := range rows {
		out.Applications = append(out.Applications, portal.Application{ID: a.ID, Name: a.Name, Owner: a.OwnerID})
	}
	return out, err
}
