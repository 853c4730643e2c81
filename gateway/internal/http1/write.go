package http1

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

const (
	// copyBytes is up to which size content in memory is copied behind the head,
	// and up to which size a page is enough for both.
	copyBytes  = 24 << 10
	pageBytes  = 2 << 10
	writeBytes = 256 << 10 // most bytes that one write deadline is given for
)

// output gathers what is to be written.
type output struct {
	buf   []byte
	page  *page
	block *block
}

func (o *output) small() {
	o.page = pages.Get().(*page) //nolint:forcetypeassert // the pool holds nothing else
	o.buf = o.page[:0]
}

// large makes room for a block, and keeps what is gathered.
func (o *output) large() {
	b := blocks.Get().(*block) //nolint:forcetypeassert // the pool holds nothing else
	kept := append(b[:0], o.buf...)
	o.release()
	o.block, o.buf = b, kept
}

func (o *output) release() {
	if o.page != nil {
		pages.Put(o.page)
	}
	if o.block != nil {
		blocks.Put(o.block)
	}
	*o = output{}
}

// statusLines are made once.
var statusLines = func() (l [600]string) {
	for s := 100; s < 600; s++ {
		l[s] = "HTTP/1.1 " + strconv.Itoa(s) + " " + http.StatusText(s) + "\r\n"
	}
	return l
}()

type dateLine struct {
	second int64
	line   string
}

var lastDate atomic.Pointer[dateLine]

// appendDate appends a Date field, made once a second.
func appendDate(b []byte, now time.Time) []byte {
	d := lastDate.Load()
	if s := now.Unix(); d == nil || d.second != s {
		d = &dateLine{second: s, line: "Date: " + now.UTC().Format(http.TimeFormat) + "\r\n"}
		lastDate.Store(d)
	}
	return append(b, d.line...)
}

var (
	errHeaderField = errors.New("the response has a header field that would break the message")
	errStatus      = errors.New("the response has a status that cannot be sent")
	errShort       = errors.New("the content is shorter or longer than announced")
)

// respond sends the response and reports whether the connection may be used for
// another request. A response that cannot be sent as it is, because its status
// is none or a header name or value would end its line, is replaced by a bare
// 500: passing on half of what a policy meant could be worse.
func (c *conn) respond(ex *policy.Exchange) bool {
	resp := &ex.Response
	defer resp.Body.Close() //nolint:errcheck // the content was sent or will not be
	if resp.Status == 101 && resp.Tunnel != nil {
		return c.upgrade(ex)
	}
	keep := c.body.answering() && !c.srv.draining.Load() && (c.drains == nil || !c.drains()) && c.keepsAlive(ex)
	c.writing.Store(true)
	if c.now = ex.Recent(); c.now.IsZero() {
		c.now = time.Now()
	}
	if isEventStream(resp) {
		c.endless.Store(true)
	}
	size := resp.Body.Length()
	c.out.small()
	defer c.out.release()
	if resp.Body.Buffered() && size > pageBytes && size <= copyBytes || !resp.Body.Buffered() && size > pageBytes {
		c.out.large()
	}
	w := responseWriter{c: c, ex: ex, keep: keep}
	err := w.head()
	if err == nil {
		err = w.content()
	}
	if err == nil {
		return w.keep
	}
	if ex.Outcome.Err == nil {
		ex.Outcome.Err = err
	}
	if !w.sent && !w.broken {
		c.bare(ex, err)
	}
	return false
}

func (c *conn) keepsAlive(ex *policy.Exchange) bool {
	if c.facts.close || c.lim.RequestsPerConnection > 0 && c.served >= c.lim.RequestsPerConnection {
		return false
	}
	return ex.Request.Proto == "HTTP/1.1" || c.facts.keepAlive
}

func isEventStream(resp *policy.Response) bool {
	const t = "text/event-stream"
	v := resp.Header.Get("Content-Type")
	return len(v) >= len(t) && policy.EqualName(v[:len(t)], t)
}

