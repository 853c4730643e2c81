package events

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
)

// arrivalsEvery is the shortest time between two events of an organization.
const arrivalsEvery = time.Second

// arrivals say that traffic has arrived, at most once a second for each
// organization.
type arrivals struct {
	bus   *bus.Bus
	log   *slog.Logger
	every time.Duration
	some  chan struct{}

	mu      sync.Mutex
	pending map[string]int
}

func newArrivals(b *bus.Bus, log *slog.Logger) *arrivals {
	return &arrivals{bus: b, log: log, every: arrivalsEvery, some: make(chan struct{}, 1), pending: map[string]int{}}
}

func (a *arrivals) add(organization string, n int) {
	if n == 0 {
		return
	}
	a.mu.Lock()
	a.pending[organization] += n
	a.mu.Unlock()
	select {
	case a.some <- struct{}{}:
	default:
	}
}

func (a *arrivals) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.some:
		}
		a.mu.Lock()
		now := a.pending
		a.pending = map[string]int{}
		a.mu.Unlock()
		for organization, n := range now {
			e := analysis.TrafficArrived{Organization: organization, Records: n}
			if err := bus.Publish(ctx, a.bus, e); err != nil { // it may be lost
				a.log.DebugContext(ctx, "nobody is told of new traffic", "err", err)
			}
		}
		if !rest(ctx, ctx, a.every) {
			return nil
		}
	}
}
