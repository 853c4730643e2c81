package apikey_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/apikey"
)

func TestNewKeysAreValidAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		k, err := apikey.New()
		require.NoError(t, err)
		require.Regexp(t, `^ghk_[0-9A-Za-z]{42}$`, k)
		require.True(t, apikey.Valid(k))
		require.False(t, seen[k])
		seen[k] = true
	}
}

func TestAMistypedKeyIsTold(t *testing.T) {
	t.Parallel()
	k, err := apikey.New()
	require.NoError(t, err)
	for i := len(apikey.Prefix); i < len(k); i++ {
		c := byte('a')
		if k[i] == c {
			c = 'b'
		}
		require.False(t, apikey.Valid(k[:i]+string(c)+k[i+1:]), "character %d", i)
	}
	for _, s := range []string{"", "ghk_", k[:len(k)-1], k + "a", strings.ToUpper(k), "x" + k[1:], k[:10] + "\x00" + k[11:]} {
		require.False(t, apikey.Valid(s), "%q", s)
	}
	require.True(t, apikey.Recognised("ghk_x"))
	require.False(t, apikey.Recognised("other"))
}

func TestTheFormStaysReadable(t *testing.T) {
	t.Parallel()
	// A key made by the first release: scanners and stored keys depend on it.
	require.True(t, apikey.Valid("ghk_0000000000000000000000000000000000002fvaCT"))
}

func TestValidDoesNotAllocate(t *testing.T) {
	k, err := apikey.New()
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = apikey.Valid(k) }))
}
