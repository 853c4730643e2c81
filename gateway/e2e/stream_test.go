package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/harness"
)

// webSockets echoes messages.
func webSockets(t testing.TB) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"echo"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }() // it may be closed already
		c.SetReadLimit(1 << 20)
		for {
			kind, b, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, b) != nil {
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	up := webSockets(t)
	config := listeners + "apis:\n" + api("ws", up.URL, ", policies: [{api-key: {}}]") +
		"applications: [{name: shop, credentials: [{apiKey: a-key-of-a-shop}]}]\n"
	g := harness.Start(t, config)
	_, resp, err := websocket.Dial(t.Context(), "ws://"+g.Traffic[0]+"/ws/x", nil)
	require.Error(t, err)
	require.Equal(t, 401, resp.StatusCode)
	c, _, err := websocket.Dial(t.Context(), "ws://"+g.Traffic[0]+"/ws/x", &websocket.DialOptions{
		HTTPHeader: http.Header{"X-Api-Key": {"a-key-of-a-shop"}}, Subprotocols: []string{"echo"},
	})
	require.NoError(t, err)
	defer func() { _ = c.CloseNow() }() // it is closed below
	c.SetReadLimit(1 << 20)
	require.Equal(t, "echo", c.Subprotocol())
	say := func(text string) {
		require.NoError(t, c.Write(t.Context(), websocket.MessageText, []byte(text)))
		_, b, err := c.Read(t.Context())
		require.NoError(t, err)
		require.Equal(t, text, string(b))
	}
	say("hello")
	say(strings.Repeat("large ", 100_000))
	// A change of the configuration does not end it, even one of its own API. R5.1
	g.Configure(strings.Replace(config, "name: shop", "name: market", 1) + "organization: other\n")
	require.Eventually(t, func() bool { return strings.Count(g.Log.String(), "configuration applied") > 1 }, harness.Patience, time.Millisecond)
	say("still here")
	require.NoError(t, c.Close(websocket.StatusNormalClosure, "bye"))
}

// events sends what it is given as server-sent events, until the client has left.
func events(t testing.TB, send <-chan string, gone chan<- struct{}) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		flush := http.NewResponseController(w)
		_ = flush.Flush() // the client may have left
		for {
			select {
			case e := <-send:
				fmt.Fprintf(w, "data: %s\n\n", e)
				_ = flush.Flush()
			case <-r.Context().Done():
				gone <- struct{}{}
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// An event is at the client within 50 ms, and a client that leaves is known to
// the upstream. R17.2
func TestServerSentEvents(t *testing.T) {
	t.Parallel()
	send, gone := make(chan string), make(chan struct{}, 1)
	g := harness.Start(t, listeners+"apis:\n"+api("sse", events(t, send, gone).URL))
	r, err := client(t).Get(g.URL("/sse/x"))
	require.NoError(t, err)
	lines := bufio.NewReader(r.Body)
	best := time.Hour // a busy machine may be late now and then
	for i := range 20 {
		begin := time.Now()
		send <- fmt.Sprint(i)
		line, err := lines.ReadString('\n')
		best = min(best, time.Since(begin))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("data: %d\n", i), line)
		_, err = lines.ReadString('\n')
		require.NoError(t, err)
	}
	require.Less(t, best, 50*time.Millisecond)
	require.NoError(t, r.Body.Close())
	select {
	case <-gone:
	case <-time.After(harness.Patience):
		t.Fatal("the upstream was not told that the client has left")
	}
}
