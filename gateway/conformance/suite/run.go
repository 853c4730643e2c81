package suite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// Runner runs cases, one at a time.
type Runner struct {
	// Address is the host and port of the gateway's listener.
	Address string
	// Upstream is where the gateway's configuration sends requests.
	Upstream *Upstream
	// Patience is how long a response may take; 0 = 5 s.
	Patience time.Duration
}

// Result is what came of a case.
type Result struct {
	Case Case
	// Differences say what was not as it should be; none = passed.
	Differences []string
}

// Passed reports whether everything was as it should be.
func (r Result) Passed() bool { return len(r.Differences) == 0 }

// Run runs one case and, where it asks for it, runs it again with a request
// behind it that nobody may see.
func (r *Runner) Run(ctx context.Context, c Case) Result {
	res := Result{Case: c}
	for i := range c.Steps {
		for _, d := range r.step(ctx, &c.Steps[i], "") {
			if len(c.Steps) > 1 {
				d = fmt.Sprintf("step %d: %s", i+1, d)
			}
			res.Differences = append(res.Differences, d)
		}
	}
	if *c.Smuggle && c.Steps[0].H2 == nil {
		for _, d := range r.step(ctx, &c.Steps[0], smuggled) {
			res.Differences = append(res.Differences, "with a request behind it: "+d)
		}
	}
	return res
}

// smuggled is the request that follows a refused one. It must be lost with it.
const smuggled = "GET /echo/smuggled HTTP/1.1\r\nHost: any.test\r\n\r\n"

func (r *Runner) patience() time.Duration {
	if r.Patience == 0 {
		return 5 * time.Second
	}
	return r.Patience
}

func (r *Runner) step(ctx context.Context, s *Step, behind string) []string {
	r.Upstream.Take()
	r.Upstream.Answer(s.Answer, s.AnswerCloses)
	defer r.Upstream.Answer("", false)
	d := &differences{}
	c, err := new(net.Dialer).DialContext(ctx, "tcp", r.Address)
	if err != nil {
		return []string{"connecting: " + err.Error()}
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(r.patience())); err != nil {
		return []string{err.Error()}
	}
	if s.H2 != nil {
		m, status, err := exchangeH2(c, s.H2, expand(s.Body))
		switch {
		case s.Expect.Refused && m != nil && status != 400:
			d.add("want the request refused, got %d", status)
		case s.Expect.Refused:
		case err != nil || m == nil:
			d.add("no response: %v", err)
		default:
			d.response(&s.Expect, m, status)
		}
	} else {
		r.http1(c, s, behind, d)
	}
	seen, broken := r.Upstream.Take()
	// A request that was sent to see whether the connection is open does not
	// count.
	seen = slices.DeleteFunc(seen, func(m *Message) bool { return m.Start == "GET /echo/next HTTP/1.1" })
	for _, b := range broken {
		d.add("the upstream got something malformed: %s", b)
	}
	if u := s.Expect.Upstream; u != nil {
		d.upstream(u, seen)
	} else if s.Expect.Status >= 400 && s.Answer == "" && len(seen) > 0 {
		d.add("the upstream saw %q of a refused request", seen[0].Start)
	}
	for _, m := range seen {
		if strings.Contains(m.Start, "smuggled") {
			d.add("the upstream saw the request behind it")
		}
	}
	return d.list
}

// http1 sends and reads.
func (r *Runner) http1(c net.Conn, s *Step, behind string, d *differences) {
	sent := make(chan struct{})
	go func() { // a gateway may answer, and close, before it has read everything
		defer close(sent)
		_, _ = io.WriteString(c, s.Bytes()+behind)
	}()
	br := bufio.NewReader(c)
	for i, e := range append([]Expect{s.Expect}, s.Expect.More...) {
		method := s.method()
		if i > 0 {
			method = ""
		}
		var informational []int
		m, status, err := readResponse(br, method)
		for err == nil && status < 200 && status != 101 {
			informational = append(informational, status)
			if s.Wait != "" && len(informational) == 1 {
				if _, err := io.WriteString(c, expand(s.Wait)); err != nil {
					d.add("sending the body: %v", err)
				}
			}
			m, status, err = readResponse(br, method)
		}
		if e.Status == 0 {
			if err == nil {
				d.add("want no response, got %q", m.Start)
			}
			return
		}
		if e.Cut {
			if err == nil {
				d.add("want a response that breaks off, got all of %q", m.Start)
			}
			return
		}
		if err != nil {
			d.add("response %d: %v", i+1, err)
			return
		}
		if !slices.Equal(informational, e.Informational) {
			d.add("want informational responses %v, got %v", e.Informational, informational)
		}
		d.response(&e, m, status)
		if e.Closed != nil || behind != "" {
			r.Upstream.Answer("", false)
			d.closed(c, br, m, e.Closed == nil || *e.Closed)
		}
	}
	<-sent
}

// closed looks whether the connection is at its end or serves another request.
func (d *differences) closed(c net.Conn, br *bufio.Reader, m *Message, want bool) {
	said, _ := m.Header.Get("Connection")
	if says := strings.EqualFold(said, "close"); says != want {
		d.add("want Connection: close to be %v, got Connection: %q", want, said)
		return
	}
	if want {
		if b, err := br.ReadByte(); err == nil {
			d.add("want the connection closed, got more, beginning with %q", b)
		} else if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
			d.add("want the connection closed, it is open")
		}
		return
	}
	if _, err := io.WriteString(c, "GET /echo/next HTTP/1.1\r\nHost: any.test\r\n\r\n"); err != nil {
		d.add("want the connection open: %v", err)
		return
	}
	if next, status, err := readResponse(br, "GET"); err != nil {
		d.add("want the connection open for another request: %v", err)
	} else if status != 200 || string(next.Body) != "saw GET /echo/next HTTP/1.1" {
		d.add("the next request on the connection was answered %d %q", status, next.Body)
	}
}
