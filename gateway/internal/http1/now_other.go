//go:build !linux

package http1

import (
	"errors"
	"syscall"
)

// readNow reads from a socket that does not block.
func readNow(fd uintptr, p []byte) (int, syscall.Errno) {
	return now(syscall.Read(int(fd), p)) //nolint:gosec // descriptors are small
}

// writeNow writes to a socket that does not block.
func writeNow(fd uintptr, p []byte) (int, syscall.Errno) {
	return now(syscall.Write(int(fd), p)) //nolint:gosec // descriptors are small
}

func now(n int, err error) (int, syscall.Errno) {
	var errno syscall.Errno
	if err != nil {
		if !errors.As(err, &errno) {
			errno = syscall.EIO
		}
		return 0, errno
	}
	return n, 0
}
