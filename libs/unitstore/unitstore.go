// Package unitstore is the form in which units lie in a bucket: compressed, by
// hash, and in parts where they are long. gateway-manager writes them, gateways
// and others read them.
//
// It knows hashes and bytes, and neither what a unit says nor who needs it.
package unitstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/contract/unit"
)

const (
	// part is the most that one value of the bucket has, in bytes.
	part = 512 << 10
	// MaxDocument is the longest document that can be kept, in bytes.
	MaxDocument = 256 << 20
	// fresh is how long a document that was put is not looked at again. One that
	// is put later is written anew, so that a sweep that has just found it unused
	// does not take it away.
	fresh = 30 * time.Minute
	// Grace is the age under which a document is never swept: what lists it may be
	// on its way.
	Grace = 2 * fresh
	// parallel is how many requests are under way at once.
	parallel = 16
)

// The first byte of a value says what it is.
const (
	formWhole = 'z' // the document, compressed with zstd
	formParts = 'p' // a head: how many parts follow under <key>.<n>
)

// head is what a document in parts has under its own key, after the first byte.
type head struct {
	// Parts is how many there are, Size how long they are together.
	Parts int `json:"parts"`
	Size  int `json:"size"`
}

// ErrMissing says that there is no such document.
var ErrMissing = errors.New("no such unit")

// Store reads and writes documents. All methods may be called at the same time.
type Store struct {
	bucket *bus.Bucket
	now    func() time.Time
	enc    *zstd.Encoder
	dec    *zstd.Decoder

	mu    sync.Mutex
	epoch string
	known map[string]time.Time // keys that are there, and when that was seen
}

// New returns a store in a bucket.
func New(bucket *bus.Bucket) *Store {
	enc, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true)) // the options are valid
	dec, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(MaxDocument), zstd.WithDecoderLowmem(true))
	return &Store{bucket: bucket, now: time.Now, enc: enc, dec: dec, known: map[string]time.Time{}}
}

// Put writes documents of an organization, by its slug, and returns how many
// bytes were written: only those that are not there go over the network. They
// are all there when it returns nil.
func (s *Store) Put(ctx context.Context, organization string, documents map[unit.Hash][]byte) (written int64, err error) {
	epoch, err := s.bucket.Epoch(ctx)
	if err != nil {
		return 0, fmt.Errorf("writing units: %w", err)
	}
	var lacking []unit.Hash
	s.mu.Lock()
	if epoch != s.epoch {
		s.epoch, s.known = epoch, map[string]time.Time{}
	}
	for h := range documents {
		if s.now().Sub(s.known[organization+"."+string(h)]) > fresh {
			lacking = append(lacking, h)
		}
	}
	s.mu.Unlock()
	var mu sync.Mutex
	err = each(ctx, lacking, func(ctx context.Context, h unit.Hash) error {
		n, err := s.put(ctx, organization+"."+string(h), h, documents[h])
		mu.Lock()
		defer mu.Unlock()
		written += n
		return err
	})
	return written, err
}

