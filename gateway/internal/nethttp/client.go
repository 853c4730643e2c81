package nethttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"

	"github.com/gatehouse/gatehouse/gateway/internal/transport"
	"github.com/gatehouse/gatehouse/gateway/policy"
)

// The protocols of a client.
const (
	ProtocolH2   = "h2"   // HTTP/2 over TLS, and nothing else
	ProtocolH2C  = "h2c"  // HTTP/2 in clear text by prior knowledge
	ProtocolAuto = "auto" // over TLS what ALPN agrees on, in clear text HTTP/1.1
)

const (
	defaultMaxHeader = 64 << 10
	defaultConnect   = 10 * time.Second
)

// NewClient returns a client of one target. It follows no redirect, keeps no
// cookies, adds no field of its own and decodes no content. It sends a request
// again by itself only where the target has said that it did not look at it (a
// GOAWAY that leaves the stream out, or REFUSED_STREAM; RFC 9113 section 8.7),
// and, over HTTP/1.1, a GET, HEAD, OPTIONS or TRACE that met a kept connection
// which the target had closed (RFC 9110 section 9.2.2). An error means that the
// protocol is not known or does not fit the target.
func NewClient(o transport.ClientOptions, protocol string) (transport.Client, error) {
	if o.MaxHeaderBytes <= 0 {
		o.MaxHeaderBytes = defaultMaxHeader
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	c := &client{o: o, scheme: "http", host: o.Target.Authority}
	if c.host == "" {
		c.host = o.Target.Address
	}
	if o.Target.TLS != nil {
		c.scheme = "https"
	}
	switch {
	case protocol == ProtocolH2 && o.Target.TLS == nil:
		return nil, fmt.Errorf("protocol h2 of target %s: wants TLS; use h2c for clear text", o.Target.Address)
	case protocol == ProtocolH2C && o.Target.TLS != nil:
		return nil, fmt.Errorf("protocol h2c of target %s: is for clear text; use h2 with TLS", o.Target.Address)
	case protocol == ProtocolH2 || protocol == ProtocolH2C:
		c.useH2()
	case protocol == ProtocolAuto:
		return c, c.useAuto()
	default:
		return nil, fmt.Errorf("protocol %q of target %s: want h2, h2c or auto", protocol, o.Target.Address)
	}
	return c, nil
}

type client struct {
	o            transport.ClientOptions
	scheme, host string
	rt           http.RoundTripper
	pool         *connPool       // h2 and h2c
	h1           *http.Transport // auto
	inFlight     atomic.Int64
	closed       atomic.Bool
}

func (c *client) useH2() {
	c.pool = newConnPool(c.o, c.tlsConfig("h2"))
	t := &http2.Transport{
		AllowHTTP:          true,
		DisableCompression: true,
		MaxHeaderListSize:  2 * uint32(c.o.MaxHeaderBytes),
		IdleConnTimeout:    c.o.IdleTimeout,
		ReadIdleTimeout:    pingAfter,
		PingTimeout:        pingWait,
		WriteByteTimeout:   transport.DefaultLimits().WriteIdle,
		ConnPool:           c.pool,
	}
	c.pool.transport, c.rt = t, t
}

func (c *client) useAuto() error {
	t := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if k, ok := ctx.Value(callKey{}).(*call); ok {
				k.dialed.Store(true)
			}
			return c.o.Dial(ctx, c.o.Target.Network, c.o.Target.Address)
		},
		TLSClientConfig:        c.tlsConfig("h2", "http/1.1"),
		TLSHandshakeTimeout:    defaultConnect,
		DisableCompression:     true,
		MaxConnsPerHost:        c.o.MaxConns,
		MaxIdleConnsPerHost:    c.o.MaxIdle,
		IdleConnTimeout:        c.o.IdleTimeout,
		MaxResponseHeaderBytes: 2 * int64(c.o.MaxHeaderBytes),
		WriteBufferSize:        16 << 10,
		ReadBufferSize:         16 << 10,
	}
	c.h1, c.rt = t, t
	if c.o.Target.TLS == nil {
		return nil
	}
	h2, err := http2.ConfigureTransports(t)
	if err != nil {
		return fmt.Errorf("configuring HTTP/2 for target %s: %w", c.o.Target.Address, err)
	}
	h2.ReadIdleTimeout, h2.PingTimeout = pingAfter, pingWait
	h2.WriteByteTimeout = transport.DefaultLimits().WriteIdle
	return nil
}

