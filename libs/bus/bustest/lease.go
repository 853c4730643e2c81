package bustest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
)

func testLease(t *testing.T, s Server) {
	const ttl = time.Second
	type held struct {
		replica int
		fence   uint64
		at      time.Time
	}
	taken := make(chan held, 16)
	var holders, most atomic.Int64
	start := func(replica int, b *bus.Bus) (stop func()) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			done <- bus.Lease(ctx, b, "reports", ttl, func(ctx context.Context, fence uint64) error {
				most.Store(max(most.Load(), holders.Add(1)))
				defer holders.Add(-1)
				taken <- held{replica, fence, time.Now()}
				<-ctx.Done()
				return ctx.Err()
			})
		}()
		return func() { cancel(); require.NoError(t, <-done) }
	}
	one, err := bus.Connect(s.For(billing))
	require.NoError(t, err)
	start(1, one)
	first := <-taken
	require.Equal(t, 1, first.replica)
	stop2 := start(2, connect(t, s.For(billing)))

	// The holder keeps it for longer than a ttl, and gives it back at its end.
	select {
	case h := <-taken:
		t.Fatalf("replica %d took a lease that was held", h.replica)
	case <-time.After(ttl * 3 / 2):
	}
	closing := time.Now()
	closeBus(t, one)
	second := <-taken
	require.Equal(t, 2, second.replica)
	require.Greater(t, second.fence, first.fence)
	require.Less(t, second.at.Sub(closing), ttl*3/4, "a lease given back is free at once")

	// A holder that loses NATS stops by itself, before anyone else can begin.
	cut := &gate{Server: s}
	stop2()
	three := connect(t, cut.For(billing))
	stop3 := start(3, three)
	third := <-taken
	require.Equal(t, 3, third.replica)
	stop4 := start(4, connect(t, s.For(billing)))
	require.NoError(t, waitFor(func() bool { return three.Connected() }))
	died := time.Now()
	cut.close()
	fourth := <-taken
	require.Equal(t, 4, fourth.replica)
	require.Greater(t, fourth.fence, third.fence)
	require.Less(t, fourth.at.Sub(died), ttl+ttl/2, "taken over, with time for a busy machine")
	require.EqualValues(t, 1, most.Load(), "never two holders")
	stop4()
	stop3()

	done := errors.New("done")
	require.ErrorIs(t, bus.Lease(t.Context(), connect(t, s.For(billing)), "other", ttl, func(context.Context, uint64) error { return done }), done)
}

func waitFor(ok func() bool) error {
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			return errors.New("it did not happen")
		}
		<-time.After(5 * time.Millisecond)
	}
	return nil
}
