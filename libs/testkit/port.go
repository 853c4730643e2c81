package testkit

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreePort returns a TCP port of 127.0.0.1 that was free a moment ago, for
// programs that cannot be told to listen on port 0. Ours can: give them ":0".
func FreePort(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	return port
}
