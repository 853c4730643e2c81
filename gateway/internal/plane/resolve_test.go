package plane

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
	"github.com/gatehouse/gatehouse/libs/unitstore"
)

// What is resolved by the difference is what is resolved as a whole, whatever
// was changed.
func TestResolvingByTheDifferenceAgreesWithTheWhole(t *testing.T) {
	t.Parallel()
	s, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{{Service: "manager", Buckets: []bus.BucketAccess{{Name: "units", Write: true}}}}})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	b, err := bus.Connect(s.For("manager"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	bucket, err := b.Bucket(t.Context(), bus.BucketOptions{Name: "units"})
	require.NoError(t, err)
	store := unitstore.New(bucket)
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)

	var current map[unit.Hash][]byte
	p := &Plane{
		o: Options{Organization: "acme", Units: func() map[unit.Hash][]byte { return current }}, units: store, fetched: map[unit.Hash][]byte{},
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	type item struct {
		kind    unit.Kind
		project string
		hash    unit.Hash
	}
	items, docs := map[string]item{}, map[unit.Hash][]byte{}
	set := func(name string) {
		it := item{kind: unit.KindAPI, project: fmt.Sprint("p", rnd.IntN(3))}
		if rnd.IntN(20) == 0 {
			it.kind = unit.KindPolicySet
		}
		doc, h, err := unit.Encode(unit.API{ID: name, Name: fmt.Sprint(rnd.IntN(4)), BasePath: "/" + name})
		require.NoError(t, err)
		it.hash, docs[h] = h, doc
		items[name] = it
	}
	for i := range 250 {
		set(fmt.Sprint("api-", i))
	}
	for version := range uint64(40) {
		switch n := rnd.IntN(10); {
		case n < 6: // one
			set(fmt.Sprint("api-", rnd.IntN(280)))
		case n < 8: // some go
			for range rnd.IntN(30) {
				delete(items, fmt.Sprint("api-", rnd.IntN(280)))
			}
		case n == 8: // many
			for range 80 {
				set(fmt.Sprint("api-", rnd.IntN(280)))
			}
		}
		refs, units := []unit.Ref{}, maps.Clone(docs)
		for name, it := range items {
			refs = append(refs, unit.Ref{Kind: it.kind, Name: name, Hash: it.hash})
		}
		_, m, err := unit.Assemble(unit.Manifest{Group: "g", Epoch: "e", Version: version, Issued: time.Now()}, refs,
			func(r unit.Ref) string { return items[r.Name].project }, units, key)
		require.NoError(t, err)
		_, err = store.Put(t.Context(), "acme", units)
		require.NoError(t, err)

		next, err := p.resolve(t.Context(), m)
		require.NoError(t, err)
		want, err := source.Flatten(m, func(r unit.Ref) ([]byte, error) { return units[r.Hash], nil })
		require.NoError(t, err)
		require.Equal(t, want.Refs, next.refs, "version %d", version)
		for h, doc := range want.Units {
			require.Equal(t, doc, next.document(h), "version %d", version)
		}
		require.Less(t, len(next.units)+len(next.base), 2*len(want.Units)+500, "what nothing lists any more does not pile up")
		p.tree, current = next, next.units
		clear(p.fetched)
	}
}
