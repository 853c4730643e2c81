// Command commonlist makes the embedded list of common passwords of the lists of
// two projects, whose licences are beside it.
//
//	go run ./commonlist common-passwords.txt.gz passwords.json > common.txt.gz
//
// The first is django/contrib/auth/common-passwords.txt.gz of the Python package
// Django, the second src/passwords.json of the npm package
// @zxcvbn-ts/language-common.
package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// shortest is the length in characters of the shortest entry: shorter ones would
// be found in passwords that have nothing to do with them.
const shortest = 4

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "commonlist:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("want two files, not %d", len(args))
	}
	lines, err := zipped(args[0])
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	var more []string
	if err := json.Unmarshal(raw, &more); err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	var all []string
	for _, p := range append(lines, more...) {
		p = strings.ToLower(strings.TrimSpace(p))
		if utf8.RuneCountInString(p) >= shortest && !strings.Contains(p, "\n") {
			all = append(all, p)
		}
	}
	slices.Sort(all)
	w, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, strings.Join(slices.Compact(all), "\n")); err != nil {
		return err
	}
	return w.Close()
}

func zipped(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return strings.Split(string(b), "\n"), nil
}
