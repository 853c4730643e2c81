// Package db is a service's relational database: opened by address (PostgreSQL,
// MariaDB or SQLite), migrated, read from replicas, and written together with
// the events that tell of the change.
//
// What the three have in common is what a service may use. Portable column
// types, by dialect (postgres, mysql, sqlite):
//
//	text         varchar(n), text              varchar(n), longtext   varchar(n), text
//	number       bigint, integer               bigint, int            bigint, integer
//	fraction     double precision              double                 double
//	yes or no    boolean                       boolean                boolean
//	time         timestamptz                   datetime(6)            datetime
//	bytes        bytea                         longblob               blob
//
// JSON is text through a serializer; there are no arrays, enums or triggers.
// Ids are text made by the program. Times are UTC and whole microseconds on
// every way in and out. Text compares by bytes, upper and lower case apart, on
// all three; MariaDB's databases are set to utf8mb4_nopad_bin by [DB.Migrate].
// Isolation is read committed (SQLite: serializable).
//
// The package knows no table of any service, only its own: outbox,
// outbox_lanes, outbox_stalls, idempotency_keys and schema_migrations.
package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/glebarez/sqlite"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"
)

// Dialect is a kind of database.
type Dialect string

// The dialects; each is also the name of a folder of migrations.
const (
	Postgres Dialect = "postgres"
	MySQL    Dialect = "mysql" // MariaDB 10.11 and later
	SQLite   Dialect = "sqlite"
)

// Dialects lists every dialect.
func Dialects() []Dialect { return []Dialect{Postgres, MySQL, SQLite} }

// Config says which database, and how much of it may be used.
type Config struct {
	// DSN is postgres://user:password@host:port/database?sslmode=…,
	// mysql://user:password@host:port/database?tls=… (with ?socket=PATH for a
	// Unix socket) or sqlite:PATH. It is a secret and never logged.
	DSN string
	// Replicas are addresses of read replicas of the same database. Only reads
	// that say [Scope.Stale] go there. None with SQLite.
	Replicas []string
	// MaxOpen bounds the connections to the primary, and to each replica; 0
	// means 16.
	MaxOpen int
	// MaxIdle bounds the connections kept open without work; 0 means 4.
	MaxIdle int
	// MaxLifetime is the age at which a connection is replaced; 0 means half an
	// hour.
	MaxLifetime time.Duration
	// SlowQuery is how long a query may take before it is logged, without its
	// values; 0 means a second.
	SlowQuery time.Duration
	// CursorKey signs the cursors of paged lists; the same in every instance
	// of a service. Without it cursors are only checked for damage: what a
	// caller may see is decided by the query, never by the cursor.
	CursorKey []byte
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.MaxOpen <= 0 {
		c.MaxOpen = 16
	}
	if c.MaxIdle <= 0 {
		c.MaxIdle = min(4, c.MaxOpen)
	}
	if c.MaxLifetime <= 0 {
		c.MaxLifetime = 30 * time.Minute
	}
	if c.SlowQuery <= 0 {
		c.SlowQuery = time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect Dialect
	cfg     Config
	log     *slog.Logger
	target  target
	primary *pool
	pools   []*pool // all, the primary first
	orm     *gorm.DB
	wake    chan struct{} // something was put into the outbox
	counts  counts

	migrating func(point string) // for tests that end the process there

	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// Open opens the database and waits until its primary answers: for ever, with
// a growing pause up to five seconds, until ctx ends. It returns at once only
// when the configuration cannot be right. Replicas may be away; reads then go
// to the primary. One line is logged when a server is lost and one when it is
// back.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*DB, error) {
	cfg = cfg.withDefaults()
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	primary, err := parseDSN(cfg.DSN)
	if err != nil {
		return nil, fmt.Errorf("opening database: dsn: %w", err)
	}
	replicas := make([]target, len(cfg.Replicas))
	for i, r := range cfg.Replicas {
		if replicas[i], err = parseDSN(r); err != nil {
			return nil, fmt.Errorf("opening database: replicas[%d]: %w", i, err)
		}
		if replicas[i].dialect != primary.dialect || primary.dialect == SQLite {
			return nil, fmt.Errorf("opening database: replicas[%d]: a %s database cannot have a replica of kind %s", i, primary.dialect, replicas[i].dialect)
		}
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	d := &DB{dialect: primary.dialect, cfg: cfg, log: log, target: primary, wake: make(chan struct{}, 1), stop: stop}
	if err := d.open(ctx, run, replicas); err != nil {
		return nil, errors.Join(fmt.Errorf("opening database: %w", err), d.Close())
	}
	return d, nil
}

func (d *DB) open(ctx, run context.Context, replicas []target) error {
	var err error
	if d.primary, err = d.addPool(d.target, "primary", false); err != nil {
		return err
	}
	if d.dialect == SQLite { // many readers beside the one writer
		if _, err = d.addPool(d.target, "readers", true); err != nil {
			return err
		}
	}
	for _, r := range replicas {
		if _, err = d.addPool(r, "replica "+r.name, false); err != nil {
			return err
		}
	}
	if err := d.primary.watch.await(ctx); err != nil {
		return err
	}
	if err := d.openORM(); err != nil {
		return err
	}
	if d.dialect != SQLite { // a file does not go away
		for _, p := range d.pools {
			d.tasks.Go(func() { p.watch.run(run) })
		}
		return nil
	}
	d.tasks.Go(func() { d.learn(run) })
	return nil
}

// learnPause is how often SQLite looks at how its tables have grown.
const learnPause = 15 * time.Minute

// learn has SQLite count its rows now and then, as the servers do by themselves:
// one that was never told takes every index for as good as any other. Readers
// learn of it when their connection is replaced.
func (d *DB) learn(ctx context.Context) {
	t := time.NewTicker(learnPause)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := d.optimize(ctx); err != nil && ctx.Err() == nil {
			d.log.Warn("counting the rows of the database", "error", err)
		}
	}
}

// optimize looks at no more than some hundred rows of each index
// (https://sqlite.org/lang_analyze.html#recommended_usage_pattern).
func (d *DB) optimize(ctx context.Context) error {
	_, err := d.primary.ExecContext(ctx, "PRAGMA analysis_limit=400; PRAGMA optimize")
	return err
}

func (d *DB) addPool(t target, name string, readOnly bool) (*pool, error) {
	s, err := t.open(readOnly)
	if err != nil {
		return nil, err
	}
	s.SetMaxOpenConns(d.cfg.MaxOpen)
	s.SetMaxIdleConns(d.cfg.MaxIdle)
	s.SetConnMaxLifetime(d.cfg.MaxLifetime)
	if d.dialect == SQLite && !readOnly {
		s.SetConnMaxLifetime(0)
		s.SetMaxOpenConns(1)
	}
	p := &pool{DB: s, watch: newWatch(name, s, d.log)}
	d.pools = append(d.pools, p)
	return p, nil
}

func (d *DB) openORM() error {
	var err error
	d.orm, err = gorm.Open(d.dialector(d.primary), &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		Logger:                 slowLog{log: d.log, limit: d.cfg.SlowQuery},
		NowFunc:                d.Now,
	})
	if err != nil {
		return err
	}
	if len(d.pools) == 1 {
		return nil
	}
	replicas := make([]gorm.Dialector, 0, len(d.pools)-1)
	for _, p := range d.pools[1:] {
		replicas = append(replicas, d.dialector(p))
	}
	if len(replicas) == 1 { // a lone replica is taken without asking the policy, even if it is away
		replicas = append(replicas, replicas[0])
	}
	return d.orm.Use(dbresolver.Register(dbresolver.Config{
		Replicas: replicas,
		Policy:   dbresolver.PolicyFunc(d.pickReplica),
	}))
}

