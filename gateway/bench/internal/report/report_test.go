package report

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

func document() *Document {
	return &Document{
		Title: "Benchmark",
		Facts: []Fact{{"date", "2026-01-02"}, {"processor", "some model, 2 cores"}},
		Tables: []Table{
			{
				Title:  "Plain proxy, 1 kB",
				Header: []string{"peer", "µs/request", "requests/s", "vs nginx"},
				Rows: [][]string{
					{"gatehouse", "18.3", "51234", "1.07"},
					{"nginx", "17.1", "55012", "1.00"},
					{"a|b", "failed: wrong\nanswer"}, // shorter than the header
				},
				Notes: []string{"nginx: one worker."},
			},
			{Title: "Nothing", Header: []string{"peer", "µs"}},
		},
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*Document, *strings.Builder) error{
		"report.txt": func(d *Document, b *strings.Builder) error { return d.Text(b) },
		"report.md":  func(d *Document, b *strings.Builder) error { return d.Markdown(b) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			require.NoError(t, write(document(), &b))
			path := filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
		})
	}
}

func TestColumnsLineUp(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	require.NoError(t, document().Markdown(&b))
	widths := map[int]bool{}
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, "requests/s") || strings.HasPrefix(line, "| nginx") || strings.HasPrefix(line, "| gatehouse") {
			widths[len([]rune(line))] = true
		}
	}
	require.Len(t, widths, 1)
}
