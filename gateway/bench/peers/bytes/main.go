//go:build linux

// Command bytes is a sketch for comparison and no proxy: it passes on whatever
// it receives at once, each client over an upstream connection of its own, and
// never looks at a byte. It makes the same four system calls for a request as
// the gateway does, in the same way, and so shows what is left to be saved: the
// rest of a request's cost is the kernel's and the scheduler's.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	upstream := flag.String("upstream", "", "host:port to pass everything on to")
	flag.Parse()
	fmt.Fprintln(os.Stderr, "bytes:", serve(*listen, *upstream))
	os.Exit(1)
}

// serve returns only where it cannot go on.
func serve(listen, upstream string) error {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			if err := pass(c.(*net.TCPConn), upstream); err != nil { //nolint:forcetypeassert // TCP was asked for
				fmt.Fprintln(os.Stderr, "bytes:", err)
			}
		}()
	}
}

var errCut = errors.New("a message was sent in part")

// pass serves one client within the wait for its requests.
func pass(client *net.TCPConn, upstream string) error {
	defer func() { _ = client.Close() }()
	conn, err := net.Dial("tcp", upstream)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	from, err := client.SyscallConn()
	if err != nil {
		return err
	}
	to, err := conn.(*net.TCPConn).SyscallConn() //nolint:forcetypeassert // TCP was asked for
	if err != nil {
		return err
	}
	var failed error
	var message, request, answer []byte
	message = make([]byte, 64<<10)
	ask := func(fd uintptr) bool {
		if request != nil {
			failed = send(fd, request)
			request = nil
			return failed != nil // the answer cannot be there yet
		}
		answer, failed = receive(fd, message)
		return answer != nil || failed != nil
	}
	err = from.Read(func(fd uintptr) bool {
		request, failed = receive(fd, message)
		if failed != nil || request == nil {
			return failed != nil
		}
		answer = nil
		if err := to.Read(ask); err != nil {
			failed = err
		}
		if failed == nil {
			failed = send(fd, answer)
		}
		return failed != nil
	})
	if errors.Is(failed, io.EOF) {
		return err
	}
	return errors.Join(err, failed)
}

// receive returns what has come, or nil where nothing has.
func receive(fd uintptr, p []byte) ([]byte, error) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	switch {
	case errno == syscall.EAGAIN:
		return nil, nil
	case errno != 0:
		return nil, errno
	case n == 0:
		return nil, io.EOF
	}
	return p[:n], nil
}

// send sends a message, which is smaller than a socket's buffer.
func send(fd uintptr, p []byte) error {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_NOSIGNAL, 0, 0)
	switch {
	case errno != 0:
		return errno
	case int(n) < len(p):
		return errCut
	}
	return nil
}
