package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/throttle"
)

// signInAttempt is what is held against an account or address.
type signInAttempt struct {
	ID           string
	Failures     int
	LastAt       time.Time
	BlockedUntil time.Time
}

const attemptsReason = "attempts are held against accounts that may not exist, and addresses"

// Limited is something that attempts are held against.
type Limited struct {
	// Name is an account or an address. It is kept as a hash.
	Name  string
	Limit throttle.Limit
}

func (l Limited) key() string {
	sum := sha256.Sum256([]byte(l.Name))
	return hex.EncodeToString(sum[:])
}

// Attempt holds an attempt against each of them, or returns how long to wait and
// holds none. Whatever instances do at the same time is counted.
func (s *Store) Attempt(ctx context.Context, against ...Limited) (wait time.Duration, err error) {
	wait, _, err = s.Tried(ctx, "", against...)
	return wait, err
}

// Tried is as [Store.Attempt], and reports whether this attempt is the one after which
// the one of a name has to wait for the first time.
func (s *Store) Tried(ctx context.Context, name string, against ...Limited) (wait time.Duration, locked bool, err error) {
	against = slices.Clone(against)
	slices.SortFunc(against, func(a, b Limited) int { return strings.Compare(a.key(), b.key()) }) // one order of locks
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		g, now := tx.Unscoped(attemptsReason), s.Now()
		wait, locked = 0, false
		rows := make([]signInAttempt, len(against))
		for i, l := range against {
			var err error
			if rows[i], err = s.lockAttempt(g, l.key(), now); err != nil {
				return err
			}
			wait = max(wait, rows[i].state().Wait(now))
		}
		if wait > 0 {
			return nil
		}
		for i, l := range against {
			rows[i].set(l.Limit.Attempt(rows[i].state(), now))
			locked = locked || l.Name == name && rows[i].Failures == l.Limit.Free
			if err := g.Save(&rows[i]).Error; err != nil {
				return err
			}
		}
		return nil
	})
	return wait, locked, err
}

// lockAttempt returns the row, made where it is not there.
func (s *Store) lockAttempt(g *gorm.DB, key string, now time.Time) (signInAttempt, error) {
	row := signInAttempt{ID: key, LastAt: now, BlockedUntil: now}
	if err := g.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
		return row, err
	}
	q := g
	if s.db.Dialect() != db.SQLite {
		q = g.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	var rows []signInAttempt
	err := q.Where("id = ?", key).Find(&rows).Error
	return one(rows, err)
}

// Succeeded takes an attempt back that was right: what is held against the
// account is forgotten, and of the address this attempt.
func (s *Store) Succeeded(ctx context.Context, account, address Limited) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		g, now := tx.Unscoped(attemptsReason), s.Now()
		if err := g.Delete(&signInAttempt{}, "id = ?", account.key()).Error; err != nil || address.Name == "" {
			return err
		}
		row, err := s.lockAttempt(g, address.key(), now)
		if err != nil {
			return err
		}
		row.set(row.state().Succeed(now))
		return g.Save(&row).Error
	})
}

// TakeBack takes an attempt back that was right, and only that one.
func (s *Store) TakeBack(ctx context.Context, l Limited) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		g, now := tx.Unscoped(attemptsReason), s.Now()
		row, err := s.lockAttempt(g, l.key(), now)
		if err != nil {
			return err
		}
		row.set(row.state().Succeed(now))
		return g.Save(&row).Error
	})
}

// ForgetAttempts deletes what was held before a time, and returns its number.
func (s *Store) ForgetAttempts(ctx context.Context, before time.Time) (int64, error) {
	g := s.db.Unscoped(ctx, attemptsReason).Delete(&signInAttempt{}, "last_at < ? AND blocked_until < ?", before, s.Now())
	return g.RowsAffected, g.Error
}

func (a *signInAttempt) state() throttle.State {
	return throttle.State{Failures: a.Failures, LastAt: a.LastAt, BlockedUntil: a.BlockedUntil}
}

func (a *signInAttempt) set(s throttle.State) {
	a.Failures, a.LastAt, a.BlockedUntil = s.Failures, s.LastAt.UTC(), s.BlockedUntil.UTC()
}