// pickReplica takes any replica that answers, else the primary.
func (d *DB) pickReplica(from []gorm.ConnPool) gorm.ConnPool {
	start := rand.IntN(len(from))
	for i := range from {
		p, ok := from[(start+i)%len(from)].(*pool)
		if ok && !p.watch.down.Load() {
			return p
		}
	}
	return d.primary
}

func (d *DB) dialector(p *pool) gorm.Dialector {
	switch d.dialect {
	case Postgres:
		return postgres.New(postgres.Config{Conn: p})
	case MySQL:
		return mysql.New(mysql.Config{Conn: p, SkipInitializeWithVersion: true})
	default:
		return sqlite.Dialector{Conn: p}
	}
}

// Dialect returns the kind of the database.
func (d *DB) Dialect() Dialect { return d.dialect }

// Now returns the time as the database can hold it: UTC, whole microseconds.
func (d *DB) Now() time.Time { return utc(d.cfg.Now()) }

// Health returns nil, or why the primary does not answer. It costs nothing: the
// answer is that of the last query or of the last look, at most ten seconds old.
func (d *DB) Health() error { return d.primary.watch.health() }

// Close ends all connections and waits for what the database runs in the
// background.
func (d *DB) Close() error {
	d.stop()
	d.tasks.Wait()
	var errs []error
	if d.dialect == SQLite && d.orm != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = d.optimize(ctx) // the next start does without
		cancel()
	}
	for _, p := range d.pools {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// Unscoped returns gorm itself, for the few queries that are no organization's:
// background work over all of them, or tables that have no organization. The
// reason is for the reader of the code, and must not be empty.
func (d *DB) Unscoped(ctx context.Context, reason string) *gorm.DB {
	return unscoped(d.session(ctx, false), reason)
}

func unscoped(g *gorm.DB, reason string) *gorm.DB {
	if reason == "" {
		_ = g.AddError(errors.New("unscoped query without a reason")) // every query of g now fails with it
	}
	return g
}

// session returns gorm for queries of the primary, or of a replica.
func (d *DB) session(ctx context.Context, stale bool) *gorm.DB {
	g := d.orm.WithContext(ctx)
	if d.dialect != SQLite && len(d.pools) > 1 && !stale {
		// Session makes the choice a part of every query that follows.
		g = g.Clauses(dbresolver.Write).Session(&gorm.Session{})
	}
	return g
}

// slowLog is gorm's logger: slow queries only, without values. Errors are
// returned, and logged by whoever handles them.
type slowLog struct {
	noLog
	log   *slog.Logger
	limit time.Duration
}
