package tenantmanager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/testkit"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/access"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/password"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

const (
	other    = "other-service"
	goodWord = "several words of my own"
)

// world is a tenant-manager, and another service that asks and listens.
type world struct {
	url    string
	code   string // of the first run
	clock  *testkit.Clock
	other  *bus.Bus
	nats   *embedded.Server
	cfg    tenantmanager.Config
	client *http.Client
	stop   func()

	mu     sync.Mutex
	events []string
	log    bytes.Buffer
}

// Write is the log of the service.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// recorded is an audit entry of tenant-manager.
type recorded struct{ audit.Recorded }

// Subject is the event's.
func (recorded) Subject() string { return audit.Recorded{Service: tenant.Service}.Subject() }

func newWorld(t testing.TB, change ...func(*tenantmanager.Config)) *world {
	t.Helper()
	return newWorldAt(t, testkit.NewClock(), change...)
}

// newWorldAt is as newWorld, with a clock.
func newWorldAt(t testing.TB, clock *testkit.Clock, change ...func(*tenantmanager.Config)) *world {
	t.Helper()
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		tenantmanager.Access(),
		{Service: gateway.Service},
		{Service: policy.Service},
		{Service: portal.Service},
		{Service: analysis.Service},
		{Service: other, Asks: []string{tenant.Service}, Forwards: []string{tenant.Service}, Listens: []string{tenant.Service}},
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	w := &world{clock: clock, nats: server, client: &http.Client{Transport: &http.Transport{}}}
	w.other, err = bus.Connect(server.For(other))
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.other.Close(context.WithoutCancel(t.Context())) })
	w.listen(t)

	w.cfg = tenantmanager.DefaultConfig()
	w.cfg.Listen = "127.0.0.1:0"
	w.cfg.InProcess = server
	o := server.For(tenant.Service)
	w.cfg.Bus.Username, w.cfg.Bus.Password = o.Username, schema.NewSecret(o.Password)
	w.cfg.Database.DSN = schema.NewSecret("sqlite:" + filepath.Join(t.TempDir(), "data.db"))
	w.cfg.Secrets.Keyring = schema.NewSecret(secret.NewKey("k1"))
	w.cfg.Secrets.Pepper = schema.NewSecret(strings.Repeat("pepper", 8))
	w.cfg.ConsoleURL, w.cfg.PortalURL = "http://console.test/", "http://portal.test"
	w.cfg.FirstRun.ConsoleURL, w.cfg.OAuth.URL = "http://apim-admin.test", "http://auth-admin.test"
	w.cfg.DNS.Servers = []string{"127.0.0.1:1"} // nobody answers there
	for _, c := range change {
		c(&w.cfg)
	}
	w.start(t)
	t.Cleanup(func() { w.stop(); w.client.CloseIdleConnections() })
	return w
}

// start starts the service; stop ends it, and may be called twice.
func (w *world) start(t testing.TB) {
	t.Helper()
	listening := make(chan net.Addr, 1)
	cfg := w.cfg
	cfg.OnFirstRun = func(code string) { w.code = code }
	cfg.Listening = func(a net.Addr) { listening <- a }
	require.Empty(t, cfg.Validate())
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	opt := app.Options{Log: slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: w.clock.Now}
	go func() {
		ended <- app.Run(ctx, opt, tenantmanager.Part(cfg), app.Part{Name: "after", New: func(app.Env) (app.Service, error) {
			return app.Func(func(ctx context.Context, r func()) error { close(ready); r(); <-ctx.Done(); return nil }), nil
		}})
	}()
	select {
	case <-ready:
	case err := <-ended:
		require.NoError(t, err, "it did not start")
	}
	w.url = "http://" + (<-listening).String()
	w.stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(t, <-ended)
	})
}

// another starts a second instance on the same database and the same bus.
func (w *world) another(t testing.TB) *world {
	t.Helper()
	b := &world{clock: w.clock, nats: w.nats, other: w.other, cfg: w.cfg, client: w.client, code: w.code}
	b.start(t)
	t.Cleanup(func() { b.stop() })
	return b
}

// listen notes the names of all events.
func (w *world) listen(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	note := func(s string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, s)
	}
	var all, standing sync.WaitGroup
	standing.Add(3)
	stands := func() func() { return sync.OnceFunc(standing.Done) }
	run := func(f func(up func()) error) { all.Go(func() { require.NoError(t, f(stands())) }) }
	seen := map[string]bool{} // an event may come twice
	run(func(up func()) error {
		return bus.Listen(ctx, w.other, func(_ context.Context, e recorded) {
			if seen[e.ID] {
				return
			}
			seen[e.ID] = true
			if e.Action == "access.denied" { // of every refused write: TestRefusedWritesAreRecorded
				return
			}
			if e.Outcome == "refused" {
				e.Action += " refused"
			}
			note(e.Action)
		}, up)
	})
	run(func(up func()) error {
		return bus.Listen(ctx, w.other, func(_ context.Context, e tenant.AccessChanged) {
			switch {
			case e.Session != "":
				note("access-changed session")
			case e.Principal == "":
				note("access-changed all")
			default:
				note("access-changed")
			}
		}, up)
	})
	run(func(up func()) error {
		return bus.Listen(ctx, w.other, func(_ context.Context, e tenant.OrganizationChanged) {
			switch {
			case e.Created && e.CreatedBy == "":
				note("organization-changed created by nobody")
				return
			case e.Created:
				note("organization-changed created by " + e.CreatedBy[:1])
				return
			}
			note("organization-changed")
		}, up)
	})
	standing.Wait()
	t.Cleanup(func() { cancel(); all.Wait() })
}

