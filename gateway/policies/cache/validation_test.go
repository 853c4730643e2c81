package cache_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/cache"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

func TestClientConditions(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, cache.Definition(), "ttl: 1m")
	o := &origin{header: header{"ETag": `W/"1"`, "Last-Modified": "Wed, 31 Dec 2025 10:00:00 GMT", "Content-Type": "text/plain"}}
	_, _ = ask(h, o, policytest.Request{})
	for name, c := range map[string]struct {
		h      header
		status int
	}{
		"same":            {header{"If-None-Match": `"0", "1"`}, 304},
		"any":             {header{"If-None-Match": "*"}, 304},
		"other":           {header{"If-None-Match": `"2"`}, 200},
		"not a tag":       {header{"If-None-Match": "1"}, 200},
		"tag before date": {header{"If-None-Match": `"2"`, "If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}, 200},
		"not modified":    {header{"If-Modified-Since": "Wed, 31 Dec 2025 10:00:00 GMT"}, 304},
		"modified":        {header{"If-Modified-Since": "Wed, 31 Dec 2025 09:59:59 GMT"}, 200},
	} {
		r := h.Do(policytest.Request{Header: c.h}, o.up())
		require.Nil(t, r.Sent, name)
		require.Equal(t, c.status, r.Status, name)
		require.Equal(t, `W/"1"`, r.Header["Etag"], name)
		require.Equal(t, c.status == 304, r.Body == "", name)
	}
}

func TestValidation(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, cache.Definition(), "")
	first := policytest.Upstream{Header: header{
		"ETag": `"1"`, "Cache-Control": "max-age=10", "Content-Type": "text/plain", "X-Version": "1",
	}, Body: "hello"}
	h.Do(policytest.Request{}, first).Check(policytest.Want{})
	h.Clock.Advance(11 * time.Second)

	same := policytest.Upstream{Status: 304, Header: header{"ETag": `"1"`, "X-Version": "2"}}
	r := h.Do(policytest.Request{}, same)
	r.Check(policytest.Want{
		Body: "hello", Sent: &policytest.Sent{Header: header{"If-None-Match": `"1"`}},
		Header: header{"X-Version": "2", "Content-Type": "text/plain", "Age": "0", "Cache-Status": "Gatehouse; fwd=stale; fwd-status=304"},
	})
	require.Equal(t, "revalidated", r.Exchange().Outcome.Cache)
	r = h.Do(policytest.Request{}, first)
	r.Check(policytest.Want{Body: "hello", NotSent: true, Header: header{"X-Version": "2"}})

	// The client's own condition is about the answer, not for the upstream.
	h.Clock.Advance(11 * time.Second)
	r = h.Do(policytest.Request{Header: header{"If-None-Match": `"1"`}}, same)
	r.Check(policytest.Want{Status: 304})
	h.Clock.Advance(11 * time.Second)
	r = h.Do(policytest.Request{Header: header{"If-None-Match": `"old"`}}, same)
	r.Check(policytest.Want{Body: "hello", Sent: &policytest.Sent{Header: header{"If-None-Match": `"1"`}}})

	// It has changed, to what the client has.
	h.Clock.Advance(11 * time.Second)
	second := policytest.Upstream{Header: header{"ETag": `"2"`, "Cache-Control": "max-age=10"}, Body: "new"}
	h.Do(policytest.Request{}, second).Check(policytest.Want{Body: "new"})
	h.Do(policytest.Request{}, same).Check(policytest.Want{Body: "new", NotSent: true})
}

func TestNoCacheIsValidatedEachTime(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, cache.Definition(), "staleIfError: 1h")
	up := policytest.Upstream{Header: header{"ETag": `"1"`, "Cache-Control": "no-cache"}, Body: "hello"}
	h.Do(policytest.Request{}, up)
	for range 2 {
		r := h.Do(policytest.Request{}, policytest.Upstream{Status: 304, Header: header{"ETag": `"1"`}})
		r.Check(policytest.Want{Body: "hello"})
		require.Equal(t, 1, r.Calls)
	}
	h.Do(policytest.Request{}, policytest.Upstream{Status: 503}).Check(policytest.Want{Status: 503})
}

func TestStaleIfError(t *testing.T) {
	t.Parallel()
	down := problem.New(problem.CodeUpstreamUnavailable, "down")
	for _, c := range []struct {
		name, control, config string
		up                    policytest.Upstream
		after                 time.Duration
		served                bool
	}{
		{"response says", "max-age=10, stale-if-error=60", "", policytest.Upstream{Err: down}, 69 * time.Second, true},
		{"too long ago", "max-age=10, stale-if-error=60", "", policytest.Upstream{Err: down}, 70 * time.Second, false},
		{"configured", "max-age=10", "staleIfError: 1m", policytest.Upstream{Err: down}, 60 * time.Second, true},
		{"status", "max-age=10", "staleIfError: 1m", policytest.Upstream{Status: 502, Body: "oops"}, 60 * time.Second, true},
		{"breaker", "max-age=10", "staleIfError: 1m", policytest.Upstream{Err: problem.New(problem.CodeCircuitOpen, "")}, 60 * time.Second, true},
		{"other status", "max-age=10", "staleIfError: 1m", policytest.Upstream{Status: 501}, 60 * time.Second, false},
		{"forbidden", "max-age=10, must-revalidate", "staleIfError: 1m", policytest.Upstream{Err: down}, 60 * time.Second, false},
		{
			"refusals are never covered up", "max-age=10", "staleIfError: 1m",
			policytest.Upstream{Err: problem.New(problem.CodeDependencyDown, "no keys")},
			60 * time.Second, false,
		},
		{
			"nor the client's leaving", "max-age=10", "staleIfError: 1m",
			policytest.Upstream{Err: problem.New(problem.CodeClientClosed, "")},
			60 * time.Second, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, cache.Definition(), c.config+"\n")
			h.Do(policytest.Request{}, policytest.Upstream{Header: header{"Cache-Control": c.control}, Body: "hello"})
			h.Clock.Advance(c.after)
			r := h.Do(policytest.Request{}, c.up)
			require.Equal(t, 1, r.Calls)
			require.Equal(t, c.served, r.Status == 200)
			if c.served {
				require.Equal(t, "hello", r.Body)
				require.Equal(t, "stale", r.Exchange().Outcome.Cache)
				require.Contains(t, r.Header["Cache-Status"], "STALE-IF-ERROR")
			}
		})
	}
}
