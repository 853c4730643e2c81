package source

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gatehouse/gatehouse/libs/contract/credential"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// Cache keeps the last good configuration on disk: the signed manifest, its
// units by hash, and the credential feed. Every file is written beside its place
// and renamed into it, so that a crash leaves the old or the new state. With a
// key, files are encrypted (AES-256-GCM; R2.1).
type Cache struct {
	dir  string
	aead cipher.AEAD

	mu   sync.Mutex
	have map[unit.Hash]bool
}

// ErrEmpty says that the cache has no configuration yet.
var ErrEmpty = errors.New("cache is empty")

// ErrDamaged says that a file of the cache is not what was written.
var ErrDamaged = errors.New("cache is damaged")

// OpenCache opens the cache in dir, which it creates. The key is 32 bytes, or
// nil for no encryption.
func OpenCache(dir string, key []byte) (*Cache, error) {
	c := &Cache{dir: dir, have: map[unit.Hash]bool{}}
	if key != nil {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("opening cache: %w", err)
		}
		if c.aead, err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("opening cache: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "units"), 0o700); err != nil {
		return nil, fmt.Errorf("opening cache: %w", err)
	}
	return c, nil
}

// Load returns the configuration that was saved last, signed by one of the
// trusted keys.
func (c *Cache) Load(trusted ...ed25519.PublicKey) (Snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	raw, err := c.read("manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return Snapshot{}, ErrEmpty
	} else if err != nil {
		return Snapshot{}, err
	}
	var signed unit.Signed
	if err := json.Unmarshal(raw, &signed); err != nil {
		return Snapshot{}, fmt.Errorf("manifest.json: %w: %w", ErrDamaged, err)
	}
	m, err := signed.Open(trusted...)
	if err != nil {
		return Snapshot{}, fmt.Errorf("manifest.json: %w", err)
	}
	s, err := Flatten(m, func(r unit.Ref) ([]byte, error) { return c.read(unitPath(r.Hash)) })
	if err != nil {
		return Snapshot{}, err
	}
	s.Signed = signed
	for h := range s.Units {
		c.have[h] = true
	}
	feed, err := c.read("credentials.json")
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	} else if err != nil {
		return Snapshot{}, err
	}
	s.Credentials = &credential.Feed{}
	if err := json.Unmarshal(feed, s.Credentials); err != nil {
		return Snapshot{}, fmt.Errorf("credentials.json: %w: %w", ErrDamaged, err)
	}
	return s, nil
}

// Save writes a snapshot: first the units that are missing, then the manifest,
// then it removes units that nothing lists any more.
func (c *Cache) Save(s Snapshot) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for h, doc := range s.Units {
		if c.have[h] {
			continue
		}
		if err := c.write(unitPath(h), doc, false); err != nil {
			return err
		}
		c.have[h] = true
	}
	raw, err := json.Marshal(s.Signed)
	if err != nil {
		return fmt.Errorf("saving manifest: %w", err)
	}
	if err := c.write("manifest.json", raw, true); err != nil {
		return err
	}
	if s.Credentials != nil {
		if raw, err = json.Marshal(s.Credentials); err != nil {
			return fmt.Errorf("saving credentials: %w", err)
		}
		if err := c.write("credentials.json", raw, true); err != nil {
			return err
		}
	}
	for h := range c.have {
		if _, used := s.Units[h]; !used {
			delete(c.have, h)
			if err := os.Remove(filepath.Join(c.dir, unitPath(h))); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("removing unit: %w", err)
			}
		}
	}
	return nil
}

func unitPath(h unit.Hash) string { return filepath.Join("units", string(h[:2]), string(h)) }

// write puts a file into its place. Sync forces it to the disk, which is needed
// only for what names the rest: a unit that a crash has emptied is found by its
// hash.
func (c *Cache) write(name string, data []byte, sync bool) error {
	if c.aead != nil {
		nonce := make([]byte, c.aead.NonceSize(), c.aead.NonceSize()+len(data)+c.aead.Overhead())
		_, _ = rand.Read(nonce) // never fails (crypto/rand)
		data = c.aead.Seal(nonce, nonce, data, []byte(filepath.Base(name)))
	}
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing cache: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("writing cache: %w", err)
	}
	_, err = f.Write(data)
	if err == nil && sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing cache: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

func (c *Cache) read(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		return nil, fmt.Errorf("reading cache: %w", err)
	}
	if c.aead == nil {
		return data, nil
	}
	n := c.aead.NonceSize()
	if len(data) < n {
		return nil, fmt.Errorf("%s: %w", name, ErrDamaged)
	}
	plain, err := c.aead.Open(nil, data[:n], data[n:], []byte(filepath.Base(name)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w, or the key is another", name, ErrDamaged)
	}
	return plain, nil
}
