package service

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/contract/system"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// safeBuffer is a log that is read while it is written.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A service waits for a secret of its configuration, begins anew with another one,
// and runs on with the old where the configuration is not good with the new.
func TestASecretOfTheConfigurationIsTakenUp(t *testing.T) {
	t.Parallel()
	v := testkit.Vault(t, time.Now)
	v.Away(true)
	dir := t.TempDir()
	path := filepath.Join(dir, "shelf.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte(v.Root), 0o600))
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, `
bus: {url: nats://user:hidden@nats:4222}
vault: {address: %q, token: "file:%s/token", refresh: 1s}
secrets: {pepper: "vault:secret/shelf#pepper"}
`, v.URL, dir), 0o600))
	started := make(chan shelfConfig, 10)
	p := program[shelfConfig, *shelfConfig]{
		name: "shelf-manager", defaults: shelfConfig{Config: DefaultConfig(), Shelves: 3}, environ: []string{"GATEHOUSE_SHELF_MANAGER_SHELVES=7"},
		part: func(c shelfConfig) app.Part {
			return app.Part{Name: "shelf-manager", New: func(app.Env) (app.Service, error) {
				return app.Func(func(ctx context.Context, ready func()) error {
					started <- c
					ready()
					<-ctx.Done()
					return nil
				}), nil
			}}
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	var log safeBuffer
	ended := make(chan error, 1)
	go func() { ended <- p.serve(ctx, path, &log) }()
	require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("waiting for a secret")) }, 10*time.Second, 5*time.Millisecond)
	first, second := "the first pepper, which is long enough", "the second pepper, which is as long"
	v.Put("", "shelf", map[string]any{"pepper": first})
	v.Away(false)
	c := <-started
	require.Equal(t, first, c.Secrets.Pepper.Reveal())
	require.Contains(t, c.Settings, system.Setting{Pointer: "/secrets/pepper", Value: "vault:secret/shelf#pepper", Source: path + ":4:11", Secret: true})
	require.Contains(t, c.Settings, system.Setting{Pointer: "/shelves", Value: "7", Source: "environment variable GATEHOUSE_SHELF_MANAGER_SHELVES"})
	require.Contains(t, c.Settings, system.Setting{Pointer: "/log/level", Value: "info", Source: "default"})
	for _, s := range c.Settings {
		require.NotContains(t, s.Value, "hidden")
		require.NotContains(t, s.Value, v.Root)
	}

	v.Put("", "shelf", map[string]any{"pepper": "too short"})
	require.Eventually(t, func() bool { return bytes.Contains([]byte(log.String()), []byte("running on with the old one")) }, 10*time.Second, 5*time.Millisecond)
	require.Empty(t, started)
	v.Put("", "shelf", map[string]any{"pepper": second})
	require.Equal(t, second, (<-started).Secrets.Pepper.Reveal())
	cancel()
	require.NoError(t, <-ended)
	for _, leak := range []string{first, second, "too short", v.Root} {
		require.NotContains(t, log.String(), leak)
	}
}
