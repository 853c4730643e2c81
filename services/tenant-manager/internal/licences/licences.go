// Package licences knows what Gatehouse is made of besides its own code: the Go
// modules in its binary and the npm packages in its browser apps, with the texts of
// their licences. The command collect writes them down.
package licences

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"io"
	"strings"
	"sync"
)

//go:generate go run ./collect

//go:embed licences.json.gz
var packed []byte

// The kinds of packages.
const (
	Go  = "go"
	NPM = "npm"
)

// Package is a module or package.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Kind is [Go] or [NPM].
	Kind string `json:"kind"`
	// Licence is its identifier by SPDX, or several.
	Licence string `json:"licence"`
	// Texts are the digests of its texts: licence and notices.
	Texts []string `json:"texts"`
}

// Collection is what is written down.
type Collection struct {
	// Packages are ordered by name.
	Packages []Package `json:"packages"`
	// Texts are licences by the first 16 hexadecimal digits of their SHA-256.
	Texts map[string]string `json:"texts"`
}

var read = sync.OnceValue(func() Collection {
	var c Collection
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return c
	}
	b, err := io.ReadAll(z)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil { // it is part of the program, and a test reads it
		return Collection{}
	}
	return c
})

// Find returns the packages whose name or licence has a text in it, of a kind; "" =
// any.
func Find(text, kind string) []Package {
	text = strings.ToLower(text)
	var out []Package
	for _, p := range read().Packages {
		if (kind == "" || p.Kind == kind) && (strings.Contains(strings.ToLower(p.Name), text) || strings.Contains(strings.ToLower(p.Licence), text)) {
			out = append(out, p)
		}
	}
	return out
}

// Text returns a licence by its digest.
func Text(digest string) (string, bool) {
	t, ok := read().Texts[digest]
	return t, ok
}
