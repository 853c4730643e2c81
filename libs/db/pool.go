package db

import (
	"context"
	"database/sql"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
)

// utc returns a time as every dialect can hold it.
func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// utcArgs makes times among the arguments UTC: SQLite compares them as text.
func utcArgs(args []any) []any {
	for i, a := range args {
		switch t := a.(type) {
		case time.Time:
			args[i] = utc(t)
		case *time.Time:
			if t != nil {
				args[i] = utc(*t)
			}
		case sql.NullTime:
			t.Time = utc(t.Time)
			args[i] = t
		}
	}
	return args
}

// pool is a pool of connections as gorm uses it. It makes times UTC and
// notices a server that went away.
type pool struct {
	*sql.DB
	watch *watch
}

// GetDBConn is for gorm.
func (p *pool) GetDBConn() (*sql.DB, error) { return p.DB, nil }

func (p *pool) PrepareContext(ctx context.Context, q string) (*sql.Stmt, error) {
	s, err := p.DB.PrepareContext(ctx, q)
	p.watch.note(err)
	return s, away(err)
}

func (p *pool) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	r, err := p.DB.ExecContext(ctx, q, utcArgs(args)...)
	p.watch.note(err)
	return r, away(err)
}

func (p *pool) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	r, err := p.DB.QueryContext(ctx, q, utcArgs(args)...)
	p.watch.note(err)
	return r, away(err) //nolint:sqlclosecheck // the caller's
}

func (p *pool) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	r := p.DB.QueryRowContext(ctx, q, utcArgs(args)...)
	p.watch.note(r.Err())
	return r
}

// BeginTx is for gorm (gorm.ConnPoolBeginner).
func (p *pool) BeginTx(ctx context.Context, opt *sql.TxOptions) (gorm.ConnPool, error) {
	t, err := p.DB.BeginTx(ctx, opt)
	if err != nil {
		p.watch.note(err)
		return nil, away(err)
	}
	return &poolTx{Tx: t, watch: p.watch}, nil
}

// poolTx is a transaction as gorm uses it.
type poolTx struct {
	*sql.Tx
	watch *watch
}

func (t *poolTx) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	r, err := t.Tx.ExecContext(ctx, q, utcArgs(args)...)
	t.watch.note(err)
	return r, away(err)
}

// Commit is for gorm (gorm.TxCommitter).
func (t *poolTx) Commit() error {
	err := t.Tx.Commit()
	t.watch.note(err)
	return away(err)
}

func (t *poolTx) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	r, err := t.Tx.QueryContext(ctx, q, utcArgs(args)...)
	t.watch.note(err)
	return r, away(err) //nolint:sqlclosecheck // the caller's
}

func (t *poolTx) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	return t.Tx.QueryRowContext(ctx, q, utcArgs(args)...)
}

const (
	watchPause   = 10 * time.Second // between looks at a server that answers
	firstPause   = 50 * time.Millisecond
	longestPause = 5 * time.Second
	pauseJitter  = 4 // a quarter of a pause
	lostMessage  = "database lost"
	backMessage  = "database back"
)

// watch knows whether a server answers.
type watch struct {
	name string
	db   *sql.DB
	log  *slog.Logger
	kick chan struct{}
	down atomic.Bool
	why  atomic.Pointer[error]
}

func newWatch(name string, s *sql.DB, log *slog.Logger) *watch {
	return &watch{name: name, db: s, log: log.With("database", name), kick: make(chan struct{}, 1)}
}

// note is told the outcome of every query.
func (w *watch) note(err error) {
	if err == nil || !isConnectionError(err) {
		return
	}
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

func (w *watch) health() error {
	if e := w.why.Load(); e != nil {
		return *e
	}
	return nil
}

func (w *watch) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	return w.db.PingContext(ctx)
}

// await blocks until the server answers or ctx ends, and logs the change.
func (w *watch) await(ctx context.Context) error {
	pause := firstPause
	for {
		err := w.look(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			if w.down.Swap(false) {
				w.why.Store(nil)
				w.log.Info(backMessage)
			}
			return nil
		}
		w.why.Store(&err)
		if !w.down.Swap(true) {
			w.log.Warn(lostMessage, "error", err)
		}
		if !rest(ctx, pause) {
			return context.Cause(ctx)
		}
		pause = min(2*pause, longestPause)
	}
}

// run watches until ctx ends.
func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	for w.await(ctx) == nil {
		select {
		case <-ctx.Done():
			return
		case <-w.kick:
		case <-tick.C:
		}
	}
}

// rest pauses for about d. It says false when ctx ended.
func rest(ctx context.Context, d time.Duration) bool {
	d += rand.N(d/pauseJitter + 1)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
