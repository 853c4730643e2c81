package devportal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/unitstore"
	devportal "github.com/gatehouse/gatehouse/services/devportal-backend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, dbtest.Leaks()...) }

// Rights as the built-in roles have them.
var (
	consumer  = []string{"portal:read", "application:*", "subscription:create", "subscription:read", "subscription:delete", "credential:*"}
	publisher = []string{"project:read", "api:*", "plan:*", "subscription:*", "application:read", "portal:read", "portal:update"}
)

// within is how soon what was changed must be known elsewhere.
const within = 2 * time.Second

// world is a devportal-backend with all that it asks, and a caller.
type world struct {
	nats    *embedded.Server
	tenants *authntest.Tenants
	caller  *bus.Bus // as the bff
	gateway *bus.Bus // as gateway-manager
	policy  *bus.Bus // as policy-manager
	units   *unitstore.Store
	feed    *bus.Bucket
	edge    string // where APIs are called
	logs    *lines
	dsn     string
	dir     string // of NATS
	stop    func()

	clients tokenServer

	mu     sync.Mutex
	apis   map[string][]gateway.PublishedAPI // by organization
	plans  map[string][]policy.Plan
	usage  func(analysis.Usage) (analysis.UsageReport, error)
	record func(analysis.Explain) (analysis.Explained, error)
	audits []audit.Recorded
	states []portal.SubscriptionChanged
}

// lines is a log that keeps everything.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps a line.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	server, err := embedded.Start(embedded.Options{Dir: dir, Access: []bus.Access{
		authntest.Access(),
		devportal.Access(),
		{Service: gateway.Service, Buckets: []bus.BucketAccess{{Name: gateway.Units, Write: true}}, Asks: []string{portal.Service}},
		{Service: policy.Service},
		{Service: analysis.Service},
		{Service: "bff", Forwards: []string{portal.Service}, Durables: []string{"audits", "states"}, Buckets: []bus.BucketAccess{{Name: gateway.Credentials}}},
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	w := &world{
		nats: server, dir: dir, tenants: authntest.New(t), logs: &lines{}, dsn: "sqlite:" + t.TempDir() + "/data.db",
		apis: map[string][]gateway.PublishedAPI{}, plans: map[string][]policy.Plan{},
	}
	w.caller, w.gateway, w.policy = w.connect(t, "bff"), w.connect(t, gateway.Service), w.connect(t, policy.Service)
	w.play(t)
	w.listen(t)
	w.serveEdge(t)
	w.start(t)
	w.feed, err = w.caller.Bucket(t.Context(), bus.BucketOptions{Name: gateway.Credentials, ReadOnly: true})
	require.NoError(t, err)
	return w
}

func (w *world) connect(t *testing.T, name string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(w.nats.For(name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
	return b
}

// play answers for the other services.
func (w *world) play(t *testing.T) {
	t.Helper()
	tenants := w.connect(t, tenant.Service)
	w.tenants.Serve(t, tenants)
	require.NoError(t, bus.Answer(tenants, func(_ context.Context, q tenant.Organizations) (tenant.OrganizationList, error) {
		out := tenant.OrganizationList{}
		for _, o := range []tenant.Organization{{ID: "acme", Slug: "acme", Name: "Acme"}, {ID: "globex", Slug: "globex", Name: "Globex"}} {
			if len(q.IDs) == 0 || q.IDs[0] == o.ID {
				out.Organizations = append(out.Organizations, o)
			}
		}
		return out, nil
	}))
	w.clients.serve(t, tenants)
	bucket, err := w.gateway.Bucket(t.Context(), bus.BucketOptions{Name: gateway.Units})
	require.NoError(t, err)
	w.units = unitstore.New(bucket)
	require.NoError(t, bus.Answer(w.gateway, func(_ context.Context, q gateway.Published) (gateway.PublishedList, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		out := gateway.PublishedList{}
		for _, a := range w.apis[q.Organization] {
			if len(q.APIs) == 0 && a.Published || len(q.APIs) > 0 && q.APIs[0] == a.ID {
				out.APIs = append(out.APIs, a)
			}
		}
		return out, nil
	}))
	require.NoError(t, bus.Answer(w.policy, func(_ context.Context, q policy.Plans) (policy.PlanList, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		out := policy.PlanList{}
		for _, p := range w.plans[q.Organization] {
			if q.API == p.API || slices.Contains(q.IDs, p.ID) {
				out.Plans = append(out.Plans, p)
			}
		}
		return out, nil
	}))
	an := w.connect(t, analysis.Service)
	require.NoError(t, bus.Answer(an, func(_ context.Context, q analysis.Usage) (analysis.UsageReport, error) { return w.usage(q) }))
	require.NoError(t, bus.Answer(an, func(_ context.Context, q analysis.Explain) (analysis.Explained, error) { return w.record(q) }))
}

// listen keeps what the service tells.
func (w *world) listen(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	wg.Go(func() {
		_ = bus.Consume(ctx, w.caller, "audits", func(_ context.Context, e audit.Recorded) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.audits = append(w.audits, e)
			return nil
		})
	})
	wg.Go(func() {
		_ = bus.Consume(ctx, w.caller, "states", func(_ context.Context, e portal.SubscriptionChanged) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.states = append(w.states, e)
			return nil
		})
	})
}

