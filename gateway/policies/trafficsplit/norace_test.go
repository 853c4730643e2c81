//go:build !race

package trafficsplit

const raceEnabled = false
