package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/internal/listen"
	"github.com/gatehouse/gatehouse/gateway/internal/plane/planetest"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/bus"
	contract "github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// patience is how long a busy machine may take; it costs only where a test fails.
const patience = time.Minute

// revocation is the time in which a revocation acts everywhere: 2 s are promised,
// the rest is for machines that have better things to do.
const revocation = 10 * time.Second

// running is a gateway of a control plane, in this process.
type running struct {
	t    testing.TB
	name string
	url  string
	// admin is the address of the admin listener, where there is one.
	admin string
	stop  func()
	log   *logged
}

// logged keeps what was logged.
type logged struct{ lines chan string }

func (l *logged) Write(b []byte) (int, error) {
	select {
	case l.lines <- string(b):
	default:
	}
	return len(b), nil
}

// await waits for a line with a text.
func (l *logged) await(t testing.TB, text string) {
	t.Helper()
	end := time.After(patience)
	for {
		select {
		case line := <-l.lines:
			if strings.Contains(line, text) {
				return
			}
		case <-end:
			t.Fatalf("nothing was logged with %q", text)
		}
	}
}

func planeConfig(name, data string) gateway.Config {
	c := gateway.DefaultConfig()
	c.Name, c.Data = name, data
	c.Listeners = []listen.Listener{{Address: "127.0.0.1:0"}}
	c.ControlPlane = &gateway.ControlPlane{Organization: planetest.Organization, Group: planetest.Group, JoinToken: schema.NewSecret(planetest.Token)}
	return c
}

func startGateway(t testing.TB, c gateway.Config, b *bus.Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan [2]net.Addr, 1), make(chan error, 1)
	r := &running{t: t, name: c.Name, log: &logged{make(chan string, 10_000)}}
	part := gateway.Part(gateway.Options{Config: &c, Bus: b, Policies: policies.All(), Ready: func(a []net.Addr, admin net.Addr) { ready <- [2]net.Addr{a[0], admin} }})
	go func() {
		done <- app.Run(ctx, app.Options{Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, part)
	}()
	stopped := false
	r.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-done)
		}
	}
	t.Cleanup(r.stop)
	select {
	case a := <-ready:
		r.url = "http://" + a[0].String()
		if a[1] != nil {
			r.admin = a[1].String()
		}
	case err := <-done:
		stopped = true
		require.NoError(t, err)
	}
	return r
}

// get returns the status and the body of a GET.
func (r *running) get(path, key string) (int, string) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, r.url+path, nil)
	require.NoError(r.t, err)
	if key != "" {
		req.Header.Set("X-API-Key", key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(body)
}

// becomes waits until a path is answered so, and returns after how long.
func (r *running) becomes(path, key string, status int) time.Duration {
	r.t.Helper()
	begin := time.Now()
	last := ""
	for time.Since(begin) < patience {
		got, body := r.get(path, key)
		if got == status {
			return time.Since(begin)
		}
		last = fmt.Sprint(got, " ", body)
		<-time.After(2 * time.Millisecond)
	}
	r.t.Fatalf("%s did not become %d, it is %s", path, status, last)
	return 0
}

func upstreams(t testing.TB) []unit.Upstream {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	t.Cleanup(s.Close)
	return []unit.Upstream{{Name: "main", Targets: []unit.Target{{URL: s.URL}}}}
}

func api(id, version string, up []unit.Upstream) unit.API {
	return unit.API{ID: id, Name: id, Version: version, BasePath: "/" + id, Organization: "o", Upstreams: up}
}

// answering returns an API that answers with a status of its own.
func answeringWith(id string, status int) unit.API {
	return unit.API{ID: id, Name: id, BasePath: "/" + id, Policies: []unit.Policy{{
		Type: "mock", Config: json.RawMessage(fmt.Sprintf(`{"status":%d,"body":"x"}`, status)),
	}}}
}

func keyed(a unit.API) unit.API {
	a.Plans = []unit.Plan{{ID: "gold", Name: "gold", Security: &unit.Policy{Type: "api-key", Config: json.RawMessage(`{"header":"X-API-Key"}`)}}}
	return a
}

func shapes(t *testing.T, run func(t *testing.T, tcp bool)) {
	for name, tcp := range map[string]bool{"in process": false, "over TCP": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, tcp)
		})
	}
}

