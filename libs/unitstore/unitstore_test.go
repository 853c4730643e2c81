package unitstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a bucket to write into, and one to read what acme may.
func open(t *testing.T) (write, read *bus.Bucket) {
	t.Helper()
	s, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		{Service: "manager", Buckets: []bus.BucketAccess{{Name: "units", Write: true}}},
		{Service: "gateway", Client: true, Buckets: []bus.BucketAccess{{Name: "units", Keys: []string{"acme.>"}}}},
	}})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	bucket := func(service string, readOnly bool) *bus.Bucket {
		b, err := bus.Connect(s.For(service))
		require.NoError(t, err)
		t.Cleanup(func() { _ = b.Close(context.Background()) })
		k, err := b.Bucket(t.Context(), bus.BucketOptions{Name: "units", ReadOnly: readOnly})
		require.NoError(t, err)
		return k
	}
	return bucket("manager", false), bucket("gateway", true)
}

func TestDocumentsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	w, r := open(t)
	write, read := New(w), New(r)
	random := make([]byte, 3<<20) // cannot be compressed: seven parts
	_, _ = rand.Read(random)
	docs := map[unit.Hash][]byte{}
	for _, doc := range [][]byte{[]byte("{}"), []byte(strings.Repeat("a", 5<<20)), random, random[:part], random[:part-64]} {
		docs[unit.HashOf(doc)] = doc
	}
	written, err := write.Put(t.Context(), "acme", docs)
	require.NoError(t, err)
	require.Greater(t, written, int64(4<<20))
	require.Less(t, written, int64(5<<20), "what can be compressed is")
	again, err := write.Put(t.Context(), "acme", docs)
	require.NoError(t, err)
	require.Zero(t, again, "what is there is not written again")
	again, err = New(w).Put(t.Context(), "acme", docs)
	require.NoError(t, err)
	require.Zero(t, again, "nor by another replica")

	hashes := []unit.Hash{}
	for h, doc := range docs {
		got, err := read.Get(t.Context(), "acme", h)
		require.NoError(t, err)
		require.Equal(t, doc, got)
		hashes = append(hashes, h)
	}
	none := unit.HashOf([]byte("none"))
	got, _, err := read.GetAll(t.Context(), "acme", append(hashes, none))
	require.ErrorIs(t, err, ErrMissing)
	require.Equal(t, docs, got)
	_, err = write.Get(t.Context(), "evil", hashes[0])
	require.ErrorIs(t, err, ErrMissing, "documents are an organization's own")
	has, err := read.Has(t.Context(), "acme", hashes[0])
	require.NoError(t, err)
	require.True(t, has)
	has, err = read.Has(t.Context(), "acme", none)
	require.NoError(t, err)
	require.False(t, has)
	_, err = write.Put(t.Context(), "acme", map[unit.Hash][]byte{none: []byte("other")})
	require.ErrorIs(t, err, unit.ErrHash)
}

func TestDamageIsNoticed(t *testing.T) {
	t.Parallel()
	w, _ := open(t)
	s := New(w)
	random := make([]byte, 2*part)
	_, _ = rand.Read(random)
	h := unit.HashOf(random)
	_, err := s.Put(t.Context(), "acme", map[unit.Hash][]byte{h: random})
	require.NoError(t, err)
	key := "acme." + string(h)
	for name, values := range map[string]map[string]string{
		"another part":  {key + ".1": "xx"},
		"another form":  {key: "x"},
		"no head":       {key: "p{"},
		"a huge head":   {key: `p{"parts":99999999,"size":1}`},
		"not zstd":      {key: "zzzzz"},
		"another's doc": {key: string(s.enc.EncodeAll([]byte("other"), []byte{formWhole}))},
		"nothing":       {key: ""},
	} {
		for k, v := range values {
			_, err := w.Put(t.Context(), k, []byte(v))
			require.NoError(t, err)
		}
		_, err := s.Get(t.Context(), "acme", h)
		require.Error(t, err, name)
	}
}

func TestSweepTakesWhatIsOldAndUnused(t *testing.T) {
	t.Parallel()
	w, _ := open(t)
	s := New(w)
	docs, hashes := map[unit.Hash][]byte{}, []unit.Hash{}
	random := make([]byte, 2*part)
	_, _ = rand.Read(random)
	for i := range 3 {
		doc := fmt.Append(nil, i)
		if i == 2 {
			doc = random
		}
		docs[unit.HashOf(doc)] = doc
		hashes = append(hashes, unit.HashOf(doc))
	}
	for _, org := range []string{"acme", "other"} {
		_, err := s.Put(t.Context(), org, docs)
		require.NoError(t, err)
	}
	keep := func(h unit.Hash) bool { return h == hashes[0] }
	n, err := s.Sweep(t.Context(), "acme", keep)
	require.NoError(t, err)
	require.Zero(t, n, "what is young may be on its way")

	later := func() time.Time { return time.Now().Add(Grace + time.Minute) }
	s.now = later
	written, err := s.Put(t.Context(), "acme", map[unit.Hash][]byte{hashes[1]: docs[hashes[1]]})
	require.NoError(t, err)
	require.NotZero(t, written, "put again it is young again")
	s.now = func() time.Time { return later().Add(-2 * time.Minute) }
	n, err = s.Sweep(t.Context(), "acme", keep)
	require.NoError(t, err)
	require.Zero(t, n, "its clock is that of NATS")
	s.now = later
	n, err = s.Sweep(t.Context(), "acme", keep)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	keys, err := w.Keys(t.Context(), "acme.>")
	require.NoError(t, err)
	require.Equal(t, []string{"acme." + string(hashes[0])}, keys, "parts are gone as well")
	keys, err = w.Keys(t.Context(), "other.>")
	require.NoError(t, err)
	require.Len(t, keys, 3+3)
	written, err = s.Put(t.Context(), "acme", docs)
	require.NoError(t, err)
	require.NotZero(t, written, "what was swept is written again")
}
