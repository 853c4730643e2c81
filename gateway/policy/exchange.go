package policy

import (
	"context"
	"crypto/tls"
	"io"
	"net/netip"
	"sync"
	"time"
)

// Exchange is one request and its response on their way through the gateway.
// One goroutine at a time works on it, and it is used again for another
// request after Done: nothing may keep a pointer to it.
type Exchange struct {
	// ID is the request id: taken from a trusted client, else made by the
	// gateway. Response, log, traffic record and upstream carry the same.
	ID string
	// Start is when the first byte of the request was read.
	Start time.Time

	Request  Request
	Response Response
	// Caller is who calls, as far as policies have established it.
	Caller Caller
	// Route is what the request matched; nil where nothing did.
	Route *Route
	// Forward is how the request will be sent to the upstream.
	Forward Forward
	// Log controls what is recorded of this exchange.
	Log Log
	// Outcome is filled as things happen; it is complete in Done.
	Outcome Outcome

	// Trace is the W3C trace context of this exchange.
	Trace Trace

	recent    time.Time
	ctx       context.Context //nolint:containedctx // an exchange is a request's context, pooled
	responded bool
	slots     []any
	notes     []Note
	noting    bool
	detailed  bool
	cancel    *cancellation
	transport any
	params    Params
	engine    any
}

// Request is what the client asked.
type Request struct {
	// Proto is "HTTP/1.1", "HTTP/1.0" or "HTTP/2.0".
	Proto string
	// Method is the request method, upper case as received.
	Method string
	// Scheme is "http" or "https", as the client used it (trusted proxies may
	// tell).
	Scheme string
	// Host is the canonical host without port: lower case, no trailing dot.
	Host string
	// Authority is the Host header as received, port included.
	Authority string
	// Path is the one canonical path, percent-encoded. Routing, policies, logs
	// and the upstream use it and no other form.
	Path string
	// RawPath is the path as received. It is for logs only.
	RawPath string
	// Query is the raw query without the question mark.
	Query string
	// Header has the fields as received, without hop-by-hop fields and without
	// identity fields that the gateway sets itself.
	Header Header
	// Trailer is filled once the body has been read.
	Trailer Header
	// Body is the content.
	Body Body
	// Peer is the other end of the connection (or what a trusted PROXY header
	// says).
	Peer netip.AddrPort
	// Client is the client's address: the peer's, unless the peer is a trusted
	// proxy and names another.
	Client netip.Addr
	// TLS is the state of the client's TLS connection, nil without TLS.
	TLS *tls.ConnectionState
	// Upgrade is the protocol of an upgrade request that the gateway is willing
	// to carry out ("websocket"), else "".
	Upgrade string
	// GRPC says that the content type is application/grpc over HTTP/2.
	GRPC bool
}

// Response is what the client will be answered.
type Response struct {
	// Status is the status code; 0 until there is a response.
	Status int
	// Header has the fields to be sent, without hop-by-hop fields and framing:
	// Content-Length and Transfer-Encoding are the transport's, from the Body.
	Header Header
	// Trailer is sent after the body where the transport and the client allow
	// it. It is complete only when the body has been read to its end.
	Trailer Header
	// Body is the content.
	Body Body
	// Source says who made the response.
	Source Source
	// Tunnel is the upstream's side of an upgraded connection (status 101).
	Tunnel io.ReadWriteCloser
}

// Source says who made a response.
type Source uint8

// The sources of a response.
const (
	SourceNone     Source = iota
	SourceUpstream        // the upstream
	SourcePolicy          // a policy, such as mock, redirect or cache
	SourceError           // made from an error
)

// Forward is how a request is sent to the upstream. Zero values mean what the
// upstream's configuration says.
type Forward struct {
	// Upstream is the name of the upstream to use instead of the route's own.
	Upstream string
	// Path is the canonical path to send; the engine sets it before the
	// policies run. The query is taken from the request.
	Path string
	// Authority, when set, is sent as the Host header.
	Authority string
	// Connect, Header and Total bound the time to connect, to wait for the
	// response header, and for the whole exchange with the upstream.
	Connect, Header, Total time.Duration
	// Retry, when set, replaces the upstream's retry rules.
	Retry *Retry
	// HashKey is the key for consistent hashing, instead of the configured one.
	HashKey string
}

