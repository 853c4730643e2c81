package service_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/httpx"
	"github.com/gatehouse/gatehouse/libs/internal/example"
	"github.com/gatehouse/gatehouse/libs/problem"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/libs/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, dbtest.Leaks()...) }

// book is a row of the service of the tests.
type book struct {
	OrganizationID string
	ID             string `gorm:"primaryKey"`
	Version        int64
	Title          string
	Note           secret.Text
}

// TableName is for gorm.
func (book) TableName() string { return "books" }

// shelf is the API of the service of the tests.
type shelf struct {
	example.StrictServerInterface
	k *service.Kit
}

func (s shelf) CreateBook(ctx context.Context, r example.CreateBookRequestObject) (example.CreateBookResponseObject, error) {
	if err := authn.Require(ctx, "book:create", authn.Scope{}); err != nil {
		return nil, err
	}
	p, _ := authn.From(ctx)
	made, err := httpx.Once(ctx, s.k.DB, func(tx *db.Tx) (example.Book, error) {
		row := book{ID: r.Body.Title, Version: 1, Title: r.Body.Title, Note: secret.NewText("hunter2")}
		if err := db.Create(ctx, tx.For(p.Organization), &row); err != nil {
			return example.Book{}, err
		}
		out := example.Book{Id: row.ID, Version: row.Version, Title: row.Title}
		return out, s.k.Audit(ctx, tx, service.Entry{Action: "book.created", Target: audit.Target{Kind: "book", ID: row.ID, Name: row.Title}, After: out})
	})
	if err != nil {
		return nil, err
	}
	return example.CreateBook201JSONResponse{Body: made}, nil
}

func (s shelf) GetBook(ctx context.Context, r example.GetBookRequestObject) (example.GetBookResponseObject, error) {
	row, err := db.From[book](s.k.DB.For("o1")).Get(ctx, r.Id)
	if err != nil {
		return nil, err
	}
	return example.GetBook200JSONResponse{Body: example.Book{Id: row.ID, Version: row.Version, Title: row.Note.Reveal()}}, nil
}

func migrations(t testing.TB) fs.FS {
	t.Helper()
	return os.DirFS("testdata/migrations")
}

func build(_ context.Context, k *service.Kit) (http.Handler, error) {
	s, err := k.Server(example.Document)
	if err != nil {
		return nil, err
	}
	example.RegisterHandlers(s.API(), example.NewStrictHandler(shelf{k: k}, nil))
	return s, nil
}

// world is a NATS with a tenant-manager and a caller.
type world struct {
	nats    *embedded.Server
	tenants *authntest.Tenants
	caller  *bus.Bus
}

func start(t *testing.T) *world {
	t.Helper()
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		authntest.Access(),
		{Service: "shelf", Asks: []string{tenant.Service}, Listens: []string{tenant.Service}},
		{Service: "caller", Forwards: []string{"shelf"}, Listens: []string{"shelf"}},
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	w := &world{nats: server, tenants: authntest.New(t)}
	w.tenants.Serve(t, w.connect(t, tenant.Service))
	w.caller = w.connect(t, "caller")
	return w
}

