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

// Cache keeps the last good configuration on disk: a pack of units, the signed
// manifest that lists them, and the credential feed. Units are appended to the
// pack; the other files are written beside their place and renamed into it, so
// that a crash leaves the old or the new state. With a key, everything is
// encrypted (AES-256-GCM; R2.1).
type Cache struct {
	dir  string
	aead cipher.AEAD

	mu   sync.Mutex
	pack *pack // nil until Load or Save
}

// saved is the manifest file.
type saved struct {
	// Pack is the name of the file that has the units.
	Pack string `json:"pack"`
	// Origin tells what the configuration was made of; see Snapshot.Origin.
	Origin string      `json:"origin,omitempty"`
	Signed unit.Signed `json:"signed"`
}

// ErrEmpty says that the cache has no configuration yet.
var ErrEmpty = errors.New("cache is empty")

// ErrDamaged says that a file of the cache is not what was written.
var ErrDamaged = errors.New("cache is damaged")

// OpenCache opens the cache in dir, which it creates. The key is 32 bytes, or
// nil for no encryption.
func OpenCache(dir string, key []byte) (*Cache, error) {
	c := &Cache{dir: dir}
	if key != nil {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("opening cache: %w", err)
		}
		if c.aead, err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("opening cache: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
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
	var m saved
	if err := json.Unmarshal(raw, &m); err != nil {
		return Snapshot{}, fmt.Errorf("manifest.json: %w: %w", ErrDamaged, err)
	}
	if m.Pack != filepath.Base(m.Pack) {
		return Snapshot{}, fmt.Errorf("manifest.json: %w: it names no pack", ErrDamaged)
	}
	manifest, err := m.Signed.Open(trusted...)
	if err != nil {
		return Snapshot{}, fmt.Errorf("manifest.json: %w", err)
	}
	p, err := c.openPack(m.Pack)
	if err != nil {
		return Snapshot{}, err
	}
	s, err := Flatten(manifest, func(r unit.Ref) ([]byte, error) {
		if doc, ok := p.docs[r.Hash]; ok {
			return doc, nil
		}
		if p.damage != nil {
			return nil, fmt.Errorf("%w: %w", ErrIncomplete, p.damage)
		}
		return nil, ErrIncomplete
	})
	if err != nil {
		return Snapshot{}, err
	}
	p.keep(s.Units)
	c.pack = p
	s.Signed, s.Origin = m.Signed, m.Origin
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

// Save writes a snapshot: first the units that are missing, then the manifest.
// A pack that is mostly of units that nothing lists any more is written anew.
func (c *Cache) Save(s Snapshot) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := c.pack == nil || c.pack.wasteful(s.Base, s.Units)
	if fresh {
		p, err := c.newPack()
		if err != nil {
			return err
		}
		c.pack = p
	}
	if err := c.pack.add(s.Base, s.Units); err != nil {
		c.pack = nil // its end is not known any more
		return err
	}
	raw, err := json.Marshal(saved{Pack: c.pack.name, Origin: s.Origin, Signed: s.Signed})
	if err != nil {
		return fmt.Errorf("saving manifest: %w", err)
	}
	if s.Credentials != nil {
		feed, err := json.Marshal(s.Credentials)
		if err != nil {
			return fmt.Errorf("saving credentials: %w", err)
		}
		if err := c.write("credentials.json", feed); err != nil {
			return err
		}
	}
	if err := c.write("manifest.json", raw); err != nil {
		return err
	}
	if err := c.syncDir(); err != nil {
		return err
	}
	if fresh {
		return c.removeOthers()
	}
	return nil
}

// removeOthers removes packs that the manifest does not name.
func (c *Cache) removeOthers() error {
	packs, err := filepath.Glob(filepath.Join(c.dir, packPattern))
	if err != nil {
		return fmt.Errorf("tidying cache: %w", err)
	}
	for _, p := range packs {
		if filepath.Base(p) != c.pack.name {
			if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("tidying cache: %w", err)
			}
		}
	}
	return nil
}

// write puts a file into its place and forces it to the disk.
func (c *Cache) write(name string, data []byte) error {
	data = c.seal(name, data)
	f, err := os.CreateTemp(c.dir, ".new-*")
	if err != nil {
		return fmt.Errorf("writing cache: %w", err)
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.dir, name))
	}
	if err != nil {
		return fmt.Errorf("writing cache: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// syncDir forces the names of files to the disk: they reach it in the order in
// which they were given, so that a manifest never names a pack that is not there.
func (c *Cache) syncDir() error {
	d, err := os.Open(c.dir)
	if err == nil {
		err = errors.Join(d.Sync(), d.Close())
	}
	if err != nil {
		return fmt.Errorf("writing cache: %w", err)
	}
	return nil
}

func (c *Cache) read(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		return nil, fmt.Errorf("reading cache: %w", err)
	}
	return c.open(name, data)
}

// Dir returns the cache's directory, for files that its user keeps there as
// well.
func (c *Cache) Dir() string { return c.dir }

// WriteFile puts a small file of the cache's user into its place, encrypted where
// the cache is.
func (c *Cache) WriteFile(name string, data []byte) error { return c.write(name, data) }

// ReadFile returns what WriteFile wrote. The error is [fs.ErrNotExist] where
// nothing was.
func (c *Cache) ReadFile(name string) ([]byte, error) { return c.read(name) }

// Seal encrypts what its user writes itself, bound to a name, where the cache is
// encrypted. It may return data.
func (c *Cache) Seal(name string, data []byte) []byte { return c.seal(name, data) }

// Unseal returns what was sealed under that name, or [ErrDamaged].
func (c *Cache) Unseal(name string, data []byte) ([]byte, error) { return c.open(name, data) }

// seal encrypts, bound to a name, where there is a key.
func (c *Cache) seal(name string, data []byte) []byte {
	if c.aead == nil {
		return data
	}
	nonce := make([]byte, c.aead.NonceSize(), c.aead.NonceSize()+len(data)+c.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return c.aead.Seal(nonce, nonce, data, []byte(name))
}

func (c *Cache) open(name string, data []byte) ([]byte, error) {
	if c.aead == nil {
		return data, nil
	}
	n := c.aead.NonceSize()
	if len(data) < n {
		return nil, fmt.Errorf("%s: %w", name, ErrDamaged)
	}
	plain, err := c.aead.Open(nil, data[:n], data[n:], []byte(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w, or the key is another", name, ErrDamaged)
	}
	return plain, nil
}
