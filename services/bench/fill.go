//go:build linux

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
)

// Lists are filled by copying: one thing is made through the API, and its rows
// are copied in the database. So the rows are what the service writes, and a
// hundred thousand of them take seconds. In each copy every id of the thing is
// a new one, marker is the number of the copy wherever it stands, times are some
// milliseconds later, and what is encrypted, or compressed and encrypted, is so
// for its place.

// marker is in the names of what is copied.
const marker = "x0000000"

func number(i int) string { return fmt.Sprintf("x%07d", i) }

// part is the rows of one table that belong to a thing: those that have its id
// in the column.
type part struct {
	table, column string
	// of is an id that takes the place of the thing's own.
	of string
	// set returns what is special about a copy; nil is nothing.
	set func(i int) object
}

// store is a service's database.
type store struct {
	db     *db.DB
	ring   *secret.Keyring
	zstd   *zstd.Encoder
	unzstd *zstd.Decoder
}

// open opens the database of a service.
func (b *bench) open(ctx context.Context, service string) (*store, error) {
	if s := b.stores[service]; s != nil {
		return s, nil
	}
	dsn := b.databases[service]
	if dsn == "" {
		dsn = "sqlite:" + filepath.Join(b.data, service+".db")
	}
	ring, err := secret.LoadKeyring(filepath.Join(b.data, "secrets", "keyring-"+service))
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, db.Config{DSN: dsn}, nil)
	if err != nil {
		return nil, err
	}
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	b.stores[service] = &store{d, ring, enc, dec}
	return b.stores[service], nil
}

