package cache_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policies/cache"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
	"github.com/gatehouse/gatehouse/libs/problem"
)

type header = map[string]string

// origin answers with a body that counts its calls.
type origin struct {
	header header
	status int
	calls  int
	stream bool
}

func (o *origin) up() policytest.Upstream {
	o.calls++
	return policytest.Upstream{Status: o.status, Header: o.header, Body: fmt.Sprint("v", o.calls), Stream: o.stream}
}

// ask sends a request and gives the body and what the cache did.
func ask(h *policytest.Harness, o *origin, r policytest.Request) (string, string) {
	res := h.Do(r, o.up())
	if res.Sent == nil {
		o.calls--
	}
	return res.Body, res.Exchange().Outcome.Cache
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	policytest.Contract(t, cache.Definition())
	const at = "Thu, 01 Jan 2026 00:00:00 GMT"
	for _, c := range []struct {
		name, config string
		header       header
		status       int
		stored       bool
		fresh        time.Duration // still fresh just before
	}{
		{name: "max-age", header: header{"Cache-Control": "max-age=10"}, stored: true, fresh: 10 * time.Second},
		{name: "s-maxage wins", header: header{"Cache-Control": "max-age=10, s-maxage=20"}, stored: true, fresh: 20 * time.Second},
		{name: "Expires", header: header{"Date": at, "Expires": "Thu, 01 Jan 2026 00:00:30 GMT"}, stored: true, fresh: 30 * time.Second},
		{name: "Expires is no date", header: header{"Expires": "0"}},
		{name: "max-age before Expires", header: header{"Cache-Control": "max-age=5", "Expires": "Fri, 02 Jan 2026 00:00:00 GMT"}, stored: true, fresh: 5 * time.Second},
		{name: "Age counts", header: header{"Cache-Control": "max-age=10", "Age": "4"}, stored: true, fresh: 6 * time.Second},
		{name: "apparent age counts", header: header{"Cache-Control": "max-age=10", "Date": "Wed, 31 Dec 2025 23:59:58 GMT"}, stored: true, fresh: 8 * time.Second},
		{name: "too old", header: header{"Cache-Control": "max-age=10", "Age": "10"}},
		{name: "nothing said"},
		{name: "nothing said, ttl", config: "ttl: 3s", stored: true, fresh: 3 * time.Second},
		{name: "says more than ttl", config: "ttl: 3s", header: header{"Cache-Control": "max-age=9"}, stored: true, fresh: 9 * time.Second},
		{name: "bounded", config: "maxTtl: 2s", header: header{"Cache-Control": "max-age=9"}, stored: true, fresh: 2 * time.Second},
		{name: "no-store", config: "ttl: 3s", header: header{"Cache-Control": "max-age=9, no-store"}},
		{name: "private", config: "ttl: 3s", header: header{"Cache-Control": `private="X-A", max-age=9`}},
		{name: "quoted comma", header: header{"Cache-Control": `x="a, no-store", max-age=9`}, stored: true, fresh: 9 * time.Second},
		{name: "forced", config: "{ttl: 3s, force: true}", header: header{"Cache-Control": "no-store, private"}, stored: true, fresh: 3 * time.Second},
		{name: "not a number", config: "ttl: 3s", header: header{"Cache-Control": "max-age=soon"}},
		{name: "two that differ", header: header{"Cache-Control": "max-age=9, max-age=4"}, stored: true, fresh: 4 * time.Second},
		{name: "sets a cookie", header: header{"Cache-Control": "max-age=9", "Set-Cookie": "a=b"}},
		{name: "Vary *", header: header{"Cache-Control": "max-age=9", "Vary": "Accept, *"}},
		{name: "event stream", header: header{"Cache-Control": "max-age=9", "Content-Type": "text/event-stream"}},
		{name: "error", config: "ttl: 9s", status: 500, header: header{"Cache-Control": "max-age=9"}},
		{name: "not found", config: "ttl: 9s", status: 404},
		{name: "not found, negativeTtl", config: "negativeTtl: 2s", status: 404, stored: true, fresh: 2 * time.Second},
		{name: "found elsewhere", config: "ttl: 9s", status: 302},
		{name: "found elsewhere, says so", status: 302, header: header{"Cache-Control": "max-age=9"}, stored: true, fresh: 9 * time.Second},
		{name: "too large", config: "{ttl: 9s, maxBody: 1KiB}", header: header{"X-Large": "yes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, cache.Definition(), c.config+"\n")
			do := func() *policytest.Result {
				up := policytest.Upstream{Status: c.status, Header: c.header, Body: "hello"}
				if c.header["X-Large"] != "" {
					up.Body = strings.Repeat("x", 1025)
					up.Stream = true
				}
				return h.Do(policytest.Request{}, up)
			}
			first := do()
			require.NotNil(t, first.Sent)
			require.Equal(t, "miss", first.Exchange().Outcome.Cache)
			second := do()
			if !c.stored {
				require.NotNil(t, second.Sent)
				return
			}
			require.Nil(t, second.Sent)
			require.Equal(t, "hello", second.Body)
			h.Clock.Advance(c.fresh - time.Second)
			third := do()
			require.Nil(t, third.Sent, "still fresh")
			require.Equal(t, "hit", third.Exchange().Outcome.Cache)
			require.Equal(t, "Gatehouse; hit; ttl=1", third.Header["Cache-Status"])
			h.Clock.Advance(time.Second)
			require.NotNil(t, do().Sent, "no longer fresh")
		})
	}
}

