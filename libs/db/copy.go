package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
)

// CopySQLite writes a consistent copy of a SQLite database into a new file, while
// others read and write it.
func CopySQLite(ctx context.Context, from, to string) (err error) {
	d, err := sql.Open("sqlite", fileURL(from))
	if err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if _, err := d.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	return nil
}

// CheckSQLite returns an error where a SQLite database is damaged.
func CheckSQLite(ctx context.Context, path string) (err error) {
	d, err := sql.Open("sqlite", fileURL(path))
	if err != nil {
		return fmt.Errorf("checking %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	var said string
	if err := d.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&said); err != nil {
		return fmt.Errorf("checking %s: %w", path, err)
	}
	if said != "ok" {
		return fmt.Errorf("checking %s: it is damaged: %s", path, said)
	}
	return nil
}

func fileURL(path string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: "_pragma=busy_timeout(10000)"}
	return u.String()
}
