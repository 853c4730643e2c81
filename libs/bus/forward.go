package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/gatehouse/gatehouse/libs/problem"
)

// Forward returns a transport that carries HTTP requests over NATS to the
// instances of a service that [Serve]. Both contents stream, in pieces of 64 kB
// of which no more than 512 kB are under way unread; a flush at one end shows at
// the other at once. The end of the request's context, or closing the response's
// body, ends the context of the handler. When the instance goes away, reading
// the body fails within seconds.
//
// Errors are problems of code dependency-unavailable that name the service, or
// wrap the context's error. Connections are not upgraded, informational (1xx)
// responses are not passed on, and the sum of all header fields is bounded by
// 64 kB. It is fit as the transport of [net/http/httputil.ReverseProxy] and of
// [http.Client].
func Forward(b *Bus, service string) http.RoundTripper { return &forwarder{b, service} }

type forwarder struct {
	b       *Bus
	service string
}

// hopByHop are the fields that concern one connection (RFC 9110 section 7.6.1),
// and those that the frames say in their own way.
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Transfer-Encoding", "Upgrade", "Expect", "Trailer"}

func withoutHops(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for k, vs := range h {
		out[k] = vs
	}
	for _, field := range h["Connection"] {
		for name := range strings.SplitSeq(field, ",") {
			out.Del(strings.TrimSpace(name))
		}
	}
	for _, k := range hopByHop {
		delete(out, k)
	}
	return out
}

// RoundTrip implements [http.RoundTripper].
func (f *forwarder) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := f.exchange(req)
	f.b.metrics.requests.WithLabelValues("forwarded", outcome(err, "ok", "failed")).Inc()
	return res, err
}

func (f *forwarder) exchange(req *http.Request) (res *http.Response, err error) {
	ctx := req.Context()
	closeBody := sync.OnceFunc(func() {
		if req.Body != nil {
			_ = req.Body.Close() // it was read
		}
	})
	uploading := false
	defer func() {
		if !uploading {
			closeBody()
		}
	}()
	if !token(f.service) {
		return nil, fmt.Errorf("forwarding: %q is not the name of a service", f.service)
	}
	wait, cancel := context.WithTimeout(ctx, 2*time.Second)
	err = f.b.connected(wait)
	cancel()
	if err != nil {
		return nil, f.failed(ctx, err)
	}
	first, whole, err := firstContent(req)
	if err != nil {
		return nil, fmt.Errorf("forwarding: reading the request: %w", err)
	}
	frame, err := f.openFrame(req, first, whole)
	if err != nil {
		return nil, err
	}
	s, err := f.b.open(rand.Text(), "")
	if err != nil {
		return nil, fmt.Errorf("forwarding to %s: %w", f.service, err)
	}
	s.credit -= len(first)
	subject := httpPrefix + f.service
	gctx, done := f.b.guard(ctx, func(s string) bool { return s == subject })
	defer done()
	if err := f.b.nc.PublishMsg(&nats.Msg{Subject: subject, Reply: s.inbox, Data: frame}); err != nil {
		s.forget()
		return nil, f.failed(ctx, err)
	}
	if !whole {
		uploading = true
		go upload(s, req, closeBody)
	}
	select {
	case h := <-s.heads:
		return f.response(req, s, h), nil
	case <-s.done:
		select {
		case h := <-s.heads: // with the end of the content, or before the break
			return f.response(req, s, h), nil
		default:
		}
		return nil, f.failed(ctx, s.err)
	case <-gctx.Done():
		f.giveUp(s, context.Cause(gctx))
		return nil, f.failed(ctx, context.Cause(gctx))
	}
}

// giveUp ends a stream that is no longer wanted, also where it is not known yet
// who has it.
func (f *forwarder) giveUp(s *stream, why error) {
	s.mu.Lock()
	known := s.peer != ""
	s.mu.Unlock()
	s.reset(why)
	if !known {
		f.b.recall(f.service, s.inbox)
	}
}

func (f *forwarder) failed(ctx context.Context, err error) error {
	var p *PermissionError
	switch {
	case errors.As(err, &p), errors.Is(err, ErrClosed):
		return fmt.Errorf("forwarding to %s: %w", f.service, err)
	case ctx.Err() != nil:
		return fmt.Errorf("forwarding to %s: %w", f.service, context.Cause(ctx))
	}
	return problem.New(problem.CodeDependencyDown, "%s is not available", f.service).Because(err).WithRetryAfter(time.Second)
}

// firstContent reads what goes with the head: all of a small content, nothing of
// one whose length is not known, which may be a conversation.
func firstContent(req *http.Request) (first []byte, whole bool, err error) {
	switch {
	case req.Body == nil || req.Body == http.NoBody:
		return nil, true, nil
	case req.ContentLength <= 0 || req.ContentLength > chunk/4:
		return nil, false, nil
	}
	first = make([]byte, req.ContentLength)
	_, err = io.ReadFull(req.Body, first)
	return first, len(req.Trailer) == 0, err
}

