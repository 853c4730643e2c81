package scenario_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/install"
	"github.com/gatehouse/gatehouse/services/scenario"
	"github.com/gatehouse/gatehouse/services/standalone"
)

// The suite as separate processes: the services on PostgreSQL, MariaDB, Redis and
// NATS over TCP, two gateways, each with the permissions that it has in an
// installation.
func TestTheStoryAsProcesses(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]shape{
		"databases": {lastFirst: true}, "a search cluster for the traffic": {search: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newApart(t, shape)
			a.startAll()
			at := scenario.Installation{
				API: "http://" + a.listen["bff"], Traffic: a.traffic(), Code: a.code(), Upstream: sampleServer(t), Echo: echoServer(t), Environment: "dev",
				Outage: &scenario.Outage{Begin: a.takeAway, Restart: a.restart, End: a.giveBack},
				Logs: func() map[string]string {
					logs := map[string]string{}
					for name, log := range a.logs {
						logs[name] = log.String()
					}
					return logs
				},
			}
			if len(a.doors) > 0 {
				at.Outage.Databases = a.databases
			}
			scenario.Run(t, at)
			if !shape.search { // once is enough
				scenario.Revoked(t, at)
			}
		})
	}
}

// shape is how the processes are set up.
type shape struct {
	// search has analysis-manager keep its records in a search cluster.
	search bool
	// lastFirst starts the gateways first, then the services, and only then what
	// they need.
	lastFirst bool
}

const nats = "nats-server"

// inGroup are the gateways.
var inGroup = []string{"gateway-1", "gateway-2"}

// apart is the suite as separate processes.
type apart struct {
	t *testing.T
	shape
	redis *testkit.RedisServer
	doors []*dbtest.Door // before the databases

	services []string
	programs map[string][]string // with their arguments, by name
	listen   map[string]string   // addresses, by name; of gateways those for traffic
	running  map[string]*process
	logs     map[string]*testkit.Output
}

// newApart configures the processes, and starts none.
func newApart(t *testing.T, s shape) *apart {
	t.Helper()
	bin := build(
		t, "../tenant-manager/cmd/tenant-manager", "../gateway-manager/cmd/gateway-manager", "../policy-manager/cmd/policy-manager",
		"../analysis-manager/cmd/analysis-manager", "../devportal-backend/cmd/devportal-backend", "../bff/cmd/bff", "../../gateway/cmd/gateway",
		"github.com/nats-io/nats-server/v2",
	)
	a := &apart{
		t: t, shape: s, redis: testkit.Redis(t, testkit.RedisOptions{Control: s.lastFirst}),
		programs: map[string][]string{}, listen: map[string]string{}, running: map[string]*process{}, logs: map[string]*testkit.Output{},
	}
	dir := t.TempDir()
	passwords := map[string]string{}
	access := standalone.Services()
	for _, g := range inGroup {
		access = append(access, gateway.Access(g, "default", "default", g))
		a.listen[g] = address(t)
	}
	for _, x := range access {
		passwords[x.Service] = rand.Text()
	}
	a.listen[nats] = address(t)
	bus := "nats://" + a.listen[nats]
	conf, err := install.NATS(a.listen[nats], "", filepath.Join(dir, nats), access, passwords)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nats.conf"), []byte(conf), 0o600))
	a.add(nats, filepath.Join(bin, nats), "-c", filepath.Join(dir, "nats.conf"))

	a.listen["bff"] = address(t)
	own := map[string]object{
		"tenant-manager": {
			"firstRun": object{"consoleURL": "http://apim-admin.test"},
			"oauth":    object{"url": "http://auth-admin.test", "gatewayUrl": "http://" + a.listen["bff"]},
		},
		"gateway-manager": {"seed": object{"groups": []object{{
			"organization": "default", "group": "default", "environment": "dev", "publicURL": "http://" + a.listen[inGroup[0]], "joinToken": joinToken,
		}}}},
		"policy-manager": {"limitMode": install.LimitMode},
		"bff":            {"sessions": object{"redis": object{"addresses": []string{a.redis.Addr}}}},
	}
	databases := map[string]db.Dialect{
		"tenant-manager": db.Postgres, "gateway-manager": db.Postgres,
		"policy-manager": db.MySQL, "analysis-manager": db.MySQL, "devportal-backend": db.MySQL,
	}
	if s.search {
		delete(databases, "analysis-manager")
		own["analysis-manager"] = object{"search": object{"urls": []string{testkit.Search(t)}, "prefix": "story-" + strings.ToLower(rand.Text()[:10])}}
	}
	for _, x := range standalone.Services() {
		name := x.Service
		a.services = append(a.services, name)
		keyring, err := install.Keyring()
		require.NoError(t, err)
		pepper, err := install.Pepper()
		require.NoError(t, err)
		if a.listen[name] == "" {
			a.listen[name] = address(t)
		}
		cfg := object{
			"listen":  a.listen[name],
			"bus":     object{"url": bus, "password": passwords[name]},
			"secrets": object{"keyring": keyring, "pepper": pepper},
			"log":     object{"level": "debug"},
		}
		if d, ok := databases[name]; ok {
			cfg["database"] = object{"dsn": a.database(d)}
		}
		for k, v := range own[name] {
			cfg[k] = v
		}
		a.add(name, filepath.Join(bin, name), "--config", file(t, dir, name+".yaml", cfg))
	}
	for _, g := range inGroup {
		a.add(g, filepath.Join(bin, "gateway"), "run", "--log-level", "debug", "--config", file(t, dir, g+".yaml", object{
			"name": g, "data": filepath.Join(dir, g), "listeners": []object{{"address": a.listen[g]}}, "admin": object{"address": address(t)},
			// Many small batches rather than one, so that there is a middle of it.
			"log":   object{"spool": object{"dir": filepath.Join(dir, g, "spool"), "flush": "20ms"}},
			"redis": object{"addresses": []string{a.redis.Addr}},
			"controlPlane": object{
				"url": bus, "username": g, "password": passwords[g],
				"organization": "default", "group": "default", "joinToken": joinToken,
			},
		}))
	}
	t.Cleanup(a.stop)
	return a
}

