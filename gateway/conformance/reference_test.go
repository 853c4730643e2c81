package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/gateway/conformance/suite"
)

// The table in the documentation counts the cases.
func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	cases, err := suite.Load(caseFiles, "cases/*.yaml")
	require.NoError(t, err)
	counts, demands := map[string]int{}, map[string]map[string]bool{}
	for _, c := range cases {
		counts[c.File]++
		if demands[c.File] == nil {
			demands[c.File] = map[string]bool{}
		}
		demands[c.File][c.Requirement] = true
	}
	var b strings.Builder
	b.WriteString("| file | cases | demanded by |\n|---|---|---|\n")
	for _, file := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "| `%s.yaml` | %d | %s |\n", file, counts[file], strings.Join(slices.Sorted(maps.Keys(demands[file])), ", "))
	}
	fmt.Fprintf(&b, "| together | %d | |\n", len(cases))

	const path, begin, end = "../../docs/reference/conformance.md", "do not edit it. -->\n\n", "\n## A case\n"
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(have), begin)
	require.True(t, ok)
	_, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := head + begin + b.String() + end + tail
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(have), "run go test ./conformance -update")
}