func TestRequestsThatPassBy(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, cache.Definition(), "ttl: 1m")
	o := &origin{}
	_, _ = ask(h, o, policytest.Request{})
	for name, r := range map[string]policytest.Request{
		"POST":     {Method: "POST", Path: "/other"},
		"Range":    {Header: header{"Range": "bytes=0-1"}},
		"If-Match": {Header: header{"If-Match": `"x"`}},
		"body":     {Body: "x"},
		"upgrade":  {Edit: func(ex *policy.Exchange) { ex.Request.Upgrade = "websocket" }},
	} {
		_, did := ask(h, o, r)
		require.Equal(t, "bypass", did, name)
	}
	body, did := ask(h, o, policytest.Request{Method: "HEAD"})
	require.Equal(t, "hit", did, "HEAD is answered from GET")
	require.Equal(t, "v1", body)
	_, did = ask(h, o, policytest.Request{Header: header{"Cache-Control": "no-cache"}})
	require.Equal(t, "hit", did, "clients cannot put load on the upstream")
	_, _ = ask(h, o, policytest.Request{Path: "/private", Header: header{"Cache-Control": "no-store"}})
	_, did = ask(h, o, policytest.Request{Path: "/private"})
	require.Equal(t, "miss", did, "no-store of the request is heeded")
	h.Do(policytest.Request{Path: "/none", Header: header{"Cache-Control": "only-if-cached"}}, policytest.Upstream{}).
		Check(policytest.Want{Status: 504, Code: problem.CodeUpstreamTimeout, NotSent: true})

	h = policytest.New(t, cache.Definition(), "{ttl: 1m, respectClient: true}")
	_, _ = ask(h, o, policytest.Request{})
	h.Clock.Advance(5 * time.Second)
	for _, c := range [][2]string{{"max-age=6", "hit"}, {"max-age=4", "miss"}, {"no-cache", "miss"}, {"min-fresh=61", "miss"}} {
		_, did = ask(h, o, policytest.Request{Header: header{"Cache-Control": c[0]}})
		require.Equal(t, c[1], did, c[0])
	}
	_, did = ask(h, o, policytest.Request{Header: header{"Pragma": "no-cache"}})
	require.Equal(t, "miss", did)
}

func TestKeyParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		a, b         policytest.Request
		shared       bool
	}{
		{"query", "", policytest.Request{Path: "/?a=1"}, policytest.Request{Path: "/?a=2"}, false},
		{"host", "", policytest.Request{Host: "a.example"}, policytest.Request{Host: "b.example"}, false},
		{"scheme", "", policytest.Request{}, policytest.Request{Scheme: "https"}, false},
		{"upstream", "", policytest.Request{}, policytest.Request{Edit: func(ex *policy.Exchange) { ex.Forward.Upstream = "other" }}, false},
		{"ignored query", "key: {ignoreQuery: [utm]}", policytest.Request{Path: "/?a=1&utm=2"}, policytest.Request{Path: "/?a=1&ut%6D=3"}, true},
		{"chosen query", "key: {query: [a]}", policytest.Request{Path: "/?a=1&b=2"}, policytest.Request{Path: "/?a=1"}, true},
		{"chosen query differs", "key: {query: [a]}", policytest.Request{Path: "/?a=1"}, policytest.Request{Path: "/?a=2"}, false},
		{"header", "key: {headers: [X-Lang]}", policytest.Request{Header: header{"X-Lang": "de"}}, policytest.Request{Header: header{"X-Lang": "en"}}, false},
		{"no header", "", policytest.Request{Header: header{"X-Lang": "de"}}, policytest.Request{Header: header{"X-Lang": "en"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, cache.Definition(), "ttl: 1m\n"+c.config)
			o := &origin{}
			_, _ = ask(h, o, c.a)
			_, did := ask(h, o, c.b)
			require.Equal(t, c.shared, did == "hit")
			_, did = ask(h, o, c.a)
			require.Equal(t, "hit", did)
		})
	}
}

func TestCallersAreKeptApart(t *testing.T) {
	t.Parallel()
	app := &policy.Application{ID: "app"}
	alice := policytest.Request{
		Caller: policy.Caller{Kind: policy.KindJWT, Issuer: "i", Subject: "alice", Application: app, Credential: "client"},
		Header: header{"Authorization": "Bearer a"},
	}
	bob := policytest.Request{
		Caller: policy.Caller{Kind: policy.KindJWT, Issuer: "i", Subject: "bob", Application: app, Credential: "client"},
		Header: header{"Authorization": "Bearer b"},
	}
	anonymous := policytest.Request{}
	withCookie := policytest.Request{Header: header{"Cookie": "session=1"}}
	unchecked := policytest.Request{Header: header{"Authorization": "Bearer x"}}
	keyAndToken := policytest.Request{Caller: policy.Caller{Kind: policy.KindAPIKey, Credential: "k"}, Header: header{"Authorization": "Bearer x"}}
	for _, c := range []struct {
		name, config string
		header       header
		a, b         policytest.Request
		shared       bool
		stored       bool
	}{
		{"each has its own", "", nil, alice, bob, false, true},
		{"of one application", "key: {caller: application}", nil, alice, bob, true, true},
		{"application and anonymous", "key: {caller: application}", nil, alice, anonymous, false, true},
		{"all share, not allowed", "key: {caller: none}", nil, alice, bob, false, false},
		{"all share, allowed", "key: {caller: none}", header{"Cache-Control": "public, max-age=60"}, alice, bob, true, true},
		{"all share, configured", "key: {caller: none, shareAuthenticated: true}", nil, alice, bob, true, true},
		{"cookie", "", nil, withCookie, anonymous, false, false},
		{"cookie, allowed", "", header{"Cache-Control": "s-maxage=60"}, withCookie, anonymous, true, true},
		{"cookie in the key", "key: {headers: [cookie]}", nil, withCookie, anonymous, false, true},
		{"credential that the gateway does not check", "", nil, unchecked, anonymous, false, false},
		{"credential besides the one checked", "", nil, keyAndToken, keyAndToken, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, cache.Definition(), "ttl: 1m\n"+c.config)
			o := &origin{header: c.header}
			_, _ = ask(h, o, c.a)
			_, did := ask(h, o, c.b)
			require.Equal(t, c.shared, did == "hit")
			_, did = ask(h, o, c.a)
			require.Equal(t, c.stored, did == "hit")
		})
	}
}

// R10.2: a cache that stands before authentication stores nothing for those who
// are authenticated after it.
func TestBeforeAuthentication(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, cache.Definition(), "ttl: 1m\nkey: {caller: none, shareAuthenticated: true}")
	for range 2 {
		r := h.Do(policytest.Request{}, policytest.Upstream{Func: func(ex *policy.Exchange) error {
			ex.Caller = policy.Caller{Kind: policy.KindAPIKey, Credential: "c"}
			ex.Response.Status, ex.Response.Source = 200, policy.SourceUpstream
			ex.Response.Body.SetBytes([]byte("secret"))
			return nil
		}})
		require.Equal(t, 1, r.Calls)
	}
}

