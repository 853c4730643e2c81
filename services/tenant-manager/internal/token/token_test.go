package token_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/token"
)

func TestTokensAreRecognised(t *testing.T) {
	t.Parallel()
	for prefix, kind := range map[string]struct {
		make         func() string
		valid, other func(string) bool
	}{
		"ght_": {token.NewService, token.ValidService, token.ValidPersonal},
		"ghp_": {token.NewPersonal, token.ValidPersonal, token.ValidService},
	} {
		a, b := kind.make(), kind.make()
		require.NotEqual(t, a, b)
		require.True(t, kind.valid(a))
		require.False(t, kind.other(a))
		require.Regexp(t, `^`+prefix+`[0-9A-Za-z]{42}$`, a)
		require.Equal(t, a[:8]+"…"+a[len(a)-4:], token.Hint(a))
		require.NotContains(t, token.Hint(a), a[8:20])
		for i := range len(a) {
			swapped := a[:i] + "x" + a[i+1:]
			require.Equal(t, swapped == a, kind.valid(swapped), "a mistake in character %d shows", i)
		}
		for _, bad := range []string{"", prefix, "ghk_" + a[4:], a + "0", a[:len(a)-1], strings.Repeat("é", 23)} {
			require.False(t, kind.valid(bad), bad)
			require.NotContains(t, token.Hint(bad), prefix)
		}
	}
}

func TestRefreshTokens(t *testing.T) {
	t.Parallel()
	key := token.NewRefreshKey()
	s := token.NewRefresh("0190-session", 7, key)
	r, ok := token.ParseRefresh(s)
	require.True(t, ok)
	require.Equal(t, "0190-session", r.Session)
	require.EqualValues(t, 7, r.Generation)
	require.True(t, r.Genuine(key))
	require.False(t, r.Genuine(token.NewRefreshKey()))
	require.False(t, r.Genuine(""))
	forged, ok := token.ParseRefresh(strings.Replace(s, ".7.", ".8.", 1))
	require.True(t, ok)
	require.False(t, forged.Genuine(key), "the generation is sealed")
	moved, ok := token.ParseRefresh(strings.Replace(s, "0190", "0191", 1))
	require.True(t, ok)
	require.False(t, moved.Genuine(key), "the session is sealed")
	for _, bad := range []string{"", s[1:], "ghr_a.b", "ghr_a.b.c", "ghr_.1.c", "ghr_a.0.c", "ghr_a.-1.c", "ghr_a.01.c", "ghr_a.+1.c", "ghr_a.1.c.d", "ghr_" + strings.Repeat("a", 65) + ".1.c"} {
		_, ok := token.ParseRefresh(bad)
		require.False(t, ok, bad)
	}
}

func TestOneTimeSecretsHave32Bytes(t *testing.T) {
	t.Parallel()
	a := token.OneTime()
	require.Len(t, a, 43)
	require.NotEqual(t, a, token.OneTime())
	require.Len(t, token.Hash(a), 64)
	require.NotEqual(t, token.Hash(a), token.Hash(token.OneTime()))
}

func FuzzRefresh(f *testing.F) {
	f.Add(token.NewRefresh("s", 1, "key"))
	f.Add("ghr_a.1.")
	f.Fuzz(func(t *testing.T, s string) {
		r, ok := token.ParseRefresh(s)
		if ok && r.Genuine("key") {
			require.Equal(t, s, token.NewRefresh(r.Session, r.Generation, "key"), "one token has one form")
		}
		require.Equal(t, token.ValidService(s), token.ValidService(s) && len(s) == token.Length)
	})
}
