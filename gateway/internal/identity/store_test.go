package identity_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/identity"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
)

func digest(id string) string {
	d := policy.DigestOf(id)
	return fmt.Sprintf("%x", d[:])
}

func key(id string, version uint64) credential.Credential {
	return credential.Credential{
		ID: "cred-" + id, Kind: credential.APIKey, Digest: digest(id), Application: "app", Version: version,
	}
}

func feed(cs ...credential.Credential) credential.Feed {
	return credential.Feed{Credentials: cs, Applications: []credential.Application{{ID: "app", Name: "App"}}}
}

func find(s *identity.Store, id string) bool {
	_, ok := s.Lookup(policy.KindAPIKey, policy.DigestOf(id))
	return ok
}

func TestLookupReturnsWhatTheFeedSaid(t *testing.T) {
	t.Parallel()
	s := identity.New()
	c := key("k", 1)
	c.Plan, c.Verifier, c.ExpiresAt = "gold", "hash", time.Unix(1_800_000_000, 999)
	require.NoError(t, s.Apply(credential.Feed{
		Credentials: []credential.Credential{c},
		Applications: []credential.Application{{
			ID: "app", Name: "App", Organization: "org", Groups: []string{"g"}, Attributes: map[string]string{"a": "b"},
			Subscriptions: []credential.Subscription{{ID: "s", API: "orders", Plan: "gold", Active: true}},
		}},
	}))
	got, ok := s.Lookup(policy.KindAPIKey, policy.DigestOf("k"))
	require.True(t, ok)
	require.Equal(t, policy.Credential{
		ID: "cred-k", Plan: "gold", Verifier: []byte("hash"), ExpiresAt: 1_800_000_000,
		Application: &policy.Application{
			ID: "app", Name: "App", Organization: "org", Groups: []string{"g"}, Attributes: map[string]string{"a": "b"},
			Subscriptions: map[string][]policy.Subscription{"orders": {{ID: "s", Plan: "gold", Active: true}}},
		},
	}, got)
	_, ok = s.Lookup(policy.KindBasic, policy.DigestOf("k"))
	require.False(t, ok, "the kind is part of the identity")
	require.False(t, find(s, "other"))
	require.Equal(t, 1, s.Len())
}

// R16.2
func TestAnOlderEntryNeverUndoesANewerOne(t *testing.T) {
	t.Parallel()
	revoked := func(v uint64) credential.Credential { c := key("k", v); c.Revoked = true; return c }
	for _, c := range []struct {
		name string
		feed []credential.Credential
		live bool
	}{
		{"newer key after revocation", []credential.Credential{key("k", 1), revoked(2), key("k", 3)}, true},
		{"older key after revocation", []credential.Credential{key("k", 1), revoked(3), key("k", 2)}, false},
		{"same version after revocation", []credential.Credential{revoked(3), key("k", 3)}, false},
		{"revocation of the same version", []credential.Credential{key("k", 3), revoked(3)}, false},
		{"older revocation", []credential.Credential{key("k", 3), revoked(2)}, true},
		{"revocation comes first", []credential.Credential{revoked(2), key("k", 1)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			together, apart, full := identity.New(), identity.New(), identity.New()
			require.NoError(t, together.Apply(feed(c.feed...)))
			for _, e := range c.feed {
				require.NoError(t, apart.Apply(feed(e)))
				f := feed(e)
				f.Full = true
				require.NoError(t, full.Apply(f))
			}
			require.Equal(t, c.live, find(together, "k"))
			require.Equal(t, c.live, find(apart, "k"))
			require.Equal(t, c.live, find(full, "k"))
			require.Equal(t, map[bool]int{true: 1}[c.live], apart.Len())
		})
	}
}

func TestAWholeFeedTakesOutWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	s := identity.New()
	require.NoError(t, s.Apply(feed(key("a", 0), key("b", 0), key("c", 7))))
	whole := feed(key("b", 0))
	whole.Full = true
	require.NoError(t, s.Apply(whole))
	require.False(t, find(s, "a"))
	require.True(t, find(s, "b"))
	require.False(t, find(s, "c"))
	require.NoError(t, s.Apply(feed(key("a", 0), key("c", 7))))
	require.True(t, find(s, "a"), "an entry without version comes back")
	require.False(t, find(s, "c"), "a late entry of the version that is gone does not")
	require.NoError(t, s.Apply(feed(key("c", 8))))
	require.True(t, find(s, "c"))
	require.NoError(t, s.Apply(credential.Feed{Full: true}))
	require.Zero(t, s.Len())
}