func (b *bench) closeStores() error {
	var errs []error
	for _, s := range b.stores {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// everything is why the database is asked past what organizations may see.
const everything = "a benchmark fills every table"

// copies makes n copies of the thing with the id.
func (b *bench) copies(ctx context.Context, service, id string, n int, parts ...part) error {
	return b.copiesAfter(ctx, service, id, 0, n, parts...)
}

// copiesAfter makes the copies after a number up to another.
func (b *bench) copiesAfter(ctx context.Context, service, id string, after, n int, parts ...part) error {
	s, err := b.open(ctx, service)
	if err != nil {
		return err
	}
	rows := make([][]object, len(parts))
	for i, p := range parts {
		if rows[i], err = s.rows(ctx, p, cmp.Or(p.of, id)); err != nil {
			return fmt.Errorf("reading %s: %w", p.table, err)
		}
	}
	const step = 250
	for from := after + 1; from <= n; from += step {
		batch := make([][]object, len(parts))
		for i := from; i < min(from+step, n+1); i++ {
			fresh := map[string]string{id: newID()}
			for _, list := range rows {
				for _, r := range list {
					if old, ok := r["id"].(string); ok && fresh[old] == "" {
						fresh[old] = newID()
					}
				}
			}
			for p, list := range rows {
				for _, r := range list {
					c, err := s.copy(parts[p], r, fresh, i)
					if err != nil {
						return fmt.Errorf("copying a row of %s: %w", parts[p].table, err)
					}
					batch[p] = append(batch[p], c)
				}
			}
		}
		err := s.db.Tx(ctx, func(tx *db.Tx) error {
			for p, list := range batch {
				if len(list) == 0 {
					continue
				}
				if err := tx.Unscoped(everything).Table(parts[p].table).Create(list).Error; err != nil {
					return fmt.Errorf("writing %s: %w", parts[p].table, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if !b.analyze {
		return nil
	}
	return s.count(ctx, parts)
}

// count has the database look at what was written, as it does by itself after a
// while of ordinary work.
func (s *store) count(ctx context.Context, parts []part) error {
	command := map[db.Dialect]string{db.SQLite: "ANALYZE %s", db.Postgres: "VACUUM ANALYZE %s", db.MySQL: "ANALYZE TABLE %s"}[s.db.Dialect()]
	var all []string
	for _, p := range parts {
		all = append(all, fmt.Sprintf(command, p.table))
	}
	if s.db.Dialect() == db.SQLite { // open connections look again when the schema changes
		all = append(all, "CREATE TABLE bench (n int)", "DROP TABLE bench")
	}
	for _, c := range all {
		if err := s.db.Unscoped(ctx, everything).Exec(c).Error; err != nil {
			return err
		}
	}
	return nil
}

// publishing bounds the wait for what was filled to be published.
const publishing = 5 * time.Minute

// published waits until every gateway group has its manifest: what a list costs is
// not what ten thousand new groups cost.
func (b *bench) published(ctx context.Context) error {
	s, err := b.open(ctx, "gateway-manager")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, publishing)
	defer cancel()
	for {
		var waiting int64
		if err := s.db.Unscoped(ctx, everything).Table("gateway_groups").Where("wanted > done").Count(&waiting).Error; err != nil {
			return err
		}
		if waiting == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d gateway groups are not published after %s", waiting, publishing)
		case <-time.After(time.Second):
		}
	}
}

// counting bounds the wait for what was called to be counted.
const counting = 2 * time.Minute

// counted waits until the requests that the list of records was filled with are
// all there.
func (b *bench) counted(ctx context.Context, n int) error {
	s, err := b.open(ctx, "analysis-manager")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, counting)
	defer cancel()
	for {
		var there int64
		if err := s.db.Unscoped(ctx, everything).Table("records").Where("path LIKE ?", "/nothing/%").Count(&there).Error; err != nil {
			return err
		}
		if there >= int64(n) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d requests are counted after %s", there, n, counting) //nolint:err113 // shown as it is
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// rows returns rows as they are stored.
func (s *store) rows(ctx context.Context, p part, id string) ([]object, error) {
	found, err := s.db.Unscoped(ctx, everything).Table(p.table).Where(p.column+" = ?", id).Rows()
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }() // read to its end
	types, err := found.ColumnTypes()
	if err != nil {
		return nil, err
	}
	var out []object
	for found.Next() {
		values, at := make([]any, len(types)), make([]any, len(types))
		for i := range values {
			at[i] = &values[i]
		}
		if err := found.Scan(at...); err != nil {
			return nil, err
		}
		row := object{}
		for i, t := range types {
			v := values[i]
			blob := strings.Contains(t.DatabaseTypeName(), "BLOB") || strings.Contains(t.DatabaseTypeName(), "BYTEA")
			if raw, ok := v.([]byte); blob && (v == nil || ok && raw == nil) {
				v = []byte{} // SQLite's driver does not tell an empty one from none
			}
			if raw, ok := v.([]byte); ok && !blob {
				v = string(raw)
			}
			row[t.Name()] = v
		}
		out = append(out, row)
	}
	return out, found.Err()
}

func (s *store) copy(p part, row object, fresh map[string]string, i int) (object, error) {
	out := maps.Clone(row)
	for column, v := range row {
		switch v := v.(type) {
		case time.Time:
			out[column] = v.UTC().Add(time.Duration(i) * time.Millisecond)
		case string:
			if sealed, err := s.reseal(p.table, column, row, v, fresh, i); err != nil || sealed != "" {
				if err != nil {
					return nil, err
				}
				out[column] = sealed
				continue
			}
			switch column {
			case "hash", "digest", "token_hash", "route_hash":
				var random [32]byte
				_, _ = rand.Read(random[:]) // never fails
				out[column] = hex.EncodeToString(random[:])
				continue
			}
			out[column] = renamed(v, fresh, i)
		}
	}
	if p.set != nil {
		maps.Copy(out, p.set(i))
	}
	return out, nil
}

// renamed returns a text with the ids and the number of a copy.
func renamed(v string, fresh map[string]string, i int) string {
	for old, id := range fresh {
		v = strings.ReplaceAll(v, old, id)
	}
	v = strings.ReplaceAll(v, marker, number(i))
	return strings.ReplaceAll(v, strings.ToUpper(marker), strings.ToUpper(number(i)))
}

// reseal encrypts for the copy what is encrypted in a row; "" is what is not.
func (s *store) reseal(table, column string, row object, v string, fresh map[string]string, i int) (string, error) {
	id, _ := row["id"].(string)
	if strings.Count(v, ".") != 2 || len(v) < 40 || id == "" {
		return "", nil
	}
	plain, err := s.ring.Open(v, secret.Place{Table: table, Column: column, Row: id})
	if err != nil {
		return "", nil //nolint:nilerr // it only looks like it
	}
	if packed, err := s.unzstd.DecodeAll(plain, nil); err == nil {
		plain = s.zstd.EncodeAll([]byte(renamed(string(packed), fresh, i)), nil)
	} else {
		plain = []byte(renamed(string(plain), fresh, i))
	}
	return s.ring.Seal(plain, secret.Place{Table: table, Column: column, Row: fresh[id]}), nil
}
