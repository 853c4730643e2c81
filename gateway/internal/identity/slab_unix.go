//go:build unix

package identity

import "syscall"

// allocate returns n bytes and whether they are to be released.
func allocate(n int) ([]byte, bool) {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil { // the heap will do
		return make([]byte, n), false
	}
	return b, true
}

func release(b []byte) { _ = syscall.Munmap(b) } // nothing could be done about it