// serveEdge is a gateway as far as a caller sees: it lets in who is in the feed.
func (w *world) serveEdge(t *testing.T) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("X-Request-Id", "req-1")
		rw.Header().Set("Set-Cookie", "a=b")
		switch r.URL.Path {
		case "/orders/open":
			_, _ = rw.Write([]byte("come in"))
			return
		case "/orders/away":
			http.Redirect(rw, r, "http://169.254.169.254/", http.StatusFound)
			return
		}
		c, found := w.lookUp(r.Context(), r.Header.Get("X-API-Key"))
		if !found || c.Revoked {
			rw.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = rw.Write([]byte(r.Method + " " + r.URL.String() + " as " + c.Application))
	}))
	t.Cleanup(s.Close)
	w.edge = s.URL
}

// lookUp finds a key in the feed as gateways do.
func (w *world) lookUp(ctx context.Context, key string) (c credential.Credential, found bool) {
	sum := sha256.Sum256([]byte(key))
	e, err := w.feed.Get(ctx, "acme.credential."+hex.EncodeToString(sum[:]))
	if err != nil {
		return c, false
	}
	return c, json.Unmarshal(e.Value, &c) == nil
}

// fed returns an application as gateways know it.
func (w *world) fed(t *testing.T, id string) (a credential.Application, found bool) {
	t.Helper()
	e, err := w.feed.Get(t.Context(), "acme.application."+id)
	if errors.Is(err, bus.ErrNoKey) {
		return a, false
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(e.Value, &a))
	return a, true
}

func (w *world) config() devportal.Config {
	cfg := devportal.DefaultConfig()
	cfg.InProcess = w.nats
	o := w.nats.For(portal.Service)
	cfg.Bus.Username, cfg.Bus.Password = o.Username, schema.NewSecret(o.Password)
	cfg.Database.DSN = schema.NewSecret(w.dsn)
	cfg.Secrets.Pepper = schema.NewSecret(strings.Repeat("pepper", 8))
	return cfg
}

// start runs the service until the test ends, or w.stop is called.
func (w *world) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		ended <- app.Run(ctx, app.Options{Log: log}, devportal.Part(w.config()), app.Part{Name: "after", New: func(app.Env) (app.Service, error) {
			return app.Func(func(ctx context.Context, r func()) error { close(ready); r(); <-ctx.Done(); return nil }), nil
		}})
	}()
	select {
	case <-ready:
	case err := <-ended:
		require.NoError(t, err, "it did not start")
	}
	w.stop = sync.OnceFunc(func() { cancel(); require.NoError(t, <-ended) })
	t.Cleanup(func() { w.stop() })
}

