package tenantmanager_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/libs/httpx"
)

// trail returns entries of the audit trail, once there are so many.
func (w *world) trail(t *testing.T, token, query string, least int) []map[string]any {
	t.Helper()
	var list struct{ Items []map[string]any }
	require.Eventually(t, func() bool {
		a := w.call(t, token, "GET", "/audit?limit=100&"+query, "")
		require.Equal(t, 200, a.status, a.body)
		list.Items = nil
		require.NoError(t, json.Unmarshal([]byte(a.body), &list))
		return len(list.Items) >= least
	}, 10*time.Second, 10*time.Millisecond, "%s: %d entries", query, least)
	return list.Items
}

// missed returns how many sign-ins entries say that they stand for.
func missed(t *testing.T, entries []map[string]any) (sum int) {
	t.Helper()
	for _, e := range entries {
		changes, _ := e["changes"].([]any)
		for _, c := range changes {
			change, _ := c.(map[string]any)
			after, _ := change["after"].(string)
			n, err := strconv.Atoi(after)
			require.NoError(t, err, "%v", change)
			sum += n
		}
	}
	return sum
}

// One password that is tried at many addresses shows, whether somebody has them or
// not, and nothing of what was typed is kept.
func TestSignInsOfNobodyAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	found, _ := w.found(t, owner)
	require.Zero(t, found["unknown-accounts-tried"].Count)
	try := func(from, email string) {
		t.Helper()
		a := w.over(t, w.sender(t, from), w.url, "", "POST", "/sign-in", `{"email":"`+email+`","password":"a password"}`)
		require.Equal(t, 401, a.status, a.body)
	}
	for range 2 {
		try("127.0.0.1", "my-secret-in-the-wrong-field@example.com")
	}
	const query = "action=user.signed-in&outcome=refused"
	first := w.trail(t, owner, query, 2)
	raw, err := json.Marshal(first)
	require.NoError(t, err)
	for _, typed := range []string{"my-secret", "example.com", "a password"} {
		require.NotContains(t, string(raw), typed)
	}
	target, _ := first[0]["target"].(map[string]any)
	require.Equal(t, "unknown-account", target["kind"])
	require.Regexp(t, `^[0-9a-f]{16}$`, target["id"])
	require.Equal(t, first[1]["target"], first[0]["target"], "the same one is known again")
	require.Equal(t, "127.0.0.1", first[0]["ip"])

	// Ten in a minute from one address; the rest are counted.
	for i := range 20 {
		try("127.0.0.9", "nobody"+strconv.Itoa(i)+"@example.com")
	}
	w.clock.Advance(time.Minute)
	try("127.0.0.9", "last@example.com")
	owner = w.signIn(t, "ada@example.com", "")
	// Who was answered may be told of a moment later, and so in the next minute.
	var all []map[string]any
	require.Eventually(t, func() bool {
		all = w.trail(t, owner, query, 13)
		return len(all)+missed(t, all) == 23
	}, 5*time.Second, 10*time.Millisecond)
	late := len(all) - 13
	require.LessOrEqual(t, late, 1)
	for i := range 8 {
		try("127.0.0.10", "some"+strconv.Itoa(i)+"@example.com")
	}
	w.trail(t, owner, query, 21+late)
	found, _ = w.found(t, owner)
	require.Equal(t, 21+late, found["unknown-accounts-tried"].Count)
	require.Equal(t, "warning", found["unknown-accounts-tried"].Severity)
	require.Contains(t, found["unknown-accounts-tried"].Means, "from 3 IP addresses")
	w.stop()
	require.NotContains(t, w.logged(), "my-secret")
}

// What somebody may not change they tried to: that is recorded as well, some of it in
// each minute. Entries tell by what they came.
func TestRefusedWritesAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owner := w.setUp(t)
	eve := w.invite(t, owner, "eve@example.com", `{"role":"viewer"}`)
	token, id := eve.text(t, "accessToken"), eve.text(t, "user/id")
	for range 15 {
		require.Equal(t, 403, w.call(t, token, "POST", "/roles", `{"name":"x","permissions":["user:read"]}`).status)
	}
	require.Equal(t, 403, w.call(t, token, "GET", "/audit", "").status, "who only looks changes nothing")
	list := w.trail(t, owner, "action=access.denied&outcome=refused&actor="+id, 10)
	require.Len(t, list, 10)
	target, _ := list[0]["target"].(map[string]any)
	require.Equal(t, map[string]any{"kind": "operation", "id": "createRole", "name": "createRole"}, target)
	raw, err := json.Marshal(list[0]["changes"])
	require.NoError(t, err)
	require.Contains(t, string(raw), "role:create")
	require.Equal(t, "api", list[0]["via"])

	// The header of the bff counts over the bus alone.
	body := func(name string) string { return `{"name":"` + name + `","permissions":["user:read"]}` }
	require.Equal(t, 201, w.call(t, owner, "POST", "/roles", body("by-a-program"), httpx.ConsoleHeader, "1").status)
	overBus := bus.Forward(w.other, tenant.Service)
	require.Equal(t, 201, w.over(t, overBus, "http://"+tenant.Service, owner, "POST", "/roles", body("by-a-page"), httpx.ConsoleHeader, "1").status)
	w.trail(t, owner, "action=role.created", 2)
	for via, name := range map[string]string{"api": "by-a-program", "console": "by-a-page"} {
		list := w.trail(t, owner, "action=role.created&via="+via, 1)
		require.Len(t, list, 1)
		require.Equal(t, name, list[0]["target"].(map[string]any)["name"])
	}
	require.Equal(t, 422, w.call(t, owner, "GET", "/audit?via=magic", "").status)
	require.Contains(t, w.call(t, owner, "GET", "/audit/verification", "").body, `"valid":true`)
	export := w.call(t, owner, "GET", "/audit/export", "")
	require.Contains(t, export.body, `"via":"console"`)
	require.NotContains(t, export.body, `"via":""`)
}
