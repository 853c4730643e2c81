package harness

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var binary struct {
	once sync.Once
	path string
	err  error
}

// Binary builds the gateway's binary, once in a test run, and returns its path.
func Binary(t testing.TB) string {
	t.Helper()
	binary.once.Do(func() {
		dir, err := os.MkdirTemp("", "gateway-e2e-")
		if err != nil {
			binary.err = err
			return
		}
		binary.path = filepath.Join(dir, "gateway")
		out, err := exec.Command("go", "build", "-o", binary.path, "github.com/gatehouse/gatehouse/gateway/cmd/gateway").CombinedOutput() //nolint:gosec,noctx // fixed arguments; as long as it takes
		if err != nil {
			t.Logf("%s", out)
			binary.err = err
		}
	})
	require.NoError(t, binary.err)
	return binary.path
}

// Clean removes what Binary has made. Call it at the end of TestMain.
func Clean() {
	if binary.path != "" {
		_ = os.RemoveAll(filepath.Dir(binary.path)) // only a temporary directory
	}
}

// Process is a gateway in a process of its own.
type Process struct {
	Traffic []string
	Admin   string
	Log     *Log
	// Exited is closed when the process has ended, after State is set.
	Exited chan struct{}
	State  *os.ProcessState

	t   testing.TB
	cmd *exec.Cmd
}

// Run starts a process with a configuration file and waits until it serves. It
// is killed when the test ends.
func Run(t testing.TB, path string, env ...string) *Process {
	t.Helper()
	p := Launch(t, path, env...)
	require.Eventually(t, func() bool { return p.Ready() || p.ended() }, Patience, 5*time.Millisecond, "the gateway is not ready in time")
	require.False(t, p.ended(), "the gateway does not start:\n%s", p.Log)
	return p
}

// Launch is [Run] without waiting.
func Launch(t testing.TB, path string, env ...string) *Process {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	p := &Process{t: t, Log: &Log{}, Exited: make(chan struct{})}
	p.cmd = exec.Command(Binary(t), "run", "--config", path, "--ready-file", ready, "--log-level", "debug") //nolint:gosec,noctx // the test's own arguments; ended below
	p.cmd.Stderr, p.cmd.Stdout = p.Log, p.Log
	p.cmd.Env = append(os.Environ(), append(env, "READY="+ready)...)
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // State tells
		p.State = p.cmd.ProcessState
		close(p.Exited)
	}()
	t.Cleanup(p.Kill)
	return p
}

// Ready reads the addresses once the process has written them.
func (p *Process) Ready() bool {
	var path string
	for _, e := range p.cmd.Env {
		if v, ok := strings.CutPrefix(e, "READY="); ok {
			path = v
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // only read
	p.Traffic, p.Admin = nil, ""
	for s := bufio.NewScanner(f); s.Scan(); {
		switch kind, address, _ := strings.Cut(s.Text(), " "); kind {
		case "traffic":
			p.Traffic = append(p.Traffic, address)
		case "admin":
			p.Admin = address
		}
	}
	return len(p.Traffic) > 0
}

func (p *Process) ended() bool {
	select {
	case <-p.Exited:
		return true
	default:
		return false
	}
}

// PID returns the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.Exited
}

// Terminate tells the process to stop, as a service manager does.
func (p *Process) Terminate() {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
}

// Await waits until the process has ended and returns its exit code.
func (p *Process) Await() int {
	p.t.Helper()
	select {
	case <-p.Exited:
	case <-time.After(Patience):
		p.t.Fatalf("the gateway does not end:\n%s", p.Log)
	}
	return p.State.ExitCode()
}

// URL returns the address of something on the first listener.
func (p *Process) URL(path string) string { return "http://" + p.Traffic[0] + path }
