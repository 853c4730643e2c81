package suite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Upstream is a server that writes down, byte for byte, what it is sent, and
// that can be told what to answer. It understands only what is beyond doubt:
// anything else is written down as broken.
type Upstream struct {
	l    net.Listener
	done sync.WaitGroup

	mu     sync.Mutex
	seen   []*Message
	broken []string
	answer string
	closes bool
	conns  map[net.Conn]bool
	closed bool
}

// StartUpstream opens an upstream at an address such as 127.0.0.1:0.
func StartUpstream(ctx context.Context, address string) (*Upstream, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("opening the upstream: %w", err)
	}
	u := &Upstream{l: l, conns: map[net.Conn]bool{}}
	u.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			u.mu.Lock()
			u.conns[c] = true
			gone := u.closed
			u.mu.Unlock()
			if gone {
				_ = c.Close()
				return
			}
			u.done.Go(func() {
				u.serve(c)
				_ = c.Close()
				u.mu.Lock()
				delete(u.conns, c)
				u.mu.Unlock()
			})
		}
	})
	return u, nil
}

// Addr returns host and port.
func (u *Upstream) Addr() string { return u.l.Addr().String() }

// Close ends the upstream and all its connections.
func (u *Upstream) Close() {
	_ = u.l.Close()
	u.mu.Lock()
	u.closed = true
	for c := range u.conns {
		_ = c.Close()
	}
	u.mu.Unlock()
	u.done.Wait()
}

// Answer sets what is answered from now on; "" = 200 with what was asked for.
func (u *Upstream) Answer(raw string, closes bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer, u.closes = raw, closes
}

// Take returns what was seen since it was called last: the requests, and what
// was none.
func (u *Upstream) Take() (seen []*Message, broken []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen, broken = u.seen, u.broken
	u.seen, u.broken = nil, nil
	return seen, broken
}

func (u *Upstream) serve(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		if c.SetDeadline(time.Now().Add(time.Minute)) != nil {
			return
		}
		m, err := readHead(r)
		if err == nil {
			if _, ok := m.Header.Get("Expect"); ok {
				if _, err := io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
					return
				}
			}
			err = m.readBody(r, false)
		}
		u.mu.Lock()
		switch {
		case err == nil:
			u.seen = append(u.seen, m)
		case errors.Is(err, errForm): // a body that breaks off is a request that was given up
			u.broken = append(u.broken, err.Error())
		}
		answer, closes := u.answer, u.closes
		u.mu.Unlock()
		if err != nil {
			return
		}
		if answer == "" {
			body := "saw " + m.Start
			answer = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			if strings.HasPrefix(m.Start, "HEAD ") {
				answer = strings.TrimSuffix(answer, body)
			}
		}
		if _, err := io.WriteString(c, expand(answer)); err != nil || closes {
			return
		}
		if strings.HasPrefix(answer, "HTTP/1.1 101 ") {
			_, _ = io.Copy(c, r) // echoes until either side ends
			return
		}
	}
}
