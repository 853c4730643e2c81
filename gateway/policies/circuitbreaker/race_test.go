//go:build race

package circuitbreaker_test

// raceEnabled: the race detector makes pools forget at random, so that numbers
// of allocations mean nothing.
const raceEnabled = true
