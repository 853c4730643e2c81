package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Migration is a migration that has yet to run, as a dry run shows it.
type Migration struct {
	// Set is "system" for this package's own tables, else "service".
	Set string
	// Version and Name are those of the file.
	Version int64
	Name    string
	// Done of Steps statements have run: more than 0 where it was broken off.
	Done, Steps int
	// Problem is what a "-- check:" of the migration finds wrong with the
	// present data; "" where it finds nothing, or cannot look yet.
	Problem string
}

// Migrate brings the schema to the newest version: first the tables of this
// package, then the migrations of the service. files has the folders postgres,
// mysql and sqlite, each with the same names, such as 0001_create_apis.sql. It
// needs the rights to create tables.
//
// One process migrates at a time; others wait. Every statement is recorded, so
// that a run that was killed at any moment is taken up again by the next. A
// file is one transaction on PostgreSQL and SQLite. On MariaDB each statement
// that changes data is one; those that change the schema must be written with
// IF [NOT] EXISTS, since they may run twice. A file that was applied must never
// change.
//
// "-- repeat" before a statement runs it again and again until it changes no
// row, each time in a transaction of its own: for large tables. "-- check: why"
// before a SELECT stops with that reason if it returns a row: for old data that
// a new constraint would meet.
//
// The caller must end after an error: the schema is not the one it knows.
func (d *DB) Migrate(ctx context.Context, files fs.FS) error {
	list, err := d.load(files)
	if err != nil {
		return fmt.Errorf("loading migrations: %w", err)
	}
	err = d.locked(ctx, func(c *sql.Conn) error {
		r := &runner{db: d, conn: c}
		if err := r.prepare(ctx); err != nil {
			return err
		}
		return r.run(ctx, list)
	})
	if err != nil {
		return fmt.Errorf("migrating the database: %w", err)
	}
	return nil
}

// Pending lists what Migrate would do, without doing it.
func (d *DB) Pending(ctx context.Context, files fs.FS) ([]Migration, error) {
	list, err := d.load(files)
	if err != nil {
		return nil, fmt.Errorf("loading migrations: %w", err)
	}
	c, err := d.primary.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the state of migrations: %w", err)
	}
	defer func() { _ = c.Close() }() // back to the pool
	r := &runner{db: d, conn: c}
	if err := r.read(ctx); err != nil {
		return nil, fmt.Errorf("reading the state of migrations: %w", err)
	}
	if err := r.verify(list); err != nil {
		return nil, err
	}
	var out []Migration
	for _, m := range list {
		done := len(r.applied[m.key()])
		if done == len(m.steps) {
			continue
		}
		p := Migration{Set: m.set, Version: m.version, Name: m.name, Done: done, Steps: len(m.steps)}
		for _, s := range m.steps[done:] {
			if s.check == "" {
				continue
			}
			if found, err := r.finds(ctx, c, s); err == nil && found { // a table may be yet to come
				p.Problem = s.check
				break
			}
		}
		out = append(out, p)
	}
	return out, nil
}

func (d *DB) load(files fs.FS) ([]migration, error) {
	own, err := fs.Sub(systemFiles, "system")
	if err != nil {
		return nil, err
	}
	list, err := loadMigrations(setSystem, own, d.dialect)
	if err != nil || files == nil {
		return list, err
	}
	service, err := loadMigrations(setService, files, d.dialect)
	return append(list, service...), err
}

type migrationKey struct {
	set     string
	version int64
}

func (m migration) key() migrationKey { return migrationKey{m.set, m.version} }

type record struct {
	name, sum string
	total     int
}

// runner applies migrations over the one connection that holds the lock: if it
// breaks, the lock and the work end together.
type runner struct {
	db      *DB
	conn    *sql.Conn
	applied map[migrationKey][]record
}

// at tells tests how far it has come.
func (r *runner) at(point string) {
	if r.db.migrating != nil {
		r.db.migrating(point)
	}
}

type execer interface {
	ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
}

// prepare makes the table of records, which can be done twice.
func (r *runner) prepare(ctx context.Context) error {
	text, after := "varchar(200)", ""
	if r.db.dialect == MySQL {
		after = " ENGINE=InnoDB"
		// Text shall compare by bytes, as on the other two.
		if _, err := r.conn.ExecContext(ctx, "ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"); err != nil {
			return err
		}
	}
	at := map[Dialect]string{Postgres: "timestamptz", MySQL: "datetime(6)", SQLite: "datetime"}[r.db.dialect]
	_, err := r.conn.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_migrations (set_name varchar(20) NOT NULL, version bigint NOT NULL,"+
		" step integer NOT NULL, steps integer NOT NULL, name "+text+" NOT NULL, checksum varchar(64) NOT NULL, applied_at "+at+
		" NOT NULL, PRIMARY KEY (set_name, version, step))"+after)
	if err != nil {
		return err
	}
	return r.read(ctx)
}