// bare answers for a response that could not be sent.
func (c *conn) bare(ex *policy.Exchange, cause error) {
	code := problem.CodeInternal
	if ex.Response.Source == policy.SourceUpstream && !errors.Is(cause, errHeaderField) && !errors.Is(cause, errStatus) {
		code = problem.CodeUpstreamInvalid
	}
	p := problem.New(code, "")
	p.Instance = ex.ID
	doc := p.JSON()
	ex.Response.Status, ex.Response.Source = p.Status, policy.SourceError
	b := append(c.out.buf[:0], statusLines[p.Status]...)
	b = appendDate(b, time.Now())
	b = append(b, "Connection: close\r\nContent-Type: "+problem.ContentType+"\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(doc)), 10)
	b = append(b, headEnd...)
	if ex.Request.Method != "HEAD" {
		b = append(b, doc...)
		ex.Outcome.ResponseBytes = int64(len(doc))
	}
	_ = c.write(b) // the client may have left
}

// responseWriter writes one response.
type responseWriter struct {
	c        *conn
	ex       *policy.Exchange
	keep     bool
	chunked  bool
	hasBody  bool // there may be content
	trailers bool
	length   int64 // of the content; -1 = not known
	sent     bool  // bytes were written
	broken   bool  // the connection is
}

// head puts the head into the buffer.
func (w *responseWriter) head() error {
	resp, req := &w.ex.Response, &w.ex.Request
	status := resp.Status
	if status < 200 || status > 599 {
		return errStatus
	}
	b := append(w.c.out.buf, statusLines[status]...)
	noContent := bodiless(status)
	w.hasBody = !noContent && req.Method != "HEAD"
	w.length = resp.Body.Length()
	dated := false
	var ok bool
	fields := resp.Header.Fields()
	for i := range fields {
		f := &fields[i]
		if isFramingField(f.Name) {
			if w.hasBody || status == 204 || len(f.Name) != 14 || !policy.EqualName(f.Name, "Content-Length") {
				continue
			}
			n, ok := parseLength(f.Value)
			if !ok || !resp.Body.Empty() {
				continue
			}
			w.length = -2 // said already
			b = append(b, "Content-Length: "...)
			b = strconv.AppendInt(b, n, 10)
			b = append(b, '\r', '\n')
			continue
		}
		if len(f.Name) == 4 && policy.EqualName(f.Name, "Date") {
			dated = true
		}
		if b, ok = appendField(b, f); !ok {
			return errHeaderField
		}
		if len(f.Name) == 7 && policy.EqualName(f.Name, "Trailer") {
			w.trailers = true
		}
	}
	if !dated {
		b = appendDate(b, w.c.now)
	}
	switch {
	case w.hasBody && w.length < 0 && req.Proto == "HTTP/1.1":
		w.chunked = true
		w.trailers = w.trailers || w.c.facts.trailers
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case w.hasBody && w.length < 0:
		w.keep = false // the end of the connection ends the content
	case w.hasBody, w.length > 0 && status != 204 && status != 304:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, w.length, 10)
		b = append(b, '\r', '\n')
	}
	if !w.keep {
		b = append(b, "Connection: close\r\n"...)
	} else if req.Proto == "HTTP/1.0" {
		b = append(b, "Connection: keep-alive\r\n"...)
	}
	w.c.out.buf = append(b, '\r', '\n')
	return nil
}

// appendField appends a field line, and reports whether name and value are
// valid.
func appendField(b []byte, f *policy.Field) ([]byte, bool) {
	n := len(b)
	b = append(b, f.Name...)
	for _, c := range b[n:] {
		if !tokens[c] {
			return b, false
		}
	}
	if len(b) == n {
		return b, false
	}
	b = append(b, ':', ' ')
	n = len(b)
	b = append(b, f.Value...)
	ok := validValue(b[n:])
	return append(b, '\r', '\n'), ok
}

// content sends the head and what follows it.
func (w *responseWriter) content() error {
	body := &w.ex.Response.Body
	switch {
	case !w.hasBody || body.Empty():
		return w.flush(0)
	case body.Buffered():
		return w.memory(body.Bytes())
	}
	return w.stream(body.Reader())
}

// flush writes what is gathered, n bytes of which are content.
func (w *responseWriter) flush(n int) error {
	if len(w.c.out.buf) == 0 {
		return nil
	}
	w.sent = true
	if err := w.c.write(w.c.out.buf); err != nil {
		w.lost()
		return err
	}
	w.c.out.buf = w.c.out.buf[:0]
	w.ex.Outcome.ResponseBytes += int64(n)
	return nil
}

// lost says that the client did not take the answer.
func (w *responseWriter) lost() {
	w.broken = true
	w.c.mu.Lock()
	w.c.gone = !w.c.expired
	w.c.mu.Unlock()
}

func (c *conn) write(p []byte) error {
	for len(p) > 0 {
		part := p[:min(len(p), writeBytes)]
		if c.within.active {
			// What fits into the socket needs no deadline, and no lock: nobody else
			// writes while the request has no content that a 100 could be sent for.
			n, errno := writeNow(c.within.fd, part)
			if p = p[n:]; n == len(part) {
				continue
			}
			_ = errno // told again below, unless it has passed
			part = part[n:]
		}
		c.wd.after(c.now, c.lim.WriteIdle)
		if err := c.wr.write(part); err != nil {
			return err
		}
		if p = p[len(part):]; len(p) > 0 {
			c.now = time.Now()
		}
	}
	return nil
}

// memory sends content that is in memory.
func (w *responseWriter) memory(p []byte) error {
	if len(p) <= cap(w.c.out.buf)-len(w.c.out.buf) || len(p) <= pageBytes {
		w.c.out.buf = append(w.c.out.buf, p...)
		return w.flush(len(p))
	}
	w.sent = true
	first := p[:min(len(p), writeBytes)]
	w.c.wd.after(w.c.now, w.c.lim.WriteIdle)
	parts := net.Buffers{w.c.out.buf, first}
	if _, err := parts.WriteTo(w.c.nc); err != nil {
		w.lost()
		return err
	}
	w.c.out.buf = w.c.out.buf[:0]
	w.c.now = time.Now()
	if err := w.c.write(p[len(first):]); err != nil {
		w.lost()
		return err
	}
	w.ex.Outcome.ResponseBytes += int64(len(p))
	return nil
}
