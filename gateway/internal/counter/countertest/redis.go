package countertest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/counter"
)

// Server is a redis-server process of a test.
type Server struct {
	t    testing.TB
	Addr string
	Port int
	args []string
	cmd  *exec.Cmd
}

// StartRedis starts a redis-server on a free port, with further arguments as
// its configuration. It skips the test where redis-server is not installed.
func StartRedis(t testing.TB, args ...string) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed")
	}
	port := freePort(t)
	s := &Server{t: t, Port: port, Addr: "127.0.0.1:" + strconv.Itoa(port)}
	s.args = append([]string{
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no",
	}, args...)
	s.start()
	t.Cleanup(s.Kill)
	return s
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it listens on TCP
}

func (s *Server) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	require.NoError(s.t, s.cmd.Start())
	c := s.Client()
	defer func() { _ = c.Close() }()
	require.Eventually(s.t, func() bool { return c.Ping(context.Background()).Err() == nil },
		10*time.Second, 10*time.Millisecond, "redis-server must answer")
}

// Client returns a plain client of the server.
func (s *Server) Client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Addr, DisableIdentity: true, MaxRetries: -1})
}

// Kill ends the process as kill -9 does.
func (s *Server) Kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// Restart starts a killed server again, empty, at the same address.
func (s *Server) Restart() { s.t.Helper(); s.start() }

// Freeze stops the process so that it takes connections and never answers.
func (s *Server) Freeze() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGSTOP)) }

// Thaw lets it go on.
func (s *Server) Thaw() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGCONT)) }

// Sentinel is a primary, a replica and a Sentinel that watches them.
type Sentinel struct {
	Primary, Replica *Server
	Addr             string
}

// StartSentinel starts a primary, a replica and a Sentinel.
func StartSentinel(t *testing.T) *Sentinel {
	t.Helper()
	s := &Sentinel{Primary: StartRedis(t)}
	s.Replica = StartRedis(t, "--replicaof", "127.0.0.1", strconv.Itoa(s.Primary.Port), "--repl-diskless-sync-delay", "0")
	port := freePort(t)
	s.Addr = "127.0.0.1:" + strconv.Itoa(port)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, "port %d\nbind 127.0.0.1\ndir %s\n"+
		"sentinel monitor main 127.0.0.1 %d 1\nsentinel down-after-milliseconds main 500\n"+
		"sentinel failover-timeout main 2000\n", port, filepath.Dir(conf), s.Primary.Port), 0o600))
	cmd := exec.Command("redis-server", conf, "--sentinel")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	c := redis.NewClient(&redis.Options{Addr: s.Addr, DisableIdentity: true})
	defer func() { _ = c.Close() }()
	primary := s.Primary.Client()
	defer func() { _ = primary.Close() }()
	require.Eventually(t, func() bool {
		v, err := c.Do(context.Background(), "SENTINEL", "REPLICAS", "main").Slice()
		info, _ := primary.Info(context.Background(), "replication").Result()
		return err == nil && len(v) == 1 && strings.Contains(info, "state=online")
	}, 20*time.Second, 50*time.Millisecond, "the Sentinel must know the replica")
	return s
}

// Connect returns a client that asks the Sentinel.
func (s *Sentinel) Connect() redis.UniversalClient {
	return counter.Connect(counter.Connection{Addresses: []string{s.Addr}, Primary: "main"})
}

// Cluster is a Redis cluster of three primaries.
type Cluster struct{ Servers []*Server }

// StartCluster starts a cluster.
func StartCluster(t *testing.T) *Cluster {
	t.Helper()
	ctx := context.Background()
	c := &Cluster{}
	bounds := []int{0, 5461, 10922, 16384}
	for i := range 3 {
		bus := freePort(t)
		s := StartRedis(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus),
			"--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no")
		c.Servers = append(c.Servers, s)
		client := s.Client()
		require.NoError(t, client.ClusterAddSlotsRange(ctx, bounds[i], bounds[i+1]-1).Err())
		if i > 0 {
			first := c.Servers[0]
			require.NoError(t, client.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", first.Port, busOf(first)).Err())
		}
		require.NoError(t, client.Close())
	}
	for _, s := range c.Servers {
		client := s.Client()
		require.Eventually(t, func() bool {
			info, err := client.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(info, "cluster_state:ok") &&
				strings.Contains(info, "cluster_slots_ok:16384") && strings.Contains(info, "cluster_known_nodes:3")
		}, 20*time.Second, 50*time.Millisecond, "the cluster must form")
		require.NoError(t, client.Close())
	}
	return c
}

func busOf(s *Server) int {
	for i, a := range s.args {
		if a == "--cluster-port" {
			n, _ := strconv.Atoi(s.args[i+1])
			return n
		}
	}
	return 0
}

// Connect returns a client of the cluster.
func (c *Cluster) Connect() redis.UniversalClient {
	var addrs []string
	for _, s := range c.Servers {
		addrs = append(addrs, s.Addr)
	}
	return counter.Connect(counter.Connection{Addresses: addrs, Cluster: true})
}
