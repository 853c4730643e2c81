package mirror

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

// job is one copy to send.
type job struct {
	method, url string
	header      http.Header
	body        []byte
}

// sender sends copies, a few at a time. A goroutine runs only while there is
// something to send.
type sender struct {
	client      *http.Client
	log         *slog.Logger
	now         func() time.Time
	timeout     time.Duration
	concurrency int
	room        int
	ctx         context.Context //nolint:containedctx // that of the policy's life, not of a request
	cancel      context.CancelFunc

	mu      sync.Mutex
	queue   []*job
	running int
	closed  bool
	dropped map[string]int // by reason, since the last report
	report  time.Time      // of the last report
	wg      sync.WaitGroup
}

func newSender(c *Config, env policy.Env) *sender {
	s := &sender{
		client: env.HTTP, log: env.Log, now: env.Now, timeout: time.Duration(c.Timeout),
		concurrency: c.Concurrency, room: c.Queue, dropped: map[string]int{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// enqueue takes a copy, or returns why it was dropped.
func (s *sender) enqueue(j *job) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return "the mirror is closed"
	case s.running < s.concurrency:
		s.running++
		s.wg.Go(func() { s.work(j) })
		return ""
	case len(s.queue) >= s.room:
		s.count("the queue is full")
		return "the queue is full"
	}
	s.queue = append(s.queue, j)
	return ""
}

// work sends copies until the queue is empty.
func (s *sender) work(j *job) {
	for j != nil {
		if why := s.send(j); why != "" {
			s.drop(why)
		}
		s.mu.Lock()
		j = nil
		if len(s.queue) > 0 && !s.closed {
			j, s.queue[0] = s.queue[0], nil
			s.queue = s.queue[1:]
		} else {
			s.running--
		}
		s.mu.Unlock()
	}
}

// mostAnswer is how much of an answer is read so that its connection can be
// used again.
const mostAnswer = 256 << 10

func (s *sender) send(j *job) (failure string) {
	ctx, cancel := context.WithTimeout(s.ctx, s.timeout)
	defer cancel()
	var body io.Reader
	if len(j.body) > 0 {
		body = bytes.NewReader(j.body)
	}
	req, err := http.NewRequestWithContext(ctx, j.method, j.url, body)
	if err != nil {
		return "the request could not be made"
	}
	req.Header = j.header
	resp, err := s.client.Do(req)
	if err != nil {
		return "the mirror could not be reached"
	}
	_, _ = io.CopyN(io.Discard, resp.Body, mostAnswer) // nobody wants it
	_ = resp.Body.Close()
	return ""
}

func (s *sender) drop(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count(why)
}

// count counts a dropped copy, and says so at most once a minute.
func (s *sender) count(why string) {
	s.dropped[why]++
	now := s.now()
	if s.closed || now.Sub(s.report) < time.Minute {
		return
	}
	s.report = now
	for why, n := range s.dropped {
		s.log.Warn("copies of requests were dropped", "reason", why, "count", n)
	}
	clear(s.dropped)
}

// close gives up what is on its way and waits for it to end.
func (s *sender) close() {
	s.mu.Lock()
	s.closed, s.queue = true, nil
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
}
