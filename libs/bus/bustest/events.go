package bustest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func closeBus(t *testing.T, b *bus.Bus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, b.Close(ctx))
}

// consume runs a consumer until the test, or stop, ends it.
func consume(t *testing.T, b *bus.Bus, durable string, handle func(context.Context, Shipped) error, how ...bus.Consumption) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- bus.Consume(ctx, b, durable, handle, how...) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-done)
	})
	t.Cleanup(stop)
	return stop
}

func testEvents(t *testing.T, s Server) {
	sender, receiver := connect(t, s.For(orders)), connect(t, s.For(billing))
	type got struct {
		event Shipped
		meta  bus.Metadata
	}
	events := make(chan got, 4)
	consume(t, receiver, "ledger", func(ctx context.Context, e Shipped) error {
		events <- got{e, bus.MetadataOf(ctx)}
		return nil
	})
	trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx := bus.WithMetadata(t.Context(), bus.Metadata{Actor: "user:42", TraceParent: trace, TraceState: "a=b"})
	before := time.Now()
	require.NoError(t, bus.Publish(ctx, sender, Shipped{"acme", 7}))
	g := <-events
	require.Equal(t, Shipped{"acme", 7}, g.event)
	require.Equal(t, "user:42", g.meta.Actor)
	require.Equal(t, trace, g.meta.TraceParent)
	require.Equal(t, "a=b", g.meta.TraceState)
	require.NotEmpty(t, g.meta.ID)
	require.Equal(t, 1, g.meta.Delivery)
	require.WithinDuration(t, before, g.meta.Time, time.Minute)

	for _, tenant := range []string{"", "a.b", "*", ">", "a b"} {
		require.Error(t, bus.Publish(ctx, sender, Shipped{Tenant: tenant}), "tenant %q", tenant)
	}
}

func testOrder(t *testing.T, s Server) {
	sender, receiver := connect(t, s.For(orders)), connect(t, s.For(billing))
	const tenants = 8
	n := 10_000
	if testing.Short() {
		n = 4_000
	}
	var mu sync.Mutex
	last := map[string]int{}
	var total atomic.Int64
	wrong := make(chan string, 1)
	consume(t, receiver, "ledger", func(_ context.Context, e Shipped) error {
		mu.Lock()
		defer mu.Unlock()
		if e.Number != last[e.Tenant]+1 {
			select {
			case wrong <- fmt.Sprintf("%s: %d after %d", e.Tenant, e.Number, last[e.Tenant]):
			default:
			}
		}
		last[e.Tenant] = e.Number
		total.Add(1)
		return nil
	})
	start := time.Now()
	errs := make(chan error, tenants)
	for i := range tenants {
		go func() {
			for k := range n / tenants {
				if err := bus.Publish(t.Context(), sender, Shipped{fmt.Sprint("t", i), k + 1}); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range tenants {
		require.NoError(t, <-errs)
	}
	require.Eventually(t, func() bool { return int(total.Load()) == n }, 60*time.Second, 10*time.Millisecond)
	t.Logf("%.0f events per second, published and consumed", float64(n)/time.Since(start).Seconds())
	select {
	case w := <-wrong:
		t.Fatal(w)
	default:
	}
}

func testSettling(t *testing.T, s Server) {
	o := s.For(billing)
	metrics := prometheus.NewRegistry()
	o.Metrics = metrics
	sender, receiver := connect(t, s.For(orders)), connect(t, o)
	const good, faulty, flaky, hopeless, panics, overtaken = 1, 2, 3, 4, 5, 7
	var mu sync.Mutex
	seen := map[int]int{}
	how := bus.Consumption{RetryMin: time.Millisecond, RetryMax: 5 * time.Millisecond, Deliveries: 4, AckWait: 2 * time.Second}
	consume(t, receiver, "ledger", func(_ context.Context, e Shipped) error {
		mu.Lock()
		defer mu.Unlock()
		seen[e.Number]++
		switch {
		case e.Number == faulty:
			return problem.New(problem.CodeInvalidInput, "no such order")
		case e.Number == flaky && seen[flaky] < 3:
			return problem.New(problem.CodeDependencyDown, "later")
		case e.Number == overtaken && seen[overtaken] < 2:
			return problem.New(problem.CodePreconditionFailed, "somebody else was faster")
		case e.Number == hopeless:
			return errors.New("never works")
		case e.Number == panics && seen[panics] < 2:
			panic("once")
		}
		return nil
	}, how)
	for _, n := range []int{faulty, flaky, hopeless, panics, overtaken, good} {
		require.NoError(t, bus.Publish(t.Context(), sender, Shipped{"acme", n}))
	}
	want := map[int]int{good: 1, faulty: 1, flaky: 3, hopeless: 4, panics: 2, overtaken: 2}
	eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprint(seen) == fmt.Sprint(want)
	}, "each is tried as often as it should")
	// Nothing comes again: a later event finds the counts as they were.
	require.NoError(t, bus.Publish(t.Context(), sender, Shipped{"acme", 6}))
	want[6] = 1
	eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return fmt.Sprint(seen) == fmt.Sprint(want)
	}, "nothing is tried more often")
	// What is given up is counted when it is among the dead letters.
	counted := func() error {
		return testutil.GatherAndCompare(metrics, strings.NewReader(`
		# HELP gatehouse_bus_deliveries_total Deliveries of events. The result is done, dropped (the event was at fault), retried or dead.
		# TYPE gatehouse_bus_deliveries_total counter
		gatehouse_bus_deliveries_total{durable="ledger",result="dead",service="billing"} 1
		gatehouse_bus_deliveries_total{durable="ledger",result="done",service="billing"} 5
		gatehouse_bus_deliveries_total{durable="ledger",result="dropped",service="billing"} 1
		gatehouse_bus_deliveries_total{durable="ledger",result="retried",service="billing"} 7
	`), "gatehouse_bus_deliveries_total")
	}
	eventually(t, func() bool { return counted() == nil }, "the counters tell")
}

