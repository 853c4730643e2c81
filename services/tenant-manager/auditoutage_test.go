package tenantmanager_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/testkit"
	tenantmanager "github.com/gatehouse/gatehouse/services/tenant-manager"
)

// While a syslog server is away the trail goes on; it is told of, and all of it arrives
// once the server is back, in order, and nothing twice that has not the same id.
func TestAnOutageOfASyslogServer(t *testing.T) {
	t.Parallel()
	r := testkit.Rsyslog(t)
	w := newWorld(t, func(c *tenantmanager.Config) { c.Outbound.AllowLoopback = true })
	owner := w.setUp(t)
	ca, err := json.Marshal(r.CA)
	require.NoError(t, err)
	made := w.call(t, owner, "POST", "/audit/receivers", `{"name":"SIEM","kind":"syslog","address":"tls://`+r.TLS+`","ca":`+string(ca)+`,"fromBeginning":true}`)
	require.Equal(t, 201, made.status, made.body)
	path := "/audit/receivers/" + made.text(t, "id")
	arrived := func() (ids map[string]bool, last int64) {
		ids = map[string]bool{}
		for _, text := range r.Texts() {
			var e audit.Entry
			require.NoError(t, json.Unmarshal([]byte(text), &e), text)
			if !ids[e.ID] {
				require.Equal(t, last+1, e.Sequence, "in order, and none is missing")
				last = e.Sequence
			}
			ids[e.ID] = true
		}
		return ids, last
	}
	require.Eventually(t, func() bool { return strings.Contains(strings.Join(r.Texts(), ""), "audit-receiver.created") }, 10*time.Second, 10*time.Millisecond)

	r.Stop()
	for i := range 8 {
		at := time.Now()
		require.Equal(t, 201, w.call(t, owner, "POST", "/service-accounts", fmt.Sprintf(`{"name":"During the outage %d"}`, i)).status)
		require.Less(t, time.Since(at), 2*time.Second, "nobody waits for it")
	}
	// Attempt after attempt, until somebody is told.
	require.Eventually(t, func() bool {
		w.clock.Advance(10 * time.Second) // the token is good for 90 of these
		return strings.Contains(w.call(t, owner, "GET", "/audit?action=audit-receiver.failing", "").body, "cannot be reached")
	}, 25*time.Second, 300*time.Millisecond)
	a := w.call(t, owner, "GET", path, "")
	require.Contains(t, a.body, `"state":"failing"`)
	require.Contains(t, a.body, `"behind":`)

	require.True(t, r.Start())
	w.clock.Advance(15 * time.Minute)
	owner = w.signIn(t, "ada@example.com", "default")
	w.recordedAs(t, owner, "audit-receiver.recovered", "SIEM")
	require.Eventually(t, func() bool {
		all := strings.Join(r.Texts(), "")
		return strings.Contains(all, "audit-receiver.recovered") && strings.Contains(all, "During the outage 7")
	}, 10*time.Second, 10*time.Millisecond)
	_, last := arrived()
	require.Greater(t, last, int64(10))
}
