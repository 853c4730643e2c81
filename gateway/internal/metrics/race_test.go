//go:build race

package metrics_test

// raceEnabled: the race detector makes everything slow, so that times mean
// nothing.
const raceEnabled = true
