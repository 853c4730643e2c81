package gatewaymanager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
	gatewaymanager "github.com/gatehouse/gatehouse/services/gateway-manager"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

const (
	patience = 45 * time.Second
	step     = 5 * time.Millisecond
	joinWith = "ghj_token-of-the-tests-0123456789"
)

// world is NATS with a tenant-manager, a policy-manager and a running
// gateway-manager.
type world struct {
	t        testing.TB
	dir      string
	nats     *embedded.Server
	tenants  *authntest.Tenants
	policies *policies
	caller   *bus.Bus
	http     *http.Client
	cfg      gatewaymanager.Config
	stop     func()
	registry *prometheus.Registry

	mu            sync.Mutex
	organizations []tenant.Organization
	purged        []tenant.Organization
}

// policies is policy-manager, as far as gateway-manager sees it.
type policies struct {
	bus *bus.Bus

	mu        sync.Mutex
	effective map[string]policy.EffectiveSet // by API
	shared    policy.SharedSet
	mistakes  []policy.Mistake
	asked     []policy.Validate
	away      bool
}

func (p *policies) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *policies) serve(t testing.TB) {
	t.Helper()
	away := problem.New(problem.CodeDependencyDown, "policy-manager does not answer")
	require.NoError(t, bus.Answer(p.bus, func(_ context.Context, r policy.Effective) (policy.EffectiveSet, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.away {
			return policy.EffectiveSet{}, away
		}
		set, ok := p.effective[r.API]
		if !ok {
			set = policy.EffectiveSet{Version: "none"}
		}
		return set, nil
	}))
	require.NoError(t, bus.Answer(p.bus, func(context.Context, policy.Shared) (policy.SharedSet, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.away {
			return policy.SharedSet{}, away
		}
		return p.shared, nil
	}))
	require.NoError(t, bus.Answer(p.bus, func(_ context.Context, r policy.Validate) (policy.Validated, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked = append(p.asked, r)
		return policy.Validated{Mistakes: p.mistakes}, nil
	}))
}

// begin starts a world with the organizations "one" and "two", each with a seeded
// join token for its group default.
func begin(t testing.TB, change ...func(*gatewaymanager.Config)) *world {
	t.Helper()
	gateways := bus.Access{
		Service: "gateway", Client: true, Asks: []string{gateway.Service},
		Buckets: []bus.BucketAccess{{Name: gateway.Manifests}, {Name: gateway.Units}},
	}
	own := gatewaymanager.Access()
	w := &world{t: t, dir: t.TempDir(), organizations: []tenant.Organization{{ID: "one", Slug: "one", Name: "One"}, {ID: "two", Slug: "two", Name: "Two"}}}
	var err error
	w.nats, err = embedded.Start(embedded.Options{Dir: w.dir, Access: []bus.Access{
		authntest.Access(),
		{Service: policy.Service},
		own, gateways,
		{Service: "caller", Forwards: []string{gateway.Service}, Asks: []string{gateway.Service}, Listens: []string{gateway.Service}},
	}})
	require.NoError(t, err)
	t.Cleanup(w.nats.Stop)
	tenants := w.connect(tenant.Service)
	w.tenants = authntest.New(t)
	w.tenants.Serve(t, tenants)
	require.NoError(t, bus.Answer(tenants, func(_ context.Context, r tenant.Organizations) (tenant.OrganizationList, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		var out tenant.OrganizationList
		for _, o := range w.organizations {
			if len(r.IDs) == 0 || slices.Contains(r.IDs, o.ID) {
				out.Organizations = append(out.Organizations, o)
			}
		}
		for _, o := range w.purged {
			if len(r.IDs) == 0 || slices.Contains(r.IDs, o.ID) {
				out.Purged = append(out.Purged, o)
			}
		}
		return out, nil
	}))
	w.policies = &policies{bus: w.connect(policy.Service), effective: map[string]policy.EffectiveSet{}}
	w.policies.serve(t)
	w.caller = w.connect("caller")
	w.http = &http.Client{Transport: bus.Forward(w.caller, gateway.Service)}

	c := gatewaymanager.DefaultConfig()
	c.InProcess = w.nats
	o := w.nats.For(gateway.Service)
	c.Bus.Username, c.Bus.Password = o.Username, schema.NewSecret(o.Password)
	c.Database.DSN = schema.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "data.db"))
	c.Secrets.Keyring = schema.NewSecret(secret.NewKey("k1"))
	c.Secrets.Pepper = schema.NewSecret(strings.Repeat("pepper", 8))
	c.Gateways.PublicURL = "http://127.0.0.1:8000"
	for _, o := range w.organizations {
		c.Seed.Groups = append(c.Seed.Groups, gatewaymanager.SeedGroup{Organization: o.Slug, Group: "default", JoinToken: schema.NewSecret(joinWith + o.Slug)})
	}
	for _, f := range change {
		f(&c)
	}
	require.Empty(t, c.Validate())
	w.cfg = c
	w.start()
	t.Cleanup(func() { w.stop() })
	for _, o := range w.organizations {
		w.eventually(func() bool {
			return w.get(w.admin(o.ID), "/gateway-groups").status == http.StatusOK && len(w.get(w.admin(o.ID), "/gateway-groups").list()) == 1
		}, "the organization is taken in")
	}
	return w
}

