package roster

import (
	"encoding/csv"
	"io"
	"strings"
)

// Writer writes a table as comma-separated values (RFC 4180). A value that a
// spreadsheet would take for a formula gets an apostrophe in front.
type Writer struct {
	csv *csv.Writer
}

// NewWriter returns a writer that begins at once. Errors show when it is flushed.
func NewWriter(w io.Writer) *Writer {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	return &Writer{c}
}

// Row writes a line.
func (w *Writer) Row(cells ...string) {
	for i, c := range cells {
		cells[i] = Safe(c)
	}
	_ = w.csv.Write(cells) // it shows when it is flushed
}

// Flush writes what is not written yet.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}

// Safe returns a value as no spreadsheet takes it for a formula.
func Safe(value string) string {
	if value != "" && strings.ContainsRune("=+-@\t\r\n", rune(value[0])) {
		return "'" + value
	}
	return value
}

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
