package reference_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/reference"
	"github.com/gatehouse/gatehouse/libs/schema"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"env:DB_PASSWORD", "file:/run/secrets/db", "vault:secret/app/db#password", "vault:kv/a/b/c?version=3#field-1", "vault:secret/a b#x.y",
	} {
		r, err := reference.Parse(s)
		require.NoError(t, err, s)
		require.Equal(t, s, r.String())
		require.True(t, reference.Is(s))
	}
	for s, want := range map[string]string{
		"":                            "no reference",
		"plain":                       "no reference",
		"http://x":                    "no references of",
		"env:":                        "variable",
		"env:1A":                      "variable",
		"env:A B":                     "variable",
		"file:":                       "names no file",
		"file:/run/":                  "names no file",
		"vault:secret/a":              "names no field",
		"vault:secret/a#":             "names no field",
		"vault:secret#a":              "below the mount",
		"vault:/a#b":                  "cannot be",
		"vault:secret/../other/a#b":   "cannot be",
		"vault:secret/./a#b":          "cannot be",
		"vault:secret//a#b":           "cannot be",
		"vault:secret/a/#b":           "cannot be",
		"vault:secret/%2e%2e/a#b":     "cannot be",
		"vault:secret/ ../a#b":        "cannot be",
		"vault:secret/a\\b#b":         "cannot be",
		"vault:secret/a?version=0#b":  "version",
		"vault:secret/a?version=x#b":  "version",
		"vault:secret/a?version=01#b": "version",
		"vault:secret/a?list=true#b":  "version",
		"vault:s/" + strings.Repeat("a", 1000) + "#b": "no reference",
	} {
		_, err := reference.Parse(s)
		require.ErrorContains(t, err, want, s)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	rules := reference.Rules{Organizations: []string{
		"vault:secret/tenants/{organization}/", "vault:secret/shared/smtp", "file:/run/secrets/{organization}/", "env:TENANT_",
	}}
	require.Empty(t, rules.Validate())
	allowed := rules.For("acme")
	for s, want := range map[string]bool{
		"vault:secret/tenants/acme/sso#secret":           true,
		"vault:secret/tenants/acme/a/b?version=2#secret": true,
		"vault:secret/tenants/acme#secret":               false,
		"vault:secret/tenants/acme-corp/sso#secret":      false,
		"vault:secret/tenants/other/sso#secret":          false,
		"vault:secret/shared/smtp#password":              true,
		"vault:secret/shared/smtp-admin#password":        false,
		"vault:secret/shared/smtp/x#password":            false,
		"file:/run/secrets/acme/key":                     true,
		"file:/run/secrets/acme/../other/key":            false,
		"file:/etc/passwd":                               false,
		"env:TENANT_A":                                   true,
		"env:GATEHOUSE_TENANT_MANAGER_SECRETS_KEYRING":   false,
	} {
		r, err := reference.Parse(s)
		require.NoError(t, err, s)
		err = reference.Check(r, allowed)
		if want {
			require.NoError(t, err, s)
			continue
		}
		require.ErrorIs(t, err, reference.ErrDenied, s)
		require.ErrorContains(t, err, "vault:secret/tenants/acme/", s)
		require.ErrorContains(t, reference.Check(r, nil), "not allowed here", s)
	}
	require.Empty(t, rules.For(""), "nobody is no organization")
	bad := reference.Rules{Organizations: []string{"vault:secret/../", "vault:", "file:relative/", "env:A-B", "x", "file:/", "vault:secret/a#b"}}
	require.Len(t, bad.Validate(), len(bad.Organizations))
}

// place is somewhere that keeps secrets.
type place struct {
	// ref names the secret of a name, set writes it, drop removes it.
	ref  func(name string) string
	set  func(name, value string)
	drop func(name string)
}

