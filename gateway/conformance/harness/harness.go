// Package harness runs real gateways for tests: in the test's process, or as
// processes of their own. What it starts ends with the test.
package harness

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/gateway/policies"
	"github.com/gatehouse/gatehouse/libs/app"
	"github.com/gatehouse/gatehouse/libs/schema"
)

// Patience is how long anything is waited for before a test fails.
const Patience = time.Minute

// Log collects what a gateway logs. It may be read while it is written.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns the log.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Gateway is a gateway in this process.
type Gateway struct {
	// Path is the configuration file.
	Path string
	// Traffic are the addresses of the listeners, Admin that of the admin
	// listener, "" for none.
	Traffic []string
	Admin   string
	Log     *Log

	t      testing.TB
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// Start runs a gateway with a configuration, waits until it serves, and stops it
// when the test ends.
func Start(t testing.TB, config string) *Gateway {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	require.NoError(t, os.WriteFile(path, []byte(config), 0o600))
	return StartFile(t, path)
}

// StartFile is [Start] with a file that is already there.
func StartFile(t testing.TB, path string) *Gateway {
	t.Helper()
	g := &Gateway{Path: path, Log: &Log{}, t: t, done: make(chan struct{})}
	ready := make(chan struct{})
	o := gateway.Options{
		Path: path, Policies: policies.All(), Secrets: schema.SystemResolver(),
		Ready: func(addresses []net.Addr, admin net.Addr) {
			for _, a := range addresses {
				g.Traffic = append(g.Traffic, a.String())
			}
			if admin != nil {
				g.Admin = admin.String()
			}
			close(ready)
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	go func() {
		defer close(g.done)
		g.err = app.Run(ctx, app.Options{Log: slog.New(slog.NewJSONHandler(g.Log, nil))}, gateway.Part(o))
	}()
	t.Cleanup(func() { require.NoError(t, g.Stop()) })
	select {
	case <-ready:
	case <-g.done:
		t.Fatalf("the gateway does not start: %v\n%s", g.err, g.Log)
	case <-time.After(Patience):
		t.Fatalf("the gateway is not ready in time\n%s", g.Log)
	}
	return g
}

// Stop tells the gateway to stop and waits until it has.
func (g *Gateway) Stop() error {
	g.cancel()
	<-g.done
	return g.err
}

// Configure replaces the configuration, as an editor that renames does.
func (g *Gateway) Configure(config string) { Replace(g.t, g.Path, config) }

// Replace writes a file aside and renames it into place.
func Replace(t testing.TB, path, text string) {
	t.Helper()
	tmp := path + ".new"
	require.NoError(t, os.WriteFile(tmp, []byte(text), 0o600))
	require.NoError(t, os.Rename(tmp, path))
}

// URL returns the address of something on the first listener.
func (g *Gateway) URL(path string) string { return "http://" + g.Traffic[0] + path }

// AskAdmin returns what the admin listener answers.
func (g *Gateway) AskAdmin(path string) (status int, body string) {
	g.t.Helper()
	return Get(g.t, http.DefaultClient, "http://"+g.Admin+path)
}

// Get returns the status and the body at a URL; header are names and values.
func Get(t testing.TB, c *http.Client, url string, header ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}
