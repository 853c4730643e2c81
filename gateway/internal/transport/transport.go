// Package transport is what the transports (http1, nethttp), the engine and the
// upstreams agree on: how a request is handed over, how an answer comes back,
// and how a target is called. It holds no logic.
package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/gatehouse/gatehouse/gateway/policy"
	"github.com/gatehouse/gatehouse/libs/problem"
)

// Handler is the engine as the server transports see it. For each request a
// transport calls Acquire, then Serve or Refuse, sends ex.Response, and calls
// Release, in this order and exactly once each.
type Handler interface {
	// Acquire returns an empty exchange from a pool.
	Acquire() *policy.Exchange
	// Serve works on a request that is whole in form: the transport has set
	// Start and, in Request, all but Path, Host, Client and the effective
	// Scheme, which the engine derives (Authority, RawPath, Query, Peer, TLS and
	// the connection's Scheme are the transport's). Hop-by-hop fields are still
	// in the header; the engine removes them. When Serve returns there is a
	// response, always.
	Serve(ex *policy.Exchange)
	// Refuse makes the answer to a request that the transport could not accept.
	// What was understood of it is in ex.Request.
	Refuse(ex *policy.Exchange, p *problem.Problem)
	// Release ends the exchange after the response was sent or could not be. The
	// transport has set ResponseBytes, RequestBytes, ClientGone and End in
	// ex.Outcome. The exchange must not be touched afterwards.
	Release(ex *policy.Exchange)
}

// Target is one address to call.
type Target struct {
	// Network and Address are for net.Dial; the address is an IP and a port.
	Network, Address string
	// Authority is the host, with port unless the default one, of the target's
	// URL: the Host header where nothing else is said, and the TLS server name.
	Authority string
	// TLS is nil for clear text.
	TLS *tls.Config
	// BasePath is put before the path; no trailing slash.
	BasePath string
}

// ClientOptions are how a client keeps its connections to one target.
type ClientOptions struct {
	Target Target
	// MaxConns bounds the open connections; 0 = no bound. Callers over it wait
	// until the connect time is over.
	MaxConns int
	// MaxIdle bounds the kept ones, IdleTimeout how long they are kept.
	MaxIdle     int
	IdleTimeout time.Duration
	// MaxHeaderBytes bounds the response header.
	MaxHeaderBytes int
	// StreamIdle is the longest silence within a response body; 0 = no bound.
	StreamIdle time.Duration
	// Dial replaces net.Dialer, for tests and for PROXY protocol to upstreams.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client calls one target. All methods may be called at the same time.
type Client interface {
	// RoundTrip sends ex.Request as call says and fills ex.Response up to its
	// body, which streams. The error is a *CallError. On error ex.Response is
	// left empty.
	RoundTrip(ex *policy.Exchange, call *Call) error
	// CloseIdle closes the connections that are not in use.
	CloseIdle()
	// Close is CloseIdle, and connections in use end after their exchange.
	Close()
	// InFlight returns the number of requests under way.
	InFlight() int
}

// Call is one attempt. The caller fills the first part, the client the second.
type Call struct {
	// Authority and Path are what to send; Path has the target's base path and
	// no query (the query is ex.Request.Query).
	Authority, Path string
	// ConnectTimeout bounds getting a connection; HeaderTimeout the time from
	// the last byte of the request to the end of the response header; Deadline,
	// where not zero, everything up to the last byte of the response.
	ConnectTimeout, HeaderTimeout time.Duration
	Deadline                      time.Time
	// Start is when the call begins, for clients that would read the clock; zero
	// where it is not known.
	Start time.Time

	// Answered is when the response header was there; zero where the client does
	// not tell.
	Answered time.Time
	// Reused says that a kept connection was used.
	Reused bool
	// Wrote says that at least one byte of the request may have reached the
	// target.
	Wrote bool
	// BodyRead says that bytes of a streamed request body were consumed, so that
	// the request cannot be sent again.
	BodyRead bool
}

// Failure is why a call failed.
type Failure uint8

// The failures of a call.
const (
	FailedConnect   Failure = iota + 1 // no connection
	FailedReset                        // the connection broke before the response header
	FailedTimeout                      // a time limit was over
	FailedInvalid                      // the response breaks HTTP
	FailedTooLarge                     // the response header is too large
	FailedCanceled                     // the client left
	FailedBody                         // the request body could not be read from the client
	FailedExhausted                    // no connection was free in time
)

var failureNames = [...]string{
	"", "connect", "reset", "timeout", "invalid response", "response header too large",
	"client left", "request body", "connections exhausted",
}

// String returns a word or two for logs.
func (f Failure) String() string { return failureNames[f] }

// CallError is the error of a call.
type CallError struct {
	Failure Failure
	Err     error
}

// Error returns the failure and its cause.
func (e *CallError) Error() string {
	if e.Err == nil {
		return e.Failure.String()
	}
	return fmt.Sprintf("%s: %v", e.Failure, e.Err)
}

// Unwrap returns the cause.
func (e *CallError) Unwrap() error { return e.Err }

// FailureOf returns why a call failed, or 0 where err is no CallError.
func FailureOf(err error) Failure {
	var ce *CallError
	if errors.As(err, &ce) {
		return ce.Failure
	}
	return 0
}
