//go:build race

package testkit

// Race says that the test was built with the race detector, under which
// allocations and times say nothing.
const Race = true
