package http1

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// hasLeft reports whether the other end of a socket has gone: it has reset the
// connection, or, where that counts, ended its side. Unlike reading it tells so
// even with unread bytes before the end, which TLS always has.
func hasLeft(s syscall.RawConn, half bool) bool {
	gone := true // a closed socket
	_ = s.Control(func(fd uintptr) {
		p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(p[:], 0)
		mask := int16(unix.POLLERR | unix.POLLHUP)
		if half {
			mask |= unix.POLLRDHUP
		}
		gone = err == nil && n > 0 && p[0].Revents&mask != 0
	})
	return gone
}

// readable reports whether reading from a socket would not wait: there are
// bytes, or the other end has gone.
func readable(s syscall.RawConn) bool {
	yes := true // a closed socket
	_ = s.Control(func(fd uintptr) {
		p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}}
		n, err := unix.Poll(p[:], 0)
		yes = err == nil && n > 0
	})
	return yes
}
