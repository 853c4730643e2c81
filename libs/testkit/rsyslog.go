package testkit

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// rsyslogConf takes messages by TCP and TLS, and writes their texts into a file.
const rsyslogConf = `global(workDirectory="%[1]s" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="%[1]s/ca.pem" defaultNetstreamDriverCertFile="%[1]s/cert.pem" defaultNetstreamDriverKeyFile="%[1]s/key.pem")
module(load="imtcp")
template(name="text" type="string" string="%%msg%%\n")
input(type="imtcp" address="127.0.0.1" port="%[2]d")
input(type="imtcp" address="127.0.0.1" port="%[3]d" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
action(type="omfile" file="%[1]s/out" template="text" asyncWriting="off")
`

// RsyslogServer is an rsyslogd on this machine.
type RsyslogServer struct {
	// TCP and TLS are its addresses, host and port; CA is the authority of its
	// certificate, as PEM.
	TCP, TLS, CA string

	t      testing.TB
	dir    string
	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// Rsyslog starts an rsyslogd, which takes messages of at most 64 KiB. Without rsyslogd
// the test is skipped, or fails where CI=true.
func Rsyslog(t testing.TB) *RsyslogServer {
	t.Helper()
	s := &RsyslogServer{t: t, dir: t.TempDir()}
	s.CA = certificates(t, s.dir)
	t.Cleanup(s.Stop)
	for range 5 {
		plain, secure := FreePort(t), FreePort(t)
		s.TCP, s.TLS = net.JoinHostPort("127.0.0.1", strconv.Itoa(plain)), net.JoinHostPort("127.0.0.1", strconv.Itoa(secure))
		require.NoError(t, os.WriteFile(s.conf(), fmt.Appendf(nil, rsyslogConf, s.dir, plain, secure), 0o600))
		if s.Start() {
			return s
		}
	}
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	t.Fatalf("rsyslogd does not start:\n%s", b)
	return nil
}

func (s *RsyslogServer) conf() string { return filepath.Join(s.dir, "rsyslog.conf") }

// Start starts it again after [RsyslogServer.Stop], at the same addresses, and says
// whether it answers.
func (s *RsyslogServer) Start() bool {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.dir, "log"))
	require.NoError(s.t, err)
	cmd := exec.Command(slapdProgram(s.t, "rsyslogd"), "-n", "-f", s.conf(), "-i", filepath.Join(s.dir, "pid")) //nolint:gosec,noctx // the test's own arguments; ended by Stop
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
	for _, address := range []string{s.TCP, s.TLS} {
		for end := time.Now().Add(10 * time.Second); ; {
			c, err := (&net.Dialer{}).DialContext(s.t.Context(), "tcp", address)
			if err == nil {
				_ = c.Close()
				break
			}
			select {
			case <-exited:
				return false
			case <-time.After(20 * time.Millisecond):
			}
			if time.Now().After(end) {
				return false
			}
		}
	}
	return true
}

// Stop ends it as it would end for a new version: what it has read is written.
func (s *RsyslogServer) Stop() {
	s.mu.Lock()
	cmd, exited := s.cmd, s.exited
	s.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-exited:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		<-exited
	}
}

// Texts returns the texts of the messages that arrived so far.
func (s *RsyslogServer) Texts() []string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "out"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(s.t, err)
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}
