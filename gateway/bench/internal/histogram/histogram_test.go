package histogram

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuantileOfKnownValues(t *testing.T) {
	t.Parallel()
	var h Histogram
	for i := 1; i <= 100; i++ {
		h.Record(time.Duration(i)) // below 128 ns every value has its own bucket
	}
	require.EqualValues(t, 100, h.Count())
	require.Equal(t, time.Duration(1), h.Quantile(0))
	require.Equal(t, time.Duration(50), h.Quantile(0.5))
	require.Equal(t, time.Duration(99), h.Quantile(0.99))
	require.Equal(t, time.Duration(100), h.Quantile(1))
	require.Equal(t, time.Duration(100), h.Max())
}

func TestEmptyAndNegative(t *testing.T) {
	t.Parallel()
	var h Histogram
	require.Zero(t, h.Quantile(0.99))
	h.Record(-time.Second)
	require.EqualValues(t, 1, h.Count())
	require.Zero(t, h.Quantile(1))
}

func TestQuantileIsWithinOnePartIn128(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	var all []time.Duration
	for range 20_000 {
		d := time.Duration(rng.ExpFloat64() * float64(300*time.Microsecond))
		h.Record(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := float64(all[max(int(q*float64(len(all)))-1, 0)])
		require.InEpsilon(t, exact, float64(h.Quantile(q)), 1.0/64, "q=%v", q)
	}
}

func TestEveryBucketHoldsItsUpperEnd(t *testing.T) {
	t.Parallel()
	for i := range buckets {
		end := upper(i)
		if end < 0 {
			break // past the largest duration
		}
		require.Equal(t, i, bucket(uint64(end)))
		if i > 0 {
			require.Equal(t, i-1, bucket(uint64(upper(i-1))))
			require.Equal(t, i, bucket(uint64(upper(i-1))+1))
		}
	}
}

func TestAddIsTheSameAsRecordingAll(t *testing.T) {
	t.Parallel()
	var a, b, both Histogram
	for i := range 1000 {
		d := time.Duration(i*i) * time.Microsecond
		both.Record(d)
		if i%2 == 0 {
			a.Record(d)
		} else {
			b.Record(d)
		}
	}
	a.Add(&b)
	require.Equal(t, both, a)
}

// Not parallel: AllocsPerRun counts the whole process.
func TestRecordDoesNotAllocate(t *testing.T) {
	var h Histogram
	require.Zero(t, testing.AllocsPerRun(100, func() { h.Record(123 * time.Microsecond) }))
}
