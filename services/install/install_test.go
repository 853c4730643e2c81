package install_test

import (
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/gatehouse/gatehouse/gateway"
	"github.com/gatehouse/gatehouse/libs/bus"
	"github.com/gatehouse/gatehouse/libs/secret"
	"github.com/gatehouse/gatehouse/services/install"
)

func compose(t *testing.T, root string) map[string]string {
	t.Helper()
	access := []bus.Access{
		{Service: "tenant-manager"},
		{Service: "gateway-manager"},
		{Service: "policy-manager"},
		{Service: "analysis-manager"},
		{Service: "devportal-backend"},
		{Service: "bff"},
		gateway.Access("gateway-1", "default", "default", "gateway-1"),
	}
	a := install.Addresses{Console: "http://admin.test", Tenant: "http://tenant.test", Auth: "http://auth.test", Portal: "http://portal.test", Traffic: "http://api.test"}
	require.NoError(t, install.Compose(root, a, access, []string{"gateway-1"}))
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			name, err := filepath.Rel(root, path)
			require.NoError(t, err)
			files[name] = string(b)
		}
		return err
	}))
	return files
}

func TestASecondRunKeepsWhatTheFirstMade(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("files are given to the users of containers, which only root may do")
	}
	root := t.TempDir()
	first := compose(t, root)
	second := compose(t, root)
	delete(first, "nats/nats.conf") // has hashes with a salt
	delete(second, "nats/nats.conf")
	require.Equal(t, first, second)
	other := compose(t, t.TempDir())
	for name, text := range first {
		if strings.HasPrefix(name, "state/") {
			require.NotEqual(t, text, other[name], "%s is the same in two installations", name)
			require.GreaterOrEqual(t, len(text), 27, "%s is short", name)
		}
	}
}

// A secret is where it is used, and nowhere else.
func TestSecretsAreWrittenWhereTheyAreUsed(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("files are given to the users of containers, which only root may do")
	}
	files := compose(t, t.TempDir())
	for secretName, places := range map[string][]string{
		"nats-bff":                {"bff"},
		"nats-gateway-1":          {"gateway-1"},
		"database-tenant-manager": {"postgres", "tenant-manager"},
		"database-policy-manager": {"mariadb", "mariadb-replica", "policy-manager"},
		"mariadb-replica":         {"mariadb", "mariadb-replica"},
		"keyring-tenant-manager":  {"tenant-manager"},
		"join-token":              {"gateway-1", "gateway-manager"},
		"redis":                   {"bff", "gateway-1", "redis", "tenant-manager"},
		"postgres":                {"postgres"},
		"admin-token":             {"gateway-1", "prometheus"},
	} {
		value := strings.TrimSpace(files["state/"+secretName])
		require.NotEmpty(t, value, secretName)
		found := map[string]bool{}
		for name, text := range files {
			if dir := strings.SplitN(name, "/", 2)[0]; dir != "state" && strings.Contains(text, value) {
				found[dir] = true
			}
		}
		want := map[string]bool{}
		for _, p := range places {
			want[p] = true
		}
		require.Equal(t, want, found, secretName)
	}
	_, err := secret.ParseKeyring(files["bff/keyring"])
	require.NoError(t, err)
}

func TestTheConfigurationOfNATSIsAccepted(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("files are given to the users of containers, which only root may do")
	}
	root := t.TempDir()
	compose(t, root)
	o, err := natsserver.ProcessConfigFile(filepath.Join(root, "nats", "nats.conf"))
	require.NoError(t, err)
	require.Len(t, o.Users, 7)
	for _, u := range o.Users {
		require.NotNil(t, u.Permissions, "%s may do anything", u.Username)
		require.True(t, strings.HasPrefix(u.Password, "$2a$"), "the password of %s is not hashed", u.Username)
	}
}

// No name that ends in .localhost leads out of a container, so that gateways are told
// of an address of the compose network for the keys of tokens: the bff's.
func TestGatewaysReachTheKeysOfTokens(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("files are given to the users of containers, which only root may do")
	}
	files := compose(t, t.TempDir())
	var tenants struct {
		OAuth struct {
			GatewayURL string `yaml:"gatewayUrl"`
		} `yaml:"oauth"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(files["tenant-manager/config.yaml"]), &tenants))
	var front struct{ Listen string }
	require.NoError(t, yaml.Unmarshal([]byte(files["bff/config.yaml"]), &front))
	at, err := url.Parse(tenants.OAuth.GatewayURL)
	require.NoError(t, err)
	require.Equal(t, "http", at.Scheme)
	require.Equal(t, "bff", at.Hostname())
	require.Contains(t, parse(t, readFile(t, "docker-compose.yml")).Services, at.Hostname())
	_, port, err := net.SplitHostPort(front.Listen)
	require.NoError(t, err)
	require.Equal(t, port, at.Port())
}
