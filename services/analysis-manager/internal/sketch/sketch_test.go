package sketch_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/sketch"
)

// shapes are ways in which durations may be spread.
func shapes(r *rand.Rand) map[string]func() int64 {
	return map[string]func() int64{
		"even":        func() int64 { return r.Int64N(1_000_000) },
		"tiny":        func() int64 { return r.Int64N(20) },
		"constant":    func() int64 { return 1234 },
		"exponential": func() int64 { return int64(r.ExpFloat64() * 30_000) },
		"log-normal":  func() int64 { return int64(math.Exp(r.NormFloat64()*2 + 9)) },
		"two peaks": func() int64 {
			if r.IntN(20) == 0 {
				return 30_000_000 + r.Int64N(1000)
			}
			return 900 + r.Int64N(50)
		},
		"huge": func() int64 { return r.Int64() },
	}
}

func TestQuantilesAreWithinOnePercent(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for name, draw := range shapes(r) {
		for _, n := range []int{1, 2, 3, 10, 1000, 20_000} {
			values := make([]int64, n)
			var s sketch.Sketch
			for i := range values {
				values[i] = draw()
				s.Add(values[i], 1)
			}
			slices.Sort(values)
			for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1} {
				want := values[max(1, int(math.Ceil(q*float64(n))))-1]
				got := s.Quantile(q)
				// Half a unit more, since results are whole numbers.
				require.InDelta(t, float64(want), float64(got), float64(want)*sketch.Error*1.000001+0.5, "%s: quantile %g of %d", name, q, n)
			}
		}
	}
}

// However values are spread over sketches, together they give the same.
func TestMergingLosesNothing(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for name, draw := range shapes(r) {
		var whole, merged, decoded sketch.Sketch
		parts := make([]sketch.Sketch, 7)
		for range 5000 {
			v, n := draw(), uint64(1+r.IntN(3))
			whole.Add(v, n)
			parts[r.IntN(len(parts))].Add(v, n)
		}
		for i := range parts {
			merged.Merge(&parts[i])
			require.NoError(t, decoded.Decode(encode(t, &parts[i])))
		}
		want := encode(t, &whole)
		require.Equal(t, want, encode(t, &merged), name)
		require.Equal(t, want, encode(t, &decoded), name)
		require.Equal(t, whole.Count(), decoded.Count())
	}
}

func TestEmptyAndReset(t *testing.T) {
	t.Parallel()
	var s sketch.Sketch
	require.Zero(t, s.Quantile(0.5))
	empty := encode(t, &s)
	s.Add(5, 0)
	require.Equal(t, empty, encode(t, &s))
	s.Add(-3, 2)
	s.Add(100, 1)
	require.Zero(t, s.Quantile(0.5))
	require.Equal(t, int64(100), s.Quantile(1))
	s.Reset()
	require.Equal(t, empty, encode(t, &s))
	s.Add(7, 1)
	require.Equal(t, int64(7), s.Quantile(0.5))
}

// A damaged sketch is refused as a whole.
func TestDecodeRefusesDamage(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{
		"nothing":         nil,
		"other version":   {2, 0},
		"no zeros":        {1},
		"no count":        {1, 0, 4},
		"same bucket":     {1, 0, 4, 1, 0, 1},
		"bucket too high": {1, 0, 0xff, 0x7f, 1},
		"endless number":  {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"too many":        {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"too many at all": {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 1},
	} {
		var s sketch.Sketch
		s.Add(9, 3)
		before := encode(t, &s)
		require.ErrorContains(t, s.Decode(b), "reading sketch: ", name)
		require.Equal(t, before, encode(t, &s), name)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{1, 0})
	f.Add([]byte{1, 3, 10, 1, 1, 200, 1})
	f.Add([]byte{1, 0, 0x89, 0x11, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s sketch.Sketch
		if s.Decode(b) != nil {
			require.Zero(t, s.Count())
			return
		}
		again := encode(t, &s)
		var back sketch.Sketch
		require.NoError(t, back.Decode(again))
		require.Equal(t, s.Count(), back.Count())
		require.Equal(t, again, encode(t, &back))
		require.GreaterOrEqual(t, back.Quantile(1), back.Quantile(0.5))
	})
}

func encode(t *testing.T, s *sketch.Sketch) []byte {
	t.Helper()
	b, err := s.AppendBinary(nil)
	require.NoError(t, err)
	return b
}

func BenchmarkAdd(b *testing.B) {
	var s sketch.Sketch
	b.ReportAllocs()
	for i := int64(1); b.Loop(); i++ {
		s.Add(1000+i%5000, 1)
	}
}
