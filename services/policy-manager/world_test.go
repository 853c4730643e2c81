package policymanager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	contract "github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/unitstore"
	policymanager "github.com/gatehouse/gatehouse/services/policy-manager"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, dbtest.Leaks()...) }

// world is a policy-manager with all that it asks, and a caller.
type world struct {
	tenants *authntest.Tenants
	caller  *bus.Bus // asks, forwards and listens as gateway-manager does
	units   *unitstore.Store

	mu            sync.Mutex
	apis          map[string][]gateway.API // by organization
	projects      map[string][]gateway.Project
	subscriptions map[string]int64 // by plan
}

func newWorld(t *testing.T, change ...func(*policymanager.Config)) *world {
	t.Helper()
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		authntest.Access(),
		policymanager.Access(),
		{
			Service: gateway.Service, Asks: []string{contract.Service}, Forwards: []string{contract.Service}, Listens: []string{contract.Service},
			Buckets: []bus.BucketAccess{{Name: gateway.Units, Write: true}},
		},
		{Service: portal.Service},
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	connect := func(name string) *bus.Bus {
		b, err := bus.Connect(server.For(name))
		require.NoError(t, err)
		t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
		return b
	}
	w := &world{
		tenants: authntest.New(t), caller: connect(gateway.Service),
		apis: map[string][]gateway.API{}, projects: map[string][]gateway.Project{}, subscriptions: map[string]int64{},
	}
	w.tenants.Serve(t, connect(tenant.Service))
	bucket, err := w.caller.Bucket(t.Context(), bus.BucketOptions{Name: gateway.Units})
	require.NoError(t, err)
	w.units = unitstore.New(bucket)
	require.NoError(t, bus.Answer(w.caller, func(_ context.Context, q gateway.APIs) (gateway.APIList, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return gateway.APIList{APIs: w.apis[q.Organization]}, nil
	}))
	require.NoError(t, bus.Answer(w.caller, func(_ context.Context, q gateway.Projects) (gateway.ProjectList, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return gateway.ProjectList{Projects: w.projects[q.Organization]}, nil
	}))
	require.NoError(t, bus.Answer(connect(portal.Service), func(_ context.Context, q portal.Subscribers) (portal.SubscriberCount, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return portal.SubscriberCount{Active: w.subscriptions[q.Plan]}, nil
	}))

	cfg := policymanager.DefaultConfig()
	cfg.InProcess = server
	o := server.For(contract.Service)
	cfg.Bus.Username, cfg.Bus.Password = o.Username, schema.NewSecret(o.Password)
	cfg.Database.DSN = schema.NewSecret("sqlite:" + t.TempDir() + "/data.db")
	cfg.Secrets.Keyring = schema.NewSecret(secret.NewKey("k1"))
	cfg.Secrets.Pepper = schema.NewSecret(strings.Repeat("pepper", 8))
	for _, c := range change {
		c(&cfg)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, app.Options{Log: slog.New(slog.DiscardHandler)}, policymanager.Part(cfg), app.Part{Name: "after", New: func(app.Env) (app.Service, error) {
			return app.Func(func(ctx context.Context, r func()) error { close(ready); r(); <-ctx.Done(); return nil }), nil
		}})
	}()
	select {
	case <-ready:
	case err := <-ended:
		require.NoError(t, err, "it did not start")
	}
	t.Cleanup(func() { cancel(); require.NoError(t, <-ended) })
	return w
}

const petDocument = `{"openapi":"3.0.3","info":{"title":"Pets","version":"1"},"paths":{"/pets":{"get":{"operationId":"listPets","responses":{"200":{"description":"All pets."}}}}}}`

// addAPI makes an API with two upstreams and an OpenAPI document.
func (w *world) addAPI(t *testing.T, organization, project, id string) {
	t.Helper()
	target := []unit.Target{{URL: "http://127.0.0.1:9"}}
	doc, hash, err := unit.Encode(unit.API{
		ID: id, Name: id, Organization: organization, Project: project, BasePath: "/" + id, Document: unit.Raw(petDocument),
		Upstreams:  []unit.Upstream{{Name: "default", Targets: target}, {Name: "other", Targets: target}},
		Operations: []unit.Operation{{ID: "listPets", Method: "GET", Path: "/pets"}, {ID: "get/pet", Method: "GET", Path: "/pets/{id}"}},
	})
	require.NoError(t, err)
	_, err = w.units.Put(t.Context(), organization, map[unit.Hash][]byte{hash: doc})
	require.NoError(t, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.apis[organization] = append(w.apis[organization], gateway.API{
		ID: id, Name: id, Project: project, Unit: hash,
		Operations: []gateway.Operation{{ID: "listPets", Method: "GET", Path: "/pets"}, {ID: "get/pet", Method: "GET", Path: "/pets/{id}"}},
	})
	for _, p := range w.projects[organization] {
		if p.ID == project {
			return
		}
	}
	w.projects[organization] = append(w.projects[organization], gateway.Project{ID: project, Slug: project, Name: project})
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

// pointers are the fields that a problem lists, with their codes.
func (a answer) pointers() []string {
	var out []string
	list, _ := a.body["errors"].([]any)
	for _, e := range list {
		m, _ := e.(map[string]any)
		out = append(out, m["pointer"].(string)+" "+m["code"].(string))
	}
	return out
}

// call sends a request as gateways' managers forward it.
func (w *world) call(t *testing.T, token, method, path string, body any, header ...string) answer {
	t.Helper()
	var in io.Reader = http.NoBody
	switch b := body.(type) {
	case nil:
	case string:
		in = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		require.NoError(t, err)
		in = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://policy-manager/api/v1"+path, in)
	require.NoError(t, err)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := (&http.Client{Transport: bus.Forward(w.caller, contract.Service)}).Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	a := answer{status: res.StatusCode, text: string(raw), header: res.Header}
	_ = json.Unmarshal(raw, &a.body) // not every answer has one
	return a
}

// must is call with the status that is expected.
func (w *world) must(t *testing.T, status int, token, method, path string, body any, header ...string) answer {
	t.Helper()
	a := w.call(t, token, method, path, body, header...)
	require.Equal(t, status, a.status, "%s %s: %s", method, path, a.text)
	return a
}

// owner returns the token of somebody who may do everything in an organization.
func (w *world) owner(t *testing.T, organization string) string {
	t.Helper()
	return w.tenants.User(t, organization, "owner-of-"+organization, "*")
}

// publisher returns the token of a publisher of one project.
func (w *world) publisher(t *testing.T, organization, project string) string {
	t.Helper()
	who := "publisher-of-" + project
	w.tenants.Grant(t, organization, who, tenant.Grant{Role: "publisher", Project: project, Permissions: []string{"policy:*", "plan:*", "api:*"}})
	return w.tenants.Token(t, authn.Principal{Organization: organization, OrganizationSlug: organization, Subject: who, Name: who})
}