func TestAnApplicationChangesForAllItsCredentialsAtOnce(t *testing.T) {
	t.Parallel()
	s := identity.New()
	require.NoError(t, s.Apply(credential.Feed{Credentials: []credential.Credential{key("a", 1), key("b", 1)}}))
	require.False(t, find(s, "a"), "an application that is not known accepts nobody")
	require.NoError(t, s.Apply(feed()))
	before, ok := s.Lookup(policy.KindAPIKey, policy.DigestOf("a"))
	require.True(t, ok)
	require.NoError(t, s.Apply(credential.Feed{Applications: []credential.Application{{ID: "app", Groups: []string{"new"}}}}))
	for _, id := range []string{"a", "b"} {
		c, ok := s.Lookup(policy.KindAPIKey, policy.DigestOf(id))
		require.True(t, ok)
		require.Equal(t, []string{"new"}, c.Application.Groups)
	}
	require.Empty(t, before.Application.Groups, "a request under way keeps what it saw")
}

func TestABadFeedChangesNothing(t *testing.T) {
	t.Parallel()
	s := identity.New()
	require.NoError(t, s.Apply(feed(key("a", 1))))
	for name, bad := range map[string]func(*credential.Credential){
		"kind":   func(c *credential.Credential) { c.Kind = "token" },
		"digest": func(c *credential.Credential) { c.Digest = "abc" },
		"hex":    func(c *credential.Credential) { c.Digest = strings.Repeat("x", 64) },
		"id":     func(c *credential.Credential) { c.ID = "" },
		"app":    func(c *credential.Credential) { c.Application = "" },
		"long":   func(c *credential.Credential) { c.Verifier = strings.Repeat("v", 5000) },
	} {
		c := key("z", 1)
		bad(&c)
		f := feed(key("y", 1), c)
		f.Full = true
		require.Error(t, s.Apply(f), name)
		require.True(t, find(s, "a"), name)
		require.False(t, find(s, "y"), name)
	}
}

func TestReplaceInParts(t *testing.T) {
	t.Parallel()
	s := identity.New()
	require.NoError(t, s.Apply(feed(key("old", 0))))
	broken := errors.New("connection lost")
	require.ErrorIs(t, s.Replace(func(yield func(credential.Feed, error) bool) {
		_ = yield(feed(key("a", 0)), nil) && yield(credential.Feed{}, broken)
	}), broken)
	require.True(t, find(s, "old"), "half a feed takes nothing out")
	require.NoError(t, s.Replace(func(yield func(credential.Feed, error) bool) {
		_ = yield(feed(key("a", 0)), nil) && yield(feed(key("b", 0)), nil)
	}))
	require.False(t, find(s, "old"))
	require.True(t, find(s, "a"))
	require.True(t, find(s, "b"))
}

// The store agrees with a map after any sequence of changes.
func TestAgreesWithAMap(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	s, want := identity.New(), map[string]credential.Credential{}
	for step := range 200 {
		f := feed()
		for range rnd.IntN(200) {
			c := key(fmt.Sprint(rnd.IntN(3000)), uint64(step+1))
			c.Revoked = rnd.IntN(4) == 0
			c.Verifier = strings.Repeat("v", rnd.IntN(300))
			f.Credentials = append(f.Credentials, c)
		}
		if f.Full = rnd.IntN(20) == 0; f.Full {
			clear(want)
		}
		for _, c := range f.Credentials {
			if old, ok := want[c.Digest]; !ok || !old.Revoked || old.Version < c.Version {
				want[c.Digest] = c
			}
		}
		require.NoError(t, s.Apply(f))
	}
	live := 0
	for i := range 3000 {
		id := fmt.Sprint(i)
		got, ok := s.Lookup(policy.KindAPIKey, policy.DigestOf(id))
		w, known := want[digest(id)]
		require.Equal(t, known && !w.Revoked, ok, id)
		if ok {
			live++
			require.Equal(t, w.ID, got.ID)
			require.Equal(t, w.Verifier, string(got.Verifier))
		}
	}
	require.Equal(t, live, s.Len())
}

