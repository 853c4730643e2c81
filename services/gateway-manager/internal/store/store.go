// Package store is the database of gateway-manager: every table, and every query.
// What belongs to organizations is reached by [Store.For] or [Store.In], so that
// a query without an organization cannot be written; what the publisher does for
// all of them says so.
//
// It knows what has to be written together, and nothing of HTTP or the bus.
package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse/gatehouse/libs/db"
)

// Store is the database.
type Store struct {
	db  *db.DB
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// maxContent bounds what is unpacked.
const maxContent = 256 << 20

// New returns the store in a database.
func New(d *db.DB) *Store {
	enc, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true)) // the options are valid
	dec, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxContent), zstd.WithDecoderLowmem(true))
	return &Store{db: d, enc: enc, dec: dec}
}

// Close frees what the store holds beside its database.
func (s *Store) Close() { s.dec.Close() }

// DB returns the database, for transactions.
func (s *Store) DB() *db.DB { return s.db }

// Tx runs fn in a transaction; see [db.DB.Tx].
func (s *Store) Tx(ctx context.Context, fn func(tx *db.Tx) error) error { return s.db.Tx(ctx, fn) }

// Org is what belongs to one organization.
type Org struct {
	s     *Store
	scope *db.Scope
}

// For returns what is the organization's.
func (s *Store) For(organization string) *Org { return &Org{s: s, scope: s.db.For(organization)} }

// In is For within a transaction.
func (s *Store) In(tx *db.Tx, organization string) *Org {
	return &Org{s: s, scope: tx.For(organization)}
}

// ID returns a new id.
func ID() string { return uuid.Must(uuid.NewV7()).String() }

func (o *Org) stored(by string) Stored {
	now := o.s.db.Now()
	return Stored{ID: ID(), Version: 1, CreatedAt: now, CreatedBy: by, UpdatedAt: now}
}

// named wraps the errors that a reader of the log should know the thing of.
func named(what string, err error) error {
	if err == nil || errors.Is(err, db.ErrNotFound) || errors.Is(err, db.ErrDuplicate) || errors.Is(err, db.ErrReference) {
		return err
	}
	return fmt.Errorf("%s: %w", what, err)
}

// folded returns texts as they are searched: in lower case, in one.
func folded(texts ...string) string {
	s := strings.TrimSpace(strings.ToLower(strings.Join(texts, " ")))
	if r := []rune(s); len(r) > searchable {
		s = string(r[:searchable])
	}
	return s
}

// searchable is how many characters of a row can be searched for.
const searchable = 420

// pack compresses.
func (s *Store) pack(b []byte) []byte { return s.enc.EncodeAll(b, nil) }

// unpack is the reverse of pack.
func (s *Store) unpack(b []byte) ([]byte, error) {
	out, err := s.dec.DecodeAll(b, nil)
	if err != nil {
		return nil, fmt.Errorf("unpacking: %w", err)
	}
	return out, nil
}
