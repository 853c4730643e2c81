package router

import "strings"

// The bounds of what can be compiled.
const (
	// MaxParams is the largest number of path parameters of an operation.
	MaxParams = 16
	// MaxBaseDepth is the largest number of segments of a base path.
	MaxBaseDepth = 16
	// MaxOperations is the largest number of operations of an API.
	MaxOperations = 10_000
	// MaxTemplate is the largest length of a path template, in octets.
	MaxTemplate = 2048
	// MaxConditions is the largest number of conditions of an API.
	MaxConditions = 16
)

// API is one API as far as routing is concerned.
type API struct {
	// ID is the same over all revisions of the API.
	ID string
	// Hosts are exact names, or wildcards such as *.example.com that stand for
	// one or more labels before the rest. None = any host.
	Hosts []string
	// BasePath begins with a slash. "/" = all paths. It owns whole segments:
	// /orders owns /orders and /orders/1, and not /ordersx.
	BasePath string
	// Conditions, which all have to hold, choose between APIs with the same
	// host and base path.
	Conditions []Condition
	// Operations, where given, are the only ones that exist. None = any method
	// and any path below the base path.
	Operations []Operation

	// AllowEncodedSlash lets %2F through. It stays encoded and never separates
	// segments.
	AllowEncodedSlash bool
	// AllowEncodedBackslash lets %5C through.
	AllowEncodedBackslash bool
	// AllowEncodedPercent lets %25 through.
	AllowEncodedPercent bool
	// AllowPathParameters lets ";" through, as a part of its segment.
	AllowPathParameters bool
	// AllowEmptySegments lets "//" through as it is.
	AllowEmptySegments bool
	// MergeSlashes makes one slash of several, before operations are matched
	// and for the upstream.
	MergeSlashes bool
	// IgnoreTrailingSlash makes /items and /items/ the same to operations. The
	// upstream gets what the client sent.
	IgnoreTrailingSlash bool

	// Value is the caller's own and is not looked at.
	Value any
}

// Operation is one method and path template of an API.
type Operation struct {
	// ID names the operation in errors and explanations.
	ID string
	// Method is case-sensitive (RFC 9110 section 9.1). "" and "*" = any.
	Method string
	// Path is a template below the base path. A segment is a literal, a
	// parameter {name}, or one parameter with literal text around it, such as
	// {id}.json. The last may be {name...} or *, which take the rest of the
	// path, slashes included.
	Path string
}

// Condition holds when a header field or a query parameter is as said.
type Condition struct {
	// Header or Query names what to look at; exactly one of them.
	Header, Query string
	// Equals or Matches (RE2, anchored at both ends) say what it must be;
	// neither = it must be present. A field or parameter that occurs more than
	// once never equals or matches anything: which one counts would be a guess.
	Equals, Matches string
}

// Error is one thing that is wrong with an API.
type Error struct {
	// Pointer is the place in the API, as in a unit: "/operations/3/path".
	Pointer string
	// Detail says what is wrong and how to put it right.
	Detail string
}

// Error returns place and detail.
func (e Error) Error() string { return e.Pointer + ": " + e.Detail }

// Errors is all that is wrong with an API, in the order of its fields.
type Errors []Error

// Error returns all details, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}
