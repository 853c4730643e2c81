package db

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Message is an event on its way from the outbox to the bus.
type Message struct {
	// ID is unique; a message that is published twice has the same.
	ID string
	// Subject is where it goes.
	Subject string
	// Key is the id of what changed; messages of one key keep their order.
	Key string
	// Body is JSON.
	Body []byte
	// Time is when it was emitted.
	Time time.Time
}

// RelayOptions are the relay's limits. The zero value is fit for use.
type RelayOptions struct {
	// Poll is how often the outbox is looked at when no commit of this process
	// wakes the relay; 0 means a second.
	Poll time.Duration
	// Batch is how many messages are read at once; 0 means 100.
	Batch int
	// PublishTimeout bounds one call of publish; 0 means 5 seconds.
	PublishTimeout time.Duration
	// Keep is how long sent messages are kept, to look at; 0 means an hour.
	Keep time.Duration
	// Retry is the first pause of a key whose message was refused, doubled each
	// time up to 30 seconds; 0 means 200 ms.
	Retry time.Duration
}

func (o RelayOptions) withDefaults() RelayOptions {
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.Batch <= 0 {
		o.Batch = 100
	}
	if o.PublishTimeout <= 0 {
		o.PublishTimeout = 5 * time.Second
	}
	if o.Keep <= 0 {
		o.Keep = time.Hour
	}
	if o.Retry <= 0 {
		o.Retry = 200 * time.Millisecond
	}
	return o
}

const (
	longestStall  = 30 * time.Second
	publishMisses = 3 // keys refused in a row: the bus is at fault
	cleanPause    = time.Minute
	cleanBatch    = 1000
)

// Publish hands one message to the bus. It returns nil only when the bus has
// stored it, and [ErrUnfit] where it never will.
type Publish func(ctx context.Context, m Message) error

// Relay publishes what transactions emitted, until ctx ends: at least once, in
// the order of each key. Every instance of a service may run one; each works on
// other lanes. With SQLite there must be only one. It never gives up: while the
// bus is away it waits and tries again; a message that alone is refused holds up
// its key only, and the refusal is logged.
func Relay(ctx context.Context, d *DB, publish Publish, opt RelayOptions) error {
	r := &relay{db: d, publish: publish, opt: opt.withDefaults()}
	var (
		pause   time.Duration
		failing bool
		cleaned time.Time
	)
	for ctx.Err() == nil {
		more, err := r.round(ctx)
		if err == nil && time.Since(cleaned) > cleanPause {
			cleaned = time.Now()
			err = r.clean(ctx)
		}
		switch {
		case ctx.Err() != nil:
		case err != nil:
			if !failing {
				d.log.Warn("events wait in the outbox", "error", err)
			}
			failing, more = true, false
			pause = min(max(2*pause, firstPause), longestPause)
		default:
			if failing {
				d.log.Info("events flow again")
			}
			failing, pause = false, 0
		}
		if !more {
			r.await(ctx, pause)
		}
	}
	return nil
}

type relay struct {
	db      *DB
	publish Publish
	opt     RelayOptions
}

// await waits for a commit, for the time to look, or out the pause.
func (r *relay) await(ctx context.Context, pause time.Duration) {
	if pause > 0 {
		rest(ctx, pause)
		return
	}
	t := time.NewTimer(r.opt.Poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-r.db.wake:
	case <-t.C:
	}
}

// round works once on every lane with messages. It says whether there may be
// more.
func (r *relay) round(ctx context.Context) (more bool, err error) {
	var waiting []int
	err = r.db.session(ctx, false).Raw("SELECT DISTINCT lane FROM outbox WHERE sent_at IS NULL").Scan(&waiting).Error
	if err != nil {
		return false, err
	}
	rand.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	var errs []error
	for _, lane := range waiting {
		full, err := r.lane(ctx, lane)
		more = more || full
		if err != nil {
			errs = append(errs, err)
			break // the bus or the database: no other lane would do better
		}
	}
	return more, errors.Join(errs...)
}

// lane publishes one batch of a lane. Elsewhere than in SQLite the lane is
// locked meanwhile, and a lane that another relay has is left to it.
func (r *relay) lane(ctx context.Context, lane int) (full bool, err error) {
	g := r.db.orm.WithContext(ctx)
	if r.db.dialect == SQLite { // the lock would keep every writer out
		return r.batch(ctx, g, lane)
	}
	var failed error
	err = g.Transaction(func(tx *gorm.DB) error {
		var got []int
		lock := tx.Raw("SELECT lane FROM outbox_lanes WHERE lane = ? FOR UPDATE SKIP LOCKED", lane).Scan(&got)
		if lock.Error != nil || len(got) == 0 {
			return lock.Error
		}
		full, failed = r.batch(ctx, tx, lane)
		return nil // what was published is recorded, even if the rest failed
	})
	return full, errors.Join(failed, err)
}

