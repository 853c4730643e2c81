package password

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
)

// commonList is what commonlist made: the passwords that are used most, in lower
// case, sorted, one a line.
//
//go:embed common.txt.gz
var commonList []byte

// commons returns the list. It is made when it is first needed, for most processes
// never need it.
var commons = sync.OnceValue(func() []string {
	z, err := gzip.NewReader(bytes.NewReader(commonList))
	if err != nil {
		panic("the embedded list of common passwords: " + err.Error()) // cannot happen: a test reads it
	}
	b, err := io.ReadAll(z)
	if err != nil {
		panic("the embedded list of common passwords: " + err.Error())
	}
	return strings.Split(string(b), "\n")
})

// common reports whether a password, in lower case, is one of those that are used
// most.
func common(s string) bool {
	_, found := slices.BinarySearch(commons(), s)
	return found
}
