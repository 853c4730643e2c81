package licences_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatehouse/gatehouse/services/tenant-manager/internal/licences"
)

func TestEveryModuleHasALicence(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "noui", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}",
		"./cli/cmd/gatehouse", "github.com/gatehouse/gatehouse/gateway/cmd/gateway")
	cmd.Dir = filepath.Join("..", "..", "..")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	known := map[string]licences.Package{}
	for _, p := range licences.Find("", licences.Go) {
		known[p.Name+" "+p.Version] = p
	}
	for line := range strings.SplitSeq(string(out), "\n") {
		if line == "" || strings.HasPrefix(line, "github.com/gatehouse/gatehouse") {
			continue
		}
		p, ok := known[line]
		require.True(t, ok, "%s is not in the list of licences: run go generate ./tenant-manager/internal/licences", line)
		require.NotEmpty(t, p.Licence, line)
		require.NotEmpty(t, p.Texts, line)
		for _, d := range p.Texts {
			text, ok := licences.Text(d)
			require.True(t, ok)
			require.NotEmpty(t, text)
		}
	}
	npm := licences.Find("", licences.NPM)
	require.Greater(t, len(npm), 20)
	for _, p := range npm {
		require.NotEmpty(t, p.Licence, p.Name)
	}
	require.NotEmpty(t, licences.Find("vue-router", ""))
	require.NotEmpty(t, licences.Find("mit", licences.NPM))
	_, ok := licences.Text("0000000000000000")
	require.False(t, ok)
}
