package source_test

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/source"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// files are those of a cache by name.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		out[e.Name()] = b
	}
	return out
}

// stored are the files of a cache after each of two saves, and what was saved.
type stored struct {
	pub           ed25519.PublicKey
	key           ed25519.PrivateKey
	secret        []byte
	before, after map[string][]byte
	old, new      source.Snapshot
	pack          string

	written map[string]string // what is on disk now, by path
}

func store(t *testing.T, secret []byte) stored {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	dir := t.TempDir()
	c, err := source.OpenCache(dir, secret)
	require.NoError(t, err)
	s := stored{written: map[string]string{}, pub: pub, key: key, secret: secret, old: snapshot(t, key, 1, 2, ""), new: snapshot(t, key, 2, 4, "")}
	require.NoError(t, c.Save(s.old))
	s.before = files(t, dir)
	require.NoError(t, c.Save(s.new))
	s.after = files(t, dir)
	packs, err := filepath.Glob(filepath.Join(dir, "*.pack"))
	require.NoError(t, err)
	require.Len(t, packs, 1)
	s.pack = filepath.Base(packs[0])
	return s
}

// load writes the files of a cache and loads it.
func (s stored) load(t *testing.T, dir string, state map[string][]byte, pack []byte) (*source.Cache, source.Snapshot, error) {
	t.Helper()
	put := func(name string, b []byte) {
		path := filepath.Join(dir, name)
		if there, ok := s.written[path]; !ok || there != string(b) { // an empty file is one, too
			require.NoError(t, os.WriteFile(path, b, 0o600))
			s.written[path] = string(b)
		}
	}
	for name, b := range state {
		if name != s.pack {
			put(name, b)
		}
	}
	put(s.pack, pack)
	c, err := source.OpenCache(dir, s.secret)
	require.NoError(t, err)
	got, err := c.Load(s.pub)
	return c, got, err
}

// A crash while units are appended leaves the manifest of before, and the pack
// with any part of what was to be appended: cut off, zeros where data should be,
// or the end without the beginning. The old state is loaded, and the new one can
// be saved over it and loaded again.
func TestACrashLeavesTheOldStateOrTheNewOne(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string][]byte{"plain": nil, "encrypted": make([]byte, 32)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store(t, secret)
			dir := t.TempDir()
			whole, from := s.after[s.pack], len(s.before[s.pack])
			require.Less(t, from, len(whole))
			for at := from; at <= len(whole); at++ {
				zeroed := append(append([]byte{}, whole[:at]...), make([]byte, len(whole)-at)...)
				late := append(append(append([]byte{}, whole[:from]...), make([]byte, at-from)...), whole[at:]...)
				for kind, pack := range map[string][]byte{"cut": whole[:at], "zeros at the end": zeroed, "zeros in the middle": late} {
					c, got, err := s.load(t, dir, s.before, pack)
					require.NoError(t, err, "%s at %d", kind, at)
					require.Equal(t, s.old.Units, got.Units)
					require.Equal(t, s.old.Refs, got.Refs)
					if at%61 != 0 { // saving forces to the disk, which takes its time
						continue
					}
					require.NoError(t, c.Save(s.new))
					clear(s.written)
					again, err := source.OpenCache(dir, secret)
					require.NoError(t, err)
					got, err = again.Load(s.pub)
					require.NoError(t, err, "%s at %d, and saved again", kind, at)
					require.Equal(t, s.new.Units, got.Units)
				}
			}
		})
	}
}

// What the manifest in use lists was forced to the disk before it. Should it be
// gone or changed all the same, that is said, and nothing else is loaded.
func TestADamagedCacheIsSaidToBeDamaged(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string][]byte{"plain": nil, "encrypted": make([]byte, 32)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store(t, secret)
			dir := t.TempDir()
			known := func(err error) bool {
				var syntax *json.SyntaxError
				return errors.Is(err, source.ErrIncomplete) || errors.Is(err, source.ErrDamaged) ||
					errors.Is(err, unit.ErrHash) || errors.Is(err, unit.ErrUnsigned) || errors.As(err, &syntax)
			}
			for file, whole := range s.after {
				for at := range whole {
					flipped := append([]byte{}, whole...)
					flipped[at] ^= 0x20
					for kind, bad := range map[string][]byte{"cut": whole[:at], "changed": flipped} {
						state := map[string][]byte{}
						for n, b := range s.after {
							state[n] = b
						}
						state[file] = bad
						_, got, err := s.load(t, dir, state, state[s.pack])
						if err != nil {
							require.True(t, known(err) || file != s.pack, "%s %s at %d: %v", file, kind, at, err)
							continue
						}
						// A unit that is no longer listed may be damaged; the manifest's own
						// wrapping may be written in another case. What is served is right.
						require.Equal(t, s.new.Units, got.Units, "%s %s at %d", file, kind, at)
						require.Equal(t, s.new.Refs, got.Refs)
					}
				}
			}
		})
	}
}