// Retry says when a request may be sent again. Requests are never sent again
// once a byte of the response was passed on, or when the body cannot be sent
// again.
type Retry struct {
	// Attempts is the number of further attempts.
	Attempts int
	// Statuses are the response statuses that count as failures.
	Statuses []int
	// ConnectErrors, ResetErrors and Timeouts say which transport failures are
	// tried again. A connect error is safe for every method; the others are
	// tried again only for idempotent methods unless NonIdempotent is set.
	ConnectErrors, ResetErrors, Timeouts bool
	// NonIdempotent allows methods such as POST to be sent again.
	NonIdempotent bool
	// PerTry bounds the time of one attempt; 0 = not bounded apart.
	PerTry time.Duration
	// Backoff is the pause before the first further attempt; it doubles, with
	// full jitter, up to MaxBackoff.
	Backoff, MaxBackoff time.Duration
}

// Attempt is one try to get an answer from an upstream target.
type Attempt struct {
	Target   string        `json:"target"`
	Status   int           `json:"status,omitempty"`
	Error    string        `json:"error,omitempty"`
	Start    time.Duration `json:"startNs"` // since Exchange.Start
	Duration time.Duration `json:"durationNs"`
	Reused   bool          `json:"reused,omitempty"` // over a kept connection
}

// Outcome is what happened to an exchange.
type Outcome struct {
	// Err is the error that was answered, nil where none was.
	Err error
	// Policy is the instance id of the policy that refused or answered, or "".
	Policy string
	// ClientGone says that the client left before the answer was sent.
	ClientGone bool
	// RequestBytes and ResponseBytes are the body bytes received and sent.
	RequestBytes, ResponseBytes int64
	// UpstreamTime is the time spent waiting for the upstream, from the first
	// attempt to the response header; TransferTime from there to the last byte.
	UpstreamTime, TransferTime time.Duration
	// Attempts lists the tries to reach the upstream.
	Attempts []Attempt
	// Cache is "hit", "miss", "stale", "bypass", "revalidated" or "".
	Cache string
	// End is when the last byte was sent.
	End time.Time
}

// Log controls what is recorded of an exchange.
type Log struct {
	// Skip leaves the exchange out of the access log and the traffic records.
	// It is counted in metrics all the same.
	Skip bool
	// Sample, when between 0 and 1 exclusive, records that share only.
	Sample float64
	// RequestHeaders and ResponseHeaders name header fields to record besides
	// the standard ones. Secret-bearing ones are redacted unless RevealHeaders.
	RequestHeaders, ResponseHeaders []string
	// RequestBody and ResponseBody are how many bytes of the bodies to record.
	RequestBody, ResponseBody int
	// Attributes are further facts for the record.
	Attributes map[string]string
	// Masks are applied, in order, to every header value, query value and body
	// that is recorded. Field names what the value is: "request.header.NAME",
	// "request.query", "request.body", "response.header.NAME", "response.body".
	Masks []func(field, value string) string
}

// Route is what a request matched. It is made once, at load, and never changes.
type Route struct {
	Organization, Project, Environment string
	API, APIName, Version              string
	Revision                           uint64
	// Operation is the id of the operation, or "" for an API without operations.
	Operation string
	// Method and Template are those of the operation; Template includes the base
	// path.
	Method, Template string
	// BasePath is the API's base path, without a trailing slash.
	BasePath string
	// Unit is the hash of the configuration unit that the route came from.
	Unit string
}

// Params are the path parameters of a match.
type Params interface {
	// Param returns the decoded value of a path parameter.
	Param(name string) (string, bool)
}

// Canceler is told when the client has left. Cancel must not block, nor call
// the exchange.
type Canceler interface{ Cancel() }

