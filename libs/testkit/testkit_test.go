package testkit_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/libs/testkit"
)

func TestRedisSurvivesPauseAndRestart(t *testing.T) {
	t.Parallel()
	s := testkit.Redis(t, testkit.RedisOptions{Control: true, Password: "pass word"})
	answer, err := s.Do("SET", "k", "v")
	require.NoError(t, err)
	require.Equal(t, "+OK\r\n", answer)
	answer, err = s.Do("GET", "k")
	require.NoError(t, err)
	require.Equal(t, "$1\r\nv\r\n", answer)
	_, err = s.Do("NOSUCH")
	require.ErrorContains(t, err, "unknown command")

	s.Pause()
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	require.NoError(t, err, "the kernel still accepts for a process that hangs")
	require.NoError(t, conn.Close())
	s.Resume()
	_, err = s.Do("PING")
	require.NoError(t, err)

	addr := s.Addr
	s.Kill()
	_, err = s.Do("PING")
	require.Error(t, err)
	s.Restart()
	require.Equal(t, addr, s.Addr)
	answer, err = s.Do("GET", "k")
	require.NoError(t, err)
	require.Equal(t, "$-1\r\n", answer)
}

func TestRedisSentinelsFailOver(t *testing.T) {
	t.Parallel()
	primary := testkit.Redis(t, testkit.RedisOptions{Control: true})
	replica := testkit.Redis(t, testkit.RedisOptions{ReplicaOf: primary})
	sentinels := testkit.RedisSentinels(t, primary, 3)
	require.Len(t, sentinels, 3)
	primary.Kill()
	_, port, err := net.SplitHostPort(replica.Addr)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		answer, err := sentinels[0].Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", testkit.RedisMaster)
		return err == nil && strings.Contains(answer, port)
	}, 30*time.Second, 50*time.Millisecond)
}

func TestRedisClusterSharesTheSlots(t *testing.T) {
	t.Parallel()
	nodes := testkit.RedisCluster(t, 3)
	answer, err := nodes[2].Do("CLUSTER", "INFO")
	require.NoError(t, err)
	require.Contains(t, answer, "cluster_slots_assigned:16384")
	// Each key is answered by exactly one node.
	owners := 0
	for _, n := range nodes {
		if _, err := n.Do("SET", "key", "v"); err == nil {
			owners++
		}
	}
	require.Equal(t, 1, owners)
}

func TestRedisFromTheEnvironmentIsUsedWhereAnyWillDo(t *testing.T) {
	s := testkit.Redis(t, testkit.RedisOptions{Control: true})
	t.Setenv("GATEHOUSE_TEST_REDIS", s.Addr)
	require.Equal(t, s.Addr, testkit.Redis(t, testkit.RedisOptions{}).Addr)
	require.NotEqual(t, s.Addr, testkit.Redis(t, testkit.RedisOptions{Control: true}).Addr)
}

func TestFreePortCanBeListenedOnAndIsNobodyElses(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 200 {
		port := testkit.FreePort(t)
		require.False(t, seen[port], "port %d was given twice", port)
		seen[port] = true
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
}

func TestClockMovesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	c := testkit.NewClock()
	start := c.Now()
	require.Equal(t, start, c.Now())
	c.Advance(time.Hour)
	require.Equal(t, time.Hour, c.Now().Sub(start))
	c.Set(start)
	require.Equal(t, start, c.Now())
}
