package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
)

// The environment in which sockets are handed down: that of systemd's socket
// activation (sd_listen_fds(3)), and our own without a process id, which a
// parent cannot know beforehand.
const (
	envSystemdFDs = "LISTEN_FDS"
	envSystemdPID = "LISTEN_PID"
	envFDs        = "GATEHOUSE_LISTEN_FDS"
	firstFD       = 3
)

// Inherited are listening sockets that were handed down to this process. Since
// a socket that is handed down keeps its queue, not one connection is lost.
type Inherited struct {
	mu        sync.Mutex
	listeners []net.Listener
}

// Inherit takes over the sockets that the environment tells of. Pid is that of
// this process.
func Inherit(getenv func(string) string, pid int) (*Inherited, error) {
	count := getenv(envFDs)
	if count == "" && getenv(envSystemdPID) == strconv.Itoa(pid) {
		count = getenv(envSystemdFDs)
	}
	in := &Inherited{}
	if count == "" {
		return in, nil
	}
	n, err := strconv.ParseUint(count, 10, 8)
	if err != nil {
		return nil, fmt.Errorf("taking over sockets: %q is no number of descriptors: %w", count, err)
	}
	for fd := firstFD; fd < firstFD+int(n); fd++ {
		f := os.NewFile(uintptr(fd), "inherited "+strconv.Itoa(fd))
		l, err := net.FileListener(f) // a copy that is closed on exec
		_ = f.Close()
		if err != nil {
			in.Close()
			return nil, fmt.Errorf("taking over socket %d: %w", fd, err)
		}
		in.listeners = append(in.listeners, l)
	}
	return in, nil
}

// Add adds sockets that were opened in this process.
func (in *Inherited) Add(listeners ...net.Listener) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.listeners = append(in.listeners, listeners...)
}

// take returns the socket that listens on address, nil where there is none.
func (in *Inherited) take(address string) *net.TCPListener {
	if in == nil {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, l := range in.listeners {
		if t, ok := l.(*net.TCPListener); ok && sameAddress(address, t.Addr().String()) {
			in.listeners = append(in.listeners[:i], in.listeners[i+1:]...)
			return t
		}
	}
	return nil
}

// Close closes the sockets that no listener has taken: those of listeners which
// the configuration no longer has.
func (in *Inherited) Close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, l := range in.listeners {
		_ = l.Close()
	}
	in.listeners = nil
}

// sameAddress reports whether the configured address is that of a socket.
func sameAddress(configured, socket string) bool {
	a, err := net.ResolveTCPAddr("tcp", configured)
	if err != nil {
		return false
	}
	b, err := netip.ParseAddrPort(socket)
	if err != nil || a.Port != int(b.Port()) {
		return false
	}
	ip := a.AddrPort().Addr().Unmap()
	return ip == b.Addr().Unmap() || (!ip.IsValid() || ip.IsUnspecified()) && b.Addr().IsUnspecified()
}

var errNotTCP = errors.New("not a TCP socket")

// HandDown returns copies of the servers' sockets for the ExtraFiles of a
// successor's [os/exec.Cmd], and what to add to its environment. The caller
// closes the files once the successor has started. The servers go on accepting
// from the same queues until they are shut down.
func HandDown(servers ...*Server) (files []*os.File, env []string, err error) {
	for _, s := range servers {
		f, err := s.listener.File()
		if err != nil {
			for _, f := range files {
				_ = f.Close()
			}
			return nil, nil, fmt.Errorf("handing down the socket of %s: %w", s.Addr(), err)
		}
		s.shared.Store(true)
		files = append(files, f)
	}
	return files, []string{envFDs + "=" + strconv.Itoa(len(files))}, nil
}
