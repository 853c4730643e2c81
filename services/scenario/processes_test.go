package scenario_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/install"
	"github.com/gatehouse/gatehouse/services/scenario"
	"github.com/gatehouse/gatehouse/services/standalone"
)

// build builds binaries into a folder.
func build(t *testing.T, packages ...string) string {
	t.Helper()
	dir := t.TempDir()
	args := append([]string{"build", "-o", dir + "/"}, packages...)
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

// process is a program under test.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *output
	done chan struct{}
}

// output collects what a process writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start starts a program, which is told to stop when the test ends.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{name: name, log: &output{}, done: make(chan struct{})}
	// Not t.Context(): that would kill it before it was told to stop.
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), args[0], args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // its state is looked at
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("%s:\n%s", name, tail(p.log.String(), 6000))
		}
	})
	return p
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// stop tells the program to stop, and it must do so in good order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
		return
	default:
	}
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.done:
		require.Zero(t, p.cmd.ProcessState.ExitCode(), "%s did not stop in good order:\n%s", p.name, tail(p.log.String(), 4000))
	case <-time.After(scenario.Patience):
		_ = p.cmd.Process.Kill()
		<-p.done
		t.Errorf("%s did not stop", p.name)
	}
}

// kill ends the program at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// file writes a configuration.
func file(t *testing.T, dir, name string, content any) string {
	t.Helper()
	b, err := json.Marshal(content) // which is YAML as well
	require.NoError(t, err)
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

type object = map[string]any

// The suite as separate processes: the services on PostgreSQL, MariaDB, Redis and
// NATS over TCP, two gateways, each with the permissions that it has in an
// installation.
func TestTheStoryAsProcesses(t *testing.T) {
	t.Parallel()
	bin := build(
		t, "../tenant-manager/cmd/tenant-manager", "../gateway-manager/cmd/gateway-manager", "../policy-manager/cmd/policy-manager",
		"../analysis-manager/cmd/analysis-manager", "../devportal-backend/cmd/devportal-backend", "../bff/cmd/bff", "../../gateway/cmd/gateway",
	)
	for name, search := range map[string]bool{"databases": false, "a search cluster for the traffic": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storyAsProcesses(t, bin, search)
		})
	}
}

// storyAsProcesses tells the story; search has analysis-manager keep its records
// in a search cluster.
func storyAsProcesses(t *testing.T, bin string, search bool) {
	t.Helper()
	dir := t.TempDir()
	gateways := []string{"gateway-1", "gateway-2"}
	access := standalone.Services()
	for _, g := range gateways {
		access = append(access, gateway.Access(g, "default", "default", g))
	}
	nats, err := embedded.Start(embedded.Options{Dir: filepath.Join(dir, "nats"), Listen: "127.0.0.1:0", Access: access})
	require.NoError(t, err)
	t.Cleanup(nats.Stop)
	redis := testkit.Redis(t, testkit.RedisOptions{})
	upstream := sampleServer(t)
	address := func() string { return fmt.Sprintf("127.0.0.1:%d", testkit.FreePort(t)) }
	traffic := address()

	own := map[string]object{
		"tenant-manager": {"firstRun": object{"consoleURL": "http://apim-admin.test"}},
		"gateway-manager": {"seed": object{"groups": []object{{
			"organization": "default", "group": "default", "environment": "dev", "publicURL": "http://" + traffic, "joinToken": joinToken,
		}}}},
		"bff": {"sessions": object{"redis": object{"addresses": []string{redis.Addr}}}},
	}
	databases := map[string]db.Dialect{
		"tenant-manager": db.Postgres, "gateway-manager": db.Postgres,
		"policy-manager": db.MySQL, "analysis-manager": db.MySQL, "devportal-backend": db.MySQL,
	}
	if search {
		delete(databases, "analysis-manager")
		own["analysis-manager"] = object{"search": object{"urls": []string{testkit.Search(t)}, "prefix": "story-" + strings.ToLower(rand.Text()[:10])}}
	}
	processes, listen := map[string]*process{}, map[string]string{}
	for _, a := range standalone.Services() {
		keyring, err := install.Keyring()
		require.NoError(t, err)
		pepper, err := install.Pepper()
		require.NoError(t, err)
		listen[a.Service] = address()
		cfg := object{
			"listen":  listen[a.Service],
			"bus":     object{"url": "nats://" + nats.Addr(), "password": nats.For(a.Service).Password},
			"secrets": object{"keyring": keyring, "pepper": pepper},
			"log":     object{"level": "debug"},
		}
		if d, ok := databases[a.Service]; ok {
			cfg["database"] = object{"dsn": dbtest.DSN(t, d)}
		}
		for k, v := range own[a.Service] {
			cfg[k] = v
		}
		processes[a.Service] = start(t, a.Service, filepath.Join(bin, a.Service), "--config", file(t, dir, a.Service+".yaml", cfg))
	}
	for i, g := range gateways {
		at := traffic
		if i > 0 {
			at = address()
		}
		processes[g] = start(t, g, filepath.Join(bin, "gateway"), "run", "--log-level", "debug", "--config", file(t, dir, g+".yaml", object{
			"name": g, "data": filepath.Join(dir, g), "listeners": []object{{"address": at}}, "admin": object{"address": address()},
			"log":   object{"spool": object{"dir": filepath.Join(dir, g, "spool")}},
			"redis": object{"addresses": []string{redis.Addr}},
			"controlPlane": object{
				"url": "nats://" + nats.Addr(), "username": g, "password": nats.For(g).Password,
				"organization": "default", "group": "default", "joinToken": joinToken,
			},
		}))
	}
	for name := range listen {
		require.Eventually(t, func() bool { return alive("http://" + listen[name] + "/health/ready") }, scenario.Patience, 50*time.Millisecond, "%s is not ready", name)
	}
	var code string
	require.Eventually(t, func() bool {
		m := regexp.MustCompile(`http://apim-admin\.test/setup#code=([A-Za-z0-9_-]{20,})`).FindStringSubmatch(processes["tenant-manager"].log.String())
		if m != nil {
			code = m[1]
		}
		return m != nil
	}, scenario.Patience, 50*time.Millisecond, "the log of tenant-manager does not say how to sign in")

	at := scenario.Installation{
		API: "http://" + listen["bff"], Traffic: "http://" + traffic, Code: code, Upstream: upstream, Environment: "dev", Gateways: len(gateways),
		Logs: func() map[string]string {
			logs := map[string]string{}
			for name, p := range processes {
				logs[name] = p.log.String()
			}
			return logs
		},
	}
	scenario.Run(t, at)
	if !search { // once is enough
		scenario.Revoked(t, at)
	}
}

const joinToken = "join-0123456789abcdefghijklmnop"

// alive reports whether an address answers 200.
func alive(url string) bool {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// listening returns a listener on loopback.
func listening(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}
