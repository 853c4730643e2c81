// Command upstream is the server behind every proxy of the benchmark: it answers
// as cheaply as a Go program can, so that the proxy and not the upstream is what
// gets measured. It reads just enough of HTTP/1.1 for requests that a proxy has
// already cleaned, and must not be used for anything else.
//
// A path that ends in /100k is answered with 100,000 bytes, /count with the
// number of requests answered so far (itself not counted), and any other with
// 1,000 bytes.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/load"
)

func main() {
	address := flag.String("listen", "127.0.0.1:9000", "address to listen on")
	flag.Parse()
	ln, err := net.Listen("tcp", *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "upstream: "+newServer(time.Now()).serve(ln).Error())
	os.Exit(1)
}

type server struct {
	requests atomic.Int64

	mu    sync.RWMutex
	at    int64 // the second for which small and large were made
	small []byte
	large []byte
}

func newServer(now time.Time) *server {
	s := &server{}
	s.answers(now)
	return s
}

func (s *server) serve(ln net.Listener) error {
	for {
		c, err := ln.Accept()
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		go func() {
			defer func() { _ = c.Close() }() // the proxy may have closed it
			if err := s.connection(c); err != nil {
				fmt.Fprintln(os.Stderr, "upstream:", err)
			}
		}()
	}
}

// answers returns the whole answers for this second, with their Date.
func (s *server) answers(now time.Time) (small, large []byte) {
	second := now.Unix()
	s.mu.RLock()
	fresh := s.at == second
	small, large = s.small, s.large
	s.mu.RUnlock()
	if fresh {
		return small, large
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at != second {
		s.at = second
		s.small, s.large = answer(now, load.Body(load.Small)), answer(now, load.Body(load.Large))
	}
	return s.small, s.large
}

func answer(now time.Time, body []byte) []byte {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n",
		now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), len(body))
	return append([]byte(head), body...)
}

var errRequest = errors.New("not a request that a proxy should send")

func (s *server) connection(c net.Conn) error {
	buf := make([]byte, 16<<10)
	n := 0
	for {
		end := bytes.Index(buf[:n], []byte("\r\n\r\n"))
		if end < 0 {
			if n == len(buf) {
				return fmt.Errorf("header over %d bytes: %w", len(buf), errRequest)
			}
			m, err := c.Read(buf[n:])
			if err != nil {
				return nil //nolint:nilerr // the proxy closed a connection it no longer needs
			}
			n += m
			continue
		}
		head := buf[:end]
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		_, target, ok := bytes.Cut(line, []byte(" "))
		target, _, ok2 := bytes.Cut(target, []byte(" "))
		if !ok || !ok2 || !bytes.HasPrefix(target, []byte("/")) {
			return fmt.Errorf("request line %q: %w", line, errRequest)
		}
		out := s.route(target)
		if _, err := c.Write(out); err != nil {
			return nil //nolint:nilerr // the proxy is gone
		}
		n = copy(buf, buf[end+4:n])
	}
}

func (s *server) route(target []byte) []byte {
	switch {
	case bytes.HasSuffix(target, []byte("/count")):
		return answer(time.Now(), strconv.AppendInt(nil, s.requests.Load(), 10))
	case bytes.HasSuffix(target, []byte("/100k")):
		s.requests.Add(1)
		_, large := s.answers(time.Now())
		return large
	default:
		s.requests.Add(1)
		small, _ := s.answers(time.Now())
		return small
	}
}
