//go:build linux

package proc

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestAllIsStopped(t *testing.T) {
	t.Parallel()
	var g Group
	var pids []int
	for range 3 {
		p, err := g.Start(Spec{Name: "sleeper", Argv: []string{"sleep", "60"}, Dir: t.TempDir(), CPU: -1})
		require.NoError(t, err)
		require.True(t, alive(p.PID()))
		pids = append(pids, p.PID())
	}
	require.NoError(t, g.Close())
	for _, pid := range pids {
		require.False(t, alive(pid))
	}
	require.NoError(t, g.Close())
	_, err := g.Start(Spec{Name: "late", Argv: []string{"sleep", "60"}, Dir: t.TempDir(), CPU: -1})
	require.ErrorContains(t, err, "being stopped")
}

func TestDescendantsCount(t *testing.T) {
	t.Parallel()
	var g Group
	p, err := g.Start(Spec{Name: "shell", Argv: []string{"sh", "-c", "sleep 60 & sleep 60 & wait"}, Dir: t.TempDir(), CPU: -1})
	require.NoError(t, err)
	var pids []int
	require.Eventually(t, func() bool {
		u, err := p.Usage()
		pids = u.PIDs
		return err == nil && len(u.PIDs) == 3
	}, 5*time.Second, time.Millisecond)
	require.NoError(t, g.Close())
	for _, pid := range pids[1:] {
		_ = syscall.Kill(pid, syscall.SIGTERM) // sh leaves them to init
	}
}

func TestItRunsOnItsCore(t *testing.T) {
	t.Parallel()
	cores, err := Cores()
	require.NoError(t, err)
	require.NotEmpty(t, cores)
	dir := t.TempDir()
	var g Group
	defer g.Close()
	p, err := g.Start(Spec{Name: "nproc", Argv: []string{"nproc"}, Dir: dir, CPU: cores[0]})
	require.NoError(t, err)
	<-p.Exited()
	out, err := os.ReadFile(filepath.Join(dir, "nproc.log"))
	require.NoError(t, err)
	require.Equal(t, "1", strings.TrimSpace(string(out)))
	after, err := Cores()
	require.NoError(t, err)
	require.Equal(t, cores, after) // this program keeps its own
}

func TestReady(t *testing.T) {
	t.Parallel()
	var g Group
	defer g.Close()
	p, err := g.Start(Spec{Name: "sleeper", Argv: []string{"sleep", "60"}, Dir: t.TempDir(), CPU: -1})
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	require.NoError(t, p.Ready(t.Context(), ln.Addr().String(), 5*time.Second))

	silent, err := FreeAddress()
	require.NoError(t, err)
	require.ErrorContains(t, p.Ready(t.Context(), silent, 20*time.Millisecond), "nothing listens")

	dead, err := g.Start(Spec{Name: "dead", Argv: []string{"sh", "-c", "echo bad configuration; exit 3"}, Dir: t.TempDir(), CPU: -1})
	require.NoError(t, err)
	require.ErrorContains(t, dead.Ready(t.Context(), silent, 5*time.Second), "bad configuration")
	_, err = dead.Usage()
	require.ErrorContains(t, err, "bad configuration")
	require.NoError(t, dead.Stop())
}

func TestMissingProgram(t *testing.T) {
	t.Parallel()
	var g Group
	_, err := g.Start(Spec{Name: "none", Argv: []string{"/does/not/exist"}, Dir: t.TempDir(), CPU: -1})
	require.ErrorContains(t, err, "starting none")
}

func TestMachine(t *testing.T) {
	t.Parallel()
	require.Contains(t, Machine(), "Linux ")
}
