// Package upstream owns how a request gets an answer from a set of targets:
// resolving their names, choosing one, calling it within time limits, trying
// again where that is safe, and resting targets that fail until they work
// again. It must not know routes, policies, or how a connection speaks HTTP: a
// [transport.Client] does that.
//
// # Choosing a target
//
// Targets that are names stand for all their addresses, each an endpoint with
// its own client and condition; they share the target's weight. Endpoints are
// grouped by priority. The first group with enough healthy endpoints (the panic
// threshold, 50 % by default) serves. Where no group has enough, all endpoints
// of the one with the largest healthy share serve, or all endpoints of all
// groups where none is healthy ("panic"): a report that nearly everything is
// down is more often wrong than right. With a negative threshold there is no
// panic: any healthy endpoint is enough, then endpoints that only passive checks
// reject serve, and without those the answer is 503.
//
// # Names
//
// A name is resolved at the first request, which waits for it up to the connect
// time, and again when four fifths of its TTL (capped) are over, while requests
// use the old answer. Only where nobody asked in that time does a request wait,
// so that an address is never used beyond its TTL unless DNS fails: then the last
// good answer holds. Without traffic and probes nothing is resolved.
//
// # Retries
//
// Without configuration there is one further attempt where no connection was
// made, or where a kept connection turned out to be closed and nothing was sent
// or the method is idempotent. Further attempts prefer other targets. The budget
// is shared by all requests of an upstream. PerTry bounds both connecting and
// waiting for the header of each attempt; the body of the answer is not cut.
//
// # Errors
//
// Every error of [Upstream.Do] is a [problem.Problem]:
//
//   - no connection, or one that broke: 502 upstream-unavailable
//   - an answer that breaks HTTP: 502 upstream-invalid-response, or
//     upstream-response-too-large
//   - a time limit: 504 upstream-timeout
//   - no target that may be used, or no connection free within the connect time:
//     503 upstream-unavailable with Retry-After, since the upstream is only
//     busy or resting and the client may come back
//   - the client left: 499 client-closed-request
//   - the client's body could not be read: what the body's reader says where it
//     is a problem, else 400 bad-request
//
// Details name no address; the cause, for the log, does.
package upstream