func (c *client) tlsConfig(protocols ...string) *tls.Config {
	if c.o.Target.TLS == nil {
		return nil
	}
	t := c.o.Target.TLS.Clone()
	t.NextProtos = protocols
	if t.ServerName == "" {
		t.ServerName = c.host
		if host, _, err := net.SplitHostPort(c.host); err == nil {
			t.ServerName = host
		}
	}
	return t
}

// CloseIdle closes the connections that are not in use.
func (c *client) CloseIdle() {
	if c.pool != nil {
		c.pool.closeIdle()
		return
	}
	c.h1.CloseIdleConnections()
}

// Close is CloseIdle, and connections in use end after their exchange.
func (c *client) Close() {
	if c.pool != nil {
		c.pool.close()
		return
	}
	c.closed.Store(true)
	c.h1.CloseIdleConnections()
}

// InFlight returns the number of requests under way.
func (c *client) InFlight() int { return int(c.inFlight.Load()) }

// RoundTrip sends the request of the exchange and fills its response.
func (c *client) RoundTrip(ex *policy.Exchange, tc *transport.Call) error {
	k := newCall(c, ex, tc)
	req := k.request()
	res, err := c.rt.RoundTrip(req)
	k.headerDone()
	tc.Reused, tc.Wrote, tc.BodyRead = k.reused.Load(), k.wrote.Load(), k.body.consumed()
	if err != nil {
		fail := k.failure(err)
		if refused(err) {
			tc.Wrote = false // by its own word the target has not looked at it
		}
		k.finish()
		return fail
	}
	if err := k.respond(res); err != nil {
		_ = res.Body.Close()
		ex.Response.Header.Reset()
		ex.Response.Trailer.Reset()
		ex.Response.Body.Reset()
		ex.Response.Status, ex.Response.Source = 0, policy.SourceNone
		k.finish()
		return err
	}
	return nil
}

// request builds the request to send.
func (k *call) request() *http.Request {
	ex := k.ex
	req := &http.Request{
		Method: ex.Request.Method,
		URL:    target(k.client.scheme, k.client.host, k.tc.Path, ex.Request.Query),
		Host:   k.tc.Authority,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: make(http.Header, ex.Request.Header.Len()+2),
	}
	toHTTP(req.Header, &ex.Request.Header, func(name string) bool {
		return framing(name) || name == "Host" || name == "Expect"
	})
	k.adapt(req)
	body := &ex.Request.Body
	switch {
	case body.Buffered() && len(body.Bytes()) > 0:
		p := body.Bytes()
		req.ContentLength = int64(len(p))
		req.Body = io.NopCloser(bytes.NewReader(p))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(p)), nil }
	case !body.Buffered() && body.Length() != 0:
		k.body = &upBody{src: body.Reader(), ex: ex, req: req}
		req.ContentLength, req.Body = body.Length(), k.body
	}
	trace := &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) {
			k.reused.Store(i.Reused)
			k.wrote.Store(true)
			k.connected()
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { k.requestDone() },
	}
	return req.WithContext(httptrace.WithClientTrace(k.ctx, trace))
}

// adapt sets the fields that the library or the protocol wants otherwise.
func (k *call) adapt(req *http.Request) {
	h := req.Header
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = nil // or the library would add its own
	}
	// The library would take these as leave to send any request again. In lower
	// case they say the same to the target and nothing to the library.
	for _, name := range [...]string{"Idempotency-Key", "X-Idempotency-Key"} {
		if v, ok := h[name]; ok {
			delete(h, name)
			h[strings.ToLower(name)] = v
		}
	}
	for v := range k.ex.Request.Header.Values("Trailer") {
		for name := range strings.SplitSeq(v, ",") {
			if name = textproto.CanonicalMIMEHeaderKey(strings.Trim(name, " \t")); httpguts.ValidTrailerHeader(name) && policy.ValidName(name) {
				if req.Trailer == nil {
					req.Trailer = http.Header{}
				}
				req.Trailer[name] = nil
			}
		}
	}
	if k.ex.Request.GRPC {
		h["Te"] = []string{"trailers"}
		if d, ok := k.ctx.Deadline(); ok {
			h["Grpc-Timeout"] = []string{formatGRPCTimeout(time.Until(d))}
		}
	}
}

// target returns the URL that makes the library send path and query as they
// are.
func target(scheme, host, path, query string) *url.URL {
	u := &url.URL{Scheme: scheme, Host: host, RawQuery: query}
	if strings.HasPrefix(path, "//") { // as Opaque it would read as an authority
		u.RawPath = path
		u.Path, _ = url.PathUnescape(path) // canonical paths decode
		return u
	}
	u.Opaque = path
	return u
}
