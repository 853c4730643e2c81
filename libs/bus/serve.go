package bus

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Serve has requests that others [Forward] to a service answered by h, until
// the bus is closed. All instances share them. The handler sees what it would
// see on a TCP port: the writer can be flushed, the request's context ends when
// the client leaves, and http.ErrAbortHandler breaks the response off. It cannot
// hijack.
//
// Serve does not wait for NATS. It fails where the service may not subscribe.
func Serve(b *Bus, service string, h http.Handler) error {
	if !token(service) {
		return fmt.Errorf("serving: %q is not the name of a service", service)
	}
	if err := b.takeCancels(service); err != nil {
		return fmt.Errorf("serving %s: %w", service, err)
	}
	err := b.take(httpPrefix+service, service, func(m *nats.Msg) { b.accept(m, h) })
	if err != nil {
		return fmt.Errorf("serving %s: %w", service, err)
	}
	return nil
}

// accept starts the exchange of one open frame.
func (b *Bus) accept(m *nats.Msg, h http.Handler) {
	kind, flags, _, rest, err := parseFrame(m.Data)
	if err != nil || kind != frameOpen || !strings.HasPrefix(m.Reply, inboxPrefix) {
		b.log.Warn("dropped a message that is no forwarded request", "subject", m.Subject)
		return
	}
	head, content, err := readRequestHead(rest)
	if err != nil || !b.beginLate() {
		b.log.Warn("dropped a forwarded request", "err", err)
		return
	}
	// Before anything else can arrive, so that no frame is lost.
	s, err := b.open(rand.Text(), m.Reply)
	if err != nil {
		b.working.Done()
		return
	}
	// As behind an [http.Server]: handlers ask for it to see whether they may break
	// a response off (net/http/httputil.ReverseProxy does).
	base := context.WithValue(b.kill, http.ServerContextKey, &http.Server{ReadHeaderTimeout: silence})
	ctx, cancel := context.WithCancelCause(base)
	s.mu.Lock()
	s.onFail = func(err error) { cancel(err) }
	s.take(content)
	if flags&flagEnd != 0 {
		s.ended(nil)
	}
	s.mu.Unlock()
	b.mu.Lock()
	b.calls[m.Reply] = func() { s.fail(context.Canceled) }
	b.mu.Unlock()
	go func() {
		defer b.working.Done()
		defer cancel(nil)
		defer s.forget()
		defer func() {
			b.mu.Lock()
			delete(b.calls, m.Reply)
			b.mu.Unlock()
		}()
		select {
		case b.served <- struct{}{}:
			defer func() { <-b.served }()
		default:
			h = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				problem.New(problem.CodeTooManyConnections, "this instance serves as many requests as it may").Write(w)
			})
		}
		b.exchange(ctx, s, head, flags&flagEnd != 0, h)
	}()
}

// exchange runs the handler for one request.
func (b *Bus) exchange(ctx context.Context, s *stream, head requestHead, whole bool, h http.Handler) {
	if head.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, head.Timeout)
		defer cancel()
	}
	w := newResponseWriter(s, head.Method == http.MethodHead)
	defer w.free()
	req, err := request(ctx, s, head, whole)
	if err != nil {
		h = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			problem.New(problem.CodeBadRequest, "the address %q cannot be read", head.Target).Write(w)
		})
		req = (&http.Request{Header: http.Header{}, Body: http.NoBody}).WithContext(ctx)
	} else if !whole && s.send(frameAccept, 0, w.frame, []byte(s.inbox)) != nil {
		return
	}
	failed := run(h, w, req)
	if failed == nil && b.kill.Err() != nil {
		// The end of this instance has ended the handler: nobody can tell whether it
		// said all that it had to say.
		failed = errAborted
	}
	switch {
	case failed == nil:
		err = w.finish()
	case failed != errAborted && !w.headSent: //nolint:errorlint // a sentinel of this file
		b.log.Error("a handler failed", "method", head.Method, "target", head.Target, "err", failed)
		w.restart()
		problem.New(problem.CodeInternal, "").Write(w)
		err = w.finish()
	default:
		if failed != errAborted { //nolint:errorlint // a sentinel of this file
			b.log.Error("a handler failed in the middle of its response", "method", head.Method, "target", head.Target, "err", failed)
		}
		s.reset(errAborted)
	}
	if err != nil {
		b.log.Debug("sending a response", "target", head.Target, "err", err)
	}
	b.metrics.requests.WithLabelValues("served", outcome(failed, "ok", "failed")).Inc()
}

var errAborted = fmt.Errorf("the handler broke off: %w", http.ErrAbortHandler)

