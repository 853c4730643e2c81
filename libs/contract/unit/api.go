package unit

// API is the unit of one deployed API.
type API struct {
	// ID is stable over all revisions; Name is for people.
	ID           string `json:"id"`
	Name         string `json:"name"`
	Version      string `json:"version,omitempty"`
	Organization string `json:"organization,omitempty"`
	Project      string `json:"project,omitempty"`
	Environment  string `json:"environment,omitempty"`
	Revision     uint64 `json:"revision,omitempty"`

	// Hosts are exact names or wildcards such as *.example.com; none = any host.
	Hosts []string `json:"hosts,omitempty"`
	// BasePath begins with a slash and has none at its end, except "/" itself.
	BasePath string `json:"basePath"`
	// StripPath removes the base path before the request is sent on.
	StripPath bool `json:"stripPath,omitempty"`
	// Conditions choose between APIs with the same hosts and base path.
	Conditions []Condition `json:"conditions,omitempty"`
	// Paths loosens how strictly paths are taken.
	Paths Paths `json:"paths,omitzero"`
	// Operations, where given, are the only ones that exist; none = any method
	// and path below the base path.
	Operations []Operation `json:"operations,omitempty"`
	// Document is the OpenAPI document, as JSON, for the policies that need it.
	Document Raw `json:"document,omitempty"`

	// Upstreams: the first is the default.
	Upstreams []Upstream `json:"upstreams,omitempty"`
	// Policies are those of the API.
	Policies []Policy `json:"policies,omitempty"`
	// Plans are tried in this order.
	Plans []Plan `json:"plans,omitempty"`
}

// Condition holds when a header or query parameter is as said.
type Condition struct {
	// Header names the header field to look at; either this or query.
	Header string `json:"header,omitempty"`
	// Query names the query parameter to look at; either this or header.
	Query string `json:"query,omitempty"`
	// Equals is the value it must have. Without equals and matches it must be
	// present.
	Equals string `json:"equals,omitempty"`
	// Matches is what the whole value must match (RE2).
	Matches string `json:"matches,omitempty"`
}

// Paths loosens how strictly paths are taken. Each is a decision about the
// upstream: it must read such paths exactly as the gateway does.
type Paths struct {
	// AllowEncodedSlash lets %2F through, which stays encoded and never separates
	// segments.
	AllowEncodedSlash bool `json:"allowEncodedSlash,omitempty"`
	// AllowEncodedBackslash lets %5C through, which stays encoded.
	AllowEncodedBackslash bool `json:"allowEncodedBackslash,omitempty"`
	// AllowEncodedPercent lets %25 through, which stays encoded.
	AllowEncodedPercent bool `json:"allowEncodedPercent,omitempty"`
	// AllowParameters lets ";" through, as a part of its segment.
	AllowParameters bool `json:"allowParameters,omitempty"`
	// AllowEmptySegments lets "//" through as it is. Without this and mergeSlashes
	// such paths are refused.
	AllowEmptySegments bool `json:"allowEmptySegments,omitempty"`
	// MergeSlashes makes one slash of "//", for matching and for the upstream.
	MergeSlashes bool `json:"mergeSlashes,omitempty"`
	// IgnoreTrailingSlash makes /items and /items/ the same to operations.
	IgnoreTrailingSlash bool `json:"ignoreTrailingSlash,omitempty"`
}

// Operation is one method and path template.
type Operation struct {
	// ID is the operationId, or made from method and path.
	ID string `json:"id"`
	// Method is upper case; "*" = any.
	Method string `json:"method"`
	// Path is a template below the base path, such as /items/{id}; a last
	// segment {name...} takes the rest.
	Path string `json:"path"`
	// Upstream names one of the API's upstreams; "" = the first.
	Upstream string   `json:"upstream,omitempty"`
	Policies []Policy `json:"policies,omitempty"`
}

// Policy is one configured use of a policy type.
type Policy struct {
	// Type is the policy type.
	Type string `json:"type"`
	// Name tells several of a type apart and is stable over changes; "" = the
	// type and the place in the list.
	Name string `json:"name,omitempty"`
	// When is a CEL expression; the policy is passed over where it is false.
	When string `json:"when,omitempty"`
	// Config is the configuration, in the form that the type declares.
	Config Raw `json:"config,omitempty"`
	// Set names a policy set to put here instead; then Type is empty.
	Set string `json:"set,omitempty"`
}

// Plan is how an API may be consumed.
type Plan struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Security is the policy that establishes the caller; nil = keyless.
	Security *Policy `json:"security,omitempty"`
	// When is a CEL expression over the request and the caller that must hold
	// for the plan to be chosen.
	When string `json:"when,omitempty"`
	// Policies apply to the plan's callers.
	Policies []Policy `json:"policies,omitempty"`
}

// PolicySet is a list of policies for reuse.
type PolicySet struct {
	Name     string   `json:"name"`
	Version  uint64   `json:"version,omitempty"`
	Policies []Policy `json:"policies"`
}

// Settings is what all APIs of a gateway group share.
type Settings struct {
	// Platform and Projects are the policies of the two widest levels.
	Platform []Policy            `json:"platform,omitempty"`
	Projects map[string][]Policy `json:"projects,omitempty"`
}

// Certificate is a TLS certificate for a listener.
type Certificate struct {
	Name string `json:"name"`
	// Chain is PEM, leaf first. Key is PEM, or encrypted for the group.
	Chain string `json:"chain"`
	Key   string `json:"key"`
	// Hosts are the names it is for; none = those in the certificate.
	Hosts []string `json:"hosts,omitempty"`
}
