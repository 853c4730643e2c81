package imports

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	root     = "github.com/gatehouse/gatehouse/"
	services = root + "services/"
)

// owners are the services, by their folders.
var owners = []string{"tenant-manager", "gateway-manager", "policy-manager", "analysis-manager", "devportal-backend", "bff"}

// list returns what packages import themselves: one line each, the package and
// its imports.
func list(t *testing.T, format string, patterns ...string) [][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-f", format}, patterns...)...)
	cmd.Dir = filepath.Join("..", "..")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var lines [][]string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

func TestWhoMayImportWhom(t *testing.T) {
	t.Parallel()
	for _, line := range list(t, `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		name, ok := strings.CutPrefix(line[0], services)
		require.True(t, ok, line[0])
		own, _, _ := strings.Cut(name, "/")
		for _, i := range line[1:] {
			other, ok := strings.CutPrefix(i, services)
			other, _, _ = strings.Cut(other, "/")
			if slices.Contains(owners, own) && ok {
				require.Equal(t, own, other, "%s imports %s: a service knows of others what libs/contract says", line[0], i)
			}
			// The command itself, and what writes its reference, have all of it.
			whole := strings.HasPrefix(name, "cli/cmd/") || name == "cli/internal/gendoc"
			if own == "cli" && !whole && ok {
				require.Equal(t, own, other, "%s imports %s: the command line talks to the suite over HTTP alone", line[0], i)
			}
			if strings.HasPrefix(i, root+"gateway") {
				// The others set gateways up, or run one.
				require.Contains(t, []string{"policy-manager", "standalone", "install", "bench"}, own, "%s imports %s: of the services only policy-manager compiles policies", line[0], i)
			}
			if strings.HasPrefix(i, "github.com/labstack/echo") {
				require.Contains(t, name, "/internal/api", "%s imports Echo", line[0])
			}
			if strings.HasPrefix(i, "gorm.io/") {
				require.Regexp(t, "/internal/(sql)?store$", name, "%s imports gorm", line[0])
			}
		}
	}
}

// What a service does not need it does not link.
func TestServicesLinkWhatTheyNeed(t *testing.T) {
	t.Parallel()
	for _, s := range owners {
		for _, line := range list(t, `{{.ImportPath}} {{join .Deps " "}}`, "./"+s+"/cmd/"+s) {
			for _, d := range line[1:] {
				require.NotContains(t, d, "nats-server", "%s links the server of NATS", s)
				if s != "policy-manager" {
					require.False(t, strings.HasPrefix(d, root+"gateway"), "%s links %s", s, d)
				}
			}
		}
	}
}
