package listen

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// setReusePort lets another process of the same user open the same port.
func setReusePort(_, _ string, c syscall.RawConn) error {
	var err error
	if cerr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) //nolint:gosec // a descriptor
	}); cerr != nil {
		return cerr
	}
	return err
}

// steerAway makes the kernel give new connections to the socket that was opened
// next on the same port, if there is one. Without it the kernel would go on to
// spread them over all, and those in the queue of the socket that closes would
// be reset. The filter answers the index of the socket within the group, which
// is in the order of opening; an index that does not exist means any socket.
func steerAway(c syscall.RawConn) error {
	filter := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: 1}}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]} //nolint:gosec // one instruction
	var err error
	if cerr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_REUSEPORT_CBPF, &program) //nolint:gosec // a descriptor
	}); cerr != nil {
		return cerr
	}
	if err != nil {
		return fmt.Errorf("steering new connections to the next process: %w", err)
	}
	return nil
}
