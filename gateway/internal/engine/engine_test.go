package engine_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/gateway/internal/engine"
	"github.com/gatehouse/gatehouse/gateway/internal/file"
	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// upstream answers with what it got.
type upstream struct {
	name   string
	closed *atomic.Int32
	hold   chan struct{}
}

type seen struct {
	Upstream, Method, Path, Query string
	Header                        map[string]string
}

func (u *upstream) Do(ex *policy.Exchange) error {
	if u.hold != nil {
		<-u.hold
		<-u.hold
	}
	s := seen{Upstream: u.name, Method: ex.Request.Method, Path: ex.Forward.Path, Query: ex.Request.Query, Header: map[string]string{}}
	for _, f := range ex.Request.Header.Fields() {
		s.Header[strings.ToLower(f.Name)] = f.Value
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	ex.Response.Status = 200
	ex.Response.Header.Add("Connection", "x-private")
	ex.Response.Header.Add("X-Private", "1")
	ex.Response.Header.Add("Content-Type", "application/json")
	ex.Response.Body.SetBytes(b)
	return nil
}

func (u *upstream) Close() {
	if u.closed != nil {
		u.closed.Add(1)
	}
}

type tagConfig struct {
	Value string `json:"value" schema:"required"`
}

// registry has a policy that writes a header, and one that demands a key.
func registry(t testing.TB) *policy.Registry {
	tag := policy.Define("tag", "Tag", tagConfig{}, func(c tagConfig, env policy.Env) (policy.Hooks, error) {
		if c.Value == "broken" {
			return policy.Hooks{}, policy.Invalid("/value", "is broken; choose another")
		}
		return policy.Hooks{Inbound: func(ex *policy.Exchange) error {
			ex.Request.Header.Set("X-Tag", ex.Request.Header.Get("X-Tag")+c.Value)
			return nil
		}}, nil
	})
	key := policy.Define("key", "Key", struct{}{}, func(_ struct{}, _ policy.Env) (policy.Hooks, error) {
		return policy.Hooks{Authenticates: true, Inbound: func(ex *policy.Exchange) error {
			if ex.Request.Header.Get("X-Key") == "" {
				return policy.NoCredential("send X-Key", "Key")
			}
			ex.Caller.Kind, ex.Caller.Application = policy.KindAPIKey, &policy.Application{ID: "app"}
			return nil
		}}, nil
	})
	r, err := policy.NewRegistry(tag, key)
	require.NoError(t, err)
	return r
}

// gate is an engine with what a test needs to steer it.
type gate struct {
	t        testing.TB
	engine   *engine.Engine
	live     table.Live
	compiler *table.Compiler
	closed   atomic.Int32
	hold     chan struct{}
	version  uint64
	released *atomic.Int32 // counts configurations that were let go; nil = they are not counted
}

func newGate(t testing.TB, o engine.Options) *gate {
	g := &gate{t: t}
	g.compiler = &table.Compiler{
		Registry: registry(t), Log: slog.New(slog.DiscardHandler), Now: time.Now,
		NewUpstream: func(api string, cfg unit.Upstream, _ table.Upstream) (table.Upstream, error) {
			return &upstream{name: api + "/" + cfg.Name, closed: &g.closed, hold: g.hold}, nil
		},
	}
	n := 0
	o.Live, o.Name = &g.live, "test"
	o.NewID = func(time.Time) string { n++; return fmt.Sprintf("id-%d", n) }
	g.engine = engine.New(o)
	return g
}

// load applies a configuration in the form of gateway.yaml.
func (g *gate) load(text string) (issues []table.Issue, stats table.Stats) {
	var tree any
	require.NoError(g.t, yaml.Unmarshal([]byte(text), &tree))
	raw, err := json.Marshal(tree)
	require.NoError(g.t, err)
	var cfg file.Config
	require.Empty(g.t, schema.Decode(raw, &cfg))
	built := file.Build(&cfg, g.t.(interface{ TempDir() string }).TempDir(), &file.Memo{})
	g.version++
	s := source.Snapshot{Manifest: unit.Manifest{Version: g.version}, Refs: built.Refs, Units: built.Units}
	for _, b := range built.Broken {
		s.Broken = append(s.Broken, source.Broken(b))
	}
	if g.released != nil {
		text := new([1 << 16]byte) // stands for the text of the file
		runtime.AddCleanup(text, func(released *atomic.Int32) { released.Add(1) }, g.released)
		s.Locate = func(unit.Kind, string, string) (string, string) { return "", string(text[:1]) }
	}
	next, stats := g.compiler.Compile(s, g.live.Current())
	g.live.Swap(next)
	return next.Issues, stats
}

// Units that go on as they are must not hold on to the configuration that they
// came with. R5.2
func TestFormerConfigurationsAreLetGo(t *testing.T) {
	t.Parallel()
	g := newGate(t, engine.Options{})
	g.released = &atomic.Int32{}
	for i := range 10 {
		g.load(orders + fmt.Sprintf("    version: %q\n", fmt.Sprint(i)))
	}
	require.Eventually(t, func() bool {
		runtime.GC()
		g.live.Reap()
		return g.released.Load() >= 9
	}, 30*time.Second, 10*time.Millisecond, "kept: %d of 10 configurations", 10-g.released.Load())
	require.NotNil(t, g.live.Current())
}

// do sends a request; the URL is host/path?query.
func (g *gate) do(method, url string, header ...string) (status int, s seen, p problem.Problem, h map[string]string) {
	ex := g.engine.Acquire()
	defer g.engine.Release(ex)
	ex.Start = time.Now()
	r := &ex.Request
	r.Proto, r.Method, r.Scheme = "HTTP/1.1", method, "http"
	i := strings.IndexByte(url, '/')
	r.Authority = url[:i]
	r.RawPath, r.Query, _ = strings.Cut(url[i:], "?")
	r.Peer = netip.MustParseAddrPort("10.0.0.9:1234")
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	g.engine.Serve(ex)
	h = map[string]string{}
	for _, f := range ex.Response.Header.Fields() {
		h[f.Name] = f.Value
	}
	if body := ex.Response.Body.Reader(); body != nil {
		b, err := io.ReadAll(body)
		require.NoError(g.t, err)
		if h["Content-Type"] == problem.ContentType {
			require.NoError(g.t, json.Unmarshal(b, &p))
		} else {
			require.NoError(g.t, json.Unmarshal(b, &s))
		}
	}
	return ex.Response.Status, s, p, h
}

const orders = `
policies: [{tag: {value: p}}]
apis:
  - name: orders
    hosts: [api.localhost]
    basePath: /orders
    stripPath: true
    upstream: {targets: [{url: "http://127.0.0.1:9"}]}
    operations:
      - {method: GET, path: "/items/{id}", policies: [{tag: {value: o}}]}
      - {method: POST, path: /items}
    policies: [{key: {}}, {tag: {value: a}}]
  - name: open
    basePath: /open
    upstreams:
      - {targets: [{url: "http://127.0.0.1:9"}]}
      - {name: second, targets: [{url: "http://127.0.0.1:9"}]}
`

func TestARequestIsRoutedThroughItsPoliciesToItsUpstream(t *testing.T) {
	t.Parallel()
	g := newGate(t, engine.Options{})
	issues, _ := g.load(orders)
	require.Empty(t, issues)
	status, s, _, h := g.do("GET", "API.localhost:8000/orders/items/%7e7?x=1", "X-Key", "k", "Accept", "*/*")
	require.Equal(t, 200, status)
	require.Equal(t, "/items/~7", s.Path)
	require.Equal(t, "x=1", s.Query)
	require.Equal(t, "pao", s.Header["x-tag"])
	require.Equal(t, "app", s.Header["x-gatehouse-application"])
	require.Equal(t, "10.0.0.9", s.Header["x-forwarded-for"])
	require.Equal(t, "API.localhost:8000", s.Header["x-forwarded-host"])
	require.Equal(t, "1.1 test", s.Header["via"])
	require.Equal(t, s.Header["x-request-id"], h["X-Request-Id"])
	require.NotContains(t, h, "X-Private", "named by the upstream's Connection")
}

func TestWhatMatchesNothingIsRefusedAsAProblem(t *testing.T) {
	t.Parallel()
	g := newGate(t, engine.Options{})
	g.load(orders)
	for _, tc := range []struct {
		method, url string
		key         bool
		status      int
		code        problem.Code
		allow       string
	}{
		{"GET", "other.localhost/none", false, 404, problem.CodeNotFound, ""},
		{"GET", "api.localhost/orders/none", false, 401, problem.CodeCredentialMissing, ""},
		{"GET", "api.localhost/orders/none", true, 404, problem.CodeNotFound, ""},
		{"DELETE", "api.localhost/orders/items", true, 405, problem.CodeMethodNotAllowed, "POST, OPTIONS"},
		{"GET", "api.localhost/orders/items/a%2fb", true, 400, problem.CodeBadPath, ""},
		{"GET", "api.localhost/orders/../open/x%00", true, 400, problem.CodeBadPath, ""},
		{"GET", "a b/", false, 400, problem.CodeBadRequest, ""},
		{"GET", "x/open?a=%zz", false, 400, problem.CodeBadRequest, ""},
	} {
		var header []string
		if tc.key {
			header = []string{"X-Key", "k"}
		}
		status, _, p, h := g.do(tc.method, tc.url, header...)
		require.Equal(t, tc.status, status, tc.url)
		require.Equal(t, tc.code, p.Code, tc.url)
		require.Equal(t, h["X-Request-Id"], p.Instance)
		require.Equal(t, tc.allow, h["Allow"])
	}
	status, _, _, h := g.do("OPTIONS", "api.localhost/orders/items/7", "X-Key", "k")
	require.Equal(t, 204, status)
	require.Contains(t, h["Allow"], "GET")
}

func TestClientsCannotSayWhoTheyAre(t *testing.T) { // R12.1
	t.Parallel()
	g := newGate(t, engine.Options{IdentityHeaders: []string{"X-User"}})
	g.load(orders)
	_, s, _, _ := g.do("GET", "x/open/a",
		"X-Forwarded-For", "1.2.3.4", "x_forwarded_for", "1.2.3.4", "X.Forwarded.Proto", "https", "Forwarded", "for=1.2.3.4",
		"X-Gatehouse-Application", "root", "x_gatehouse.application", "root", "X_USER", "root", "X-Real-IP", "1.2.3.4",
		"X-Request-Id", "mine", "X_Request_Id", "mine",
		"Connection", "close, X-Drop", "X-Drop", "1", "TE", "trailers", "Keep-Alive", "5", "Proxy-Authorization", "x",
		"X-Keep", "1", "Authorization", "Bearer x")
	want := map[string]string{
		"x-forwarded-for": "10.0.0.9", "x-forwarded-proto": "http", "x-forwarded-host": "x", "x-request-id": "id-1",
		"via": "1.1 test", "x-keep": "1", "authorization": "Bearer x", "x-tag": "p",
	}
	require.Equal(t, want, s.Header)
}

func TestATrustedProxyTellsTheClient(t *testing.T) { // R12.2
	t.Parallel()
	g := newGate(t, engine.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	g.load(orders)
	_, s, _, _ := g.do("GET", "x/open/a", "X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.1.1.1",
		"X-Forwarded-Proto", "https", "X-Request-Id", "theirs")
	require.Equal(t, "6.6.6.6, 1.2.3.4, 10.1.1.1, 10.0.0.9", s.Header["x-forwarded-for"])
	require.Equal(t, "https", s.Header["x-forwarded-proto"])
	require.Equal(t, "theirs", s.Header["x-request-id"])
}

func TestALoopEnds(t *testing.T) {
	t.Parallel()
	g := newGate(t, engine.Options{})
	g.load(orders)
	status, _, p, _ := g.do("GET", "x/open", "Via", strings.Repeat("1.1 test, ", 9))
	require.Equal(t, 508, status)
	require.Equal(t, problem.CodeLoopDetected, p.Code)
}

func TestOneBadAPINeverHarmsAnother(t *testing.T) { // R4.2
	t.Parallel()
	g := newGate(t, engine.Options{})
	bad := strings.Replace(orders, "{tag: {value: a}}", "{tag: {value: broken}}", 1)
	issues, _ := g.load(bad)
	require.Len(t, issues, 1)
	require.Equal(t, "unavailable", issues[0].Serving)
	require.Equal(t, "/policies/1/value", issues[0].Problems[0].Pointer)
	status, _, p, _ := g.do("GET", "api.localhost/orders/items/1", "X-Key", "k")
	require.Equal(t, 503, status, "never compiled: unavailable, not open")
	require.Equal(t, problem.CodeAPINotDeployed, p.Code)
	status, _, _, _ = g.do("GET", "x/open/a")
	require.Equal(t, 200, status)

	g.load(orders)
	issues, _ = g.load(bad)
	require.Equal(t, "previous", issues[0].Serving)
	status, s, _, _ := g.do("GET", "api.localhost/orders/items/1", "X-Key", "k")
	require.Equal(t, 200, status, "what was served is served on")
	require.Equal(t, "pao", s.Header["x-tag"])
	issues, _ = g.load(strings.Replace(orders, "tag: {value: a}", "unknown-type: {}", 1))
	require.Contains(t, issues[0].Problems[0].Detail, `"unknown-type"`)
}

func TestOnlyWhatChangedIsCompiledAndWhatIsGoneIsClosed(t *testing.T) {
	t.Parallel()
	g := newGate(t, engine.Options{})
	_, stats := g.load(orders)
	require.Equal(t, table.Stats{Compiled: 2}, stats)
	_, stats = g.load(strings.Replace(orders, "value: o", "value: O", 1))
	require.Equal(t, table.Stats{Compiled: 1, Reused: 1}, stats)
	require.EqualValues(t, 1, g.closed.Load(), "the old upstream of orders")
	g.load("apis: []")
	require.EqualValues(t, 4, g.closed.Load())
}

func TestWhatARequestUsesStaysUntilItEnds(t *testing.T) {
	t.Parallel()
	g := newGate(t, engine.Options{})
	g.hold = make(chan struct{})
	g.load(orders)
	done := make(chan int)
	go func() {
		status, _, _, _ := g.do("GET", "x/open/a")
		done <- status
	}()
	g.hold <- struct{}{} // the request is with its upstream
	g.load("apis: []")
	require.Equal(t, 1, g.live.Reap())
	require.Zero(t, g.closed.Load())
	g.hold <- struct{}{}
	require.Equal(t, 200, <-done)
	require.Zero(t, g.live.Reap())
	require.EqualValues(t, 3, g.closed.Load())
}

func BenchmarkServe(b *testing.B) {
	g := newGate(b, engine.Options{})
	g.load(strings.Replace(orders, "[{key: {}}, {tag: {value: a}}]", "[]", 1))
	b.ReportAllocs()
	for b.Loop() {
		ex := g.engine.Acquire()
		r := &ex.Request
		r.Proto, r.Method, r.Scheme, r.Authority, r.RawPath = "HTTP/1.1", "GET", "http", "api.localhost", "/orders/none/7"
		r.Header.Add("Accept", "*/*")
		r.Header.Add("User-Agent", "bench")
		g.engine.Serve(ex)
		g.engine.Release(ex)
	}
}
