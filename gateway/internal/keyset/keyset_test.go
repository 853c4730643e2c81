package keyset

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

func ed(t testing.TB) ed25519.PublicKey {
	t.Helper()
	k, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return k
}

// provider is an identity provider that publishes keys over HTTPS.
type provider struct {
	*httptest.Server
	fetches atomic.Int64
	down    atomic.Bool
	maxAge  atomic.Int64
	mu      sync.Mutex
	doc     []byte
}

func (p *provider) publish(t testing.TB, keys ...policy.Key) {
	t.Helper()
	doc, err := encodeSet(keys)
	require.NoError(t, err)
	p.mu.Lock()
	p.doc = doc
	p.mu.Unlock()
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		if p.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		if a := p.maxAge.Load(); a > 0 {
			w.Header().Set("Cache-Control", fmt.Sprintf("public, max-age=%d", a))
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		_, _ = w.Write(p.doc)
	}))
	t.Cleanup(p.Close)
	return p
}

type world struct {
	*provider
	*clock
	sets *Sets
	log  *bytes.Buffer
}

func newWorld(t testing.TB, dir string) *world {
	t.Helper()
	w := &world{provider: newProvider(t), clock: &clock{t: time.Unix(1_800_000_000, 0)}}
	w.sets = w.restart(t, dir)
	return w
}

func (w *world) restart(t testing.TB, dir string) *Sets {
	t.Helper()
	w.log = &bytes.Buffer{}
	c := w.Client()
	c.Timeout = 5 * time.Second
	s := New(Options{HTTP: c, Now: w.now, Dir: dir, Log: slog.New(slog.NewTextHandler(w.log, nil))})
	t.Cleanup(func() { s.Close(); c.CloseIdleConnections() })
	return s
}

func (w *world) open(t testing.TB) policy.KeySet {
	t.Helper()
	k, err := w.sets.Open(w.URL, policy.KeySetOptions{Refresh: time.Minute, MaxStale: time.Hour, Cooldown: 10 * time.Second})
	require.NoError(t, err)
	t.Cleanup(k.Close)
	return k
}

// settled waits until no fetch is under way.
func (w *world) settled() { w.sets.wg.Wait() }

func has(t testing.TB, k policy.KeySet, kid string) bool {
	t.Helper()
	keys, err := k.Keys(t.Context(), kid, "EdDSA")
	require.NoError(t, err)
	return len(keys) > 0
}

// R8.1
func TestForgedKeyIDsCauseOneFetch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.publish(t, policy.Key{ID: "a", Public: ed(t)})
	k := w.open(t)
	require.True(t, has(t, k, "a"))
	require.EqualValues(t, 1, w.fetches.Load())
	w.advance(10 * time.Second)
	var wg sync.WaitGroup
	for g := range 10 {
		wg.Go(func() {
			for i := range 1000 {
				keys, err := k.Keys(context.Background(), fmt.Sprintf("forged-%d-%d", g, i), "EdDSA")
				if err != nil || len(keys) > 0 {
					t.Errorf("a forged key id: %d keys, %v", len(keys), err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 2, w.fetches.Load())
}

func TestAnUnknownKeyIDFindsANewKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.publish(t, policy.Key{ID: "a", Public: ed(t)})
	k := w.open(t)
	require.True(t, has(t, k, "a"))
	w.publish(t, policy.Key{ID: "a", Public: ed(t)}, policy.Key{ID: "b", Public: ed(t)})
	require.False(t, has(t, k, "b"), "within the cooldown")
	w.advance(11 * time.Second)
	before := k.Generation()
	require.True(t, has(t, k, "b"))
	require.NotEqual(t, before, k.Generation())
}

// R8.2
func TestTheLastGoodKeysOutliveAnOutageAndNoLonger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.publish(t, policy.Key{ID: "a", Public: ed(t)})
	k := w.open(t)
	require.True(t, has(t, k, "a"))
	w.down.Store(true)
	for range 60 {
		w.advance(time.Minute)
		w.sets.refreshDue()
		w.settled()
		require.True(t, has(t, k, "a"))
		require.NotZero(t, k.Generation())
	}
	w.advance(2 * time.Minute)
	require.Zero(t, k.Generation())
	_, err := k.Keys(t.Context(), "a", "EdDSA")
	require.ErrorContains(t, err, "out of date")
	w.settled()
	require.Equal(t, 1, strings.Count(w.log.String(), "cannot be fetched"), "one line when it is lost")
	require.NotEmpty(t, w.sets.Status()[0].Failing)

	w.down.Store(false)
	w.advance(2 * time.Minute)
	w.sets.refreshDue()
	w.settled()
	require.True(t, has(t, k, "a"))
	require.Equal(t, 1, strings.Count(w.log.String(), "is back"), "one line when it is back")
}

// R8.2
func TestAKeyThatIsNoLongerListedEndsWithOneRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.publish(t, policy.Key{ID: "a", Public: ed(t)}, policy.Key{ID: "b", Public: ed(t)})
	k := w.open(t)
	require.True(t, has(t, k, "a"))
	before := k.Generation()
	w.publish(t, policy.Key{ID: "b", Public: ed(t)})
	w.advance(time.Minute)
	w.sets.refreshDue()
	w.settled()
	require.False(t, has(t, k, "a"))
	require.NotEqual(t, before, k.Generation())
}

// R8.3
func TestNoKeyMaterialIsAnError(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"empty set": `{"keys":[]}`, "not json": `<html>`, "no keys": `{}`, "only weak": `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`,
		"symmetric": `{"keys":[{"kty":"oct","k":"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"}]}`,
		"too large": `{"keys":[` + strings.Repeat(" ", maxDocument) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "")
			w.doc = []byte(doc)
			k := w.open(t)
			_, err := k.Keys(t.Context(), "a", "EdDSA")
			require.Error(t, err)
			require.Zero(t, k.Generation())
		})
	}
}

func TestADeadProviderIsNotAskedByEveryRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.down.Store(true)
	k := w.open(t)
	for range 1000 {
		_, err := k.Keys(t.Context(), "a", "EdDSA")
		require.Error(t, err)
	}
	require.EqualValues(t, 1, w.fetches.Load())
}

// R8.4
func TestARestartDuringAnOutageWorks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := newWorld(t, dir)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	w.publish(t, policy.Key{ID: "a", Public: ed(t)}, policy.Key{ID: "e", Algorithm: "ES256", Public: &p256.PublicKey},
		policy.Key{ID: "r", Public: &rsaKey.PublicKey})
	require.True(t, has(t, w.open(t), "a"))
	w.settled()
	w.down.Store(true)

	w.sets = w.restart(t, dir)
	k := w.open(t)
	w.settled()
	require.True(t, has(t, k, "a"))
	keys, err := k.Keys(t.Context(), "e", "ES256")
	require.NoError(t, err)
	require.True(t, p256.PublicKey.Equal(keys[0].Public))
	keys, err = k.Keys(t.Context(), "r", "PS384")
	require.NoError(t, err)
	require.True(t, rsaKey.PublicKey.Equal(keys[0].Public))

	files, err := filepath.Glob(filepath.Join(dir, "keyset-*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	b, err := os.ReadFile(files[0])
	require.NoError(t, err)
	broken := bytes.Replace(b, []byte(`"kid":"a"`), []byte(`"kid":"z"`), 1)
	require.NotEqual(t, b, broken)
	require.NoError(t, os.WriteFile(files[0], broken, 0o600))
	w.sets = w.restart(t, dir)
	_, err = w.open(t).Keys(t.Context(), "a", "EdDSA")
	require.Error(t, err, "a file that was changed is not used")
}

func TestMaxAgeShortensTheRefreshWithinBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		maxAge int64
		after  time.Duration
	}{{1, 30 * time.Second}, {40, 40 * time.Second}, {3600, time.Minute}} {
		w := newWorld(t, "")
		w.publish(t, policy.Key{ID: "a", Public: ed(t)})
		w.maxAge.Store(c.maxAge)
		require.True(t, has(t, w.open(t), "a"))
		w.advance(c.after - time.Second)
		w.sets.refreshDue()
		w.settled()
		require.EqualValues(t, 1, w.fetches.Load(), "%v", c)
		w.advance(time.Second)
		w.sets.refreshDue()
		w.settled()
		require.EqualValues(t, 2, w.fetches.Load(), "%v", c)
	}
}

func TestOneCopyPerAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	w.publish(t, policy.Key{ID: "a", Public: ed(t)})
	a, b := w.open(t), w.open(t)
	require.True(t, has(t, a, "a"))
	require.True(t, has(t, b, "a"))
	require.EqualValues(t, 1, w.fetches.Load())
	a.Close()
	a.Close()
	require.Len(t, w.sets.Status(), 1)
	b.Close()
	require.Empty(t, w.sets.Status())
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	other := httptest.NewServer(http.RedirectHandler(w.URL, http.StatusFound))
	t.Cleanup(other.Close)
	k, err := w.sets.Open(other.URL, policy.KeySetOptions{})
	require.NoError(t, err)
	t.Cleanup(k.Close)
	_, err = k.Keys(t.Context(), "a", "EdDSA")
	require.ErrorContains(t, err, "302")
}

