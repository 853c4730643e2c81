package nethttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// respond fills the response of the exchange. The error is a *CallError.
func (k *call) respond(res *http.Response) error {
	out := &k.ex.Response
	size := 0
	for name, values := range res.Header {
		for _, v := range values {
			size += len(name) + len(v) + 4
			if !policy.ValidName(name) || !policy.ValidValue(v) {
				return invalid("header field %q is not valid", name)
			}
		}
		if res.ProtoMajor == 2 && connectionSpecific(name) {
			return invalid("header field %s has no place in HTTP/2", name)
		}
	}
	if size > k.client.o.MaxHeaderBytes {
		return &transport.CallError{
			Failure: transport.FailedTooLarge,
			Err:     fmt.Errorf("response header of %d bytes, at most %d are taken", size, k.client.o.MaxHeaderBytes),
		}
	}
	if res.StatusCode < 200 || res.StatusCode > 999 {
		return invalid("status %d is not that of a response", res.StatusCode)
	}
	if vv := res.Header["Content-Length"]; len(vv) > 1 {
		return invalid("%d Content-Length fields", len(vv))
	} else if len(vv) == 1 {
		if _, ok := contentLength(vv[0]); !ok {
			return invalid("Content-Length is not a number")
		}
	}
	out.Status, out.Source = res.StatusCode, policy.SourceUpstream
	fromHTTP(&out.Header, res.Header, func(name string) bool {
		return name == "Content-Length" || name == "Transfer-Encoding"
	})
	return k.respondBody(res)
}

func (k *call) respondBody(res *http.Response) error {
	out := &k.ex.Response
	length := res.ContentLength
	body := &downBody{call: k, src: res.Body, res: res, idle: k.client.o.StreamIdle}
	switch {
	case res.Request != nil && res.Request.Method == http.MethodHead,
		res.StatusCode == http.StatusNoContent, res.StatusCode == http.StatusNotModified:
		_ = body.Close()
		if length > 0 { // what GET would have: told, and never read
			out.Body.SetStream(http.NoBody, length)
		}
	case k.ex.Request.GRPC && res.Header.Get("Grpc-Status") != "":
		_ = body.Close() // the header is the whole response
	case length == 0:
		// Only the end of the stream, and perhaps a trailer, can follow.
		var p [1]byte
		if _, err := body.Read(p[:]); err != io.EOF { //nolint:errorlint // readers return it bare
			if err == nil {
				return invalid("content after Content-Length: 0")
			}
			return k.failure(err)
		}
	default:
		out.Body.SetStream(body, length)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return &transport.CallError{Failure: transport.FailedInvalid, Err: fmt.Errorf(format, args...)} //nolint:err113 // a text for the log
}

// downBody is the content of a response.
type downBody struct {
	call *call
	src  io.ReadCloser
	res  *http.Response
	idle time.Duration

	timer *time.Timer
	over  sync.Once
	err   error // what every further Read returns
}

// Read reads content. Errors other than io.EOF are a *CallError.
func (b *downBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.idle > 0 {
		if b.timer == nil {
			b.timer = time.AfterFunc(b.idle, func() { b.call.cancel(errStreamIdle) })
		} else {
			b.timer.Reset(b.idle)
		}
	}
	n, err := b.src.Read(p)
	if b.timer != nil {
		b.timer.Stop()
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		trailersFromHTTP(&b.call.ex.Response.Trailer, b.res.Trailer)
		b.err = io.EOF
	default:
		b.err = b.call.failure(err)
	}
	b.end()
	return n, b.err
}

// Close ends the call, also where content is left.
func (b *downBody) Close() error {
	if b.err == nil {
		b.err = http.ErrBodyReadAfterClose
	}
	b.end()
	return nil
}

func (b *downBody) end() {
	b.over.Do(func() {
		if b.timer != nil {
			b.timer.Stop()
		}
		_ = b.src.Close() // what matters has been read
		b.call.finish()
	})
}

// failure says why the call failed.
func (k *call) failure(err error) error {
	return &transport.CallError{Failure: k.reason(err), Err: k.cause(err)}
}

func (k *call) cause(err error) error {
	if e := k.body.failed(); e != nil {
		return e
	}
	if e := context.Cause(k.ctx); e != nil {
		return e
	}
	return err
}

func (k *call) reason(err error) transport.Failure {
	cause := context.Cause(k.ctx)
	switch {
	case cause == nil:
	case errors.Is(cause, errConnectTime):
		if k.dialed.Load() {
			return transport.FailedConnect
		}
		return transport.FailedExhausted
	case errors.Is(cause, errHeaderTime), errors.Is(cause, errDeadline),
		errors.Is(cause, errStreamIdle), errors.Is(cause, context.DeadlineExceeded):
		return transport.FailedTimeout
	default:
		return transport.FailedCanceled
	}
	if k.body.failed() != nil {
		return transport.FailedBody
	}
	if !k.wrote.Load() {
		return transport.FailedConnect
	}
	return wireFailure(err)
}

// wireFailure says what an error on a connection means.
func wireFailure(err error) transport.Failure {
	var stream http2.StreamError
	var conn http2.ConnectionError
	var goAway http2.GoAwayError
	var netErr net.Error
	text := err.Error()
	switch {
	// The libraries have no value for these, only a text.
	case strings.Contains(text, "response header list larger than advertised limit"),
		strings.Contains(text, "server response headers exceeded"),
		strings.HasSuffix(text, "header list too large"):
		return transport.FailedTooLarge
	case errors.As(err, &stream):
		// A stream reset by the target has a cause that says so; any other was
		// reset here since it breaks the protocol.
		if stream.Cause != nil && stream.Cause.Error() == "received from peer" {
			return transport.FailedReset
		}
		return transport.FailedInvalid
	case errors.As(err, &conn):
		return transport.FailedInvalid
	case errors.As(err, &goAway), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &netErr):
		return transport.FailedReset
	case strings.HasPrefix(text, "http2: "), strings.HasPrefix(text, "http: server closed idle connection"):
		return transport.FailedReset // lost, force closed, or told to go away
	}
	return transport.FailedInvalid
}

// refused reports whether the target has said that it did not look at the
// request (RFC 9113 section 8.7).
func refused(err error) bool {
	var stream http2.StreamError
	return errors.As(err, &stream) && stream.Code == http2.ErrCodeRefusedStream
}
