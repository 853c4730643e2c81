package events

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// unknownFor is how long a slug that nobody has is not asked about again.
const unknownFor = time.Second

// owners know the ids of organizations by their slugs, which never change.
type owners struct {
	bus *bus.Bus
	now func() time.Time

	mu    sync.Mutex
	ids   map[string]string
	asked time.Time // when all were last learned
}

func newOwners(b *bus.Bus, now func() time.Time) *owners {
	return &owners{bus: b, now: now, ids: map[string]string{}}
}

// of returns the id of an organization; "" where there is none of that slug.
// While tenant-manager is away it waits.
func (o *owners) of(stopping, ctx context.Context, slug string) (string, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		o.mu.Lock()
		id, fresh := o.ids[slug], o.now().Sub(o.asked) < unknownFor
		o.mu.Unlock()
		if id != "" || fresh {
			return id, nil
		}
		err := o.learn(ctx)
		if err == nil {
			continue
		}
		var p *problem.Problem
		if errors.As(err, &p) && p.Status < 500 || !rest(stopping, ctx, pause) {
			return "", err
		}
	}
}

// forget has all slugs asked about again: one of them may be nobody's any more.
func (o *owners) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.ids)
	o.asked = time.Time{}
}

func (o *owners) learn(ctx context.Context) error {
	asked := o.now()
	list, err := bus.Ask(ctx, o.bus, tenant.Organizations{})
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range list.Organizations {
		o.ids[x.Slug] = x.ID
	}
	o.asked = asked
	return nil
}
