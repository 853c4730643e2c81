package bus_test

import (
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

func TestGrantIsWhatAServerReads(t *testing.T) {
	t.Parallel()
	g, err := bus.Access{Service: "policy-manager", Durables: []string{"plans"}, Asks: []string{"gateway-manager"}, Forwards: []string{"gateway-manager", "tenant-manager"}}.Grant()
	require.NoError(t, err)
	testkit.Golden(t, "grant.conf", []byte(g.String()))

	var o server.Options
	require.NoError(t, o.ProcessConfigString(`authorization { users: [ { user: policy-manager, password: "$2a$11$x", permissions: `+g.String()+` } ] }`))
	require.Len(t, o.Users, 1)
	require.Equal(t, g.Publish, o.Users[0].Permissions.Publish.Allow)
	require.Equal(t, g.Subscribe, o.Users[0].Permissions.Subscribe.Allow)

	for _, bad := range []bus.Access{{}, {Service: "a.b"}, {Service: "a", Durables: []string{">"}}, {Service: "a", Asks: []string{"*"}}} {
		_, err := bad.Grant()
		require.Error(t, err)
	}
}

func TestConnectRefusesWhatCanNeverWork(t *testing.T) {
	t.Parallel()
	_, err := bus.Connect(bus.Options{Service: "a b"})
	require.ErrorContains(t, err, `service name "a b"`)
}

func TestGrantOfAClient(t *testing.T) {
	t.Parallel()
	gateway := bus.Access{
		Service: "gateway-eu-1", Client: true, Asks: []string{"gateway-manager.register", "gateway-manager.report"},
		Buckets: []bus.BucketAccess{{Name: "units", Keys: []string{"acme.>"}}, {Name: "notes", Write: true}}, Ships: []string{"acme.eu.*"},
	}
	g, err := gateway.Grant()
	require.NoError(t, err)
	testkit.Golden(t, "client.conf", []byte(g.String()))
	for _, bad := range []bus.Access{
		{Service: "a", Client: true, Durables: []string{"b"}},
		{Service: "a", Asks: []string{"b.c.d"}},
		{Service: "a", Buckets: []bus.BucketAccess{{Name: ">"}}},
		{Service: "a", Buckets: []bus.BucketAccess{{Name: "b", Keys: []string{"a b"}}}},
		{Service: "a", Ships: []string{"acme.eu"}},
		{Service: "a", Ships: []string{"acme.eu.>"}},
		{Service: "a", Collects: []string{"a.b"}},
	} {
		_, err := bad.Grant()
		require.Error(t, err)
	}
}