func (w *world) connect(t *testing.T, name string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(w.nats.For(name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
	return b
}

func (w *world) config(t *testing.T) service.Config {
	t.Helper()
	c := service.DefaultConfig()
	c.Listen = "127.0.0.1:0"
	c.InProcess = w.nats
	o := w.nats.For("shelf")
	c.Bus.Username, c.Bus.Password = o.Username, schema.NewSecret(o.Password)
	c.Database.DSN = schema.NewSecret("sqlite:" + t.TempDir() + "/data.db")
	c.Secrets.Keyring = schema.NewSecret(secret.NewKey("k1"))
	c.Secrets.Pepper = schema.NewSecret(strings.Repeat("pepper", 8))
	return c
}

// process is a running service.
type process struct {
	url  string
	stop func() error
}

func run(t *testing.T, o service.Options, b service.Build) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	listening, ready, ended := make(chan net.Addr, 1), make(chan struct{}), make(chan error, 1)
	o.Listening = func(a net.Addr) { listening <- a }
	log := slog.New(slog.DiscardHandler)
	go func() {
		ended <- app.Run(ctx, app.Options{Log: log}, service.Part(o, b), app.Part{Name: "after", New: func(app.Env) (app.Service, error) {
			return app.Func(func(ctx context.Context, r func()) error { close(ready); r(); <-ctx.Done(); return nil }), nil
		}})
	}()
	var addr net.Addr
	select {
	case addr = <-listening:
		<-ready
	case err := <-ended:
		require.NoError(t, err, "it did not start")
	}
	p := &process{url: "http://" + addr.String(), stop: func() error { cancel(); return <-ended }}
	t.Cleanup(func() {
		cancel()
		http.DefaultClient.CloseIdleConnections()
	})
	return p
}

func send(t *testing.T, rt http.RoundTripper, method, url, token, body string, header ...string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
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
	return res.StatusCode, string(b), res.Header
}

// The same API answers on TCP and over the bus; a change and its audit record
// are one; what is repeated takes effect once.
func TestAServiceServes(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.config(t)
	p := run(t, service.Options{Name: "shelf", Config: c, Migrations: migrations(t)}, build)
	recorded := make(chan audit.Recorded, 8)
	listening := make(chan struct{}, 8)
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan error, 1)
	go func() {
		heard <- bus.Listen(ctx, w.caller, func(_ context.Context, r shelfRecord) { recorded <- r.Recorded }, func() { listening <- struct{}{} })
	}()
	defer func() { cancel(); require.NoError(t, <-heard) }()
	<-listening

	token := w.tenants.User(t, "o1", "ada", "book:*")
	tcp, over := http.DefaultTransport, bus.Forward(w.caller, "shelf")
	status, body, header := send(t, over, "POST", "http://shelf/api/v1/books", token, `{"title":"Dune"}`, "Idempotency-Key", "k1", "X-Request-Id", "q1")
	require.Equal(t, 201, status, body)
	require.Equal(t, "q1", header.Get("X-Request-Id"))
	status, again, header := send(t, tcp, "POST", p.url+"/api/v1/books", token, `{"title":"Dune"}`, "Idempotency-Key", "k1")
	require.Equal(t, 201, status, again)
	require.JSONEq(t, body, again)
	require.Equal(t, "true", header.Get("Idempotency-Replayed"))
	status, body, _ = send(t, tcp, "POST", p.url+"/api/v1/books", token, `{"title":"Dune"}`)
	require.Equal(t, 409, status, body)
	var kept [][]byte
	require.NoError(t, database(t, c).Unscoped(t.Context(), "looked at by a test").Table("idempotency_keys").Pluck("body", &kept).Error)
	require.Len(t, kept, 1)
	require.NotContains(t, string(kept[0]), "Dune", "answers may hold what is shown once")
	r := <-recorded
	require.Equal(t, audit.Recorded{
		ID: r.ID, Organization: "o1", Service: "shelf", Action: "book.created", Outcome: "done",
		Actor: audit.Actor{Kind: "user", ID: "ada", Name: "ada"}, Target: audit.Target{Kind: "book", ID: "Dune", Name: "Dune"},
		RequestID: "q1", Via: audit.ViaAPI, Time: r.Time,
		Changes: []audit.Change{{Field: "/id", After: `"Dune"`}, {Field: "/title", After: `"Dune"`}, {Field: "/version", After: "1"}},
	}, r)

	status, body, _ = send(t, tcp, "GET", p.url+"/api/v1/books/Dune", "", "")
	require.Equal(t, 200, status, body)
	require.Contains(t, body, "hunter2", "secret columns can be read in a request")
	status, body, _ = send(t, tcp, "GET", p.url+"/api/v1/books/Emma", "", "")
	require.Equal(t, 404, status, body)
	status, body, _ = send(t, over, "POST", "http://shelf/api/v1/books", "", `{"title":"Emma"}`)
	require.Equal(t, 401, status, body)
	status, body, _ = send(t, over, "POST", "http://shelf/api/v1/books", w.tenants.User(t, "o1", "bob", "book:read"), `{"title":"Emma"}`)
	require.Equal(t, 403, status, body)

	for _, path := range []string{"/health/alive", "/health/ready", "/metrics", "/version", "/openapi.yaml", "/api/v1/openapi.yaml"} {
		status, body, _ = send(t, tcp, "GET", p.url+path, "", "")
		require.Equal(t, 200, status, body)
		if path == "/metrics" {
			require.Contains(t, body, `gatehouse_http_requests_total{method="POST",route="/api/v1/books",service="shelf",status="2xx"} 2`)
			require.Contains(t, body, `service="shelf"`)
		}
	}
	status, body, _ = send(t, over, "GET", "http://shelf/metrics", "", "")
	require.Equal(t, 404, status, body, "what is for operators is not for those who forward")
	require.NoError(t, p.stop())
}

// database opens a service's database once more.
func database(t *testing.T, c service.Config) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{DSN: c.Database.DSN.Reveal()}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// shelfRecord is the record of what happened in the service of the tests.
type shelfRecord struct{ audit.Recorded }

// Subject is the event's.
func (shelfRecord) Subject() string { return audit.Recorded{Service: "shelf"}.Subject() }

