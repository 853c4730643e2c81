package nethttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/gatehouse/gatehouse/gateway/policy"
)

const bufferSize = 32 << 10

// send writes the response of the exchange.
func (x *stream) send() {
	if x.r.Context().Err() != nil {
		return // the client has left
	}
	if x.c.last() {
		x.w.Header().Set("Connection", "close") // makes the library send GOAWAY
	}
	resp := &x.ex.Response
	if x.ex.Request.GRPC && resp.Source == policy.SourceError {
		x.sendGRPCError()
		return
	}
	status := resp.Status
	if status < 200 || status > 999 {
		status = http.StatusInternalServerError // the engine always sets one
	}
	content := x.writeHeader(status)
	if !content {
		x.writeTrailer()
		return
	}
	if resp.Body.Buffered() {
		if err := x.write(resp.Body.Bytes()); err != nil {
			x.broken(errClient{err})
			return
		}
		x.writeTrailer()
		return
	}
	if err := x.stream(resp); err != nil {
		x.broken(err)
		return
	}
	x.writeTrailer()
}

// writeHeader sends status and header, and reports whether content follows.
func (x *stream) writeHeader(status int) bool {
	resp, h := &x.ex.Response, x.w.Header()
	toHTTP(h, &resp.Header, framing)
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // keeps the library from guessing one
	}
	length, head := resp.Body.Length(), x.r.Method == http.MethodHead
	none := status == http.StatusNoContent || status == http.StatusNotModified
	switch {
	case x.ex.Request.GRPC && length <= 0, none && length <= 0, head && resp.Body.Empty():
		h["Content-Length"] = nil
	case status != http.StatusNoContent && length >= 0:
		h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	if x.total != nil && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		x.total.Stop()
	}
	x.w.WriteHeader(status)
	return !none && !head && !resp.Body.Empty()
}

// stream copies the content as it comes: what was read is sent at once, so that
// events and messages never wait for more.
func (x *stream) stream(resp *policy.Response) error {
	buf, _ := x.c.s.buffers.Get().(*[bufferSize]byte)
	if buf == nil {
		buf = new([bufferSize]byte)
	}
	defer x.c.s.buffers.Put(buf)
	left := resp.Body.Length()
	if left < 0 {
		if err := x.flush(); err != nil { // the header goes before the first byte is there
			return errClient{err}
		}
	}
	known, body := left >= 0, resp.Body.Reader()
	for {
		n, err := body.Read(buf[:])
		if n > 0 {
			if werr := x.write(buf[:n]); werr != nil {
				return errClient{werr}
			}
			left -= int64(n)
			if !known || left > 0 {
				if werr := x.flush(); werr != nil {
					return errClient{werr}
				}
			}
		}
		switch {
		case err == io.EOF && known && left > 0:
			return io.ErrUnexpectedEOF
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// errClient is an error of writing to the client.
type errClient struct{ error }

func (e errClient) Unwrap() error { return e.error }

// broken ends a response whose content broke off. A gRPC client is told why in
// the trailer; for others the stream is reset, since an end would look like a
// whole response.
func (x *stream) broken(err error) {
	out := &x.ex.Outcome
	var toClient errClient
	if errors.As(err, &toClient) || x.r.Context().Err() != nil {
		out.ClientGone = true
		x.cut = true
		return
	}
	if out.Err == nil {
		out.Err = err
	}
	if !x.ex.Request.GRPC {
		x.cut = true
		return
	}
	status, message := grpcUnavailable, "the upstream broke off"
	if errors.Is(context.Cause(x.ex.Context()), context.DeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		status, message = grpcDeadlineExceeded, "the time is over"
	}
	t := &x.ex.Response.Trailer
	t.Reset()
	t.Add("Grpc-Status", strconv.Itoa(status))
	t.Add("Grpc-Message", message)
	x.writeTrailer()
}

// sendGRPCError answers an error of the gateway as a gRPC client expects it:
// status 200, and the error in a header that is the whole response (gRPC over
// HTTP2, "Trailers-Only").
func (x *stream) sendGRPCError() {
	resp, h := &x.ex.Response, x.w.Header()
	toHTTP(h, &resp.Header, func(name string) bool { return framing(name) || name == "Content-Language" })
	h["Content-Type"] = []string{x.ex.Request.Header.Get("Content-Type")}
	h["Content-Length"] = nil
	h["Grpc-Status"] = []string{strconv.Itoa(grpcStatus(resp.Status))}
	h["Grpc-Message"] = []string{encodeGRPCMessage(grpcMessage(x.ex.Outcome.Err, http.StatusText(resp.Status)))}
	x.w.WriteHeader(http.StatusOK)
}

func (x *stream) writeTrailer() {
	t := &x.ex.Response.Trailer
	if t.Len() == 0 {
		return
	}
	h := x.w.Header()
	for _, f := range t.Fields() {
		if httpguts.ValidTrailerHeader(f.Name) && policy.ValidName(f.Name) {
			h.Add(http.TrailerPrefix+f.Name, f.Value)
		}
	}
}

// write sends p within the time that a client may take for it.
func (x *stream) write(p []byte) error {
	x.arm()
	n, err := x.w.Write(p)
	x.stall.Stop()
	x.ex.Outcome.ResponseBytes += int64(n)
	if err != nil {
		x.ex.Outcome.ClientGone = true
	}
	return err
}

func (x *stream) flush() error {
	x.arm()
	err := x.rc.Flush()
	x.stall.Stop()
	return err
}

func (x *stream) arm() {
	if x.stall != nil {
		x.stall.Reset(x.c.limits.WriteIdle)
		return
	}
	x.stall = time.AfterFunc(x.c.limits.WriteIdle, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if !x.over {
			_ = x.rc.SetWriteDeadline(time.Unix(1, 0))
		}
	})
}
