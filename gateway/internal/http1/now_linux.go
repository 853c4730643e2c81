package http1

import (
	"syscall"
	"unsafe"
)

// readNow reads from a socket that does not block. Such a call never waits, so
// that the scheduler need not be told of it, which costs about as much as
// copying a few hundred bytes.
func readNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))) //nolint:gosec // as the syscall package does
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// writeNow writes to a socket that does not block.
func writeNow(fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p))) //nolint:gosec // as the syscall package does
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