// run calls a handler and returns its panic as an error.
func run(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			err = errAborted
		default:
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

func request(ctx context.Context, s *stream, head requestHead, whole bool) (*http.Request, error) {
	u, err := url.ParseRequestURI(head.Target)
	if err != nil {
		return nil, err
	}
	r := (&http.Request{
		Method: head.Method, URL: u, RequestURI: head.Target, Host: head.Host, RemoteAddr: head.Remote,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: head.Header, ContentLength: head.ContentLength,
	}).WithContext(ctx)
	for _, k := range head.Trailer {
		if r.Trailer == nil {
			r.Trailer = http.Header{}
		}
		r.Trailer[http.CanonicalHeaderKey(k)] = nil
	}
	r.Body = http.NoBody
	if !whole || head.ContentLength > 0 {
		r.Body = &requestBody{s: s, r: r}
	}
	return r, nil
}

// requestBody is the content of a request as the handler reads it.
type requestBody struct {
	s *stream
	r *http.Request
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.s.Read(p)
	if err == io.EOF { //nolint:errorlint // Read returns it bare
		for k, vs := range b.s.trailer {
			if _, announced := b.r.Trailer[k]; announced {
				b.r.Trailer[k] = vs
			}
		}
	}
	return n, err
}

// Close leaves the rest unread: its sender stops for want of credit, and for
// good with the end of the response.
func (b *requestBody) Close() error { return nil }

// responseWriter collects a response in chunks.
type responseWriter struct {
	s        *stream
	header   http.Header
	sent     http.Header // the header as it was when the status was written
	status   int
	headOnly bool
	headSent bool
	length   int64 // declared; -1: not
	written  int64
	trailers []string
	content  *[]byte // not sent yet
	frame    *[]byte
}

func newResponseWriter(s *stream, headOnly bool) *responseWriter {
	return &responseWriter{
		s: s, header: http.Header{}, headOnly: headOnly, length: -1,
		content: getBuffer(), frame: getBuffer(),
	}
}

func (w *responseWriter) free() {
	buffers.Put(w.content)
	buffers.Put(w.frame)
}

// restart forgets a response of which nothing was sent.
func (w *responseWriter) restart() {
	w.header, w.sent, w.status, w.length, w.written = http.Header{}, nil, 0, -1, 0
	*w.content = (*w.content)[:0]
}

// Header implements [http.ResponseWriter].
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *responseWriter) WriteHeader(status int) {
	if w.status != 0 || status >= 100 && status < 200 {
		return
	}
	w.status = status
	for _, field := range w.header["Trailer"] {
		for name := range strings.SplitSeq(field, ",") {
			w.trailers = append(w.trailers, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	w.sent = withoutHops(w.header)
	for k := range w.sent {
		if slices.Contains(w.trailers, k) || strings.HasPrefix(k, http.TrailerPrefix) {
			delete(w.sent, k)
		}
	}
	if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
		w.length = n
	} else {
		w.sent.Del("Content-Length")
	}
}

// Write implements [http.ResponseWriter].
func (w *responseWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	switch {
	case w.status == http.StatusNoContent || w.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case w.length >= 0 && w.written+int64(len(p)) > w.length:
		return 0, http.ErrContentLength
	}
	w.written += int64(len(p))
	if w.headOnly {
		return len(p), nil
	}
	done := 0
	for done < len(p) {
		n := min(len(p)-done, chunk-len(*w.content))
		*w.content = append(*w.content, p[done:done+n]...)
		done += n
		if len(*w.content) == chunk {
			if err := w.push(); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// Flush implements [http.Flusher].
func (w *responseWriter) Flush() { _ = w.FlushError() }

// FlushError sends what was written.
func (w *responseWriter) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.push()
}

// EnableFullDuplex does nothing: content is always read while the response is
// written.
func (w *responseWriter) EnableFullDuplex() error { return nil }

// push sends the head, if it was not, and the content.
func (w *responseWriter) push() error {
	if !w.headSent {
		if err := w.sendHead(0, w.length); err != nil {
			return err
		}
	}
	err := w.s.write(*w.content, w.frame)
	*w.content = (*w.content)[:0]
	return err
}

func (w *responseWriter) sendHead(flags byte, length int64) error {
	w.headSent = true
	if w.sent.Get("Content-Type") == "" && len(*w.content) > 0 && w.sent.Get("Content-Encoding") == "" {
		if _, set := w.sent["Content-Type"]; !set {
			w.sent.Set("Content-Type", http.DetectContentType(*w.content))
		}
	}
	h := responseHead{Inbox: w.s.inbox, Status: w.status, ContentLength: length, Header: w.sent, Trailer: w.trailers}
	payload := h.append(nil)
	if len(payload) > maxHead {
		p := problem.New(problem.CodeInternal, "the response's header fields take %d bytes; at most %d are carried", len(payload), maxHead)
		h.Status, h.ContentLength, h.Trailer = p.Status, int64(len(p.JSON())), nil
		h.Header = http.Header{"Content-Type": {problem.ContentType}, "Content-Length": {strconv.Itoa(len(p.JSON()))}}
		_ = w.s.send(frameHead, flagEnd, w.frame, append(h.append(nil), p.JSON()...))
		return p
	}
	if flags&flagEnd != 0 {
		payload = append(payload, *w.content...)
		*w.content = (*w.content)[:0]
	}
	return w.s.send(frameHead, flags, w.frame, payload)
}

// finish sends what is left: a response that fits goes in one frame.
func (w *responseWriter) finish() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	trailer := http.Header{}
	for _, k := range w.trailers {
		if vs := w.header[k]; len(vs) > 0 {
			trailer[k] = vs
		}
	}
	for k, vs := range w.header {
		if name, ok := strings.CutPrefix(k, http.TrailerPrefix); ok {
			trailer[http.CanonicalHeaderKey(name)] = vs
		}
	}
	if !w.headSent && len(trailer) == 0 {
		length := w.length
		switch {
		case w.status == http.StatusNoContent || w.status == http.StatusNotModified:
		case length < 0 && (!w.headOnly || w.written > 0):
			length = w.written
			w.sent.Set("Content-Length", strconv.FormatInt(length, 10))
		}
		return w.sendHead(flagEnd, length)
	}
	if err := w.push(); err != nil {
		return err
	}
	return w.s.send(frameEnd, 0, w.frame, appendHeader(nil, trailer))
}
