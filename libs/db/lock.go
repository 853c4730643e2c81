package db

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"
)

// lockPause is between attempts to take the lock of migrations.
const lockPause = 100 * time.Millisecond

// errBroken takes a connection out of its pool (driver.ErrBadConn).
var errBroken = driver.ErrBadConn

// locked runs fn with the one connection that holds the lock of migrations.
// The server frees the lock when the connection ends, and not before the
// statement that it is at.
func (d *DB) locked(ctx context.Context, fn func(*sql.Conn) error) (err error) {
	if d.dialect == SQLite {
		return d.lockedFile(ctx, fn)
	}
	c, err := d.primary.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	take, free := "SELECT pg_try_advisory_lock($1)", "SELECT pg_advisory_unlock($1)"
	if d.dialect == MySQL {
		take, free = "SELECT GET_LOCK(?, 0)", "SELECT RELEASE_LOCK(?)"
	}
	name, err := d.lockName(ctx, c)
	if err != nil {
		return err
	}
	for {
		var got bool
		if err := c.QueryRowContext(ctx, take, name).Scan(&got); err != nil {
			return err
		}
		if got {
			break
		}
		if !rest(ctx, lockPause) {
			return context.Cause(ctx)
		}
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectLimit)
		defer cancel()
		var freed sql.NullBool
		if e := c.QueryRowContext(ctx, free, name).Scan(&freed); e != nil {
			// The pool would hand out a connection that still holds the lock.
			_ = c.Raw(func(any) error { return errBroken })
		}
	}()
	return fn(c)
}

// lockName is of the schema: a server may hold many.
func (d *DB) lockName(ctx context.Context, c *sql.Conn) (any, error) {
	q := "SELECT current_schema()"
	if d.dialect == MySQL {
		q = "SELECT database()"
	}
	var schema string
	if err := c.QueryRowContext(ctx, q).Scan(&schema); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte("gatehouse migrations " + schema))
	if d.dialect == MySQL {
		return hex.EncodeToString(sum[:16]), nil
	}
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1), nil
}

// lockedFile holds the lock of a second file, next to the database. SQLite's
// own locks work on every system and end with the process.
func (d *DB) lockedFile(ctx context.Context, fn func(*sql.Conn) error) (err error) {
	s, err := sql.Open("sqlite", d.target.path+".lock?_pragma=busy_timeout(0)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	lock, err := s.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	for {
		_, err := lock.ExecContext(ctx, "BEGIN EXCLUSIVE")
		if err == nil {
			break
		}
		if !isTransient(err) {
			return err
		}
		if !rest(ctx, lockPause) {
			return context.Cause(ctx)
		}
	}
	defer func() {
		_, e := lock.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, e)
	}()
	c, err := d.primary.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.ExecContext(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
		return err
	}
	defer func() {
		if _, e := c.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = ON"); e != nil {
			_ = c.Raw(func(any) error { return errBroken })
		}
	}()
	return fn(c)
}
