package tenantmanager_test

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// siem is an HTTP receiver of an audit trail, which can be away.
type siem struct {
	*httptest.Server
	away atomic.Bool
	mu   sync.Mutex
	got  []audit.Entry
}

func newSIEM(t *testing.T) *siem {
	t.Helper()
	s := &siem{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		var entries []audit.Entry
		if err != nil || s.away.Load() || r.Header.Get("Authorization") != "Bearer of-the-siem" || json.Unmarshal(b, &entries) != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, entries...)
	}))
	t.Cleanup(s.Close)
	return s
}

// actions are those of the entries in their order, each once.
func (s *siem) actions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	last := int64(0)
	for _, e := range s.got {
		if e.Sequence > last { // the rest came again
			out, last = append(out, e.Action), e.Sequence
		}
	}
	return out
}

func (s *siem) waitFor(t *testing.T, want ...string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Join(s.actions(), " ") == strings.Join(want, " ") }, 60*time.Second, 10*time.Millisecond,
		"want %v", want)
}

func TestTheAuditTrailIsForwarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	owner := w.setUp(t)
	sm := newSIEM(t)
	call := func(method, path, body string, status int, header ...string) answer {
		t.Helper()
		a := w.call(t, owner, method, path, body, header...)
		require.Equal(t, status, a.status, a.body)
		return a
	}
	for body, field := range map[string]string{
		`{"name":"x","kind":"http","address":"ftp://x"}`:                        "/address",
		`{"name":"x","kind":"syslog","address":"tcp://x","secret":"s"}`:         "/secret",
		`{"name":"x","kind":"syslog","address":"tls://x","ca":"no PEM"}`:        "/ca",
		`{"name":"","kind":"http","address":"https://x"}`:                       "/name",
		`{"name":"x","kind":"pigeon","address":"https://x"}`:                    "/kind",
		`{"name":"x","kind":"http","address":"https://u:p@siem.example.com/x"}`: "/address",
	} {
		require.Contains(t, call("POST", "/audit/receivers", body, 422).body, field, body)
	}
	made := call("POST", "/audit/receivers", `{"name":"SIEM","kind":"http","address":"`+sm.URL+`","secret":"Bearer of-the-siem","fromBeginning":true}`, 201)
	require.NotContains(t, made.body, "of-the-siem")
	require.Contains(t, made.body, `"hasSecret":true`)
	id := made.text(t, "id")
	want := []string{"user.signed-in", "organization.updated", "user.set-up", "audit-receiver.created"}
	require.Eventually(t, func() bool { return len(sm.actions()) == len(want) }, 60*time.Second, 10*time.Millisecond)
	require.ElementsMatch(t, want, sm.actions())
	want = sm.actions()

	// While it is away nothing is lost, and the state says so.
	sm.away.Store(true)
	call("POST", "/service-accounts", `{"name":"CI"}`, 201)
	require.Eventually(t, func() bool {
		a := call("GET", "/audit/receivers/"+id, "", 200)
		return strings.Contains(a.body, `"state":"failing"`) && strings.Contains(a.body, "503") && strings.Contains(a.body, `"behind":`)
	}, 60*time.Second, 10*time.Millisecond)
	require.Contains(t, call("POST", "/audit/receivers/"+id+"/test", "", 200).body, `"ok":false`)
	sm.away.Store(false)
	w.clock.Advance(15 * time.Minute)
	owner = w.signIn(t, "ada@example.com", "default")
	want = append(want, "service-account.created", "audit-receiver.tested", "user.signed-in")
	sm.waitFor(t, want...)

	// What arrived can be verified without the service.
	sm.mu.Lock()
	var lines strings.Builder
	for _, e := range sm.got {
		require.NoError(t, json.NewEncoder(&lines).Encode(e))
	}
	sm.mu.Unlock()
	v, err := audit.VerifyExport(strings.NewReader(lines.String()))
	require.NoError(t, err)
	require.Zero(t, v.BrokenAt, v.Why)

	// A new address does not get the secret of the old one.
	moved := call("PUT", "/audit/receivers/"+id, `{"name":"SIEM","kind":"http","address":"`+sm.URL+`/x"}`, 200, anyVersion...)
	require.Contains(t, moved.body, `"hasSecret":false`)
	require.Contains(t, call("PUT", "/audit/receivers/"+id, `{"name":"SIEM","kind":"syslog","address":"udp://127.0.0.1"}`, 422, anyVersion...).body, "/kind")
	call("DELETE", "/audit/receivers/"+id, "", 204, anyVersion...)
	require.NotContains(t, w.logged(), "of-the-siem")
}