func (f *forwarder) openFrame(req *http.Request, first []byte, whole bool) ([]byte, error) {
	h := requestHead{
		Method: req.Method, Target: req.URL.RequestURI(), Host: req.Host, Remote: req.RemoteAddr,
		ContentLength: req.ContentLength, Header: withoutHops(req.Header),
	}
	if h.Method == "" {
		h.Method = http.MethodGet
	}
	if h.Host == "" {
		h.Host = req.URL.Host
	}
	if whole {
		h.ContentLength = int64(len(first))
	} else if h.ContentLength == 0 {
		h.ContentLength = -1
	}
	if end, ok := req.Context().Deadline(); ok {
		// A little later than here, so that the caller's own end is what is seen.
		h.Timeout = max(time.Until(end), 0) + 250*time.Millisecond
	}
	for k := range req.Trailer {
		h.Trailer = append(h.Trailer, k)
	}
	flags := byte(0)
	if whole {
		flags = flagEnd
	}
	frame := h.append(appendFrame(nil, frameOpen, flags, 0))
	if len(frame) > maxHead {
		return nil, problem.New(problem.CodeHeaderTooLarge, "method, address and header fields take %d bytes; at most %d are carried", len(frame), maxHead)
	}
	return append(frame, first...), nil
}

// upload sends the content of a request until its end, or that of the response.
func upload(s *stream, req *http.Request, closeBody func()) {
	quit := make(chan struct{})
	defer close(quit)
	go func() { // a body that waits for its sender is freed by closing it
		select {
		case <-s.done:
		case <-quit:
		}
		closeBody()
	}()
	in, out := getBuffer(), getBuffer()
	defer buffers.Put(in)
	defer buffers.Put(out)
	room := (*in)[:chunk]
	for {
		n, err := req.Body.Read(room)
		if n > 0 {
			if s.write(room[:n], out) != nil {
				return // the reader of the response learns why
			}
		}
		switch {
		case err == io.EOF:
			if _, err := s.reserve(0); err != nil {
				return
			}
			_ = s.send(frameEnd, 0, out, appendHeader(nil, req.Trailer))
			return
		case err != nil:
			s.mu.Lock()
			over := s.eof || s.err != nil
			s.mu.Unlock()
			if !over {
				s.reset(fmt.Errorf("reading the request: %w", err))
			}
			return
		}
	}
}

// buffers are for building frames, of a whole chunk each.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, chunk+frameHeadLen); return &b }}

func getBuffer() *[]byte {
	b := buffers.Get().(*[]byte)
	*b = (*b)[:0]
	return b
}

func (f *forwarder) response(req *http.Request, s *stream, h responseHead) *http.Response {
	res := &http.Response{
		Status: fmt.Sprintf("%d %s", h.Status, http.StatusText(h.Status)), StatusCode: h.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h.Header, ContentLength: h.ContentLength, Request: req,
	}
	for _, k := range h.Trailer {
		if res.Trailer == nil {
			res.Trailer = http.Header{}
		}
		res.Trailer[http.CanonicalHeaderKey(k)] = nil
	}
	body := &responseBody{s: s, f: f, res: res, left: h.ContentLength}
	if req.Method == http.MethodHead {
		body.left = -1
	}
	body.release = context.AfterFunc(req.Context(), func() { s.reset(context.Cause(req.Context())) })
	res.Body = body
	return res
}

// responseBody is the content of a response as the caller reads it.
type responseBody struct {
	s       *stream
	f       *forwarder
	res     *http.Response
	left    int64 // of a declared length; negative where there is none
	release func() bool
}

func (r *responseBody) Read(p []byte) (int, error) {
	n, err := r.s.Read(p)
	if r.left >= 0 {
		r.left -= int64(n)
	}
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF: //nolint:errorlint // Read returns it bare
		if cause := context.Cause(r.res.Request.Context()); cause != nil {
			err = cause
		}
		return n, fmt.Errorf("reading the response of %s: %w", r.f.service, err)
	case r.left > 0:
		return n, io.ErrUnexpectedEOF
	}
	for k, vs := range r.s.trailer {
		if r.res.Trailer == nil {
			r.res.Trailer = http.Header{}
		}
		r.res.Trailer[k] = vs
	}
	r.end()
	return n, io.EOF
}

// Close ends the exchange where it has not ended by itself.
func (r *responseBody) Close() error {
	r.s.mu.Lock()
	over := r.s.eof || r.s.err != nil
	r.s.mu.Unlock()
	if !over {
		r.s.reset(errClosedBody)
	}
	r.end()
	return nil
}

var errClosedBody = errors.New("the response was closed before its end")

func (r *responseBody) end() {
	r.release()
	r.s.forget()
}
