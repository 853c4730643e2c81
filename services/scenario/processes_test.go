package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/scenario"
)

// programs are those that were built for the tests of this binary, by packages.
type programs struct {
	mu    sync.Mutex
	built map[string]func() (string, error)
	dirs  []string
}

// built are of the whole test binary, as TestMain is: linking takes long.
var built = &programs{built: map[string]func() (string, error){}}

// build builds binaries into a folder, once.
func build(t *testing.T, packages ...string) string {
	t.Helper()
	built.mu.Lock()
	f := built.built[strings.Join(packages, " ")]
	if f == nil {
		f = sync.OnceValues(func() (string, error) { return built.make(packages) })
		built.built[strings.Join(packages, " ")] = f
	}
	built.mu.Unlock()
	dir, err := f()
	require.NoError(t, err)
	return dir
}

func (p *programs) make(packages []string) (string, error) {
	dir, err := os.MkdirTemp("", "gatehouse-programs-")
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	p.dirs = append(p.dirs, dir)
	p.mu.Unlock()
	// Not with the context of the test that happens to be the first.
	out, err := exec.CommandContext(context.Background(), "go", append([]string{"build", "-o", dir + "/"}, packages...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building %s: %w: %s", packages, err, out)
	}
	return dir, nil
}

func (p *programs) remove() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, dir := range p.dirs {
		_ = os.RemoveAll(dir) // it is temporary
	}
}

// process is a program under test.
type process struct {
	name string
	cmd  *exec.Cmd
	log  *testkit.Output
	done chan struct{}
}

// start starts a program, which is told to stop when the test ends.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := launch(t, name, &testkit.Output{}, args...)
	t.Cleanup(func() {
		p.stop(t)
		p.tell(t)
	})
	return p
}

// launch starts a program that writes to a log.
func launch(t *testing.T, name string, log *testkit.Output, args ...string) *process {
	t.Helper()
	p := &process{name: name, log: log, done: make(chan struct{})}
	// Not t.Context(): that would kill it before it was told to stop.
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), args[0], args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // its state is looked at
		close(p.done)
	}()
	return p
}

// tell shows what the program wrote, where the test went wrong.
func (p *process) tell(t *testing.T) {
	t.Helper()
	if t.Failed() {
		t.Logf("%s:\n%s", p.name, tail(p.log.String(), 6000))
	}
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
