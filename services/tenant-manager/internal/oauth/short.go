package oauth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatehouse/gatehouse/libs/db"
	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/store"
)

// Short keeps what lives for minutes: codes, opaque tokens, requests under way,
// and what was revoked. Keys have the organization in them. It is safe for
// concurrent use.
type Short interface {
	// Put keeps a value, in place of the one before.
	Put(ctx context.Context, key, value string, ttl time.Duration) error
	// Add keeps a value where there is none, and reports whether it did.
	Add(ctx context.Context, key, value string, ttl time.Duration) (bool, error)
	// Get returns a value; ok is false where there is none.
	Get(ctx context.Context, key string) (value string, ok bool, err error)
	// Take returns a value and removes it: of several who take it one gets it.
	Take(ctx context.Context, key string) (value string, ok bool, err error)
}

// outage is a failure to find something out, which is told from the answer that
// something is not so.
type outage struct{ error }

func (o *outage) Unwrap() error { return o.error }

// lost returns an error of what was asked as an outage.
func lost(err error) error {
	if err == nil {
		return nil
	}
	return &outage{err}
}

// outspoken is a [Short] whose errors are outages: none of them can be taken for a refusal.
type outspoken struct{ Short }

func (o outspoken) Put(ctx context.Context, key, value string, ttl time.Duration) error {
	return lost(o.Short.Put(ctx, key, value, ttl))
}

func (o outspoken) Add(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	added, err := o.Short.Add(ctx, key, value, ttl)
	return added, lost(err)
}

func (o outspoken) Get(ctx context.Context, key string) (string, bool, error) {
	value, ok, err := o.Short.Get(ctx, key)
	return value, ok, lost(err)
}

func (o outspoken) Take(ctx context.Context, key string) (string, bool, error) {
	value, ok, err := o.Short.Take(ctx, key)
	return value, ok, lost(err)
}

// redisShort keeps it in Redis, which forgets by itself.
type redisShort struct {
	client redis.UniversalClient
	prefix string
}

// NewRedis keeps what lives for minutes in Redis, under keys with a prefix.
func NewRedis(client redis.UniversalClient, prefix string) Short { return &redisShort{client, prefix} }

func (r *redisShort) Put(ctx context.Context, key, value string, ttl time.Duration) error {
	if err := r.client.Set(ctx, r.prefix+key, value, ttl).Err(); err != nil {
		return fmt.Errorf("writing to Redis: %w", err)
	}
	return nil
}

func (r *redisShort) Add(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	ok, err := r.client.SetNX(ctx, r.prefix+key, value, ttl).Result()
	if err != nil {
		return false, fmt.Errorf("writing to Redis: %w", err)
	}
	return ok, nil
}

func (r *redisShort) Get(ctx context.Context, key string) (string, bool, error) {
	return told(r.client.Get(ctx, r.prefix+key).Result())
}

func (r *redisShort) Take(ctx context.Context, key string) (string, bool, error) {
	return told(r.client.GetDel(ctx, r.prefix+key).Result())
}

func told(value string, err error) (string, bool, error) {
	switch {
	case errors.Is(err, redis.Nil):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("reading from Redis: %w", err)
	}
	return value, true, nil
}

// tableShort keeps it in the database.
type tableShort struct{ store *store.Store }

// NewTable keeps what lives for minutes in the database, for installations
// without Redis.
func NewTable(s *store.Store) Short { return tableShort{s} }

func (t tableShort) Put(ctx context.Context, key, value string, ttl time.Duration) error {
	return t.store.PutOAuthEntry(ctx, key, value, t.store.Now().Add(ttl))
}

func (t tableShort) Add(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	return t.store.AddOAuthEntry(ctx, key, value, t.store.Now().Add(ttl))
}

func (t tableShort) Get(ctx context.Context, key string) (string, bool, error) {
	return found(t.store.OAuthEntry(ctx, key))
}

func (t tableShort) Take(ctx context.Context, key string) (string, bool, error) {
	return found(t.store.TakeOAuthEntry(ctx, key))
}

func found(value string, err error) (string, bool, error) {
	if errors.Is(err, db.ErrNotFound) {
		return "", false, nil
	}
	return value, err == nil, err
}