// TestSources holds every source to the same.
func TestSources(t *testing.T) {
	for name, make := range map[string]func(*testing.T) (place, *reference.VaultConfig){
		"env": func(t *testing.T) (place, *reference.VaultConfig) {
			return place{
				ref:  func(n string) string { return "env:GATEHOUSE_REFERENCE_" + n },
				set:  func(n, v string) { t.Setenv("GATEHOUSE_REFERENCE_"+n, v) },
				drop: func(n string) { require.NoError(t, os.Unsetenv("GATEHOUSE_REFERENCE_"+n)) },
			}, nil
		},
		"file": func(t *testing.T) (place, *reference.VaultConfig) {
			dir := t.TempDir()
			return place{
				ref:  func(n string) string { return "file:" + filepath.Join(dir, n) },
				set:  func(n, v string) { require.NoError(t, os.WriteFile(filepath.Join(dir, n), []byte(v+"\n"), 0o600)) },
				drop: func(n string) { require.NoError(t, os.Remove(filepath.Join(dir, n))) },
			}, nil
		},
		"vault": func(t *testing.T) (place, *reference.VaultConfig) {
			v := testkit.Vault(t, time.Now)
			return place{
				ref:  func(n string) string { return "vault:secret/app/" + n + "#value" },
				set:  func(n, s string) { v.Put("", "app/"+n, map[string]any{"value": s}) },
				drop: func(n string) { v.Delete("", "app/"+n, 0) },
			}, &reference.VaultConfig{Address: v.URL, Token: schema.NewSecret(v.Root)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, cfg := make(t)
			r, err := reference.New(reference.Options{Vault: cfg})
			require.NoError(t, err)
			t.Cleanup(r.Close)
			var mu sync.Mutex
			var told []string
			r.OnChange(func(refs []string) { mu.Lock(); defer mu.Unlock(); told = append(told, refs...) })

			_, err = r.Get(t.Context(), p.ref("A"))
			require.ErrorIs(t, err, reference.ErrNotFound)
			require.ErrorContains(t, err, p.ref("A"), "the error names the reference")
			require.Error(t, r.Try(t.Context(), p.ref("A")))
			require.True(t, r.State().Degraded())

			p.set("A", "päss word=1\nand more")
			r.Refresh(t.Context())
			require.Equal(t, []string{p.ref("A")}, told, "it is there after it was not")
			v, err := r.Get(t.Context(), p.ref("A"))
			require.NoError(t, err)
			require.Equal(t, "päss word=1\nand more", v)
			require.NoError(t, r.Try(t.Context(), p.ref("A")))
			require.False(t, r.State().Degraded())

			before := r.Fingerprint(p.ref("A"))
			require.NotEmpty(t, before)
			r.Refresh(t.Context())
			require.Equal(t, before, r.Fingerprint(p.ref("A")))
			require.Len(t, told, 1, "nothing has changed")

			p.set("A", "another")
			r.Refresh(t.Context())
			require.Len(t, told, 2)
			require.NotEqual(t, before, r.Fingerprint(p.ref("A")))
			v, err = r.Get(t.Context(), p.ref("A"))
			require.NoError(t, err)
			require.Equal(t, "another", v)

			p.drop("A")
			r.Refresh(t.Context())
			require.Len(t, told, 3)
			_, err = r.Get(t.Context(), p.ref("A"))
			require.ErrorIs(t, err, reference.ErrNotFound, "what is gone is not used any longer")
			require.NotContains(t, err.Error(), "another")

			p.set("A", strings.Repeat("long secret ", 6000))
			r.Refresh(t.Context())
			if name != "env" { // the system bounds those
				_, err = r.Get(t.Context(), p.ref("A"))
				require.ErrorContains(t, err, "64 KiB")
				require.NotContains(t, err.Error(), "long secret")
			}
			_, err = r.Limited([]string{"vault:secret/tenants/acme/"})(strings.SplitN(p.ref("A"), ":", 2)[0], strings.SplitN(p.ref("A"), ":", 2)[1])
			require.ErrorIs(t, err, reference.ErrDenied)
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"env:A", "file:/a/b", "vault:secret/a/b?version=2#c", "vault:a/../b#c", "vault:#"} {
		f.Add(s)
	}
	allowed := []string{"vault:secret/tenants/acme/", "file:/run/acme/"}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := reference.Parse(s)
		if err != nil {
			return
		}
		again, err := reference.Parse(r.String())
		require.NoError(t, err)
		require.Equal(t, r, again)
		if reference.Check(r, allowed) == nil {
			require.NotContains(t, strings.Split(r.Path+r.Name, "/"), "..")
			require.True(t, strings.HasPrefix(r.String(), "vault:secret/tenants/acme/") || strings.HasPrefix(r.String(), "file:/run/acme/"))
		}
	})
}