// start runs gateway-manager.
func (w *world) start() {
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	w.registry = prometheus.NewRegistry()
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	go func() {
		ended <- app.Run(ctx, app.Options{Log: log, Registry: w.registry}, gatewaymanager.Part(w.cfg), app.Part{Name: "after", New: func(app.Env) (app.Service, error) {
			return app.Func(func(ctx context.Context, r func()) error { close(ready); r(); <-ctx.Done(); return nil }), nil
		}})
	}()
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		require.NoError(w.t, err, "it did not start")
	}
	w.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-ended)
	})
}

// metric returns the value of a counter.
func (w *world) metric(name string) float64 {
	w.t.Helper()
	families, err := w.registry.Gather()
	require.NoError(w.t, err)
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}

func (w *world) connect(name string) *bus.Bus {
	w.t.Helper()
	b, err := bus.Connect(w.nats.For(name))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = b.Close(context.WithoutCancel(w.t.Context())) })
	return b
}

func (w *world) eventually(f func() bool, what string) {
	w.t.Helper()
	require.Eventually(w.t, f, patience, step, what)
}

// admin returns the token of somebody who may do everything in an organization.
func (w *world) admin(organization string) string {
	return w.tenants.User(w.t, organization, "admin", "*")
}

// reply is an answer.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// send sends a request as somebody.
func (w *world) send(method, token, path string, body any, header ...string) *reply {
	w.t.Helper()
	r, err := w.try(method, token, path, body, header...)
	require.NoError(w.t, err)
	return r
}

// try sends a request that may not arrive.
func (w *world) try(method, token, path string, body any, header ...string) (*reply, error) {
	w.t.Helper()
	var in io.Reader
	if body != nil {
		raw, ok := body.([]byte)
		if !ok {
			var err error
			raw, err = json.Marshal(body)
			require.NoError(w.t, err)
		}
		in = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(w.t.Context()), method, "http://gateway-manager/api/v1"+path, in)
	require.NoError(w.t, err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := w.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return &reply{w.t, res.StatusCode, res.Header, raw}, err
}

func (w *world) get(token, path string) *reply {
	w.t.Helper()
	return w.send(http.MethodGet, token, path, nil)
}

// ok fails the test where the answer is not of the status.
func (r *reply) ok(status int) *reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, "%s", r.body)
	return r
}

type object = map[string]any

func (r *reply) json() object {
	r.t.Helper()
	var v object
	require.NoError(r.t, json.Unmarshal(r.body, &v), "%s", r.body)
	return v
}

func (r *reply) text(field string) string {
	r.t.Helper()
	s, _ := r.json()[field].(string)
	return s
}

func (r *reply) list() []object {
	r.t.Helper()
	var v struct{ Items []object }
	require.NoError(r.t, json.Unmarshal(r.body, &v), "%s", r.body)
	return v.Items
}

// project returns the id of the project default.
func (w *world) project(token string) string {
	w.t.Helper()
	return w.get(token, "/projects").ok(200).list()[0]["id"].(string)
}

// api makes an API and returns its id.
func (w *world) api(token, base string) string {
	w.t.Helper()
	return w.send(http.MethodPost, token, "/apis", object{
		"project": w.project(token), "name": "API " + base, "basePath": base,
		"upstreams": []object{{"targets": []object{{"url": "http://127.0.0.1:9"}}}},
	}).ok(201).text("id")
}

// fake is a gateway that registers, watches its manifest, fetches units and
// reports.
type fake struct {
	w          *world
	bus        *bus.Bus
	joined     gateway.Registered
	instance   string
	org, group string
	cancel     context.CancelFunc
	done       chan struct{}

	mu       sync.Mutex
	manifest unit.Manifest
	apis     map[string]unit.API
	settings *unit.Settings
	refuse   string // an API that it does not take
}

// join starts a fake gateway.
func (w *world) join(org, group, name string) *fake {
	w.t.Helper()
	f := &fake{w: w, bus: w.connect("gateway"), org: org, group: group, instance: name + "-1", apis: map[string]unit.API{}, done: make(chan struct{})}
	w.eventually(func() bool {
		var err error
		f.joined, err = bus.Ask(context.WithoutCancel(w.t.Context()), f.bus, gateway.Register{
			Organization: org, Group: group, Token: joinWith + org, Gateway: name, Instance: f.instance, Build: "test", Started: time.Now(),
		})
		return err == nil
	}, "the gateway joins")
	var ctx context.Context
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(w.t.Context()))
	manifests, err := f.bus.Bucket(ctx, bus.BucketOptions{Name: gateway.Manifests, ReadOnly: true})
	require.NoError(w.t, err)
	go func() {
		defer close(f.done)
		_ = manifests.Watch(ctx, []string{org + "." + group}, bus.Position{}, func(e bus.Entry) error {
			if len(e.Value) > 0 {
				f.apply(ctx, e.Value, name)
			}
			return nil
		})
	}()
	w.t.Cleanup(f.leave)
	return f
}

func (f *fake) leave() {
	f.cancel()
	<-f.done
}