func TestReadersAndWriters(t *testing.T) {
	t.Parallel()
	s := identity.New()
	require.NoError(t, s.Apply(feed(key("stays", 1))))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				c, ok := s.Lookup(policy.KindAPIKey, policy.DigestOf("stays"))
				if !ok || c.ID != "cred-stays" {
					t.Error("a credential that stays was not found")
					return
				}
				find(s, "k17")
			}
		})
	}
	for v := range uint64(300) {
		f := feed(key("k"+fmt.Sprint(v%40), v+1))
		f.Full = v%10 == 9
		if f.Full {
			f.Credentials = append(f.Credentials, key("stays", 1))
		}
		require.NoError(t, s.Apply(f))
	}
	close(stop)
	wg.Wait()
}

const million = 1_000_000

// fill adds a million credentials of ten thousand applications, in parts of
// 10,000.
func fill(tb testing.TB, s *identity.Store) {
	tb.Helper()
	require.NoError(tb, s.Replace(func(yield func(credential.Feed, error) bool) {
		for part := range million / 10_000 {
			f := credential.Feed{}
			for i := range 100 {
				id := fmt.Sprintf("01J8ZQ4W7Y%016d", part*100+i)
				f.Applications = append(f.Applications, credential.Application{
					ID: id, Name: "Application " + id, Organization: "org", Groups: []string{"partners"},
					Subscriptions: []credential.Subscription{{ID: "sub-" + id, API: "orders", Plan: "gold", Active: true}},
				})
			}
			for i := range 10_000 {
				n := part*10_000 + i
				f.Credentials = append(f.Credentials, credential.Credential{
					ID: fmt.Sprintf("01J8ZQ4W7X%016d", n), Kind: credential.APIKey, Digest: digest(fmt.Sprint(n)),
					Application: f.Applications[i%100].ID, Version: 1,
				})
			}
			if !yield(f, nil) {
				return
			}
		}
	}))
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// rss returns the resident memory of this process in bytes, 0 where the system
// does not tell.
func rss(tb testing.TB) int64 {
	tb.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, resident int64
	_, err = fmt.Sscan(string(b), &size, &resident)
	require.NoError(tb, err)
	return resident * int64(os.Getpagesize())
}

func TestAMillionCredentialsInBoundedMemory(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("fills a million entries and measures")
	}
	before := heap()
	s := identity.New()
	start := time.Now()
	fill(t, s)
	used := int64(heap()) - int64(before)
	debug.FreeOSMemory()
	resident := rss(t)
	t.Logf("a million credentials: %.1f MB of heap, process %.1f MB resident, filled in %v", float64(used)/1e6, float64(resident)/1e6, time.Since(start).Round(time.Millisecond))
	require.Equal(t, million, s.Len())
	require.Less(t, used, int64(70e6), "what the collector doubles")
	require.Less(t, resident, int64(200e6))
	took := time.Hour
	for i := range 5 { // the machine may be busy
		start = time.Now()
		require.NoError(t, s.Apply(feed(key(fmt.Sprint("one more ", i), 1))))
		took = min(took, time.Since(start))
	}
	require.Less(t, took, 50*time.Millisecond, "one change does not copy a million entries")
	d := policy.DigestOf("77777")
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if _, ok := s.Lookup(policy.KindAPIKey, d); !ok {
			t.Fatal("not found")
		}
	}))
	runtime.KeepAlive(s)
}

func BenchmarkLookup(b *testing.B) {
	s := identity.New()
	fill(b, s)
	digests := make([]policy.Digest, 1<<16)
	for i := range digests {
		digests[i] = policy.DigestOf(fmt.Sprint(rand.IntN(million)))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, ok := s.Lookup(policy.KindAPIKey, digests[i&(1<<16-1)]); !ok {
			b.Fatal("not found")
		}
		i++
	}
}
