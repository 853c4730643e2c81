package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestThePageIsThatOfTheServices(t *testing.T) {
	t.Parallel()
	want, err := page()
	require.NoError(t, err)
	got, err := os.ReadFile("../../../../docs/reference/services.md")
	require.NoError(t, err)
	require.Equal(t, want, string(got), "make generate writes it anew")
}

// Every key says what it is, and no default is that of the machine that wrote the
// page.
func TestEveryKeyIsDescribed(t *testing.T) {
	t.Parallel()
	text, err := page()
	require.NoError(t, err)
	empty := regexp.MustCompile(`\|\s*\|$`)
	host, err := os.Hostname()
	require.NoError(t, err)
	keys := 0
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		keys++
		require.NotRegexp(t, empty, strings.TrimSpace(line), "give the field a comment")
		require.NotContains(t, line, "`\""+host+"\"`")
	}
	require.Greater(t, keys, 150)
	for _, s := range []string{"tenant-manager", "gateway-manager", "policy-manager", "analysis-manager", "devportal-backend", "bff"} {
		require.Contains(t, text, "\n## "+s+"\n")
	}
}
