package analysismanager_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/authn"
	"github.com/gatehouse/gatehouse/libs/authn/authntest"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/service"
	"github.com/gatehouse/gatehouse/libs/testkit"
	analysismanager "github.com/gatehouse/gatehouse/services/analysis-manager"
	"github.com/gatehouse/gatehouse/services/internal/operations"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, dbtest.Leaks()...) }

const patience = 20 * time.Second

// world is a running analysis-manager with two organizations.
type world struct {
	nats    *embedded.Server
	tenants *authntest.Tenants
	gateway *bus.Bus
	caller  *bus.Bus
	config  analysismanager.Config
	stop    func()
}

func start(t *testing.T, change ...func(*analysismanager.Config)) *world {
	t.Helper()
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		authntest.Access(),
		analysismanager.Access(),
		{Service: "gateway", Client: true, Ships: []string{"*.edge.*"}},
		{Service: "caller", Forwards: []string{analysis.Service}, Asks: []string{analysis.Service}},
	}})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	w := &world{nats: server, tenants: authntest.New(t)}
	tenants := w.connect(t, tenant.Service)
	w.tenants.Serve(t, tenants)
	require.NoError(t, bus.Answer(tenants, func(context.Context, tenant.Organizations) (tenant.OrganizationList, error) {
		return tenant.OrganizationList{Organizations: []tenant.Organization{{ID: "o-1", Slug: "acme"}, {ID: "o-2", Slug: "evil"}}}, nil
	}))
	w.gateway, w.caller = w.connect(t, "gateway"), w.connect(t, "caller")
	o := server.For(analysis.Service)
	w.config = analysismanager.DefaultConfig()
	w.config.InProcess = server
	w.config.Bus.Username, w.config.Bus.Password = o.Username, schema.NewSecret(o.Password)
	w.config.Database.DSN = schema.NewSecret("sqlite:" + t.TempDir() + "/data.db")
	for _, c := range change {
		c(&w.config)
	}
	w.run(t)
	return w
}

func (w *world) connect(t *testing.T, name string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(w.nats.For(name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close(context.WithoutCancel(t.Context())) })
	return b
}

// run runs the service until stop is called, or the test ends.
func (w *world) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, done := make(chan struct{}), make(chan error, 1)
	up := app.Part{Name: "ready", New: func(app.Env) (app.Service, error) {
		return app.Func(func(ctx context.Context, r func()) error { close(ready); r(); <-ctx.Done(); return nil }), nil
	}}
	go func() { done <- app.Run(ctx, app.Options{}, analysismanager.Part(w.config), up) }()
	select {
	case <-ready:
	case err := <-done:
		t.Fatal(err)
	}
	stopped := false
	w.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-done)
		}
	}
	t.Cleanup(func() { w.stop() })
}

// ship ships records as a gateway of the organization does.
func (w *world) ship(t *testing.T, organization, id string, records ...*traffic.Record) {
	t.Helper()
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	for _, r := range records {
		_, err := z.Write(append(r.AppendJSON(nil), '\n'))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	h, err := traffic.Batch{Records: int64(len(records))}.Header()
	require.NoError(t, err)
	s := bus.Shipment{Organization: organization, Group: "edge", Gateway: "gw-1", ID: id, Header: h, Body: body.Bytes()}
	require.Eventually(t, func() bool { return bus.Ship(t.Context(), w.gateway, s) == nil }, patience, 10*time.Millisecond)
}

// get asks the API, over the bus as the bff does.
func (w *world) get(t *testing.T, token, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://analysis-manager/api/v1"+path, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := bus.Forward(w.caller, analysis.Service).RoundTrip(r)
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, errors.Join(err, res.Body.Close()))
	return res.StatusCode, string(b)
}

func decode[T any](t *testing.T, body string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(body), &v), body)
	return v
}

// record returns a record of a moment ago.
func record(id string, change func(*traffic.Record)) *traffic.Record {
	r := &traffic.Record{
		Time: time.Now().Add(-5 * time.Minute).UTC().Truncate(time.Microsecond), ID: id, Gateway: "gw-1", Organization: "o-1", Project: "p1", Environment: "e1",
		API: "a1", APIName: "Orders", Version: "v2", Operation: "getItem", Template: "/orders/{id}", Plan: "gold", Application: "app1", ApplicationName: "Storefront",
		Method: "GET", Host: "api.example.com", Path: "/orders/1", Status: 200, Duration: 1500, GatewayTime: 50, ResponseBytes: 10,
		Upstream: "10.0.0.1:9000", UpstreamStatus: 200, Attempts: 1,
	}
	if change != nil {
		change(r)
	}
	return r
}

