// Package traffic is what other services may know of the traffic that gateways
// carry: the record written about each request, the decision that explains it,
// and the count of records that were lost. It holds no policy of what is
// recorded: that is the gateway's.
package traffic

import (
	"net/netip"
	"time"
)

// Record is what a gateway writes about one request. In JSON it is one flat
// object a line, so that log shippers and indices take it as it is; fields
// without a value are left out. Names and meanings never change; new ones may be
// added.
type Record struct {
	// When the first byte of the request was read, in UTC with microseconds (RFC 3339).
	Time time.Time `json:"time"`
	// Request id; the same in the response, the problem document, the log and the upstream's request.
	ID string `json:"id"`
	// Name of the gateway that wrote the record.
	Gateway string `json:"gateway,omitempty"`

	// Organization that owns the API.
	Organization string `json:"organization,omitempty"`
	// Project that owns the API.
	Project string `json:"project,omitempty"`
	// Environment the gateway serves, such as `PRD`.
	Environment string `json:"environment,omitempty"`
	// Id of the API; absent where the request matched none.
	API string `json:"api,omitempty"`
	// Name of the API.
	APIName string `json:"apiName,omitempty"`
	// Version of the API.
	Version string `json:"version,omitempty"`
	// Revision of the API that served the request.
	Revision uint64 `json:"revision,omitempty"`
	// Id of the operation.
	Operation string `json:"operation,omitempty"`
	// Path template of the operation, base path included.
	Template string `json:"template,omitempty"`
	// Hash of the configuration unit that the route came from.
	Unit string `json:"unit,omitempty"`

	// Id of the plan under which the request was served.
	Plan string `json:"plan,omitempty"`
	// Id of the subscription.
	Subscription string `json:"subscription,omitempty"`
	// Id of the application.
	Application string `json:"application,omitempty"`
	// Name of the application.
	ApplicationName string `json:"applicationName,omitempty"`
	// Id of the credential; never the credential itself.
	Credential string `json:"credential,omitempty"`
	// Kind of the credential: `api-key`, `basic`, `jwt`, `oauth2`, `certificate` or `hmac`.
	CredentialKind string `json:"credentialKind,omitempty"`
	// Subject that a token names; hashed unless configured otherwise.
	Subject string `json:"subject,omitempty"`

	// Address of the client.
	ClientIP netip.Addr `json:"clientIp,omitzero"`
	// User-Agent of the client.
	UserAgent string `json:"userAgent,omitempty"`
	// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0`.
	Protocol string `json:"protocol,omitempty"`
	// `http` or `https`, as the client used it.
	Scheme string `json:"scheme,omitempty"`
	// TLS version of the client's connection: `1.2` or `1.3`; absent without TLS.
	TLS string `json:"tls,omitempty"`
	// Request method.
	Method string `json:"method"`
	// Host asked for, lower case, without port.
	Host string `json:"host,omitempty"`
	// Canonical path.
	Path string `json:"path"`
	// Query without the question mark; values of parameters that look secret are `***`.
	Query string `json:"query,omitempty"`

	// Status answered; 499 where the client left before the end of the answer.
	Status int `json:"status"`
	// Share of such requests that is recorded, where not all are; count the record 1/sample times.
	Sample float64 `json:"sample,omitempty"`
	// Who caused a status of 400 or above: `client`, `policy`, `gateway` or `upstream`.
	ErrorSource ErrorSource `json:"errorSource,omitempty"`
	// Code of the problem document, such as `rate-limit-exceeded`.
	ErrorCode string `json:"errorCode,omitempty"`
	// Instance id of the policy that refused or answered.
	Policy string `json:"policy,omitempty"`
	// `hit`, `miss`, `stale`, `bypass` or `revalidated` where the cache policy took part.
	Cache string `json:"cache,omitempty"`

	// Whole time from the first byte of the request to the last of the answer, in microseconds.
	Duration int64 `json:"durationUs"`
	// Part of it spent in the gateway, policies included.
	GatewayTime int64 `json:"gatewayUs"`
	// Part of it spent waiting for the upstream, from the first attempt to the response header.
	UpstreamTime int64 `json:"upstreamUs,omitempty"`
	// Part of it spent passing the answer on, from the response header to the last byte.
	TransferTime int64 `json:"transferUs,omitempty"`
	// Bytes of the request body that were received.
	RequestBytes int64 `json:"requestBytes"`
	// Bytes of the response body that were sent.
	ResponseBytes int64 `json:"responseBytes"`

	// Address of the target that was asked last.
	Upstream string `json:"upstream,omitempty"`
	// Status that target answered.
	UpstreamStatus int `json:"upstreamStatus,omitempty"`
	// Number of attempts to get an answer; absent where no upstream was asked.
	Attempts int `json:"attempts,omitempty"`
	// Number of attempts after the first.
	Retries int `json:"retries,omitempty"`

	// W3C trace id.
	TraceID TraceID `json:"traceId,omitzero"`
	// Id of the gateway's span.
	SpanID SpanID `json:"spanId,omitzero"`

	// Further facts that policies added.
	Attributes Pairs `json:"attributes,omitempty"`
	// Request header fields that were asked for, names in lower case, redacted.
	RequestHeaders Pairs `json:"requestHeaders,omitempty"`
	// Response header fields that were asked for, names in lower case, redacted.
	ResponseHeaders Pairs `json:"responseHeaders,omitempty"`
	// First bytes of the request body where asked for, redacted.
	RequestBody string `json:"requestBody,omitempty"`
	// First bytes of the response body where asked for, redacted.
	ResponseBody string `json:"responseBody,omitempty"`

	// Why the request was answered so; on refusals, failures, samples and debugged requests.
	Decision *Decision `json:"decision,omitempty"`
}

// ErrorSource says who caused an error.
type ErrorSource string

// The sources of errors.
const (
	SourceClient   ErrorSource = "client"
	SourcePolicy   ErrorSource = "policy"
	SourceGateway  ErrorSource = "gateway"
	SourceUpstream ErrorSource = "upstream"
)

// StatusClientClosed is the status recorded for clients that left before the
// end of the answer.
const StatusClientClosed = 499

// Loss says that records were lost: how many, and of which time.
type Loss struct {
	// Records is how many; 0 where it cannot be told, as for a damaged file.
	Records int64 `json:"records"`
	// Bytes is how much was lost, as stored.
	Bytes int64 `json:"bytes,omitempty"`
	// From and To are the times at which the first and the last were written.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Reason is "full", "damaged" or "rejected".
	Reason string `json:"reason"`
}
