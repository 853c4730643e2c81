package install_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// container is what docker-compose.yml says of one, as far as it is checked.
type container struct {
	Image string
	Build *struct {
		Context, Dockerfile, Target string
	}
	User        string
	Restart     string
	Privileged  bool
	ReadOnly    bool              `yaml:"read_only"`
	CapAdd      []string          `yaml:"cap_add"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	MemLimit    string            `yaml:"mem_limit"`
	NetworkMode string            `yaml:"network_mode"`
	Environment map[string]string `yaml:"environment"`
	Command     []string          `yaml:"command"`
	Entrypoint  []string          `yaml:"entrypoint"`
	Ports       []string          `yaml:"ports"`
	Volumes     []yaml.Node       `yaml:"volumes"`
	Tmpfs       []string          `yaml:"tmpfs"`
	Healthcheck *struct {
		Test []string
	} `yaml:"healthcheck"`
	DependsOn map[string]struct{ Condition string } `yaml:"depends_on"`
}

// file is docker-compose.yml.
type file struct {
	Services map[string]container
}

// image is one stage of the Dockerfile.
type image struct {
	base, user string
	entrypoint string
}

// What may be left out, and why.
var (
	noHealth = map[string]string{
		"install": "it ends, and the others wait until it has succeeded",
	}
	root = map[string]string{
		"install":         "it gives each secret to the user that may read it",
		"postgres":        "its image gives the data folder to its user and becomes that user",
		"mariadb":         "as postgres",
		"mariadb-replica": "as postgres",
	}
	capabilities = map[string][]string{
		"install":         {"CHOWN"},
		"postgres":        {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"},
		"mariadb":         {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"},
		"mariadb-replica": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"},
	}
	// What is reached from outside of the machine that runs it.
	published = map[string]string{
		"ingress": "it is what people and callers come to",
	}
)

// ours are the containers with a binary of ours, and the stage of the Dockerfile
// that each comes from.
var ours = map[string]string{
	"install": "gatehouse", "sample": "gatehouse",
	"tenant-manager": "tenant-manager", "gateway-manager": "gateway-manager", "policy-manager": "policy-manager",
	"analysis-manager": "analysis-manager", "devportal-backend": "devportal-backend", "bff": "bff",
	"gateway-1": "gateway", "gateway-2": "gateway",
}

const top = "../.."

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(top, name))
	require.NoError(t, err)
	return string(b)
}

// mistakes says what a compose file lets a container do that none may.
func mistakes(f file) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f.Services)) {
		c := f.Services[name]
		must := func(holds bool, format string, args ...any) {
			if !holds {
				out = append(out, name+": "+fmt.Sprintf(format, args...))
			}
		}
		must(noHealth[name] != "" || c.Healthcheck != nil && len(c.Healthcheck.Test) > 1 && c.Healthcheck.Test[0] != "NONE", "no health check")
		must(c.MemLimit != "", "no mem_limit")
		must(c.ReadOnly, "no read_only")
		must(slices.Equal(c.CapDrop, []string{"ALL"}), "no cap_drop of all")
		must(slices.Equal(c.CapAdd, capabilities[name]), "cap_add is %v, not %v", c.CapAdd, capabilities[name])
		must(slices.Contains(c.SecurityOpt, "no-new-privileges:true"), "no no-new-privileges")
		must(!c.Privileged && c.NetworkMode == "", "privileged, or in the network of the machine")
		must(c.Restart == "unless-stopped" || noHealth[name] != "", "it does not come back")
		// Our own images say whose they are, which is tested apart.
		user, _, _ := strings.Cut(c.User, ":")
		must(root[name] != "" || ours[name] != "" && user == "" || user != "" && user != "0" && user != "root", "no user of its own: it is root")
		must(name == "install" || c.DependsOn["install"].Condition == "service_completed_successfully" || name == "ingress", "it does not wait for install")
		for _, p := range c.Ports {
			must(published[name] != "" || strings.HasPrefix(p, "127.0.0.1:"), "port %s is open to the network", p)
		}
		for _, v := range c.Volumes {
			must(!strings.Contains(v.Value, "docker.sock"), "it has the socket of Docker")
		}
		out = append(out, credentials(name, c)...)
	}
	return out
}

var (
	secretName = regexp.MustCompile(`(?i)(passw|secret|token|credential|api_?key|pepper|keyring|private|dsn)`)
	secretArg  = regexp.MustCompile(`(?i)(passw(or)?d|requirepass|token|secret)[= ]+[^ =$]|[a-z]://[^/ ]*:[^/ ]*@`)
	fromFile   = regexp.MustCompile(`\$\$\(cat /install/[a-z-]+\)`)
)

