//go:build race

package trafficsplit

// raceEnabled: the race detector makes pools forget at random, so that numbers
// of allocations mean nothing.
const raceEnabled = true
