package reference_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

// keeper is a Vault, or what stands in for one.
type keeper interface {
	Put(namespace, path string, data map[string]any) int
	Delete(namespace, path string, version int)
	Destroy(namespace, path string, version int)
	Token(namespace string, ttl, longest time.Duration, paths ...string) string
	AppRole(namespace, role, secret string, ttl, longest time.Duration, paths ...string)
	Revoke()
	Seal(sealed bool)
}

// The stand-in is held to what a real Vault does: this runs over both where one is
// named.
func TestVaultContract(t *testing.T) {
	t.Parallel()
	stand := testkit.Vault(t, time.Now)
	t.Run("stand-in", func(t *testing.T) { contract(t, stand, stand.URL, stand.Root, "secret", "approle", true) })
	t.Run("real", func(t *testing.T) {
		v := testkit.Real(t)
		if v == nil {
			t.Skip("GATEHOUSE_TEST_VAULT names none")
		}
		contract(t, v, v.URL, v.Root, v.Mount, v.Mount, v.CanSeal())
	})
}

func contract(t *testing.T, v keeper, url, root, mount, role string, seals bool) {
	var log bytes.Buffer
	open := func(adjust func(*reference.VaultConfig)) *reference.Resolver {
		cfg := reference.VaultConfig{Address: url, Refresh: schema.Duration(time.Second)}
		adjust(&cfg)
		r, err := reference.New(reference.Options{Vault: &cfg, Log: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		t.Cleanup(r.Close)
		return r
	}
	ref := func(rest string) string { return "vault:" + mount + "/" + rest }
	value := func(r *reference.Resolver, rest, want string) {
		t.Helper()
		require.NoError(t, r.Try(t.Context(), ref(rest)))
		r.Refresh(t.Context())
		got, err := r.Get(t.Context(), ref(rest))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	fails := func(r *reference.Resolver, rest string, kind error, says string) {
		t.Helper()
		err := r.Try(t.Context(), ref(rest))
		require.ErrorIs(t, err, kind)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "\n", "it is one line, as logs and screens have it")
	}
	require.Equal(t, 1, v.Put("", "app/db", map[string]any{"password": "first", "number": 7, "yes": true, "nested": map[string]any{"a": 1}, "empty": ""}))
	require.Equal(t, 2, v.Put("", "app/db", map[string]any{"password": "päss \"word\"\nline"}))
	v.Put("", "app/deep/er @1", map[string]any{"x": "y"})
	v.Put("", "other/db", map[string]any{"password": "not ours"})

	all := open(func(c *reference.VaultConfig) { c.Token = schema.NewSecret(root) })
	value(all, "app/db#password", "päss \"word\"\nline")
	value(all, "app/db?version=1#number", "7")
	value(all, "app/db?version=1#yes", "true")
	value(all, "app/deep/er @1#x", "y")
	fails(all, "app/db#none", reference.ErrNotFound, `no field "none"`)
	fails(all, "app/db?version=1#nested", reference.ErrNotFound, "more than one value")
	fails(all, "app/db?version=1#empty", reference.ErrNotFound, "is empty")
	fails(all, "app/db?version=9#password", reference.ErrNotFound, "no secret there")
	fails(all, "app/none#x", reference.ErrNotFound, "no secret there")
	require.ErrorIs(t, all.Try(t.Context(), "vault:no-such-mount/app#x"), reference.ErrNotFound)
	v.Destroy("", "app/db", 1)
	fails(all, "app/db?version=1#number", reference.ErrNotFound, "was deleted")
	v.Delete("", "app/db", 2)
	fails(all, "app/db#password", reference.ErrNotFound, "was deleted")
	v.Put("", "app/db", map[string]any{"password": "third"})
	value(all, "app/db#password", "third")

	file := filepath.Join(t.TempDir(), "token")
	own := func(token string) { require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600)) }
	own(v.Token("", time.Hour, 0, "app/"))
	some := open(func(c *reference.VaultConfig) { require.NoError(t, c.Token.UnmarshalText([]byte("file:"+file))) })
	value(some, "app/db#password", "third")
	fails(some, "other/db#password", reference.ErrDenied, "must grant read on "+mount+"/data/other/db")

	v.AppRole("", "gatehouse", "s3cret-id", time.Second, 2*time.Second, "app/")
	in := open(func(c *reference.VaultConfig) {
		c.AppRole = &reference.AppRole{Mount: role, RoleID: "gatehouse", SecretID: schema.NewSecret("s3cret-id")}
	})
	wrong := open(func(c *reference.VaultConfig) {
		c.AppRole = &reference.AppRole{Mount: role, RoleID: "gatehouse", SecretID: schema.NewSecret("wrong")}
	})
	fails(wrong, "app/db#password", reference.ErrUnavailable, "invalid role or secret ID")
	for begin := time.Now(); time.Since(begin) < 3*time.Second; { // longer than the role's longest
		reference.Renew(t.Context(), in)
		value(in, "app/db#password", "third")
		select {
		case <-t.Context().Done():
		case <-time.After(100 * time.Millisecond): // real time, as tokens of a real Vault have it
		}
	}
	fails(in, "other/db#password", reference.ErrDenied, "must grant read")

	// A token that is known no longer says nothing of the secret: the last value is
	// used, and another token as soon as there is one.
	v.Revoke()
	some.Refresh(t.Context())
	got, err := some.Get(t.Context(), ref("app/db#password"))
	require.NoError(t, err)
	require.Equal(t, "third", got)
	own(v.Token("", time.Hour, 0, "app/"))
	v.Put("", "app/db", map[string]any{"password": "fourth"})
	require.Eventually(t, func() bool {
		some.Refresh(t.Context())
		got, err := some.Get(t.Context(), ref("app/db#password"))
		return err == nil && got == "fourth"
	}, 20*time.Second, 100*time.Millisecond)

	if seals {
		v.Seal(true)
		all.Refresh(t.Context())
		got, err := all.Get(t.Context(), ref("app/db#password"))
		require.NoError(t, err)
		require.NotEmpty(t, got)
		require.Positive(t, all.State().Stale)
		fails(all, "app/db#password", reference.ErrUnavailable, "sealed")
		v.Seal(false)
		all.Refresh(t.Context())
		value(all, "app/db#password", "fourth")
	}
	for _, secret := range []string{"third", "fourth", "s3cret-id", root} {
		require.NotContains(t, strings.ReplaceAll(log.String(), "real", ""), secret)
	}
}
