package bus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// chunk is the most content in one frame, in bytes.
	chunk = 64 << 10
	// window is how much content may be on its way in one direction of a
	// stream, unread, in bytes. It is all that a slow reader costs.
	window = 8 * chunk
	// maxHead is the most that the head of a request or response may take.
	maxHead = 64 << 10
	// heartbeat is how often each side of a stream tells that it lives, and
	// asks NATS whether the other is still there.
	heartbeat = time.Second
	// silence is after how long without any frame the other side is given up.
	silence = 5 * time.Second
)

// Errors of streams, as readers and writers of content see them.
var (
	errGone     = errors.New("the instance at the other end is gone")
	errSilent   = fmt.Errorf("no sign of life from the other end for %s", silence)
	errLoss     = errors.New("a part of the stream was lost with the connection")
	errFinished = errors.New("the response has ended")
)

// resetError is the end of a stream that the other side asked for.
type resetError struct{ reason string }

func (e *resetError) Error() string { return "the other end broke off: " + e.reason }

// stream is one side of a forwarded exchange.
type stream struct {
	b     *Bus
	id    string
	inbox string
	done  chan struct{} // closed when the stream broke, or its incoming content ended
	heads chan responseHead

	mu      sync.Mutex
	moved   sync.Cond // content, credit or an end has come
	peer    string    // the inbox of the other side; empty until it is known
	queue   [][]byte  // content that came and was not read
	eof     bool
	trailer http.Header
	err     error
	read    int       // bytes read since credit was last given
	credit  int       // bytes that may be sent
	in      uint32    // content frames received
	heard   time.Time // when the last frame came
	onFail  func(error)

	sending sync.Mutex // keeps frames in the order of their numbers
	out     uint32     // content frames sent
}

// open makes a stream and listens to its inbox.
func (b *Bus) open(id, peer string) (*stream, error) {
	s := &stream{b: b, id: id, inbox: b.inbox + ".s." + id, peer: peer, credit: window, heard: time.Now(), done: make(chan struct{}), heads: make(chan responseHead, 1)}
	s.moved.L = &s.mu
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed && peer == "" || b.kill.Err() != nil {
		return nil, ErrClosed
	}
	if !b.pump {
		sub, err := b.nc.Subscribe(b.inbox+".s.*", b.dispatch)
		if err != nil {
			return nil, err
		}
		if err := sub.SetPendingLimits(-1, -1); err != nil { // bounded by the windows
			return nil, err
		}
		b.pump = true
		go b.tend()
	}
	b.streams[id] = s
	b.metrics.streams.Inc()
	return s, nil
}

// forget ends listening. What has come can still be read.
func (s *stream) forget() {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if _, ok := s.b.streams[s.id]; ok {
		delete(s.b.streams, s.id)
		s.b.metrics.streams.Dec()
	}
}

// dropStreams breaks all streams.
func (b *Bus) dropStreams(why error) {
	b.mu.Lock()
	all := make([]*stream, 0, len(b.streams))
	for _, s := range b.streams {
		all = append(all, s)
	}
	b.mu.Unlock()
	for _, s := range all {
		s.reset(why)
	}
}

// tend watches over all streams until the bus ends.
func (b *Bus) tend() {
	t := time.NewTicker(heartbeat)
	defer t.Stop()
	for {
		select {
		case <-b.kill.Done():
			return
		case <-t.C:
		}
		b.mu.Lock()
		all := make([]*stream, 0, len(b.streams))
		for _, s := range b.streams {
			all = append(all, s)
		}
		b.mu.Unlock()
		for _, s := range all {
			s.beat()
		}
	}
}

// beat tells the other side that this one lives, and gives the other up where
// it was silent for too long.
func (s *stream) beat() {
	s.mu.Lock()
	quiet, peer := time.Since(s.heard), s.peer
	s.mu.Unlock()
	if quiet > silence {
		s.fail(errSilent)
		return
	}
	if peer == "" {
		return
	}
	s.sending.Lock()
	defer s.sending.Unlock()
	// With a reply subject, so that NATS says when nobody listens.
	_ = s.b.nc.PublishRequest(peer, s.inbox, appendFrame(nil, frameAlive, 0, s.out))
}

// dispatch hands a frame to its stream. It never waits.
func (b *Bus) dispatch(m *nats.Msg) {
	id := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	b.mu.Lock()
	s := b.streams[id]
	b.mu.Unlock()
	if s == nil {
		return
	}
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		s.fail(errGone)
		return
	}
	kind, flags, seq, rest, err := parseFrame(m.Data)
	if err == nil {
		err = s.receive(kind, flags, seq, rest)
	}
	if err != nil {
		s.reset(err)
	}
}

