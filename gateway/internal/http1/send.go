package http1

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

var (
	errRequestField = errors.New("the request has a header field, path or authority that would break the message")
	errBodyShort    = errors.New("the request content is shorter or longer than announced")
)

// stopGrace is how long a sender that the upstream did not wait for may take to
// end by itself.
const stopGrace = 2 * time.Millisecond

// send writes the request. It returns when all of it is written, or when what
// is left is written by a sender beside the wait for the response.
func (a *attempt) send(start time.Time) error {
	u, body := a.conn, &a.ex.Request.Body
	out := &a.out
	if a.whole && len(out.buf) > 0 { // once more
		a.bound(&u.wd, start, a.writeTime())
		a.bound(&u.rd, start, a.call.HeaderTimeout)
		return u.in.write(out.buf)
	}
	out.small()
	size := body.Length()
	if !body.Empty() && (size < 0 || size > pageBytes) {
		out.large()
	}
	chunked, err := a.head(out)
	if err != nil {
		return &transport.CallError{Failure: transport.FailedInvalid, Err: err}
	}
	a.bound(&u.wd, start, a.writeTime())
	switch {
	case body.Empty():
		a.whole = true
	case body.Buffered():
		a.whole = true
		if p := body.Bytes(); len(p) > cap(out.buf)-len(out.buf) {
			a.bound(&u.rd, start, a.call.HeaderTimeout)
			return a.sendMemory(p)
		}
		out.buf = append(out.buf, body.Bytes()...)
	default:
		return a.sendStream(chunked)
	}
	a.bound(&u.rd, start, a.call.HeaderTimeout)
	a.call.Wrote = true
	return u.in.write(out.buf)
}

// writeTime is how long the upstream may take no byte of the request.
func (a *attempt) writeTime() time.Duration {
	if d := a.client.opt.StreamIdle; d > 0 {
		return d
	}
	return a.call.HeaderTimeout
}

