package gatewaymanager_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
)

// Limits are refused by name; what a deleted organization has is served nowhere, and
// again when it is restored; and when it is over nothing of it is left, also where
// that was said while nobody listened.
func TestOrganizationsComeToAnEnd(t *testing.T) {
	t.Parallel()
	w := begin(t)
	me := w.admin("one")
	tenants := w.connect(tenant.Service)
	say := func(change func(o *tenant.Organization)) {
		t.Helper()
		w.mu.Lock()
		w.organizations[0].Version += 2
		change(&w.organizations[0])
		w.mu.Unlock()
		require.NoError(t, bus.Publish(t.Context(), tenants, tenant.OrganizationChanged{Organization: "one"}))
	}
	id := w.api(me, "/orders")
	g := w.join("one", "default", "gw")
	d := w.deploy(me, id, object{"environment": "dev"}).ok(202).json()
	w.await(me, d["id"].(string), "live")
	_, ok := g.serves(id)
	require.True(t, ok)

	say(func(o *tenant.Organization) {
		o.Quotas = tenant.Quotas{tenant.ResourceAPIs: 1, tenant.ResourceProjects: 1}
	})
	var refused *reply
	w.eventually(func() bool {
		refused = w.send(http.MethodPost, me, "/projects", object{"slug": "p", "name": "P"})
		if refused.status == http.StatusCreated { // it has not heard of it yet
			w.send(http.MethodDelete, me, "/projects/"+refused.text("id"), nil, "If-Match", "*").ok(204)
		}
		return refused.status == http.StatusConflict
	}, "the limit holds")
	require.Contains(t, string(refused.body), `"code":"organization-full"`)
	require.Contains(t, string(refused.body), "1 projects and has 1")
	w.send(http.MethodPost, me, "/apis", object{"project": w.project(me), "name": "B", "basePath": "/b", "upstreams": []object{{"targets": []object{{"url": "http://127.0.0.1:9"}}}}}).ok(409)
	w.send(http.MethodPost, w.admin("two"), "/projects", object{"slug": "p", "name": "P"}).ok(201)
	counts, err := bus.Ask(t.Context(), w.caller, gateway.Holdings{Organization: "one"})
	require.NoError(t, err)
	require.EqualValues(t, 1, counts.Served)
	require.EqualValues(t, 1, counts.Counts[tenant.ResourceAPIs])

	serves := func(want bool) func() bool {
		return func() bool { _, ok := g.serves(id); return ok == want }
	}
	say(func(o *tenant.Organization) { o.Deleted, o.Suspended = true, true })
	w.eventually(serves(false), "the gateway serves nothing")
	say(func(o *tenant.Organization) { o.Deleted, o.Suspended = false, false })
	w.eventually(serves(true), "it serves again")

	bucket, err := g.bus.Bucket(t.Context(), bus.BucketOptions{Name: gateway.Units, ReadOnly: true})
	require.NoError(t, err)
	manifests, err := g.bus.Bucket(t.Context(), bus.BucketOptions{Name: gateway.Manifests, ReadOnly: true})
	require.NoError(t, err)
	left := func(organization string) (n int) {
		for _, b := range []*bus.Bucket{bucket, manifests} {
			keys, err := b.Keys(t.Context(), organization+".>")
			require.NoError(t, err)
			n += len(keys)
		}
		return n
	}
	require.Positive(t, left("one"))
	others := left("two")
	g.leave()
	w.stop() // and misses it
	w.mu.Lock()
	w.purged, w.organizations = w.organizations[:1:1], w.organizations[1:]
	w.mu.Unlock()
	w.start()
	w.eventually(func() bool { return left("one") == 0 }, "what gateways were told is gone")
	w.eventually(func() bool {
		counts, err := bus.Ask(t.Context(), w.caller, gateway.Holdings{Organization: "one"})
		return err == nil && counts.Counts[tenant.ResourceProjects] == 0 && counts.Counts[tenant.ResourceGatewayGroups] == 0
	}, "the rows are gone")
	require.GreaterOrEqual(t, left("two"), others)
	require.Len(t, w.get(w.admin("two"), "/projects").ok(200).list(), 2)
}