// vaultWith returns a resolver with a clock that is moved.
func vaultWith(t *testing.T, adjust func(*testkit.VaultServer, *reference.VaultConfig)) (*reference.Resolver, *testkit.VaultServer, *testkit.Clock, *bytes.Buffer) {
	t.Helper()
	clock := testkit.NewClock()
	v := testkit.Vault(t, clock.Now)
	cfg := reference.VaultConfig{Address: v.URL}
	adjust(v, &cfg)
	var log bytes.Buffer
	r, err := reference.New(reference.Options{Vault: &cfg, Now: clock.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r, v, clock, &log
}

const ref = "vault:secret/app/db#password"

func TestVaultIsGone(t *testing.T) {
	t.Parallel()
	r, v, clock, log := vaultWith(t, func(v *testkit.VaultServer, c *reference.VaultConfig) { c.Token = schema.NewSecret(v.Root) })
	v.Put("", "app/db", map[string]any{"password": "hunter2", "number": 7, "nested": map[string]any{"a": 1}})
	get := func() (string, error) { return r.Get(t.Context(), ref) }
	value, err := get()
	require.NoError(t, err)
	require.Equal(t, "hunter2", value)
	n, err := r.Get(t.Context(), "vault:secret/app/db#number")
	require.NoError(t, err)
	require.Equal(t, "7", n)
	for _, field := range []string{"nested", "none"} {
		_, err = r.Get(t.Context(), "vault:secret/app/db#"+field)
		require.ErrorIs(t, err, reference.ErrNotFound)
	}
	v.Requests()
	_, err = get()
	require.NoError(t, err)
	require.Empty(t, v.Requests(), "it is kept for a while")

	for what, gone := range map[string]func(bool){"away": v.Away, "sealed": v.Seal} {
		gone(true)
		clock.Advance(2 * time.Minute)
		value, err = get()
		require.NoError(t, err, what)
		require.Equal(t, "hunter2", value, "the last one is used")
		require.True(t, r.State().Degraded(), what)
		require.Positive(t, r.State().Stale)
		_, err = r.Get(t.Context(), "vault:secret/app/other#x")
		require.ErrorIs(t, err, reference.ErrUnavailable, "what was never read is not made up")
		gone(false)
		clock.Advance(2 * time.Minute)
		r.Refresh(t.Context())
		require.Zero(t, r.State().Stale)
	}
	v.Put("", "app/db", map[string]any{"password": "correct horse"})
	first, err := r.Get(t.Context(), "vault:secret/app/db?version=1#password")
	require.NoError(t, err)
	require.Equal(t, "hunter2", first)
	v.Destroy("", "app/db", 1)
	clock.Advance(2 * time.Minute)
	_, err = r.Get(t.Context(), "vault:secret/app/db?version=1#password")
	require.ErrorIs(t, err, reference.ErrNotFound)
	value, err = get()
	require.NoError(t, err)
	require.Equal(t, "correct horse", value)
	for _, leak := range []string{"hunter2", "correct horse", v.Root} {
		require.NotContains(t, log.String(), leak)
		require.NotContains(t, fmt.Sprintf("%+v", r.State()), leak)
	}
}

func TestVaultTokens(t *testing.T) {
	t.Parallel()
	jwt := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(jwt, []byte("eyJh.bound.jwt\n"), 0o600))
	for name, adjust := range map[string]func(*testkit.VaultServer, *reference.VaultConfig){
		"approle": func(v *testkit.VaultServer, c *reference.VaultConfig) {
			v.AppRole("team/a", "gatehouse", "s3cret-id", 10*time.Minute, time.Hour, "app/")
			c.Namespace, c.AppRole = "team/a", &reference.AppRole{RoleID: "gatehouse", SecretID: schema.NewSecret("s3cret-id")}
		},
		"kubernetes": func(v *testkit.VaultServer, c *reference.VaultConfig) {
			v.Kubernetes("gatehouse", "eyJh.bound.jwt", 10*time.Minute, time.Hour, "app/")
			c.Kubernetes = &reference.Kubernetes{Role: "gatehouse", TokenFile: jwt}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ns string
			r, v, clock, log := vaultWith(t, func(v *testkit.VaultServer, c *reference.VaultConfig) { adjust(v, c); ns = c.Namespace })
			v.Put(ns, "app/db", map[string]any{"password": "hunter2"})
			v.Put(ns, "other/db", map[string]any{"password": "not ours"})
			get := func() { t.Helper(); _, err := r.Get(t.Context(), ref); require.NoError(t, err) }
			get()
			_, err := r.Get(t.Context(), "vault:secret/other/db#password")
			require.ErrorIs(t, err, reference.ErrDenied)
			require.ErrorContains(t, err, "read on secret/data/other/db")

			// The token is renewed while it can be, and then another is asked for.
			var renewed, signedIn int
			ctx, cancel := context.WithCancel(t.Context())
			for range 100 {
				clock.Advance(time.Minute)
				reference.Renew(ctx, r)
				get()
				require.Zero(t, r.State().Stale)
			}
			cancel()
			for _, q := range v.Requests() {
				if strings.HasSuffix(q, "renew-self") {
					renewed++
				}
				if strings.HasSuffix(q, "/login") {
					signedIn++
				}
			}
			require.GreaterOrEqual(t, renewed, 5)
			require.InDelta(t, 2, signedIn, 1, "an hour is the longest, and a hundred minutes went by")

			v.Revoke()
			clock.Advance(2 * time.Minute)
			get() // with a new token
			require.Contains(t, strings.Join(v.Requests(), " "), "/login")
			require.NotContains(t, log.String(), "s3cret-id")
			require.NotContains(t, log.String(), "eyJh")
		})
	}
}

