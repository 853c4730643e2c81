package tenancy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
)

// Durable is the name under which a [Follower] consumes events.
const Durable = "organizations"

// Follower keeps what a service knows of organizations up to date: for services
// that need to know nothing more of them.
type Follower struct {
	DB  *db.DB
	Bus *bus.Bus
	Log *slog.Logger
	// Over, where not nil, takes away what of an organization is not in the database.
	Over func(context.Context, tenant.Organization) error
}

// Follow takes in changes until ctx ends.
func (f *Follower) Follow(ctx context.Context) error {
	return bus.Consume(ctx, f.Bus, Durable, func(ctx context.Context, e tenant.OrganizationChanged) error {
		return f.take(ctx, true, e.Organization)
	})
}

// Reconcile asks for all organizations until it was told once, so that no change
// is missed whose event is over, or came before this service was there.
func (f *Follower) Reconcile(ctx context.Context) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 15*time.Second) {
		err := f.take(ctx, false)
		if err == nil {
			<-ctx.Done()
			return nil
		}
		f.Log.InfoContext(ctx, "not all organizations are known yet; trying again", "err", err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

func (f *Follower) take(ctx context.Context, every bool, ids ...string) error {
	list, err := bus.Ask(ctx, f.Bus, tenant.Organizations{IDs: ids})
	if err != nil {
		return fmt.Errorf("asking for organizations: %w", err)
	}
	return errors.Join(Keep(ctx, f.DB, list.Organizations...), TakeAway(ctx, f.DB, list.Purged, every, f.Over))
}