func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	for _, u := range []string{
		"", "keys", "http://idp.example/keys", "ftp://idp.example/", "file:///etc/passwd", "https://user:pw@idp.example/", "https://idp.example/#x", "http://127.0.0.1.example/",
	} {
		_, err := w.sets.Open(u, policy.KeySetOptions{})
		require.Error(t, err, u)
	}
	require.NoError(t, allowed("http://[::1]:1/keys", false))
	require.NoError(t, allowed("http://idp.example/keys", true))
}

func TestARequestThatIsCancelledDoesNotWait(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(hold) })
	s := New(Options{})
	t.Cleanup(s.Close)
	k, err := s.Open(srv.URL, policy.KeySetOptions{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = k.Keys(ctx, "a", "EdDSA")
	require.ErrorIs(t, err, context.Canceled)
}

func TestRunRefreshesUntilItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.sets.Run(ctx); close(done) }()
	cancel()
	<-done
}

func TestStaticSets(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	t.Cleanup(s.Close)
	k, err := s.Static([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","alg":"EdDSA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	require.NoError(t, err)
	require.True(t, has(t, k, "a"))
	require.False(t, has(t, k, "b"))
	require.True(t, has(t, k, ""))

	priv, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(&priv.PublicKey)
	require.NoError(t, err)
	k, err = s.Static(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	require.NoError(t, err)
	keys, err := k.Keys(t.Context(), "any", "ES384")
	require.NoError(t, err)
	require.Len(t, keys, 1)
	for _, alg := range []string{"ES256", "HS256", "RS256", "none", ""} {
		keys, err = k.Keys(t.Context(), "any", alg)
		require.NoError(t, err)
		require.Empty(t, keys, alg)
	}
	private, err := x509.MarshalPKCS8PrivateKey(priv)
	require.NoError(t, err)
	_, err = s.Static(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	require.ErrorContains(t, err, "not a public key")
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	x, y := "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" // RFC 7517 appendix A.1
	for name, key := range map[string]string{
		"none":          `{"kty":"none"}`,
		"rsa 1024":      `{"kty":"RSA","e":"AQAB","n":"` + strings.Repeat("_", 171) + `"}`,
		"rsa e=1":       `{"kty":"RSA","e":"AQ","n":"` + strings.Repeat("_", 342) + `"}`,
		"rsa e even":    `{"kty":"RSA","e":"BA","n":"` + strings.Repeat("_", 342) + `"}`,
		"ec off curve":  `{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + x + `"}`,
		"ec wrong size": `{"kty":"EC","crv":"P-384","x":"` + x + `","y":"` + y + `"}`,
		"secp256k1":     `{"kty":"EC","crv":"secp256k1","x":"` + x + `","y":"` + y + `"}`,
		"ec padding":    `{"kty":"EC","crv":"P-256","x":"` + x + `=","y":"` + y + `"}`,
		"x25519":        `{"kty":"OKP","crv":"X25519","x":"` + x + `"}`,
		"ed short":      `{"kty":"OKP","crv":"Ed25519","x":"AQAB"}`,
		"for enc":       `{"kty":"EC","crv":"P-256","use":"enc","x":"` + x + `","y":"` + y + `"}`,
		"for sign only": `{"kty":"EC","crv":"P-256","key_ops":["sign"],"x":"` + x + `","y":"` + y + `"}`,
		"other alg":     `{"kty":"EC","crv":"P-256","alg":"RS256","x":"` + x + `","y":"` + y + `"}`,
		"hs alg":        `{"kty":"EC","crv":"P-256","alg":"HS256","x":"` + x + `","y":"` + y + `"}`,
		"oct short":     `{"kty":"oct","k":"AQAB"}`,
		"not an object": `"x"`,
	} {
		_, err := parseKey([]byte(key), true)
		require.Error(t, err, name)
	}
	_, err := parseKey([]byte(`{"kty":"EC","crv":"P-256","use":"sig","x":"`+x+`","y":"`+y+`"}`), false)
	require.NoError(t, err)
}

func FuzzParseSet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		keys, _, err := parseSet(doc, false, false)
		if err != nil {
			return
		}
		again, err := encodeSet(keys)
		require.NoError(t, err)
		back, skipped, err := parseSet(again, false, true)
		require.NoError(t, err)
		require.NoError(t, errors.Join(skipped...))
		require.True(t, equal(keys, back))
		for _, k := range keys {
			_, secret := k.Public.([]byte)
			require.False(t, secret)
			_, ok := k.Public.(interface{ Equal(crypto.PublicKey) bool })
			require.True(t, ok)
		}
	})
}
