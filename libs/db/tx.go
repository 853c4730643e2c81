package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// txAttempts bounds how often a transaction is begun again after a deadlock.
const txAttempts = 8

// Tx is a transaction. It ends with the function that it was handed to.
type Tx struct {
	db   *DB
	orm  *gorm.DB
	ctx  context.Context //nolint:containedctx // a transaction lives as long as one call
	sent bool
}

// Tx runs fn in a transaction: committed when it returns nil, else rolled back.
// It is run again, up to eight times, when the database made it the victim of a
// deadlock or a conflict, so it must do nothing but work on tx. Work on the
// database outside tx must not be part of fn: SQLite has one writer, which
// would wait for itself.
func (d *DB) Tx(ctx context.Context, fn func(tx *Tx) error) error {
	pause := firstPause / 10
	for attempt := 1; ; attempt++ {
		sent := false
		err := d.orm.WithContext(ctx).Transaction(func(g *gorm.DB) error {
			tx := &Tx{db: d, orm: g, ctx: ctx}
			err := fn(tx)
			sent = tx.sent
			return err
		}, &sql.TxOptions{Isolation: d.isolation()})
		if err == nil {
			if sent {
				d.wakeRelay()
			}
			return nil
		}
		if !isTransient(err) || attempt == txAttempts {
			return classify(err)
		}
		if !rest(ctx, pause) {
			return errors.Join(context.Cause(ctx), classify(err))
		}
		pause *= 2
	}
}

func (d *DB) isolation() sql.IsolationLevel {
	if d.dialect == SQLite {
		return sql.LevelDefault // serializable, the only one
	}
	return sql.LevelReadCommitted
}

// For returns what is the organization's, within the transaction.
func (t *Tx) For(organization string) *Scope {
	return &Scope{db: t.db, organization: organization, session: func(ctx context.Context) *gorm.DB { return t.orm.WithContext(ctx) }}
}

// Unscoped is as [DB.Unscoped], within the transaction.
func (t *Tx) Unscoped(reason string) *gorm.DB {
	return unscoped(t.orm.WithContext(t.ctx), reason)
}

// mostEvent bounds the body of an event, in bytes: NATS takes 1 MiB with its headers.
const mostEvent = 1000 << 10

// Emit puts an event into the outbox: it will be published if, and only if, the
// transaction commits, at least once, and in the order of the transactions that
// changed the same thing. key is the id of that thing; body is written as JSON.
// Emit after the change, so that the lock of the changed row orders the events. The
// error is [ErrTooLarge] for one that could never be published.
func (t *Tx) Emit(subject, key string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("emitting %s: %w", subject, err)
	}
	if len(b) > mostEvent {
		return fmt.Errorf("emitting %s of %d bytes: %w", subject, len(b), ErrTooLarge)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("emitting %s: %w", subject, err)
	}
	if subject == "" || key == "" || len(subject) > 255 || len(key) > 255 {
		return fmt.Errorf("emitting %q: subject and key must have 1 to 255 bytes", subject)
	}
	row := outboxRow{
		Lane: laneOf(key), MessageID: id.String(), Subject: subject, MessageKey: key,
		Body: b, CreatedAt: t.db.Now(),
	}
	if err := t.orm.WithContext(t.ctx).Create(&row).Error; err != nil {
		return fmt.Errorf("emitting %s: %w", subject, err)
	}
	t.sent = true
	return nil
}

func (d *DB) wakeRelay() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// lanes is the number of relays that can work at the same time.
const lanes = 16

func laneOf(key string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key)) // never fails
	return int(h.Sum32() % lanes)
}

type outboxRow struct {
	ID         int64 `gorm:"primaryKey;autoIncrement"`
	Lane       int
	MessageID  string
	Subject    string
	MessageKey string
	Body       []byte
	CreatedAt  time.Time
	SentAt     *time.Time
}

// TableName is for gorm.
func (outboxRow) TableName() string { return "outbox" }

// errRehearsed takes back what a rehearsal did.
var errRehearsed = errors.New("rehearsed")

// Rehearse runs fn within the transaction and takes back all that it did, also what
// it emitted. The transaction goes on as if fn had not been run. It returns the error
// of fn; one that is no answer to what was tried belongs to the transaction too.
func (t *Tx) Rehearse(fn func(tx *Tx) error) error {
	var failed error
	err := t.orm.WithContext(t.ctx).Transaction(func(g *gorm.DB) error {
		failed = fn(&Tx{db: t.db, orm: g, ctx: t.ctx})
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		return failed
	}
	return errors.Join(err, failed)
}
