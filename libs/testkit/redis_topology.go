package testkit

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// RedisMaster is the name under which the sentinels of [RedisSentinels] know
// their primary.
const RedisMaster = "gatehouse"

// RedisSentinels starts n sentinels that watch a primary and its replicas. They
// take half a second of silence for an outage. A majority of them must agree.
func RedisSentinels(t testing.TB, primary *RedisServer, n int) []*RedisServer {
	t.Helper()
	host, port, err := net.SplitHostPort(primary.Addr)
	require.NoError(t, err)
	info, err := primary.Do("INFO", "replication")
	require.NoError(t, err)
	replicas := strings.Count(info, ",state=online,")
	var out []*RedisServer
	for range n {
		conf := fmt.Sprintf("sentinel monitor %[1]s %s %s %d\nsentinel down-after-milliseconds %[1]s 500\nsentinel failover-timeout %[1]s 3000\n",
			RedisMaster, host, port, n/2+1)
		if primary.Password != "" {
			conf += fmt.Sprintf("sentinel auth-pass %s %s\n", RedisMaster, primary.Password)
		}
		path := filepath.Join(t.TempDir(), "sentinel.conf") // the sentinel rewrites it
		require.NoError(t, os.WriteFile(path, []byte(conf), 0o600))
		// The file comes first, where redis-server wants it.
		out = append(out, startRedisWith(t, "", []string{path}, []string{"--sentinel"}))
	}
	for _, s := range out {
		s.await("the other sentinels", bulk("num-other-sentinels", n-1), "SENTINEL", "MASTER", RedisMaster)
		s.await("the replicas", bulk("num-slaves", replicas), "SENTINEL", "MASTER", RedisMaster)
	}
	return out
}

// bulk is a name and a number as two bulk strings of RESP2.
func bulk(name string, n int) string {
	v := strconv.Itoa(n)
	return fmt.Sprintf("%s\r\n$%d\r\n%s\r\n", name, len(v), v)
}

// clusterSlots is the number of hash slots of a Redis cluster.
const clusterSlots = 16384

// RedisCluster starts a cluster of n primaries without replicas, which share
// the slots evenly in the order returned. n is at least 3.
func RedisCluster(t testing.TB, n int) []*RedisServer {
	t.Helper()
	require.GreaterOrEqual(t, n, 3, "a Redis cluster needs three primaries")
	var out []*RedisServer
	var bus []int
	for range n {
		b := FreePort(t)
		bus = append(bus, b)
		out = append(out, startRedis(t, "", []string{
			"--save", "", "--appendonly", "no", "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(b),
			"--cluster-node-timeout", "2000", "--cluster-config-file", "nodes.conf",
		}))
	}
	for i, s := range out {
		first, last := i*clusterSlots/n, (i+1)*clusterSlots/n-1
		_, err := s.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(last))
		require.NoError(t, err)
		host, port, err := net.SplitHostPort(s.Addr)
		require.NoError(t, err)
		_, err = out[0].Do("CLUSTER", "MEET", host, port, strconv.Itoa(bus[i]))
		require.NoError(t, err)
	}
	for _, s := range out {
		s.await("the cluster", "cluster_state:ok", "CLUSTER", "INFO")
		s.await("all nodes", fmt.Sprintf("cluster_known_nodes:%d", n), "CLUSTER", "INFO")
	}
	return out
}
