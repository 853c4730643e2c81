package problem

import (
	"cmp"
	"slices"
)

// Code names a problem type. Codes are stable: programs compare them, the
// documentation has a page for each, and none is ever used again for another
// meaning.
type Code string

// The codes. Who answers with it, and the status, stand in the catalogue below.
const (
	CodeInternal     Code = "internal"
	CodeInvalidInput Code = "invalid-input"

	CodeBadRequest           Code = "bad-request"
	CodeBadPath              Code = "bad-path"
	CodeNotFound             Code = "not-found"
	CodeMethodNotAllowed     Code = "method-not-allowed"
	CodeRequestTimeout       Code = "request-timeout"
	CodeHeaderTooLarge       Code = "header-too-large"
	CodeURITooLong           Code = "uri-too-long"
	CodeBodyTooLarge         Code = "body-too-large"
	CodeLengthRequired       Code = "length-required"
	CodeExpectationFailed    Code = "expectation-failed"
	CodeUnsupportedMediaType Code = "unsupported-media-type"
	CodeMisdirected          Code = "misdirected-request"
	CodeTooManyConnections   Code = "too-many-connections"
	CodeAPINotDeployed       Code = "api-not-deployed"
	CodeNotReady             Code = "not-ready"
	CodeLoopDetected         Code = "loop-detected"

	CodeCredentialMissing   Code = "credential-missing"
	CodeCredentialInvalid   Code = "credential-invalid"
	CodeCredentialExpired   Code = "credential-expired"
	CodeSubscriptionMissing Code = "subscription-missing"
	CodeAccessDenied        Code = "access-denied"
	CodeScopeMissing        Code = "scope-missing"
	CodeAddressDenied       Code = "address-denied"
	// CodeConfirmationRequired is for what needs a fresh proof of who somebody is.
	CodeConfirmationRequired Code = "confirmation-required"

	CodeRateLimited        Code = "rate-limit-exceeded"
	CodeQuotaExceeded      Code = "quota-exceeded"
	CodeSpikeArrested      Code = "spike-arrested"
	CodeConcurrencyLimited Code = "concurrency-limit-exceeded"
	CodeThreatDetected     Code = "threat-detected"
	CodeValidationFailed   Code = "request-validation-failed"
	CodeResponseInvalid    Code = "response-validation-failed"
	CodeMaintenance        Code = "maintenance"
	CodeFaultInjected      Code = "fault-injected"
	CodeCircuitOpen        Code = "circuit-open"
	CodeDependencyDown     Code = "dependency-unavailable"
	CodePolicyFailed       Code = "policy-failed"
	CodeGone               Code = "gone"
	CodeNotAcceptable      Code = "not-acceptable"

	CodePreconditionFailed   Code = "precondition-failed"
	CodeConflict             Code = "conflict"
	CodeIdempotencyKeyReused Code = "idempotency-key-reused"
	// CodeOrganizationFull is for what an organization has as many of as it may.
	CodeOrganizationFull Code = "organization-full"
	// CodeKeyMissing is for what was encrypted with a key that the service has not.
	CodeKeyMissing Code = "encryption-key-missing"

	CodeUpstreamUnavailable Code = "upstream-unavailable"
	CodeUpstreamInvalid     Code = "upstream-invalid-response"
	CodeUpstreamTimeout     Code = "upstream-timeout"
	CodeUpstreamTooLarge    Code = "upstream-response-too-large"
	CodeClientClosed        Code = "client-closed-request"
)

type kind struct {
	status int
	title  string
}

// kinds is the catalogue: one line a code.
var kinds = map[Code]kind{
	CodeInternal:     {500, "Internal error"},
	CodeInvalidInput: {422, "Invalid input"},

	CodeBadRequest:           {400, "Malformed request"},
	CodeBadPath:              {400, "Ambiguous or invalid path"},
	CodeNotFound:             {404, "No API at this address"},
	CodeMethodNotAllowed:     {405, "Method not allowed"},
	CodeRequestTimeout:       {408, "Request took too long to arrive"},
	CodeHeaderTooLarge:       {431, "Request header too large"},
	CodeURITooLong:           {414, "Request address too long"},
	CodeBodyTooLarge:         {413, "Request body too large"},
	CodeLengthRequired:       {411, "Content-Length required"},
	CodeExpectationFailed:    {417, "Expectation cannot be met"},
	CodeUnsupportedMediaType: {415, "Unsupported media type"},
	CodeMisdirected:          {421, "Misdirected request"},
	CodeTooManyConnections:   {503, "Too many connections"},
	CodeAPINotDeployed:       {503, "API could not be loaded"},
	CodeNotReady:             {503, "Gateway is not ready"},
	CodeLoopDetected:         {508, "Request loop detected"},

	CodeCredentialMissing:    {401, "Credential missing"},
	CodeCredentialInvalid:    {401, "Credential not accepted"},
	CodeCredentialExpired:    {401, "Credential expired"},
	CodeSubscriptionMissing:  {403, "No subscription"},
	CodeAccessDenied:         {403, "Access denied"},
	CodeScopeMissing:         {403, "Scope missing"},
	CodeAddressDenied:        {403, "Address denied"},
	CodeConfirmationRequired: {403, "Confirm that it is you"},

	CodeRateLimited:        {429, "Rate limit exceeded"},
	CodeQuotaExceeded:      {429, "Quota exceeded"},
	CodeSpikeArrested:      {429, "Too many requests at once"},
	CodeConcurrencyLimited: {429, "Too many concurrent requests"},
	CodeThreatDetected:     {400, "Request refused as unsafe"},
	CodeValidationFailed:   {400, "Request does not match the API's document"},
	CodeResponseInvalid:    {502, "Response does not match the API's document"},
	CodeMaintenance:        {503, "Under maintenance"},
	CodeFaultInjected:      {503, "Injected fault"},
	CodeCircuitOpen:        {503, "Upstream is resting after failures"},
	CodeDependencyDown:     {503, "A service the gateway depends on is unavailable"},
	CodePolicyFailed:       {500, "Policy failed"},
	CodeGone:               {410, "Gone"},
	CodeNotAcceptable:      {406, "Not acceptable"},

	CodePreconditionFailed:   {412, "Changed by somebody else in the meantime"},
	CodeConflict:             {409, "Conflicts with the present state"},
	CodeIdempotencyKeyReused: {422, "Idempotency-Key already used for another request"},
	CodeKeyMissing:           {500, "An encryption key is missing"},
	CodeOrganizationFull:     {409, "The organization may not have more of these"},

	CodeUpstreamUnavailable: {502, "Upstream unavailable"},
	CodeUpstreamInvalid:     {502, "Invalid response from upstream"},
	CodeUpstreamTimeout:     {504, "Upstream took too long"},
	CodeUpstreamTooLarge:    {502, "Upstream response too large"},
	CodeClientClosed:        {499, "Client closed the request"},
}

// Entry is one row of the catalogue of problem types.
type Entry struct {
	Code   Code
	Status int
	Title  string
}

// Catalogue returns every problem type, ordered by code.
func Catalogue() []Entry {
	es := make([]Entry, 0, len(kinds))
	for c, k := range kinds {
		es = append(es, Entry{Code: c, Status: k.status, Title: k.title})
	}
	slices.SortFunc(es, func(a, b Entry) int { return cmp.Compare(a.Code, b.Code) })
	return es
}
