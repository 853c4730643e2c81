package plane_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/plane"
	"github.com/gatehouse/gatehouse/gateway/internal/traffic/spool"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/contract/traffic"
)

func TestBatchesAreShippedWholeOrInParts(t *testing.T) {
	t.Parallel()
	s, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
		plane.Access("gw", "acme", "main", "gw"), {Service: "analysis-manager", Collects: []string{"records"}},
	}})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	connect := func(service string) *bus.Bus {
		b, err := bus.Connect(s.For(service))
		require.NoError(t, err)
		t.Cleanup(func() { _ = b.Close(context.Background()) })
		return b
	}
	var mu sync.Mutex
	got, records, lost := map[string]int{}, int64(0), 0
	go func() {
		_ = bus.Collect(t.Context(), connect("analysis-manager"), "records", func(_ context.Context, batch []bus.Shipment) error {
			mu.Lock()
			defer mu.Unlock()
			for _, s := range batch {
				b, lines, err := traffic.OpenBatch(s.Header, s.Body)
				if err != nil {
					return err
				}
				records += b.Records
				lost += len(b.Lost)
				for _, l := range lines {
					got[string(l[:8])]++
				}
			}
			return nil
		})
	}()
	ship := &plane.Shipper{Bus: connect("gw"), Organization: "acme", Group: "main", Gateway: "gw"}
	batch := func(id string, sizes ...int) spool.Batch {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		for i, n := range sizes {
			noise := make([]byte, n)
			_, _ = rand.Read(noise)
			fmt.Fprintf(w, "%s-%06d %s\n", id, i, base64.StdEncoding.EncodeToString(noise))
		}
		require.NoError(t, w.Close())
		return spool.Batch{ID: id, Records: int64(len(sizes)), Gzip: z.Bytes(), Lost: []traffic.Loss{{Records: 1, Reason: "full"}}}
	}
	require.Eventually(t, func() bool { return ship.Ship(t.Context(), batch("a", 10, 20)) == nil }, 30*time.Second, 10*time.Millisecond)
	large := make([]int, 24)
	for i := range large {
		large[i] = 60 << 10
	}
	b := batch("b", large...)
	require.NoError(t, ship.Ship(t.Context(), b))
	require.NoError(t, ship.Ship(t.Context(), b), "shipped again it has the same parts")
	require.ErrorIs(t, ship.Ship(t.Context(), batch("c", 10, 1200<<10, 10)), spool.ErrRejected, "one record alone is too large")
	require.ErrorIs(t, ship.Ship(t.Context(), batch("d", 1200<<10)), spool.ErrRejected)
	const want = 2 + 24 + 2
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == want }, 30*time.Second, 10*time.Millisecond)
	mu.Lock()
	defer mu.Unlock()
	for line, n := range got {
		require.Equal(t, 1, n, "line %s", line)
	}
	require.EqualValues(t, want, records)
	require.Equal(t, 3, lost, "losses are told once for each batch")
}
