package secret_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/secret"
)

var place = secret.Place{Table: "notes", Column: "secret", Row: "1"}

// drawn returns a key that looks like a random one, the same for each id.
func drawn(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

func ring(t testing.TB, ids ...string) *secret.Keyring {
	t.Helper()
	var keys []string
	for _, id := range ids {
		keys = append(keys, id+":"+drawn(id))
	}
	r, err := secret.ParseKeyring(strings.Join(keys, "\n"))
	require.NoError(t, err)
	return r
}

func TestSealedValuesStayInTheirPlace(t *testing.T) {
	t.Parallel()
	r := ring(t, "b", "a")
	sealed := r.Seal([]byte("hush"), place)
	require.NotContains(t, sealed, "hush")
	require.NotEqual(t, sealed, r.Seal([]byte("hush"), place), "equal values must not look equal")
	require.True(t, r.Current(sealed))
	plain, err := r.Open(sealed, place)
	require.NoError(t, err)
	require.Equal(t, "hush", string(plain))
	require.False(t, r.Current(ring(t, "a").Seal([]byte("hush"), place)))
	plain, err = r.Open(ring(t, "a").Seal([]byte("old"), place), place)
	require.NoError(t, err)
	require.Equal(t, "old", string(plain))

	for _, p := range []secret.Place{{"notes", "secret", "2"}, {"notes", "other", "1"}, {"other", "secret", "1"}, {"notes", "secre", "t1"}, {}} {
		_, err := r.Open(sealed, p)
		require.ErrorIs(t, err, secret.ErrSealed, "%v", p)
	}
	_, err = ring(t, "c").Open(sealed, place)
	require.ErrorContains(t, err, `no key "b"`)
	for i := range len(sealed) {
		b := []byte(sealed)
		b[i] ^= 1
		_, err := r.Open(string(b), place)
		require.ErrorIs(t, err, secret.ErrSealed, "byte %d", i)
		require.NotContains(t, err.Error(), "hush")
	}
}

func TestKeysAreChecked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                                "no encryption key",
		"# only a comment":                                "no encryption key",
		strings.Repeat("ab", 32):                          "want id:key",
		"K1:" + strings.Repeat("ab", 32):                  "want id:key",
		"k1:" + strings.Repeat("ab", 31):                  "want 32 bytes",
		"k1:cafe sesame":                                  "want 32 bytes",
		"k1:" + strings.Repeat("00", 32):                  "openssl rand -hex 32",
		"k1:" + strings.Repeat("ff", 32):                  "not random",
		"k1:" + strings.Repeat("0123456789abcdef", 4):     "not random",
		"k1:" + strings.Repeat("deadbeef", 8):             "not random",
		"k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=": "not random",
		"k1:" + hex.EncodeToString([]byte("changeme-changeme-changeme-chang")): "not random",
		"a:" + drawn("a") + "\nb:" + strings.Repeat("11", 32):                  `key "b": it is not random`,
		secret.NewKey("a") + "," + secret.NewKey("a"):                          "there twice",
	} {
		_, err := secret.ParseKeyring(text)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "sesame")
	}
	raw, err := hex.DecodeString(drawn("k"))
	require.NoError(t, err)
	_, err = secret.ParseKeyring("k:" + base64.StdEncoding.EncodeToString(raw))
	require.NoError(t, err)
	for range 1000 {
		_, err = secret.ParseKeyring(secret.NewKey("k"))
		require.NoError(t, err)
	}

	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(file, []byte("# ours\n"+secret.NewKey("a")+"\n"), 0o600))
	_, err = secret.LoadKeyring(file)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(file, 0o644))
	_, err = secret.LoadKeyring(file)
	require.ErrorContains(t, err, "chmod")
	_, err = secret.LoadKeyring(file + "x")
	require.ErrorContains(t, err, "loading keys")
}

func TestNothingIsPrinted(t *testing.T) {
	t.Parallel()
	key := drawn("printed")
	r, err := secret.ParseKeyring("k1:" + key)
	require.NoError(t, err)
	h, err := secret.NewHasher([]byte(strings.Repeat("pepper", 6)))
	require.NoError(t, err)
	var b bytes.Buffer
	for _, v := range []any{r, h, secret.NewText("hush"), struct{ T secret.Text }{secret.NewText("hush")}, []any{r, h}} {
		fmt.Fprintf(&b, "%v %+v %#v %s %q %x %d\n", v, v, v, v, v, v, v)
		slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
		j, err := json.Marshal(v)
		require.NoError(t, err)
		b.Write(j)
	}
	for _, leak := range []string{"hush", "68757368", key, "pepper", "112 101 112", "706570706572"} {
		require.NotContains(t, b.String(), leak)
	}
}

func TestHashes(t *testing.T) {
	t.Parallel()
	_, err := secret.NewHasher([]byte("short"))
	require.ErrorContains(t, err, "at least 32")
	a, err := secret.NewHasher(bytes.Repeat([]byte("a"), 32))
	require.NoError(t, err)
	b, err := secret.NewHasher(bytes.Repeat([]byte("b"), 32))
	require.NoError(t, err)
	require.Len(t, a.Hash("key"), 64)
	require.NotEqual(t, a.Hash("key"), b.Hash("key"))
	require.True(t, a.Match("key", a.Hash("key")))
	require.False(t, a.Match("kez", a.Hash("key")))
	require.False(t, a.Match("key", ""))
	// From another implementation:
	// printf key | openssl dgst -sha256 -hmac aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
	require.Equal(t, "7f7c4fc212674978a31e155d70b021d285eb04cd63cf58d43d6eafe04c3c475c", a.Hash("key"))
}

func FuzzOpen(f *testing.F) {
	r := ring(f, "b", "a")
	f.Add(r.Seal([]byte("hush"), place))
	f.Add("gh1.b.")
	f.Add("gh1.c.AAAA")
	f.Fuzz(func(t *testing.T, sealed string) {
		plain, err := r.Open(sealed, place)
		if err == nil {
			require.Equal(t, "hush", string(plain))
		} else {
			require.ErrorIs(t, err, secret.ErrSealed)
		}
	})
}
