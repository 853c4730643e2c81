package counter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
	"github.com/gatehouse/gatehouse/gateway/internal/counter/countertest"
	"github.com/gatehouse/gatehouse/libs/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// budget is for tests that take Redis away: a machine that is busy must not look
// like one without Redis.
const budget = 250 * time.Millisecond

func newSet(t *testing.T, o counter.Options) *counter.Set {
	t.Helper()
	if o.Budget == 0 {
		o.Budget = budget
	}
	s, err := counter.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func closing(t *testing.T, c redis.UniversalClient) redis.UniversalClient {
	t.Helper()
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func single(t *testing.T, s *testkit.RedisServer) redis.UniversalClient {
	t.Helper()
	return closing(t, counter.Connect(counter.Connection{Addresses: []string{s.Addr}}))
}

// sentinel returns a primary with a replica, and a client that asks the
// Sentinel that watches them.
func sentinel(t *testing.T) (*testkit.RedisServer, redis.UniversalClient) {
	t.Helper()
	primary := testkit.Redis(t, testkit.RedisOptions{Control: true})
	testkit.Redis(t, testkit.RedisOptions{Control: true, ReplicaOf: primary})
	require.Eventually(t, func() bool { // the primary learns later than the replica that they are linked
		info, err := primary.Do("INFO", "replication")
		return err == nil && strings.Contains(info, ",state=online,")
	}, 30*time.Second, 10*time.Millisecond)
	s := testkit.RedisSentinels(t, primary, 1)
	return primary, closing(t, counter.Connect(counter.Connection{
		Addresses: []string{s[0].Addr}, Primary: testkit.RedisMaster,
	}))
}

func cluster(t *testing.T) ([]*testkit.RedisServer, redis.UniversalClient) {
	t.Helper()
	servers := testkit.RedisCluster(t, 3)
	c := counter.Connection{Cluster: true}
	for _, s := range servers {
		c.Addresses = append(c.Addresses, s.Addr)
	}
	return servers, closing(t, counter.Connect(c))
}

func TestLocal(t *testing.T) {
	t.Parallel()
	countertest.Run(t, func(t *testing.T, o counter.Options) countertest.Subject {
		return countertest.Subject{Counters: newSet(t, o)}
	})
}

// patient gives a busy test machine time; the budget has tests of its own.
const patient = 5e9

func overRedis(t *testing.T, fast bool, client redis.UniversalClient) {
	t.Helper()
	countertest.Run(t, func(t *testing.T, o counter.Options) countertest.Subject {
		o.Redis, o.Budget = client, patient
		o.Prefix = t.Name() + ":"
		return countertest.Subject{Counters: newSet(t, o), Shared: true, Fast: fast}
	})
}

func TestRedisSingle(t *testing.T) {
	t.Parallel()
	overRedis(t, false, single(t, testkit.Redis(t, testkit.RedisOptions{Control: true})))
}

func TestRedisFast(t *testing.T) {
	t.Parallel()
	overRedis(t, true, single(t, testkit.Redis(t, testkit.RedisOptions{Control: true})))
}

func TestRedisSentinel(t *testing.T) {
	t.Parallel()
	_, client := sentinel(t)
	overRedis(t, false, client)
}

func TestRedisCluster(t *testing.T) {
	t.Parallel()
	_, client := cluster(t)
	overRedis(t, false, client)
	overRedis(t, true, client)
}
