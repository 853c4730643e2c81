package store

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/signing"
)

// signingKey is a key of access tokens. What is kept of it is the seed (RFC 8032
// section 5.1.5), encrypted.
type signingKey struct {
	ID         string
	Number     int64
	PrivateKey secret.Text
	ActiveFrom time.Time
	CreatedAt  time.Time
}

const keysReason = "signing keys are of no organization"

// SigningKeys returns the keys of access tokens, by number.
func (s *Store) SigningKeys(ctx context.Context) ([]signing.Key, error) {
	var rows []signingKey
	if err := s.db.Unscoped(s.secrets(ctx), keysReason).Order("number").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading signing keys: %w", err)
	}
	out := make([]signing.Key, len(rows))
	for i, r := range rows {
		seed, err := base64.RawStdEncoding.DecodeString(r.PrivateKey.Reveal())
		if err != nil || len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("reading signing keys: key %s is damaged", r.ID)
		}
		out[i] = signing.Key{ID: r.ID, Number: r.Number, ActiveFrom: r.ActiveFrom.UTC(), Private: ed25519.NewKeyFromSeed(seed)}
	}
	return out, nil
}

// RotateSigningKeys does what [signing.Rotate] says, and returns the keys
// afterwards. Instances may do it at the same time.
func (s *Store) RotateSigningKeys(ctx context.Context) ([]signing.Key, error) {
	for {
		keys, err := s.SigningKeys(ctx)
		if err != nil {
			return nil, err
		}
		plan := signing.Rotate(keys, s.Now())
		if plan.Nothing() {
			return keys, nil
		}
		err = s.db.Tx(s.secrets(ctx), func(tx *db.Tx) error { return s.turnKeys(tx, keys, plan) })
		if err != nil && !errors.Is(err, db.ErrDuplicate) { // another instance was faster: look again
			return nil, fmt.Errorf("rotating signing keys: %w", err)
		}
	}
}

func (s *Store) turnKeys(tx *db.Tx, keys []signing.Key, plan signing.Plan) error {
	g := tx.Unscoped(keysReason)
	var number int64
	for _, k := range keys {
		number = max(number, k.Number)
	}
	for _, from := range plan.Make {
		number++
		k, err := signing.New(number, from)
		if err != nil {
			return err
		}
		row := signingKey{
			ID: k.ID, Number: k.Number, ActiveFrom: from, CreatedAt: s.Now(),
			PrivateKey: secret.NewText(base64.RawStdEncoding.EncodeToString(k.Private.Seed())),
		}
		if err := g.Create(&row).Error; err != nil {
			return err
		}
	}
	if len(plan.Drop) > 0 {
		return g.Delete(&signingKey{}, "id IN ?", plan.Drop).Error
	}
	return nil
}
