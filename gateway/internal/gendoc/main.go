// Command gendoc writes the pages of docs/reference that follow from code: the
// configuration file, every policy type, the problem codes and the variables of
// expressions. It owns their layout and none of their texts, which are the doc
// comments and definitions of the code itself.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run . -out ../../../docs/reference

func main() {
	out := flag.String("out", ".", "directory to write to")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "gendoc:", err)
		os.Exit(1)
	}
}

// write replaces the pages in dir. A page of a policy type that is gone goes too.
func write(dir string) error {
	pages, err := pages()
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, policyDir, "*.md"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if _, ok := pages[filepath.Join(policyDir, filepath.Base(path))]; !ok {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("removing a page: %w", err)
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, policyDir), 0o755); err != nil {
		return fmt.Errorf("writing pages: %w", err)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil { //nolint:gosec // pages for everybody
			return fmt.Errorf("writing pages: %w", err)
		}
	}
	return nil
}
