package session_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/bus/embedded"
	"github.com/gatehouse/gatehouse/libs/testkit"
	"github.com/gatehouse/gatehouse/services/bff/internal/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stores are all there are.
func stores(t *testing.T, test func(t *testing.T, open func(lifetime time.Duration) session.Store)) {
	t.Helper()
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		server := testkit.Redis(t, testkit.RedisOptions{})
		client := redis.NewClient(&redis.Options{Addr: server.Addr, Password: server.Password})
		t.Cleanup(func() { require.NoError(t, client.Close()) })
		test(t, func(lifetime time.Duration) session.Store { return session.NewRedis(client, t.Name()+":", lifetime) })
	})
	t.Run("bucket", func(t *testing.T) {
		t.Parallel()
		server, err := embedded.Start(embedded.Options{Dir: t.TempDir(), Access: []bus.Access{
			{Service: "bff", Buckets: []bus.BucketAccess{{Name: session.BucketName, Write: true}}},
		}})
		require.NoError(t, err)
		t.Cleanup(server.Stop)
		b, err := bus.Connect(server.For("bff"))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, b.Close(context.WithoutCancel(t.Context()))) })
		test(t, func(lifetime time.Duration) session.Store {
			k, err := session.NewBucket(t.Context(), b, lifetime)
			require.NoError(t, err)
			return k
		})
	})
}

func TestStores(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, open func(time.Duration) session.Store) {
		ctx, s := t.Context(), open(time.Hour)
		_, _, err := s.Get(ctx, "aa")
		require.ErrorIs(t, err, session.ErrNone)
		_, err = s.Update(ctx, "aa", []byte("x"), 1)
		require.ErrorIs(t, err, session.ErrNone)
		require.NoError(t, s.Delete(ctx, "aa"))

		require.NoError(t, s.Create(ctx, "aa", []byte("one")))
		require.ErrorIs(t, s.Create(ctx, "aa", []byte("two")), session.ErrConflict)
		value, first, err := s.Get(ctx, "aa")
		require.NoError(t, err)
		require.Equal(t, "one", string(value))

		second, err := s.Update(ctx, "aa", []byte("two\x00\xff"), first)
		require.NoError(t, err)
		_, err = s.Update(ctx, "aa", []byte("three"), first)
		require.ErrorIs(t, err, session.ErrConflict)
		value, revision, err := s.Get(ctx, "aa")
		require.NoError(t, err)
		require.Equal(t, "two\x00\xff", string(value))
		require.Equal(t, second, revision)

		require.NoError(t, s.Delete(ctx, "aa"))
		_, _, err = s.Get(ctx, "aa")
		require.ErrorIs(t, err, session.ErrNone)
		_, err = s.Update(ctx, "aa", []byte("back"), second)
		require.ErrorIs(t, err, session.ErrNone, "what is gone does not come back")
	})
}

func TestStoresForget(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, open func(time.Duration) session.Store) {
		ctx, s := t.Context(), open(500*time.Millisecond)
		require.NoError(t, s.Create(ctx, "aa", []byte("one")))
		require.Eventually(t, func() bool {
			_, _, err := s.Get(ctx, "aa")
			return err != nil
		}, 10*time.Second, 20*time.Millisecond)
		_, _, err := s.Get(ctx, "aa")
		require.ErrorIs(t, err, session.ErrNone)
	})
}
