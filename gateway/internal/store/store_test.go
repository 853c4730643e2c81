package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/store"
)

func TestValuesEndWithTheirTime(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	s := store.New(1<<20, func() time.Time { return now })
	s.Set("a", 1, 8, time.Minute)
	v, ok := s.Get("a")
	require.True(t, ok)
	require.Equal(t, 1, v)
	now = now.Add(time.Minute)
	_, ok = s.Get("a")
	require.False(t, ok)
}

func TestTheBoundHoldsAndWhatIsUsedStays(t *testing.T) {
	t.Parallel()
	s := store.New(1<<20, time.Now)
	s.Set("kept", true, 8, time.Hour)
	for i := range 5000 {
		s.Set(fmt.Sprint(i), i, 1024, time.Hour)
		_, ok := s.Get("kept")
		require.True(t, ok)
	}
	_, size, evicted := s.Stats()
	require.LessOrEqual(t, size, int64(1<<20))
	require.Positive(t, evicted)
	s.Set("huge", 1, 1<<20, time.Hour)
	_, ok := s.Get("huge")
	require.False(t, ok)
}

func TestDeletePrefixRemovesOnlyThoseKeys(t *testing.T) {
	t.Parallel()
	s := store.New(1<<20, time.Now)
	for i := range 100 {
		s.Set(fmt.Sprintf("orders/%d", i), i, 1, time.Hour)
		s.Set(fmt.Sprintf("ordersx/%d", i), i, 1, time.Hour)
	}
	require.Equal(t, 100, s.DeletePrefix("orders/"))
	_, ok := s.Get("ordersx/7")
	require.True(t, ok)
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := store.New(1<<16, time.Now)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				k := fmt.Sprint(i % 100)
				s.Set(k, g, 100, time.Hour)
				s.Get(k)
				s.Delete(k)
			}
		})
	}
	wg.Wait()
}
