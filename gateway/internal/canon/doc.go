// Package canon owns the one canonical form of what a client asks for: the
// path, the host, and the values of query parameters. What it returns is what
// routing, policies, logs and the upstream see, so that no two of them can read
// a request differently.
//
// It must not know of routes, APIs, policies or transports: what an API allows
// is decided elsewhere, from the [Flags].
package canon
