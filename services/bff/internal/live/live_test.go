package live_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/analysis"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/policy"
	"github.com/gatehouse/gatehouse/libs/contract/portal"
	"github.com/gatehouse/gatehouse/libs/contract/tenant"
	"github.com/gatehouse/gatehouse/services/bff/internal/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTopics(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, []string{live.FleetChanged, live.APIChanged, live.PoliciesChanged, live.SubscriptionChanged, live.TrafficArrived, live.TrailGrown}, live.Of(nil))
	require.Equal(t, []string{live.FleetChanged, live.APIChanged}, live.Of([]string{"gateways", "deployments"}))
	for _, e := range live.Of(nil) {
		require.NotEmpty(t, live.Permissions(e))
	}
	for _, n := range live.Topics() {
		require.NotEmpty(t, live.Of([]string{n}), n)
	}
}

// Every kind arrives, of the own organization alone. Whoever may have missed
// something is let go, to ask for everything anew.
func TestTheHubTellsAndLetsGo(t *testing.T) {
	t.Parallel()
	owners := []string{gateway.Service, policy.Service, portal.Service, analysis.Service, tenant.Service}
	access := []bus.Access{{Service: "bff", Listens: owners}}
	for _, o := range owners {
		access = append(access, bus.Access{Service: o})
	}
	server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: access})
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	buses := map[string]*bus.Bus{}
	for _, a := range access {
		b, err := bus.Connect(server.For(a.Service))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, b.Close(context.WithoutCancel(t.Context()))) })
		require.NoError(t, b.Wait(t.Context()))
		buses[a.Service] = b
	}
	hub := live.NewHub()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	first := hub.Listen("o1", live.Of(nil))
	go func() { ended <- hub.Run(ctx, buses["bff"]) }()
	_, ok := <-first.Events()
	require.False(t, ok, "what was before the hub listened may have been missed")

	send := func(organization string) {
		for owner, e := range map[string]bus.Event{
			gateway.Service: gateway.FleetChanged{Organization: organization}, policy.Service: policy.PoliciesChanged{Organization: organization},
			portal.Service: portal.SubscriptionChanged{Organization: organization}, analysis.Service: analysis.TrafficArrived{Organization: organization},
			tenant.Service: tenant.TrailGrown{Organization: organization},
		} {
			require.NoError(t, bus.Publish(t.Context(), buses[owner], e))
		}
		require.NoError(t, bus.Publish(t.Context(), buses[gateway.Service], gateway.APIChanged{Organization: organization}))
	}
	// The kinds are subscribed to one by one, and each lets everybody go.
	var l *live.Listener
	got := map[string]bool{}
	for len(got) < 6 {
		if l == nil {
			l = hub.Listen("o1", live.Of(nil))
			send("o2")
			send("o1")
		}
		e, ok := <-l.Events()
		if !ok {
			l = nil
			continue
		}
		got[e.Name] = true
		require.NotContains(t, []any{gateway.APIChanged{Organization: "o2"}, analysis.TrafficArrived{Organization: "o2"}}, e.Data)
	}
	l.Close()
	l.Close()
	last := hub.Listen("o1", live.Of(nil))
	cancel()
	require.NoError(t, <-ended)
	_, ok = <-last.Events()
	require.False(t, ok)
}
