package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// engine answers as docker does, of containers that each use 10 MiB, and 20 MiB
// when measured a second time.
type engine struct {
	services []string
	measured int
	broken   string
}

func (e *engine) run(_ context.Context, args ...string) ([]byte, error) {
	var b strings.Builder
	switch args[0] {
	case "ps":
		for i := range e.services {
			fmt.Fprintf(&b, "c%d\n", i)
		}
	case "inspect":
		var list []string
		for i, s := range e.services {
			list = append(list, fmt.Sprintf(`{"Id":"c%d","Config":{"Labels":{"com.docker.compose.service":%q}},"HostConfig":{"Memory":134217728}}`, i, s))
		}
		b.WriteString("[" + strings.Join(list, ",") + "]")
	case "stats":
		e.measured++
		memory := fmt.Sprintf("%dMiB / 128MiB", 10*min(e.measured, 2))
		if e.broken != "" {
			memory = e.broken
		}
		for i := range e.services {
			fmt.Fprintf(&b, `{"ID":"c%d","CPUPerc":"%d.50%%","MemUsage":%q}`+"\n", i, e.measured, memory)
		}
	}
	return []byte(b.String()), nil
}

// all are the services of docker-compose.yml that go on running.
func all(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../../docker-compose.yml")
	require.NoError(t, err)
	var f struct {
		Services map[string]struct {
			MemLimit string `yaml:"mem_limit"`
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &f))
	out := map[string]string{}
	for name, s := range f.Services {
		if name != "install" {
			out[name] = s.MemLimit
		}
	}
	return out
}

func names(t *testing.T) []string {
	t.Helper()
	var out []string
	for name := range all(t) {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func TestTheTableHasWhatRunsBesideTheComparable(t *testing.T) {
	t.Parallel()
	e := &engine{services: names(t)}
	path := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(path, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o600))
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"-samples", "2", "-write", path}, &out, e.run))
	require.Contains(t, out.String(), "used")
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "before\n"+begin+`
| part | used | limit | CPU | comparable |
|---|--:|--:|--:|--:|
| analysis-manager | 20 | 128 | 2.0 % | 1,024 |
| bff, which also serves the consoles and the portal | 20 | 128 | 2.0 % | 512 + 512 + 64 |
| gateway-manager | 20 | 128 | 2.0 % | 768 |
| tenant-manager | 20 | 128 | 2.0 % | 768 |
| policy-manager | 20 | 128 | 2.0 % | 512 |
| devportal-backend | 20 | 128 | 2.0 % | 512 |
| MariaDB, primary and replica | 20 + 20 | 128 + 128 | 4.0 % | 512 + 256 |
| PostgreSQL | 20 | 128 | 2.0 % | 256 |
| NATS | 20 | 128 | 2.0 % |  |
| Redis, primary and replica | 20 + 20 | 128 + 128 | 4.0 % |  |
| **together: 12 containers, the comparable 11** | **240** | **1,536** | **24.0 %** | **5,696, 4 cores** |
| gateways, two | 20 + 20 | 128 + 128 | 4.0 % |  |
| ingress | 20 | 128 | 2.0 % |  |
| sample | 20 | 128 | 2.0 % |  |
| Prometheus | 20 | 128 | 2.0 % |  |
| Elasticsearch | 20 | 128 | 2.0 % |  |

`+end+"after\n", string(page))
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	t.Parallel()
	measured := func(broken string, services ...string) error {
		e := &engine{services: services, broken: broken}
		return run(t.Context(), nil, &strings.Builder{}, e.run)
	}
	full := names(t)
	require.ErrorContains(t, measured(""), "docker compose up --wait")
	require.ErrorContains(t, measured("", slices.DeleteFunc(slices.Clone(full), func(s string) bool { return s == "nats" })...), "no measurement of nats")
	require.ErrorContains(t, measured("", append(full, "cache")...), "cache is in no line")
	for _, broken := range []string{"10MiB", "-- / --", "10 / 128MiB", "-1MiB / 128MiB"} {
		require.ErrorContains(t, measured(broken, full...), "docker stats says of memory")
	}
	_, err := put("a page without marks", "")
	require.ErrorContains(t, err, "no place for the table")
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"1.5GiB": 1536, "11.25MiB": 11.25, "512KiB": 0.5, "0B": 0, "1048576B": 1} {
		got, err := size(text)
		require.NoError(t, err)
		require.InDelta(t, want, got, 0.001, text)
	}
}

// The limits of the page are those of docker-compose.yml, so that whoever changes
// one measures again.
func TestThePageHasTheLimitsOfToday(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/guide/installing.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	measured, _, ok := strings.Cut(rest, end)
	require.True(t, ok)
	limits := all(t)
	for _, p := range plane {
		var want []string
		for _, s := range p.services {
			want = append(want, strings.TrimSuffix(limits[s], "m"))
		}
		found := false
		for line := range strings.Lines(measured) {
			if cells := strings.Split(line, " | "); strings.TrimPrefix(cells[0], "| ") == p.name {
				found = true
				require.Equal(t, strings.Join(want, " + "), cells[2], "%s: measure again", p.name)
			}
		}
		require.True(t, found, "%s is not on the page: measure again", p.name)
	}
}
