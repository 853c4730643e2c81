package source

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

// A pack is a file of units, one after the other: the hash (32 bytes), the
// length of what follows (4 bytes, big endian), and the document, encrypted
// where the cache has a key. It is only appended to. What a crash has left of a
// last unit is cut off when the pack is opened; a damaged unit is found by its
// hash.
const (
	packPattern = "units-*.pack"
	packHead    = 32 + 4
	maxUnit     = 256 << 20
)

type pack struct {
	cache *Cache
	name  string
	size  int64               // of the whole units in the file
	have  map[unit.Hash]int64 // the length of each
	docs  map[unit.Hash][]byte
	// damage says why reading ended early.
	damage error
}

func (c *Cache) newPack() (*pack, error) {
	p := &pack{cache: c, have: map[unit.Hash]int64{}}
	f, err := os.OpenFile(filepath.Join(c.dir, "units-"+strconv.FormatInt(time.Now().UnixNano(), 36)+".pack"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing cache: %w", err)
	}
	p.name = filepath.Base(f.Name())
	return p, errors.Join(f.Close(), c.syncDir())
}

// openPack reads a pack whole.
func (c *Cache) openPack(name string) (*pack, error) {
	data, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		return nil, fmt.Errorf("reading cache: %w", err)
	}
	p := &pack{cache: c, name: name, have: map[unit.Hash]int64{}, docs: map[unit.Hash][]byte{}}
	for rest := data; len(rest) >= packHead; {
		n := int64(binary.BigEndian.Uint32(rest[32:packHead]))
		if n > maxUnit || int64(len(rest)) < packHead+n {
			break
		}
		hash := unit.Hash(hex.EncodeToString(rest[:32]))
		doc, err := c.open(string(hash), rest[packHead:packHead+n:packHead+n])
		if err != nil { // what a crash left: disks may write the end before the middle
			p.damage = err
			break
		}
		p.have[hash], p.docs[hash] = n, doc
		rest = rest[packHead+n:]
		p.size += packHead + n
	}
	return p, nil
}

// keep has the pack count only on the given units, whose hashes were checked,
// and drops the documents, which the snapshot has. Others may be what a crash
// left, and are written again when they are needed.
func (p *pack) keep(checked map[unit.Hash][]byte) {
	for h := range p.have {
		if _, ok := checked[h]; !ok {
			delete(p.have, h)
		}
	}
	p.docs = nil
}

// wasteful reports whether most of the pack is of units that are not used.
func (p *pack) wasteful(used ...map[unit.Hash][]byte) bool {
	live := int64(0)
	for _, docs := range used {
		for h := range docs {
			if n, ok := p.have[h]; ok {
				live += packHead + n
			}
		}
	}
	return p.size > 1<<20 && live < p.size/2
}

// add appends the units that the pack lacks, and forces them to the disk.
func (p *pack) add(units ...map[unit.Hash][]byte) (err error) {
	f, err := os.OpenFile(filepath.Join(p.cache.dir, p.name), os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing cache: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(p.size); err != nil {
		return fmt.Errorf("writing cache: %w", err)
	}
	if _, err := f.Seek(p.size, io.SeekStart); err != nil {
		return fmt.Errorf("writing cache: %w", err)
	}
	w, added := bufio.NewWriterSize(f, 64<<10), false
	for _, docs := range units {
		for h, doc := range docs {
			if _, ok := p.have[h]; ok {
				continue
			}
			if err := p.append(w, h, doc); err != nil {
				return err
			}
			added = true
		}
	}
	if !added {
		return nil
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing cache: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("writing cache: %w", err)
	}
	return nil
}

// append writes a unit, as far as it can be told before it is flushed.
func (p *pack) append(w *bufio.Writer, h unit.Hash, doc []byte) error {
	raw, err := hex.DecodeString(string(h))
	if err != nil || len(raw) != 32 {
		return fmt.Errorf("writing cache: unit %q: %w", h, unit.ErrHash)
	}
	sealed := p.cache.seal(string(h), doc)
	var head [packHead]byte
	copy(head[:], raw)
	binary.BigEndian.PutUint32(head[32:], uint32(len(sealed)))
	_, _ = w.Write(head[:]) // Flush tells
	_, _ = w.Write(sealed)
	p.have[h] = int64(len(sealed))
	p.size += packHead + int64(len(sealed))
	return nil
}
