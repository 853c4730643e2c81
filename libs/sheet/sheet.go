// Package sheet writes tables for spreadsheets.
package sheet

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"
)

// Mark is a byte order mark. Without it Excel reads UTF-8 as the code page of its
// machine, and every umlaut and every Korean letter is lost. Files that people open
// begin with it; what programs read does not.
const Mark = "\ufeff"

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

// formula are the signs that begin one (OWASP, CSV injection), in full width too, as
// they are typed where Korean, Chinese or Japanese is.
const formula = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"

// Safe returns a value as no spreadsheet takes it for a formula.
func Safe(value string) string {
	if first, _ := utf8.DecodeRuneInString(value); value != "" && strings.ContainsRune(formula, first) {
		return "'" + value
	}
	return value
}
