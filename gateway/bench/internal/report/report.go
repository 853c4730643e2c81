// Package report writes what was measured as aligned text and as Markdown. It
// does not know what the numbers mean.
package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Fact is one line about how the numbers came about.
type Fact struct{ Name, Value string }

// Table is a heading, rows of cells, and what must be said with them. The first
// column is text, the others are numbers and align to the right.
type Table struct {
	Title  string
	Header []string
	Rows   [][]string
	Notes  []string
}

// Document is a whole report.
type Document struct {
	Title  string
	Facts  []Fact
	Tables []Table
}

// Text writes the document for a terminal.
func (d *Document) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", d.Title)
	width := 0
	for _, f := range d.Facts {
		width = max(width, utf8.RuneCountInString(f.Name))
	}
	for _, f := range d.Facts {
		fmt.Fprintf(&b, "%s  %s\n", pad(f.Name, width, false), f.Value)
	}
	for _, t := range d.Tables {
		fmt.Fprintf(&b, "\n%s\n", t.Title)
		widths := t.widths(func(s string) int { return utf8.RuneCountInString(flat(s)) })
		for _, row := range append([][]string{t.Header}, t.Rows...) {
			var line strings.Builder
			for i, n := range widths {
				if i > 0 {
					line.WriteString("  ")
				}
				line.WriteString(pad(flat(cell(row, i)), n, i > 0))
			}
			b.WriteString("  " + strings.TrimRight(line.String(), " ") + "\n")
		}
		for _, n := range t.Notes {
			fmt.Fprintf(&b, "  * %s\n", n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown writes the document in GitHub's Markdown.
func (d *Document) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n", d.Title)
	for _, f := range d.Facts {
		fmt.Fprintf(&b, "* **%s**: %s\n", f.Name, f.Value)
	}
	for _, t := range d.Tables {
		fmt.Fprintf(&b, "\n### %s\n\n", t.Title)
		widths := t.widths(func(s string) int { return max(utf8.RuneCountInString(escape(s)), 3) })
		line := func(row []string) {
			for i, n := range widths {
				b.WriteString("| " + pad(escape(cell(row, i)), n, i > 0) + " ")
			}
			b.WriteString("|\n")
		}
		line(t.Header)
		for i, n := range widths {
			if i == 0 {
				b.WriteString("| " + strings.Repeat("-", n) + " ")
			} else {
				b.WriteString("| " + strings.Repeat("-", n-1) + ": ")
			}
		}
		b.WriteString("|\n")
		for _, row := range t.Rows {
			line(row)
		}
		if len(t.Notes) > 0 {
			b.WriteString("\n")
		}
		for _, n := range t.Notes {
			fmt.Fprintf(&b, "* %s\n", n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Table) widths(of func(string) int) []int {
	var widths []int
	for _, row := range append([][]string{t.Header}, t.Rows...) {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, of(""))
			}
			widths[i] = max(widths[i], of(c))
		}
	}
	return widths
}

// cell returns column i of a row, which may be shorter than the table is wide.
func cell(row []string, i int) string {
	if i < len(row) {
		return row[i]
	}
	return ""
}

func pad(s string, width int, right bool) string {
	fill := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
	if right {
		return fill + s
	}
	return s + fill
}

// flat keeps a cell on its line.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// escape keeps a cell of Markdown in its column.
func escape(s string) string { return strings.ReplaceAll(flat(s), "|", `\|`) }
