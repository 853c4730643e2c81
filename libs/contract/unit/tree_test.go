package unit_test

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func apiRef(i, change int) unit.Ref {
	return unit.Ref{Kind: unit.KindAPI, Name: fmt.Sprintf("api-%d", i), Hash: unit.HashOf(fmt.Appendf(nil, "%d %d", i, change))}
}

func write(t *testing.T, tree *unit.Tree) (root unit.Ref, written map[unit.Hash][]byte) {
	t.Helper()
	written = map[unit.Hash][]byte{}
	root, err := tree.Write(func(h unit.Hash, doc []byte) { written[h] = doc })
	require.NoError(t, err)
	return root, written
}

// What is written depends on what is in the tree, not on how it came there.
func TestTreeIsTheSameWhateverItsHistory(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	tree, now := unit.NewTree("p"), map[int]int{}
	for step := range 4000 {
		i := r.IntN(600)
		if step > 2500 {
			i = r.IntN(2000) % 600
		}
		if r.IntN(3) == 0 || step > 3000 {
			tree.Remove(fmt.Sprintf("api-%d", i))
			delete(now, i)
		} else {
			now[i] = r.IntN(5)
			tree.Set(apiRef(i, now[i]))
		}
		require.Equal(t, len(now), tree.Len())
		if step%250 != 0 {
			continue
		}
		again := unit.NewTree("p")
		for i, change := range now {
			again.Set(apiRef(i, change))
		}
		want, _ := write(t, again)
		got, _ := write(t, tree)
		require.Equal(t, want, got, "after %d steps", step)
	}
}

// One change costs the same few documents in a project of 5,000 units as in one
// of 200: what is sent does not grow with the number of APIs.
func TestOneChangeCostsAShortPath(t *testing.T) {
	t.Parallel()
	for _, n := range []int{200, 5000, 20000} {
		tree := unit.NewTree("p")
		for i := range n {
			tree.Set(apiRef(i, 0))
		}
		_, all := write(t, tree)
		_, none := write(t, tree)
		require.Empty(t, none)
		tree.Set(apiRef(7, 1))
		_, changed := write(t, tree)
		size := 0
		for _, doc := range changed {
			size += len(doc)
		}
		t.Logf("%d units: %d indexes, %d of them and %d bytes for one change", n, len(all), len(changed), size)
		require.LessOrEqual(t, len(changed), 5)
		require.Less(t, size, 16<<10)
		tree.Touch()
		_, whole := write(t, tree)
		require.Len(t, whole, len(all))
	}
}

func TestAssembleWritesTheSameIndexes(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	tree, refs := unit.NewTree("p"), []unit.Ref{}
	for i := range 300 {
		tree.Set(apiRef(i, 0))
		refs = append(refs, apiRef(i, 0))
	}
	root, docs := write(t, tree)
	units := map[unit.Hash][]byte{}
	_, m, err := unit.Assemble(unit.Manifest{}, refs, func(unit.Ref) string { return "p" }, units, key)
	require.NoError(t, err)
	require.Equal(t, []unit.Ref{root}, m.Projects)
	require.Equal(t, docs, units)
}
