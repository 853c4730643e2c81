package gatewaymanager_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/reference"
	gatewaymanager "github.com/gatehouse/gatehouse/services/gateway-manager"
)

// What an upstream knows the gateway by can be a reference to what the operator
// lists, and is shown in no answer.
func TestUpstreamsByReference(t *testing.T) {
	t.Parallel()
	w := begin(t, func(c *gatewaymanager.Config) {
		c.References = reference.Rules{Organizations: []string{"vault:secret/tenants/{organization}/"}}
	})
	me := w.admin("one")
	id := w.api(me, "/a")
	set := func(secret, target string) *reply {
		return w.send(http.MethodPatch, me, "/apis/"+id, object{"upstreams": []object{{
			"name": "default", "targets": []object{{"url": target}}, "auth": object{"basic": object{"username": "lena", "password": secret}},
		}}}, "If-Match", "*")
	}
	for _, secret := range []string{"env:PATH", "file:/etc/passwd", "vault:secret/tenants/two/a#b", "vault:secret/platform/a#b"} {
		said := string(set(secret, "https://u:1").ok(422).body)
		require.Contains(t, said, "/upstreams/0/auth/basic/password")
		require.Contains(t, said, "vault:secret/tenants/one/")
	}
	require.Contains(t, string(set("vault:secret/tenants/one/orders#password", "https://u:1").ok(200).body), "vault:secret/tenants/one/orders#password")
	require.NotContains(t, string(set("hunter2", "https://u:1").ok(200).body), "hunter2")
	set("***", "https://u:1").ok(200)
	set("***", "https://evil:1").ok(422)
	require.NotContains(t, string(w.send(http.MethodGet, me, "/apis/"+id, nil).ok(200).body), "hunter2")
}
