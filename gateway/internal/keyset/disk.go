package keyset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// kept is a key set on disk: public keys, and a checksum over all that counts.
type kept struct {
	URL     string          `json:"url"`
	Fetched time.Time       `json:"fetched"`
	Set     json.RawMessage `json:"set"`
	Sum     string          `json:"sum"`
}

func (k *kept) sum() string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %d ", k.URL, k.Fetched.UnixNano())
	h.Write(k.Set)
	return hex.EncodeToString(h.Sum(nil))
}

func (s *Sets) path(url string) string {
	d := sha256.Sum256([]byte(url))
	return filepath.Join(s.dir, "keyset-"+hex.EncodeToString(d[:16])+".json")
}

// save keeps the last good keys for a restart (R8.4). The file is whole or as
// it was before.
func (s *Sets) save(url string, fetched time.Time, keys []policy.Key) error {
	if s.dir == "" {
		return nil
	}
	set, err := encodeSet(keys)
	if err != nil {
		return err
	}
	k := kept{URL: url, Fetched: fetched.UTC(), Set: set}
	k.Sum = k.sum()
	b, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("encoding the key set: %w", err)
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	f, err := os.CreateTemp(s.dir, ".keyset-*")
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.path(url))
	}
	if err != nil {
		_ = os.Remove(f.Name()) // what matters is the first error
		return fmt.Errorf("writing the file: %w", err)
	}
	return nil
}

// load takes over the keys of an earlier run. A file that is not whole, or of
// another address, is as if it were not there.
func (r *remote) load(s *Sets) {
	if s.dir == "" {
		return
	}
	b, err := os.ReadFile(s.path(r.url))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(b, &k)
	}
	if err == nil && (k.URL != r.url || k.Sum != k.sum()) {
		err = errors.New("the checksum is wrong") //nolint:err113 // for people
	}
	var keys []policy.Key
	if err == nil {
		keys, _, err = parseSet(k.Set, false, true)
	}
	if err != nil {
		s.log.Warn("key set on disk is not used", "url", r.url, "error", err)
		return
	}
	if k.Fetched.After(s.now()) { // a clock that went back must not make keys immortal
		k.Fetched = s.now()
	}
	r.keys, r.fetched, r.fromDisk = keys, k.Fetched, true
	r.gen.Store(s.gen.Add(1))
}
