package gateway

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func snapshotOf(t *testing.T, key ed25519.PrivateKey, version uint64) source.Snapshot {
	t.Helper()
	signed, m, err := unit.Assemble(unit.Manifest{Group: "g", Epoch: "e", Version: version}, nil, nil, map[unit.Hash][]byte{}, key)
	require.NoError(t, err)
	return source.Snapshot{Manifest: m, Signed: signed, Units: map[unit.Hash][]byte{}, Locate: func(unit.Kind, string, string) (string, string) { return "", "" }}
}

// However many configurations come while one is written, the newest is on disk
// in the end, also when the gateway is told to stop just then.
func TestTheNewestConfigurationIsKept(t *testing.T) {
	t.Parallel()
	public, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for range 5 {
		cache, err := source.OpenCache(t.TempDir(), nil)
		require.NoError(t, err)
		g := &gateway{cache: cache, log: slog.New(slog.DiscardHandler), toKeep: make(chan source.Snapshot, 1)}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { g.keepAll(ctx) })
		const last = 20
		for v := range uint64(last) {
			g.keep(snapshotOf(t, key, v+1)) // never waits for the disk
		}
		stop()
		wg.Wait()
		got, err := cache.Load(public)
		require.NoError(t, err)
		require.EqualValues(t, last, got.Manifest.Version)
	}
}