func (r *runner) read(ctx context.Context) error {
	r.applied = map[migrationKey][]record{}
	exists := "SELECT count(*) FROM information_schema.tables WHERE table_name = 'schema_migrations' AND table_schema = " +
		map[Dialect]string{Postgres: "current_schema()", MySQL: "database()", SQLite: ""}[r.db.dialect]
	if r.db.dialect == SQLite {
		exists = "SELECT count(*) FROM sqlite_master WHERE name = 'schema_migrations'"
	}
	var n int
	if err := r.conn.QueryRowContext(ctx, exists).Scan(&n); err != nil || n == 0 {
		return err
	}
	rows, err := r.conn.QueryContext(ctx, "SELECT set_name, version, steps, name, checksum FROM schema_migrations ORDER BY set_name, version, step")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var (
			k migrationKey
			s record
		)
		if err := rows.Scan(&k.set, &k.version, &s.total, &s.name, &s.sum); err != nil {
			return err
		}
		r.applied[k] = append(r.applied[k], s)
	}
	return rows.Err()
}

// verify compares what ran with the files. A newer release may have run
// migrations that this one does not know: they only add (expand, contract).
func (r *runner) verify(list []migration) error {
	for _, m := range list {
		done := r.applied[m.key()]
		whole := len(done) > 0 && done[len(done)-1].total == len(done)
		if len(done) > len(m.steps) || whole && len(done) != len(m.steps) {
			return fmt.Errorf("migration %s was changed after it was applied: it had %d statements, now %d; put the file back and write a new migration", m, len(done), len(m.steps))
		}
		for i, s := range done {
			if s.name != m.name || s.sum != m.sums[i] {
				return fmt.Errorf("migration %s was changed after it was applied (then %q; statement %d); put the file back and write a new migration", m, s.name, i+1)
			}
		}
	}
	return nil
}

func (r *runner) run(ctx context.Context, list []migration) error {
	if err := r.verify(list); err != nil {
		return err
	}
	for _, m := range list {
		done := len(r.applied[m.key()])
		if done == len(m.steps) {
			continue
		}
		start := time.Now()
		for i := done; i < len(m.steps); {
			n := r.group(m, i)
			if err := r.apply(ctx, m, i, n); err != nil {
				return fmt.Errorf("migration %s: %w", m, err)
			}
			i += n
		}
		r.db.log.Info("migration applied", "set", m.set, "version", m.version, "name", m.name, "took", time.Since(start))
	}
	return nil
}

// group returns how many statements, from i, go into one transaction.
func (r *runner) group(m migration, i int) int {
	if r.db.dialect == MySQL || m.steps[i].repeat {
		return 1
	}
	n := 1
	for i+n < len(m.steps) && !m.steps[i+n].repeat {
		n++
	}
	return n
}

func (r *runner) apply(ctx context.Context, m migration, from, n int) error {
	for {
		again := false
		err := r.inTx(ctx, func(tx execer) error {
			for i := from; i < from+n; i++ {
				r.at("before")
				changed, err := r.step(ctx, tx, m.steps[i])
				if err != nil {
					return fmt.Errorf("statement %d: %w", i+1, err)
				}
				r.at("done")
				if again = m.steps[i].repeat && changed > 0; again {
					return nil
				}
				if err := r.record(ctx, tx, m, i); err != nil {
					return err
				}
				r.at("recorded")
			}
			return nil
		})
		if err != nil || !again {
			return err
		}
	}
}

func (r *runner) step(ctx context.Context, tx execer, s step) (int64, error) {
	if s.check != "" {
		found, err := r.finds(ctx, tx, s)
		if err == nil && found {
			err = fmt.Errorf("the present data do not allow it: %s", s.check)
		}
		return 0, err
	}
	res, err := tx.ExecContext(ctx, s.sql)
	if err != nil || !s.repeat {
		return 0, err
	}
	return res.RowsAffected()
}

func (r *runner) finds(ctx context.Context, q execer, s step) (bool, error) {
	rows, err := q.QueryContext(ctx, s.sql)
	if err != nil {
		return false, err
	}
	defer func() { _ = rows.Close() }() // Err tells
	return rows.Next(), rows.Err()
}

func (r *runner) record(ctx context.Context, tx execer, m migration, i int) error {
	q := "INSERT INTO schema_migrations (set_name, version, step, steps, name, checksum, applied_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
	if r.db.dialect == Postgres {
		q = "INSERT INTO schema_migrations (set_name, version, step, steps, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
	}
	_, err := tx.ExecContext(ctx, q, m.set, m.version, i+1, len(m.steps), m.name, m.sums[i], r.db.Now())
	return err
}

// inTx runs fn in a transaction of the locked connection. SQLite cannot rebuild
// a table with foreign keys switched on; they are checked before the commit.
func (r *runner) inTx(ctx context.Context, fn func(execer) error) error {
	tx, err := r.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err = fn(tx); err == nil && r.db.dialect == SQLite {
		err = checkForeignKeys(ctx, tx)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func checkForeignKeys(ctx context.Context, tx execer) error {
	rows, err := tx.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err tells
	if rows.Next() {
		return errors.New("a row would refer to one that is not there (PRAGMA foreign_key_check)")
	}
	return rows.Err()
}