// address returns an address that nobody else listens on.
func address(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t))
}

// database returns the address of a database, which may be away at first.
func (a *apart) database(d db.Dialect) string {
	a.t.Helper()
	dsn := dbtest.DSN(a.t, d)
	if !a.lastFirst {
		return dsn
	}
	door, dsn := dbtest.NewDoor(a.t, dsn)
	a.doors = append(a.doors, door)
	return dsn
}

func (a *apart) add(name string, program ...string) {
	a.programs[name], a.logs[name] = program, &testkit.Output{}
}

func (a *apart) start(names ...string) {
	a.t.Helper()
	for _, name := range names {
		a.running[name] = launch(a.t, name, a.logs[name], a.programs[name]...)
	}
}

// stop stops all, those first that need others.
func (a *apart) stop() {
	for _, name := range slices.Concat(inGroup, a.services, []string{nats}) {
		if p := a.running[name]; p != nil {
			p.stop(a.t)
		}
	}
	for _, p := range a.running {
		p.tell(a.t)
	}
}

func (a *apart) ready(name string) bool { return alive("http://" + a.listen[name] + "/health/ready") }

// awaitReady waits until the services are ready.
func (a *apart) awaitReady() {
	a.t.Helper()
	for _, name := range a.services {
		require.Eventually(a.t, func() bool { return a.ready(name) }, scenario.Patience, 20*time.Millisecond, "%s is not ready", name)
	}
}

// startAll starts everything, and returns when the services are ready.
func (a *apart) startAll() {
	a.t.Helper()
	if !a.lastFirst {
		a.start(nats)
		a.start(a.services...)
		a.start(inGroup...)
		a.awaitReady()
		return
	}
	a.redis.Kill()
	a.start(inGroup...)
	a.start(a.services...)
	for _, name := range slices.Concat(inGroup, a.services) {
		require.Eventually(a.t, func() bool { return a.logs[name].String() != "" }, scenario.Patience, 10*time.Millisecond, "%s says nothing", name)
	}
	for _, name := range a.services {
		require.False(a.t, a.ready(name), "%s is ready without what it needs", name)
	}
	a.start(nats)
	for _, door := range a.doors {
		door.Open(a.t)
	}
	a.redis.Restart()
	a.awaitReady()
	for name, p := range a.running {
		select {
		case <-p.done:
			require.Fail(a.t, "a program did not wait for what it needs", name)
		default:
		}
	}
}

// code returns the one-time sign-in.
func (a *apart) code() string {
	a.t.Helper()
	var code string
	require.Eventually(a.t, func() bool {
		m := regexp.MustCompile(`http://apim-admin\.test/setup#code=([A-Za-z0-9_-]{20,})`).FindStringSubmatch(a.logs["tenant-manager"].String())
		if m != nil {
			code = m[1]
		}
		return m != nil
	}, scenario.Patience, 50*time.Millisecond, "the log of tenant-manager does not say how to sign in")
	return code
}

// traffic returns where each gateway is called.
func (a *apart) traffic() (all []string) {
	for _, g := range inGroup {
		all = append(all, "http://"+a.listen[g])
	}
	return all
}

// databases takes the databases away, or gives them back.
func (a *apart) databases(away bool) {
	for _, d := range a.doors {
		if away {
			d.Shut()
		} else {
			d.Open(a.t)
		}
	}
}

// takeAway kills NATS and every service.
func (a *apart) takeAway() {
	for _, name := range append([]string{nats}, a.services...) {
		a.running[name].kill()
	}
}

// restart stops a gateway in good order, and starts it again.
func (a *apart) restart(i int) {
	a.running[inGroup[i]].stop(a.t)
	a.start(inGroup[i])
	require.Eventually(a.t, func() bool {
		c, err := net.DialTimeout("tcp", a.listen[inGroup[i]], time.Second)
		return err == nil && c.Close() == nil
	}, scenario.Patience, 10*time.Millisecond, "%s does not listen", inGroup[i])
}

const counter = "analysis-manager"

// stored finds in the metrics of analysis-manager that it has stored records.
var stored = regexp.MustCompile(`(?m)^gatehouse_analysis_records_total\{outcome="stored"\} [1-9]`)

// giveBack starts again what was taken away, and kills analysis-manager once more
// when it has begun to store what was shipped.
func (a *apart) giveBack() {
	a.start(nats)
	a.start(a.services...)
	require.Eventually(a.t, func() bool { return stored.MatchString(page("http://" + a.listen[counter] + "/metrics")) },
		scenario.Patience, time.Millisecond, "analysis-manager stores nothing")
	a.running[counter].kill()
	a.start(counter)
	a.awaitReady()
}

// page returns what an address answers; nothing where it does not.
func page(url string) string {
	res, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer func() { _ = res.Body.Close() }() // it was read to its end
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return ""
	}
	return string(b)
}
