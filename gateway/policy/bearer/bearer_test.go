package bearer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/gateway/policy/bearer"
)

func TestClaimsByNameAndByPath(t *testing.T) {
	t.Parallel()
	c, ok := bearer.Decode([]byte(`{"a":{"b":{"c":"deep"},"b.c":"dotted below"},"a.x":"dotted","n":9007199254740993,"f":1.5,"big":1e400,"l":["x",1,true,["y"],null]}`))
	require.True(t, ok)
	require.Equal(t, "dotted", bearer.Text(c, "a.x"))
	require.Equal(t, "dotted below", bearer.Text(c, "a.b.c"))
	for _, name := range []string{"a.b.d", "a.x.y", "", ".", "a.", "n"} {
		require.Empty(t, bearer.Text(c, name), name)
	}
	require.Equal(t, []string{"9007199254740993"}, bearer.Texts(c["n"]))
	require.Equal(t, []string{"1.5"}, bearer.Texts(c["f"]))
	require.Equal(t, []string{"x", "1", "true"}, bearer.Texts(c["l"]))
	require.Empty(t, bearer.Texts(c["a"]))
	require.IsType(t, "", c["big"])
	for _, bad := range []string{``, `null`, `[]`, `"x"`, `{} {}`, `{`} {
		_, ok := bearer.Decode([]byte(bad))
		require.False(t, ok, bad)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"1": 1, "1.9": 1, "0": 0, "-1": -1, `"1"`: -1, "1e300": -1, "1e400": -1, "true": -1, "9223372036854775807": -1} {
		c, ok := bearer.Decode([]byte(`{"exp":` + text + `}`))
		require.True(t, ok)
		got, there, ok := bearer.Time(c, "exp")
		require.True(t, there)
		require.Equal(t, want >= 0, ok, text)
		if ok {
			require.Equal(t, want, got, text)
		}
	}
	_, there, ok := bearer.Time(nil, "exp")
	require.False(t, there)
	require.True(t, ok)
}

func TestScopes(t *testing.T) {
	t.Parallel()
	have := bearer.ScopesOf("read  write")
	require.Equal(t, []string{"read", "write"}, have)
	require.Equal(t, []string{"a b"}, bearer.ScopesOf([]any{"a b"}))
	require.True(t, bearer.HasScopes(nil, nil, false))
	require.True(t, bearer.HasScopes(have, []string{"read", "write"}, false))
	require.False(t, bearer.HasScopes(have, []string{"read", "x"}, false))
	require.True(t, bearer.HasScopes(have, []string{"x", "read"}, true))
	require.False(t, bearer.HasScopes(have, []string{"x", "y"}, true))
	require.True(t, bearer.ValidScope("orders:read"))
	for _, s := range []string{"", "a b", `a"b`, `a\b`, "ü", "a\n"} {
		require.False(t, bearer.ValidScope(s), s)
	}
}

func TestSameName(t *testing.T) {
	t.Parallel()
	require.True(t, bearer.SameName("X_USER", "x-user"))
	require.True(t, bearer.SameName("x.user", "X-User"))
	require.False(t, bearer.SameName("x-user", "x-users"))
}

func TestConfirmations(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]struct {
		ok bool
		is bearer.Confirmation
	}{
		`{}`:                                      {ok: true},
		`{"cnf":{"x5t#S256":"abc"}}`:              {true, bearer.Confirmation{Certificate: "abc"}},
		`{"cnf":{"jkt":"x"}}`:                     {true, bearer.Confirmation{Key: "x"}},
		`{"cnf":{"x5t#S256":"abc","jkt":"x"}}`:    {true, bearer.Confirmation{Certificate: "abc", Key: "x"}},
		`{"cnf":{"x5t#S256":""}}`:                 {},
		`{"cnf":{}}`:                              {},
		`{"cnf":null}`:                            {},
		`{"cnf":"x"}`:                             {},
		`{"cnf":{"jkt":1}}`:                       {},
		`{"cnf":{"jwk":{"kty":"EC"}}}`:            {},
		`{"cnf":{"jkt":"x","kid":"of somebody"}}`: {},
	} {
		var c map[string]any
		require.NoError(t, json.Unmarshal([]byte(doc), &c))
		got, ok := bearer.ConfirmationOf(c)
		require.Equal(t, want.ok, ok, doc)
		if ok {
			require.Equal(t, want.is, got, doc)
			require.Equal(t, want.is != bearer.Confirmation{}, got.Bound(), doc)
		}
	}
}

func TestSchemes(t *testing.T) {
	t.Parallel()
	find := func(scheme, value string) bearer.Found {
		s := bearer.Sources{Header: "Authorization", Scheme: scheme}
		r := &policy.Request{}
		r.Header.Add("Authorization", value)
		return s.Find(r)
	}
	require.Equal(t, bearer.Found{Token: "a", Count: 1}, find("Bearer", "bearer a"))
	require.Equal(t, bearer.Found{Token: "a", Count: 1, DPoP: true}, find("Bearer", "dpop a"))
	require.Equal(t, bearer.Found{Token: "a", Count: 1, DPoP: true}, find("DPoP", "DPoP a"))
	require.Equal(t, bearer.Found{Token: "DPoP a", Count: 1}, find("", "DPoP a"))
	require.Equal(t, bearer.Found{}, find("Bearer", "Basic a"))
}

func FuzzSources(f *testing.F) {
	f.Add("Bearer abc", "a=1; at=x; b", "a=%41&at=x&&b")
	f.Fuzz(func(t *testing.T, auth, cookie, query string) {
		s := bearer.Sources{Header: "Authorization", Scheme: "Bearer", Cookie: "at", Query: "at"}
		r := &policy.Request{Query: query}
		r.Header.Add("Authorization", auth)
		r.Header.Add("Cookie", cookie)
		n := s.Find(r).Count
		parts := strings.Count(r.Query, "&")
		s.Hide(r)
		left := s.Find(r).Count
		require.Zero(t, left, "what is hidden is not found any more")
		if n == 0 {
			require.Equal(t, query, r.Query)
		}
		require.LessOrEqual(t, strings.Count(r.Query, "&"), parts)
	})
}
