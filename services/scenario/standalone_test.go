package scenario_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/db/dbtest"
	"github.com/gatehouse/gatehouse/services/sample"
	"github.com/gatehouse/gatehouse/services/scenario"
	"github.com/gatehouse/gatehouse/services/standalone"
)

func TestMain(m *testing.M) {
	code := dbtest.Main(m)
	built.remove()
	os.Exit(code)
}

// sampleServer serves the sample API and returns its host and port.
func sampleServer(t *testing.T) string {
	t.Helper()
	l := listening(t)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- sample.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	return l.Addr().String()
}

// echoServer answers whatever it is asked, and returns its host and port.
func echoServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(object{"method": r.Method, "path": r.URL.Path}) // the gateway is gone where it fails
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// one is the suite in one process.
type one struct {
	// file is the ready file.
	file string
	*process
	ready standalone.Ready
}

// run starts the suite in one process, in a folder, and waits until it serves.
func run(t *testing.T, bin, data string, more ...string) one {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ready.json")
	args := append([]string{filepath.Join(bin, "gatehouse"), "standalone", "--data", data, "--listen", "127.0.0.1:0", "--traffic", "127.0.0.1:0", "--ready-file", file}, more...)
	p := start(t, "standalone", args...)
	require.Eventually(t, func() bool {
		select {
		case <-p.done:
			return true
		default:
			_, err := os.Stat(file)
			return err == nil
		}
	}, scenario.Patience, 10*time.Millisecond, "the suite is not ready:\n%s", p.log)
	info, err := os.Stat(file)
	require.NoError(t, err, "%s", p.log)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	o := one{process: p, file: file}
	require.NoError(t, json.Unmarshal(b, &o.ready))
	return o
}

func TestTheStoryInOneProcess(t *testing.T) {
	t.Parallel()
	bin := build(t, "../cli/cmd/gatehouse")
	data := filepath.Join(t.TempDir(), "data")
	g := run(t, bin, data, "--log-level", "debug")
	require.NotNil(t, g.ready.SignIn)
	require.Contains(t, g.log.String(), g.ready.SignIn.URL, "people are told how to sign in")
	scenario.Run(t, scenario.Installation{
		API: g.ready.API, Traffic: []string{g.ready.Traffic}, Code: g.ready.SignIn.Code, Upstream: sampleServer(t), Echo: echoServer(t), Environment: "dev",
		Logs: func() map[string]string { return map[string]string{"the suite": g.log.String()} },
	})

	// It listens where it said, and nowhere else: its NATS and its services have no
	// port.
	onlyListensOn(t, g.ready.PID, g.ready.API, g.ready.Traffic, g.ready.Sample)

	// What it wrote is nobody else's to read, and the secrets are in their files
	// only.
	info, err := os.Stat(data)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	secrets, err := filepath.Glob(filepath.Join(data, "secrets", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, secrets)
	for _, f := range secrets {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NotContains(t, g.log.String(), strings.TrimSpace(string(b)), "%s is in the log", filepath.Base(f))
	}

	// Killed, it starts again with all that it had, and asks for no set-up.
	g.kill()
	g = run(t, bin, data)
	require.Nil(t, g.ready.SignIn)

	// Backed up while it runs, and restored elsewhere, it serves what it served.
	dir := t.TempDir()
	archive, keys, restored := filepath.Join(dir, "data.tar.gz"), filepath.Join(dir, "keys.tar.gz"), filepath.Join(dir, "restored")
	made, err := standalone.Backup(t.Context(), standalone.BackupOptions{Data: data, File: archive, Keys: keys})
	require.NoError(t, err)
	require.True(t, made.Running)
	require.Len(t, made.Files, 6, "five databases, and where the sample is")
	_, err = standalone.Backup(t.Context(), standalone.BackupOptions{Data: data, File: archive})
	require.ErrorIs(t, err, os.ErrExist)
	b, err := os.ReadFile(archive)
	require.NoError(t, err)
	for _, f := range secrets {
		if strings.HasPrefix(filepath.Base(f), "keyring-") {
			key, err := os.ReadFile(f)
			require.NoError(t, err)
			require.NotContains(t, string(b), strings.TrimSpace(string(key)))
		}
	}
	damaged := filepath.Join(dir, "damaged.tar.gz")
	b[len(b)/2] ^= 0xff
	require.NoError(t, os.WriteFile(damaged, b, 0o600))
	_, err = standalone.Verify(t.Context(), damaged)
	require.ErrorContains(t, err, "damaged")
	_, err = standalone.Restore(t.Context(), standalone.RestoreOptions{File: damaged, Data: restored})
	require.ErrorContains(t, err, "damaged")
	require.NoDirExists(t, restored)
	_, err = standalone.Restore(t.Context(), standalone.RestoreOptions{File: archive, Data: data})
	require.ErrorContains(t, err, "not empty")
	_, err = standalone.Restore(t.Context(), standalone.RestoreOptions{File: archive, Keys: keys, Data: restored})
	require.NoError(t, err)
	g.kill()
	g = run(t, bin, restored)
	require.Nil(t, g.ready.SignIn)
	require.Eventually(t, func() bool {
		r, err := http.Get(g.ready.Traffic + "/petstore/pet/1")
		if err != nil {
			return false
		}
		return r.Body.Close() == nil && r.StatusCode == http.StatusUnauthorized
	}, scenario.Patience, 50*time.Millisecond, "the API is served, and asks for a key")
}
