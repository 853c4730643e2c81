package counter

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSlots compares with Go's map, with hashes that fall on few places.
func TestSlots(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var s slots
	want := map[uint64]*entry{}
	check := func() {
		require.Len(t, want, s.used)
		for h, e := range want {
			require.Same(t, e, s.get(h))
		}
		n := 0
		for _, x := range s.all {
			if x.entry != nil {
				n++
			}
		}
		require.Len(t, want, n)
	}
	for range 200 {
		for range r.IntN(40) {
			h := r.Uint64N(64) * 0x100
			e := &entry{}
			s.put(h, e)
			want[h] = e
			require.Nil(t, s.get(h+1))
		}
		check()
		out := map[*entry]bool{}
		for h, e := range want {
			if r.IntN(3) == 0 {
				out[e] = true
				delete(want, h)
			}
		}
		s.filter(func(e *entry) *entry {
			if out[e] {
				return nil
			}
			return e
		})
		check()
	}
}
