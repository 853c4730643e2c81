package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
)

// ledger counts what was collected.
type ledger struct {
	mu      sync.Mutex
	seen    map[string]int
	batches int
	most    int
	last    bus.Shipment
}

func (l *ledger) take(_ context.Context, s []bus.Shipment) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches++
	l.most = max(l.most, len(s))
	for _, x := range s {
		l.seen[x.ID]++
		l.last = x
	}
	return nil
}

func (l *ledger) times(id string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen[id]
}

func (l *ledger) distinct() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.seen)
}

func collect(t *testing.T, b *bus.Bus, handle func(context.Context, []bus.Shipment) error, how bus.Collection) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- bus.Collect(ctx, b, "records", handle, how) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
}

func testShip(t *testing.T, s Server) {
	ctx := t.Context()
	sender := connect(t, s.For(till))
	ship := func(id string) error {
		return bus.Ship(ctx, sender, bus.Shipment{
			Organization: "acme", Group: "main", Gateway: "a", ID: id, Header: map[string]string{"Encoding": "none"}, Body: []byte("body of " + id),
		})
	}
	require.Error(t, ship("early"), "nobody has made the stream; it stays with the sender")
	l := &ledger{seen: map[string]int{}}
	collect(t, connect(t, s.For(billing)), l.take, bus.Collection{Batch: 16, Wait: 20 * time.Millisecond})
	collect(t, connect(t, s.For(billing)), l.take, bus.Collection{Batch: 16, Wait: 20 * time.Millisecond})
	eventually(t, func() bool { return ship("early") == nil }, "it can be shipped once somebody collects")
	eventually(t, func() bool { return l.times("early") == 1 }, "it arrives")
	require.Equal(t, bus.Shipment{
		Organization: "acme", Group: "main", Gateway: "a", ID: "early", Delivery: 1,
		Header: map[string]string{"Encoding": "none"}, Body: []byte("body of early"),
	}, l.last)

	const n = 500
	for i := range n {
		require.NoError(t, ship(fmt.Sprint(i)))
		if i%7 == 0 {
			require.NoError(t, ship(fmt.Sprint(i)), "shipped again, as after an answer that was lost")
		}
	}
	eventually(t, func() bool { return l.distinct() == n+1 }, "all arrive")
	for i := range n {
		require.Equal(t, 1, l.times(fmt.Sprint(i)), "shipment %d", i)
	}
	require.LessOrEqual(t, l.most, 16)
	require.Greater(t, l.most, 1, "several at once")

	s.Stop()
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	require.Error(t, bus.Ship(short, sender, bus.Shipment{Organization: "acme", Group: "main", Gateway: "a", ID: "outage"}))
	require.NoError(t, s.Resume())
	eventually(t, func() bool { return ship("outage") == nil }, "again after an outage")
	eventually(t, func() bool { return l.times("outage") == 1 }, "it arrives")

	for _, bad := range []bus.Shipment{{}, {Organization: "acme", Group: "main", Gateway: "a"}, {Organization: "a.b", Group: "main", Gateway: "a", ID: "1"}} {
		require.Error(t, bus.Ship(ctx, sender, bus.Shipment{Organization: bad.Organization, Group: bad.Group, Gateway: bad.Gateway, ID: bad.ID}))
	}
	require.ErrorIs(t, bus.Ship(ctx, sender, bus.Shipment{Organization: "acme", Group: "main", Gateway: "a", ID: "big", Body: make([]byte, 2<<20)}), bus.ErrTooLarge)
}

func testShipFailures(t *testing.T, s Server) {
	ctx := t.Context()
	l := &ledger{seen: map[string]int{}}
	tries := map[string]int{}
	var mu sync.Mutex
	collect(t, connect(t, s.For(billing)), func(ctx context.Context, batch []bus.Shipment) error {
		mu.Lock()
		defer mu.Unlock()
		for _, x := range batch {
			tries[x.ID]++
			if x.ID == "poison" || x.ID == "flaky" && x.Delivery < 3 {
				return errors.New("not this one")
			}
			if x.ID == "panic" && x.Delivery == 1 {
				panic("not this one either")
			}
		}
		return l.take(ctx, batch)
	}, bus.Collection{Wait: 50 * time.Millisecond, Deliveries: 4, RetryMin: time.Millisecond, RetryMax: 5 * time.Millisecond})
	sender := connect(t, s.For(till))
	for _, id := range []string{"1", "poison", "2", "flaky", "panic", "3"} {
		eventually(t, func() bool {
			return bus.Ship(ctx, sender, bus.Shipment{Organization: "acme", Group: "main", Gateway: "a", ID: id}) == nil
		}, "shipping "+id)
	}
	eventually(t, func() bool { return l.distinct() == 5 }, "all but one are collected")
	eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return tries["poison"] >= 4 }, "the bad one was tried")
	for _, id := range []string{"1", "2", "3", "flaky", "panic"} {
		require.Equal(t, 1, l.times(id), "shipment %s", id)
	}
	require.Zero(t, l.times("poison"))
}