// filled is a world with a little traffic of both organizations.
func filled(t *testing.T, change ...func(*analysismanager.Config)) *world {
	t.Helper()
	w := start(t, change...)
	w.ship(t, "acme", "b1",
		record("r1", nil),
		record("r2", func(r *traffic.Record) {
			r.Time = r.Time.Add(time.Second)
			r.Status, r.ErrorSource, r.ErrorCode, r.Policy, r.Upstream, r.UpstreamStatus, r.Attempts = 429, traffic.SourcePolicy, "rate-limit-exceeded", "p-1", "", 0, 0
			r.Decision = &traffic.Decision{Kept: traffic.KeptRefused, Detail: "the limit is 60 requests a minute", Policies: []traffic.Verdict{{Policy: "p-1", Type: "rate-limit", Level: "plan", Phase: "inbound", Outcome: traffic.Refuse}}}
		}),
		record("r3", func(r *traffic.Record) {
			r.Time = r.Time.Add(2 * time.Second)
			r.Project, r.API, r.APIName, r.Path, r.Status, r.Duration, r.Application = "p2", "a2", "Pets", "/pets/7", 503, 90_000, ""
		}),
		record("r4", func(r *traffic.Record) {
			r.Time = r.Time.Add(3 * time.Second)
			*r = traffic.Record{Time: r.Time, ID: r.ID, Method: "GET", Host: "api.example.com", Path: "/nowhere", Status: 404, ErrorSource: traffic.SourceClient, ErrorCode: "not-found"}
		}),
	)
	w.ship(t, "evil", "b1", record("r1", func(r *traffic.Record) { r.Organization, r.Path = "o-2", "/secret" }), record("x2", nil))
	token := w.tenants.User(t, "o-1", "ada", "traffic:read")
	other := w.tenants.User(t, "o-2", "eve", "traffic:read")
	require.Eventually(t, func() bool {
		_, a := w.get(t, token, "/records")
		_, b := w.get(t, other, "/records")
		return strings.Count(a, "requestId") == 4 && strings.Count(b, "requestId") == 1
	}, patience, 10*time.Millisecond)
	return w
}

func TestAPI(t *testing.T) {
	t.Parallel()
	testAPI(t, filled(t))
}

// The same over a search cluster, without a database.
func TestAPIOverSearch(t *testing.T) {
	t.Parallel()
	node := testkit.Search(t)
	prefix := "test-" + strings.ToLower(rand.Text()[:10])
	t.Cleanup(func() {
		for _, path := range []string{prefix + "-records-*", "_index_template/" + prefix + "-records"} {
			r, err := http.NewRequest(http.MethodDelete, node+"/"+path, nil)
			require.NoError(t, err)
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
		}
		http.DefaultClient.CloseIdleConnections()
	})
	testAPI(t, filled(t, func(c *analysismanager.Config) {
		c.Search.URLs, c.Search.Prefix, c.Database = []string{node}, prefix, service.Database{}
	}))
}

