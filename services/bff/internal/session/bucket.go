package session

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse/gatehouse/libs/bus"
)

// BucketName is the bucket of sessions.
const BucketName = "gatehouse-sessions"

// Bucket keeps sessions in NATS, for installations without Redis.
type Bucket struct {
	b *bus.Bucket
}

// NewBucket opens the bucket, and makes it where it is missing.
func NewBucket(ctx context.Context, b *bus.Bus, lifetime time.Duration) (*Bucket, error) {
	k, err := b.Bucket(ctx, bus.BucketOptions{Name: BucketName, TTL: lifetime, ForgetDeleted: lifetime})
	if err != nil {
		return nil, err
	}
	return &Bucket{k}, nil
}

// Create implements Store.
func (k *Bucket) Create(ctx context.Context, key string, value []byte) error {
	_, err := k.b.Create(ctx, key, value)
	return told(err)
}

// Get implements Store.
func (k *Bucket) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	e, err := k.b.Get(ctx, key)
	return e.Value, e.Revision, told(err)
}

// Update implements Store.
func (k *Bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	next, err := k.b.Update(ctx, key, value, revision)
	if errors.Is(err, bus.ErrConflict) {
		if _, err := k.b.Get(ctx, key); errors.Is(err, bus.ErrNoKey) {
			return 0, ErrNone
		}
	}
	return next, told(err)
}

// Delete implements Store.
func (k *Bucket) Delete(ctx context.Context, key string) error { return told(k.b.Delete(ctx, key)) }

// told puts errors into the words of stores.
func told(err error) error {
	switch {
	case errors.Is(err, bus.ErrNoKey):
		return ErrNone
	case errors.Is(err, bus.ErrConflict):
		return ErrConflict
	}
	return err
}
