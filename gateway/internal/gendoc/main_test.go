package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
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

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	root := filepath.Join(reference, "..", "..")
	var files []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		files = append(files, found...)
	}
	require.NotEmpty(t, files)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			to := filepath.Join(filepath.Dir(f), m[1])
			require.True(t, exists(to), "%s: %s is not there", f, m[1])
			if m[2] != "" {
				require.Contains(t, headings(t, to), m[2], "%s: %s has no such heading", f, m[1])
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// headings returns the anchors of a page.
func headings(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var out []string
	for line := range strings.Lines(string(text)) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			out = append(out, "#"+strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "-"))
		}
	}
	return out
}
