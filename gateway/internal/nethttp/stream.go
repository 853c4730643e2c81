package nethttp

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// stream is one exchange on its way through the server.
type stream struct {
	c    *serverConn
	w    http.ResponseWriter
	r    *http.Request
	rc   *http.ResponseController
	ex   *policy.Exchange
	body *requestBody // nil where the request has none

	mu    sync.Mutex // guards over, for timers that fire late
	over  bool
	stall *time.Timer // fires when the client takes nothing for too long
	total *time.Timer // fires when the whole time is over
	cut   bool        // the response cannot be ended properly
}

// ServeHTTP carries one exchange through the handler. It ends by
// http.ErrAbortHandler where the response broke off, which makes the library
// reset the stream.
func (c *serverConn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := c.s.Handler
	ex := h.Acquire()
	ex.Start = c.s.now()
	x := &stream{c: c, w: w, r: r, ex: ex, rc: http.NewResponseController(w)}
	refusal := x.fill()
	ctx, cancel := x.context()
	ex.SetContext(ctx)
	left := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(left)
		ex.Cancel()
	})
	if refusal != nil {
		h.Refuse(ex, refusal)
	} else {
		h.Serve(ex)
	}
	x.send()
	x.end()
	// From here nothing else looks at the exchange.
	if !stop() {
		<-left
	}
	cancel(nil)
	h.Release(ex)
	if x.cut {
		panic(http.ErrAbortHandler) // the library's way of resetting a stream
	}
}

// context returns the context of the exchange: that of the stream, which ends
// when the client leaves, bounded by grpc-timeout and the total time.
func (x *stream) context() (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(x.r.Context())
	if x.ex.Request.GRPC {
		if v, ok := x.ex.Request.Header.Lookup("Grpc-Timeout"); ok {
			if d, ok := parseGRPCTimeout(v); ok {
				bound, stop := context.WithDeadline(ctx, time.Now().Add(d))
				return bound, func(err error) { stop(); cancel(err) }
			}
		}
		return ctx, cancel
	}
	if d := x.c.limits.Total; d > 0 {
		x.total = time.AfterFunc(d, func() { cancel(context.DeadlineExceeded) })
	}
	return ctx, cancel
}

// end fills in what became of the exchange and takes away all that could still
// touch it.
func (x *stream) end() {
	ex := x.ex
	_ = ex.Response.Body.Close()
	if ex.Response.Tunnel != nil {
		_ = ex.Response.Tunnel.Close()
	}
	x.mu.Lock()
	x.over = true
	x.mu.Unlock()
	if x.stall != nil {
		x.stall.Stop()
	}
	if x.total != nil {
		x.total.Stop()
	}
	if x.body != nil {
		x.body.detach()
		ex.Outcome.RequestBytes = x.body.read.Load()
	}
	if x.r.Context().Err() != nil {
		ex.Outcome.ClientGone = true
	}
	ex.Outcome.End = x.c.s.now()
}

// fill sets the request of the exchange, and returns why it is refused.
func (x *stream) fill() *problem.Problem {
	q, r, l := &x.ex.Request, x.r, &x.c.limits
	q.Proto, q.Method, q.Authority = "HTTP/2.0", r.Method, r.Host
	q.Scheme, q.Peer, q.TLS = "http", x.c.peer, r.TLS
	if r.TLS != nil {
		q.Scheme = "https"
	}
	q.RawPath, q.Query = splitTarget(r.RequestURI)
	fromHTTP(&q.Header, r.Header, nil)
	for name := range r.Trailer { // the library has taken the announcement out
		q.Header.Add("Trailer", name)
	}
	q.GRPC = isGRPC(q.Header.Get("Content-Type"))
	if p := checkRequest(r, q, l); p != nil {
		return p
	}
	if x.c.s.Misdirected != nil && r.TLS != nil && x.c.s.Misdirected(r.TLS, r.Host) {
		return problem.New(problem.CodeMisdirected,
			"this connection was opened for another name; open one for %s", r.Host)
	}
	if r.ContentLength != 0 { // else the stream has ended, or will without content
		x.body = &requestBody{src: r.Body, req: r, ex: x.ex, limit: l.BodyBytes, rc: x.rc}
		if !q.GRPC { // a call may rightly be silent; its liveness is told by PING
			x.body.idle = l.BodyIdle
		}
		q.Body.SetStream(x.body, r.ContentLength)
	}
	return nil
}
