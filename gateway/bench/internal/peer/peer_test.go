//go:build linux

package peer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/gateway/bench/internal/load"
	"github.com/gatehouse/gatehouse/gateway/bench/internal/proc"
)

// build builds the upstream and the sketches.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"upstream", "peers/fasthttp", "peers/nethttp"} {
		out, err := exec.Command("go", "build", "-o", dir+"/"+filepath.Base(program), "../../"+program).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	return dir
}

// Every peer that is on this machine really starts and answers in each of its
// modes. The gateway is left to its own tests.
func TestPeersServeTheirModes(t *testing.T) {
	t.Parallel()
	built := build(t)
	var g proc.Group
	t.Cleanup(func() { require.NoError(t, g.Close()) })
	upstream, err := proc.FreeAddress()
	require.NoError(t, err)
	up, err := g.Start(proc.Spec{Name: "upstream", Argv: []string{built + "/upstream", "-listen", upstream}, Dir: t.TempDir(), CPU: -1})
	require.NoError(t, err)
	require.NoError(t, up.Ready(t.Context(), upstream, 10*time.Second))
	certificate, err := NewCertificate()
	require.NoError(t, err)
	config, err := certificate.Client()
	require.NoError(t, err)

	for _, p := range All(Binaries{Nginx: "/usr/sbin/nginx", HAProxy: "/usr/sbin/haproxy", Caddy: "caddy", Built: built}) {
		for _, mode := range []Mode{Plain, Managed, TLS, Fleet} {
			if p.Name == Gatehouse || !p.Can(mode) {
				continue
			}
			t.Run(p.Name+"/"+string(mode), func(t *testing.T) {
				if err := p.Find(); errors.Is(err, ErrMissing) {
					t.Skip(err)
				}
				version, err := p.Version(t.Context())
				require.NoError(t, err)
				require.Regexp(t, `\d\.\d`, version)
				in, err := p.Start(t.Context(), &g, Setup{
					Mode: mode, Dir: t.TempDir(), Upstream: upstream, Certificate: certificate,
					Applications: Applications(3), Limit: 1000, Window: time.Minute, APIs: 20,
				}, -1)
				require.NoError(t, err)
				defer func() { require.NoError(t, in.Stop()) }()
				opt := load.Options{
					Address: in.Address, Connections: 4,
					Requests: [][]byte{load.Get(ServerName, OperationPath(19, 3), "X-API-Key", Applications(3)[2].Key)},
					Want:     load.Answer{Status: http.StatusOK, Body: load.Body(load.Small)},
				}
				switch mode {
				case TLS:
					opt.TLS = config
				case Managed:
					opt.Requests = [][]byte{load.Get(ServerName, ManagedPath+"items/1", "X-API-Key", Applications(3)[2].Key)}
				}
				s, err := load.Open(t.Context(), opt)
				require.NoError(t, err)
				defer s.Close()
				_, err = s.Do(t.Context(), load.Run{Count: 200})
				require.NoError(t, err)
			})
		}
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	for _, p := range All(Binaries{Gateway: "/none/gateway", Nginx: "/none/nginx", HAProxy: "/none/haproxy", Caddy: "/none/caddy", Built: "/none"}) {
		require.ErrorIs(t, p.Find(), ErrMissing, p.Name)
	}
}

// gateway is as much of gateway.yaml as the tests look at.
type gateway struct {
	Listeners []struct {
		Address string
		TLS     map[string]any `yaml:"tls"`
	}
	Admin struct{ Address string }
	Log   struct{ Traffic struct{ Path string } }
	APIs  []struct {
		Name       string
		BasePath   string `yaml:"basePath"`
		Upstream   struct{ Targets []struct{ URL string } }
		Operations []struct{ Method, Path string }
		Policies   []map[string]map[string]any
	} `yaml:"apis"`
	Applications []struct {
		Name        string
		Credentials []struct {
			APIKey     string `yaml:"apiKey"`
			APIKeyHash string `yaml:"apiKeyHash"`
		}
	}
}

func prepare(t *testing.T, s Setup) (*Instance, gateway) {
	t.Helper()
	certificate, err := NewCertificate()
	require.NoError(t, err)
	s.Dir, s.Upstream, s.Window, s.Certificate = t.TempDir(), "127.0.0.1:9", time.Minute, certificate
	in, spec, err := All(Binaries{Gateway: "/bin/gateway"})[0].Prepare(s, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"/bin/gateway", "run", "--config", in.Config}, spec.Argv)
	return in, read(t, in.Config)
}

