package forward_test

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/octetcounting"
	"github.com/leodido/go-syslog/v4/rfc5424"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/egress"
	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/forward"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/secrets"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

func entries(t *testing.T, n int) []audit.Entry {
	t.Helper()
	var (
		head audit.Head
		out  []audit.Entry
	)
	for i := range n {
		outcome := "done"
		if i%2 == 1 {
			outcome = "refused"
		}
		action := "api.updated"
		if i == 2 {
			action = "sso-connection.metadata-refreshed" // longer than a MSGID may be
		}
		e, err := audit.Append(head, audit.Recorded{
			ID: store.NewID(), Organization: "o", Service: "gateway-manager", Action: action, Outcome: outcome,
			Actor: audit.Actor{Kind: "user", ID: "u", Name: "Ünal\nNewline"}, Target: audit.Target{Kind: "api", ID: "a"},
			Changes: []audit.Change{{Field: "/name", Before: `"a"`, After: `"b ] \" x"`}}, Time: time.Date(2030, 1, 1, 0, 0, i, 5000, time.UTC),
		})
		require.NoError(t, err)
		head = audit.Head{Sequence: e.Sequence, Hash: e.Hash}
		out = append(out, e)
	}
	return out
}

func sender() *forward.Sender {
	return forward.NewSender(egress.Guard{AllowLoopback: true}, "manager-1", noReferences())
}

// taken is what a syslog server made of a message.
type taken struct {
	severity, facility uint8
	entry              audit.Entry
}

func read(t *testing.T, m syslog.Message) taken {
	t.Helper()
	x, ok := m.(*rfc5424.SyslogMessage)
	require.True(t, ok)
	require.Equal(t, "manager-1", *x.Hostname)
	require.Equal(t, "gatehouse", *x.Appname)
	require.Equal(t, "gateway-manager", *x.ProcID)
	var e audit.Entry
	require.NoError(t, json.Unmarshal([]byte(*x.Message), &e))
	require.NotNil(t, x.MsgID)
	require.Equal(t, e.Action[:min(32, len(e.Action))], *x.MsgID)
	require.True(t, e.Time.Equal(*x.Timestamp))
	return taken{*x.Severity, *x.Facility, e}
}

// serve reads one connection of counted octets.
func serve(t *testing.T, l net.Listener) <-chan []syslog.Message {
	t.Helper()
	t.Cleanup(func() { _ = l.Close() })
	out := make(chan []syslog.Message, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		var got []syslog.Message
		octetcounting.NewParser(syslog.WithListener(func(r *syslog.Result) {
			if r.Error == nil {
				got = append(got, r.Message)
			}
		})).Parse(c)
		out <- got
	}()
	return out
}

func check(t *testing.T, want []audit.Entry, messages []syslog.Message) {
	t.Helper()
	require.Len(t, messages, len(want))
	var head audit.Head
	for i, m := range messages {
		g := read(t, m)
		require.EqualValues(t, 13, g.facility)
		require.EqualValues(t, 5-i%2, g.severity, "a refusal is a warning")
		require.Equal(t, want[i], g.entry)
		var ok bool
		head, ok = audit.Verify(head, g.entry)
		require.True(t, ok, "what arrives can be verified")
	}
}

func TestSyslogOverTCPAndTLS(t *testing.T) {
	t.Parallel()
	want := entries(t, 5)
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	got := serve(t, plain)
	require.NoError(t, sender().Send(t.Context(), store.AuditReceiver{Kind: store.Syslog, Address: "tcp://" + plain.Addr().String()}, want))
	check(t, want, <-got)

	web := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	t.Cleanup(web.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}))
	secure, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates})
	require.NoError(t, err)
	got = serve(t, secure)
	r := store.AuditReceiver{Kind: store.Syslog, Address: "tls://" + secure.Addr().String(), CA: ca}
	require.NoError(t, sender().Send(t.Context(), r, want))
	check(t, want, <-got)

	other, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates})
	require.NoError(t, err)
	got = serve(t, other)
	r = store.AuditReceiver{Kind: store.Syslog, Address: "tls://" + other.Addr().String()}
	require.ErrorContains(t, sender().Send(t.Context(), r, want), "certificate")
	require.Empty(t, <-got, "nothing is sent to who cannot show who they are")
}