func (s *Store) put(ctx context.Context, key string, h unit.Hash, document []byte) (written int64, err error) {
	if len(document) > MaxDocument {
		return 0, fmt.Errorf("writing unit %s: it has %d bytes, %d are allowed", h, len(document), MaxDocument)
	}
	if err := h.Verify(document); err != nil {
		return 0, fmt.Errorf("writing unit: %w", err)
	}
	there := false
	if e, err := s.bucket.Get(ctx, key); err == nil {
		there = s.now().Sub(e.Time) < fresh
	} else if !errors.Is(err, bus.ErrNoKey) {
		return 0, fmt.Errorf("writing unit: %w", err)
	}
	if !there {
		packed := s.enc.EncodeAll(document, []byte{formWhole})
		if written, err = s.write(ctx, key, packed); err != nil {
			return written, fmt.Errorf("writing unit: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[key] = s.now()
	return written, nil
}

// write writes a value, in parts where it is long. The head comes last, so that
// a document is whole when it is found.
func (s *Store) write(ctx context.Context, key string, packed []byte) (written int64, err error) {
	if len(packed) > part {
		body := packed[1:]
		hd := head{Size: len(body)}
		for at := 0; at < len(body); at += part {
			p := body[at:min(at+part, len(body))]
			if _, err := s.bucket.Put(ctx, key+"."+strconv.Itoa(hd.Parts), p); err != nil {
				return written, err
			}
			hd.Parts++
			written += int64(len(p))
		}
		raw, err := json.Marshal(hd)
		if err != nil {
			return written, err
		}
		packed = append([]byte{formParts}, raw...)
	}
	if _, err := s.bucket.Put(ctx, key, packed); err != nil {
		return written, err
	}
	return written + int64(len(packed)), nil
}

// Has reports whether a document is there.
func (s *Store) Has(ctx context.Context, organization string, h unit.Hash) (bool, error) {
	_, err := s.bucket.Get(ctx, organization+"."+string(h))
	if errors.Is(err, bus.ErrNoKey) {
		return false, nil
	}
	return err == nil, err
}

// Get returns a document, checked against its hash. It fails with [ErrMissing]
// where the document is not there, or not whole.
func (s *Store) Get(ctx context.Context, organization string, h unit.Hash) ([]byte, error) {
	doc, _, err := s.get(ctx, organization, h)
	return doc, err
}

func (s *Store) get(ctx context.Context, organization string, h unit.Hash) (doc []byte, read int64, err error) {
	key := organization + "." + string(h)
	e, err := s.value(ctx, key)
	if err != nil {
		return nil, 0, fmt.Errorf("reading unit %s: %w", h, err)
	}
	packed, form := e[1:], e[0]
	if form == formParts {
		if packed, err = s.parts(ctx, key, packed); err != nil {
			return nil, 0, fmt.Errorf("reading unit %s: %w", h, err)
		}
	} else if form != formWhole {
		return nil, 0, fmt.Errorf("reading unit %s: its form %q is not known; it was written by a newer version", h, form)
	}
	if doc, err = s.dec.DecodeAll(packed, nil); err != nil {
		return nil, 0, fmt.Errorf("reading unit %s: %w", h, err)
	}
	if err := h.Verify(doc); err != nil {
		return nil, 0, fmt.Errorf("reading unit: %w", err)
	}
	return doc, int64(len(packed)), nil
}

func (s *Store) value(ctx context.Context, key string) ([]byte, error) {
	e, err := s.bucket.Get(ctx, key)
	if errors.Is(err, bus.ErrNoKey) || err == nil && len(e.Value) == 0 {
		return nil, ErrMissing
	}
	return e.Value, err
}

func (s *Store) parts(ctx context.Context, key string, raw []byte) ([]byte, error) {
	var hd head
	if err := json.Unmarshal(raw, &hd); err != nil {
		return nil, fmt.Errorf("its head: %w", err)
	}
	if hd.Parts < 1 || hd.Size < 0 || hd.Size > MaxDocument || hd.Parts > MaxDocument/part+1 {
		return nil, fmt.Errorf("its head says %d parts of %d bytes together", hd.Parts, hd.Size)
	}
	var body []byte
	for n := range hd.Parts {
		p, err := s.value(ctx, key+"."+strconv.Itoa(n))
		if err != nil {
			return nil, err
		}
		if body = append(body, p...); len(body) > hd.Size {
			break
		}
	}
	if len(body) != hd.Size {
		return nil, fmt.Errorf("its parts have %d bytes, the head says %d", len(body), hd.Size)
	}
	return body, nil
}

// GetAll returns documents, several at a time, and how many bytes were read. Of
// those that are not there the first error is returned, with all that are.
func (s *Store) GetAll(ctx context.Context, organization string, hashes []unit.Hash) (documents map[unit.Hash][]byte, read int64, err error) {
	documents = make(map[unit.Hash][]byte, len(hashes))
	var mu sync.Mutex
	err = each(ctx, hashes, func(ctx context.Context, h unit.Hash) error {
		doc, n, err := s.get(ctx, organization, h)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			documents[h] = doc
			read += n
		}
		return err
	})
	return documents, read, err
}

// Sweep removes the documents of an organization that keep does not name and
// that are older than [Grace]. It returns how many were removed.
func (s *Store) Sweep(ctx context.Context, organization string, keep func(unit.Hash) bool) (removed int, err error) {
	keys, err := s.bucket.Keys(ctx, organization+".>")
	if err != nil {
		return 0, fmt.Errorf("sweeping units: %w", err)
	}
	for _, key := range keys {
		name := strings.TrimPrefix(key, organization+".")
		h, _, isPart := strings.Cut(name, ".")
		if keep(unit.Hash(h)) {
			continue
		}
		e, err := s.bucket.Get(ctx, key)
		if errors.Is(err, bus.ErrNoKey) || err == nil && s.now().Sub(e.Time) < Grace {
			continue
		}
		if err == nil {
			s.forget(organization + "." + h)
			err = s.bucket.Delete(ctx, key)
		}
		if err != nil {
			return removed, fmt.Errorf("sweeping units: %w", err)
		}
		if !isPart {
			removed++
		}
	}
	return removed, nil
}

func (s *Store) forget(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, key)
}

// each calls do for all hashes, several at a time. It goes on after an error, and
// returns the first.
func each(ctx context.Context, hashes []unit.Hash, do func(context.Context, unit.Hash) error) error {
	var wg sync.WaitGroup
	room := make(chan struct{}, parallel)
	first := make(chan error, 1)
	for _, h := range hashes {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			if err := do(ctx, h); err != nil {
				select {
				case first <- err:
				default:
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-first:
		return err
	default:
		return nil
	}
}