func testDuplicate(t *testing.T, s Server) {
	sender, receiver := connect(t, s.For(orders)), connect(t, s.For(billing))
	m, err := bus.Encode(t.Context(), Shipped{"acme", 1})
	require.NoError(t, err)
	for range 5 {
		require.NoError(t, sender.Send(t.Context(), m)) // as an outbox does after a crash
	}
	require.NoError(t, bus.Publish(t.Context(), sender, Shipped{"acme", 2}))
	numbers := make(chan int, 10)
	consume(t, receiver, "ledger", func(_ context.Context, e Shipped) error { numbers <- e.Number; return nil })
	require.Equal(t, 1, <-numbers)
	require.Equal(t, 2, <-numbers)
}

func testReplicas(t *testing.T, s Server) {
	sender := connect(t, s.For(orders))
	var mu sync.Mutex
	seen := map[string]map[int]int{"ledger": {}, "mail": {}}
	served := map[int]bool{}
	both := make(chan struct{})
	for replica := range 2 {
		b := connect(t, s.For(billing))
		for _, durable := range []string{"ledger", "mail"} {
			consume(t, b, durable, func(_ context.Context, e Shipped) error {
				mu.Lock()
				seen[durable][e.Number]++
				if durable == "ledger" && !served[replica] {
					if served[replica] = true; len(served) == 2 {
						close(both)
					}
				}
				mu.Unlock()
				if durable == "ledger" {
					<-both // neither replica can do it all
				}
				return nil
			})
		}
	}
	const n = 200
	for i := range n {
		require.NoError(t, bus.Publish(t.Context(), sender, Shipped{"acme", i}))
	}
	eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen["ledger"]) == n && len(seen["mail"]) == n
	}, "every durable has every event")
	mu.Lock()
	defer mu.Unlock()
	for durable, numbers := range seen {
		for i, times := range numbers {
			require.Equal(t, 1, times, "%s handled %d", durable, i)
		}
	}
}

// A handler that takes longer than the time after which an event goes to
// another replica keeps what it has in hand.
func testSlow(t *testing.T, s Server) {
	sender := connect(t, s.For(orders))
	for i := range 3 {
		require.NoError(t, bus.Publish(t.Context(), sender, Shipped{"acme", i}))
	}
	var calls atomic.Int64
	how := bus.Consumption{AckWait: 300 * time.Millisecond}
	first := make(chan struct{})
	slow := func(context.Context, Shipped) error {
		if calls.Add(1) == 1 {
			close(first)
		}
		<-time.After(700 * time.Millisecond)
		return nil
	}
	consume(t, connect(t, s.For(billing)), "ledger", slow, how)
	<-first
	second := connect(t, s.For(billing))
	consume(t, second, "ledger", slow, how)
	eventually(t, func() bool { return calls.Load() >= 3 }, "all are handled")
	require.NoError(t, bus.Publish(t.Context(), sender, Shipped{"acme", 3}))
	eventually(t, func() bool { return calls.Load() >= 4 }, "the last one too")
	require.EqualValues(t, 4, calls.Load(), "none was handed out twice")
}