// credentials says which credentials stand in the file itself.
func credentials(name string, c container) []string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(c.Environment)) {
		v := c.Environment[k]
		if secretName.MatchString(k) && !strings.HasPrefix(v, "file:") && !strings.HasPrefix(v, "/") || strings.Contains(v, "@") && strings.Contains(v, "://") {
			out = append(out, name+": a credential in "+k)
		}
	}
	words := slices.Concat(c.Command, c.Entrypoint)
	if c.Healthcheck != nil {
		words = append(words, c.Healthcheck.Test...)
	}
	for _, w := range words {
		if rest := fromFile.ReplaceAllString(w, "$$"); secretArg.MatchString(rest) {
			out = append(out, name+": a credential in "+w)
		}
	}
	return out
}

func parse(t *testing.T, text string) file {
	t.Helper()
	var f file
	require.NoError(t, yaml.Unmarshal([]byte(text), &f))
	return f
}

func TestEveryContainerIsContained(t *testing.T) {
	t.Parallel()
	f := parse(t, readFile(t, "docker-compose.yml"))
	require.Empty(t, mistakes(f))
	for _, exceptions := range []map[string]string{noHealth, root, published} {
		for name := range exceptions {
			require.Contains(t, f.Services, name, "an exception for a container that is not there")
		}
	}
}

// The check above would find what a new container lacks.
func TestAContainerThatIsNotContainedIsFound(t *testing.T) {
	t.Parallel()
	bare := parse(t, `
services:
  cache:
    image: memcached:1
    environment: {CACHE_PASSWORD: hunter2, CACHE_URL: "redis://me:hunter2@redis"}
    command: [memcached, --password=hunter2]
    cap_add: [SYS_ADMIN]
    privileged: true
    ports: ["11211:11211"]
    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]
`)
	require.Equal(t, []string{
		"cache: no health check", "cache: no mem_limit", "cache: no read_only", "cache: no cap_drop of all",
		"cache: cap_add is [SYS_ADMIN], not []", "cache: no no-new-privileges", "cache: privileged, or in the network of the machine",
		"cache: it does not come back", "cache: no user of its own: it is root", "cache: it does not wait for install",
		"cache: port 11211:11211 is open to the network", "cache: it has the socket of Docker",
		"cache: a credential in CACHE_PASSWORD", "cache: a credential in CACHE_URL", "cache: a credential in --password=hunter2",
	}, mistakes(bare))
}

// stages reads a Dockerfile. A stage has what the one that it is built on has.
func stages(t *testing.T, text string) map[string]image {
	t.Helper()
	out := map[string]image{}
	name := ""
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 2 || name == "" && words[0] != "FROM" {
			continue
		}
		i := out[name]
		switch strings.ToUpper(words[0]) {
		case "FROM":
			require.Len(t, words, 4, "a stage has a name: %s", line)
			name = words[3]
			i = image{base: words[1]}
			if below, ok := out[words[1]]; ok {
				i = below
			}
		case "USER":
			i.user = words[1]
		case "ENTRYPOINT":
			i.entrypoint = strings.Join(words[1:], " ")
		}
		out[name] = i
	}
	return out
}

func TestEveryImageComesFromOneDockerfileAndIsNotRoot(t *testing.T) {
	t.Parallel()
	images := stages(t, readFile(t, "deploy/Dockerfile"))
	f := parse(t, readFile(t, "docker-compose.yml"))
	built := map[string]string{} // image, by stage
	for name, c := range f.Services {
		own := strings.HasPrefix(c.Image, "gatehouse/")
		require.Equal(t, own, ours[name] != "", "%s: %s", name, c.Image)
		if !own {
			require.Nil(t, c.Build, name)
			continue
		}
		require.Equal(t, "gatehouse/"+ours[name], c.Image, name)
		if c.Build == nil {
			continue // another container builds it, which is asked for below
		}
		require.Equal(t, ".", c.Build.Context, name)
		require.Equal(t, "deploy/Dockerfile", c.Build.Dockerfile, name)
		require.Equal(t, ours[name], c.Build.Target, name)
		built[c.Build.Target] = c.Image
	}
	for name, stage := range ours {
		require.Contains(t, f.Services, name)
		require.Contains(t, built, stage, "%s: nothing builds its image", name)
	}
	for stage := range built {
		i := images[stage]
		require.Equal(t, `["/usr/bin/`+stage+`"]`, i.entrypoint, stage)
		require.Contains(t, i.base, "distroless", "%s: its image has a shell", stage)
		user, _, _ := strings.Cut(i.user, ":")
		require.Regexp(t, "^[1-9][0-9]*$", user, "%s: a number, not 0, so that others can check it", stage)
	}
	for stage, i := range images {
		if stage != "ui" && stage != "go" && stage != "base" {
			require.Contains(t, built, stage, "nothing uses the stage")
			require.NotEmpty(t, i.user, stage)
		}
	}
}
