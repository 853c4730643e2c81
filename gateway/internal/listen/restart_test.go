package listen

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/internal/nethttp"
)

// serverProcess is what the test binary does as a server of its own: it serves
// the address until SIGTERM and then drains.
func serverProcess(address string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	inherited, err := Inherit(os.Getenv, os.Getpid())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s, err := Open(ctx, Listener{Address: address, H2C: true}, Options{
		HTTP1: plain1{}, HTTP2: &nethttp.Server{Handler: answer{}}, Inherited: inherited,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	inherited.Close()
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	fmt.Fprintln(os.Stdout, "ready")
	<-ctx.Done()
	bound, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := errors.Join(s.Shutdown(bound, 100*time.Millisecond), <-done); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a serverProcess under way.
type process struct {
	cmd *exec.Cmd
	out io.ReadCloser
}

func run(t *testing.T, address string, files []*os.File, env ...string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, "GATEHOUSE_TEST_SERVER="+address)...)
	cmd.Stderr, cmd.ExtraFiles = os.Stderr, files
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{cmd, out}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	return p
}

// end asks the process to drain and waits for it.
func (p *process) end(t *testing.T) {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.cmd.Wait())
}

// load calls address from several clients until stopped: each request on a new
// connection, on a kept one, and over HTTP/2 in turn by client.
type load struct {
	requests atomic.Int64
	mu       sync.Mutex
	errs     []error
	stop     context.CancelFunc
	wg       sync.WaitGroup
}

func startLoad(t *testing.T, address string) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{stop: cancel}
	for i := range 9 {
		tr := &http.Transport{DisableKeepAlives: i%3 == 0}
		if i%3 == 2 {
			tr.Protocols = new(http.Protocols)
			tr.Protocols.SetUnencryptedHTTP2(true)
		}
		l.wg.Go(func() {
			defer tr.CloseIdleConnections()
			for ctx.Err() == nil {
				if err := fetch(tr, address); err != nil {
					l.mu.Lock()
					l.errs = append(l.errs, fmt.Errorf("client %d: %w", i, err))
					l.mu.Unlock()
				}
				l.requests.Add(1)
			}
		})
	}
	t.Cleanup(func() { cancel(); l.wg.Wait() })
	return l
}

func fetch(tr *http.Transport, address string) error {
	// Not idempotent, so that the client does not try again and hide a loss.
	r, err := http.NewRequest(http.MethodPost, "http://"+address+"/", http.NoBody)
	if err != nil {
		return err
	}
	res, err := tr.RoundTrip(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}

func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	goal := l.requests.Load() + n
	require.Eventually(t, func() bool { return l.requests.Load() >= goal }, 30*time.Second, time.Millisecond)
}

func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop()
	l.wg.Wait()
	t.Logf("%d requests", l.requests.Load())
	require.Empty(t, l.errs)
}

// R5.4: a restart under load loses nothing, by SO_REUSEPORT.
func TestRestartByReusePort(t *testing.T) {
	// A port that is free; nobody else listens on it in between, in practice.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())

	old := run(t, address, nil)
	clients := startLoad(t, address)
	for range 5 {
		clients.more(t, 300)
		next := run(t, address, nil) // opens the port while the old one has it
		clients.more(t, 100)
		old.end(t)
		old = next
	}
	clients.more(t, 300)
	clients.end(t)
	old.end(t)
}

// R5.4: a restart under load loses nothing, by handing the socket down.
func TestRestartByInheritance(t *testing.T) {
	s, err := Open(t.Context(), Listener{Address: "127.0.0.1:0"}, Options{})
	require.NoError(t, err)
	defer s.Close()
	address := s.Addr().String()
	files, env, err := HandDown(s)
	require.NoError(t, err)
	defer files[0].Close()

	old := run(t, address, files, env...)
	clients := startLoad(t, address)
	for range 5 {
		clients.more(t, 300)
		next := run(t, address, files, env...)
		clients.more(t, 100)
		old.end(t)
		old = next
	}
	clients.more(t, 300)
	clients.end(t)
	old.end(t)
}

func TestInheritReadsTheEnvironment(t *testing.T) {
	t.Parallel()
	env := func(m map[string]string) func(string) string { return func(k string) string { return m[k] } }
	in, err := Inherit(env(map[string]string{"LISTEN_FDS": "2", "LISTEN_PID": "7"}), 8)
	require.NoError(t, err)
	require.Empty(t, in.listeners, "meant for another process")
	_, err = Inherit(env(map[string]string{envFDs: "many"}), 8)
	require.ErrorContains(t, err, "taking over sockets")
	require.True(t, sameAddress(":80", "[::]:80"))
	require.True(t, sameAddress("127.0.0.1:80", "127.0.0.1:80"))
	require.False(t, sameAddress("127.0.0.1:80", "[::]:80"))
	require.False(t, sameAddress(":80", "127.0.0.1:80"))
	require.False(t, sameAddress(":81", "[::]:80"))
}

func TestASocketOfThisProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	in := &Inherited{}
	in.Add(l)
	s, err := Open(t.Context(), Listener{Address: l.Addr().String()}, Options{HTTP1: stuck{}, Log: quiet(), Inherited: in})
	require.NoError(t, err)
	require.Same(t, l, s.listener, "and not opened a second time")
	in.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err, "whoever has taken it over closes it")
	require.NoError(t, c.Close())
	require.NoError(t, s.listener.Close())
}

func TestShutdownCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Listener{Address: "127.0.0.1:0"}, Options{HTTP1: stuck{}, Log: quiet()})
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	c, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.Eventually(t, func() bool { return s.Connections() == 1 }, 30*time.Second, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, s.Shutdown(ctx, 0), "1 connections were cut")
	require.NoError(t, <-done)
}

// stuck never ends a connection by itself.
type stuck struct{}

func (stuck) ServeConn(_ context.Context, c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestConnectionBoundMakesOthersWait(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Listener{Limits: Limits{Connections: 1}})
	first, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.Connections() == 1 }, 30*time.Second, time.Millisecond)
	second, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	defer second.Close()
	require.NoError(t, second.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = second.Write([]byte(get))
	require.NoError(t, err)
	require.Never(t, func() bool { return s.Connections() > 1 }, 50*time.Millisecond, 5*time.Millisecond)
	require.NoError(t, first.Close())
	answer, err := io.ReadAll(second)
	require.NoError(t, err)
	require.Contains(t, string(answer), "200 OK")
}
