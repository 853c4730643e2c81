//go:build linux

// Command bytes is a sketch for comparison and no proxy: it passes on whatever
// it receives at once, each client over an upstream connection of its own, and
// never looks at a byte. It makes the same four system calls for a request as
// the gateway does, in the same way, and so shows what is left to be saved: the
// rest of a request's cost is the kernel's and the scheduler's.
package main

import (
	"flag"
	"log"
	"net"
	"syscall"
	"unsafe"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	upstream := flag.String("upstream", "", "host:port to pass everything on to")
	flag.Parse()
	ln, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			if err := pass(c.(*net.TCPConn), *upstream); err != nil { //nolint:forcetypeassert // TCP was asked for
				log.Print(err)
			}
		}()
	}
}

// side is one connection with a message on its way.
type side struct {
	raw  syscall.RawConn
	out  []byte // to be sent before anything is received
	in   []byte
	err  error
	call func(fd uintptr) bool
}

func newSide(c *net.TCPConn) (*side, error) {
	raw, err := c.SyscallConn()
	s := &side{raw: raw, in: make([]byte, 0, 64<<10)}
	s.call = s.receive
	return s, err
}

func pass(client *net.TCPConn, upstream string) error {
	defer func() { _ = client.Close() }()
	conn, err := net.Dial("tcp", upstream)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	c, err := newSide(client)
	if err != nil {
		return err
	}
	u, err := newSide(conn.(*net.TCPConn)) //nolint:forcetypeassert // TCP was asked for
	if err != nil {
		return err
	}
	answer := func(fd uintptr) bool {
		c.send(fd, u.in)
		return true
	}
	for {
		if err := c.wait(); err != nil || len(c.in) == 0 {
			return err
		}
		u.out = c.in
		if err := u.wait(); err != nil || len(u.in) == 0 {
			return err
		}
		if err := c.raw.Write(answer); err != nil {
			return err
		}
		if c.err != nil {
			return c.err
		}
	}
}

// wait sends what is to be sent and receives what comes then.
func (s *side) wait() error {
	if err := s.raw.Read(s.call); err != nil {
		return err
	}
	return s.err
}

func (s *side) receive(fd uintptr) bool {
	if len(s.out) > 0 {
		ok := s.send(fd, s.out)
		s.out = nil
		return !ok // the answer cannot be there yet
	}
	p := s.in[:cap(s.in)]
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	if errno == syscall.EAGAIN {
		return false
	}
	s.in, s.err = p[:0], nil
	if errno != 0 {
		s.err = errno
		return true
	}
	s.in = p[:n]
	return true
}

func (s *side) send(fd uintptr, p []byte) bool {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), syscall.MSG_NOSIGNAL, 0, 0)
	if errno != 0 || int(n) < len(p) { // messages are smaller than a socket's buffer
		s.err = syscall.EMSGSIZE
		return false
	}
	return true
}
