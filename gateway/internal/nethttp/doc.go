// Package nethttp is the HTTP/2 transport: a server for connections that speak
// HTTP/2 (over TLS, or in clear text by prior knowledge), gRPC included, and a
// client for upstreams that do. It stands on golang.org/x/net/http2.
//
// It owns how a message goes from the wire into a [policy.Exchange] and back:
// what is refused, the limits, flow of bodies and trailers, and the gRPC form of
// errors. It must not know routes, policies, upstreams' choice of a target, or
// how connections are accepted.
package nethttp
