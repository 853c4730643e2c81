// Package http1 is the gateway's HTTP/1.1 engine: a server for clients and a
// client for upstreams over one strict codec (RFC 9110, RFC 9112). A message
// that two parsers could read differently is refused, in both directions, so
// that the gateway and what stands behind it always agree where a message ends.
//
// It owns parsing, framing, buffers, deadlines, connection reuse and noticing
// that a client has left. It must not know routes, policies or load balancing:
// it hands a [policy.Exchange] to a [transport.Handler] and calls one target.
//
// What the exchange holds: Host, Content-Length, Transfer-Encoding, Expect and
// HTTP2-Settings are not among the header fields, since Authority and Body say
// the same; Upgrade is there only where the engine may carry it out. The one
// exception is the Content-Length of an answer without content (to HEAD, or of
// status 304), which stands in Response.Header.
package http1