func testAPI(t *testing.T, w *world) {
	t.Helper()
	now := time.Now().UTC()
	at := func(d time.Duration) string { return url.QueryEscape(now.Add(d).Format(time.RFC3339)) }
	ada := w.tenants.User(t, "o-1", "ada", "traffic:read")
	w.tenants.Grant(t, "o-1", "bob", tenant.Grant{Role: "publisher", Permissions: []string{"traffic:read"}, Project: "p1"})
	bob := w.tenants.Token(t, authn.Principal{Organization: "o-1", Subject: "bob"})
	carl := w.tenants.User(t, "o-1", "carl", "api:read")
	for _, c := range []struct {
		name, token, path string
		status            int
		contains          []string
		not               []string
	}{
		{"everything", ada, "/usage", 200, []string{`"requests":4`, `"status2xx":1`, `"status4xx":2`, `"status5xx":1`, `"refused":2`, `"newest":"`}, []string{"series", `"top"`}},
		{"one project by grant", bob, "/usage", 200, []string{`"requests":2`}, nil},
		{"one project by name", bob, "/usage?project=p1", 200, []string{`"requests":2`}, nil},
		{"a project of others", bob, "/usage?project=p1,p2", 403, []string{"access-denied", "project p2"}, nil},
		{"series and leaders", ada, "/usage?interval=auto&top=api,errorCode&limit=1&from=" + at(-time.Hour), 200, []string{`"intervalSeconds":60`, `"series":[{"time":"`, `"top":{"api":[{"key":"a1","name":"Orders"`, `"key":"not-found"`}, []string{`"key":"a2"`}},
		{"nothing", ada, "/usage?api=none&interval=1h", 200, []string{`"requests":0`, `"series":[{`}, []string{"newest"}},
		{"bad interval", ada, "/usage?interval=90s", 422, []string{"/interval"}, nil},
		{"too many steps", ada, "/usage?interval=1m&from=" + at(-48*time.Hour), 422, []string{"/interval", "1500 steps"}, nil},
		{"backwards", ada, "/usage?from=" + at(0) + "&to=" + at(-time.Hour), 422, []string{"/from"}, nil},
		{"bad dimension", ada, "/usage?top=colour", 422, []string{"/top"}, nil},
		{"bad time", ada, "/usage?from=yesterday", 422, []string{"/from"}, nil},
		{"unknown parameter", ada, "/usage?apis=a1", 422, []string{"/apis"}, nil},

		{"log", ada, "/records", 200, []string{`"requestId":"r1"`, `"requestId":"r4"`, `"applicationName":"Storefront"`}, []string{"next", "secret", "x2"}},
		{"log of a project", bob, "/records", 200, []string{`"r1"`, `"r2"`}, []string{`"r3"`, `"r4"`}},
		{"log of others' project", bob, "/records?project=p2", 403, []string{"access-denied"}, nil},
		{"by status", ada, "/records?status=429,404", 200, []string{`"r2"`, `"r4"`}, []string{`"r1"`}},
		{"by class", ada, "/records?statusClass=5xx", 200, []string{`"r3"`}, []string{`"r1"`, `"r2"`}},
		{"by duration", ada, "/records?minDuration=90", 200, []string{`"r3"`}, []string{`"r1"`}},
		{"by text", ada, "/records?q=PETS", 200, []string{`"r3"`}, []string{`"r1"`}},
		{"by path", ada, "/records?pathPrefix=/orders", 200, []string{`"r1"`}, []string{`"r3"`}},
		{"by the rest", ada, "/records?api=a1&operation=getItem&application=app1&plan=gold&environment=e1&gateway=gw-1&method=GET&errorCode=rate-limit-exceeded&requestId=r2&from=" + at(-time.Hour) + "&to=" + at(0), 200, []string{`"r2"`}, []string{`"r1"`}},
		{"page", ada, "/records?limit=3", 200, []string{`"r4"`, `"next":"`}, []string{`"r1"`}},
		{"bad cursor", ada, "/records?cursor=abc", 422, []string{"/cursor"}, nil},
		{"bad limit", ada, "/records?limit=201", 422, []string{"/limit"}, nil},
		{"bad class", ada, "/records?statusClass=6xx", 422, []string{"/statusClass"}, nil},

		{"record", ada, "/records/r2", 200, []string{`"errorCode":"rate-limit-exceeded"`, `"decision":{`, `"organization":"o-1"`}, nil},
		{"record of another project", bob, "/records/r3", 404, []string{"not-found"}, nil},
		{"record without a project", bob, "/records/r4", 404, nil, nil},
		{"record of another organization", ada, "/records/x2", 404, nil, nil},
		{"explained", ada, "/explain/r2", 200, []string{`"sentence":"429: the policy rate-limit of the plan gold refused it: the limit is 60 requests a minute."`, `"fix":"`, `"steps":[{`, `"outcome":"refused"`, `"decided":true`, `"record":{`}, nil},
		{"explained without a decision", ada, "/explain/r1", 200, []string{`"sentence":"200: the API Orders v2 was answered by 10.0.0.1:9000 in 1.5 ms."`, `"decided":false`}, []string{"fix"}},
		{"explained without an API", ada, "/explain/r4", 200, []string{`404: no API is served at GET api.example.com/nowhere.`}, nil},
		{"explained of another project", bob, "/explain/r3", 404, nil, nil},
		{"unknown", ada, "/explain/nothing", 404, []string{"there is no record"}, nil},

		{"nobody", "", "/usage", 401, []string{"credential-missing"}, nil},
		{"nobody", "", "/records", 401, nil, nil},
		{"nobody", "", "/records/r1", 401, nil, nil},
		{"nobody", "", "/explain/r1", 401, nil, nil},
		{"a stranger", "abc", "/records", 401, nil, nil},
		{"no permission", carl, "/usage", 403, []string{"traffic:read"}, nil},
		{"no permission", carl, "/records", 403, nil, nil},
		{"no permission", carl, "/records/r1", 403, nil, nil},
		{"no permission", carl, "/explain/r1", 403, nil, nil},
	} {
		status, body := w.get(t, c.token, c.path)
		require.Equal(t, c.status, status, "%s: %s: %s", c.name, c.path, body)
		for _, s := range c.contains {
			require.Contains(t, body, s, "%s: %s", c.name, c.path)
		}
		for _, s := range c.not {
			require.NotContains(t, body, s, "%s: %s", c.name, c.path)
		}
	}
}

