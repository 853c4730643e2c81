package roster

import (
	"io"
	"strings"

	"github.com/gatehouse/gatehouse/libs/sheet"
)

// NewWriter returns a writer of a file that people open, which begins with
// [sheet.Mark]; [Read] leaves it out. Errors show when it is flushed.
func NewWriter(w io.Writer) *sheet.Writer {
	_, _ = io.WriteString(w, sheet.Mark) // where that fails, so does what follows
	return sheet.NewWriter(w)
}

// Safe returns a value as no spreadsheet takes it for a formula.
func Safe(value string) string { return sheet.Safe(value) }

// List returns several values as one, each once, as [Read] takes them apart.
func List(values []string) string {
	var out []string
	seen := map[string]bool{}
	for _, v := range values {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return strings.Join(out, "|")
}
