package scenario_test

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// onlyListensOn sees that a process listens on the TCP ports of these addresses,
// and on no other.
func onlyListensOn(t *testing.T, pid int, addresses ...string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Log("which ports a process listens on is looked up in /proc")
		return
	}
	var want []string
	for _, a := range addresses {
		u, err := url.Parse(a)
		require.NoError(t, err)
		want = append(want, u.Host)
	}
	slices.Sort(want)
	require.Equal(t, want, listeners(t, pid), "the process listens where it did not say so")
}

// listeners returns the addresses on which a process listens, from the tables of
// its sockets and from its open files (proc(5)).
func listeners(t *testing.T, pid int) []string {
	t.Helper()
	of := filepath.Join("/proc", strconv.Itoa(pid))
	files, err := filepath.Glob(filepath.Join(of, "fd", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	own := map[string]bool{}
	for _, f := range files {
		name, err := os.Readlink(f)
		if err != nil {
			continue // it was closed meanwhile
		}
		if inode, ok := strings.CutPrefix(name, "socket:["); ok {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	var all []string
	for _, table := range []string{"tcp", "tcp6"} {
		b, err := os.ReadFile(filepath.Join(of, "net", table))
		if os.IsNotExist(err) {
			continue // without IPv6
		}
		require.NoError(t, err)
		for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
			const local, state, inode, listen = 1, 3, 9, "0A"
			if f := strings.Fields(line); f[state] == listen && own[f[inode]] {
				all = append(all, socketAddress(t, f[local]))
			}
		}
	}
	slices.Sort(all)
	return all
}

// socketAddress reads an address of the tables: words of four bytes, each the
// wrong way round, and the port.
func socketAddress(t *testing.T, s string) string {
	t.Helper()
	host, port, ok := strings.Cut(s, ":")
	require.True(t, ok, s)
	ip, err := hex.DecodeString(host)
	require.NoError(t, err)
	for word := range slices.Chunk(ip, 4) {
		slices.Reverse(word)
	}
	n, err := strconv.ParseUint(port, 16, 16)
	require.NoError(t, err)
	return net.JoinHostPort(net.IP(ip).String(), fmt.Sprint(n))
}