// Trace is the W3C trace context.
type Trace struct {
	TraceID [16]byte
	SpanID  [8]byte // the gateway's own span
	Parent  [8]byte // the client's span, zero where there is none
	Sampled bool
	State   string
}

// Note is a remark of a policy for the decision record.
type Note struct {
	Policy string `json:"policy,omitempty"`
	Key    string `json:"key"`
	Value  string `json:"value"`
}

// Respond sets a response that a policy made. The body is kept, not copied.
func (ex *Exchange) Respond(status int, contentType string, body []byte) {
	ex.Response.Body.SetBytes(body)
	ex.Response.Status = status
	ex.Response.Source = SourcePolicy
	if contentType != "" {
		ex.Response.Header.Set("Content-Type", contentType)
	}
	ex.responded = true
}

// Responded reports whether a policy has set a response.
func (ex *Exchange) Responded() bool { return ex.responded }

// Tick reads the clock and keeps the reading for [Exchange.Recent]. It costs
// half of what [time.Now] does.
func (ex *Exchange) Tick() time.Time {
	if ex.Start.IsZero() {
		ex.recent = time.Now()
	} else {
		ex.recent = ex.Start.Add(time.Since(ex.Start))
	}
	return ex.recent
}

// Recent returns the clock's last reading: zero where there was none, else a
// time after which nothing has waited, for those who come next and need to know
// it only to a few microseconds.
func (ex *Exchange) Recent() time.Time { return ex.recent }

// SetRecent keeps a reading for [Exchange.Recent]; zero where something has
// waited since the last.
func (ex *Exchange) SetRecent(t time.Time) { ex.recent = t }

// Param returns the decoded value of a path parameter, or "".
func (ex *Exchange) Param(name string) string {
	if ex.params == nil {
		return ""
	}
	v, _ := ex.params.Param(name)
	return v
}

// SetParams is for the engine.
func (ex *Exchange) SetParams(p Params) { ex.params = p }

// Context is cancelled when the client leaves or the total time is over. It is
// for calls to other systems; policies that only compute need none.
func (ex *Exchange) Context() context.Context {
	if ex.ctx == nil {
		return context.Background()
	}
	return ex.ctx
}

// SetContext is for the transports. It also makes the exchange ready for
// [Exchange.Cancel].
func (ex *Exchange) SetContext(ctx context.Context) {
	ex.ctx = ctx
	if ex.cancel == nil {
		ex.cancel = new(cancellation)
	}
}

// Noting reports whether somebody will read notes of this exchange. Building a
// costly note is to be skipped where not.
func (ex *Exchange) Noting() bool { return ex.noting }

// SetNoting is for the engine.
func (ex *Exchange) SetNoting(on bool) { ex.noting = on }

// Detailed reports whether a span of each policy is wanted.
func (ex *Exchange) Detailed() bool { return ex.detailed }

// SetDetailed is for the engine.
func (ex *Exchange) SetDetailed(on bool) { ex.detailed = on }

// Note adds a remark to the decision record: why a policy decided as it did.
// Values must not hold secrets.
func (ex *Exchange) Note(policy, key, value string) {
	if ex.noting {
		ex.notes = append(ex.notes, Note{Policy: policy, Key: key, Value: value})
	}
}

// Notes returns the remarks so far.
func (ex *Exchange) Notes() []Note { return ex.notes }

// Slot is a place in every exchange where one policy keeps its own state.
type Slot int

// Get returns what [Exchange.Put] has put, or nil. Use pointers, so that putting
// does not allocate.
func (ex *Exchange) Get(s Slot) any {
	if int(s) >= len(ex.slots) {
		return nil
	}
	return ex.slots[s]
}

// Put keeps v for this exchange.
func (ex *Exchange) Put(s Slot, v any) {
	for int(s) >= len(ex.slots) {
		ex.slots = append(ex.slots, nil)
	}
	ex.slots[s] = v
}

// SetEngine keeps what the engine needs for this exchange.
func (ex *Exchange) SetEngine(v any) { ex.engine = v }

// Engine returns what SetEngine was given.
func (ex *Exchange) Engine() any { return ex.engine }

