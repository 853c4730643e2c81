package plane

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/identity"
	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/gateway"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// feedOf returns a plane that only takes in credentials, and its follower.
func feedOf(t *testing.T, dir string) (*Plane, *follower) {
	t.Helper()
	p := &Plane{
		o:     Options{Organization: "acme", Cache: cache(t, dir, nil), Credentials: identity.New(), Log: silent, Now: time.Now},
		first: make(chan struct{}),
	}
	p.missing.Store(1)
	_, err := p.LoadCredentials()
	require.NoError(t, err)
	t.Cleanup(p.journal.close)
	return p, &follower{p: p, at: p.from}
}

type teller struct {
	t        *testing.T
	f        *follower
	epoch    string
	revision uint64
}

func (x *teller) tell(e bus.Entry) {
	x.t.Helper()
	if !e.Marker && !e.Reset {
		x.revision++
	}
	e.Epoch, e.Revision = x.epoch, x.revision
	require.NoError(x.t, x.f.take(e))
}

func (x *teller) put(key string, v any) {
	x.t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(x.t, err)
	x.tell(bus.Entry{Key: "acme." + key, Value: raw})
}

func (x *teller) app(id string) { x.put("application."+id, credential.Application{ID: id, Name: id}) }

func digestOf(key string) string { return string(unit.HashOf([]byte(key))) }

func (x *teller) key(key string, version uint64, revoked bool) {
	x.put("credential."+digestOf(key), credential.Credential{
		ID: key, Kind: credential.APIKey, Digest: digestOf(key), Application: "shop", Version: version, Revoked: revoked,
	})
}

func known(p *Plane, key string) bool {
	_, ok := p.o.Credentials.Lookup(policy.KindAPIKey, policy.DigestOf(key))
	return ok
}

func TestFeedIsTakenInAndRemembered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, f := feedOf(t, dir)
	x := &teller{t: t, f: f, epoch: "one"}
	x.app("shop")
	x.key("a", 1, false)
	x.key("b", 1, false)
	require.True(t, known(p, "a"), "at once, not when all is told")
	select {
	case <-p.First():
		t.Fatal("not all was told")
	default:
	}
	x.tell(bus.Entry{Marker: true})
	<-p.First()
	x.key("a", 2, true)
	require.False(t, known(p, "a"))
	x.key("a", 1, false)
	require.False(t, known(p, "a"), "an older entry does not bring it back")
	x.tell(bus.Entry{Key: "acme.credential." + digestOf("b"), Deleted: true})
	require.False(t, known(p, "b"))
	x.key("b", 1, false)
	require.True(t, known(p, "b"), "what was deleted can be written again")

	// What is not well-formed is as good as nothing, and never lets anybody in.
	for _, value := range []string{"{", `{"digest":"x"}`, `{}`, `[]`, `{"id":"b","kind":"telepathy","application":"shop","digest":"` + digestOf("b") + `"}`} {
		x.key("b", 1, false)
		require.True(t, known(p, "b"))
		x.tell(bus.Entry{Key: "acme.credential." + digestOf("b"), Value: []byte(value)})
		require.False(t, known(p, "b"), value)
	}
	x.tell(bus.Entry{Key: "acme.unknown.x", Value: []byte("{}")})
	x.tell(bus.Entry{Key: "acme", Value: []byte("{}")})
	x.key("b", 1, false)
	x.key("c", 1, false)
	x.tell(bus.Entry{Key: "acme.application.shop", Deleted: true})
	require.False(t, known(p, "b"), "nobody's key")
	x.app("shop")
	require.True(t, known(p, "b"))
	p.journal.close()

	// A restart knows the same, and where to go on.
	again, g := feedOf(t, dir)
	require.False(t, known(again, "a"))
	require.True(t, known(again, "b"))
	require.True(t, known(again, "c"))
	require.Equal(t, bus.Position{Epoch: "one", Revision: x.revision}, g.position())
}

