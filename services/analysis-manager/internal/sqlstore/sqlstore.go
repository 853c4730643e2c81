// Package sqlstore keeps traffic in a relational database: records, and sums
// over minutes and hours with sketches of the durations, so that a report costs
// the same however many requests there were.
package sqlstore

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/analysis-manager/internal/store"
)

// Store is a [store.Store] over a database with the tables of this service.
type Store struct {
	db  *db.DB
	zip *zstd.Encoder
	// unzip may be used by any number of goroutines; it is limited in memory.
	unzip *zstd.Decoder

	mu      sync.Mutex
	inserts map[insertKey]string // statements, by table and number of rows
}

var _ store.Store = (*Store)(nil)

// maxChunk bounds a chunk that is unpacked.
const maxChunk = 64 << 20

// New returns a store over a migrated database, which stays the caller's.
func New(d *db.DB) (*Store, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(256<<10))
	if err != nil {
		return nil, fmt.Errorf("making a compressor: %w", err)
	}
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxChunk))
	if err != nil {
		return nil, fmt.Errorf("making a decompressor: %w", err)
	}
	return &Store{db: d, zip: zip, unzip: unzip, inserts: map[insertKey]string{}}, nil
}

// Close frees what the store holds. The database stays open.
func (s *Store) Close() error {
	s.unzip.Close()
	return s.zip.Close()
}

// Health says whether the database answers.
func (s *Store) Health() error { return s.db.Health() }