func TestAGatewayFollowsItsGroup(t *testing.T) {
	t.Parallel()
	shapes(t, func(t *testing.T, tcp bool) {
		p := planetest.Start(t, tcp, "gw-1")
		up := upstreams(t)
		g := startGateway(t, planeConfig("gw-1", t.TempDir()), p.Bus("gw-1"))
		status, body := g.get("/orders", "")
		require.Equal(t, http.StatusServiceUnavailable, status, "there is no configuration yet")
		require.Contains(t, body, "no configuration yet")

		// Joining, and the first configuration.
		p.Set(keyed(api("orders", "1", up)), answeringWith("other", 201))
		version, _ := p.Publish(true)
		g.becomes("/other", "", 201)
		g.becomes("/orders", "", http.StatusUnauthorized)
		require.Eventually(t, func() bool { r := p.Report("gw-1"); return r.Version == version && r.APIs == 2 }, patience, time.Millisecond, "it is reported at once")
		regs := p.Registrations()
		require.Equal(t, "gw-1", regs[0].Gateway)
		require.NotEmpty(t, regs[0].Instance)
		require.Eventually(t, func() bool {
			regs := p.Registrations()
			l := regs[len(regs)-1].Listeners
			return len(l) == 1 && "http://"+l[0] == g.url
		}, patience, time.Millisecond)

		// A credential, and its revocation.
		p.SetApplication("shop", "orders/gold")
		p.SetKey("key-one", "shop", false)
		g.becomes("/orders", "key-one", http.StatusOK)
		p.SetKey("key-one", "shop", true)
		took := g.becomes("/orders", "key-one", http.StatusUnauthorized)
		require.Less(t, took, revocation, "R16.2")
		t.Logf("a revocation acted after %s", took)
		p.SetKey("key-two", "shop", false)
		g.becomes("/orders", "key-two", http.StatusOK)
		p.DeleteKey("key-two")
		g.becomes("/orders", "key-two", http.StatusUnauthorized)

		// A change, a unit that does not compile, and the way back.
		p.Set(answeringWith("other", 202))
		p.Publish(true)
		g.becomes("/other", "", 202)
		broken := answeringWith("other", 203)
		broken.Policies[0].Type = "no-such-policy"
		fresh := answeringWith("fresh", 200)
		fresh.Policies[0].Config = json.RawMessage(`{"status":"many"}`)
		p.Set(broken, fresh, answeringWith("third", 204))
		version, _ = p.Publish(true)
		g.becomes("/third", "", 204)
		g.becomes("/fresh", "", http.StatusServiceUnavailable)
		status, _ = g.get("/other", "")
		require.Equal(t, 202, status, "a unit that does not compile keeps its previous form")
		var r contract.Report
		require.Eventually(t, func() bool { r = p.Report("gw-1"); return r.Version == version && len(r.Issues) > 0 }, patience, time.Millisecond)
		serving := map[string]string{}
		for _, i := range r.Issues {
			require.NotEmpty(t, i.Detail)
			require.Equal(t, "api", i.Kind)
			serving[i.Name] = i.Serving
		}
		require.Equal(t, map[string]string{"other": "previous", "fresh": "none"}, serving)
		p.Set(answeringWith("other", 201))
		p.Unset("fresh")
		version, _ = p.Publish(true)
		g.becomes("/other", "", 201)
		g.becomes("/fresh", "", http.StatusNotFound)
		require.Eventually(t, func() bool { r := p.Report("gw-1"); return r.Version == version && len(r.Issues) == 0 }, patience, time.Millisecond)

		// The plane forgets the gateway, which registers anew.
		n := len(p.Registrations())
		p.Forget("gw-1")
		require.Eventually(t, func() bool { return len(p.Registrations()) > n }, patience, time.Millisecond)
		g.stop()
		require.True(t, p.Report("gw-1").Stopping)
		require.Positive(t, p.Report("gw-1").Requests)
		require.Positive(t, p.Report("gw-1").Memory)
	})
}

