package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

// The errors that callers tell apart. They wrap what the database said.
var (
	// ErrNotFound: no such row, in this organization.
	ErrNotFound = errors.New("not found")
	// ErrDuplicate: a unique index has a row like it already.
	ErrDuplicate = errors.New("exists already")
	// ErrReference: a foreign key names a row that is not there, or that is
	// still in use.
	ErrReference = errors.New("is referred to, or refers to what is not there")
	// ErrNoText: a value that is to be a text, and holds NUL or is not UTF-8. SQLite keeps
	// both, so callers look themselves; this is for what they did not think of.
	ErrNoText = errors.New("it is no text")
	// ErrAway: the server cannot be reached, or takes nothing at the moment. Whether a
	// transaction that ends so was committed is not known.
	ErrAway = errors.New("the database does not answer")
	// ErrTooLarge: an event that no bus takes.
	ErrTooLarge = errors.New("the event is too large")
	// ErrUnfit: the bus answers, and will not take this event however often it is tried
	// ([Publish] says so).
	ErrUnfit = errors.New("the bus does not take the event")
)

// sqlite's result codes: https://www.sqlite.org/rescode.html.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteUnique     = 2067
	sqlitePrimaryKey = 1555
	sqliteForeignKey = 787
)

// sqliteCode returns the driver's extended result code, or 0.
func sqliteCode(err error) int {
	var e interface {
		error
		Code() int
	}
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func myCode(err error) uint16 {
	var e *mysqldriver.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

// classified is an error with one of the sentinels, and the text of neither the
// statement nor its values.
type classified struct {
	kind, cause error
}

func (c *classified) Error() string   { return c.kind.Error() }
func (c *classified) Unwrap() []error { return []error{c.kind, c.cause} }

// classify makes what the databases say one.
func classify(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrNotFound), errors.Is(err, ErrDuplicate), errors.Is(err, ErrReference), errors.Is(err, ErrNoText):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound):
		return &classified{ErrNotFound, err}
	case pgCode(err) == "23505", myCode(err) == 1062, slices.Contains([]int{sqliteUnique, sqlitePrimaryKey}, sqliteCode(err)):
		return &classified{ErrDuplicate, err}
	case pgCode(err) == "23503", slices.Contains([]uint16{1451, 1452}, myCode(err)), sqliteCode(err) == sqliteForeignKey:
		return &classified{ErrReference, err}
	case slices.Contains([]string{"22021", "22P05"}, pgCode(err)), myCode(err) == 1366 && strings.Contains(err.Error(), "Incorrect string value"):
		return &classified{ErrNoText, err}
	default:
		return err
	}
}

// away marks what says that the server may be away.
func away(err error) error {
	if err == nil || errors.Is(err, ErrAway) || !isConnectionError(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrAway, err)
}

// isTransient says that the same transaction may well succeed now: it was the
// victim of a deadlock or of a conflict.
func isTransient(err error) bool {
	code := sqliteCode(err) & 0xff
	return slices.Contains([]string{"40001", "40P01"}, pgCode(err)) || myCode(err) == 1213 || myCode(err) == 1020 ||
		code == sqliteBusy || code == sqliteLocked
}

// isLockTimeout says that somebody else held a lock for too long.
func isLockTimeout(err error) bool {
	return pgCode(err) == "55P03" || myCode(err) == 1205
}

// isConnectionError says that the server may be away.
func isConnectionError(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var (
		network net.Error
		connect *pgconn.ConnectError
	)
	code := pgCode(err)
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysqldriver.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network) || errors.As(err, &connect) ||
		strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || slices.Contains([]uint16{1040, 1053, 1152, 1927}, myCode(err))
}
