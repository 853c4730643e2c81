package cache

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/policytest"
)

// kept hands a body through a copier and reports whether it was stored.
func kept(t *testing.T, body io.Reader, want, most int64, read func(io.Reader)) (*entry, bool) {
	t.Helper()
	var store policy.Store
	policytest.New(t, Definition(), "", func(e *policy.Env) { store = e.Store })
	p := &cache{env: policy.Env{Store: store}}
	f, _ := p.flights.join("k")
	c := &copier{
		p: p, key: "k", flight: f, body: body, left: most, want: want,
		e: &entry{fresh: time.Minute, arrived: policytest.NewClock().Now()},
	}
	read(c)
	require.NoError(t, c.Close())
	<-f.landed
	v, ok := store.Get("k")
	e, _ := v.(*entry)
	require.Equal(t, ok, f.stored)
	return e, ok
}

func TestCopies(t *testing.T) {
	t.Parallel()
	all := func(r io.Reader) { _, _ = io.ReadAll(r) }
	five := func(r io.Reader) { _, _ = io.ReadFull(r, make([]byte, 5)) }
	for name, c := range map[string]struct {
		body       io.Reader
		want, most int64
		read       func(io.Reader)
		stored     bool
	}{
		"whole":                  {strings.NewReader("hello"), 5, 10, all, true},
		"length unknown":         {strings.NewReader("hello"), -1, 10, all, true},
		"byte by byte":           {iotest.OneByteReader(strings.NewReader("hello")), -1, 5, all, true},
		"read up to the length":  {strings.NewReader("hello"), 5, 10, five, true},
		"client left":            {strings.NewReader("hello, world"), 12, 20, five, false},
		"client left, no length": {strings.NewReader("hello"), -1, 20, five, false},
		"broke off":              {io.MultiReader(strings.NewReader("hel"), iotest.ErrReader(io.ErrUnexpectedEOF)), -1, 20, all, false},
		"shorter than it said":   {strings.NewReader("hel"), 5, 20, all, false},
		"too large":              {strings.NewReader("hello"), -1, 4, all, false},
		"never read":             {strings.NewReader("hello"), 5, 10, func(io.Reader) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, ok := kept(t, c.body, c.want, c.most, c.read)
			require.Equal(t, c.stored, ok)
			if ok {
				require.Equal(t, "hello", string(e.body))
			}
		})
	}
}

func FuzzControl(f *testing.F) {
	for _, s := range []string{`max-age=10, private="a, b"`, `no-cache="`, `a="\"", ,,=,`, "max-age = 5", `s-maxage="7"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var h policy.Header
		h.Add("Cache-Control", line)
		c := parseControl(&h)
		for _, d := range []time.Duration{c.maxAge, c.sMaxAge, c.minFresh, c.staleIfError} {
			require.GreaterOrEqual(t, d, unset)
		}
		h.Add("Cache-Control", "no-store")
		require.True(t, parseControl(&h).noStore, "no field hides another")
	})
}

func FuzzMatches(f *testing.F) {
	f.Add(`"a", W/"b"`, `"b"`)
	f.Fuzz(func(t *testing.T, list, tag string) {
		if matches(list, tag) && strings.TrimSpace(list) != "*" {
			require.Contains(t, list, strings.TrimPrefix(tag, "W/"))
		}
	})
}

// Keys of requests that differ in what counts must differ.
func FuzzKey(f *testing.F) {
	f.Add("a", "b", "c", "x", "y", "z")
	f.Fuzz(func(t *testing.T, q1, h1, s1, q2, h2, s2 string) {
		k, err := newKeyer(Config{Key: Key{Caller: "credential", Headers: []string{"X-A"}}}, "id")
		require.NoError(t, err)
		key := func(q, h, s string) string {
			ex := &policy.Exchange{Route: &policy.Route{API: "api"}}
			ex.Request.Query = q
			ex.Request.Header.Add("X-A", h)
			ex.Request.Header.Add("X-V", strings.Trim(h, " \t"))
			ex.Caller = policy.Caller{Kind: policy.KindJWT, Subject: s}
			return k.response(ex, &ex.Request.Header, "at", &resource{generation: "g", vary: []string{"x-none", "x-v"}})
		}
		same := q1 == q2 && h1 == h2 && s1 == s2
		require.Equal(t, same, key(q1, h1, s1) == key(q2, h2, s2))
	})
}

func TestHitIsCheap(t *testing.T) {
	var hooks policy.Hooks
	policytest.New(t, Definition(), "ttl: 1h", func(e *policy.Env) {
		h, err := Definition().Compile([]byte(`{"ttl":"1h"}`), *e)
		require.NoError(t, err)
		hooks = h
	})
	ex := &policy.Exchange{Route: &policy.Route{API: "api"}}
	ex.Request.Method, ex.Request.Host, ex.Request.Path = "GET", "api.example", "/items"
	do := func() {
		ex.Response.Header.Reset()
		require.NoError(t, hooks.Inbound(ex))
		if !ex.Responded() {
			ex.Response.Status, ex.Response.Source = 200, policy.SourceUpstream
			ex.Response.Body.SetBytes([]byte("x"))
		}
		require.NoError(t, hooks.Outbound(ex))
		hooks.Done(ex)
	}
	do()
	allocs := testing.AllocsPerRun(100, do)
	require.Equal(t, "hit", ex.Outcome.Cache)
	require.LessOrEqual(t, allocs, 10.0, "keys and texts of the answer")
}
