package bus_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/bustest"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
)

func pair(b *testing.B) (caller, owner *bus.Bus) {
	b.Helper()
	s, err := embedded.Start(embedded.Options{Dir: b.TempDir(), Access: bustest.Access()})
	require.NoError(b, err)
	b.Cleanup(s.Stop)
	two := [2]*bus.Bus{}
	for i, service := range []string{"orders", "billing"} {
		two[i], err = bus.Connect(s.For(service))
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, two[i].Close(context.Background())) })
		require.Eventually(b, two[i].Connected, 5*time.Second, time.Millisecond)
	}
	return two[0], two[1]
}

func BenchmarkAsk(b *testing.B) {
	caller, owner := pair(b)
	require.NoError(b, bus.Answer(owner, func(context.Context, bustest.Price) (bustest.PriceReply, error) {
		return bustest.PriceReply{Cents: 1}, nil
	}))
	for b.Loop() {
		_, err := bus.Ask(b.Context(), caller, bustest.Price{Item: "book"})
		require.NoError(b, err)
	}
}

func BenchmarkPublish(b *testing.B) {
	caller, _ := pair(b)
	for b.Loop() {
		require.NoError(b, bus.Publish(b.Context(), caller, bustest.Shipped{Tenant: "acme", Number: 1}))
	}
}

func BenchmarkForwardSmall(b *testing.B) {
	caller, owner := pair(b)
	require.NoError(b, bus.Serve(owner, "billing", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"ok":true}`)
	})))
	c := http.Client{Transport: bus.Forward(caller, "billing")}
	for b.Loop() {
		res, err := c.Get("http://billing/")
		require.NoError(b, err)
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(b, err)
		require.NoError(b, res.Body.Close())
	}
}
