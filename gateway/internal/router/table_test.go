package router

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A table answers as a map does, whatever is done to it, and older versions
// stay as they were.
func TestTable(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	seed := maphash.MakeSeed()
	check := func(tab table[int], want map[string]int) {
		require.Equal(t, len(want), tab.n)
		seen := 0
		tab.each(func(key string, v int) {
			seen++
			require.Equal(t, want[key], v)
		})
		require.Equal(t, len(want), seen)
		for key, v := range want {
			got, ok := tab.get(seed, key)
			require.True(t, ok)
			require.Equal(t, v, got)
		}
		_, ok := tab.get(seed, "never")
		require.False(t, ok)
	}
	var tab, old table[int]
	want, oldWant := map[string]int{}, map[string]int{}
	for step := range 400 {
		size := 1 + r.IntN(5)
		if r.IntN(20) == 0 {
			size = 1 + r.IntN(600)
		}
		shrinking := step/50%2 == 1
		var edits []edit[int]
		named := map[string]bool{}
		for range size {
			key := fmt.Sprint(r.IntN(2000))
			if named[key] {
				continue
			}
			named[key] = true
			e := edit[int]{key: key, val: r.Int(), remove: r.IntN(4) == 0 || shrinking && r.IntN(10) > 0}
			edits = append(edits, e)
		}
		if r.IntN(40) == 0 {
			old, oldWant = tab, map[string]int{}
			for k, v := range want {
				oldWant[k] = v
			}
		}
		tab = tab.with(seed, edits)
		for _, e := range edits {
			if delete(want, e.key); !e.remove {
				want[e.key] = e.val
			}
		}
		if step%10 == 0 {
			check(tab, want)
			check(old, oldWant)
		}
	}
	check(tab, want)
	check(old, oldWant)
}
