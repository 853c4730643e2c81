package canon

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQueryGet(t *testing.T) {
	t.Parallel()
	const query = "a=1&&b=x+y%21&%63=3&empty&d=%zz&d=4&a=2&e%zz=1&f=a=b;g=1"
	for name, want := range map[string]string{"a": "1", "b": "x y!", "c": "3", "empty": "", "d": "4", "f": "a=b;g=1"} {
		got, ok := QueryGet(query, name)
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
	}
	for _, name := range []string{"A", "g", "x", "", "%63", "e%zz", "e"} {
		_, ok := QueryGet(query, name)
		require.False(t, ok, name)
	}
	_, n := QueryLookup(query, "a")
	require.Equal(t, 2, n)
}

func TestQueryGetAllocatesNothing(t *testing.T) {
	const query = "a=1&%63=3&d=x"
	require.Zero(t, testing.AllocsPerRun(100, func() { QueryGet(query, "a"); QueryGet(query, "c"); QueryGet(query, "none") }))
}

func TestQuery(t *testing.T) {
	t.Parallel()
	for _, q := range []string{"", "a=b&c[]=d", "a=%20+|", "?", "a={x}"} {
		require.NoError(t, Query(q), q)
	}
	for _, q := range []string{"a b", "%", "a=%4", "a=%zz", "a\x00", "a#b", "é", "a\r\nb", "\x7f"} {
		require.ErrorIs(t, Query(q), ErrQuery, q)
	}
}

func FuzzQueryGet(f *testing.F) {
	f.Add("a=1&b=2&a=3", "a")
	f.Add("%61=+%20", "a")
	f.Fuzz(func(t *testing.T, query, name string) {
		got, ok := QueryGet(query, name)
		if strings.Contains(query, ";") {
			return // net/url drops these altogether
		}
		values, _ := url.ParseQuery(query)
		if want := values[name]; ok != (len(want) > 0) || ok && got != want[0] {
			t.Fatalf("QueryGet(%q, %q) = %q, %v; want %q", query, name, got, ok, want)
		}
	})
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a": "a", "%2F": "/", "%252F": "%2F", "a+b": "a+b", "a%": "a%", "caf%C3%A9": "café"} {
		require.Equal(t, want, Unescape(in))
	}
}
