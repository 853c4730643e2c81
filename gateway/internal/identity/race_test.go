//go:build race

package identity_test

// raced says that the race detector's own memory would be measured too.
const raced = true
