package bustest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func testRequests(t *testing.T, s Server) {
	asker, owner := connect(t, s.For(orders)), connect(t, s.For(billing))
	eventually(t, asker.Connected, "connected")
	_, err := bus.Ask(t.Context(), asker, Price{"book"})
	require.True(t, problem.Is(err, problem.CodeDependencyDown), "%v", err)
	require.ErrorContains(t, err, "billing is not available: no instance of it is running")

	refusal := problem.Invalid("no such item", problem.Field{Pointer: "/item", Code: "unknown", Detail: "name one that is sold"}).
		WithRetryAfter(1500*time.Millisecond).WithChallenge(`Bearer realm="x"`).WithHeader("X-Why", "because")
	refusal.Instance = "req-1"
	waiting, ended := make(chan time.Duration, 1), make(chan error, 1)
	require.NoError(t, bus.Answer(owner, func(ctx context.Context, p Price) (PriceReply, error) {
		switch p.Item {
		case "none":
			return PriceReply{}, refusal
		case "broken":
			return PriceReply{}, errors.New("password is hunter2")
		case "panic":
			panic("oops")
		case "slow":
			end, _ := ctx.Deadline()
			waiting <- time.Until(end)
			<-ctx.Done()
			ended <- ctx.Err()
			return PriceReply{}, ctx.Err()
		case "who":
			return PriceReply{len(bus.MetadataOf(ctx).Actor)}, nil
		}
		return PriceReply{100}, nil
	}))
	rep, err := bus.Ask(t.Context(), asker, Price{"book"})
	require.NoError(t, err)
	require.Equal(t, 100, rep.Cents)
	rep, err = bus.Ask(bus.WithMetadata(t.Context(), bus.Metadata{Actor: "user:42"}), asker, Price{"who"})
	require.NoError(t, err)
	require.Equal(t, 7, rep.Cents)

	_, err = bus.Ask(t.Context(), asker, Price{"none"})
	var p *problem.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, refusal, p, "a problem crosses as it is")

	for _, item := range []string{"broken", "panic"} {
		_, err = bus.Ask(t.Context(), asker, Price{item})
		require.True(t, problem.Is(err, problem.CodeInternal), "%v", err)
		require.NotContains(t, err.Error(), "hunter2")
	}

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err = bus.Ask(ctx, asker, Price{"slow"})
	require.True(t, problem.Is(err, problem.CodeDependencyDown), "%v", err)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.LessOrEqual(t, <-waiting, 300*time.Millisecond, "the deadline travels")
	require.Error(t, <-ended)

	ctx, cancel = context.WithCancel(t.Context())
	asked := make(chan error, 1)
	go func() { _, err := bus.Ask(ctx, asker, Price{"slow"}); asked <- err }()
	<-waiting
	cancel()
	require.ErrorIs(t, <-asked, context.Canceled)
	require.ErrorIs(t, <-ended, context.Canceled, "so does the caller's leaving")

	start := time.Now()
	const n = 200
	for range n {
		_, err = bus.Ask(t.Context(), asker, Price{"book"})
		require.NoError(t, err)
	}
	t.Logf("%.0f µs per request, one after the other", float64(time.Since(start).Microseconds())/n)

	_, err = bus.Ask(t.Context(), asker, Price{string(make([]byte, 1<<20))})
	require.True(t, problem.Is(err, problem.CodeBodyTooLarge), "%v", err)
}
