package cache_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/cache"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Many that ask the same at once: the upstream is called once.
func TestCollapsing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header header
		most   int64
	}{
		"storable":     {header{"Cache-Control": "max-age=60"}, 1},
		"not storable": {header{"Cache-Control": "no-store"}, 16},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, cache.Definition(), "collapseWait: 1m")
			var calls atomic.Int64
			entered := make(chan struct{})
			release := make(chan struct{})
			up := policytest.Upstream{Func: func(ex *policy.Exchange) error {
				if calls.Add(1) == 1 {
					close(entered)
					<-release
				}
				ex.Response.Status, ex.Response.Source = 200, policy.SourceUpstream
				ex.Response.Header.Add("Cache-Control", c.header["Cache-Control"])
				ex.Response.Body.SetStream(strings.NewReader("hello"), 5)
				return nil
			}}
			var wg sync.WaitGroup
			do := func() {
				r := h.Do(policytest.Request{}, up)
				if r.Body != "hello" {
					t.Error(r.Body)
				}
			}
			wg.Go(do)
			<-entered
			for range 15 {
				wg.Go(do)
			}
			close(release)
			wg.Wait()
			require.LessOrEqual(t, calls.Load(), c.most)
			if c.most > 1 {
				require.Equal(t, c.most, calls.Load())
			}
		})
	}
}

func TestWaitingIsBounded(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, cache.Definition(), "{ttl: 1m, collapseWait: 10ms}")
	release := make(chan struct{})
	entered := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		h.Do(policytest.Request{}, policytest.Upstream{Func: func(ex *policy.Exchange) error {
			close(entered)
			<-release
			return problem.New(problem.CodeUpstreamTimeout, "slow")
		}})
	})
	<-entered
	h.Do(policytest.Request{}, policytest.Upstream{Body: "hello"}).Check(policytest.Want{Body: "hello"})
	close(release)
	wg.Wait()
}

func TestStaleWhileRevalidate(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, cache.Definition(), "staleWhileRevalidate: 1m")
	up := policytest.Upstream{Header: header{"Cache-Control": "max-age=10"}, Body: "old"}
	h.Do(policytest.Request{}, up)
	h.Clock.Advance(20 * time.Second)
	release := make(chan struct{})
	entered := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		r := h.Do(policytest.Request{}, policytest.Upstream{Func: func(ex *policy.Exchange) error {
			close(entered)
			<-release
			ex.Response.Status, ex.Response.Source = 200, policy.SourceUpstream
			ex.Response.Header.Add("Cache-Control", "max-age=10")
			ex.Response.Body.SetBytes([]byte("new"))
			return nil
		}})
		if r.Body != "new" {
			t.Error(r.Body)
		}
	})
	<-entered
	r := h.Do(policytest.Request{}, up)
	r.Check(policytest.Want{Body: "old", NotSent: true, Header: header{"Age": "20"}})
	require.Equal(t, "stale", r.Exchange().Outcome.Cache)
	close(release)
	wg.Wait()
	h.Do(policytest.Request{}, up).Check(policytest.Want{Body: "new", NotSent: true})
}
