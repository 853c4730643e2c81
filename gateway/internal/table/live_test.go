package table_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/table"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

func TestATableIsClosedWhenItsLastRequestHasLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.Nil(t, b.live.Enter(3))
	b.deliver(snap(t, api("a"), api("b")))
	stream := b.live.Enter(3)
	short := b.live.Enter(4)
	b.deliver(snap(t, api("a", mark("new")), api("b")))
	b.live.Leave(short, 4)
	require.Equal(t, 1, b.live.Reap(), "a request of before is still under way")
	old := stream.Unit("a").Operation(-1).Upstream.(*held)
	require.False(t, old.closed.Load())
	b.deliver(snap(t, api("b")))
	require.Equal(t, 1, b.live.Reap(), "the table in between had no requests")
	require.False(t, old.closed.Load())
	b.live.Leave(stream, 3)
	require.Zero(t, b.live.Reap())
	require.True(t, old.closed.Load())
	require.Equal(t, 1, b.open(), "b was taken over twice and is served")
	b.live.Close()
	require.Nil(t, b.live.Current())
	b.allClosed(t)
}

func TestClosingLeavesRequestsWhatTheyUse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.deliver(snap(t, api("a", mark("x"))))
	request := b.live.Enter(0)
	b.live.Close()
	require.Nil(t, b.live.Enter(0))
	require.Equal(t, 2, b.open())
	b.live.Leave(request, 0)
	require.Zero(t, b.live.Reap())
	b.allClosed(t)
}

// Requests come and go while configurations do: nothing is closed that one of
// them uses, and everything in the end.
func TestNothingIsClosedWhileInUse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.deliver(snap(t, api("a"), api("b", mark("0"))))
	var stop atomic.Bool
	var used, wrong atomic.Int64
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; !stop.Load(); i++ {
				tbl := b.live.Enter(i)
				for _, u := range tbl.Units() {
					if u.Operation(-1).Upstream.(*held).closed.Load() {
						wrong.Add(1)
					}
				}
				used.Add(1)
				b.live.Leave(tbl, i)
			}
		})
	}
	wg.Go(func() {
		for !stop.Load() {
			b.live.Reap()
		}
	})
	for i := range 300 {
		b.deliver(snap(t, api("a"), api("b", mark(fmt.Sprint(i))), api(fmt.Sprintf("c%d", i%7))))
	}
	require.Eventually(t, func() bool { return used.Load() > 1000 }, 30*time.Second, time.Millisecond)
	stop.Store(true)
	wg.Wait()
	require.Zero(t, wrong.Load())
	require.Zero(t, b.live.Reap())
	require.Equal(t, 4, b.open(), "three upstreams and a policy are served")
	require.Greater(t, b.total(), 600)
	b.live.Close()
	b.allClosed(t)
}

func TestRequestsAreCountedWithoutAllocating(t *testing.T) {
	b := newBench(t)
	b.deliver(snap(t, api("a")))
	require.Zero(t, testing.AllocsPerRun(1000, func() { b.live.Leave(b.live.Enter(5), 5) }))
	b.live.Close()
}

func TestCountersOfARouteEndWithItsUnit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var made, ended atomic.Int64
	b.compiler.RouteMetrics = func(*policy.Route) (any, func()) {
		made.Add(1)
		return new(int), func() { ended.Add(1) }
	}
	tbl, _ := b.deliver(snap(t, api("a"), api("b")))
	require.Zero(t, made.Load(), "nothing is counted before the first request")
	op := tbl.Unit("a").Operation(-1)
	var wg sync.WaitGroup
	seen := make([]any, 8)
	for i := range seen {
		wg.Go(func() { seen[i] = op.Counters() })
	}
	wg.Wait()
	for _, c := range seen {
		require.Same(t, seen[0], c)
	}
	require.EqualValues(t, 1, made.Load())
	b.deliver(snap(t, api("b")))
	require.EqualValues(t, 1, ended.Load())
	b.live.Close()
	require.EqualValues(t, 1, ended.Load())
	require.Nil(t, (&table.Live{}).Current())
}
