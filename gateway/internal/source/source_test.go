package source_test

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

func snapshot(t *testing.T, key ed25519.PrivateKey, version uint64, apis int, change string) source.Snapshot {
	t.Helper()
	units, refs := map[unit.Hash][]byte{}, []unit.Ref{}
	for i := range apis {
		a := unit.API{ID: fmt.Sprintf("api-%d", i), Name: "x", BasePath: fmt.Sprintf("/a%d", i)}
		if i == 7 {
			a.Version = change
		}
		doc, h, err := unit.Encode(a)
		require.NoError(t, err)
		units[h] = doc
		refs = append(refs, unit.Ref{Kind: unit.KindAPI, Name: a.ID, Hash: h})
	}
	signed, m, err := unit.Assemble(unit.Manifest{Group: "g", Epoch: "e", Version: version, Issued: time.Now()},
		refs, func(unit.Ref) string { return "default" }, units, key)
	require.NoError(t, err)
	s, err := source.Flatten(m, func(r unit.Ref) ([]byte, error) { return units[r.Hash], nil })
	require.NoError(t, err)
	require.Len(t, s.Refs, apis)
	s.Signed = signed
	s.Credentials = &credential.Feed{Full: true, Applications: []credential.Application{{ID: "a", Name: "a"}}}
	return s
}

func TestCacheGivesBackWhatWasSaved(t *testing.T) {
	t.Parallel()
	pub, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, secret := range map[string][]byte{"plain": nil, "encrypted": make([]byte, 32)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c, err := source.OpenCache(dir, secret)
			require.NoError(t, err)
			_, err = c.Load(pub)
			require.ErrorIs(t, err, source.ErrEmpty)
			first := snapshot(t, key, 1, 200, "one")
			require.NoError(t, c.Save(first))
			second := snapshot(t, key, 2, 200, "two")
			require.NoError(t, c.Save(second))

			again, err := source.OpenCache(dir, secret)
			require.NoError(t, err)
			got, err := again.Load(pub)
			require.NoError(t, err)
			require.Equal(t, second.Refs, got.Refs)
			require.Equal(t, second.Units, got.Units)
			require.Equal(t, second.Credentials, got.Credentials)
			require.EqualValues(t, 2, got.Manifest.Version)

			for version := range uint64(400) { // the pack is written anew when it is mostly waste
				require.NoError(t, again.Save(snapshot(t, key, 3+version, 50, fmt.Sprint(version))))
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.pack"))
			require.NoError(t, err)
			require.Len(t, files, 1)
			info, err := os.Stat(files[0])
			require.NoError(t, err)
			require.Less(t, info.Size(), int64(2<<20))
			last, err := source.OpenCache(dir, secret)
			require.NoError(t, err)
			got, err = last.Load(pub)
			require.NoError(t, err)
			require.EqualValues(t, 402, got.Manifest.Version)
		})
	}
}

func TestAChangeCostsAShortPathHoweverLargeTheProject(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	cost := func(apis int) (n, size int) {
		a, b := snapshot(t, key, 1, apis, "one"), snapshot(t, key, 2, apis, "two")
		for h, doc := range b.Units {
			if _, had := a.Units[h]; !had {
				n++
				size += len(doc)
			}
		}
		return n, size
	}
	n, size := cost(5000)
	require.LessOrEqual(t, n, 4)
	require.Less(t, size, 50_000)
}

func TestADamagedOrForeignCacheIsNotUsed(t *testing.T) {
	t.Parallel()
	pub, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	other, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	dir := t.TempDir()
	c, err := source.OpenCache(dir, nil)
	require.NoError(t, err)
	require.NoError(t, c.Save(snapshot(t, key, 1, 3, "")))
	_, err = c.Load(other)
	require.ErrorIs(t, err, unit.ErrUnsigned)
	files, err := filepath.Glob(filepath.Join(dir, "*.pack"))
	require.NoError(t, err)
	whole, err := os.ReadFile(files[0])
	require.NoError(t, err)
	flipped := append([]byte{}, whole...)
	flipped[len(flipped)-3] ^= 1
	require.NoError(t, os.WriteFile(files[0], flipped, 0o600))
	_, err = c.Load(pub)
	require.ErrorIs(t, err, unit.ErrHash)
	require.NoError(t, os.WriteFile(files[0], whole[:len(whole)-3], 0o600))
	_, err = c.Load(pub)
	require.ErrorIs(t, err, source.ErrIncomplete)
	// What a crash left behind the last unit does not matter.
	require.NoError(t, os.WriteFile(files[0], append(whole, 1, 2, 3), 0o600))
	again, err := source.OpenCache(dir, nil)
	require.NoError(t, err)
	_, err = again.Load(pub)
	require.NoError(t, err)
	require.NoError(t, again.Save(snapshot(t, key, 2, 5, "")))
	_, err = again.Load(pub)
	require.NoError(t, err)
}

func TestAManifestIsReplacedOnlyByANewerOne(t *testing.T) {
	t.Parallel()
	now := time.Now()
	old := unit.Manifest{Epoch: "e", Version: 7, Issued: now}
	require.NoError(t, unit.Manifest{Epoch: "e", Version: 8}.Replaces(old))
	require.NoError(t, unit.Manifest{Epoch: "e", Version: 7}.Replaces(old))
	require.ErrorIs(t, unit.Manifest{Epoch: "e", Version: 6}.Replaces(old), unit.ErrOlder)
	require.NoError(t, unit.Manifest{Epoch: "f", Version: 1, Issued: now.Add(time.Second)}.Replaces(old))
	require.ErrorIs(t, unit.Manifest{Epoch: "f", Version: 99, Issued: now.Add(-time.Second)}.Replaces(old), unit.ErrOlder)
	require.NoError(t, unit.Manifest{Version: 1}.Replaces(unit.Manifest{}))
}
