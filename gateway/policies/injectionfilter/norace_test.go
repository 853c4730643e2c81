//go:build !race

package injectionfilter

const raceEnabled = false