func TestFeedThatIsToldAnew(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) (*Plane, *teller) {
		p, f := feedOf(t, t.TempDir())
		x := &teller{t: t, f: f, epoch: "one"}
		x.app("shop")
		x.app("other")
		x.key("a", 1, false)
		x.key("b", 1, false)
		x.key("c", 5, true)
		x.tell(bus.Entry{Marker: true})
		x.epoch, x.revision = "two", 0
		x.tell(bus.Entry{Reset: true})
		x.tell(bus.Entry{Marker: true})
		require.True(t, known(p, "a"), "nothing was told yet, so nothing is gone")
		x.app("shop")
		x.key("a", 1, false)
		require.True(t, known(p, "b"), "it may still be told")
		x.key("c", 4, false)
		require.False(t, known(p, "c"), "what was revoked stays so")
		return p, x
	}
	t.Run("to its end", func(t *testing.T) {
		t.Parallel()
		p, x := start(t)
		x.put(gateway.Complete, "now")
		require.True(t, known(p, "a"))
		require.False(t, known(p, "b"))
		x.key("b", 1, false)
		require.True(t, known(p, "b"))
		_, ok := p.o.Credentials.Application("other")
		require.False(t, ok)
	})
	t.Run("until it is quiet", func(t *testing.T) {
		t.Parallel()
		p, x := start(t)
		x.f.mu.Lock()
		x.f.quiet(time.Millisecond)
		x.f.mu.Unlock()
		require.Eventually(t, func() bool { return !known(p, "b") }, 30*time.Second, time.Millisecond)
		require.True(t, known(p, "a"))
	})
	t.Run("in the middle of a restart", func(t *testing.T) {
		t.Parallel()
		p, x := start(t)
		p.journal.close()
		again, f := feedOf(t, p.o.Cache.Dir())
		require.Equal(t, "one", f.position().Epoch, "what was not told to its end is not where to go on")
		require.True(t, known(again, "b"))
		require.False(t, known(again, "c"))
		_ = x
	})
	t.Run("with changes behind the end", func(t *testing.T) {
		t.Parallel()
		p, f := feedOf(t, t.TempDir())
		x := &teller{t: t, f: f, epoch: "one"}
		x.app("shop")
		x.key("a", 1, false)
		x.tell(bus.Entry{Marker: true})
		x.epoch, x.revision = "two", 0
		x.tell(bus.Entry{Reset: true})
		x.app("shop")
		x.put(gateway.Complete, "before")
		require.True(t, known(p, "a"))
		x.key("a", 1, false)
		x.tell(bus.Entry{Marker: true})
		require.True(t, known(p, "a"))
	})
}

func TestManyEntriesAreTakenIn(t *testing.T) {
	n := 50_000
	if testing.Short() {
		n = 10_000
	}
	dir := t.TempDir()
	p, f := feedOf(t, dir)
	x := &teller{t: t, f: f, epoch: "one"}
	x.app("shop")
	values := make([]bus.Entry, n)
	for i := range values {
		key := fmt.Sprint("key-", i)
		raw, err := json.Marshal(credential.Credential{ID: key, Kind: credential.APIKey, Digest: digestOf(key), Application: "shop", Version: 1})
		require.NoError(t, err)
		values[i] = bus.Entry{Key: "acme.credential." + digestOf(key), Value: raw}
	}
	begin := time.Now()
	for _, e := range values {
		x.tell(e)
	}
	x.tell(bus.Entry{Marker: true})
	t.Logf("%d entries taken in: %s", n, time.Since(begin))
	require.Equal(t, n, p.o.Credentials.Len())
	p.journal.close()
	begin = time.Now()
	again, _ := feedOf(t, dir)
	t.Logf("and read from disk: %s", time.Since(begin))
	require.Equal(t, n, again.o.Credentials.Len())
}

func TestTrustedKeys(t *testing.T) {
	t.Parallel()
	pub, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	p := &Plane{joined: registration{Keys: [][]byte{pub, []byte("short")}}}
	require.Equal(t, []ed25519.PublicKey{pub}, p.Trusted())
	other, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	p.o.Pinned = []ed25519.PublicKey{other}
	require.Equal(t, []ed25519.PublicKey{other}, p.Trusted(), "pinned keys are the only ones")
}

func TestName(t *testing.T) {
	t.Parallel()
	require.Equal(t, "gw-1-example-com", Name("gw-1.example.com"))
	require.Len(t, Name(fmt.Sprintf("%0100d", 1)), 64)
}
