// Package limit is what the policies that limit callers have in common: by what
// a count is kept apart, where it is kept, the RateLimit header fields, and the
// sentence that says it in words. It is part of the plug-in contract; it knows
// nothing of how counting is done ([policy.Counters]) nor of the policies.
package limit

//go:generate go run github.com/gatehouse/gatehouse/libs/schema/cmd/schemadoc -var Docs
