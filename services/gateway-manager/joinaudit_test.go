package gatewaymanager_test

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/audit"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
)

// Whoever comes with a join token is in the audit trail, once for each start, and
// what is deleted is there as it was.
func TestGatewaysThatJoinAreRecorded(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	var mu sync.Mutex
	entries := map[string][]recorded{}
	started := make(chan struct{})
	go func() {
		_ = bus.Listen(t.Context(), w.caller, func(_ context.Context, e recorded) {
			mu.Lock()
			defer mu.Unlock()
			entries[e.Action] = append(entries[e.Action], e)
		}, func() { close(started) })
	}()
	<-started
	of := func(action string, n int) []recorded {
		t.Helper()
		var out []recorded
		w.eventually(func() bool {
			mu.Lock()
			defer mu.Unlock()
			out = entries[action]
			return len(out) >= n
		}, action)
		require.Len(t, out, n)
		return out
	}
	g := w.join("one", "default", "gw-1")
	e := of("gateway.joined", 1)[0]
	require.Equal(t, "gw-1", e.Target.Name)
	require.Equal(t, "gateway", e.Actor.Kind)
	require.NotEmpty(t, e.Actor.Token, "by which token")
	require.Equal(t, audit.ViaService, e.Via)
	raw, err := json.Marshal(e.Recorded)
	require.NoError(t, err)
	require.Contains(t, string(raw), "/build")
	require.NotContains(t, string(raw), joinWith)
	again := gateway.Register{Organization: "one", Group: "default", Token: joinWith + "one", Gateway: "gw-1", Instance: g.instance}
	_, err = bus.Ask(t.Context(), g.bus, again)
	require.NoError(t, err)
	again.Instance = "another"
	_, err = bus.Ask(t.Context(), g.bus, again)
	require.NoError(t, err)
	all := of("gateway.joined", 2) // it ran on; then it had started anew
	raw, err = json.Marshal(all[1].Changes)
	require.NoError(t, err)
	require.Contains(t, string(raw), `{"field":"/instance","before":"\"`+g.instance+`\"","after":"\"another\""}`)

	g.leave()
	_, err = bus.Ask(t.Context(), g.bus, gateway.Report{Organization: "one", Group: "default", Gateway: "gw-1", Instance: "another", Token: joinWith + "one", Stopping: true})
	require.NoError(t, err)
	gw := w.get(me, "/gateways").ok(200).list()[0]
	w.send(http.MethodDelete, me, "/gateways/"+gw["id"].(string), nil).ok(204)
	require.NotEmpty(t, of("gateway.deleted", 1)[0].Changes)
	id := w.api(me, "/gone")
	w.send(http.MethodDelete, me, "/apis/"+id, nil, "If-Match", "*").ok(204)
	deleted := of("api.deleted", 1)[0]
	require.Contains(t, deleted.Changes, audit.Change{Field: "/basePath", Before: `"/gone"`})
	require.Equal(t, audit.ViaAPI, deleted.Via)
}
