package events_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/events"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/sqlstore"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
	"github.com/gatehouse/gatehouse/services/analysis-manager/migrations"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, dbtest.Leaks()...) }

const patience = 20 * time.Second

// world is a NATS with a gateway of acme, analysis-manager, and a tenant-manager
// that can be away.
type world struct {
	nats                      *embedded.Server
	tenants, gateway, service *bus.Bus
	store                     *fickle
	metrics                   *prometheus.Registry
}

// fickle is a store that can fail.
type fickle struct {
	store.Store
	mu     sync.Mutex
	before []error // of the next calls of Add, which do nothing
	after  []error // of the next calls of Add, which do all
	health error
	calls  atomic.Int64
}

func (f *fickle) Add(ctx context.Context, b []store.Batch) (map[string]int, error) {
	f.calls.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.before) > 0 {
		err := f.before[0]
		f.before = f.before[1:]
		return nil, err
	}
	added, err := f.Store.Add(ctx, b)
	if err == nil && len(f.after) > 0 {
		added, err = nil, f.after[0]
		f.after = f.after[1:]
	}
	return added, err
}

func (f *fickle) Health() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.health
}

func (f *fickle) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func start(t *testing.T) *world {
	t.Helper()
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		{Service: tenant.Service},
		{Service: "gateway", Client: true, Ships: []string{"acme.edge.*", "ghost.edge.*"}},
		{Service: analysis.Service, Asks: []string{tenant.Service}, Collects: []string{events.Durable}},
		{Service: "console", Listens: []string{analysis.Service}},
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	w := &world{nats: server, metrics: prometheus.NewRegistry()}
	w.tenants, w.gateway, w.service = w.connect(t, tenant.Service), w.connect(t, "gateway"), w.connect(t, analysis.Service)
	s, err := sqlstore.New(dbtest.Open(t, db.SQLite, migrations.Files))
	require.NoError(t, err)
	w.store = &fickle{Store: s}
	return w
}

