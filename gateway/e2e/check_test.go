package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// What `gateway check` says of a file, and how it exits. The golden files hold
// both.
func TestCheck(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/check/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	binary := harness.Binary(t)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), binary, "check", "--config", filepath.Base(file))
			cmd.Dir = filepath.Dir(file)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			code := "exit 0\n"
			if err := cmd.Run(); err != nil {
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit)
				require.Equal(t, 1, exit.ExitCode())
				code = "exit 1\n"
			}
			testkit.Golden(t, "check/"+name+".txt", append(out.Bytes(), code...))
		})
	}
}

// A file that is not there, and a command that is not understood.
func TestCheckOfNothing(t *testing.T) {
	t.Parallel()
	run := func(args ...string) (string, int) {
		cmd := exec.CommandContext(t.Context(), harness.Binary(t), args...)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, "%s", out)
		return string(out), exit.ExitCode()
	}
	out, code := run("check", "--config", filepath.Join(t.TempDir(), "none.yaml"))
	require.Equal(t, 1, code)
	require.Contains(t, out, "none.yaml")
	_, code = run("chekc")
	require.Equal(t, 2, code)
	_, code = run("match", "GET")
	require.Equal(t, 2, code)
}

// A gateway does not start with a file that is wrong as a whole.
func TestRunRefusesABrokenFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte("listeners: [{listenAt: x}]\n"), 0o600))
	p := harness.Launch(t, path)
	require.Equal(t, 1, p.Await())
	require.Contains(t, p.Log.String(), "listenAt")
	require.Contains(t, p.Log.String(), "gateway.yaml:1:")
}
