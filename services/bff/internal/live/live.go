// Package live hands what changes in an organization on to the browsers that
// have a page of it open. It tells that something has changed, never what it is
// now: a page asks for that itself.
//
// It knows the events of the contract, and nothing of HTTP.
package live

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// The names of events, as browsers know them.
const (
	FleetChanged        = "fleet-changed"
	APIChanged          = "api-changed"
	PoliciesChanged     = "policies-changed"
	SubscriptionChanged = "subscription-changed"
	TrafficArrived      = "traffic-arrived"
	TrailGrown          = "trail-grown"
)

// topics are what browsers ask for, by name: each is some kinds of events.
var topics = map[string][]string{
	"deployments": {FleetChanged, APIChanged},
	"gateways":    {FleetChanged},
	"apis":        {APIChanged, PoliciesChanged, SubscriptionChanged},
	"audit":       {TrailGrown},
	"traffic":     {TrafficArrived},
}

// Topics lists the names of topics.
func Topics() []string { return []string{"apis", "audit", "deployments", "gateways", "traffic"} }

// Permissions are what a caller needs, one of them somewhere, to be told of
// events of a name.
func Permissions(event string) []string {
	switch event {
	case FleetChanged:
		return []string{"gateway:read", "deployment:read", "gateway-group:read"}
	case TrailGrown:
		return []string{"audit:read"}
	case TrafficArrived:
		return []string{"traffic:read"}
	case SubscriptionChanged:
		return []string{"subscription:read"}
	default:
		return []string{"api:read", "portal:read"}
	}
}

// Of returns the names of the events of some topics, of all where none is named.
func Of(names []string) []string {
	if len(names) == 0 {
		names = Topics()
	}
	var out []string
	for _, n := range names {
		for _, e := range topics[n] {
			if !slices.Contains(out, e) {
				out = append(out, e)
			}
		}
	}
	return out
}

// Event is what a browser is told.
type Event struct {
	Name string
	Data any
}

// room is how many events a browser may be behind before it is let go: it comes
// back and asks for everything anew.
const room = 64

// Hub knows who is looking. Make one with NewHub.
type Hub struct {
	mu        sync.Mutex
	listeners map[*Listener]struct{}
}

// Listener is one browser.
type Listener struct {
	organization string
	events       []string
	out          chan Event
	hub          *Hub
}

// NewHub returns a hub that nobody looks at.
func NewHub() *Hub { return &Hub{listeners: map[*Listener]struct{}{}} }

// Listen begins to tell events of some names, of one organization. End it with
// [Listener.Close].
func (h *Hub) Listen(organization string, events []string) *Listener {
	l := &Listener{organization: organization, events: events, out: make(chan Event, room), hub: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners[l] = struct{}{}
	return l
}

// Events returns the events. It is closed when the listener must come back and
// ask for everything anew.
func (l *Listener) Events() <-chan Event { return l.out }

// Close ends it.
func (l *Listener) Close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	l.hub.drop(l)
}

// drop ends a listener, for h.mu held.
func (h *Hub) drop(l *Listener) {
	if _, there := h.listeners[l]; there {
		delete(h.listeners, l)
		close(l.out)
	}
}

func (h *Hub) tell(organization string, e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		if l.organization != organization || !slices.Contains(l.events, e.Name) {
			continue
		}
		select {
		case l.out <- e:
		default:
			h.drop(l)
		}
	}
}

// reset lets everybody go, since events may have passed by.
func (h *Hub) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		h.drop(l)
	}
}

// Run takes in events from the bus until ctx ends.
func (h *Hub) Run(ctx context.Context, b *bus.Bus) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kinds := []func() error{
		func() error {
			return listen(ctx, b, h, FleetChanged, func(e gateway.FleetChanged) string { return e.Organization })
		},
		func() error {
			return listen(ctx, b, h, APIChanged, func(e gateway.APIChanged) string { return e.Organization })
		},
		func() error {
			return listen(ctx, b, h, PoliciesChanged, func(e policy.PoliciesChanged) string { return e.Organization })
		},
		func() error {
			return listen(ctx, b, h, SubscriptionChanged, func(e portal.SubscriptionChanged) string { return e.Organization })
		},
		func() error {
			return listen(ctx, b, h, TrafficArrived, func(e analysis.TrafficArrived) string { return e.Organization })
		},
		func() error {
			return listen(ctx, b, h, TrailGrown, func(e tenant.TrailGrown) string { return e.Organization })
		},
	}
	errs := make([]error, len(kinds))
	var wg sync.WaitGroup
	for i, run := range kinds {
		wg.Go(func() {
			errs[i] = run()
			cancel() // one without the others is not what pages rely on
		})
	}
	wg.Wait()
	h.reset()
	return errors.Join(errs...)
}

func listen[E bus.Event](ctx context.Context, b *bus.Bus, h *Hub, name string, organization func(E) string) error {
	return bus.Listen(ctx, b, func(_ context.Context, e E) { h.tell(organization(e), Event{name, e}) }, h.reset)
}
