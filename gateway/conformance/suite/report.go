package suite

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Report writes a line for each case, what differed below it, and the sum.
func Report(w io.Writer, results []Result) error {
	var b strings.Builder // writing to it cannot fail
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	passed := 0
	for _, r := range results {
		word := "pass"
		if r.Passed() {
			passed++
		} else {
			word = "FAIL"
		}
		_, _ = fmt.Fprintf(tw, "%s\t%s\t%s/%s\n", word, r.Case.Requirement, r.Case.File, r.Case.Name)
		for _, d := range r.Differences {
			_, _ = fmt.Fprintf(tw, "\t\t  %s\n", strings.ReplaceAll(d, "\n", "\\n"))
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s\n%d of %d cases passed\n", b.String(), passed, len(results))
	return err
}