// cancellation is shared between the goroutine that works on an exchange and
// the one that watches the client. It lives as long as the exchange's memory.
type cancellation struct {
	mu       sync.Mutex
	target   Canceler
	canceled bool
}

// OnCancel names what is to be cancelled when the client leaves; nil for
// nothing. It is for the transports. Where the client has left already, c is
// cancelled at once. After OnCancel returns, what was named before will not be
// cancelled any more.
func (ex *Exchange) OnCancel(c Canceler) {
	if ex.cancel == nil {
		ex.cancel = new(cancellation)
	}
	ex.cancel.mu.Lock()
	defer ex.cancel.mu.Unlock()
	ex.cancel.target = c
	if ex.cancel.canceled && c != nil {
		c.Cancel()
	}
}

// Canceler returns what OnCancel was given.
func (ex *Exchange) Canceler() Canceler {
	if ex.cancel == nil {
		return nil
	}
	ex.cancel.mu.Lock()
	defer ex.cancel.mu.Unlock()
	return ex.cancel.target
}

// Cancel cancels what OnCancel has named or will name. It is for the transport
// that received the request, which may call it from another goroutine, between
// SetContext and the end of the exchange.
func (ex *Exchange) Cancel() {
	if ex.cancel == nil {
		return
	}
	ex.cancel.mu.Lock()
	defer ex.cancel.mu.Unlock()
	ex.cancel.canceled = true
	if ex.cancel.target != nil {
		ex.cancel.target.Cancel()
	}
}

// Canceled reports whether Cancel was called.
func (ex *Exchange) Canceled() bool {
	if ex.cancel == nil {
		return false
	}
	ex.cancel.mu.Lock()
	defer ex.cancel.mu.Unlock()
	return ex.cancel.canceled
}

// Transport returns what SetTransport was given. It is for upstream clients.
func (ex *Exchange) Transport() any { return ex.transport }

// SetTransport keeps state of an upstream client with the memory of the
// exchange, beyond Reset, so that a call need not allocate it.
func (ex *Exchange) SetTransport(v any) { ex.transport = v }

// Reset makes the exchange ready for another request and keeps its memory. It
// clears field by field: an exchange is large, and copying one costs more than
// all that a small policy does.
func (ex *Exchange) Reset() {
	if ex.cancel != nil {
		ex.cancel.mu.Lock()
		ex.cancel.target, ex.cancel.canceled = nil, false
		ex.cancel.mu.Unlock()
	}
	clear(ex.slots)
	clear(ex.notes)
	ex.slots, ex.notes = ex.slots[:0], ex.notes[:0]
	ex.ID, ex.Start, ex.recent, ex.Route = "", time.Time{}, time.Time{}, nil
	ex.ctx, ex.params = nil, nil
	ex.responded, ex.noting, ex.detailed = false, false, false
	ex.Request.reset()
	ex.Response.reset()
	ex.Caller = Caller{}
	ex.Forward = Forward{}
	ex.Log = Log{}
	ex.Trace = Trace{}
	o := &ex.Outcome
	clear(o.Attempts)
	o.Attempts = o.Attempts[:0]
	o.Err, o.Policy, o.ClientGone, o.Cache, o.End = nil, "", false, "", time.Time{}
	o.RequestBytes, o.ResponseBytes, o.UpstreamTime, o.TransferTime = 0, 0, 0, 0
}

func (r *Request) reset() {
	r.Header.Reset()
	r.Trailer.Reset()
	r.Body.Reset()
	r.Proto, r.Method, r.Scheme, r.Host, r.Authority = "", "", "", "", ""
	r.Path, r.RawPath, r.Query = "", "", ""
	r.Peer, r.Client, r.TLS = netip.AddrPort{}, netip.Addr{}, nil
	r.Upgrade, r.GRPC = "", false
}

func (r *Response) reset() {
	r.Header.Reset()
	r.Trailer.Reset()
	r.Body.Reset()
	r.Status, r.Source, r.Tunnel = 0, SourceNone, nil
}
