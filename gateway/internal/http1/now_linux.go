package http1

import (
	"syscall"
	"unsafe"
)

// readNow reads from a socket that does not block. Such a call never waits, so
// that the scheduler need not be told of it, which costs about as much as
// copying a few hundred bytes. To receive is cheaper than to read: the kernel
// need not find out first that the file is a socket.
func readNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0) //nolint:gosec // as the syscall package does
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// writeNow writes to a socket that does not block.
func writeNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_NOSIGNAL, 0, 0) //nolint:gosec // as the syscall package does
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
