package bustest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
)

// testForwardStopped ends a service with responses under way: none of them may
// look whole, however soon the handlers return.
func testForwardStopped(t *testing.T, s Server) {
	caller := connect(t, s.For(orders))
	server, err := bus.Connect(s.For(billing))
	require.NoError(t, err)
	const calls = 40
	ended := make(chan error, 4*calls)
	mux := http.NewServeMux()
	mux.Handle("/", owner(ended))
	// One that carries on what another says, and is broken off with it.
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(broken.Close)
	to, err := url.Parse(broken.URL)
	require.NoError(t, err)
	mux.Handle("/relay", httputil.NewSingleHostReverseProxy(to))
	require.NoError(t, bus.Serve(server, billing, mux))
	eventually(t, func() bool { return caller.Connected() && server.Connected() }, "connected")
	c := bus.Forward(caller, billing)

	res, err := call(t, c, t.Context(), "GET", "/relay", nil)
	require.NoError(t, err)
	_, err = io.ReadAll(res.Body)
	require.Error(t, err, "half a response was relayed as a whole one")

	results := make(chan error, calls)
	for i := range calls {
		go func() {
			target := "/wait"
			if i%2 == 1 {
				target = "/wait?silent" // of which nothing was sent yet
			}
			res, err := call(t, c, t.Context(), "GET", target, nil)
			if err == nil {
				var b []byte
				if b, err = io.ReadAll(res.Body); err == nil {
					results <- fmt.Errorf("%s: %d and %q, as if that were all", target, res.StatusCode, b) //nolint:err113 // shown by the test
					return
				}
			}
			results <- nil
		}()
	}
	for range calls {
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatal("not every handler was called")
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // at once
	require.Error(t, server.Close(ctx), "handlers were still running")
	for range calls {
		require.NoError(t, <-results)
	}
}