func TestVary(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, cache.Definition(), "ttl: 1m")
	o := &origin{header: header{"Vary": "Accept-Language"}}
	in := func(lang string) policytest.Request {
		return policytest.Request{Header: header{"Accept-Language": lang}}
	}
	for _, step := range []struct{ lang, body, did string }{
		{"de", "v1", "miss"},
		{"de", "v1", "hit"},
		{"en", "v2", "miss"},
		{"de", "v1", "hit"},
		{"en", "v2", "hit"},
	} {
		body, did := ask(h, o, in(step.lang))
		require.Equal(t, step.body, body)
		require.Equal(t, step.did, did)
	}
	_, did := ask(h, o, policytest.Request{})
	require.Equal(t, "miss", did, "without the field")
	o.header = header{"Vary": "X-Set-Later"}
	for range 2 { // what a later policy sets cannot tell requests apart when they arrive
		r := h.Do(policytest.Request{Path: "/later"}, policytest.Upstream{Func: func(ex *policy.Exchange) error {
			ex.Request.Header.Set("X-Set-Later", "alice")
			ex.Response.Status, ex.Response.Source = 200, policy.SourceUpstream
			ex.Response.Header.Set("Vary", "X-Set-Later")
			ex.Response.Body.SetBytes([]byte("x"))
			return nil
		}})
		require.Equal(t, 1, r.Calls)
	}
}

func TestUnsafeMethodsInvalidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		r    policytest.Request
		up   policytest.Upstream
		gone bool
	}{
		{"DELETE", policytest.Request{Method: "DELETE", Path: "/items/1"}, policytest.Upstream{Status: 204}, true},
		{"failed", policytest.Request{Method: "DELETE", Path: "/items/1"}, policytest.Upstream{Status: 404}, false},
		{"elsewhere", policytest.Request{Method: "DELETE", Path: "/items/2"}, policytest.Upstream{Status: 204}, false},
		{"OPTIONS", policytest.Request{Method: "OPTIONS", Path: "/items/1"}, policytest.Upstream{}, false},
		{"Location", policytest.Request{Method: "POST", Path: "/items"}, policytest.Upstream{Status: 201, Header: header{"Location": "/items/1"}}, true},
		{
			"Location elsewhere",
			policytest.Request{Method: "POST", Path: "/items"},
			policytest.Upstream{Status: 201, Header: header{"Location": "http://evil.example/items/1"}},
			false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := policytest.New(t, cache.Definition(), "ttl: 1m")
			o := &origin{}
			for _, q := range []string{"", "?a=1"} {
				_, _ = ask(h, o, policytest.Request{Path: "/items/1" + q})
			}
			h.Do(c.r, c.up)
			for _, q := range []string{"", "?a=1"} {
				_, did := ask(h, o, policytest.Request{Path: "/items/1" + q})
				require.Equal(t, c.gone, did == "miss")
			}
		})
	}
}

func TestPurge(t *testing.T) {
	t.Parallel()
	h := policytest.New(t, cache.Definition(), "ttl: 1m")
	o := &origin{}
	_, _ = ask(h, o, policytest.Request{})
	require.Zero(t, h.Store.DeletePrefix("ap/"))
	require.Positive(t, h.Store.DeletePrefix("api/"))
	_, did := ask(h, o, policytest.Request{})
	require.Equal(t, "miss", did)
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	t.Parallel()
	for config, pointer := range map[string]string{
		"{force: true}":                         "/ttl",
		"{key: {shareAuthenticated: true}}":     "/key/shareAuthenticated",
		"{key: {query: [a], ignoreQuery: [b]}}": "/key/ignoreQuery",
		"{key: {headers: ['a b']}}":             "/key/headers/0",
		"{ttl: 2h, maxTtl: 1h}":                 "/maxTtl",
		"{statuses: [200, 206]}":                "/statuses/1",
		"{methods: [POST]}":                     "/methods/0",
	} {
		_, err := policytest.Compile(t, cache.Definition(), config)
		var p *problem.Problem
		require.ErrorAs(t, err, &p, config)
		require.Equal(t, pointer, p.Errors[0].Pointer, config)
	}
}
