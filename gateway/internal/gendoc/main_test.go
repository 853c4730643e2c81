package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/gateway/policies"
)

const reference = "../../../docs/reference"

var update = flag.Bool("update", false, "write the pages")

func TestPagesAreFresh(t *testing.T) {
	t.Parallel()
	if *update {
		require.NoError(t, write(reference))
	}
	want, err := pages()
	require.NoError(t, err)
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(reference, name))
		require.NoError(t, err, "run make generate")
		require.Equal(t, text, string(got), "%s is stale: run make generate", name)
	}
	found, err := filepath.Glob(filepath.Join(reference, policyDir, "*.md"))
	require.NoError(t, err)
	require.Len(t, found, len(policies.All()), "there are pages of policy types that do not exist: run make generate")
}

func TestPagesOfPoliciesThatAreGoneAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gone := filepath.Join(dir, policyDir, "gone.md")
	require.NoError(t, os.MkdirAll(filepath.Dir(gone), 0o755))
	require.NoError(t, os.WriteFile(gone, nil, 0o600))
	require.NoError(t, write(dir))
	require.NoFileExists(t, gone)
	require.FileExists(t, filepath.Join(dir, policyDir, "api-key.md"))
}

// What a page shows must be accepted as it stands.
func TestExamplesOfPoliciesAreAccepted(t *testing.T) {
	t.Parallel()
	for _, d := range policies.All() {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			require.NotEmpty(t, d.Title)
			require.True(t, strings.HasSuffix(d.Doc, "."), "the text ends in a full stop")
			require.NotEmpty(t, d.Example)
			var list []map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(example(d)), &list))
			raw, err := json.Marshal(list[0][d.Name])
			require.NoError(t, err)
			require.Empty(t, d.Check(raw))
		})
	}
}

func TestEveryKeyOfTheFileIsDescribed(t *testing.T) {
	t.Parallel()
	page, err := configuration()
	require.NoError(t, err)
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| `") {
			cells := strings.Split(strings.TrimSpace(line), " | ")
			require.NotEqual(t, "|", strings.TrimSpace(cells[len(cells)-1]), line)
			require.NotRegexp(t, `\|\s*\|$`, strings.TrimSpace(line), "give the field a comment")
		}
	}
}