func TestVaultRefusesUs(t *testing.T) {
	t.Parallel()
	r, v, clock, _ := vaultWith(t, func(v *testkit.VaultServer, c *reference.VaultConfig) {
		c.AppRole = &reference.AppRole{RoleID: "gatehouse", SecretID: schema.NewSecret("wrong")}
	})
	_, err := r.Get(t.Context(), ref)
	require.ErrorIs(t, err, reference.ErrUnavailable, "it says nothing of the secret")
	require.ErrorContains(t, err, "invalid role or secret ID")
	v.AppRole("", "gatehouse", "wrong", time.Minute, 0, "app/")
	v.Put("", "app/db", map[string]any{"password": "x"})
	clock.Advance(10 * time.Second)
	_, err = r.Get(t.Context(), ref)
	require.NoError(t, err)

	none, err := reference.New(reference.Options{})
	require.NoError(t, err)
	_, err = none.Get(t.Context(), ref)
	require.ErrorContains(t, err, "no Vault is configured")
}

func TestVaultConfig(t *testing.T) {
	t.Parallel()
	good := reference.VaultConfig{Address: "https://vault.example.com:8200", Token: schema.NewSecret("x")}
	require.Empty(t, good.Validate())
	for name, adjust := range map[string]func(*reference.VaultConfig){
		"/address": func(c *reference.VaultConfig) { c.Address = "http://vault.example.com:8200" },
		"":         func(c *reference.VaultConfig) { c.Kubernetes = &reference.Kubernetes{Role: "r"} },
		"/token": func(c *reference.VaultConfig) {
			require.NoError(t, c.Token.UnmarshalText([]byte("vault:secret/a#b")))
		},
	} {
		c := good
		adjust(&c)
		fields := c.Validate()
		require.Len(t, fields, 1, name)
		require.Equal(t, name, fields[0].Pointer)
	}
}

func TestWhatIsHeldIsKeptFresh(t *testing.T) {
	t.Parallel()
	r, v, clock, _ := vaultWith(t, func(v *testkit.VaultServer, c *reference.VaultConfig) { c.Token = schema.NewSecret(v.Root) })
	v.Put("", "app/db", map[string]any{"password": "first", "other": "x"})
	var told []string
	r.OnChange(func(refs []string) { told = append(told, refs...) })
	r.Hold(func() []string { return []string{ref, "vault:never/asked#for"} })
	for _, s := range []string{ref, "vault:secret/app/db#other"} {
		_, err := r.Get(t.Context(), s)
		require.NoError(t, err)
	}
	for range 5 { // nobody asks for hours
		clock.Advance(50 * time.Minute)
		r.Refresh(t.Context())
	}
	require.Equal(t, 1, r.State().Secrets, "what nobody holds is forgotten")
	v.Put("", "app/db", map[string]any{"password": "second"})
	r.Refresh(t.Context())
	require.Equal(t, []string{ref}, told)
}