// expect waits for exactly these events, in any order.
func (w *world) expect(t testing.TB, what string, want ...string) {
	t.Helper()
	slices.Sort(want)
	var got []string
	enough := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		got = slices.Sorted(slices.Values(w.events))
		return len(got) >= len(want)
	}
	require.Eventually(t, enough, 10*time.Second, 2*time.Millisecond, "%s: events %v", what, want)
	require.Equal(t, strings.Join(want, "\n"), strings.Join(got, "\n"), what)
	w.mu.Lock()
	w.events = nil
	w.mu.Unlock()
}

// answer is what came back.
type answer struct {
	status int
	body   string
	header http.Header
}

// text returns a field, named by a path such as "user/id".
func (a answer) text(t testing.TB, path string) string {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(a.body), &v), a.body)
	for key := range strings.SplitSeq(path, "/") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			require.Equal(t, "0", key)
			require.NotEmpty(t, x, a.body)
			v = x[0]
		}
	}
	s, ok := v.(string)
	require.True(t, ok, "%s in %s", path, a.body)
	return s
}

// call sends a request over TCP.
func (w *world) call(t testing.TB, token, method, path, body string, header ...string) answer {
	t.Helper()
	return w.over(t, w.client.Transport, w.url, token, method, path, body, header...)
}

func (w *world) over(t testing.TB, rt http.RoundTripper, url, token, method, path, body string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url+"/api/v1"+path, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := (&http.Client{Transport: rt}).Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, string(b), res.Header}
}

// from returns what sends requests from another address of this machine.
func from(t testing.TB, address string) *http.Client {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	c := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// sender is as from, for [world.over].
func (*world) sender(t testing.TB, address string) http.RoundTripper {
	t.Helper()
	return from(t, address).Transport
}

// setUp completes the first run and returns the owner's access token.
func (w *world) setUp(t testing.TB) string {
	t.Helper()
	a := w.call(t, "", "POST", "/sign-in/one-time", `{"code":"`+w.code+`"}`)
	require.Equal(t, 200, a.status, a.body)
	token := a.text(t, "accessToken")
	a = w.call(t, token, "POST", "/setup", `{"organizationName":"Acme","name":"Ada","email":"ada@example.com","password":"`+goodWord+`"}`)
	require.Equal(t, 200, a.status, a.body)
	return token
}

// signIn returns an access token.
func (w *world) signIn(t testing.TB, email, organization string) string {
	t.Helper()
	a := w.call(t, "", "POST", "/sign-in", `{"email":"`+email+`","password":"`+goodWord+`","organization":"`+organization+`"}`)
	require.Equal(t, 200, a.status, a.body)
	return a.text(t, "accessToken")
}

// invite makes a user with roles, such as `{"role":"viewer"}`, and returns their
// tokens.
func (w *world) invite(t testing.TB, token, email, roles string) answer {
	t.Helper()
	a := w.call(t, token, "POST", "/invitations", `{"email":"`+email+`","roles":[`+roles+`]}`)
	require.Equal(t, 201, a.status, a.body)
	a = w.call(t, "", "POST", "/invitations/by-token/"+a.text(t, "token")+"/accept", `{"name":"`+email+`","password":"`+goodWord+`"}`)
	require.Equal(t, 200, a.status, a.body)
	return a
}

// database opens the service's database beside it.
func (w *world) database(t testing.TB) *store.Store {
	t.Helper()
	ring, err := secret.ParseKeyring(w.cfg.Secrets.Keyring.Reveal())
	require.NoError(t, err)
	d, err := db.Open(t.Context(), db.Config{DSN: w.cfg.Database.DSN.Reveal(), Now: w.clock.Now}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return store.New(d, ring, nil)
}

// organization makes a second organization with an owner, beside the API.
func (w *world) organization(t testing.TB, slug, email string) string {
	t.Helper()
	s, ctx := w.database(t), t.Context()
	hash, err := password.NewHasher().Hash(ctx, goodWord)
	require.NoError(t, err)
	id := store.NewID()
	require.NoError(t, s.Tx(ctx, id, "", func(tx *store.Tx) error {
		if _, err := tx.CreateOrganization(ctx, slug, slug); err != nil {
			return err
		}
		u := store.User{Name: "Owner of " + slug, Email: email, PasswordHash: hash}
		if err := tx.CreateUser(ctx, &u); err != nil {
			return err
		}
		return tx.CreateGrant(ctx, &store.Grant{PrincipalID: u.ID, PrincipalKind: "user", RoleID: access.Owner})
	}))
	return id
}