// head puts the request head into the buffer.
func (a *attempt) head(out *output) (chunked bool, err error) {
	req := &a.ex.Request
	b := append(append(out.buf, req.Method...), ' ')
	if !policy.ValidName(req.Method) {
		return false, errRequestField
	}
	at := len(b)
	b = append(b, a.call.Path...)
	if req.Query != "" {
		b = append(append(b, '?'), req.Query...)
	}
	if !validTarget(b[at:]) {
		return false, errRequestField
	}
	authority := a.call.Authority
	if authority == "" {
		authority = a.client.opt.Target.Authority
	}
	if !validHost(authority) {
		return false, errRequestField
	}
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(append(b, authority...), '\r', '\n')
	fields := req.Header.Fields()
	announced := false
	for i := range fields {
		if isFramingField(fields[i].Name) {
			continue
		}
		if len(fields[i].Name) == 7 && policy.EqualName(fields[i].Name, "Trailer") {
			announced = true
		}
		var ok bool
		if b, ok = appendField(b, &fields[i]); !ok {
			return false, errRequestField
		}
	}
	a.announced = announced
	body := &req.Body
	switch size := body.Length(); {
	case req.Upgrade != "":
		b = append(append(append(b, "Connection: Upgrade\r\nUpgrade: "...), req.Upgrade...), '\r', '\n')
	case body.Empty():
		if m := req.Method; m == "POST" || m == "PUT" || m == "PATCH" {
			b = append(b, "Content-Length: 0\r\n"...)
		}
	case size >= 0:
		b = strconv.AppendInt(append(b, "Content-Length: "...), size, 10)
		b = append(b, '\r', '\n')
	default:
		chunked = true
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	out.buf = append(b, '\r', '\n')
	return chunked, nil
}

// validTarget reports whether b may stand in a request line.
func validTarget(b []byte) bool {
	if len(b) == 0 || b[0] != '/' && string(b) != "*" {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '#' {
			return false
		}
	}
	return true
}

// sendMemory writes a large request whose content is in memory, beside the wait
// for the response, since the upstream may answer before it has taken it all.
func (a *attempt) sendMemory(p []byte) error {
	a.call.Wrote = true
	s := a.newSender()
	parts := [][]byte{bytes.Clone(a.out.buf), p}
	a.out.release()
	go func() {
		defer close(s.done)
		for _, part := range parts {
			for len(part) > 0 && s.err == nil {
				n := min(len(part), writeBytes)
				s.err = s.write(part[:n])
				part = part[n:]
			}
		}
		s.sent()
	}()
	a.sender = s
	return nil
}

// sendStream writes the head with the content that is at hand, and leaves the
// rest to a sender.
func (a *attempt) sendStream(chunked bool) error {
	out := &a.out
	r := a.ex.Request.Body.Reader()
	w := bodyWriter{r: r, left: a.ex.Request.Body.Length(), chunked: chunked}
	if a.announced {
		w.trailer = &a.ex.Request.Trailer
	}
	n, end, err := w.gather(out)
	a.call.BodyRead = n > 0 || end
	if err != nil {
		return &transport.CallError{Failure: transport.FailedBody, Err: err}
	}
	a.call.Wrote = true
	now := time.Now()
	if end {
		a.whole = true
		a.bound(&a.conn.rd, now, a.call.HeaderTimeout)
		_, err := a.conn.nc.Write(out.buf)
		return err
	}
	a.call.BodyRead = true
	a.bound(&a.conn.wd, now, a.writeTime())
	a.bound(&a.conn.rd, now, 0)
	if _, err := a.conn.nc.Write(out.buf); err != nil {
		return err
	}
	s := a.newSender()
	s.body = r
	go s.stream(w)
	a.sender = s
	return nil
}

// bodyWriter turns content into what is sent.
type bodyWriter struct {
	r       io.Reader
	left    int64 // -1 = unknown
	chunked bool
	trailer *policy.Header
}

// gather reads once and puts what came behind what is in the buffer, which has
// room. End says that this was all.
func (w *bodyWriter) gather(out *output) (n int, end bool, err error) {
	at := len(out.buf)
	room := out.buf[at:cap(out.buf)]
	if w.chunked {
		room = room[chunkHead : len(room)-(chunkRoom-chunkHead)]
	} else if int64(len(room)) > w.left {
		room = room[:w.left]
	}
	n, err = w.r.Read(room)
	end = errors.Is(err, io.EOF)
	if !w.chunked {
		if w.left -= int64(n); end && w.left > 0 {
			return n, false, errBodyShort
		}
		out.buf = out.buf[:at+n]
		if w.left == 0 {
			return n, true, nil
		}
		if end {
			err = nil
		}
		return n, end, err
	}
	if err != nil && !end {
		return n, false, err
	}
	b := out.buf
	if n > 0 {
		b = appendChunkHead(b, n)
		b = append(b, out.buf[:cap(out.buf)][at+chunkHead:at+chunkHead+n]...)
		b = append(b, '\r', '\n')
	}
	if end {
		if b = append(b, "0\r\n"...); w.trailer != nil {
			b = appendTrailer(b, w.trailer)
		}
		b = append(b, '\r', '\n')
	}
	out.buf = b
	return n, end, nil
}

// sender writes a request body while its call waits for the response. After
// done is closed the call may look at the errors.
type sender struct {
	u        *upstream
	body     io.Reader
	deadline time.Time
	idle     time.Duration // the upstream may take no byte for so long
	header   time.Duration
	done     chan struct{}
	stopped  atomic.Bool
	mu       sync.Mutex
	answered bool  // the response header is there
	err      error // how it failed
	bodyErr  error // how reading the content failed
}

func (a *attempt) newSender() *sender {
	return &sender{
		u: a.conn, deadline: a.call.Deadline, idle: a.writeTime(), header: a.call.HeaderTimeout,
		done: make(chan struct{}),
	}
}

func (s *sender) stream(w bodyWriter) {
	defer close(s.done)
	var out output
	out.small()
	out.large()
	defer func() { out.release() }()
	for end := false; !end && s.err == nil; {
		out.buf = out.buf[:0]
		_, end, s.bodyErr = w.gather(&out)
		if s.bodyErr != nil {
			s.err = s.bodyErr
			if !s.stopped.Load() {
				_ = s.u.nc.Close() // so that what was sent is not taken for a whole request
			}
			return
		}
		s.err = s.write(out.buf)
	}
	s.sent()
}

func (s *sender) write(p []byte) error {
	if s.stopped.Load() {
		return errInterrupted
	}
	if len(p) == 0 {
		return nil
	}
	now := time.Now()
	if !s.deadline.IsZero() && (s.idle <= 0 || s.deadline.Sub(now) < s.idle) {
		s.u.wd.exact(s.deadline)
	} else {
		s.u.wd.after(now, s.idle)
	}
	if s.stopped.Load() { // may have come between
		return errInterrupted
	}
	_, err := s.u.nc.Write(p)
	return err
}

// sent starts the time for the response header.
func (s *sender) sent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.header <= 0 || s.stopped.Load() || s.answered {
		return
	}
	t := time.Now().Add(s.header)
	if !s.deadline.IsZero() && s.deadline.Before(t) {
		t = s.deadline
	}
	_ = s.u.nc.SetReadDeadline(t)
}

// heard says that the response header is there, so that its time is over.
func (s *sender) heard() {
	s.mu.Lock()
	s.answered = true
	s.mu.Unlock()
	s.u.rd.forget()
}

// stop ends the sender and waits until it has ended.
func (s *sender) stop() {
	t := time.NewTimer(stopGrace)
	defer t.Stop()
	select {
	case <-s.done:
	case <-t.C:
		s.stopped.Store(true)
		_ = s.u.nc.SetWriteDeadline(time.Unix(1, 0))
		if i, ok := s.body.(interface{ Interrupt() }); ok {
			i.Interrupt()
		}
		<-s.done
		if s.err == nil {
			s.err = errInterrupted
		}
	}
	s.u.wd.forget()
	s.u.rd.forget()
}
