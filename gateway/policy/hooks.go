package policy

// Hooks is what one configured policy does to an exchange. Every hook is
// optional, and a nil hook costs nothing.
//
// The order of a request is: Preflight of all policies (CORS preflight requests
// only), Inbound in list order, the upstream, Outbound in reverse order, Final
// in reverse order, the answer is sent, Done in reverse order.
//
// An error of Inbound, of the upstream or of Outbound ends the way forward:
// OnError of the policies entered so far is asked in reverse order, and what
// remains of the error is answered as a problem document. A [problem.Problem]
// is shown to the client; any other error is answered 500 without detail.
type Hooks struct {
	// Preflight sees CORS preflight requests before anything else does, since
	// they carry no credential (Fetch standard, "CORS-preflight request"). It
	// answers by setting a response.
	Preflight func(*Exchange) error
	// Inbound runs before the upstream is called. Setting a response with
	// [Exchange.Respond] answers at once: neither the policies that follow nor
	// the upstream see the request.
	Inbound func(*Exchange) error
	// Outbound runs on a response that came from the upstream or from a policy,
	// for the policies whose Inbound was passed.
	Outbound func(*Exchange) error
	// OnError may handle the error by setting a response and returning nil, or
	// return the same or another error.
	OnError func(*Exchange, error) error
	// Final runs just before any answer is sent, those made from errors
	// included, and for policies that were not reached too. It may only touch
	// the status and the header of the response.
	Final func(*Exchange)
	// Done runs after the last byte was sent or the client left. It sees the
	// sizes and the outcome, and gives back what Inbound took.
	Done func(*Exchange)
	// Close is called once, when no exchange uses this policy any more.
	Close func()

	// BufferRequest, when positive, makes the engine read the request body into
	// memory before Inbound, up to that many bytes; a larger body is refused
	// with 413. Without it bodies stream.
	BufferRequest int64
	// BufferResponse is the same for Outbound; a larger response is refused with
	// 502. Event streams, upgrades and gRPC are never buffered: a policy that
	// needs the body of one gets none ([Body.Buffered] is false).
	BufferResponse int64

	// Authenticates says that Inbound establishes who calls, and returns
	// [ErrNoCredential] (wrapped in a problem by [NoCredential]) when the request
	// carries nothing for it. Plans are tried by this.
	Authenticates bool
}
