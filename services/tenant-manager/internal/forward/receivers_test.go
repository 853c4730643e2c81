package forward_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/forward"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// What rsyslog takes, over TCP (RFC 6587) and TLS (RFC 5425), in counted octets: in order,
// whole up to what it takes, and what is longer without its changes and nothing after it
// lost.
func TestRsyslog(t *testing.T) {
	t.Parallel()
	r := testkit.Rsyslog(t)
	want := entries(t, 6)
	want[1].Changes[0].After = strings.Repeat("é\n", 5_000)
	want[3].Changes[0].After = strings.Repeat("x", 300_000)
	for i, to := range []store.AuditReceiver{{Address: "tcp://" + r.TCP}, {Address: "tls://" + r.TLS, CA: r.CA}} {
		to.Kind = store.Syslog
		require.NoError(t, sender().Send(t.Context(), to, want))
		var got []audit.Entry
		require.Eventually(t, func() bool { return len(r.Texts()) == (i+1)*len(want) }, 5*time.Second, 10*time.Millisecond)
		for _, text := range r.Texts()[i*len(want):] {
			var e audit.Entry
			require.NoError(t, json.Unmarshal([]byte(text), &e), "%.200s", text)
			got = append(got, e)
		}
		for j, e := range got {
			require.Equal(t, want[j].ID, e.ID)
			require.Equal(t, want[j].Sequence, e.Sequence)
			if j == 3 {
				require.Empty(t, e.Changes)
				continue
			}
			require.Len(t, e.Changes, 1)
		}
	}
	require.ErrorContains(t, sender().Send(t.Context(), store.AuditReceiver{Kind: store.Syslog, Address: "tls://" + r.TLS}, want), "certificate", "its authority is its own")
	r.Stop()
	require.ErrorContains(t, sender().Send(t.Context(), store.AuditReceiver{Kind: store.Syslog, Address: "tcp://" + r.TCP}, want), "cannot be reached")
}

// A server that takes connections and never reads has got nothing, although all lies in
// the buffers between.
func TestAServerThatNeverReads(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	held := make(chan net.Conn, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(held)
				return
			}
			held <- c
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		for c := range held {
			_ = c.Close()
		}
	})
	s := sender()
	s.Farewell = 100 * time.Millisecond
	err = s.Send(t.Context(), store.AuditReceiver{Kind: store.Syslog, Address: "tcp://" + l.Addr().String()}, entries(t, 2))
	require.ErrorContains(t, err, "does not show that it reads")
}

// An HTTP receiver says when it wants to be tried again, and gets less at once where it
// finds it too much.
func TestAnHTTPReceiverThatIsBusy(t *testing.T) {
	t.Parallel()
	var got []audit.Entry
	most, status, after := 1<<20, 0, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status != 0 {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(status)
			return
		}
		b, _ := io.ReadAll(r.Body)
		var in []audit.Entry
		if len(b) > most || json.Unmarshal(b, &in) != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		got = append(got, in...)
	}))
	t.Cleanup(server.Close)
	to := store.AuditReceiver{Kind: store.HTTP, Address: server.URL}
	want := entries(t, 9)
	for _, c := range []struct {
		status int
		after  string
		want   time.Duration
	}{
		{429, "120", 2 * time.Minute},
		{503, "7", 7 * time.Second},
		{429, "999999", time.Hour},
		{429, time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat), 10 * time.Minute},
		{429, "soon", 0},
		{503, "", 0},
		{500, "120", 0},
		{503, "-5", 0},
		{429, "Mon, 02 Jan 2006 15:04:05 GMT", 0},
	} {
		status, after = c.status, c.after
		err := sender().Send(t.Context(), to, want)
		require.Error(t, err)
		var later *forward.LaterError
		if !errors.As(err, &later) {
			require.Zero(t, c.want, c.after)
			continue
		}
		require.InDelta(t, c.want.Seconds(), later.After.Seconds(), 2, c.after)
	}
	status = 0

	want[4].Changes[0].After = strings.Repeat("x", 5_000)
	most = 2_000
	require.NoError(t, sender().Send(t.Context(), to, want))
	require.Len(t, got, len(want))
	for i, e := range got {
		require.Equal(t, want[i].ID, e.ID, "in order")
		require.Equal(t, i == 4, len(e.Changes) == 0)
	}
	most = 10
	require.ErrorContains(t, sender().Send(t.Context(), to, want), "413")
}