func (w *world) connect(t *testing.T, name string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(w.nats.For(name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
	return b
}

func (w *world) serveTenants(t *testing.T) {
	t.Helper()
	require.NoError(t, bus.Answer(w.tenants, func(context.Context, tenant.Organizations) (tenant.OrganizationList, error) {
		return tenant.OrganizationList{Organizations: []tenant.Organization{{ID: "o-1", Slug: "acme"}}}, nil
	}))
}

// run runs the intake until stop is called, or the test ends.
func (w *world) run(t *testing.T) (stop func()) {
	t.Helper()
	in, err := events.NewIntake(w.service, w.store, 24*time.Hour, slog.New(slog.DiscardHandler), time.Now, w.metrics)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	for _, f := range []func(context.Context) error{in.Run, in.Announce} {
		wg.Go(func() {
			if err := f(ctx); err != nil {
				t.Errorf("intake: %v", err)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); wg.Wait(); in.Close(w.metrics) })
	t.Cleanup(stop)
	return stop
}

// ship ships a batch as a gateway does.
func (w *world) ship(t *testing.T, organization, id string, b traffic.Batch, ids ...string) {
	t.Helper()
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	for _, r := range ids {
		rec := traffic.Record{Time: time.Now(), ID: r, Organization: "o-1", Gateway: "gw-1", API: "a1", Method: "GET", Path: "/", Status: 200, Duration: 5}
		_, err := z.Write(append(rec.AppendJSON(nil), '\n'))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	b.Records = int64(len(ids))
	h, err := b.Header()
	require.NoError(t, err)
	w.send(t, bus.Shipment{Organization: organization, Group: "edge", Gateway: "gw-1", ID: id, Header: h, Body: body.Bytes()})
}

// send ships until it is taken, as a gateway does.
func (w *world) send(t *testing.T, s bus.Shipment) {
	t.Helper()
	require.Eventually(t, func() bool { return bus.Ship(t.Context(), w.gateway, s) == nil }, patience, 10*time.Millisecond)
}

func (w *world) counted(t *testing.T) int64 {
	t.Helper()
	r, err := w.store.Usage(t.Context(), store.Usage{Usage: analysis.Usage{Filter: analysis.Filter{
		Organization: "o-1", From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour),
	}}})
	require.NoError(t, err)
	return r.Total.Requests
}

func (w *world) metric(t *testing.T, name, label string) float64 {
	t.Helper()
	families, err := w.metrics.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (label == "" || labelOf(m) == label) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

func labelOf(m *dto.Metric) string {
	if len(m.GetLabel()) == 0 {
		return ""
	}
	return m.GetLabel()[0].GetValue()
}

const recordsTotal = "gatehouse_analysis_records_total"

func TestRecordsAreCounted(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.serveTenants(t)
	w.run(t)
	w.ship(t, "acme", "b1", traffic.Batch{Lost: []traffic.Loss{{Records: 7, Reason: "full"}}}, "r1", "r2", "r3")
	w.ship(t, "acme", "b2", traffic.Batch{}, "r3", "r4") // one of them again
	w.ship(t, "ghost", "b3", traffic.Batch{}, "r5")
	require.Eventually(t, func() bool {
		return w.metric(t, recordsTotal, "stored") == 4 && w.metric(t, recordsTotal, "orphaned") == 1
	}, patience, 5*time.Millisecond)
	require.EqualValues(t, 4, w.counted(t))
	require.InDelta(t, 1, w.metric(t, recordsTotal, "repeated"), 0)
	require.InDelta(t, 7, w.metric(t, "gatehouse_analysis_records_lost_total", "full"), 0)
}

// The process dies after it has written and before it has said so: what comes
// again is not counted again.
func TestCrashBetweenWritingAndAcknowledging(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.serveTenants(t)
	w.store.after = []error{errors.New("killed"), errors.New("killed again")}
	w.run(t)
	for i := range 5 {
		w.ship(t, "acme", fmt.Sprint("b", i), traffic.Batch{}, fmt.Sprint("r", i), fmt.Sprint("s", i))
	}
	require.Eventually(t, func() bool {
		return w.metric(t, recordsTotal, "stored")+w.metric(t, recordsTotal, "repeated") >= 10
	}, patience, 5*time.Millisecond)
	require.EqualValues(t, 10, w.counted(t))
}

// While the store is away, records wait.
func TestStoreIsAway(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.serveTenants(t)
	w.store.health = errors.New("away")
	w.store.before = []error{errors.New("away"), errors.New("away"), errors.New("away")}
	w.run(t)
	w.ship(t, "acme", "b1", traffic.Batch{}, "r1")
	require.Eventually(t, func() bool { return w.counted(t) == 1 }, patience, 5*time.Millisecond)
	require.EqualValues(t, 4, w.store.calls.Load())
}

// Told to stop while the store is away, it leaves the records to another replica.
func TestStoppingWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.serveTenants(t)
	gone := make([]error, 1000)
	for i := range gone {
		gone[i] = errors.New("away")
	}
	w.store.set(func() { w.store.health, w.store.before = gone[0], gone })
	stop := w.run(t)
	w.ship(t, "acme", "b1", traffic.Batch{}, "r1")
	require.Eventually(t, func() bool { return w.store.calls.Load() > 0 }, patience, time.Millisecond)
	stop()
	w.store.set(func() { w.store.health, w.store.before = nil, nil })
	w.run(t)
	require.Eventually(t, func() bool { return w.counted(t) == 1 }, patience, 5*time.Millisecond)
}

// While nobody can say whose records they are, they wait.
func TestTenantManagerIsAway(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.run(t)
	w.ship(t, "acme", "b1", traffic.Batch{}, "r1")
	w.serveTenants(t)
	require.Eventually(t, func() bool { return w.counted(t) == 1 }, patience, 5*time.Millisecond)
}

func TestDamagedBatchIsCountedAndDropped(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.serveTenants(t)
	w.run(t)
	h, err := traffic.Batch{Records: 12}.Header()
	require.NoError(t, err)
	w.send(t, bus.Shipment{Organization: "acme", Group: "edge", Gateway: "gw-1", ID: "bad", Header: h, Body: []byte("no gzip")})
	w.ship(t, "acme", "good", traffic.Batch{}, "r1")
	require.Eventually(t, func() bool { return w.counted(t) == 1 && w.metric(t, recordsTotal, "invalid") == 12 }, patience, 5*time.Millisecond)
}

// However much arrives, an organization hears of it once a second, and misses
// nothing.
func TestTrafficArrived(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.serveTenants(t)
	w.run(t)
	console := w.connect(t, "console")
	heard := make(chan analysis.TrafficArrived, 100)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	listening := make(chan struct{})
	wg.Go(func() {
		_ = bus.Listen(ctx, console, func(_ context.Context, e analysis.TrafficArrived) { heard <- e }, sync.OnceFunc(func() { close(listening) }))
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	<-listening
	for i := range 6 {
		w.ship(t, "acme", fmt.Sprint("b", i), traffic.Batch{}, fmt.Sprint("r", i))
	}
	total, n := 0, 0
	for total < 6 {
		select {
		case e := <-heard:
			require.Equal(t, "o-1", e.Organization)
			total, n = total+e.Records, n+1
		case <-time.After(patience):
			t.Fatal("nothing was heard")
		}
	}
	require.LessOrEqual(t, n, 3)
}

func TestAnswersToServices(t *testing.T) {
	t.Parallel()
	w := start(t)
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		{Service: analysis.Service}, {Service: "portal", Asks: []string{analysis.Service}},
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	connect := func(name string) *bus.Bus {
		b, err := bus.Connect(server.For(name))
		require.NoError(t, err)
		t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
		return b
	}
	service, portal := connect(analysis.Service), connect("portal")
	require.NoError(t, events.Answer(service, w.store, 24*time.Hour, time.Now))
	_, err = w.store.Add(t.Context(), []store.Batch{{ID: "b", Rows: []store.Row{{
		Organization: "o-1", Weight: 1, JSON: []byte(`{"id":"r1"}`),
		Summary: store.Summary{ID: "r1", Time: time.Now().Add(-time.Minute), Status: 200, Attributes: store.Attributes{Application: "app1"}},
	}}}})
	require.NoError(t, err)
	ctx := t.Context()
	sums, err := bus.Ask(ctx, portal, analysis.Usage{Filter: analysis.Filter{Organization: "o-1", Applications: []string{"app1"}}, Interval: time.Minute, Top: []string{"status"}})
	require.NoError(t, err)
	require.EqualValues(t, 1, sums.Total.Requests)
	require.NotEmpty(t, sums.Series)
	require.Len(t, sums.Top["status"], 1)
	sums, err = bus.Ask(ctx, portal, analysis.Usage{Filter: analysis.Filter{Organization: "o-2"}})
	require.NoError(t, err)
	require.Zero(t, sums.Total.Requests)
	_, err = bus.Ask(ctx, portal, analysis.Usage{})
	require.ErrorContains(t, err, "invalid-input")
	_, err = bus.Ask(ctx, portal, analysis.Explain{RequestID: "r1"})
	require.ErrorContains(t, err, "invalid-input")
	for _, c := range []struct {
		ask  analysis.Explain
		want string
	}{
		{analysis.Explain{Organization: "o-1", RequestID: "r1"}, `{"id":"r1"}`},
		{analysis.Explain{Organization: "o-1", RequestID: "r1", Applications: []string{"app1"}}, `{"id":"r1"}`},
		{analysis.Explain{Organization: "o-1", RequestID: "r1", Applications: []string{"app2"}}, ""},
		{analysis.Explain{Organization: "o-2", RequestID: "r1"}, ""},
	} {
		got, err := bus.Ask(ctx, portal, c.ask)
		require.NoError(t, err)
		require.Equal(t, c.want, string(got.Record))
	}
}
