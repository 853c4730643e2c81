//go:build !linux

package http1

import "syscall"

// hasLeft cannot tell on this system: a client that leaves is noticed when the
// answer is written.
func hasLeft(syscall.RawConn, bool) bool { return false }

// readable cannot tell on this system: a stale connection is noticed when it is
// used.
func readable(syscall.RawConn) bool { return false }
