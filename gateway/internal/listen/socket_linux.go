package listen

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// ReusePort is a net.ListenConfig.Control that lets another process of the same
// user open the same port, so that a gateway can be started beside the one that
// it replaces.
func ReusePort(network, address string, c syscall.RawConn) error {
	return setReusePort(network, address, c)
}

// setReusePort lets another process of the same user open the same port.
func setReusePort(_, _ string, c syscall.RawConn) error {
	var err error
	if cerr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	}); cerr != nil {
		return cerr
	}
	return err
}

// turnAway makes the kernel drop what asks for a new connection on a socket,
// and nothing else: handshakes under way complete and can still be accepted. A
// client whose SYN is dropped sends it again after a second (RFC 6298 section
// 2), when the port belongs to the next process. Without this the kernel would
// go on to queue connections up to the moment of closing, and reset them then.
func turnAway(c syscall.RawConn) error {
	const (
		flags    = 13 // offset in the TCP header, which is where a filter of a TCP socket begins
		syn, ack = 0x02, 0x10
	)
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: syn | ack},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: syn, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	var err error
	if cerr := c.Control(func(fd uintptr) {
		err = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
	}); cerr != nil {
		return cerr
	}
	if err != nil {
		return fmt.Errorf("turning new connections away: %w", err)
	}
	return nil
}