// A gateway of a file, with its user and password, over TCP; and what can be
// asked of what it has kept.
func TestAGatewayJoinsWithAFile(t *testing.T) {
	t.Parallel()
	p := planetest.Start(t, true, "gw-1")
	p.Set(keyed(answeringWith("a", 201)))
	p.Publish(true)
	p.SetApplication("shop", "a/gold")
	p.SetKey("key-one", "shop", false)
	dir := t.TempDir()
	b := p.Bus("gw-1")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "password"), []byte(b.Password+"\n"), 0o600))
	path := filepath.Join(dir, "gateway.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `name: gw-1
listeners: [{address: "127.0.0.1:0"}]
data: %s/data
controlPlane:
  url: %s
  username: gw-1
  password: file:%s/password
  organization: %s
  group: %s
  joinToken: %s
`, dir, b.URL, dir, planetest.Organization, planetest.Group, planetest.Token), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan string, 1), make(chan error, 1)
	o := gateway.Options{
		Path: path, Policies: policies.All(), Secrets: schema.SystemResolver(), Ready: func(a []net.Addr, _ net.Addr) { ready <- a[0].String() },
	}
	go func() { done <- app.Run(ctx, app.Options{}, gateway.Part(o)) }()
	g := &running{t: t, url: "http://" + <-ready}
	g.becomes("/a", "key-one", 201)

	s, fields, err := gateway.Open(path, o)
	require.NoError(t, err)
	require.Empty(t, fields)
	require.Contains(t, s.Summary(), "1 API")
	require.NoError(t, s.Close())
	g.becomes("/a", "key-one", 201)
	cancel()
	require.NoError(t, <-done)

	require.NoError(t, os.WriteFile(path, []byte("listeners: [{address: \"127.0.0.1:0\"}]\ncontrolPlane: {organization: a, group: b, joinToken: c}\n"), 0o600))
	require.ErrorIs(t, app.Run(t.Context(), app.Options{}, gateway.Part(o)), gateway.ErrConfig)
	c := planeConfig("gw-1", "")
	require.ErrorIs(t, app.Run(t.Context(), app.Options{}, gateway.Part(gateway.Options{Config: &c, Bus: b})), gateway.ErrConfig, "no data directory")
	c = planeConfig("gw-1", dir)
	c.ControlPlane = nil
	require.ErrorIs(t, app.Run(t.Context(), app.Options{}, gateway.Part(gateway.Options{Config: &c, Bus: b})), gateway.ErrConfig)
}

// What a manifest must not be is refused, and what was served goes on.
func TestOnlyTheGroupsOwnManifestIsTaken(t *testing.T) {
	t.Parallel()
	p := planetest.Start(t, false, "gw-1")
	p.Set(answeringWith("a", 201))
	p.Publish(true)
	g := startGateway(t, planeConfig("gw-1", t.TempDir()), p.Bus("gw-1"))
	g.becomes("/a", "", 201)

	issue := func(text string, serving int) {
		t.Helper()
		require.Eventually(t, func() bool {
			i := p.Report("gw-1").Issues
			return len(i) > 0 && i[0].Kind == "manifest" && strings.Contains(i[0].Detail, text)
		}, patience, time.Millisecond, text)
		status, _ := g.get("/a", "")
		require.Equal(t, serving, status)
	}
	p.PublishRaw([]byte("{"))
	issue("not a manifest", 201)
	forged, err := json.Marshal(unit.Signed{Payload: []byte(`{"group":"main","epoch":"x","version":99,"issued":"2030-01-01T00:00:00Z"}`)})
	require.NoError(t, err)
	p.PublishRaw(forged)
	issue("no signature of a trusted key", 201)

	// A unit that is not there: the version before is served until it is.
	p.Set(answeringWith("a", 202))
	p.Publish(false)
	issue("not there", 201)
	p.Republish()
	g.becomes("/a", "", 202)
	require.Eventually(t, func() bool { return len(p.Report("gw-1").Issues) == 0 }, patience, time.Millisecond)

	// Another key signs: the gateway asks for it by registering again.
	p.Rotate()
	p.Set(answeringWith("a", 203))
	p.Publish(true)
	g.becomes("/a", "", 203)

	// An older version of the same history is not taken, another history is.
	p.Restore("first")
	p.Set(answeringWith("a", 204))
	p.Publish(true)
	issue("older", 203)
	p.Restore("second")
	p.Publish(true)
	g.becomes("/a", "", 204)
}

func TestAGatewayThatIsNotTakenInSaysWhy(t *testing.T) {
	t.Parallel()
	p := planetest.Start(t, false, "gw-1")
	p.Refuse(true)
	p.Set(answeringWith("a", 201))
	p.Publish(true)
	g := startGateway(t, planeConfig("gw-1", t.TempDir()), p.Bus("gw-1"))
	g.log.await(t, "check organization, group and joinToken")
	status, _ := g.get("/a", "")
	require.Equal(t, http.StatusServiceUnavailable, status, "without keys nothing is believed")
	p.Refuse(false)
	g.becomes("/a", "", 201)
}
