package http1

import (
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// requestBody is the content of a request as policies and the client read it.
type requestBody struct {
	c    *conn
	body body
	n    int64
	err  error
	// left is how many bytes are to come: 0 = none, -1 = unknown. Others than
	// the goroutine that reads may look at it.
	left atomic.Int64

	expected    bool       // the client waits for 100
	mu          sync.Mutex // orders the 100 and the response
	answered    bool
	interrupted atomic.Bool
}

func (b *requestBody) reset() {
	b.n, b.err, b.expected, b.answered = 0, nil, false, false
	lower(&b.interrupted)
	b.body.done = true
	if b.left.Load() != 0 {
		b.left.Store(0)
	}
}

// start begins the body that the head told of.
func (b *requestBody) start(req *policy.Request) *malformed {
	f, lim := &b.c.facts, &b.c.lim
	b.body.start(&b.c.in, f, false, &req.Trailer)
	if b.body.done {
		return nil
	}
	b.left.Store(b.body.length())
	b.expected = f.expect && req.Proto == "HTTP/1.1"
	if lim.BodyBytes > 0 && f.length > lim.BodyBytes {
		return errBodyTooLarge
	}
	req.Body.SetStream(b, b.body.length())
	return nil
}

var errBodyTooLarge = &malformed{code: problem.CodeBodyTooLarge, detail: "the content is larger than this gateway accepts"}

// Read reads content. Its errors are problems.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.body.read(p)
	b.n += int64(n)
	if lim := b.c.lim.BodyBytes; lim > 0 && b.n > lim {
		err = errBodyTooLarge
	}
	if err != nil {
		b.err = b.explain(err)
	}
	switch {
	case b.body.done && !errors.Is(err, errBodyTooLarge):
		b.left.Store(0)
	case b.err == nil && b.body.framing == framedLength:
		b.left.Store(b.body.remain)
	default:
		b.left.Store(-1)
	}
	return n, b.err
}

func (b *requestBody) explain(err error) error {
	var m *malformed
	switch {
	case errors.Is(err, io.EOF):
		return err
	case errors.As(err, &m):
		return m.problem()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem.New(problem.CodeRequestTimeout, "the content did not arrive in time").Because(err)
	}
	b.c.mu.Lock()
	b.c.gone = true
	b.c.mu.Unlock()
	return problem.New(problem.CodeClientClosed, "the connection ended within the content").Because(err)
}

// Buffered returns how many bytes can be read without waiting, more or less.
func (b *requestBody) Buffered() int {
	if b.body.done {
		return 0
	}
	return b.body.in.buffered()
}

// Interrupt makes a Read under way, and those to come, fail. It may be called
// from any goroutine.
func (b *requestBody) Interrupt() {
	b.interrupted.Store(true)
	_ = b.c.nc.SetReadDeadline(time.Unix(1, 0))
}

var errInterrupted = errors.New("the content is not wanted any more")

// ready prepares for waiting for the client.
func (b *requestBody) ready() error {
	b.c.rd.after(time.Now(), b.c.lim.BodyIdle)
	if b.interrupted.Load() {
		return errInterrupted
	}
	if !b.expected {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = false
	if b.answered {
		b.interrupted.Store(true) // the client may keep its content
		return errInterrupted
	}
	_, err := io.WriteString(b.c.nc, "HTTP/1.1 100 Continue\r\n\r\n")
	return err
}

// answering says that the response begins, after which no 100 may be sent, and
// reports whether the connection may outlive it as far as the body is concerned.
func (b *requestBody) answering() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answered = true
	left := b.left.Load()
	return left == 0 || left > 0 && left <= drainBytes && !b.expected && !b.interrupted.Load()
}

// drain reads what is left, and reports whether that was all.
func (b *requestBody) drain() bool {
	if b.body.done {
		return true
	}
	if b.expected || b.interrupted.Load() || b.err != nil {
		return false
	}
	p := pages.Get().(*page) //nolint:forcetypeassert // the pool holds nothing else
	defer pages.Put(p)
	b.body.trailer = nil // the exchange has ended
	for left := drainBytes; left > 0; {
		n, err := b.body.read(p[:])
		left -= n
		if err != nil {
			return errors.Is(err, io.EOF)
		}
	}
	return b.body.done
}