func TestReceiversAreNotInPrivateNetworks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner, sm := w.setUp(t), newSIEM(t)
	made := w.call(t, owner, "POST", "/audit/receivers", `{"name":"SIEM","kind":"http","address":"`+sm.URL+`"}`)
	require.Equal(t, 201, made.status, made.body)
	a := w.call(t, owner, "POST", "/audit/receivers/"+made.text(t, "id")+"/test", "")
	require.Contains(t, a.body, `"ok":false`)
	require.Contains(t, a.body, "private or local network")
}

func TestTheAuditTrailIsExportedAndTrimmed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	trail := func() audit.Verified {
		t.Helper()
		a := w.call(t, owner, "GET", "/audit/export", "")
		require.Equal(t, 200, a.status, a.body)
		require.Equal(t, "application/jsonl", a.header.Get("Content-Type"))
		v, err := audit.VerifyExport(strings.NewReader(a.body))
		require.NoError(t, err)
		require.Zero(t, v.BrokenAt, v.Why)
		return v
	}
	entries := func(n int64) {
		t.Helper()
		require.Eventually(t, func() bool {
			return strings.Contains(w.call(t, owner, "GET", "/audit?limit=1", "").body, `"sequence":`+strconv.FormatInt(n, 10))
		}, 30*time.Second, 5*time.Millisecond)
	}
	entries(3)
	first := trail()
	require.Equal(t, []int64{1, 3}, []int64{first.First, first.Last})
	entries(4) // that it was exported
	require.Contains(t, w.call(t, owner, "GET", "/audit?q=AUDIT.EXP", "").body, `"action":"audit.exported"`)
	a := w.call(t, owner, "GET", "/audit/export?action=audit.*&q=export", "")
	require.Equal(t, 200, a.status, a.body)
	part, err := audit.VerifyExport(strings.NewReader(a.body))
	require.NoError(t, err)
	require.Zero(t, part.BrokenAt, part.Why)
	require.Equal(t, map[string]string{"action": "audit.*", "text": "export"}, part.Part.Filter)
	require.Equal(t, []int64{1, 4, 4}, []int64{part.Entries, part.Last, part.Part.Last})
	entries(5)
	a = w.call(t, owner, "GET", "/audit/export?actor=nobody", "")
	part, err = audit.VerifyExport(strings.NewReader(a.body))
	require.NoError(t, err)
	require.Zero(t, part.BrokenAt+int(part.Entries), part.Why)
	entries(6)
	a = w.call(t, owner, "GET", "/audit/export?after=3", "")
	v, err := audit.VerifyExport(strings.NewReader(a.body))
	require.NoError(t, err)
	require.Nil(t, v.Part)
	require.Equal(t, first.Head, v.Anchor, "it goes on where the first ended")
	entries(7)
	a = w.call(t, owner, "GET", "/audit/export?format=csv&action=audit.*", "")
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "text/csv", a.header.Get("Content-Type"))
	require.Contains(t, a.header.Get("Content-Disposition"), `filename="audit-`)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 5, a.body)
	require.Equal(t, []string{"sequence", "time", "service", "action", "outcome"}, rows[0][:5])
	require.Equal(t, []string{"tenant-manager", "audit.exported", "done", "user"}, rows[4][2:6])
	entries(8)
	a = w.call(t, owner, "GET", "/audit/export?format=csv&actor=nobody", "")
	require.Equal(t, 1, strings.Count(a.body, "\r\n"), "the head alone: "+a.body)

	require.Contains(t, w.call(t, owner, "PUT", "/audit/retention", `{"days":7}`, anyVersion...).body, "/days")
	require.Equal(t, 428, w.call(t, owner, "PUT", "/audit/retention", `{"days":30}`).status)
	a = w.call(t, owner, "PUT", "/audit/retention", `{"days":30}`, "If-Match", w.call(t, owner, "GET", "/audit/retention", "").header.Get("ETag"))
	require.Equal(t, 200, a.status, a.body)
	entries(10)

	// Those of the set-up are removed when they are old enough, and the rest is sound.
	w.clock.Advance(31 * 24 * time.Hour)
	w.stop()
	w.start(t) // housekeeping begins at once
	owner = w.signIn(t, "ada@example.com", "default")
	require.Eventually(t, func() bool {
		return strings.Contains(w.call(t, owner, "GET", "/audit/retention", "").body, `"first":11`)
	}, 30*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		return strings.Contains(w.call(t, owner, "GET", "/audit?action=audit.trimmed", "").body, `"/sequence"`)
	}, 30*time.Second, 10*time.Millisecond)
	require.Contains(t, w.call(t, owner, "GET", "/audit/verification", "").body, `"valid":true`)
	require.Equal(t, int64(11), trail().First)
}