// Whatever an organization asks, it sees nothing of the other.
func TestOrganizationsAreApart(t *testing.T) {
	t.Parallel()
	w := filled(t)
	eve := w.tenants.User(t, "o-2", "eve", "*")
	for path, want := range map[string]int{
		"/usage?top=api,application,plan,status,gateway,errorCode,operation&interval=auto": 200,
		"/usage?project=p1,p2&api=a1,a2&application=app1":                                  200,
		"/records": 200, "/records?requestId=r2": 200, "/records?q=pets": 200, "/records?project=p2": 200,
		"/records/r1": 200, "/explain/r1": 200, "/records/r2": 404, "/explain/r2": 404,
	} {
		status, body := w.get(t, eve, path)
		require.Equal(t, want, status, path)
		for _, theirs := range []string{"Pets", "/nowhere", "60 requests a minute", `"r3"`, `"r4"`, `"/orders/1"`} {
			require.NotContains(t, body, theirs, path)
		}
		if strings.HasPrefix(path, "/usage") {
			require.Contains(t, body, `"requests":1`, path)
		}
	}
	// Every operation, with an id of the other organization.
	all, err := operations.Read("openapi.yaml")
	require.NoError(t, err)
	for _, o := range all {
		require.Equal(t, http.MethodGet, o.Method, "%s: try it on another organization", o.ID)
		status, body := w.get(t, eve, strings.ReplaceAll(o.Path, "{requestId}", "r2"))
		if strings.Contains(o.Path, "{") {
			require.Equal(t, 404, status, o.ID)
		} else {
			require.Equal(t, 200, status, o.ID)
		}
		for _, theirs := range []string{"Pets", "/nowhere", "60 requests a minute", `"r2"`, `"r3"`, `"r4"`} {
			require.NotContains(t, body, theirs, o.ID)
		}
	}
	// A gateway cannot write into another organization's log: x2 said it was acme's.
	status, _ := w.get(t, eve, "/records/x2")
	require.Equal(t, 404, status)
}

func TestPagesFollowEachOther(t *testing.T) {
	t.Parallel()
	w := start(t)
	records := make([]*traffic.Record, 130)
	for i := range records {
		records[i] = record(fmt.Sprintf("r%03d", i), func(r *traffic.Record) { r.Time = r.Time.Add(time.Duration(i/10) * time.Second) })
	}
	w.ship(t, "acme", "b", records...)
	ada := w.tenants.User(t, "o-1", "ada", "traffic:read")
	require.Eventually(t, func() bool {
		_, body := w.get(t, ada, "/usage")
		return strings.Contains(body, `"requests":130`)
	}, patience, 10*time.Millisecond)
	type page struct {
		Items []struct {
			RequestID string `json:"requestId"`
		} `json:"items"`
		Next string `json:"next"`
	}
	var got []string
	for path := "/records?limit=40"; path != ""; {
		status, body := w.get(t, ada, path)
		require.Equal(t, 200, status, body)
		p := decode[page](t, body)
		for _, x := range p.Items {
			got = append(got, x.RequestID)
		}
		if path = ""; p.Next != "" {
			path = "/records?limit=40&cursor=" + url.QueryEscape(p.Next)
		}
	}
	require.Len(t, got, 130)
	require.True(t, slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(b, a) }), "newest first")
}

// What was shipped before a stop is there after it, once.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := start(t)
	for i := range 20 {
		w.ship(t, "acme", fmt.Sprint("b", i), record(fmt.Sprint("r", i), nil))
		if i == 10 {
			w.stop()
		}
	}
	w.run(t)
	ada := w.tenants.User(t, "o-1", "ada", "traffic:read")
	require.Eventually(t, func() bool {
		_, body := w.get(t, ada, "/usage")
		return strings.Contains(body, `"requests":20`)
	}, patience, 10*time.Millisecond)
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	c := analysismanager.DefaultConfig()
	require.Empty(t, c.Validate())
	c.Retention.Hours = c.Retention.Minutes - 1
	require.Equal(t, "/retention/hours", c.Validate()[0].Pointer)

	c = analysismanager.DefaultConfig()
	c.Search.URLs, c.Search.Username, c.Search.APIKey = []string{"https://search:9200", "search:9200", "http://u:p@search"}, "u", schema.NewSecret("k")
	var at []string
	for _, f := range c.Validate() {
		at = append(at, f.Pointer)
	}
	require.Equal(t, []string{"/search/urls/1", "/search/urls/2", "/search/apiKey"}, at)
}

func TestGeneratedCodeIsCurrent(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	gen, err := os.ReadFile("internal/api/api.gen.go")
	require.NoError(t, err)
	for line := range strings.Lines(string(doc)) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), "operationId: "); ok {
			require.Contains(t, strings.ToLower(string(gen)), strings.ToLower(strings.TrimSpace(id))+"(ctx context.context")
		}
	}
}