// read merges the lists of a directory's files, as the gateway does.
func read(t *testing.T, path string) gateway {
	t.Helper()
	var g gateway
	files, err := filepath.Glob(path + "/[^.]*.yaml")
	require.NoError(t, err)
	if len(files) == 0 {
		files = []string{path}
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		var part gateway
		require.NoError(t, yaml.Unmarshal(b, &part), f)
		part.APIs = append(g.APIs, part.APIs...)
		part.Applications = append(g.Applications, part.Applications...)
		if part.Listeners == nil {
			part.Listeners, part.Admin, part.Log = g.Listeners, g.Admin, g.Log
		}
		g = part
	}
	return g
}

func TestGatewayConfiguration(t *testing.T) {
	t.Parallel()
	in, g := prepare(t, Setup{Mode: Plain})
	require.Equal(t, in.Address, g.Listeners[0].Address)
	require.Equal(t, in.Admin, g.Admin.Address)
	require.Empty(t, g.Log.Traffic.Path)
	require.Equal(t, "http://127.0.0.1:9", g.APIs[0].Upstream.Targets[0].URL)

	_, g = prepare(t, Setup{Mode: TLS})
	require.NotEmpty(t, g.Listeners[0].TLS)

	in, g = prepare(t, Setup{Mode: Managed, Limit: 1e9, Applications: Applications(5)})
	require.Equal(t, in.Log, g.Log.Traffic.Path)
	require.Len(t, g.Applications, 5)
	require.Len(t, g.Applications[4].Credentials[0].APIKey, 32)
	require.Contains(t, g.APIs[0].Policies[0], "api-key")
	require.Equal(t, map[string]any{"limit": 1_000_000_000, "window": "60s", "key": "application"}, g.APIs[0].Policies[1]["rate-limit"])
	require.Equal(t, 1, g.APIs[1].Policies[1]["rate-limit"]["limit"])
}

func TestFleetChangesOneAPIAtATime(t *testing.T) {
	t.Parallel()
	in, g := prepare(t, Setup{Mode: Fleet, APIs: 250})
	require.Len(t, g.APIs, 250)
	require.Len(t, g.Listeners, 1)
	names := map[string]bool{}
	for i, a := range g.APIs {
		require.Equal(t, BasePath(i), a.BasePath)
		require.Len(t, a.Operations, Operations)
		names[a.Name] = true
	}
	require.Len(t, names, 250)
	require.True(t, strings.HasPrefix(OperationPath(249, 9), g.APIs[249].BasePath+"/resource-9/"))

	for n := 1; n <= 2; n++ {
		require.NoError(t, WriteChanging(in.Config, "127.0.0.1:9", n))
		g = read(t, in.Config)
		require.Len(t, g.APIs, 251)
		require.Equal(t, ChangingPath(n), g.APIs[250].BasePath)
	}
}

func TestCredentialsAreHashes(t *testing.T) {
	t.Parallel()
	in, _ := prepare(t, Setup{Mode: Managed, Limit: 1e9, Applications: Applications(1), Credentials: 2500})
	text, err := os.ReadFile(filepath.Join(in.Config, "credentials.jsonl"))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, 2500+3, "the credentials and an application for each thousand of them")
	sum := sha256.Sum256([]byte(CredentialKey(2499)))
	require.Contains(t, lines[len(lines)-1], hex.EncodeToString(sum[:]))
	require.NotContains(t, string(text), CredentialKey(2499))
}

func TestPrepareRefusesWhatAPeerCannotDo(t *testing.T) {
	t.Parallel()
	for _, p := range All(Binaries{}) {
		if p.Name == HAProxy {
			_, _, err := p.Prepare(Setup{Mode: Managed, Dir: t.TempDir()}, 0)
			require.ErrorContains(t, err, "cannot do managed")
		}
	}
}