func (s *stream) receive(kind, flags byte, seq uint32, rest []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = time.Now()
	if kind != frameWindow && kind != frameReset && seq != s.in {
		return errLoss
	}
	if numbered(kind) {
		s.in++
	}
	switch kind {
	case frameAccept:
		s.peer = string(rest)
	case frameHead:
		h, content, err := readResponseHead(rest)
		if err != nil {
			return err
		}
		s.peer = h.Inbox
		select {
		case s.heads <- h:
		default:
			return errFrame // a second head
		}
		s.take(content)
		if flags&flagEnd != 0 {
			s.ended(nil)
		}
	case frameData:
		s.take(rest)
	case frameEnd:
		d := decoder{b: rest}
		trailer := d.header()
		if d.err != nil {
			return d.err
		}
		s.ended(trailer)
	case frameWindow:
		if len(rest) != 4 {
			return errFrame
		}
		s.credit += int(binary.BigEndian.Uint32(rest))
	case frameReset:
		s.broken(&resetError{string(rest)})
	case frameAlive:
		return nil
	default:
		return errFrame
	}
	s.moved.Broadcast()
	return nil
}

func (s *stream) take(content []byte) {
	if len(content) > 0 {
		s.queue = append(s.queue, content)
	}
}

func (s *stream) ended(trailer http.Header) {
	if !s.eof {
		s.eof, s.trailer = true, trailer
		if s.err == nil {
			close(s.done)
		}
	}
}

// broken sets why the stream broke, for s.mu held. Only the first reason counts.
func (s *stream) broken(err error) {
	if s.err != nil || s.err == nil && s.eof && s.onFail == nil {
		return
	}
	s.err = err
	if !s.eof {
		close(s.done)
	}
	s.moved.Broadcast()
	if s.onFail != nil {
		go s.onFail(err)
	}
}

// fail breaks the stream on this side only.
func (s *stream) fail(err error) {
	s.mu.Lock()
	s.broken(err)
	s.mu.Unlock()
	s.forget()
}

// reset breaks the stream on both sides.
func (s *stream) reset(err error) {
	s.mu.Lock()
	peer := s.peer
	s.broken(err)
	s.mu.Unlock()
	s.forget()
	if peer != "" {
		reason := err.Error()
		_ = s.b.nc.Publish(peer, append(appendFrame(nil, frameReset, 0, 0), reason[:min(len(reason), 200)]...))
	}
}

// Read reads incoming content, and gives credit for what it has read.
func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	for len(s.queue) == 0 && !s.eof && s.err == nil {
		s.moved.Wait()
	}
	if len(s.queue) == 0 {
		defer s.mu.Unlock()
		if s.eof {
			return 0, io.EOF
		}
		return 0, s.err
	}
	n := copy(p, s.queue[0])
	if s.queue[0] = s.queue[0][n:]; len(s.queue[0]) == 0 {
		s.queue[0] = nil
		s.queue = s.queue[1:]
	}
	s.read += n
	grant, peer := 0, s.peer
	if s.read >= window/4 && !s.eof && peer != "" {
		grant, s.read = s.read, 0
	}
	s.mu.Unlock()
	if grant > 0 {
		f := binary.BigEndian.AppendUint32(appendFrame(make([]byte, 0, frameHeadLen+4), frameWindow, 0, 0), uint32(grant))
		if err := s.b.nc.Publish(peer, f); err != nil {
			s.fail(fmt.Errorf("reading the stream: %w", err))
		}
	}
	return n, nil
}

// write sends content, a chunk at a time, as credit comes.
func (s *stream) write(p []byte, buf *[]byte) error {
	for len(p) > 0 {
		n, err := s.reserve(min(len(p), chunk))
		if err != nil {
			return err
		}
		if err := s.send(frameData, 0, buf, p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// reserve waits until at least one of want bytes may be sent, and the peer is
// known.
func (s *stream) reserve(want int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && (s.credit <= 0 || s.peer == "") {
		if s.eof && s.onFail == nil {
			return 0, errFinished
		}
		s.moved.Wait()
	}
	if s.err != nil {
		return 0, s.err
	}
	n := min(want, s.credit)
	s.credit -= n
	return n, nil
}

// send sends a numbered frame, built in buf.
func (s *stream) send(kind, flags byte, buf *[]byte, payload []byte) error {
	s.mu.Lock()
	err, peer := s.err, s.peer
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.sending.Lock()
	*buf = append(appendFrame((*buf)[:0], kind, flags, s.out), payload...)
	s.out++
	err = s.b.nc.Publish(peer, *buf)
	s.sending.Unlock()
	if err != nil {
		err = fmt.Errorf("sending on the stream: %w", err)
		s.fail(err)
	}
	return err
}
