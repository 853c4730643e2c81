package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis keeps sessions in Redis, each as its revision in eight bytes and its
// value.
type Redis struct {
	client   redis.UniversalClient
	prefix   string
	lifetime time.Duration
}

// NewRedis returns a store. Its keys begin with prefix.
func NewRedis(client redis.UniversalClient, prefix string, lifetime time.Duration) *Redis {
	return &Redis{client, prefix, lifetime}
}

// replace writes KEYS[1] where its first eight bytes are ARGV[1].
var replace = redis.NewScript(`
local now = redis.call('GETRANGE', KEYS[1], 0, 7)
if now == '' then return 0 end
if now ~= ARGV[1] then return 1 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 2`)

func packed(revision uint64, value []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, revision), value...)
}

// Create implements Store.
func (r *Redis) Create(ctx context.Context, key string, value []byte) error {
	ok, err := r.client.SetNX(ctx, r.prefix+key, packed(1, value), r.lifetime).Result()
	if err == nil && !ok {
		err = ErrConflict
	}
	if err != nil {
		return fmt.Errorf("keeping a session in Redis: %w", err)
	}
	return nil
}

// Get implements Store.
func (r *Redis) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	b, err := r.client.Get(ctx, r.prefix+key).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, 0, ErrNone
	case err != nil:
		return nil, 0, fmt.Errorf("reading a session from Redis: %w", err)
	case len(b) < 8:
		return nil, 0, errors.New("reading a session from Redis: it is cut short")
	}
	return b[8:], binary.BigEndian.Uint64(b), nil
}

// Update implements Store.
func (r *Redis) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	was := binary.BigEndian.AppendUint64(nil, revision)
	n, err := replace.Run(ctx, r.client, []string{r.prefix + key}, was, packed(revision+1, value), r.lifetime.Milliseconds()).Int()
	switch {
	case err != nil:
		return 0, fmt.Errorf("keeping a session in Redis: %w", err)
	case n == 0:
		return 0, ErrNone
	case n == 1:
		return 0, ErrConflict
	}
	return revision + 1, nil
}

// Delete implements Store.
func (r *Redis) Delete(ctx context.Context, key string) error {
	if err := r.client.Del(ctx, r.prefix+key).Err(); err != nil {
		return fmt.Errorf("removing a session from Redis: %w", err)
	}
	return nil
}