// Everything ends when one thing in the background fails, or when building does.
func TestWhatFailsEndsTheService(t *testing.T) {
	t.Parallel()
	w := start(t)
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		build service.Build
		want  string
	}{
		"build": {func(context.Context, *service.Kit) (http.Handler, error) { return nil, boom }, "boom"},
		"background": {func(_ context.Context, k *service.Kit) (http.Handler, error) {
			k.Go("work", func(context.Context) error { return boom })
			return http.NotFoundHandler(), nil
		}, "work: boom"},
		"panic": {func(_ context.Context, k *service.Kit) (http.Handler, error) {
			k.Go("work", func(context.Context) error { panic("boom") })
			return http.NotFoundHandler(), nil
		}, "work: panic: boom"},
		"ended": {func(_ context.Context, k *service.Kit) (http.Handler, error) {
			k.Go("work", func(context.Context) error { return nil })
			return http.NotFoundHandler(), nil
		}, "work: it ended without being told to"},
		"unfinished": {func(_ context.Context, k *service.Kit) (http.Handler, error) { return k.Server(example.Document) }, "has no handler"},
	} {
		err := app.Run(t.Context(), app.Options{}, service.Part(service.Options{Name: "shelf", Config: w.config(t), Migrations: migrations(t)}, c.build))
		require.ErrorContains(t, err, c.want, name)
	}
	bad := w.config(t)
	bad.Database.DSN = schema.Secret{}
	err := app.Run(t.Context(), app.Options{}, service.Part(service.Options{Name: "shelf", Config: bad, Migrations: migrations(t)}, build))
	require.ErrorContains(t, err, "database.dsn is not set")
}

// A service that waits for NATS is not ready, and can be told to stop.
func TestAServiceWaitsForNATS(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.nats.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	addr, ready, ended := make(chan net.Addr, 1), make(chan struct{}), make(chan error, 1)
	registry := prometheus.NewRegistry()
	env := app.Env{Log: slog.New(slog.DiscardHandler), Metrics: registry, Now: time.Now}
	o := service.Options{Name: "shelf", Config: w.config(t), Migrations: migrations(t), Listening: func(a net.Addr) { addr <- a }}
	go func() { ended <- service.Run(ctx, func() { close(ready) }, env, o, build) }()
	url := "http://" + (<-addr).String()
	status, body, _ := send(t, http.DefaultTransport, "GET", url+"/api/v1/books", w.tenants.Token(t, authn.Principal{Organization: "o1", Subject: "u1"}), "")
	require.Equal(t, 503, status, body)
	var p problem.Problem
	require.NoError(t, json.Unmarshal([]byte(body), &p))
	require.Equal(t, problem.CodeDependencyDown, p.Code)
	select {
	case <-ready:
		t.Fatal("it was ready without NATS")
	default:
	}
	require.NoError(t, w.nats.Resume())
	<-ready
	cancel()
	require.NoError(t, <-ended)
	got, err := registry.Gather()
	require.NoError(t, err)
	require.Empty(t, got, "a service takes its metrics with it")
	http.DefaultClient.CloseIdleConnections()
}

// Whoever asks a service that is ready is known to it: it waits for the keys of
// tenant-manager, which may come up after it.
func TestAServiceWaitsForTheKeysOfAccessTokens(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.tenants.SetAway(errors.New("it starts"))
	ctx, cancel := context.WithCancel(t.Context())
	addr, ready, ended := make(chan net.Addr, 1), make(chan struct{}), make(chan error, 1)
	env := app.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now}
	o := service.Options{Name: "shelf", Config: w.config(t), Migrations: migrations(t), Listening: func(a net.Addr) { addr <- a }}
	go func() { ended <- service.Run(ctx, func() { close(ready) }, env, o, build) }()
	url := "http://" + (<-addr).String() + "/api/v1/books/none"
	token := w.tenants.User(t, "o1", "ada", "book:*")
	status, body, header := send(t, http.DefaultTransport, "GET", url, token, "")
	require.Equal(t, 503, status, body)
	require.NotEmpty(t, header.Get("Retry-After"))
	select {
	case <-ready:
		t.Fatal("it was ready before it knew anybody")
	default:
	}
	w.tenants.SetAway(nil)
	<-ready
	status, body, _ = send(t, http.DefaultTransport, "GET", url, token, "")
	require.Equal(t, 404, status, body)
	cancel()
	require.NoError(t, <-ended)
	http.DefaultClient.CloseIdleConnections()
}

// A stream that never ends by itself does not hold up the end.
func TestAStreamEndsWithTheService(t *testing.T) {
	t.Parallel()
	w := start(t)
	p := run(t, service.Options{Name: "shelf", Config: w.config(t)}, func(ctx context.Context, _ *service.Kit) (http.Handler, error) {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			e, err := httpx.NewEvents(w)
			if err != nil {
				return
			}
			_ = e.Ping()
			select {
			case <-ctx.Done():
			case <-r.Context().Done():
			}
		}), nil
	})
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.url+"/live", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	var first [1]byte
	_, err = res.Body.Read(first[:])
	require.NoError(t, err)
	begun := time.Now()
	require.NoError(t, p.stop())
	require.Less(t, time.Since(begun), 5*time.Second)
}
