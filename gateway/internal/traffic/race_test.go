//go:build race

package traffic

// raceEnabled: the race detector makes pools forget, so that allocations cannot
// be counted.
const raceEnabled = true