func (r *relay) batch(ctx context.Context, g *gorm.DB, lane int) (full bool, err error) {
	var rows []outboxRow
	err = g.Where("lane = ? AND sent_at IS NULL", lane).
		Where("message_key NOT IN (SELECT message_key FROM outbox_stalls WHERE not_before > ?)", r.db.Now()).
		Order("id").Limit(r.opt.Batch).Find(&rows).Error
	if err != nil {
		return false, err
	}
	var (
		sent    []int64
		good    = map[string]bool{}
		refused = map[string]error{}
		unfit   = map[string]error{}
		misses  int
		last    error
	)
	for _, row := range rows {
		if refused[row.MessageKey] != nil {
			continue // its order
		}
		if ctx.Err() != nil || misses == publishMisses {
			break
		}
		if err := r.send(ctx, row); err != nil {
			refused[row.MessageKey] = err
			if errors.Is(err, ErrUnfit) { // the bus is well
				unfit[row.MessageKey] = err
				continue
			}
			last = err
			misses++
			continue
		}
		sent, misses = append(sent, row.ID), 0
		good[row.MessageKey] = true
	}
	if len(sent) == 0 {
		refused = unfit
	}
	if len(sent) == 0 && len(unfit) == 0 {
		return false, last
	}
	if err := r.settle(context.WithoutCancel(ctx), g, sent, good, refused); err != nil {
		return false, err
	}
	if misses == publishMisses || len(sent) == 0 {
		return false, last
	}
	return len(rows) == r.opt.Batch, nil
}

func (r *relay) send(ctx context.Context, row outboxRow) error {
	ctx, cancel := context.WithTimeout(ctx, r.opt.PublishTimeout)
	defer cancel()
	err := r.publish(ctx, Message{ID: row.MessageID, Subject: row.Subject, Key: row.MessageKey, Body: row.Body, Time: row.CreatedAt.UTC()})
	if err != nil {
		r.db.counts.failed.Add(1)
		return err
	}
	r.db.counts.sent.Add(1)
	return nil
}

type outboxStall struct {
	MessageKey string `gorm:"primaryKey"`
	Attempts   int
	NotBefore  time.Time
	LastError  string
}

// TableName is for gorm.
func (outboxStall) TableName() string { return "outbox_stalls" }

// settle records what was sent, and lets refused keys rest. Only while other
// messages pass is a refusal the message's own fault.
func (r *relay) settle(ctx context.Context, g *gorm.DB, sent []int64, good map[string]bool, refused map[string]error) error {
	g = g.WithContext(ctx)
	if len(sent) > 0 {
		if err := g.Model(&outboxRow{}).Where("id IN ?", sent).Update("sent_at", r.db.Now()).Error; err != nil {
			return err
		}
	}
	var old []outboxStall
	if err := g.Find(&old).Error; err != nil {
		return err
	}
	attempts := map[string]int{}
	for _, s := range old {
		attempts[s.MessageKey] = s.Attempts
		if good[s.MessageKey] && refused[s.MessageKey] == nil {
			if err := g.Delete(&outboxStall{}, "message_key = ?", s.MessageKey).Error; err != nil {
				return err
			}
		}
	}
	for key, cause := range refused {
		n := attempts[key] + 1
		stall := outboxStall{MessageKey: key, Attempts: n, NotBefore: r.db.Now().Add(r.stallFor(n)), LastError: shortened(cause.Error())}
		if err := g.Clauses(clause.OnConflict{UpdateAll: true}).Create(&stall).Error; err != nil {
			return err
		}
		r.db.log.LogAttrs(ctx, slog.LevelWarn, "event refused by the bus", slog.String("key", key), slog.Int("attempt", n), slog.Any("error", cause))
	}
	return nil
}

func (r *relay) stallFor(attempt int) time.Duration {
	d := r.opt.Retry
	for range min(attempt-1, 16) {
		d = min(2*d, longestStall)
	}
	return d
}

func shortened(s string) string {
	const most = 250 // runes: at most 1,000 bytes
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most])
	}
	return s
}

// clean deletes what was sent, or answered, long ago.
func (r *relay) clean(ctx context.Context) error {
	g := r.db.orm.WithContext(ctx)
	for {
		var ids []int64
		err := g.Model(&outboxRow{}).Where("sent_at < ?", r.db.Now().Add(-r.opt.Keep)).Order("sent_at").Limit(cleanBatch).Pluck("id", &ids).Error
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			_, err := r.db.ForgetKeys(ctx)
			return err
		}
		if err := g.Delete(&outboxRow{}, "id IN ?", ids).Error; err != nil {
			return err
		}
	}
}
