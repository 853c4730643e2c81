package transport

import (
	"net"
	"net/netip"
	"time"
)

// Limits bound what a client may send and how slowly. Zero values are replaced
// by those of [DefaultLimits].
type Limits struct {
	// HeaderBytes bounds the request line and header together; answered 431.
	HeaderBytes int
	// HeaderCount bounds the number of header fields; answered 431.
	HeaderCount int
	// URIBytes bounds the request target; answered 414.
	URIBytes int
	// BodyBytes bounds a request body, 0 = no bound here; answered 413.
	BodyBytes int64
	// HeaderTime bounds the time from the first byte of a request to the end of
	// its header.
	HeaderTime time.Duration
	// BodyIdle is the longest silence within a request body.
	BodyIdle time.Duration
	// WriteIdle is the longest time in which a client takes no byte of the
	// answer.
	WriteIdle time.Duration
	// KeepAlive is how long a connection may wait for its next request.
	KeepAlive time.Duration
	// Total bounds a whole exchange, upgrades and event streams apart; 0 = no
	// bound.
	Total time.Duration
	// Connections bounds the open connections of a listener; 0 = no bound.
	Connections int
	// RequestsPerConnection closes a connection after so many; 0 = no bound.
	RequestsPerConnection int
}

// DefaultLimits returns the limits that hold where nothing else is said.
func DefaultLimits() Limits {
	return Limits{
		HeaderBytes: 32 << 10,
		HeaderCount: 100,
		URIBytes:    8 << 10,
		HeaderTime:  10 * time.Second,
		BodyIdle:    60 * time.Second,
		WriteIdle:   60 * time.Second,
		KeepAlive:   75 * time.Second,
	}
}

// Conn is what the listeners hand to the transports: a connection that knows
// its real peer, which a PROXY header of a trusted sender may have told.
type Conn interface {
	net.Conn
	// Peer is the address to treat as the client's.
	Peer() netip.AddrPort
}
