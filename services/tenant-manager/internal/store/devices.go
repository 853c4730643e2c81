package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
)

const (
	// DeviceKept is how long a device is known after somebody has signed in at it.
	DeviceKept = 90 * 24 * time.Hour
	// mostDevices bounds those that are known of one user: each may guess by itself.
	mostDevices = 20
)

// KnownDevice is a browser at which a user has signed in.
type KnownDevice struct {
	// ID is the hash of the user's id and of the secret that the browser keeps.
	ID             string
	OrganizationID string
	UserID         string
	UsedAt         time.Time
}

const devicesReason = "who signs in has said only an e-mail address, which people of several organizations may have"

func deviceID(user, device string) string {
	sum := sha256.Sum256([]byte(user + "\n" + device))
	return hex.EncodeToString(sum[:])
}

// KnowDevice notes that a user has signed in at a device, and forgets the one that was
// used longest ago where there are too many. device is its secret.
func (t *Tx) KnowDevice(ctx context.Context, user, device string) error {
	d := KnownDevice{ID: deviceID(user, device), UserID: user, UsedAt: t.store.Now().UTC()}
	n, err := db.From[KnownDevice](t.scope).Where("id = ?", d.ID).Update(ctx, db.Changes{"used_at": d.UsedAt})
	if err != nil || n > 0 {
		return err
	}
	rows, err := db.From[KnownDevice](t.scope).Where("user_id = ?", user).Order("used_at", true).All(ctx)
	if err != nil {
		return err
	}
	for len(rows) >= mostDevices {
		last := len(rows) - 1
		if _, err := db.From[KnownDevice](t.scope).Where("id = ?", rows[last].ID).Delete(ctx); err != nil {
			return fmt.Errorf("forgetting a device: %w", err)
		}
		rows = rows[:last]
	}
	return db.Create(ctx, t.scope, &d)
}

// KnowsDevice reports whether each of the users, of whatever organizations, has signed
// in at a device not long ago; of none that is false, after as much work.
func (s *Store) KnowsDevice(ctx context.Context, users []User, device string) (bool, error) {
	ids := []string{deviceID("nobody", device)}
	for _, u := range users {
		ids = append(ids, deviceID(u.ID, device))
	}
	var n int64
	err := s.db.Unscoped(ctx, devicesReason).Model(&KnownDevice{}).Where("id IN ? AND used_at > ?", ids, s.Now().Add(-DeviceKept)).Count(&n).Error
	return len(users) > 0 && int(n) == len(users), err
}

// ForgetDevices deletes those at which nobody has signed in for long, and returns their
// number.
func (s *Store) ForgetDevices(ctx context.Context) (int64, error) {
	g := s.db.Unscoped(ctx, devicesReason).Delete(&KnownDevice{}, "used_at <= ?", s.Now().Add(-DeviceKept))
	return g.RowsAffected, g.Error
}
