package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/chain"
	"github.com/gatehouse/gatehouse/gateway/internal/engine"
	"github.com/gatehouse/gatehouse/gateway/internal/file"
	"github.com/gatehouse/gatehouse/gateway/internal/router"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	internaltraffic "github.com/gatehouse/gatehouse/gateway/internal/traffic"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/config"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const managedFile = `
listeners: [{address: "127.0.0.1:0"}]
log: {traffic: {path: traffic.jsonl}}
apis:
  - name: orders
    basePath: /orders
    operations: [{method: GET, path: "/items/{id}"}, {method: POST, path: /items}]
    upstream: {targets: [{url: "http://127.0.0.1:9000"}]}
    policies:
      - api-key: {header: X-API-Key}
      - rate-limit: {limit: 1000000000, window: 60s, key: application, headers: %t}
applications:
  - name: storefront
    credentials: [{apiKey: "a-key-for-trying-things"}]
`

// answering is an upstream without a network.
type answering struct{}

var answer = []byte("an answer")

func (answering) Do(ex *policy.Exchange) error {
	ex.Outcome.Attempts = append(ex.Outcome.Attempts, policy.Attempt{Target: "http://127.0.0.1:9000", Status: 200, Reused: true})
	ex.Outcome.UpstreamTime = time.Millisecond
	r := &ex.Response
	r.Status = 200
	r.Header.Add("Server", "test")
	r.Header.Add("Date", "Sat, 21 Nov 2026 11:00:00 GMT")
	r.Header.Add("Content-Type", "text/plain")
	r.Body.SetBytes(answer)
	return nil
}

func (answering) Close() {}

// managed returns a gateway with all that a managed request goes through but
// the sockets. Told says whether answers tell of the limit.
func managed(t testing.TB, told bool) *gateway {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "gateway.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, managedFile, told), 0o600))
	cfg, _, fields := Load(path, nil)
	require.Empty(t, fields)
	cfg.Log.Traffic.Path = filepath.Join(dir, "traffic.jsonl")
	log := slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(context.Background())
	g, err := wire(ctx, cfg, Options{Path: path, Policies: policies.All()}, app.Env{Log: log, Now: time.Now})
	require.NoError(t, err)
	g.compiler.NewUpstream = func(string, unit.Upstream, table.Upstream) (table.Upstream, error) { return answering{}, nil }
	src := &file.Source{Path: path, Key: g.key, Log: log, Now: time.Now, Read: func() (*file.Config, *config.Document, []problem.Field) {
		c, doc, fields := Load(path, nil)
		return &c.Config, doc, fields
	}}
	require.Empty(t, src.First(g.deliver))
	var work sync.WaitGroup
	for _, s := range g.sinks {
		work.Go(func() { _ = s.Run(ctx) })
	}
	t.Cleanup(func() {
		stop()
		work.Wait()
		require.NoError(t, g.close())
	})
	return g
}

// ask fills in what a transport would have read.
func ask(ex *policy.Exchange) {
	ex.Start = time.Now()
	r := &ex.Request
	r.Proto, r.Method, r.Scheme = "HTTP/1.1", "GET", "http"
	r.RawPath, r.Query = "/orders/items/4711", ""
	r.Authority = "127.0.0.1:8000"
	r.Peer = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 4711)
	r.Header.Add("User-Agent", "test/1.0")
	r.Header.Add("Accept", "*/*")
	r.Header.Add("X-API-Key", "a-key-for-trying-things")
}

// serve is one managed request.
func serve(g *gateway) int {
	ex := g.engine.Acquire()
	ask(ex)
	g.engine.Serve(ex)
	status := ex.Response.Status
	ex.Outcome.End = time.Now()
	g.engine.Release(ex)
	return status
}

// matched is the part of a managed request from the route to the limiter.
type matched struct {
	g       *gateway
	ex      *policy.Exchange
	state   chain.State
	match   router.Match
	request router.Request
	forward chain.Forward
	err     error
}

func newMatched(g *gateway) *matched {
	m := &matched{g: g, ex: g.engine.Acquire(), forward: func(ex *policy.Exchange) error {
		ex.Response.Status = 200
		return nil
	}}
	ask(m.ex)
	m.ex.Request.Path = m.ex.Request.RawPath
	m.request = router.Request{
		Host: "127.0.0.1", Path: m.ex.Request.Path, Method: "GET", Header: &m.ex.Request.Header,
	}
	return m
}

func (m *matched) run() {
	h := &m.ex.Request.Header
	h.Reset()
	h.Add("X-API-Key", "a-key-for-trying-things") // was taken out by the policy
	op := m.g.live.Current().Match(&m.request, &m.match)
	m.ex.Route = op.Route
	m.state.Run(m.ex, op.Chain, m.forward)
	m.err = m.ex.Outcome.Err
	m.state.Done(m.ex)
	m.state.Reset()
	m.ex.Response.Header.Reset()
}

func TestManagedRequest(t *testing.T) {
	t.Parallel()
	g := managed(t, true)
	require.Equal(t, 200, serve(g))
	m := newMatched(g)
	m.run()
	m.run()
	require.NoError(t, m.err)
	require.Equal(t, "storefront", m.ex.Caller.Application.Name)
}

// Finding the route, checking the key and counting allocate nothing; telling the
// client how much is left of a large limit takes one string.
func TestManagedRequestAllocates(t *testing.T) {
	for fields, most := range map[bool]float64{false: 0, true: 1} {
		m := newMatched(managed(t, fields))
		m.run()
		require.LessOrEqual(t, testing.AllocsPerRun(1000, m.run), most, "fields: %v", fields)
		require.NoError(t, m.err)
		require.Equal(t, 200, m.ex.Response.Status)
	}
}

func BenchmarkManaged(b *testing.B) {
	g := managed(b, true)
	quiet := managed(b, false)
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if serve(g) != 200 {
				b.Fatal("refused")
			}
		}
	})
	b.Run("match and policies", func(b *testing.B) {
		m := newMatched(quiet)
		b.ReportAllocs()
		for b.Loop() {
			m.run()
		}
	})
	b.Run("request and reset", func(b *testing.B) {
		ex := g.engine.Acquire()
		b.ReportAllocs()
		for b.Loop() {
			ask(ex)
			ex.Reset()
		}
	})
	b.Run("record", func(b *testing.B) {
		ex := g.engine.Acquire()
		ask(ex)
		g.engine.Serve(ex)
		ex.Outcome.End = time.Now()
		b.ReportAllocs()
		for b.Loop() {
			g.recorder.Done(ex, nil, nil)
		}
	})
	b.Run("observer", func(b *testing.B) {
		o := newObserver(g.recorder, g.metrics, nil)
		ex := g.engine.Acquire()
		ask(ex)
		g.engine.Serve(ex)
		ex.Outcome.End = time.Now()
		m := g.metrics.Route(ex.Route)
		b.ReportAllocs()
		for b.Loop() {
			o.Begin(ex, m)
			o.End(ex, engine.Observation{Metrics: m})
		}
	})
	b.Run("id", func(b *testing.B) {
		var ids internaltraffic.IDs
		b.ReportAllocs()
		for b.Loop() {
			_ = ids.New(time.Now())
		}
	})
}
