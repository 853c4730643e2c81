// Package dbtest gives tests real databases: a SQLite file, and a PostgreSQL
// and a MariaDB that it starts for the test binary, with a database of its own
// for each test. It is for tests only.
//
// A package that uses it has a TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }
//
// GATEHOUSE_TEST_POSTGRES and GATEHOUSE_TEST_MYSQL name servers that are there
// already, such as postgres://user:password@host:5432/postgres; the user must be
// allowed to create databases.
package dbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/db"
)

// Main runs the tests, ends the servers that they started, and fails if a
// goroutine is left.
func Main(m *testing.M) int {
	code := m.Run()
	servers.stop()
	if code == 0 && !fuzzing() {
		if err := goleak.Find(Leaks()...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// fuzzing says that this is the engine of go test -fuzz, which has goroutines of
// its own.
func fuzzing() bool {
	f := flag.Lookup("test.fuzz")
	return f != nil && f.Value.String() != ""
}

// Leaks are what an open database leaves behind after it was closed: dbresolver
// makes a cache of prepared statements for each pool, used or not, whose sweeper
// gorm never ends.
func Leaks() []goleak.Option {
	return []goleak.Option{goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1")}
}

// Run runs the test on every dialect, on an empty database with the tables of
// the migrations; nil files leaves those of package db alone.
func Run(t *testing.T, files fs.FS, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	for _, dialect := range db.Dialects() {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			test(t, Open(t, dialect, files))
		})
	}
}

// Open returns a migrated database of its own to the test.
func Open(t testing.TB, dialect db.Dialect, files fs.FS) *db.DB {
	t.Helper()
	d := OpenDSN(t, DSN(t, dialect))
	require.NoError(t, d.Migrate(t.Context(), files))
	return d
}

// OpenDSN opens a database until the test ends.
func OpenDSN(t testing.TB, dsn string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{DSN: dsn, MaxOpen: 6}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// DSN returns the address of an empty database that is the test's alone. The
// test is skipped where the server is not installed, or fails where CI=true.
func DSN(t testing.TB, dialect db.Dialect) string {
	t.Helper()
	if dialect == db.SQLite {
		return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	}
	admin, err := servers.get(dialect)
	if err != nil {
		if !errors.Is(err, errNotInstalled) || os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	name := "t" + strings.ToLower(rand.Text()[:16])
	admin.exec(t, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		drop := "DROP DATABASE " + name
		if dialect == db.Postgres {
			drop += " WITH (FORCE)"
		}
		admin.exec(t, drop)
	})
	u := *admin.dsn
	u.Path = "/" + name
	return u.String()
}

// admin is a server and the right to make databases on it.
type admin struct {
	dsn *url.URL
	db  *sql.DB
}

func (a *admin) exec(t testing.TB, q string) {
	t.Helper()
	_, err := a.db.ExecContext(context.WithoutCancel(t.Context()), q)
	require.NoError(t, err, q)
}

// pool holds the servers of the test binary.
type pool struct {
	mu    sync.Mutex
	ready map[db.Dialect]func() (*admin, error)
	ends  []func()
}

// servers are of the whole test binary, as TestMain is.
var servers = &pool{ready: map[db.Dialect]func() (*admin, error){}}

func (p *pool) get(d db.Dialect) (*admin, error) {
	p.mu.Lock()
	f := p.ready[d]
	if f == nil {
		f = sync.OnceValues(func() (*admin, error) { return p.start(d) })
		p.ready[d] = f
	}
	p.mu.Unlock()
	return f()
}

func (p *pool) atEnd(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ends = append(p.ends, f)
}

func (p *pool) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.ends) - 1; i >= 0; i-- {
		p.ends[i]()
	}
	p.ends = nil
}

func (p *pool) start(d db.Dialect) (*admin, error) {
	variable, start := "GATEHOUSE_TEST_POSTGRES", startPostgres
	if d == db.MySQL {
		variable, start = "GATEHOUSE_TEST_MYSQL", startMariaDB
	}
	dsn := os.Getenv(variable)
	if dsn == "" {
		s, err := start()
		if err != nil {
			return nil, err
		}
		p.atEnd(s.stop)
		dsn = s.dsn
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("%s is not an address", variable)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	var why lastError
	handle, err := db.Open(ctx, db.Config{DSN: dsn, MaxOpen: 8}, slog.New(&why))
	if err != nil {
		return nil, fmt.Errorf("%s does not answer: %w: %s", d, err, why.text)
	}
	s, err := handle.Unscoped(ctx, "creating databases for tests").DB()
	if err != nil {
		return nil, err
	}
	p.atEnd(func() { _ = handle.Close() }) // the process ends
	return &admin{dsn: u, db: s}, nil
}

// lastError is a log that keeps what the last line said.
type lastError struct {
	slog.Handler
	text string
}

// Enabled says yes.
func (l *lastError) Enabled(context.Context, slog.Level) bool { return true }

// Handle keeps the line's attributes.
func (l *lastError) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool { l.text = a.String(); return true })
	return nil
}

// WithAttrs returns l.
func (l *lastError) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup returns l.
func (l *lastError) WithGroup(string) slog.Handler { return l }

// startLimit bounds how long a server may take to answer.
const startLimit = 40 * time.Second