func TestSyslogOverUDP(t *testing.T) {
	t.Parallel()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	want := entries(t, 2)
	want[1].Changes[0].After = strings.Repeat("x", 70_000)
	require.NoError(t, sender().Send(t.Context(), store.AuditReceiver{Kind: store.Syslog, Address: "udp://" + c.LocalAddr().String()}, want))
	for i := range want {
		b := make([]byte, 1<<16)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
		n, _, err := c.ReadFrom(b)
		require.NoError(t, err)
		m, err := rfc5424.NewParser().Parse(b[:n])
		require.NoError(t, err)
		got := read(t, m)
		require.Equal(t, want[i].ID, got.entry.ID)
		require.Len(t, got.entry.Changes, 1-i, "changes that do not fit are left out")
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	var got []audit.Entry
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/elsewhere":
			http.Redirect(w, r, "/audit", http.StatusTemporaryRedirect)
			return
		case "/audit":
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		b, err := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer s" || err != nil || json.Unmarshal(b, &got) != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.Close)
	want := entries(t, 3)
	send := func(path, secretText string) error {
		return sender().Send(t.Context(), store.AuditReceiver{Kind: store.HTTP, Address: s.URL + path, Secret: secret.NewText(secretText)}, want)
	}
	require.NoError(t, send("/audit", "Bearer s"))
	require.Equal(t, want, got)
	require.ErrorContains(t, send("/audit", ""), "403")
	require.ErrorContains(t, send("/elsewhere", "Bearer s"), "307")
	require.ErrorContains(t, send("/away", "Bearer s"), "503")
	err := forward.NewSender(egress.Guard{}, "h", noReferences()).Send(t.Context(), store.AuditReceiver{Kind: store.HTTP, Address: s.URL}, want)
	require.NotNil(t, egress.Refused(err), "%v", err)
	s.Close()
	require.ErrorContains(t, send("/audit", ""), "does not answer")
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, address, ca, host, field string }{
		{kind: store.Syslog, address: "tls://log.example.com", host: "log.example.com:6514"},
		{kind: store.Syslog, address: "udp://[::1]", host: "[::1]:514"},
		{kind: store.Syslog, address: "tcp://log.example.com:1514", host: "log.example.com:1514"},
		{kind: store.Syslog, address: "https://log.example.com", field: "address"},
		{kind: store.Syslog, address: "tcp://log.example.com/path", field: "address"},
		{kind: store.Syslog, address: "log.example.com:514", field: "address"},
		{kind: store.Syslog, address: "tcp://log.example.com", ca: "-----BEGIN", field: "ca"},
		{kind: store.HTTP, address: "https://siem.example.com/x?y=1", host: "siem.example.com"},
		{kind: store.HTTP, address: "ftp://siem.example.com", field: "address"},
		{kind: store.HTTP, address: "https://user:password@siem.example.com", field: "address"},
		{kind: store.HTTP, address: "https://", field: "address"},
	} {
		u, err := forward.Check(c.kind, c.address, c.ca)
		if c.field == "" {
			require.NoError(t, err, c.address)
			require.Equal(t, c.host, u.Host)
			continue
		}
		var wrong *forward.InvalidError
		require.ErrorAs(t, err, &wrong, c.address)
		require.Equal(t, c.field, wrong.Field, c.address)
	}
}

func TestPausesGrow(t *testing.T) {
	t.Parallel()
	require.Equal(t, 5*time.Second, forward.Pause(1))
	require.Equal(t, 20*time.Second, forward.Pause(3))
	require.Equal(t, 10*time.Minute, forward.Pause(50))
}

// noReferences reads secrets that are the text itself.
func noReferences() *secrets.Reader { return secrets.NewReader(nil, reference.Rules{}, nil) }
