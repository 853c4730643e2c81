package testkit

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ports are taken from below those that systems hand out by themselves (32768
// and up on Linux, 49152 and up elsewhere): a port found there could go to an
// outgoing connection, or to somebody who asked for port 0, before the program
// under test listens on it.
const (
	firstPort = 10_000
	lastPort  = 32_000
)

// FreePort returns a TCP port of 127.0.0.1 for programs that cannot be told to
// listen on port 0, or whose address has to be known before they start. No other
// test gets it until this one has ended, in this process or in another. Ours can
// mostly do without: give them ":0".
func FreePort(t testing.TB) int {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "gatehouse-ports")
	require.NoError(t, os.MkdirAll(dir, 0o777)) // tests of other users take ports as well
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if taken, ok := take(filepath.Join(dir, strconv.Itoa(port))); ok {
			t.Cleanup(func() { _ = taken.Close() }) // which gives it back
			if l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
				require.NoError(t, l.Close())
				return port
			}
		}
	}
	t.Fatalf("no port from %d to %d is free", firstPort, lastPort)
	return 0
}

// take locks a file for as long as it is open.
func take(name string) (*os.File, bool) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o666) // see the folder's mode
	if err != nil {
		return nil, false
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		_ = f.Close() // somebody else has it
		return nil, false
	}
	return f, true
}
