//go:build !linux

package listen

import (
	"errors"
	"syscall"
)

func setReusePort(_, _ string, _ syscall.RawConn) error { return nil }

func turnAway(syscall.RawConn) error {
	return errors.ErrUnsupported
}

// ReusePort does nothing on this system.
func ReusePort(_, _ string, _ syscall.RawConn) error { return nil }
