package testkit

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// redisAddress names the variable with the address of a Redis that is already
// there, such as 127.0.0.1:6379.
const redisAddress = "GATEHOUSE_TEST_REDIS"

// startLimit bounds how long a server may take to answer.
const startLimit = 20 * time.Second

// RedisOptions say what kind of server a test needs.
type RedisOptions struct {
	// Control is set by tests that pause, kill or restart the server. They
	// always get one of their own.
	Control bool
	// Password is required from clients; it makes the server an own one.
	Password string
	// ReplicaOf makes the server a replica; it makes it an own one.
	ReplicaOf *RedisServer
	// Args are further arguments of redis-server; they make it an own one.
	Args []string
}

// RedisServer is a running redis-server.
type RedisServer struct {
	// Addr is host:port.
	Addr string
	// Password is what clients must send; "" is none.
	Password string

	t    testing.TB
	args []string // none: not ours
	dir  string

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// Redis returns a server that answers. It is started on a free port of
// 127.0.0.1 and stopped when the test ends, unless GATEHOUSE_TEST_REDIS names
// one and any will do; that one is shared, so use keys of your own. Without
// redis-server the test is skipped, or fails where CI=true.
func Redis(t testing.TB, opt RedisOptions) *RedisServer {
	t.Helper()
	own := opt.Control || opt.Password != "" || opt.ReplicaOf != nil || len(opt.Args) > 0
	if addr := os.Getenv(redisAddress); addr != "" && !own {
		s := &RedisServer{Addr: addr, t: t}
		s.awaitAnswer()
		return s
	}
	args := append([]string{"--save", "", "--appendonly", "no"}, opt.Args...)
	if opt.Password != "" {
		args = append(args, "--requirepass", opt.Password)
	}
	if p := opt.ReplicaOf; p != nil {
		host, port, err := net.SplitHostPort(p.Addr)
		require.NoError(t, err)
		args = append(args, "--replicaof", host+" "+port, "--repl-diskless-sync-delay", "0")
		if p.Password != "" {
			args = append(args, "--masterauth", p.Password)
		}
	}
	s := startRedis(t, opt.Password, args)
	if p := opt.ReplicaOf; p != nil {
		s.await("the replica's link to its primary", "master_link_status:up", "INFO", "replication")
		// The primary counts a replica only from its first acknowledgement on.
		_, port, err := net.SplitHostPort(s.Addr)
		require.NoError(t, err)
		p.await("the replica at "+s.Addr+" to be online", "port="+port+",state=online,", "INFO", "replication")
	}
	return s
}

// startRedis starts a server of the test's own.
func startRedis(t testing.TB, password string, args []string) *RedisServer {
	t.Helper()
	return startRedisWith(t, password, nil, args)
}

// startRedisWith also has arguments that come first, such as a file. Another
// process may take the port in between, so it tries again.
func startRedisWith(t testing.TB, password string, first, args []string) *RedisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		const how = "redis-server is not in PATH; install it (Debian: apt-get install redis-server)"
		if os.Getenv("CI") == "true" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	s := &RedisServer{t: t, Password: password, dir: t.TempDir()}
	t.Cleanup(s.Kill)
	for range 5 {
		port := strconv.Itoa(FreePort(t))
		s.Addr = "127.0.0.1:" + port
		s.args = slices.Concat(first, []string{"--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--daemonize", "no"}, args)
		if s.start() {
			return s
		}
	}
	t.Fatalf("redis-server does not start:\n%s", s.log())
	return nil
}

// start says whether the server answers. It does not when it has ended, as it
// does when the port is taken.
func (s *RedisServer) start() bool {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.dir, "log"))
	require.NoError(s.t, err)
	cmd := exec.Command("redis-server", s.args...) //nolint:gosec,noctx // the test's own arguments; ended by Kill
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(s.t, cmd.Start())
	exited := make(chan struct{})
	s.mu.Lock()
	s.cmd, s.exited = cmd, exited
	s.mu.Unlock()
	go func() {
		_ = cmd.Wait() // it is killed, which is an error
		_ = log.Close()
		close(exited)
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(startLimit)
	for {
		select {
		case <-exited:
			return false
		case <-limit:
			s.t.Fatalf("redis-server at %s does not answer:\n%s", s.Addr, s.log())
		case <-tick.C:
			if _, err := s.Do("PING"); err == nil {
				return true
			}
		}
	}
}

func (s *RedisServer) log() []byte {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log")) // only to explain a failure
	return b
}

func (s *RedisServer) awaitAnswer() {
	s.t.Helper()
	require.Eventually(s.t, func() bool { _, err := s.Do("PING"); return err == nil }, startLimit, 10*time.Millisecond,
		"redis at %s does not answer", s.Addr)
}

// await waits until the answer to a command contains a text.
func (s *RedisServer) await(what, text string, command ...string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		answer, err := s.Do(command...)
		return err == nil && strings.Contains(answer, text)
	}, startLimit, 20*time.Millisecond, "waiting for %s at %s", what, s.Addr)
}

func (s *RedisServer) signal(sig syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		s.t.Fatal("this Redis is not running or not the test's own: set RedisOptions.Control")
	}
	require.NoError(s.t, s.cmd.Process.Signal(sig))
}

// Pause stops the process without closing its connections: a server that hangs.
func (s *RedisServer) Pause() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
}

// Resume lets a paused process go on.
func (s *RedisServer) Resume() {
	s.t.Helper()
	s.signal(syscall.SIGCONT)
}

// Kill ends the process at once: a server that is gone. Its data are lost.
func (s *RedisServer) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.exited
	s.cmd = nil
}

// Restart starts a killed server again, at the same address and without data.
func (s *RedisServer) Restart() {
	s.t.Helper()
	if s.args == nil {
		s.t.Fatal("this Redis is not the test's own: set RedisOptions.Control")
	}
	s.Kill()
	if !s.start() {
		s.t.Fatalf("redis-server does not start again:\n%s", s.log())
	}
}

// Do sends one command over a connection of its own and returns the answer in
// the protocol's notation (RESP2), for looking at a server from a test.
func (s *RedisServer) Do(command ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second) //nolint:noctx // bounded
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }() // nothing is left to write
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	if s.Password != "" {
		if _, err := ask(conn, r, "AUTH", s.Password); err != nil {
			return "", err
		}
	}
	return ask(conn, r, command...)
}

// ask sends one command and returns the text of the reply.
func ask(w io.Writer, r *bufio.Reader, command ...string) (string, error) {
	var request bytes.Buffer
	fmt.Fprintf(&request, "*%d\r\n", len(command))
	for _, a := range command {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := w.Write(request.Bytes()); err != nil {
		return "", err
	}
	var reply strings.Builder
	if err := readReply(r, &reply); err != nil {
		return "", err
	}
	if text, failed := strings.CutPrefix(reply.String(), "-"); failed {
		return "", fmt.Errorf("redis: %s", strings.TrimSpace(text))
	}
	return reply.String(), nil
}

// readReply copies one reply of RESP2.
func readReply(r *bufio.Reader, out *strings.Builder) error {
	line, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	out.WriteString(line)
	n, err := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch {
	case line[0] == '$' && err == nil && n >= 0:
		_, err = io.CopyN(out, r, int64(n)+2)
		return err
	case line[0] == '*' && err == nil:
		for range n {
			if err := readReply(r, out); err != nil {
				return err
			}
		}
	}
	return nil
}