const ordersDocument = `{"openapi":"3.0.3","info":{"title":"Orders","version":"2","description":"Takes orders. And more."},"tags":[{"name":"Orders"}],"paths":{
	"/orders":{"post":{"operationId":"createOrder","tags":["Orders"],"summary":"Create an order","requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Order"}}}},"responses":{"201":{"description":"Made."}}},
	"get":{"operationId":"listOrders","tags":["Orders"],"summary":"List orders","responses":{"200":{"description":"All."}}}},
	"/orders/{id}":{"delete":{"summary":"Cancel","responses":{"204":{"description":"Gone."}}}}},
	"components":{"schemas":{"Order":{"type":"object","properties":{"sku":{"type":"string"},"parent":{"$ref":"#/components/schemas/Order"}}}}}}`

// publish makes an API with plans and waits until the catalogue has it.
func (w *world) publish(t *testing.T, organization, id, project string, change func(*gateway.PublishedAPI, map[string]*policy.Plan)) {
	t.Helper()
	hash := unit.HashOf([]byte(ordersDocument))
	_, err := w.units.Put(t.Context(), organization, map[unit.Hash][]byte{hash: []byte(ordersDocument)})
	require.NoError(t, err)
	a := gateway.PublishedAPI{
		ID: id, Slug: id, Name: strings.ToUpper(id[:1]) + id[1:], Version: "2", Project: project, Published: true, Document: hash, Revision: 3,
		Endpoints: []gateway.Endpoint{{Environment: "env-1", EnvironmentName: "DEV", URL: w.edge + "/" + id, Revision: 3}},
	}
	plans := map[string]*policy.Plan{}
	for _, slug := range []string{"gold", "manual", "open"} {
		p := &policy.Plan{
			ID: id + "-" + slug, API: id, Slug: slug, Name: strings.ToUpper(slug[:1]) + slug[1:], Security: "api-key", Approval: "automatic", Status: "published",
			Limits: []string{"60 requests per minute"}, KeyHeader: "X-API-Key",
		}
		plans[slug] = p
		a.Plans = append(a.Plans, p.ID)
	}
	plans["manual"].Approval, plans["open"].Security = "manual", "keyless"
	if change != nil {
		change(&a, plans)
	}
	w.mu.Lock()
	w.apis[organization] = append(removed(w.apis[organization], id), a)
	kept := []policy.Plan{}
	for _, p := range w.plans[organization] {
		if p.API != id {
			kept = append(kept, p)
		}
	}
	for _, p := range plans {
		kept = append(kept, *p)
	}
	w.plans[organization] = kept
	w.mu.Unlock()
	require.NoError(t, bus.Publish(t.Context(), w.gateway, gateway.APIChanged{Organization: organization, API: id}))
}

func removed(list []gateway.PublishedAPI, id string) []gateway.PublishedAPI {
	out := []gateway.PublishedAPI{}
	for _, a := range list {
		if a.ID != id {
			out = append(out, a)
		}
	}
	return out
}

// answer is what came back.
type answer struct {
	status int
	body   map[string]any
	text   string
	header http.Header
}

// at returns a value of the body by path.
func (a answer) at(path ...any) any {
	var v any = a.body
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (a answer) id() string { s, _ := a.at("id").(string); return s }

func (a answer) items() int { l, _ := a.at("items").([]any); return len(l) }

// call sends a request as the bff forwards it.
func (w *world) call(t *testing.T, token, method, path, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://portal/api/v1"+path, strings.NewReader(body))
	require.NoError(t, err)
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := (&http.Client{Transport: bus.Forward(w.caller, portal.Service)}).Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	a := answer{status: res.StatusCode, text: string(raw), header: res.Header}
	_ = json.Unmarshal(raw, &a.body) // not every answer has one
	return a
}

// soon waits until something holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, within, 5*time.Millisecond, what)
}

// inCatalogue waits until the catalogue has an API.
func (w *world) inCatalogue(t *testing.T, token, id string) answer {
	t.Helper()
	var a answer
	soon(t, "the catalogue has "+id, func() bool { a = w.call(t, token, "GET", "/catalogue/"+id, ""); return a.status == 200 })
	return a
}
