package embedded

import (
	"net"
	"sync"
	"time"
)

// pending is how much a [pipe] takes in ahead of the server, in bytes.
const pending = 256 << 10

// pipe is the client's end of a connection within the process. The server's own
// is unbuffered: two ends that write at once wait for each other until a
// deadline, as when credentials are refused. This one writes behind.
type pipe struct {
	net.Conn
	mu     sync.Mutex
	moved  sync.Cond
	buf    []byte // not yet taken over by the server
	spare  []byte
	err    error
	closed bool
	busy   bool // pump runs: only while there is something to write
}

func newPipe(c net.Conn) *pipe {
	p := &pipe{Conn: c}
	p.moved.L = &p.mu
	return p
}

func (p *pipe) pump() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) > 0 && p.err == nil {
		out := p.buf
		p.buf = p.spare[:0]
		p.mu.Unlock()
		_, err := p.Conn.Write(out)
		p.mu.Lock()
		p.spare, p.err = out, err
		p.moved.Broadcast()
	}
	p.busy = false
	p.moved.Broadcast()
}

// Write implements [net.Conn].
func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.buf) >= pending && p.err == nil && !p.closed {
		p.moved.Wait()
	}
	switch {
	case p.err != nil:
		return 0, p.err
	case p.closed:
		return 0, net.ErrClosed
	}
	p.buf = append(p.buf, b...)
	if !p.busy {
		p.busy = true
		go p.pump()
	}
	return len(b), nil
}

// SetDeadline implements [net.Conn], for reading.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetWriteDeadline implements [net.Conn]. Writing waits only for a server that
// hangs, which the client's pings find out.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }

// Close implements [net.Conn]. What was written is handed over first.
func (p *pipe) Close() error {
	_ = p.Conn.SetWriteDeadline(time.Now().Add(time.Second))
	p.mu.Lock()
	p.closed = true
	p.moved.Broadcast()
	for p.busy {
		p.moved.Wait()
	}
	p.mu.Unlock()
	return p.Conn.Close()
}
