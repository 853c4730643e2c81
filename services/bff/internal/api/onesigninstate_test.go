package api

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestASignInIsKnownByItsState(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	secret := rand.Text() + rand.Text()
	one, err := newOIDCSign(secret, "/orders?a=1#keys", now)
	require.NoError(t, err)
	two, err := newOIDCSign(secret, "/orders?a=1#keys", now)
	require.NoError(t, err)
	require.NotEqual(t, one.state, two.state)
	require.NotEqual(t, one.nonce, two.nonce)
	require.NotEqual(t, one.verifier, two.verifier)
	require.Len(t, one.verifier, 43, "RFC 7636 section 4.1")
	for _, s := range []oidcSign{one, two} {
		require.NotContains(t, s.state, s.nonce)
		require.NotContains(t, s.state, s.verifier)
		got, err := oidcSignOf(secret, s.state, now.Add(oidcAge))
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
	for name, try := range map[string]struct {
		secret, state string
		at            time.Time
	}{
		"another browser":  {rand.Text() + rand.Text(), one.state, now},
		"too late":         {secret, one.state, now.Add(oidcAge + time.Second)},
		"from the future":  {secret, one.state, now.Add(-2 * time.Minute)},
		"another's seal":   {secret, strings.Split(one.state, ".")[0] + "." + strings.Split(two.state, ".")[1], now},
		"no seal":          {secret, strings.Split(one.state, ".")[0], now},
		"the seal alone":   {secret, "." + strings.Split(one.state, ".")[1], now},
		"the nonce sealed": {secret, strings.Split(one.state, ".")[0] + "." + one.nonce, now},
		"none":             {secret, "", now},
	} {
		_, err := oidcSignOf(try.secret, try.state, try.at)
		require.Error(t, err, name)
	}
	long, err := newOIDCSign(secret, "/"+strings.Repeat("x", mostNext), now)
	require.NoError(t, err)
	require.Equal(t, "/", long.next)
}

func FuzzStates(f *testing.F) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	secret := strings.Repeat("x", 52)
	s, err := newOIDCSign(secret, "/orders", now)
	require.NoError(f, err)
	for _, seed := range []string{s.state, "", ".", "a.b", "e30." + derived(secret, "state", "e30")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, state string) {
		got, err := oidcSignOf(secret, state, now)
		if err != nil {
			return
		}
		require.Equal(t, state, got.state)
		require.True(t, strings.HasPrefix(got.next, "/"))
		require.False(t, strings.HasPrefix(got.next, "//"))
	})
}
