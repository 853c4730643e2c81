//go:build !race

package compress_test

// racing says that the race detector watches, which costs time and memory.
const racing = false
