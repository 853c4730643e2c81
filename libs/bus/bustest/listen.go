package bustest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
)

// heard is one replica that listens.
type heard struct {
	events chan Shipped
	missed chan struct{}
	ended  chan error
	stop   context.CancelFunc
}

func listen(t *testing.T, o bus.Options) *heard {
	t.Helper()
	b := connect(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	h := &heard{events: make(chan Shipped, 4096), missed: make(chan struct{}, 16), ended: make(chan error, 1), stop: cancel}
	go func() {
		h.ended <- bus.Listen(ctx, b, func(_ context.Context, e Shipped) { h.events <- e }, func() { h.missed <- struct{}{} })
	}()
	return h
}

// testListening: every replica hears what is new, and learns when it may have
// missed something.
func testListening(t *testing.T, s Server) {
	from := connect(t, s.For(orders))
	early := listen(t, s.For(billing)) // before there is a stream
	<-early.missed
	require.NoError(t, bus.Publish(t.Context(), from, Shipped{Tenant: "acme", Number: 1}))
	require.Equal(t, 1, (<-early.events).Number)
	early.stop()
	require.NoError(t, <-early.ended)
	replicas := []*heard{listen(t, s.For(billing)), listen(t, s.For(billing))}
	for _, r := range replicas {
		<-r.missed // what was before is not heard
	}
	require.NoError(t, bus.Publish(t.Context(), from, Shipped{Tenant: "acme", Number: 2}))
	require.NoError(t, bus.Publish(t.Context(), from, Shipped{Tenant: "umbrella", Number: 3}))
	for _, r := range replicas {
		require.Equal(t, Shipped{Tenant: "acme", Number: 2}, <-r.events)
		require.Equal(t, Shipped{Tenant: "umbrella", Number: 3}, <-r.events)
	}
	s.Stop()
	require.NoError(t, s.Resume())
	for _, r := range replicas {
		// Whoever is not back yet misses it, and is told so when it is.
		eventually(t, func() bool {
			require.NoError(t, bus.Publish(t.Context(), from, Shipped{Tenant: "acme", Number: 4}))
			select {
			case e := <-r.events:
				return e.Number == 4
			default:
				return false
			}
		}, "nothing is heard after an outage")
		<-r.missed
		r.stop()
		require.NoError(t, <-r.ended)
	}
	refused := listen(t, s.For(guest))
	var p *bus.PermissionError
	require.ErrorAs(t, <-refused.ended, &p)
	require.True(t, p.Subscribe)
}