func testRestart(t *testing.T, s Server) {
	sender, receiver := connect(t, s.For(orders)), connect(t, s.For(billing))
	var mu sync.Mutex
	seen := map[int]bool{}
	consume(t, receiver, "ledger", func(_ context.Context, e Shipped) error {
		mu.Lock()
		defer mu.Unlock()
		seen[e.Number] = true
		return nil
	}, bus.Consumption{AckWait: time.Second})
	const n = 600
	third := make(chan struct{})
	sent := make(chan error, 1)
	go func() {
		for i := range n {
			if i == n/3 {
				close(third)
			}
			if err := bus.Publish(t.Context(), sender, Shipped{"acme", i}); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	<-third
	s.Stop()
	require.NoError(t, s.Resume())
	require.NoError(t, <-sent, "publishing waits until NATS is back")
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) == n
	}, 20*time.Second, 5*time.Millisecond, "nothing is lost")
}

// Whatever starts first waits for the rest (R1.3).
func testStartOrder(t *testing.T, s Server) {
	s.Stop()
	sender, receiver := connect(t, s.For(orders)), connect(t, s.For(billing))
	numbers := make(chan int, 1)
	consume(t, receiver, "ledger", func(_ context.Context, e Shipped) error { numbers <- e.Number; return nil })
	require.NoError(t, bus.Answer(receiver, func(context.Context, Price) (PriceReply, error) { return PriceReply{1}, nil }))
	sent := make(chan error, 1)
	go func() { sent <- bus.Publish(t.Context(), sender, Shipped{"acme", 1}) }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, bus.Publish(ctx, sender, Shipped{"acme", 2}), context.DeadlineExceeded)
	_, err := bus.Ask(ctx, sender, Price{})
	require.True(t, problem.Is(err, problem.CodeDependencyDown), "%v", err)
	require.False(t, sender.Connected())
	require.NoError(t, s.Resume())
	require.NoError(t, <-sent)
	require.Equal(t, 1, <-numbers)
	eventually(t, func() bool {
		r, err := bus.Ask(t.Context(), sender, Price{})
		return err == nil && r.Cents == 1
	}, "requests are answered")
}

func testPermissions(t *testing.T, s Server) {
	g := connect(t, s.For(guest))
	eventually(t, g.Connected, "connected")
	var p *bus.PermissionError
	require.ErrorAs(t, bus.Publish(t.Context(), g, Shipped{"acme", 1}), &p)
	require.Equal(t, bus.PermissionError{Service: guest, Subject: Shipped{"acme", 1}.Subject()}, *p)
	_, err := bus.Ask(t.Context(), g, Price{})
	require.ErrorAs(t, err, &p)
	require.ErrorAs(t, bus.Consume(t.Context(), g, "ledger", func(context.Context, Shipped) error { return nil }), &p)
	require.ErrorAs(t, bus.Answer(g, func(context.Context, Price) (PriceReply, error) { return PriceReply{}, nil }), &p)
	require.True(t, p.Subscribe)
	require.ErrorContains(t, p, "the NATS user of guest may not subscribe to")

	wrong := s.For(orders)
	wrong.Password = "guessed"
	b := connect(t, wrong)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Error(t, bus.Publish(ctx, b, Shipped{"acme", 1}))
	require.False(t, b.Connected())
}

func testGracefulStop(t *testing.T, s Server) {
	sender := connect(t, s.For(orders))
	receiver, err := bus.Connect(s.For(billing))
	require.NoError(t, err)
	begun, finish := make(chan struct{}, 10), make(chan struct{})
	var handled atomic.Int64
	done := make(chan error, 1)
	go func() {
		done <- bus.Consume(t.Context(), receiver, "ledger", func(ctx context.Context, _ Shipped) error {
			begun <- struct{}{}
			<-finish
			handled.Add(1)
			return ctx.Err()
		})
	}()
	for i := range 3 {
		require.NoError(t, bus.Publish(t.Context(), sender, Shipped{"acme", i}))
	}
	<-begun
	closed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		closed <- receiver.Close(ctx)
	}()
	select {
	case <-closed:
		t.Fatal("it was closed with an event in hand")
	case <-time.After(50 * time.Millisecond):
	}
	close(finish)
	require.NoError(t, <-closed)
	require.NoError(t, <-done)
	require.EqualValues(t, 1, handled.Load(), "what was in hand is done, nothing else begun")
	next := make(chan int, 3)
	consume(t, connect(t, s.For(billing)), "ledger", func(_ context.Context, e Shipped) error { next <- e.Number; return nil })
	require.ElementsMatch(t, []int{1, 2}, []int{<-next, <-next}, "the rest goes to another replica at once")
}
